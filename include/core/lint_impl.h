/* What the files of lint share. Private to core/. */
#pragma once

#include "core/lint.h"
#include "core/span.h"

/* ---- what follows from what (lint_logic.c; lint_atom.c, lint_order.c for clauses without parts)
 *
 * All three say "surely", from the words alone: false means that it does not follow, or that this was
 * not found. True clauses are meant: what is unknown is not true. */

/* Bounds the search: clauses nest, and each of the two may be taken apart first. */
struct logic {
    unsigned steps; /* taken so far */
};

/* Whenever a is true, b is. */
bool logic_implies(struct logic *logic, const struct clause *a, const struct clause *b);

/* They are never true together. */
bool logic_excludes(struct logic *logic, const struct clause *a, const struct clause *b);

/* They are never false together. */
bool logic_covers(struct logic *logic, const struct clause *a, const struct clause *b);

/* The same for two clauses without parts. */
bool atom_implies(const struct clause *a, const struct clause *b);
bool atom_excludes(const struct clause *a, const struct clause *b);
bool atom_covers(const struct clause *a, const struct clause *b);

/* Can a clause without parts not be true by itself? Then why, else NULL. */
const char *atom_never(const struct clause *clause);

/* Does every order that counts for a count for b, if both ask for one (not for its absence)? */
bool order_within(const struct order_clause *a, const struct order_clause *b);

/* ---- findings (lint.c) */

/* What is looked at. */
struct linter {
    const struct knowledge *knowledge;
    const char *as_of; /* NULL: reviews are not asked for */
    struct lint *lint;
    const struct rule *rule; /* NULL within a definition */
    const char *file;        /* where the clauses stand */
    unsigned *used;          /* per accepted check of the rule: how often it was needed */
};

/* Add a finding about the rule (or, in a definition, about the clause) at a clause; NULL: at the id of
 * the rule. fix may be "". A check that the rule accepts is counted, not listed. */
void lint_add(struct linter *linter, enum lint_check check, enum lint_severity severity,
              const struct clause *at, const char *fix, const char *fmt, ...) PRINTF(6, 7);

/* Does the rule accept findings of that check? */
bool lint_accepts(const struct rule *rule, enum lint_check check);

/* ---- the checks */

/* One tree of clauses of the rule or definition; what `persists` is beside `when` (lint_clause.c). */
void lint_clauses(struct linter *linter, const struct clause *clause);
void lint_persists(struct linter *linter);

/* The rows of a ceiling clause (lint_ceiling.c). */
void lint_ceiling(struct linter *linter, const struct clause *clause);

/* Sources, owner, review, cases (lint_paper.c). */
void lint_papers(struct linter *linter);

/* The rule beside all others (lint_pair.c). */
void lint_overlap(struct linter *linter);
void lint_yields(struct linter *linter);

/* What the rule names first of all rules and no code becomes (lint_mapped.c). */
void lint_unmapped(struct linter *linter);
