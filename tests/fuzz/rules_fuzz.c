/* A rule file (or, by the first byte, definitions with one rule that uses them) is read with a small
 * knowledge. It loads, and a chart has an answer and an explanation at several instants, time always
 * moving on, and lint looks at it; or there is a problem that names the file. */
#include <stdlib.h>
#include <string.h>

#include "core/eval.h"
#include "core/explain.h"
#include "core/lint.h"
#include "core/reconcile.h"
#include "core/rule.h"
#include "core/rule_case.h"
#include "rule_knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES (sizeof rule_base / sizeof rule_base[0])

static const char user[] =
    "{\"owner\":\"o\",\"reviewBy\":\"d\",\"rules\":[{\"id\":\"r\",\"kind\":\"dose-hold\","
    "\"title\":\"t\",\"severity\":\"high\",\"severityBasis\":\"b\",\"display\":\"passive\","
    "\"code\":\"LAB\",\"mechanism\":\"m\",\"recommendation\":\"r\",\"sources\":[{\"document\":"
    "\"d\"}],"
    "\"verification\":{\"grade\":\"verified\"},\"cases\":[{\"name\":\"n\",\"then\":\"silent\"}],"
    "\"when\":{\"definition\":\"d\"}}]}";

static void require(bool claim)
{
    if (!claim) abort();
}

static struct chart *chart_make(const struct knowledge *knowledge)
{
    static const char *orders[] = { "lenalidomide 25 mg daily, since 20 d ago, until in 9 d",
                                    "thalidomide, status unknown",
                                    "naproxen 500 mg every 12 h",
                                    "dexamethasone, local",
                                    "rifampin, until 1 d ago",
                                    "zoledronic-acid 4 mg, start unknown",
                                    "unmapped Pill",
                                    "named Senna" };
    static const char *results[] = {
        "neutrophils <2 10*9/L, 5 d ago", "platelets 40 10*9/L, 1 d ago",
        "platelets 60 10*9/L, 1 d ago",   "creatinine 1 mg/dL, 40 d ago",
        "creatinine 110 umol/L, 2 d ago", "alt 90 U/L, 1 h ago, upper 40 U/L",
        "hbsag negative, date unknown",   "neutrophils unreadable, in 3 d",
    };
    static const char *conditions[] = { "multiple-myeloma, since 400 d ago",
                                        "dialysis, unconfirmed", "uncoded Something" };
    const struct rule_case at = { .name = "fuzz",
                                  .patient = "female, 70 years, 60 kg",
                                  .orders = orders,
                                  .order_count = ARRAY_SIZE(orders),
                                  .results = results,
                                  .result_count = ARRAY_SIZE(results),
                                  .conditions = conditions,
                                  .condition_count = ARRAY_SIZE(conditions) };
    struct chart *chart = NULL;
    struct err err;

    require(rule_case_chart(&at, knowledge, &chart, &err));
    return chart;
}

/* What is found now, and as alerts that are open a moment later. */
static void reconcile_twice(const struct knowledge *knowledge, const struct chart *chart,
                            const struct evaluation *evaluation, int64_t now_ms)
{
    AUTO(plan_free)
    struct plan *plan = reconcile(evaluation, knowledge, chart, NULL, 0, now_ms), *again = NULL;
    struct alert *before = calloc(plan->action_count + 1, sizeof *before);

    require(before != NULL);
    for (size_t i = 0; i < plan->action_count; i++) {
        require(plan->actions[i].kind == ACTION_RAISE);
        before[i] = plan->actions[i].alert;
    }
    again = reconcile(evaluation, knowledge, chart, before, plan->action_count, now_ms);
    require(again->action_count == 0);
    free(before);
}

static void ask(const struct knowledge *knowledge)
{
    static const char *const open[] = { "case|r|lenalidomide", "case|r|a,b", "case|r|" };
    struct eval_options options = { .trace_all = true, .open = open, .open_count = 3 };
    AUTO(chart_free) struct chart *chart = chart_make(knowledge);
    int64_t now_ms = CASE_NOW;

    for (int i = 0; i < 6 && now_ms != INSTANT_NEVER; i++) {
        AUTO(evaluation_free)
        struct evaluation *evaluation = evaluate(knowledge, chart, now_ms, &options);
        AUTO(buf_done) struct buf text = { 0 };
        explain_write(evaluation, knowledge, &text);
        reconcile_twice(knowledge, chart, evaluation, now_ms);
        require(evaluation->next_ms > now_ms);
        now_ms = evaluation->next_ms;
        options.trace_all = false;
    }
}

static void play(const struct knowledge *knowledge)
{
    size_t left = 8;

    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        for (size_t j = 0; j < rule->case_count && left; j++, left--) {
            struct err err;
            if (!rule_case_holds(&rule->cases[j], rule, knowledge, &err)) require(err.what[0]);
        }
    }
}

/* Every finding has a place and says something. */
static void look(const struct knowledge *knowledge)
{
    struct lint lint;

    lint_run(knowledge, "2026-11-23", &lint);
    for (size_t i = 0; i < lint.count; i++)
        require(lint.items[i].line && lint.items[i].column && lint.items[i].what[0]);
    lint_done(&lint);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct knowledge_file files[FILES + 2];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    size_t count = FILES;
    char *text;

    if (size < 1) return 0;
    text = calloc(1, size); /* the rest and its NUL */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    memcpy(files, rule_base, sizeof rule_base);
    files[count++] = (struct knowledge_file){ data[0] == '!' ? "definitions.json" : "rules/x.json",
                                              text, size - 1 };
    if (data[0] == '!')
        files[count++] = (struct knowledge_file){ "rules/user.json", user, sizeof user - 1 };
    if (knowledge_load(files, count, &knowledge, &problems)) {
        require(problems.count == 0);
        look(knowledge);
        ask(knowledge);
        play(knowledge);
    } else {
        require(problems.count > 0 && strchr(problems.items[0].where, ':') != NULL);
    }
    knowledge_free(knowledge);
    err_list_done(&problems);
    free(text);
    return 0;
}
