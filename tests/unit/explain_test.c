/* One chart, rules of every kind of clause and every consequence, told as a pharmacist reads it. */
#include "test.h"

#include "core/explain.h"
#include "golden.h"
#include "rule_fixture.h"

#define GOLDEN "tests/golden/explain/rules"

static char *told(void)
{
    static const char *const open[] = { "case|lasts|lenalidomide" };
    const struct eval_options options = { .trace_all = true, .open = open, .open_count = 1 };
    char *rules = file_text(GOLDEN ".json");
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load_file(rules, "{'definitions':{'woman':{'sex':'female'}}}");
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, "female, 70 years, 60 kg, 165 cm",
        "lenalidomide 25 mg daily, since 28 d ago; naproxen 500 mg every 12 h, expired 2 d ago; "
        "dexamethasone 20 mg every 7 d; rifampin 600 mg daily, until 1 d ago; "
        "zoledronic-acid 4 mg, start unknown; unmapped Pill",
        "neutrophils 0.7 10*9/L, 1 d ago; platelets 40 10*9/L, 2 d ago; creatinine 1.0 mg/dL, "
        "40 d ago; creatinine 1.3 mg/dL, 3 d ago; alt <200 U/L, now, upper 40 U/L",
        "multiple-myeloma, since 400 d ago; dialysis, unconfirmed");
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, &options);
    struct buf text = { 0 };

    explain_write(evaluation, knowledge, &text);
    free(rules);
    return buf_take(&text);
}

static void check_explain(void **state)
{
    char *got = told();

    (void)state;
    assert_golden(GOLDEN ".out", got);
    free(got);
}

/* The same chart gives the same bytes. */
static void check_stable(void **state)
{
    char *one = told(), *two = told();

    (void)state;
    assert_string_equal(one, two);
    free(one);
    free(two);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { "everything a rule says, in words", check_explain, NULL, NULL, NULL },
        { "twice the same bytes", check_stable, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
