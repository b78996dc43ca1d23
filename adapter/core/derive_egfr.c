/* The estimated glomerular filtration rate from creatinine, where no one is reported by the same
 * equation. Values by other equations (MDRD, CKD-EPI 2009, cystatin C alone) are another analyte
 * (egfr-other); the clearance by Cockcroft and Gault is another one again (crcl). */
#include <math.h>

#include "core/derive_impl.h"

static const char formula[] = "CKD-EPI 2021";

static double power_below(double ratio, double exponent)
{
    return ratio < 1 ? pow(ratio, exponent) : 1;
}

static double power_above(double ratio, double exponent)
{
    return ratio > 1 ? pow(ratio, exponent) : 1;
}

bool ckd_epi_2021(int age_years, bool female, struct decimal scr_mg_dl, struct interval *ret)
{
    double ratio = decimal_double(scr_mg_dl) / (female ? 0.7 : 0.9);
    double rate = 142 * power_below(ratio, female ? -0.241 : -0.302) * power_above(ratio, -1.2) *
                  pow(0.9938, age_years) * (female ? 1.012 : 1);

    if (!isfinite(rate) || rate <= 0) return false;
    *ret = interval_about(rate);
    return true;
}

/* It falls as creatinine and age rise: the bounds change places. */
static bool rate_span(const struct derivation *how, const struct interval *scr,
                      struct interval *ret)
{
    bool female = how->sex == SEX_FEMALE;
    struct interval slow = { .low_none = true }, fast = { .high_none = true };

    if (!scr->high_none && !ckd_epi_2021(how->oldest, female, scr->high, &slow)) return false;
    if (!scr->low_none && !ckd_epi_2021(how->youngest, female, scr->low, &fast)) return false;
    *ret = (struct interval){ .low = slow.low,
                              .high = fast.high,
                              .low_none = scr->high_none,
                              .high_none = scr->low_none,
                              .low_open = scr->high_open,
                              .high_open = scr->low_open };
    return true;
}

void derive_egfr(struct deriver *deriver)
{
    unsigned creatinine = derive_analyte(deriver, "creatinine");
    struct moment scr;
    size_t at = 0;

    while (moment_next(deriver, creatinine, &at, &scr)) {
        struct derived derived = derived_start(&scr, formula);
        if (derive_is_reported(deriver, scr.at_ms)) continue;
        if (derived_person(deriver, &derived) && !derived.derivation.lack &&
            !rate_span(&derived.derivation, &scr.value, &derived.result.value))
            derived_lacks(&derived, DOUBT_INPUT, "the creatinine value is not usable");
        derived_keep(deriver, &derived);
    }
}
