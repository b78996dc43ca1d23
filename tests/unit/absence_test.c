#include "test.h"

#include "rule_fixture.h"

#define WITH(clause) RULE("r", "{'all':[{'order':'lenalidomide'}," clause "]}")

static const struct absence_case {
    const char *name, *rule, *orders, *results, *conditions;
    bool want;
} cases[] = {
    { "an order and a result that are there",
      WITH("{'result':'neutrophils','is':'below 1 10*9/L','within':'7 d'}"), "lenalidomide",
      "neutrophils 0.5 10*9/L, 1 d ago", NULL, false },
    { "an order that is missing", WITH("{'noOrder':'dexamethasone'}"), "lenalidomide", NULL, NULL,
      true },
    { "a condition that is missing", WITH("{'noCondition':'dialysis'}"), "lenalidomide", NULL, NULL,
      true },
    { "a result that is missing", WITH("{'noResult':'creatinine','within':'7 d','due':'at once'}"),
      "lenalidomide", NULL, NULL, true },
    { "what is denied because it is not there", WITH("{'not':{'order':'dexamethasone'}}"),
      "lenalidomide", NULL, NULL, true },
    { "what is excepted because it is not there",
      WITH("{'unless':{'condition':'dialysis'},'note':'not on dialysis'}"), "lenalidomide", NULL,
      NULL, true },
    { "a denied result that is there and lies on the other side",
      WITH("{'not':{'result':'neutrophils','is':'at least 1 10*9/L','within':'7 d'}}"),
      "lenalidomide", "neutrophils 0.5 10*9/L, 1 d ago", NULL, false },
    { "one of two, and the other is not there",
      WITH("{'any':[{'order':'naproxen'},{'order':'ibuprofen'}]}"), "lenalidomide; naproxen", NULL,
      NULL, false },
    { "one of two is an absence, and it is the one",
      WITH("{'any':[{'order':'naproxen'},{'noOrder':'ibuprofen'}]}"), "lenalidomide", NULL, NULL,
      true },
};

static void check(void **state)
{
    const struct absence_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(c->rule, NULL);
    struct chart *chart = fixture_chart(knowledge, NULL, c->orders, c->results, c->conditions);
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, NULL);

    assert_int_equal(evaluation->verdict_count, 1);
    assert_int_equal(evaluation->verdicts[0].answer.truth, TRUTH_TRUE);
    assert_int_equal(verdict_rests_on_absence(&evaluation->verdicts[0]), c->want);
    chart_free(chart);
}

int main(void)
{
    return RUN_TABLE("absence", cases, check);
}
