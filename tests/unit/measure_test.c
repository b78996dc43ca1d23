#include "test.h"

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
} formulas[] = {
    { "man of 70 years, 75 kg, 110 umol/L: 58.6 (published 58.7, with factor 1.23)", 70, false,
      "75", "0", "1.2443", "58.6", "75", "actual weight, height not known" },
    { "woman of 70 years, 100 kg, by actual weight: 68.9", 70, true, "100", "0", "1.2", "68.9",
      "100", "actual weight, height not known" },
    { "with 160 cm she has a BMI of 39: adjusted weight, 49.2", 70, true, "100", "160", "1.2",
      "49.2", "71.4", "adjusted weight" },
    { "at her ideal weight it would be 36.1", 70, true, "52.3819", "160", "1.2", "36.1", "52.4",
      "actual weight" },
    { "N-04: woman of 69 years, 60 kg: 38.7", 69, true, "60", "0", "1.3", "38.7", "60",
      "actual weight, height not known" },
    { "exactly a BMI of 30 is adjusted", 60, false, "120", "200", "1", "115.4", "103.9",
      "adjusted weight" },
    { "just below it is not", 60, false, "119.9", "200", "1", "133.2", "119.9", "actual weight" },
    { "below the ideal weight the actual counts", 60, false, "50", "180", "1", "55.6", "50",
      "actual weight" },
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

    check_rounded(cockcroft_gault(c->age, c->female, number(c->kg), number(c->cm), number(c->scr),
                                  &weight, &kg),
                  c->want);
    check_rounded(kg, c->want_kg);
    assert_string_equal(weight, c->want_weight);
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
    else if (interval_is_exact(&measure->value))
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

int main(void)
{
    static const struct CMUnitTest single[] = {
        { "no whole number that it is not", check_whole, NULL, NULL, NULL },
        { "a value in another unit is told in the analyte's too", check_converted, NULL, NULL,
          NULL },
        { "the words name every input", check_words, NULL, NULL, NULL },
    };
    int failed;

    knowledge = fixture_load(RULE("r", "{'order':'lenalidomide'}"), NULL);
    failed = RUN_TABLE("formulas", formulas, check_formula);
    failed += RUN_TABLE("measures", measures, check_measure);
    failed += RUN_TABLE("untils", untils, check_until);
    failed += cmocka_run_group_tests_name("words", single, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
