#include "core/rule.h"

#include <stdlib.h>

static void ceiling_done(struct ceiling_clause *ceiling)
{
    for (size_t i = 0; i < ceiling->row_count; i++) {
        if (!ceiling->rows[i].also) continue;
        clause_done(ceiling->rows[i].also);
        free(ceiling->rows[i].also);
    }
    free(ceiling->rows);
    concept_set_done(&ceiling->drugs);
}

static void order_done(struct order_clause *order)
{
    concept_set_done(&order->drugs);
    concept_set_done(&order->linger_drugs);
    concept_set_done(&order->starts.drugs);
    concept_set_done(&order->times.drugs);
    free(order->linger);
}

void clause_done(struct clause *clause)
{
    for (size_t i = 0; i < clause->part_count; i++) clause_done(&clause->parts[i]);
    free(clause->parts);
    switch (clause->kind) {
    case CLAUSE_ORDER:
        order_done(&clause->order);
        break;
    case CLAUSE_RESULT:
        concept_set_done(&clause->result.course);
        break;
    case CLAUSE_GAP:
        free(clause->gap.steps);
        break;
    case CLAUSE_CONDITION:
        concept_set_done(&clause->condition.concepts);
        break;
    case CLAUSE_ALLERGY:
        concept_set_done(&clause->allergy.concepts);
        break;
    case CLAUSE_COURSE:
        concept_set_done(&clause->course.drugs);
        break;
    case CLAUSE_CEILING:
        ceiling_done(&clause->ceiling);
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
    case CLAUSE_COMPUTABLE:
    case CLAUSE_PROFILE:
        break;
    }
}

static void clause_free(struct clause *clause)
{
    if (!clause) return;
    clause_done(clause);
    free(clause);
}

void rule_free(struct rule *rule)
{
    if (!rule) return;
    clause_free(rule->when);
    clause_free(rule->persists);
    clause_free(rule->display_if);
    arena_done(&rule->arena);
    free(rule);
}
