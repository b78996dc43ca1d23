/* What makes a verdict true: something that stands in the chart, or something that does not. */
#include "core/eval.h"

/* A clause that asks whether something is there. */
static bool asks_for_presence(const struct clause *clause)
{
    switch (clause->kind) {
    case CLAUSE_ORDER:
        return !clause->order.absent;
    case CLAUSE_CONDITION:
        return !clause->condition.absent;
    case CLAUSE_RESULT:
    case CLAUSE_ALLERGY:
        return true;
    case CLAUSE_ALL:
    case CLAUSE_ANY:
    case CLAUSE_NOT:
    case CLAUSE_COUNT:
    case CLAUSE_UNLESS:
    case CLAUSE_MAYBE:
    case CLAUSE_DEFINITION:
    case CLAUSE_GAP:
    case CLAUSE_AGE:
    case CLAUSE_SEX:
    case CLAUSE_COURSE:
    case CLAUSE_CEILING:
    case CLAUSE_COMPUTABLE:
    case CLAUSE_PROFILE:
        break;
    }
    return false;
}

static bool asks_for_absence(const struct clause *clause)
{
    return clause->kind == CLAUSE_GAP || clause->kind == CLAUSE_COMPUTABLE ||
           (clause->kind == CLAUSE_ORDER && clause->order.absent) ||
           (clause->kind == CLAUSE_CONDITION && clause->condition.absent);
}

/* A result that was found and lies on the other side is there: its trace names it. */
static bool rests_on_absence(const struct trace *t)
{
    if (t->answer.truth == TRUTH_TRUE && asks_for_absence(t->clause)) return true;
    if (t->answer.truth == TRUTH_FALSE && asks_for_presence(t->clause) && !t->fact_count)
        return true;
    for (size_t i = 0; i < t->part_count; i++)
        if (rests_on_absence(&t->parts[i])) return true;
    return false;
}

/* What is false inside of "any" or beside a true one does not carry the verdict: only what is denied
 * does. */
static bool carried_by_absence(const struct trace *t)
{
    if (t->answer.truth != TRUTH_TRUE) return false;
    if (asks_for_absence(t->clause)) return true;
    if (t->clause->kind == CLAUSE_NOT || t->clause->kind == CLAUSE_UNLESS)
        return t->part_count && rests_on_absence(&t->parts[0]);
    for (size_t i = 0; i < t->part_count; i++)
        if (carried_by_absence(&t->parts[i])) return true;
    return false;
}

bool verdict_rests_on_absence(const struct verdict *verdict)
{
    return verdict->trace && carried_by_absence(verdict->trace);
}
