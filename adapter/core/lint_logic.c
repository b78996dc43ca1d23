/* What follows from what between clauses that are made of clauses. Clauses nest, and either side can be
 * taken apart first: the search is bounded, and what was not found does not follow. */
#include "core/lint_impl.h"

#define STEPS_MAX 4000 /* the rules of this project need some dozens */

static bool is_tired(struct logic *logic)
{
    return ++logic->steps > STEPS_MAX;
}

static const struct clause *unnamed(const struct clause *clause)
{
    while (clause->kind == CLAUSE_DEFINITION) clause = clause->definition;
    return clause;
}

/* How many parts are true when the clause is: all, one, or as it says; 0: it is no list. */
static size_t parts_true(const struct clause *clause)
{
    if (clause->kind == CLAUSE_ALL) return clause->part_count;
    if (clause->kind == CLAUSE_ANY) return 1;
    return clause->kind == CLAUSE_COUNT ? clause->at_least : 0;
}

/* What must not be excluded for the clause to say anything: `maybe` is unknown where its part is true. */
static const struct clause *meant(const struct clause *clause)
{
    clause = unnamed(clause);
    while (clause->kind == CLAUSE_MAYBE) clause = unnamed(clause->parts);
    return clause;
}

typedef bool relation_fn(struct logic *logic, const struct clause *a, const struct clause *b);

/* How many parts of the list are in the relation to the other, on the side given? */
static size_t parts_related(struct logic *logic, const struct clause *list,
                            const struct clause *other, bool list_first, relation_fn *relation)
{
    size_t count = 0;

    for (size_t i = 0; i < list->part_count; i++)
        count += list_first ? relation(logic, &list->parts[i], other)
                            : relation(logic, other, &list->parts[i]);
    return count;
}

/* Of n parts that are true at least one is among these. */
static bool one_is_true(const struct clause *list, size_t among)
{
    return among > list->part_count - parts_true(list);
}

static bool is_leaf(const struct clause *clause)
{
    return !clause->part_count;
}

/* The clause inside `not` and `unless`, which is not true when they are; NULL: it is neither. */
static const struct clause *denied(const struct clause *clause)
{
    return clause->kind == CLAUSE_NOT || clause->kind == CLAUSE_UNLESS ? clause->parts : NULL;
}

static bool denial_implies(struct logic *logic, const struct clause *a, const struct clause *b)
{
    if (b->kind == CLAUSE_UNLESS && a->kind == CLAUSE_UNLESS)
        return logic_implies(logic, b->parts, a->parts);
    if (b->kind == CLAUSE_UNLESS) return logic_excludes(logic, a, b->parts);
    /* Not false is less than true: only what is the same is surely unknown together. */
    return a->kind == CLAUSE_NOT && b->kind == CLAUSE_NOT &&
           logic_implies(logic, b->parts, a->parts) && logic_implies(logic, a->parts, b->parts);
}

bool logic_implies(struct logic *logic, const struct clause *a, const struct clause *b)
{
    a = unnamed(a);
    b = unnamed(b);
    if (a == b) return true;
    if (is_tired(logic)) return false;
    if (b->kind == CLAUSE_ALL)
        return parts_related(logic, b, a, false, logic_implies) == b->part_count;
    if (parts_true(a) && one_is_true(a, parts_related(logic, a, b, true, logic_implies)))
        return true;
    if (parts_true(b)) return parts_related(logic, b, a, false, logic_implies) >= parts_true(b);
    if (denied(b)) return denial_implies(logic, a, b);
    return is_leaf(a) && is_leaf(b) && atom_implies(a, b);
}

bool logic_excludes(struct logic *logic, const struct clause *a, const struct clause *b)
{
    a = meant(a);
    b = meant(b);
    if (is_tired(logic)) return false;
    if (denied(a) && logic_implies(logic, b, denied(a))) return true;
    if (denied(b) && logic_implies(logic, a, denied(b))) return true;
    if (parts_true(a) && one_is_true(a, parts_related(logic, a, b, true, logic_excludes)))
        return true;
    if (parts_true(b) && one_is_true(b, parts_related(logic, b, a, false, logic_excludes)))
        return true;
    return is_leaf(a) && is_leaf(b) && atom_excludes(a, b);
}

bool logic_covers(struct logic *logic, const struct clause *a, const struct clause *b)
{
    a = unnamed(a);
    b = unnamed(b);
    if (is_tired(logic)) return false;
    if (denied(a) && logic_implies(logic, denied(a), b)) return true;
    if (denied(b) && logic_implies(logic, denied(b), a)) return true;
    return is_leaf(a) && is_leaf(b) && atom_covers(a, b);
}
