/* Walking over the clauses of a rule, and what each of them names. Pure. */
#pragma once

#include "core/rule.h"
#include "core/rule_text.h"

typedef void clause_visit_fn(const struct clause *clause, void *arg);

/* Every clause of `when`, `persists` and the display, from the top down; into shared clauses and the
 * rows of ceilings too. */
void rule_visit(const struct rule *rule, clause_visit_fn *visit, void *arg);

/* The same without what can never be true where the labels of that profile count. PROFILE_UNSET:
 * everything. */
void rule_visit_as(const struct rule *rule, enum profile profile, clause_visit_fn *visit,
                   void *arg);

/* The concepts that one clause names itself, without those inside it. */
#define CLAUSE_NAMES_MAX 3

struct clause_names {
    struct {
        const struct concept_set *set; /* borrowed from the clause */
        const char *words;             /* as written */
    } items[CLAUSE_NAMES_MAX];
    size_t count;
    unsigned analyte; /* CONCEPT_NONE: none */
};
struct clause_names clause_names(const struct clause *clause);

/* A line for each name of the rule that stands for several concepts: "any nsaid: aceclofenac,
 * celecoxib, ...". *ret is owned by the caller: rule_outline_done(). */
void rule_members_make(const struct rule *rule, const struct knowledge *knowledge,
                       struct rule_outline *ret);
