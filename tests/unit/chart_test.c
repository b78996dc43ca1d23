#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "core/chart.h"
#include "core/knowledge_impl.h"

/* Concepts of these tests. */
enum { LENALIDOMIDE = 1, ASPIRIN = 2, MYELOMA = 3, GOUT = 4 };

/* ---- the order of results */

static struct chart_result result(const char *id, unsigned analyte, int64_t at, int64_t issued,
                                  int64_t updated)
{
    return (struct chart_result){
        .source = { .type = "Observation", .id = id, .version = "", .updated_ms = updated },
        .analyte = analyte,
        .at_ms = at,
        .issued_ms = issued,
        .shown = "",
    };
}

static const struct knowledge nothing;

#define T INSTANT_UNSET

static const struct arrange_case {
    const char *name;
    struct {
        const char *id;
        unsigned analyte;
        int64_t at, issued, updated;
    } results[4];
    const char *want; /* of analyte 7, newest first */
} arranges[] = {
    { "the latest time comes first",
      { { "a", 7, 1, 9, 9 }, { "b", 7, 3, 0, 0 }, { "c", 7, 2, 0, 0 } },
      "b c a " },
    { "of one time, the latest issued comes first",
      { { "a", 7, 1, 1, 9 }, { "b", 7, 1, 2, 0 } },
      "b a " },
    { "of one issue, the latest update comes first",
      { { "a", 7, 1, 1, 1 }, { "b", 7, 1, 1, 2 } },
      "b a " },
    { "of one update, the last id comes first",
      { { "b", 7, 1, 1, 1 }, { "a", 7, 1, 1, 1 }, { "c", 7, 1, 1, 1 } },
      "c b a " },
    { "a result without time comes last", { { "a", 7, T, 9, 9 }, { "b", 7, 1, 0, 0 } }, "b a " },
    { "other analytes are left out",
      { { "a", 6, 5, 0, 0 }, { "b", 7, 1, 0, 0 }, { "c", 8, 9, 0, 0 }, { "d", 7, 2, 0, 0 } },
      "d b " },
    { "an analyte without results has none", { { "a", 6, 5, 0, 0 }, { "c", 8, 9, 0, 0 } }, "" },
    { "an empty chart has none", { { NULL, 0, 0, 0, 0 } }, "" },
};

/* In the order of the row, or backwards: the outcome is the same. */
static void check_arranged(const struct arrange_case *c, bool backwards)
{
    AUTO(chart_free) struct chart *chart = chart_new("1");
    AUTO(buf_done) struct buf got = { 0 };
    const struct chart_result *found;

    for (size_t n = 0; n < ARRAY_SIZE(c->results); n++) {
        size_t i = backwards ? ARRAY_SIZE(c->results) - 1 - n : n;
        if (!c->results[i].id) continue;
        struct chart_result one = result(c->results[i].id, c->results[i].analyte, c->results[i].at,
                                         c->results[i].issued, c->results[i].updated);
        chart_add_result(chart, &one);
    }
    chart_arrange(chart, &nothing);
    size_t count = chart_results(chart, 7, &found);
    for (size_t i = 0; i < count; i++) buf_printf(&got, "%s ", found[i].source.id);
    assert_string_equal(buf_string(&got), c->want);
    assert_int_equal(found == NULL, count == 0);
}

static void check_arrange(void **state)
{
    check_arranged(*state, false);
    check_arranged(*state, true);
}

/* ---- who is looked after */

static const struct cohort_case {
    const char *name;
    unsigned drug; /* 0: no order */
    enum order_state order;
    unsigned condition; /* 0: none */
    enum condition_state state;
    const char *want; /* the fact; NULL: not in the cohort */
} cohorts[] = {
    { "nothing on record: no", 0, 0, 0, 0, NULL },
    { "an active order for a myeloma drug", LENALIDOMIDE, ORDER_ACTIVE, 0, 0, "order" },
    { "a held order", LENALIDOMIDE, ORDER_HELD, 0, 0, "order" },
    { "an ended order", LENALIDOMIDE, ORDER_ENDED, 0, 0, "order" },
    { "an order of unclear state", LENALIDOMIDE, ORDER_UNCLEAR, 0, 0, "order" },
    { "a draft: no", LENALIDOMIDE, ORDER_DRAFT, 0, 0, NULL },
    { "an order entered in error: no", LENALIDOMIDE, ORDER_REMOVED, 0, 0, NULL },
    { "an order for another drug: no", ASPIRIN, ORDER_ACTIVE, 0, 0, NULL },
    { "an active myeloma", 0, 0, MYELOMA, CONDITION_ACTIVE, "condition" },
    { "a myeloma in remission", 0, 0, MYELOMA, CONDITION_PAST, "condition" },
    { "a myeloma not confirmed yet", 0, 0, MYELOMA, CONDITION_UNCONFIRMED, "condition" },
    { "a myeloma that was refuted: no", 0, 0, MYELOMA, CONDITION_REMOVED, NULL },
    { "another condition: no", 0, 0, GOUT, CONDITION_ACTIVE, NULL },
    { "both: the condition is named", LENALIDOMIDE, ORDER_ACTIVE, MYELOMA, CONDITION_ACTIVE,
      "condition" },
    { "a refuted myeloma with an order: the order is named", LENALIDOMIDE, ORDER_ACTIVE, MYELOMA,
      CONDITION_REMOVED, "order" },
};

