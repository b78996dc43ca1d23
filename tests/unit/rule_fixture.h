/* For the tests of rules: a small knowledge with rules written with ' for ", and charts in the words
 * of rule cases. Facts of one list are separated by ';'. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/eval.h"
#include "core/rule_case.h"
#include "rule_knowledge.h"

#define NOW   CASE_NOW
#define DAY   INSTANT_DAY
#define HOUR  INSTANT_HOUR
#define NEVER INSTANT_NEVER

static inline char *fixture_quoted(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    return copy;
}

/* The rest of a rule behind its id, when only `when` matters. */
#define RULE_REST                                                                                  \
    "'kind':'dose-hold','title':'T','severity':'high','severityBasis':'b','display':'passive',"    \
    "'code':'LAB','mechanism':'M.','recommendation':'R.','sources':[{'document':'D'}],"            \
    "'verification':{'grade':'verified'},'cases':[{'name':'n','then':'silent'}]"
#define RULE(id, when) "{'id':'" id "','when':" when "," RULE_REST "}"

/* The base with a file of rules and definitions (written with ' for ", or NULL). Ends the test when
 * it does not load. */
static inline struct knowledge *fixture_load_file(const char *rules, const char *definitions)
{
    struct knowledge_file files[ARRAY_SIZE(rule_base) + 2];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    size_t count = ARRAY_SIZE(rule_base);
    char line[800], *defined = NULL;

    memcpy(files, rule_base, sizeof rule_base);
    files[count++] = (struct knowledge_file){ "rules/r.json", rules, strlen(rules) };
    if (definitions) {
        defined = fixture_quoted(definitions);
        files[count++] = (struct knowledge_file){ "definitions.json", defined, strlen(defined) };
    }
    if (!knowledge_load(files, count, &knowledge, &problems))
        for (size_t i = 0; i < problems.count; i++)
            print_error("%s\n", err_text(&problems.items[i], line, sizeof line));
    err_list_done(&problems);
    free(defined);
    assert_non_null(knowledge);
    return knowledge;
}

/* The same with a list of RULE() instead of a file. */
static inline struct knowledge *fixture_load(const char *rules, const char *definitions)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct knowledge *knowledge;
    char *quoted;

    buf_printf(&text, "{'owner':'o','reviewBy':'2030-01-01','rules':[%s]}", rules);
    quoted = fixture_quoted(buf_string(&text));
    knowledge = fixture_load_file(quoted, definitions);
    free(quoted);
    return knowledge;
}

/* Cut "a; b; c" into ret; text is written to. */
static inline size_t fixture_cut(char *text, const char **ret, size_t max)
{
    size_t count = 0;

    for (char *at = text; *at;) {
        char *end = at + strcspn(at, ";");
        assert_true(count < max);
        ret[count++] = at;
        at = *end ? end + 1 + strspn(end + 1, " ") : end;
        *end = '\0';
    }
    return count;
}

/* A chart of patient "case", its facts numbered from 1 in the order: patient, orders, results,
 * conditions. NULL: none. */
static inline struct chart *fixture_chart(const struct knowledge *knowledge, const char *patient,
                                          const char *orders, const char *results,
                                          const char *conditions)
{
    const char *lists[3][32];
    char *texts[3] = { mem_strdup(orders ? orders : ""), mem_strdup(results ? results : ""),
                       mem_strdup(conditions ? conditions : "") };
    struct rule_case at = { .name = "fixture", .patient = patient ? patient : "" };
    struct chart *chart = NULL;
    struct err err = { .what = "" };

    at.orders = lists[0];
    at.order_count = fixture_cut(texts[0], lists[0], 32);
    at.results = lists[1];
    at.result_count = fixture_cut(texts[1], lists[1], 32);
    at.conditions = lists[2];
    at.condition_count = fixture_cut(texts[2], lists[2], 32);
    if (!rule_case_chart(&at, knowledge, &chart, &err)) fail_msg("%s", err.what);
    for (size_t i = 0; i < chart->order_count; i++) { /* texts[] do not live as long */
        struct chart_order *order = &chart->orders[i];
        order->label = arena_copy(&chart->arena, order->label, strlen(order->label));
    }
    for (size_t i = 0; i < chart->condition_count; i++) {
        struct chart_condition *condition = &chart->conditions[i];
        condition->label = arena_copy(&chart->arena, condition->label, strlen(condition->label));
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) free(texts[i]);
    return chart;
}
