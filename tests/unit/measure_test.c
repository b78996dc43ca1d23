#include "test.h"

#include "core/body.h"
#include "core/eval_impl.h"
#include "rule_fixture.h"

static struct knowledge *knowledge;

/* ---- the formula, against published and computed examples (clinical-notes section 4) */

static const struct formula_case {
    const char *name;
    int age;
    bool female;
    const char *kg, *cm, *scr; /* cm "0": not known */
    const char *want, *want_kg, *want_weight;
    enum clearance_weight choice;
} formulas[] = {
    { "man of 70 years, 75 kg, 110 umol/L: 58.6 (published 58.7, with factor 1.23)", 70, false,
      "75", "0", "1.2443", "58.6", "75", "actual weight, height not known", CLEARANCE_BY_BMI },
    { "woman of 70 years, 100 kg, by actual weight: 68.9", 70, true, "100", "0", "1.2", "68.9",
      "100", "actual weight, height not known", CLEARANCE_BY_BMI },
    { "with 160 cm she has a BMI of 39: adjusted weight, 49.2", 70, true, "100", "160", "1.2",
      "49.2", "71.4", "adjusted weight", CLEARANCE_BY_BMI },
    { "at her ideal weight it would be 36.1", 70, true, "52.3819", "160", "1.2", "36.1", "52.4",
      "actual weight", CLEARANCE_BY_BMI },
    { "N-04: woman of 69 years, 60 kg: 38.7", 69, true, "60", "0", "1.3", "38.7", "60",
      "actual weight, height not known", CLEARANCE_BY_BMI },
    { "the site says actual: 68.9", 70, true, "100", "160", "1.2", "68.9", "100", "actual weight",
      CLEARANCE_ACTUAL },
    { "the site says ideal: 36.1", 70, true, "100", "160", "1.2", "36.1", "52.4", "ideal weight",
      CLEARANCE_IDEAL },
    { "and the actual one is below it", 60, false, "50", "180", "1", "55.6", "50", "actual weight",
      CLEARANCE_IDEAL },
    { "exactly a BMI of 30 is adjusted", 60, false, "120", "200", "1", "115.4", "103.9",
      "adjusted weight", CLEARANCE_BY_BMI },
    { "just below it is not", 60, false, "119.9", "200", "1", "133.2", "119.9", "actual weight",
      CLEARANCE_BY_BMI },
    { "below the ideal weight the actual counts", 60, false, "50", "180", "1", "55.6", "50",
      "actual weight", CLEARANCE_BY_BMI },
};

static struct decimal number(const char *text)
{
    struct decimal value;

    assert_true(decimal_parse(text, &value));
    return value;
}

static void check_rounded(struct decimal value, const char *want)
{
    char text[64];

    assert_string_equal(decimal_text(decimal_round(value, 1), text, sizeof text), want);
}

static void check_formula(void **state)
{
    const struct formula_case *c = *state;
    struct decimal kg;
    const char *weight;

    check_rounded(cockcroft_gault(c->choice, c->age, c->female, number(c->kg), number(c->cm),
                                  number(c->scr), &weight, &kg),
                  c->want);
    check_rounded(kg, c->want_kg);
    assert_string_equal(weight, c->want_weight);
}

/* ---- the formulas of computed results */

static const struct rate_case {
    const char *name;
    int age;
    bool female;
    const char *scr, *want;
} rates[] = {
    /* computed in the clinical notes, section 4 */
    { "man of 50 years, creatinine 1.0: 91.7", 50, false, "1.0", "91.7" },
    { "woman of 65 years, creatinine 1.0: 62.5", 65, true, "1.0", "62.5" },
    { "woman of 78 years, creatinine 1.4: 38.5", 78, true, "1.4", "38.5" },
    /* by hand, where min and max are both 1: 142 x 0.9938^age (x 1.012 if female).
     * ln 0.9938 = -0.00621930; x 50 = -0.310965; e^-0.310965 = 0.732740; x 142 = 104.05
     * ln 0.9938 x 60 = -0.373158; e^-0.373158 = 0.688556; x 142 x 1.012 = 98.95 */
    { "man of 50 years, creatinine 0.9 = k: 142 x 0.9938^50", 50, false, "0.9", "104" },
    { "woman of 60 years, creatinine 0.7 = k: 142 x 0.9938^60 x 1.012", 60, true, "0.7", "98.9" },
    /* by hand, the small exponent: (0.45/0.9)^-0.302 = 2^0.302 = 1.232852; x 104.049 = 128.28 */
    { "man of 50 years, creatinine 0.45: half of k", 50, false, "0.45", "128.3" },
};

