/* Creatinine clearances of the past, for baselines and earlier values: with the age and the weight of
 * their time. The present one is measure_crcl()'s, with those of today. */
#include "core/body.h"
#include "core/derive_impl.h"
#include "core/eval_impl.h"

static void weight_take(struct derived *derived, const struct moment *kg, struct duration within)
{
    derived->derivation.has_apart = true;
    derived->derivation.apart = within;
    derived_input(derived, kg);
    if (!kg->found)
        derived_lacks(derived, DOUBT_INPUT, "no weight was measured near it in time");
    else if (!interval_is_exact(&kg->value) || !body_weight_is_plausible(&kg->value))
        derived_lacks(derived, DOUBT_INPUT, "the weight is not plausible");
}

/* 0: not known. */
static struct decimal height_take(struct derived *derived, const struct moment *cm)
{
    if (!cm->readable || !interval_is_exact(&cm->value)) return DECIMAL_ZERO;
    if (!body_height_is_plausible(&cm->value)) return DECIMAL_ZERO;
    derived_input(derived, cm);
    return cm->value.low;
}

static struct interval clearance(enum clearance_weight choice, struct derivation *how,
                                 struct decimal kg, struct decimal cm, const struct interval *scr)
{
    bool female = how->sex == SEX_FEMALE;
    struct interval span = { .low_none = scr->high_none,
                             .low_open = scr->high_open,
                             .high_none = scr->low_none,
                             .high_open = scr->low_open };

    if (!span.low_none)
        span.low =
            cockcroft_gault(choice, how->oldest, female, kg, cm, scr->high, &how->weight, &how->kg);
    if (!span.high_none)
        span.high = cockcroft_gault(choice, how->youngest, female, kg, cm, scr->low, &how->weight,
                                    &how->kg);
    return span;
}

void derive_crcl(struct deriver *deriver)
{
    unsigned creatinine = derive_analyte(deriver, "creatinine");
    unsigned weight = derive_analyte(deriver, "weight");
    unsigned height = derive_analyte(deriver, "height");
    struct duration within = deriver->policy->weight_within;
    struct moment scr;
    size_t at = 0;

    while (moment_next(deriver, creatinine, &at, &scr)) {
        struct derived derived = derived_start(&scr, "Cockcroft-Gault");
        struct moment kg = moment_near(deriver, weight, scr.at_ms, within, within);
        struct moment tall = moment_ever(deriver, height, scr.at_ms);
        struct decimal cm;
        weight_take(&derived, &kg, within);
        cm = height_take(&derived, &tall);
        if (!moment_is_positive(&scr))
            derived_lacks(&derived, DOUBT_INPUT, "the creatinine value is not usable");
        if (derived_person(deriver, &derived) && !derived.derivation.lack)
            derived.result.value = clearance(deriver->policy->clearance_weight, &derived.derivation,
                                             kg.value.low, cm, &scr.value);
        derived_keep(deriver, &derived);
    }
}
