#include "core/rule_visit.h"

#include <string.h>

/* Is it false, whatever the chart, where the labels of that profile count? */
static bool is_never(const struct clause *clause, enum profile profile)
{
    size_t never = 0;

    if (profile == PROFILE_UNSET) return false;
    if (clause->kind == CLAUSE_PROFILE) return clause->profile != profile;
    if (clause->kind == CLAUSE_DEFINITION) return is_never(clause->definition, profile);
    if (clause->kind != CLAUSE_ALL && clause->kind != CLAUSE_ANY) return false;
    for (size_t i = 0; i < clause->part_count; i++) never += is_never(&clause->parts[i], profile);
    return never && (clause->kind == CLAUSE_ALL || never == clause->part_count);
}

static void clause_visit(const struct clause *clause, enum profile profile, clause_visit_fn *visit,
                         void *arg)
{
    if (is_never(clause, profile)) return;
    visit(clause, arg);
    for (size_t i = 0; i < clause->part_count; i++)
        clause_visit(&clause->parts[i], profile, visit, arg);
    if (clause->kind == CLAUSE_DEFINITION) clause_visit(clause->definition, profile, visit, arg);
    if (clause->kind != CLAUSE_CEILING) return;
    for (size_t i = 0; i < clause->ceiling.row_count; i++)
        if (clause->ceiling.rows[i].also)
            clause_visit(clause->ceiling.rows[i].also, profile, visit, arg);
}

void rule_visit_as(const struct rule *rule, enum profile profile, clause_visit_fn *visit, void *arg)
{
    if (is_never(rule->when, profile)) return;
    clause_visit(rule->when, profile, visit, arg);
    if (rule->persists) clause_visit(rule->persists, profile, visit, arg);
    if (rule->display_if) clause_visit(rule->display_if, profile, visit, arg);
}

void rule_visit(const struct rule *rule, clause_visit_fn *visit, void *arg)
{
    rule_visit_as(rule, PROFILE_UNSET, visit, arg);
}

static void name_add(struct clause_names *names, const struct concept_set *set, const char *words)
{
    if (!set->count || !words) return;
    names->items[names->count].set = set;
    names->items[names->count++].words = words;
}

static void order_names(const struct order_clause *order, struct clause_names *names)
{
    name_add(names, &order->drugs, order->words);
    name_add(names, &order->starts.drugs, order->starts.words);
    name_add(names, &order->times.drugs, order->times.words);
}

struct clause_names clause_names(const struct clause *clause)
{
    struct clause_names names = { .count = 0, .analyte = CONCEPT_NONE };

    switch (clause->kind) {
    case CLAUSE_ORDER:
        order_names(&clause->order, &names);
        break;
    case CLAUSE_CONDITION:
        name_add(&names, &clause->condition.concepts, clause->condition.words);
        break;
    case CLAUSE_ALLERGY:
        name_add(&names, &clause->allergy.concepts, clause->allergy.words);
        break;
    case CLAUSE_COURSE:
        name_add(&names, &clause->course.drugs, clause->course.words);
        break;
    case CLAUSE_CEILING:
        name_add(&names, &clause->ceiling.drugs, clause->ceiling.words);
        names.analyte = clause->ceiling.measure;
        break;
    case CLAUSE_RESULT:
        name_add(&names, &clause->result.course, clause->result.course_words);
        names.analyte = clause->result.analyte;
        break;
    case CLAUSE_GAP:
        names.analyte = clause->gap.analyte;
        break;
    case CLAUSE_COMPUTABLE:
        names.analyte = clause->computable.measure;
        break;
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
        break;
    }
    return names;
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

static void name_tell(struct members *members, const struct concept_set *set, const char *words,
                      const char *except)
{
    AUTO(buf_done) struct buf text = { 0 };

    if (!has_class(words)) return;
    buf_text(&text, words);
    if (except) buf_printf(&text, " (but not %s)", except);
    for (size_t i = 0; i < set->count; i++)
        buf_printf(&text, "%s%s", i ? ", " : ": ",
                   concept_words(members->knowledge, set->items[i]));
    if (!is_told(members->outline, buf_string(&text)))
        rule_outline_add(members->outline, 0, buf_string(&text));
}

static void members_tell(const struct clause *clause, void *arg)
{
    struct clause_names names = clause_names(clause);
    bool order = clause->kind == CLAUSE_ORDER;

    for (size_t i = 0; i < names.count; i++)
        name_tell(arg, names.items[i].set, names.items[i].words,
                  order && names.items[i].set == &clause->order.drugs ? clause->order.except_words
                                                                      : NULL);
}

void rule_members_make(const struct rule *rule, const struct knowledge *knowledge,
                       struct rule_outline *ret)
{
    struct members members = { knowledge, ret };

    *ret = (struct rule_outline){ .count = 0 };
    rule_visit(rule, members_tell, &members);
}
