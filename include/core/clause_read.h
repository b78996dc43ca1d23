/* Reading the clauses of a rule file: clause_word.c knows their words, clause_order.c,
 * clause_result.c and clause_ceiling.c the large kinds, clause_read.c the rest. Private to core/. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/node.h"
#include "core/rule.h"

/* What a rule file is read with. Problems are reported where they stand, and reading goes on. */
struct rule_reader {
    const struct knowledge_file *file;
    bool site; /* the file is a site's */
    struct knowledge *knowledge;
    struct err_list *problems;
    struct arena *arena; /* of the rule (or of the knowledge, for definitions) */
    int bindings;        /* subjects named so far */
    bool binding;        /* do order clauses name subjects here? */
    size_t line_start;   /* where the line of the last rule_locate() begins, bytes */
    unsigned lines;      /* lines before that */
};

/* Where a node stands: "FILE:LINE:COLUMN", in the reader's arena. */
const char *rule_place(struct rule_reader *reader, const struct node *at);

/* Line and column of a node, from 1: fast for nodes that are asked for in the order of the file. */
void rule_locate(struct rule_reader *reader, const struct node *at, unsigned *ret_line,
                 unsigned *ret_column);

/* Report a problem at a node; fix may be "". Always false. */
bool rule_problem(struct rule_reader *reader, const struct node *at, const char *fix,
                  const char *fmt, ...) PRINTF(4, 5);

/* Report what a node_*() call found. Always false. */
bool rule_problem_err(struct rule_reader *reader, const struct err *err);

/* Read one clause into *ret, which owns what it needs after success and nothing after failure. */
bool clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret) MUST_CHECK;

/* The kinds that have files of their own; like clause_read(), but what *ret owns after failure is
 * the caller's (clause_done()). */
bool order_clause_read(struct rule_reader *reader, const struct node *at,
                       struct clause *ret) MUST_CHECK;
bool result_clause_read(struct rule_reader *reader, const struct node *at,
                        struct clause *ret) MUST_CHECK;
bool gap_clause_read(struct rule_reader *reader, const struct node *at,
                     struct clause *ret) MUST_CHECK;
bool ceiling_clause_read(struct rule_reader *reader, const struct node *at,
                         struct clause *ret) MUST_CHECK;

/* ---- words: each reports what it does not understand */

const char *word_keep(struct rule_reader *reader, const char *text);

/* No other members than these (ends in NULL); not both of two; one only beside the other. */
bool keys_only(struct rule_reader *reader, const struct node *at, const char *const *keys);
bool keys_exclude(struct rule_reader *reader, const struct node *at, const char *one,
                  const char *other);
bool keys_need(struct rule_reader *reader, const struct node *at, const char *one,
               const char *other);
bool key_has(const struct node *at, const char *key);

/* The text of a required member, NULL after reporting its absence. */
const char *key_text(struct rule_reader *reader, const struct node *at, const char *key);

/* A member that is a duration ("14 d"), required or not. */
bool duration_read(struct rule_reader *reader, const struct node *at, const char *key,
                   struct duration *ret) MUST_CHECK;
bool duration_maybe(struct rule_reader *reader, const struct node *at, const char *key,
                    bool *ret_has, struct duration *ret) MUST_CHECK;

/* Report a name that nothing has; near (or NULL) is a guess. Always false. */
bool word_unknown(struct rule_reader *reader, const struct node *at, const char *word,
                  const char *near);

/* A member that is one name or a list of names. *ret_words (may be NULL) joins them for people. */
bool words_read(struct rule_reader *reader, const struct node *at, const char *key,
                enum concept_kind kind, struct concept_set *set, const char **ret_words) MUST_CHECK;
bool analyte_read(struct rule_reader *reader, const struct node *at, const char *key,
                  unsigned *ret) MUST_CHECK;

#define THRESHOLD_FIX                                                                              \
    "write \"below N UNIT\", \"at most\", \"above\", \"at least\", or \"N to M UNIT\""

/* A decimal at the start of *text; moves on behind it and the space after it. Reports nothing. */
bool number_take(const char **text, struct decimal *ret) MUST_CHECK;

/* "below 1.0 UNIT", "30 to 60 UNIT": everything but the unit, at which *ret_rest is left. Reports
 * nothing. */
bool threshold_parse(const char *text, struct threshold *ret, const char **ret_rest) MUST_CHECK;

/* A threshold on an analyte, in any of its units. */
bool threshold_of(struct rule_reader *reader, const struct node *at, const char *text,
                  unsigned analyte, struct threshold *ret) MUST_CHECK;

/* A member that is a threshold in one of the units given (ends in NULL); *ret_unit (may be NULL) is
 * the one used. */
bool threshold_in(struct rule_reader *reader, const struct node *at, const char *key,
                  const char *const *units, struct threshold *ret,
                  const char **ret_unit) MUST_CHECK;
