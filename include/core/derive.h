/* Values that are computed from other results of a chart: corrected calcium, eGFR ... Each computed
 * value is a result like a reported one, with an instant of its own and the results it was computed
 * from, so that every clause (newest, baseline, lowest, previous, gap) sees it in the same way. Pure:
 * no clock. */
#pragma once

#include "core/chart.h"

#define DERIVATION_INPUTS_MAX 6

/* How a result was computed. */
struct derivation {
    const char *formula; /* in words: "calcium + 0.8 x (4.0 - albumin)"; static */
    const char *lack;    /* why it could not be computed; NULL when it could; static */
    int64_t from_ms;     /* the latest instant of its inputs: it does not count before */
    const struct chart_result *inputs[DERIVATION_INPUTS_MAX]; /* borrowed: of the chart */
    size_t input_count;
    bool has_apart;        /* the inputs may be of different times, */
    struct duration apart; /* at most that far apart (a choice of the site) */
    bool has_person;       /* age and sex went into it: */
    int oldest, youngest;  /* completed years at the instant of the result */
    enum sex sex;
    const char *weight; /* "adjusted weight" went into it; NULL: none; static */
    struct decimal kg;
};

/* Which analytes can be computed. chart_arrange() calls it: once, when the reported results stand in
 * their order. */
void derive_prepare(struct chart *chart, const struct knowledge *knowledge);

/* Compute one of them, beside what is reported. chart_results() calls it: once. */
void derive_series(struct chart *chart, struct chart_series *series);

/* Can the analyte be computed from something that has a code? */
bool derive_has_source(const struct knowledge *knowledge, unsigned analyte);

/* ---- the formulas. Inputs are above 0. Where a result is no finite decimal, it is an interval around
 * the true value, narrower than a part in 10^11: no threshold that people write lies inside. */

/* Albumin-corrected calcium in mg/dL: calcium + 0.8 x (4.0 - albumin in g/dL). In SI the same is
 * calcium + 0.02 x (40 - albumin in g/L), in mmol/L. Clinical notes, section 4; after Payne RB et al.
 * BMJ 1973;4:643-646. */
struct interval calcium_corrected(struct interval calcium, struct interval albumin);

/* eGFR in mL/min/1.73 m2 by CKD-EPI 2021 (creatinine, without race): 142 x min(S/k, 1)^a x
 * max(S/k, 1)^-1.200 x 0.9938^age x 1.012 if female; k 0.7 (F) or 0.9 (M), a -0.241 (F) or -0.302 (M).
 * Inker LA et al. N Engl J Med 2021;385:1737-1749. False when the number is beyond all measure. */
bool ckd_epi_2021(int age_years, bool female, struct decimal scr_mg_dl,
                  struct interval *ret) MUST_CHECK;

/* Absolute neutrophils in 10*9/L: leukocytes x percent / 100, with percent all neutrophils, or the
 * segmented ones and the bands together. Clinical notes, section 4. */
struct interval anc_of_share(struct interval leukocytes, struct interval percent);

/* QTc in ms by Fridericia: QT / RR^(1/3), RR = 60 / heart rate in s. Fridericia LS. Acta Med Scand
 * 1920;53:469-486. qt in ms, rate in /min; both have bounds. */
struct interval qtc_fridericia(struct interval qt, struct interval rate);
