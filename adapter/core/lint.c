#include "core/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/lint_impl.h"

const char *const lint_check_names[LINT_CHECKS + 1] = {
    "contradiction", "always-true",       "unreachable", "missing-recency", "missing-source",
    "overlap",       "unmapped",          "yields",      "review-overdue",  "missing-owner",
    "missing-case",  "accepted-unneeded", NULL,
};

const char *lint_check_help(enum lint_check check)
{
    switch (check) {
    case LINT_CONTRADICTION:
        return "a clause that can never be true";
    case LINT_ALWAYS_TRUE:
        return "an \"any\" that can never be false";
    case LINT_UNREACHABLE:
        return "a branch, row, exception or \"persists\" that changes nothing";
    case LINT_MISSING_RECENCY:
        return "a number however old, or a gap in numbers without a window";
    case LINT_MISSING_SOURCE:
        return "a severity that rests on nothing one can read";
    case LINT_OVERLAP:
        return "two rules that always alert together, neither yields";
    case LINT_UNMAPPED:
        return "a drug, analyte or condition that no code becomes";
    case LINT_YIELDS:
        return "a \"yieldsTo\" in a circle, or to what never holds at the same time";
    case LINT_REVIEW:
        return "past its \"reviewBy\" (only with --as-of)";
    case LINT_MISSING_OWNER:
        return "nobody answers for the rule";
    case LINT_MISSING_CASE:
        return "no case that fires, is silent, cannot tell, stays or yields";
    case LINT_ACCEPTED:
        return "\"accepted\" names what is not found; cannot be accepted itself";
    case LINT_CHECKS:
        break;
    }
    return "";
}

const char *lint_severity_name(enum lint_severity severity)
{
    static const char *const names[] = { "note", "warning", "error" };

    return names[severity];
}

void lint_accepted_say(const struct rule *rule, struct buf *out)
{
    for (size_t i = 0; i < rule->accepted_count; i++)
        buf_printf(out, "%s%s: %s", i ? " " : "", lint_check_names[rule->accepted[i].check],
                   rule->accepted[i].reason);
}

bool lint_date(const char *text)
{
    struct span span;

    return strlen(text) == 10 && instant_parse(text, &span);
}

/* ---- adding */

bool lint_accepts(const struct rule *rule, enum lint_check check)
{
    for (size_t i = 0; i < rule->accepted_count; i++)
        if (rule->accepted[i].check == check) return true;
    return false;
}

static bool is_accepted(struct linter *linter, enum lint_check check)
{
    const struct rule *rule = linter->rule;

    for (size_t i = 0; rule && i < rule->accepted_count; i++) {
        if (rule->accepted[i].check != check) continue;
        linter->used[i]++;
        return true;
    }
    return false;
}

static struct finding *finding_push(struct linter *linter, enum lint_check check,
                                    enum lint_severity severity)
{
    struct lint *lint = linter->lint;
    struct finding *finding;

    lint->items = mem_resize(lint->items, (lint->count + 1) * sizeof *lint->items);
    finding = &lint->items[lint->count++];
    *finding = (struct finding){ .check = check,
                                 .severity = severity,
                                 .rule = linter->rule ? linter->rule->id : "",
                                 .file = linter->file };
    return finding;
}

static const char *text_keep(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

__attribute__((format(printf, 2, 0))) static const char *text_make(struct arena *arena,
                                                                   const char *fmt, va_list args)
{
    va_list again;
    char *text;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    text = arena_alloc(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    return text;
}

void lint_add(struct linter *linter, enum lint_check check, enum lint_severity severity,
              const struct clause *at, const char *fix, const char *fmt, ...)
{
    struct finding *finding;
    va_list args;

    if (is_accepted(linter, check)) {
        linter->lint->accepted++;
        return;
    }
    finding = finding_push(linter, check, severity);
    finding->line = at ? at->line : linter->rule->line;
    finding->column = at ? at->column : linter->rule->column;
    finding->fix = text_keep(&linter->lint->arena, fix);
    va_start(args, fmt);
    finding->what = text_make(&linter->lint->arena, fmt, args);
    va_end(args);
}

/* ---- what is accepted and not found */

static void lint_accepted(struct linter *linter, const unsigned *used)
{
    const struct rule *rule = linter->rule;

    for (size_t i = 0; i < rule->accepted_count; i++) {
        const struct clause place = { .line = rule->accepted[i].line,
                                      .column = rule->accepted[i].column };
        if (used[i] || (rule->accepted[i].check == LINT_REVIEW && !linter->as_of)) continue;
        lint_add(linter, LINT_ACCEPTED, LINT_WARNING, &place, "take it out",
                 "%s accepts \"%s\", and nothing of that kind is found", rule->id,
                 lint_check_names[rule->accepted[i].check]);
    }
}

/* ---- everything */

static void rule_enter(struct linter *linter, const struct rule *rule, unsigned *used)
{
    linter->rule = rule;
    linter->file = rule->file;
    linter->used = used;
}

static void lint_rule(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    lint_clauses(linter, rule->when);
    if (rule->persists) lint_clauses(linter, rule->persists);
    if (rule->display_if) lint_clauses(linter, rule->display_if);
    lint_persists(linter);
    lint_papers(linter);
    lint_overlap(linter);
    lint_yields(linter);
    lint_unmapped(linter);
}

static void lint_definitions(struct linter *linter)
{
    const char *name;

    for (size_t i = 0; i < knowledge_definition_count(linter->knowledge); i++) {
        const struct clause *clause = knowledge_definition_at(linter->knowledge, i, &name);
        linter->file = knowledge_definition_file(linter->knowledge, i);
        lint_clauses(linter, clause);
    }
}

static int finding_order(const void *a, const void *b)
{
    const struct finding *one = a, *other = b;
    int order = strcmp(one->file, other->file);

    if (order) return order;
    if (one->line != other->line) return one->line < other->line ? -1 : 1;
    if (one->column != other->column) return one->column < other->column ? -1 : 1;
    if (one->check != other->check) return one->check < other->check ? -1 : 1;
    return strcmp(one->what, other->what);
}

void lint_run(const struct knowledge *knowledge, const char *as_of, struct lint *ret)
{
    struct linter linter = { .knowledge = knowledge, .as_of = as_of, .lint = ret };

    *ret = (struct lint){ .count = 0 };
    lint_definitions(&linter);
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        unsigned *used = mem_zero(rule->accepted_count + 1, sizeof *used);
        rule_enter(&linter, rule, used);
        lint_rule(&linter);
        lint_accepted(&linter, used);
        free(used);
    }
    if (ret->count) qsort(ret->items, ret->count, sizeof *ret->items, finding_order);
}

void lint_done(struct lint *lint)
{
    free(lint->items);
    arena_done(&lint->arena);
    *lint = (struct lint){ .count = 0 };
}