static void check_around(struct interval value, const char *want)
{
    struct decimal width = decimal_subtract(value.high, value.low);

    check_rounded(value.low, want);
    check_rounded(value.high, want);
    assert_true(decimal_compare(width, decimal_multiply(value.high, number("1e-11"))) < 0);
}

static void check_rate(void **state)
{
    const struct rate_case *c = *state;
    struct interval rate;

    assert_true(ckd_epi_2021(c->age, c->female, number(c->scr), &rate));
    check_around(rate, c->want);
}

static void check_rate_of_nothing(void **state)
{
    struct interval rate;

    (void)state;
    assert_false(ckd_epi_2021(50, false, DECIMAL_ZERO, &rate));
    assert_false(ckd_epi_2021(50, false, number("1e-900"), &rate));
}

static const struct calcium_case {
    const char *name, *calcium, *albumin, *want;
} calciums[] = {
    { "calcium 9.0, albumin 3.0: 9.8", "9.0", "3.0", "9.8" },
    { "calcium 8.0, albumin 2.0: 9.6", "8.0", "2.0", "9.6" },
    { "N-27: calcium 8.2, albumin 3.0: 9.0", "8.2", "3.0", "9" },
    { "by hand: 10 + 0.8 x (4.0 - 4.5) = 9.6", "10", "4.5", "9.6" },
    { "albumin 4.0 corrects nothing", "8.4", "4.0", "8.4" },
};

static void check_calcium(void **state)
{
    const struct calcium_case *c = *state;
    struct interval value = calcium_corrected(interval_exactly(number(c->calcium)),
                                              interval_exactly(number(c->albumin)));

    assert_true(interval_is_exact(&value));
    assert_int_equal(decimal_compare(value.low, number(c->want)), 0);
}

static const struct pair_case {
    const char *name;
    struct interval (*formula)(struct interval, struct interval);
    const char *a, *b, *want;
    bool exact;
} pairs[] = {
    /* clinical notes, section 4 */
    { "leukocytes 3.0, 40 %: 1.2", anc_of_share, "3.0", "40", "1.2", true },
    { "leukocytes 2.5, 35 % and 5 %: 1.0", anc_of_share, "2.5", "40", "1", true },
    { "170 cm, 70 kg: 1.82 m2", body_surface, "170", "70", "1.82", false },
    { "QT 400 ms at 75/min: 431 ms", qtc_fridericia, "400", "75", "430.89", false },
    /* by hand: 180 x 80 = 14400; / 3600 = 4; its root is 2 */
    { "180 cm, 80 kg: exactly 2 m2", body_surface, "180", "80", "2", true },
    /* by hand: 160 x 90 / 3600 = 4 again; 150 x 54 / 3600 = 2.25, its root is 1.5 */
    { "150 cm, 54 kg: exactly 1.5 m2", body_surface, "150", "54", "1.5", true },
    /* by hand: RR 1 s; RR 8 s, its cube root is 2; RR 0.512 s, its cube root is 0.8 */
    { "at 60/min QT is not changed", qtc_fridericia, "450", "60", "450", true },
    { "at 7.5/min it is half of it", qtc_fridericia, "450", "7.5", "225", true },
    { "at 117.1875/min it is QT / 0.8", qtc_fridericia, "400", "117.1875", "500", true },
};

static void check_pair(void **state)
{
    const struct pair_case *c = *state;
    struct interval value =
        c->formula(interval_exactly(number(c->a)), interval_exactly(number(c->b)));

    assert_int_equal(interval_is_exact(&value), c->exact);
    assert_int_equal(decimal_compare(decimal_round(value.low, 2), number(c->want)), 0);
    assert_int_equal(decimal_compare(decimal_round(value.high, 2), number(c->want)), 0);
}

/* ---- the newest value of a chart */

