/* Calcium corrected for albumin.
 *
 * An ionised calcium overrides it (clinical notes, section 4), and thresholds of corrected calcium mean
 * nothing for it: from an ionised calcium on, the corrected one is not known, until a total calcium is
 * taken that the ionised one does not stand against any more (policy: ionizedCalciumWithin). A rule
 * that wants to go on asks for calcium-ionized itself. */
#include "core/derive_impl.h"

static const char formula[] = "calcium + 0.8 x (4.0 - albumin)";

struct interval calcium_corrected(struct interval calcium, struct interval albumin)
{
    struct interval missing =
        interval_shift(interval_negate(albumin), decimal_of(4)); /* 4.0 - albumin */

    return interval_add(calcium, interval_scale(missing, (struct decimal){ 8, -1 }));
}

struct calcium {
    unsigned total, albumin, ionized;
};

/* The ionised calcium that stands against what was taken at an instant. */
static struct moment ionized_against(const struct deriver *deriver, const struct calcium *of,
                                     int64_t at_ms)
{
    struct moment none = { .found = false };
    struct moment ionized =
        moment_near(deriver, of->ionized, at_ms, deriver->policy->ionized_calcium_within,
                    (struct duration){ 0, 0 });

    return ionized.readable ? ionized : none;
}

static void override(struct derived *derived, const struct moment *ionized)
{
    if (!ionized->found) return;
    derived_input(derived, ionized);
    derived_lacks(derived, DOUBT_INPUT, "the ionised calcium overrides it");
}

static struct derived corrected(const struct deriver *deriver, const struct calcium *of,
                                const struct moment *total)
{
    struct duration within = deriver->policy->calcium_albumin_within;
    struct derived derived = derived_start(total, formula);
    struct moment ionized = ionized_against(deriver, of, total->at_ms);
    struct moment albumin = moment_near(deriver, of->albumin, total->at_ms, within, within);

    if (ionized.found) {
        override(&derived, &ionized);
        return derived;
    }
    derived.derivation.has_apart = true;
    derived.derivation.apart = within;
    derived_input(&derived, &albumin);
    if (!albumin.found)
        derived_lacks(&derived, DOUBT_INPUT, "no albumin was measured near it in time");
    else if (!moment_is_positive(total) || !moment_is_positive(&albumin))
        derived_lacks(&derived, DOUBT_INPUT, "a value that went into it cannot be used");
    if (!derived.derivation.lack)
        derived.result.value = calcium_corrected(total->value, albumin.value);
    return derived;
}

static void from_totals(struct deriver *deriver, const struct calcium *of)
{
    struct moment total;
    size_t at = 0;

    while (moment_next(deriver, of->total, &at, &total)) {
        struct derived derived;
        if (derive_is_reported(deriver, total.at_ms)) continue;
        derived = corrected(deriver, of, &total);
        derived_keep(deriver, &derived);
    }
}

/* An ionised calcium is the newest that is known of the calcium. */
static void from_ionized(struct deriver *deriver, const struct calcium *of)
{
    struct moment ionized;
    size_t at = 0;

    while (moment_next(deriver, of->ionized, &at, &ionized)) {
        struct derived derived = derived_start(&ionized, formula);
        if (!ionized.readable) continue;
        derived_lacks(&derived, DOUBT_INPUT, "the ionised calcium overrides it");
        derived_keep(deriver, &derived);
    }
}

void derive_calcium(struct deriver *deriver)
{
    struct calcium of = { derive_analyte(deriver, "calcium"), derive_analyte(deriver, "albumin"),
                          derive_analyte(deriver, "calcium-ionized") };

    from_totals(deriver, &of);
    from_ionized(deriver, &of);
}
