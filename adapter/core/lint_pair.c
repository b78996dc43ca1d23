/* A rule beside the others: two that always alert together, and what yields to what. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/lint_impl.h"

static bool implies(const struct clause *a, const struct clause *b)
{
    return logic_implies(&(struct logic){ 0 }, a, b);
}

static bool excludes(const struct clause *a, const struct clause *b)
{
    return logic_excludes(&(struct logic){ 0 }, a, b);
}

/* ---- two alerts for one thing */

static bool alerts(const struct rule *rule)
{
    return rule->mode == RULE_LIVE && !rule->checked;
}

static bool yields_to(const struct rule *rule, const struct rule *other)
{
    for (size_t i = 0; i < rule->yields_count; i++)
        if (strcmp(rule->yields_to[i], other->id) == 0) return true;
    return false;
}

/* Does each subject of the other name the drugs of the same subject of this one, or more? */
static bool same_subjects(const struct rule *rule, const struct rule *other)
{
    if (other->bindings > rule->bindings) return false;
    for (int i = 0; i < other->bindings; i++)
        if (!concept_set_within(&rule->naming[i]->drugs, &other->naming[i]->drugs)) return false;
    return true;
}

static bool always_beside(const struct rule *rule, const struct rule *other)
{
    return same_subjects(rule, other) && implies(rule->when, other->when);
}

void lint_overlap(struct linter *linter)
{
    const struct rule *rule = linter->rule;
    bool before = true; /* the other stands before this one */

    for (size_t i = 0; i < knowledge_rule_count(linter->knowledge); i++) {
        const struct rule *other = knowledge_rule(linter->knowledge, i);
        if (other == rule) {
            before = false;
            continue;
        }
        if (!alerts(rule) || !alerts(other) || !always_beside(rule, other)) continue;
        if (yields_to(rule, other) || yields_to(other, rule)) continue;
        if (!before && always_beside(other, rule)) continue; /* told there */
        lint_add(linter, LINT_OVERLAP, LINT_WARNING, NULL,
                 "let one yield to the other (\"yieldsTo\")",
                 "whenever %s alerts, %s (%s:%u) does, and neither yields", rule->id, other->id,
                 other->file, other->line);
    }
}

/* ---- yielding in a circle */

/* The way from one rule to another along yieldsTo. */
struct trail {
    const struct rule **rules; /* seen so far */
    size_t *from;              /* which of them led there */
    size_t count;
};

static bool is_seen(const struct trail *trail, const struct rule *rule)
{
    for (size_t i = 0; i < trail->count; i++)
        if (trail->rules[i] == rule) return true;
    return false;
}

static void trail_add(struct trail *trail, const struct rule *rule, size_t from)
{
    trail->from[trail->count] = from;
    trail->rules[trail->count++] = rule;
}

/* The first rule of the shortest circle (by id) tells of it. */
static void circle_tell(struct linter *linter, const struct trail *trail, size_t last)
{
    const char *first = linter->rule->id;
    struct buf text = { 0 };
    char *way = mem_strdup(first);

    for (size_t i = last; i; i = trail->from[i]) {
        if (strcmp(trail->rules[i]->id, first) < 0) {
            free(way);
            return;
        }
        buf_printf(&text, "%s, which yields to %s", trail->rules[i]->id, way);
        free(way);
        way = buf_take(&text);
    }
    lint_add(linter, LINT_YIELDS, LINT_ERROR, NULL, "take one of them out of \"yieldsTo\"",
             "%s yields in a circle: to %s", first, way);
    free(way);
}

/* Along yieldsTo, nearest first, until the rule itself comes up. */
static void lint_circle(struct linter *linter)
{
    size_t most = knowledge_rule_count(linter->knowledge) + 1;
    struct trail trail = { .rules = mem_zero(most, sizeof *trail.rules),
                           .from = mem_zero(most, sizeof *trail.from) };
    bool closed = false;

    trail_add(&trail, linter->rule, 0);
    for (size_t i = 0; i < trail.count && !closed; i++)
        for (size_t j = 0; j < trail.rules[i]->yields_count && !closed; j++) {
            const struct rule *next =
                knowledge_rule_named(linter->knowledge, trail.rules[i]->yields_to[j]);
            closed = next == linter->rule;
            if (closed)
                circle_tell(linter, &trail, i);
            else if (next && !is_seen(&trail, next))
                trail_add(&trail, next, i);
        }
    free(trail.rules);
    free(trail.from);
}

/* ---- yielding to what is never there */

/* An alert is there while `when` or `persists` is true. */
static bool is_never_beside(const struct rule *a, const struct rule *b)
{
    if (!excludes(a->when, b->when)) return false;
    if (a->persists && !excludes(a->persists, b->when)) return false;
    if (b->persists && !excludes(a->when, b->persists)) return false;
    return !a->persists || !b->persists || excludes(a->persists, b->persists);
}

void lint_yields(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    lint_circle(linter);
    for (size_t i = 0; i < rule->yields_count; i++) {
        const struct rule *other = knowledge_rule_named(linter->knowledge, rule->yields_to[i]);
        if (!other || !is_never_beside(rule, other)) continue;
        lint_add(linter, LINT_YIELDS, LINT_WARNING, NULL, "take it out of \"yieldsTo\"",
                 "%s yields to %s, and the two are never true at the same time", rule->id,
                 other->id);
    }
}