static void check_cohort(void **state)
{
    const struct cohort_case *c = *state;
    AUTO(chart_free) struct chart *chart = chart_new("1");
    struct knowledge knowledge = { 0 };
    const struct chart_ingredient ingredients[] = { { .concept = ASPIRIN },
                                                    { .concept = c->drug } };
    const unsigned concepts[] = { GOUT, c->condition };
    const struct source *why;

    if (c->drug)
        chart_add_order(chart,
                        &(struct chart_order){ .source = { "MedicationRequest", "order", "", 0 },
                                               .state = c->order,
                                               .ingredients = ingredients,
                                               .ingredient_count = 2 });
    if (c->condition)
        chart_add_condition(
            chart, &(struct chart_condition){ .source = { "Condition", "condition", "", 0 },
                                              .state = c->state,
                                              .concepts = concepts,
                                              .concept_count = 2 });
    concept_set_add(&knowledge.cohort_drugs, LENALIDOMIDE);
    concept_set_add(&knowledge.cohort_conditions, MYELOMA);
    assert_int_equal(chart_in_cohort(chart, &knowledge, &why), c->want != NULL);
    if (c->want)
        assert_string_equal(why->id, c->want);
    else
        assert_null(why);
    concept_set_done(&knowledge.cohort_drugs);
    concept_set_done(&knowledge.cohort_conditions);
}

/* ---- the rest */

static void a_new_chart_knows_nothing(void **state)
{
    AUTO(chart_free) struct chart *chart = chart_new("p1");

    (void)state;
    assert_string_equal(chart->patient, "p1");
    assert_true(chart->birth.start == INSTANT_UNSET);
    assert_int_equal(chart->sex, SEX_UNKNOWN);
    chart_arrange(chart, &nothing);
}

static void orders_and_conditions_come_by_type_and_id(void **state)
{
    AUTO(chart_free) struct chart *chart = chart_new("1");
    static const char *const ids[] = { "b", "c", "a" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        const struct source order = { "MedicationRequest", ids[i], "", 0 };
        const struct source condition = { i == 2 ? "Procedure" : "Condition", ids[i], "", 0 };
        chart_add_order(chart, &(struct chart_order){ .source = order });
        chart_add_condition(chart, &(struct chart_condition){ .source = condition });
        chart_add_allergy(chart, &(struct chart_allergy){ .source = order });
    }
    chart_arrange(chart, &nothing);
    for (size_t i = 0; i < 3; i++) {
        static const char *const by_id[] = { "a", "b", "c" }, *const by_type[] = { "b", "c", "a" };
        assert_string_equal(chart->orders[i].source.id, by_id[i]);
        assert_string_equal(chart->allergies[i].source.id, by_id[i]);
        assert_string_equal(chart->conditions[i].source.id, by_type[i]);
    }
}

static void two_values_of_one_resource_have_an_order(void **state)
{
    AUTO(chart_free) struct chart *chart = chart_new("1");
    struct chart_result one = result("x", 7, 1, 1, 1), two = one;
    const struct chart_result *found;

    (void)state;
    one.shown = "1 mg/dL";
    two.shown = "2 mg/dL";
    chart_add_result(chart, &one);
    chart_add_result(chart, &two);
    chart_arrange(chart, &nothing);
    assert_int_equal(chart_results(chart, 7, &found), 2);
    assert_string_equal(found[0].shown, "2 mg/dL");
}

static void a_chart_grows(void **state)
{
    AUTO(chart_free) struct chart *chart = chart_new("1");
    const struct chart_result *found;

    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        struct chart_result one = result("x", (unsigned)(i % 10), i, 0, 0);
        chart_add_result(chart, &one);
    }
    chart_arrange(chart, &nothing);
    assert_int_equal(chart_results(chart, 9, &found), 100);
    assert_true(found[0].at_ms == 999 && found[99].at_ms == 9);
    assert_int_equal(chart_results(chart, 10, &found), 0);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_new_chart_knows_nothing),
        cmocka_unit_test(orders_and_conditions_come_by_type_and_id),
        cmocka_unit_test(two_values_of_one_resource_have_an_order),
        cmocka_unit_test(a_chart_grows),
    };

    return RUN_TABLE("the order of results", arranges, check_arrange) +
           RUN_TABLE("who is looked after", cohorts, check_cohort) +
           cmocka_run_group_tests_name("charts", others, NULL, NULL);
}
