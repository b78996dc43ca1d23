#include "core/rule_visit.h"

#include <string.h>

static void clause_visit(const struct clause *clause, clause_visit_fn *visit, void *arg)
{
    visit(clause, arg);
    for (size_t i = 0; i < clause->part_count; i++) clause_visit(&clause->parts[i], visit, arg);
    if (clause->kind == CLAUSE_DEFINITION) clause_visit(clause->definition, visit, arg);
    if (clause->kind != CLAUSE_CEILING) return;
    for (size_t i = 0; i < clause->ceiling.row_count; i++)
        if (clause->ceiling.rows[i].also) clause_visit(clause->ceiling.rows[i].also, visit, arg);
}

void rule_visit(const struct rule *rule, clause_visit_fn *visit, void *arg)
{
    clause_visit(rule->when, visit, arg);
    if (rule->persists) clause_visit(rule->persists, visit, arg);
    if (rule->display_if) clause_visit(rule->display_if, visit, arg);
}

struct clause_names clause_names(const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_ORDER:
        return (struct clause_names){ .set = &clause->order.drugs, .words = clause->order.words };
    case CLAUSE_CONDITION:
        return (struct clause_names){ .set = &clause->condition.concepts,
                                      .words = clause->condition.words };
    case CLAUSE_ALLERGY:
        return (struct clause_names){ .set = &clause->allergy.concepts,
                                      .words = clause->allergy.words };
    case CLAUSE_COURSE:
        return (struct clause_names){ .set = &clause->course.drugs, .words = clause->course.words };
    case CLAUSE_CEILING:
        return (struct clause_names){ .set = &clause->ceiling.drugs,
                                      .words = clause->ceiling.words,
                                      .analyte = clause->ceiling.measure };
    case CLAUSE_RESULT:
        return (struct clause_names){ .analyte = clause->result.analyte };
    case CLAUSE_GAP:
        return (struct clause_names){ .analyte = clause->gap.analyte };
    case CLAUSE_COMPUTABLE:
        return (struct clause_names){ .analyte = clause->computable.measure };
    case CLAUSE_ALL:
    case CLAUSE_ANY:
    case CLAUSE_NOT:
    case CLAUSE_COUNT:
    case CLAUSE_UNLESS:
    case CLAUSE_MAYBE:
    case CLAUSE_DEFINITION:
    case CLAUSE_AGE:
    case CLAUSE_SEX:
    case CLAUSE_PROFILE:
        return (struct clause_names){ .set = NULL };
    }
    return (struct clause_names){ .set = NULL };
}

/* ---- the members of classes */

struct members {
    const struct knowledge *knowledge;
    struct rule_outline *outline;
};

static bool is_told(const struct rule_outline *outline, const char *text)
{
    for (size_t i = 0; i < outline->count; i++)
        if (strcmp(outline->lines[i].text, text) == 0) return true;
    return false;
}

/* A single drug that is spelled out needs no explanation, and neither does a plain list. */
static bool has_class(const char *words)
{
    return strncmp(words, "any ", 4) == 0 || strstr(words, " any ");
}

static void members_tell(const struct clause *clause, void *arg)
{
    struct members *members = arg;
    struct clause_names names = clause_names(clause);
    AUTO(buf_done) struct buf text = { 0 };

    if (!names.set || !names.words || !has_class(names.words)) return;
    buf_text(&text, names.words);
    if (clause->kind == CLAUSE_ORDER && clause->order.except_words)
        buf_printf(&text, " (but not %s)", clause->order.except_words);
    for (size_t i = 0; i < names.set->count; i++)
        buf_printf(&text, "%s%s", i ? ", " : ": ",
                   concept_words(members->knowledge, names.set->items[i]));
    if (!is_told(members->outline, buf_string(&text)))
        rule_outline_add(members->outline, 0, buf_string(&text));
}

void rule_members_make(const struct rule *rule, const struct knowledge *knowledge,
                       struct rule_outline *ret)
{
    struct members members = { knowledge, ret };

    *ret = (struct rule_outline){ .count = 0 };
    rule_visit(rule, members_tell, &members);
}