static const struct measure_case {
    const char *name;
    const char *analyte;
    const char *patient, *results;
    const char *birth; /* instead of the patient's; NULL: as it is */
    const char *want;  /* "38.7", "<38.7", "38.7..40", or "doubts: text" */
    const char *note;
} measures[] = {
    { "a result", "neutrophils", NULL, "neutrophils 0.7 10*9/L, 1 d ago", NULL, "0.7", "" },
    { "a result and one of tomorrow", "neutrophils", NULL,
      "neutrophils 0.7 10*9/L, 1 d ago; neutrophils 3 10*9/L, in 1 d", NULL, "0.7",
      "A result for neutrophils dated in the future (2026-06-16) was not used." },
    { "a result and one without a date", "neutrophils", NULL,
      "neutrophils 0.7 10*9/L, 1 d ago; neutrophils 3 10*9/L, date unknown", NULL, "0.7",
      "A result for neutrophils without a date was not used." },
    { "two values of one moment", "neutrophils", NULL,
      "neutrophils 0.7 10*9/L, 1 d ago; neutrophils 1.2 10*9/L, 1 d ago", NULL, "0.7..1.2", "" },

    { "N-04: the clearance of a woman of 69 years, 60 kg", "crcl",
      "female, 69 years, 60 kg, 165 cm", "creatinine 1.3 mg/dL, 1 d ago", NULL, "38.7", "" },
    { "without a height", "crcl", "female, 69 years, 60 kg", "creatinine 1.3 mg/dL, 1 d ago", NULL,
      "38.7", "Height is not on record: creatinine clearance was computed with actual weight." },
    { "with a height in metres that was sent as centimetres", "crcl",
      "female, 69 years, 60 kg, 1.65 cm", "creatinine 1.3 mg/dL, 1 d ago", NULL, "38.7",
      "The height on record is not plausible: creatinine clearance was computed with actual "
      "weight." },
    { "creatinine in umol/L", "crcl", "male, 70 years, 75 kg", "creatinine 110 umol/L, now", NULL,
      "58.6", "Height is not on record: creatinine clearance was computed with actual weight." },
    { "by adjusted weight", "crcl", "female, 70 years, 100 kg, 160 cm", "creatinine 1.2 mg/dL, now",
      NULL, "49.2", "" },
    { "creatinine below a limit: at least", "crcl", "female, 69 years, 60 kg, 165 cm",
      "creatinine <1.3 mg/dL, now", NULL, ">38.7", "" },
    { "creatinine above a limit: at most", "crcl", "female, 69 years, 60 kg, 165 cm",
      "creatinine >1.3 mg/dL, now", NULL, "<38.7", "" },
    { "two values of creatinine of one moment", "crcl", "female, 69 years, 60 kg, 165 cm",
      "creatinine 1.3 mg/dL, now; creatinine 1.0 mg/dL, now", NULL, "38.7..50.3", "" },
    { "a year of birth alone: 69 or 70", "crcl", "female, 60 kg, 165 cm",
      "creatinine 1.3 mg/dL, now", "1956", "38.1..38.7", "" },

    { "no creatinine", "crcl", "female, 69 years, 60 kg", NULL, NULL,
      "1: creatinine clearance cannot be computed: no result for creatinine on record", "" },
    { "creatinine too old", "crcl", "female, 69 years, 60 kg", "creatinine 1.3 mg/dL, 31 d ago",
      NULL,
      "2: creatinine clearance cannot be computed: creatinine 1.3 mg/dL on 2026-05-15 is too old",
      "" },
    { "creatinine of zero", "crcl", "female, 69 years, 60 kg", "creatinine 0 mg/dL, now", NULL,
      "256: creatinine clearance cannot be computed: the creatinine value is not usable", "" },
    { "creatinine in a unit of nothing", "crcl", "female, 69 years, 60 kg", "creatinine 1 g, now",
      NULL,
      "8: creatinine clearance cannot be computed: creatinine 1 g on 2026-06-15 is in a unit that "
      "cannot be converted",
      "" },
    { "no weight", "crcl", "female, 69 years", "creatinine 1.3 mg/dL, now", NULL,
      "256: creatinine clearance cannot be computed: no usable weight on record", "" },
    { "a weight of more than a year ago", "crcl", "female, 69 years",
      "creatinine 1.3 mg/dL, now; weight 60 kg, 13 mo ago", NULL,
      "256: creatinine clearance cannot be computed: weight 60 kg on 2025-05-15 is too old", "" },
    { "a weight that cannot be right", "crcl", "female, 69 years, 6000 kg",
      "creatinine 1.3 mg/dL, now", NULL,
      "256: creatinine clearance cannot be computed: no usable weight on record", "" },
    { "no age", "crcl", "female, 60 kg", "creatinine 1.3 mg/dL, now", NULL,
      "256: creatinine clearance cannot be computed: the birth date is not known", "" },
    { "an age that cannot be right", "crcl", "female, 60 kg", "creatinine 1.3 mg/dL, now", "1870",
      "256: creatinine clearance cannot be computed: the birth date cannot be right", "" },
    { "no sex", "crcl", "69 years, 60 kg", "creatinine 1.3 mg/dL, now", NULL,
      "256: creatinine clearance cannot be computed: the sex is not recorded as male or female",
      "" },

    { "calcium and albumin of one time", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 1 d ago", NULL, "9", "" },
    { "albumin of seven days before", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 8 d ago", NULL, "9", "" },
    { "albumin added on a day later", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 2 d ago; albumin 3.0 g/dL, 1 d ago", NULL, "9", "" },
    { "the albumin that is nearest counts", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 5 d ago; albumin 3.0 g/dL, 4 d ago; albumin 2.0 g/dL, 8 d ago", NULL, "9",
      "" },
    { "of two that are as near, the earlier one", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 5 d ago; albumin 2.0 g/dL, 4 d ago; albumin 3.0 g/dL, 6 d ago", NULL, "9",
      "" },
    { "albumin of eight days before", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 9 d ago", NULL,
      "256: calcium corrected on 2026-06-14 cannot be computed: no albumin was measured near it in "
      "time (calcium 8.2 mg/dL on 2026-06-14; calcium + 0.8 x (4.0 - albumin), at most 7 days "
      "apart)",
      "" },
    { "calcium without albumin hides an older corrected one", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; calcium-corrected 9.5 mg/dL, 20 d ago", NULL,
      "256: calcium corrected on 2026-06-14 cannot be computed: no albumin was measured near it in "
      "time (calcium 8.2 mg/dL on 2026-06-14; calcium + 0.8 x (4.0 - albumin), at most 7 days "
      "apart)",
      "" },
    { "a calcium without albumin is not the corrected one", "calcium-corrected", NULL,
      "albumin 3.0 g/dL, 1 d ago", NULL, "1: no result for calcium corrected on record", "" },
    { "the reported one of the same time is preferred", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 1 d ago; calcium-corrected 9.1 mg/dL, 1 d ago",
      NULL, "9.1", "" },
    { "a newer reported one counts", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 2 d ago; albumin 3.0 g/dL, 2 d ago; calcium-corrected 9.1 mg/dL, 1 d ago",
      NULL, "9.1", "" },
    { "an older reported one does not", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 1 d ago; calcium-corrected 9.9 mg/dL, 2 d ago",
      NULL, "9", "" },
    { "a reported one that cannot be read leaves the computed one", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 1 d ago; calcium-corrected unreadable, 1 d "
      "ago",
      NULL, "9", "" },
    { "an albumin above a limit: at most", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 1 d ago; albumin >3.0 g/dL, 1 d ago", NULL, "<9", "" },
    { "a calcium above a limit: at least", "calcium-corrected", NULL,
      "calcium >8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 1 d ago", NULL, ">9", "" },
    { "two values of albumin of one moment", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, now; albumin 2.0 g/dL, now", NULL, "9..9.8", "" },
    { "preliminary and removed values do not go in", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, now; albumin 1.0 g/dL, now, preliminary; "
      "albumin 1.0 g/dL, now, removed",
      NULL, "9", "" },
    { "an albumin in a unit of nothing", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 bag, now", NULL,
      "256: calcium corrected on 2026-06-15 cannot be computed: a value that went into it cannot "
      "be "
      "used (calcium 8.2 mg/dL on 2026-06-15, albumin 3.0 bag on 2026-06-15; calcium + 0.8 x (4.0 "
      "- albumin), at most 7 days apart)",
      "" },
    { "an albumin dated tomorrow: nothing before", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, in 1 d", NULL,
      "64: the only result for calcium corrected is dated in the future (2026-06-16)", "" },
    { "an ionised calcium of the same day overrides", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, now; calcium-ionized 1.2 mmol/L, 24 h ago", NULL,
      "256: calcium corrected on 2026-06-15 cannot be computed: the ionised calcium overrides it "
      "(calcium 8.2 mg/dL on 2026-06-15, calcium ionized 1.2 mmol/L on 2026-06-14; calcium + 0.8 x "
      "(4.0 - albumin))",
      "" },
    { "an ionised calcium of more than a day before does not", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, now; calcium-ionized 1.2 mmol/L, 25 h ago", NULL,
      "9", "" },
    { "a newer ionised calcium overrides", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, 2 d ago; albumin 3.0 g/dL, 2 d ago; calcium-ionized 1.2 mmol/L, now",
      NULL,
      "256: calcium corrected on 2026-06-15 cannot be computed: the ionised calcium overrides it "
      "(calcium ionized 1.2 mmol/L on 2026-06-15; calcium + 0.8 x (4.0 - albumin))",
      "" },
    { "an ionised calcium that cannot be read overrides nothing", "calcium-corrected", NULL,
      "calcium 8.2 mg/dL, now; albumin 3.0 g/dL, now; calcium-ionized unreadable, now", NULL, "9",
      "" },

    { "eGFR of a woman of 65 years: 62.5", "egfr", "female, 65 years", "creatinine 1.0 mg/dL, now",
      NULL, "62.5", "" },
    { "eGFR in umol/L (88.4 = 1 mg/dL)", "egfr", "female, 65 years", "creatinine 88.4 umol/L, now",
      NULL, "62.5", "" },
    { "the reported eGFR of the same time is preferred", "egfr", "female, 65 years",
      "creatinine 1.0 mg/dL, now; egfr 61 mL/min/{1.73_m2}, now", NULL, "61", "" },
    { "an older reported eGFR is not", "egfr", "female, 65 years",
      "creatinine 1.0 mg/dL, now; egfr 61 mL/min/{1.73_m2}, 1 d ago", NULL, "62.5", "" },
    { "eGFR with creatinine below a limit: at least", "egfr", "female, 65 years",
      "creatinine <1.0 mg/dL, now", NULL, ">62.5", "" },
    { "eGFR by the age at the time of the creatinine", "egfr", "female",
      "creatinine 1.0 mg/dL, 10 d ago", "1961-06-10", "62.9", "" },
    { "eGFR without a sex", "egfr", "65 years", "creatinine 1.0 mg/dL, now", NULL,
      "256: eGFR on 2026-06-15 cannot be computed: the sex is not recorded as male or female "
      "(creatinine 1.0 mg/dL on 2026-06-15; CKD-EPI 2021)",
      "" },
    { "eGFR without an age", "egfr", "female", "creatinine 1.0 mg/dL, now", NULL,
      "256: eGFR on 2026-06-15 cannot be computed: the birth date is not known (creatinine 1.0 "
      "mg/dL "
      "on 2026-06-15; CKD-EPI 2021)",
      "" },
    { "eGFR of a creatinine of zero", "egfr", "female, 65 years", "creatinine 0 mg/dL, now", NULL,
      "256: eGFR on 2026-06-15 cannot be computed: the creatinine value is not usable (creatinine "
      "0 "
      "mg/dL on 2026-06-15, age 65, female; CKD-EPI 2021)",
      "" },
    { "neutrophils of a differential: 1.2", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; segmented-neutrophil-pct 40 %, now; band-neutrophil-pct 0 %, now", NULL,
      "1.2", "" },
    { "bands belong to them: 1.0", "neutrophils", NULL,
      "wbc 2.5 10*9/L, now; segmented-neutrophil-pct 35 %, now; band-neutrophil-pct 5 %, now", NULL,
      "1", "" },
    { "without bands: at least 0.9, at most all of them", "neutrophils", NULL,
      "wbc 2.5 10*9/L, now; segmented-neutrophil-pct 35 %, now", NULL, "0.9..2.5", "" },
    { "the share of all neutrophils", "neutrophils", NULL,
      "wbc 2.5 10*9/L, now; neutrophil-pct 40 %, now; segmented-neutrophil-pct 35 %, now", NULL,
      "1", "" },
    { "no neutrophils at all", "neutrophils", NULL, "wbc 2.5 10*9/L, now; neutrophil-pct 0 %, now",
      NULL, "0", "" },
    { "counts of segmented ones and bands", "neutrophils", NULL,
      "segmented-neutrophils 0.7 10*9/L, now; band-neutrophils 0.2 10*9/L, now", NULL, "0.9", "" },
    { "a count of segmented ones alone: at least", "neutrophils", NULL,
      "segmented-neutrophils 0.7 10*9/L, now", NULL, ">0.7", "" },
    { "the reported count is preferred", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; neutrophil-pct 40 %, now; neutrophils 1.1 10*9/L, now", NULL, "1.1",
      "" },
    { "a newer differential counts", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; neutrophil-pct 40 %, now; neutrophils 1.1 10*9/L, 1 d ago", NULL, "1.2",
      "" },
    { "leukocytes without a differential say nothing", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; neutrophils 1.1 10*9/L, 1 d ago", NULL, "1.1", "" },
    { "a differential of another time is another specimen", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; neutrophil-pct 40 %, 1 h ago", NULL,
      "1: no result for neutrophils on record", "" },
    { "a share of more than all of them", "neutrophils", NULL,
      "wbc 3.0 10*9/L, now; neutrophil-pct 400 %, now", NULL,
      "256: neutrophils on 2026-06-15 cannot be computed: a share of more than 100 % cannot be "
      "used "
      "(leukocytes 3.0 10*9/L on 2026-06-15, neutrophil share 400 % on 2026-06-15; leukocytes x "
      "neutrophils % / 100)",
      "" },

    { "body surface of 180 cm and 80 kg", "bsa", "180 cm, 80 kg", NULL, NULL, "2", "" },
    { "the reported body surface of the same time is preferred", "bsa", NULL,
      "weight 80 kg, now; height 180 cm, 9 a ago; bsa 1.9 m2, now", NULL, "1.9", "" },
    { "a height measured after the weight", "bsa", NULL,
      "weight 80 kg, 2 d ago; height 180 cm, 1 d ago", NULL, "2", "" },
    { "body surface without a height", "bsa", NULL, "weight 80 kg, now", NULL,
      "256: body surface on 2026-06-15 cannot be computed: no height is on record (weight 80 kg on "
      "2026-06-15; Mosteller)",
      "" },
    { "body surface of a weight that cannot be right", "bsa", NULL,
      "weight 8 kg, now; height 180 cm, now", NULL,
      "256: body surface on 2026-06-15 cannot be computed: the weight or the height is not "
      "plausible "
      "(weight 8 kg on 2026-06-15, height 180 cm on 2026-06-15; Mosteller)",
      "" },

    { "urea nitrogen of urea", "bun", NULL, "urea 28 mg{urea_nitrogen}/dL, now", NULL, "28", "" },
    { "urea nitrogen of urea below a limit", "bun", NULL, "urea <28 mg{urea_nitrogen}/dL, now",
      NULL, "<28", "" },
    { "the urea nitrogen reported for the same time is preferred", "bun", NULL,
      "urea 28 mg{urea_nitrogen}/dL, now; bun 27 mg/dL, now", NULL, "27", "" },
    { "a newer urea counts before an older urea nitrogen", "bun", NULL,
      "urea 28 mg{urea_nitrogen}/dL, now; bun 27 mg/dL, 1 d ago", NULL, "28", "" },

    { "QTcF of QT and heart rate", "qtcf", NULL, "qt 400 ms, now; heart-rate 75 /min, now", NULL,
      "430.9", "" },
    { "a QTcF reported for the same time is preferred", "qtcf", NULL,
      "qt 400 ms, now; heart-rate 75 /min, now; qtcf 429 ms, now", NULL, "429", "" },
    { "QT without a heart rate of its time", "qtcf", NULL,
      "qt 400 ms, now; heart-rate 75 /min, 1 h ago", NULL,
      "256: QTcF on 2026-06-15 cannot be computed: no heart rate was reported for the same time "
      "(QT "
      "400 ms on 2026-06-15; Fridericia)",
      "" },
    { "a heart rate in /s that was sent as /min", "qtcf", NULL,
      "qt 400 ms, now; heart-rate 0.9 /min, now", NULL,
      "256: QTcF on 2026-06-15 cannot be computed: a value that went into it cannot be used (QT "
      "400 "
      "ms on 2026-06-15, heart rate 0.9 /min on 2026-06-15; Fridericia)",
      "" },
    { "a QTc without a formula is no QTcF", "qtcf", NULL, "qtc 450 ms, now", NULL,
      "1: no result for QTcF on record", "" },
    { "a QTcF is a QTc", "qtc", NULL, "qtcf 450 ms, now", NULL, "450", "" },
    { "a QTcB is a QTc", "qtc", NULL, "qtcb 450 ms, now", NULL, "450", "" },
    { "two formulas of one time: both may be meant", "qtc", NULL,
      "qtcf 450 ms, now; qtcb 480 ms, now", NULL, "450..480", "" },

    { "a fasting glucose is a glucose", "glucose", NULL, "glucose-fasting 110 mg/dL, now", NULL,
      "110", "" },
    { "a newer bedside glucose counts before one of the laboratory", "glucose", NULL,
      "glucose 320 mg/dL, 1 d ago; glucose-poc 150 mg/dL, now", NULL, "150", "" },
    { "a newer glucose of the laboratory counts before one at the bedside", "glucose", NULL,
      "glucose 150 mg/dL, now; glucose-poc 320 mg/dL, 1 d ago", NULL, "150", "" },

    { "no creatinine, no eGFR", "egfr", "female, 65 years", NULL, NULL,
      "1: no result for eGFR on record", "" },
};

static struct eval eval_on(const struct chart *chart, struct arena *arena)
{
    static const char *const names[] = { "crcl", "creatinine", "weight", "height" };
    struct eval eval = {
        .knowledge = knowledge, .chart = chart, .now_ms = NOW, .arena = arena, .telling = true
    };
    unsigned *const places[] = { &eval.analytes.crcl, &eval.analytes.creatinine,
                                 &eval.analytes.weight, &eval.analytes.height };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        *places[i] = knowledge_concept(knowledge, CONCEPT_ANALYTE, names[i]);
    return eval;
}

static void write_value(const struct measure *measure, struct buf *out)
{
    char low[64], high[64];

    if (measure->known != TRUTH_TRUE) {
        buf_printf(out, "%u: %s", measure->doubts, measure->text);
        return;
    }
    decimal_text(decimal_round(measure->value.low, 1), low, sizeof low);
    decimal_text(decimal_round(measure->value.high, 1), high, sizeof high);
    if (measure->value.low_none)
        buf_printf(out, "<%s", high);
    else if (measure->value.high_none)
        buf_printf(out, ">%s", low);
    else if (strcmp(low, high) == 0)
        buf_text(out, low);
    else
        buf_printf(out, "%s..%s", low, high);
}

static void check_measure(void **state)
{
    static const struct duration month = { .ms = 30 * DAY };
    const struct measure_case *c = *state;
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, c->patient, NULL, c->results, NULL);
    AUTO(buf_done) struct buf got = { 0 };
    struct arena arena = { 0 };
    struct eval eval = eval_on(chart, &arena);
    struct measure measure;

    if (c->birth) assert_true(instant_parse(c->birth, &chart->birth));
    chart_arrange(chart, knowledge);
    measure =
        measure_newest(&eval, knowledge_concept(knowledge, CONCEPT_ANALYTE, c->analyte), &month);
    write_value(&measure, &got);
    assert_string_equal(buf_string(&got), c->want);
    assert_string_equal(measure.note, c->note);
    arena_done(&arena);
}

/* ---- how long it stays as it is */

static const struct until_case {
    const char *name;
    const char *patient, *results;
    const char *birth;   /* instead of the patient's; NULL: as it is */
    int64_t within_days; /* of the creatinine */
    int64_t want;        /* after NOW */
} untils[] = {
    { "until the creatinine is too old", "female, 69 years, 60 kg", "creatinine 1 mg/dL, 29 d ago",
      NULL, 30, DAY + 1 },
    { "until the weight is too old", "female, 69 years",
      "creatinine 1 mg/dL, now; weight 60 kg, 11 mo ago", NULL, 60, 30 * DAY + 1 },
    { "until a newer result counts", "female, 69 years, 60 kg",
      "creatinine 1 mg/dL, now; creatinine 2 mg/dL, in 2 h", NULL, 30, 2 * HOUR },
    { "until the birthday", "female, 60 kg", "creatinine 1 mg/dL, now", "1956-06-20", 30,
      4 * DAY + 12 * HOUR },
};

static void check_until(void **state)
{
    const struct until_case *c = *state;
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, c->patient, NULL, c->results, NULL);
    struct arena arena = { 0 };
    struct eval eval = eval_on(chart, &arena);
    struct duration within = { .ms = c->within_days * DAY };

    if (c->birth) assert_true(instant_parse(c->birth, &chart->birth));
    assert_int_equal(measure_crcl(&eval, &within).until_ms - NOW, c->want);
    arena_done(&arena);
}

static void check_words(void **state)
{
    static const struct duration month = { .ms = 30 * DAY };
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, "female, 70 years, 100 kg, 160 cm", NULL,
                                        "creatinine 1.2 mg/dL, 2 d ago", NULL);
    struct arena arena = { 0 };
    struct eval eval = eval_on(chart, &arena);

    (void)state;
    assert_string_equal(measure_crcl(&eval, &month).text,
                        "creatinine clearance 49.2 mL/min (Cockcroft-Gault; creatinine 1.2 mg/dL "
                        "on 2026-06-13, age 70, female, 71.4 kg adjusted weight; weight 100 kg on "
                        "2026-06-14)");
    eval.telling = false; /* then nobody reads it: nothing is made */
    assert_string_equal(measure_crcl(&eval, &month).text, "");
    arena_done(&arena);
}

static void check_text(const char *patient, const char *results, const char *analyte,
                       const char *want)
{
    static const struct duration month = { .ms = 30 * DAY };
    AUTO(chart_free) struct chart *chart = fixture_chart(knowledge, patient, NULL, results, NULL);
    struct arena arena = { 0 };
    struct eval eval = eval_on(chart, &arena);
    unsigned concept = knowledge_concept(knowledge, CONCEPT_ANALYTE, analyte);

    assert_memory_equal(measure_newest(&eval, concept, &month).text, want, strlen(want));
    arena_done(&arena);
}

static void check_whole(void **state)
{
    (void)state;
    check_text("male, 70 years, 51.424 kg", "creatinine 1 mg/dL, now", "crcl",
               "creatinine clearance 49.996 mL/min (");
    check_text("male, 70 years, 72 kg", "creatinine 1.4 mg/dL, now", "crcl",
               "creatinine clearance 50 mL/min (");
}

static void check_converted(void **state)
{
    (void)state;
    check_text(NULL, "neutrophils 900 /uL, 1 d ago", "neutrophils",
               "neutrophils 900 /uL (0.9 10*9/L) on 2026-06-14");
    check_text(NULL, "neutrophils <500 /uL, 1 d ago", "neutrophils",
               "neutrophils <500 /uL (<0.5 10*9/L) on 2026-06-14");
    check_text(NULL, "neutrophils >=500 /uL, 1 d ago", "neutrophils",
               "neutrophils >=500 /uL (>=0.5 10*9/L) on 2026-06-14");
    check_text(NULL, "neutrophils 0.9 10*9/L, 1 d ago", "neutrophils",
               "neutrophils 0.9 10*9/L on 2026-06-14");
}

static void check_computed_words(void **state)
{
    (void)state;
    check_text(NULL, "calcium 8.2 mg/dL, 1 d ago; albumin 3.0 g/dL, 2 d ago", "calcium-corrected",
               "calcium corrected 9 mg/dL on 2026-06-14 (calcium 8.2 mg/dL on 2026-06-14, albumin "
               "3.0 g/dL on 2026-06-13; calcium + 0.8 x (4.0 - albumin), at most 7 days apart)");
    check_text("female, 65 years", "creatinine 1.0 mg/dL, now", "egfr",
               "eGFR 62.5 mL/min/{1.73_m2} on 2026-06-15 (creatinine 1.0 mg/dL on 2026-06-15, age "
               "65, female; CKD-EPI 2021)");
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        { "no whole number that it is not", check_whole, NULL, NULL, NULL },
        { "a value in another unit is told in the analyte's too", check_converted, NULL, NULL,
          NULL },
        { "the words name every input", check_words, NULL, NULL, NULL },
        { "the words of a computed result name every input", check_computed_words, NULL, NULL,
          NULL },
        { "there is no rate for no creatinine", check_rate_of_nothing, NULL, NULL, NULL },
    };
    int failed;

    knowledge = fixture_load(RULE("r", "{'order':'lenalidomide'}"), NULL);
    failed = RUN_TABLE("formulas", formulas, check_formula);
    failed += RUN_TABLE("rates", rates, check_rate);
    failed += RUN_TABLE("calciums", calciums, check_calcium);
    failed += RUN_TABLE("pairs", pairs, check_pair);
    failed += RUN_TABLE("measures", measures, check_measure);
    failed += RUN_TABLE("untils", untils, check_until);
    failed += cmocka_run_group_tests_name("words", single, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
