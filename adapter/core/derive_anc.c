/* The absolute neutrophil count from a differential of the same instant, where the laboratory reports
 * no count for it (the analyser's value is preferred). Bands belong to it: where they are not
 * reported, the segmented ones are the least that it can be, and all leukocytes the most. */
#include "core/derive_impl.h"

struct counts {
    unsigned leukocytes, share, segmented_share, band_share, segmented, band;
};

static bool is_made(const struct deriver *deriver, int64_t at_ms)
{
    for (size_t i = 0; i < deriver->count; i++)
        if (deriver->results[i].at_ms == at_ms) return true;
    return false;
}

struct interval anc_of_share(struct interval leukocytes, struct interval percent)
{
    return interval_multiply(leukocytes, interval_scale(percent, (struct decimal){ 1, -2 }));
}

static void input_share(struct derived *derived, const struct moment *share)
{
    derived_input(derived, share);
    if (!share->value.low_none && decimal_compare(share->value.low, decimal_of(100)) > 0)
        derived_lacks(derived, DOUBT_INPUT, "a share of more than 100 % cannot be used");
}

/* ---- from counts of segmented and band neutrophils */

static struct derived of_counts(const struct moment *segmented, const struct moment *band)
{
    struct derived derived =
        derived_start(segmented, band->found ? "segmented + band neutrophils"
                                             : "segmented neutrophils, bands not reported");

    derived_input(&derived, band);
    derived.result.value = segmented->value;
    if (band->found)
        derived.result.value = interval_add(segmented->value, band->value);
    else
        derived.result.value.high_none = true;
    if (derived.result.value.low_none && derived.result.value.high_none)
        derived_lacks(&derived, DOUBT_INPUT, "a value that went into it cannot be used");
    return derived;
}

static void from_counts(struct deriver *deriver, const struct counts *of)
{
    struct moment segmented;
    size_t at = 0;

    while (moment_next(deriver, of->segmented, &at, &segmented)) {
        struct moment band = moment_at(deriver, of->band, segmented.at_ms);
        struct derived derived = of_counts(&segmented, &band);
        if (!derive_is_reported(deriver, segmented.at_ms)) derived_keep(deriver, &derived);
    }
}

/* ---- from leukocytes and shares of them */

static struct derived of_share(const struct moment *leukocytes, const struct moment *share)
{
    struct derived derived = derived_start(leukocytes, "leukocytes x neutrophils % / 100");

    input_share(&derived, share);
    if (!derived.derivation.lack)
        derived.result.value = anc_of_share(leukocytes->value, share->value);
    return derived;
}

static struct derived of_parts(const struct moment *leukocytes, const struct moment *segmented,
                               const struct moment *band)
{
    struct derived derived = derived_start(
        leukocytes, band->found ? "leukocytes x (segmented % + bands %) / 100"
                                : "leukocytes x segmented % / 100, bands not reported");
    struct interval *value = &derived.result.value;

    input_share(&derived, segmented);
    input_share(&derived, band);
    if (derived.derivation.lack) return derived;
    if (band->found) {
        *value = anc_of_share(leukocytes->value, interval_add(segmented->value, band->value));
        return derived;
    }
    *value = anc_of_share(leukocytes->value, segmented->value);
    value->high = leukocytes->value.high;
    value->high_open = leukocytes->value.high_open;
    value->high_none = leukocytes->value.high_none;
    if (value->low_none && value->high_none)
        derived_lacks(&derived, DOUBT_INPUT, "a value that went into it cannot be used");
    return derived;
}

static void from_shares(struct deriver *deriver, const struct counts *of)
{
    struct moment leukocytes;
    size_t at = 0;

    while (moment_next(deriver, of->leukocytes, &at, &leukocytes)) {
        int64_t at_ms = leukocytes.at_ms;
        struct moment share = moment_at(deriver, of->share, at_ms);
        struct moment segmented = moment_at(deriver, of->segmented_share, at_ms);
        struct moment band = moment_at(deriver, of->band_share, at_ms);
        struct derived derived;
        if (!share.found && !segmented.found) continue; /* no differential */
        if (is_made(deriver, at_ms) || derive_is_reported(deriver, at_ms)) continue;
        derived = share.readable || !segmented.found ? of_share(&leukocytes, &share)
                                                     : of_parts(&leukocytes, &segmented, &band);
        derived_keep(deriver, &derived);
    }
}

void derive_anc(struct deriver *deriver)
{
    struct counts of = { .leukocytes = derive_analyte(deriver, "wbc"),
                         .share = derive_analyte(deriver, "neutrophil-pct"),
                         .segmented_share = derive_analyte(deriver, "segmented-neutrophil-pct"),
                         .band_share = derive_analyte(deriver, "band-neutrophil-pct"),
                         .segmented = derive_analyte(deriver, "segmented-neutrophils"),
                         .band = derive_analyte(deriver, "band-neutrophils") };

    from_counts(deriver, &of);
    from_shares(deriver, &of);
}
