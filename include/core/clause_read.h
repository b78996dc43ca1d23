/* Reading the clauses of a rule file. Private to core/. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/node.h"
#include "core/rule.h"

/* What a rule file is read with. Problems are reported where they stand, and reading goes on. */
struct rule_reader {
    const struct knowledge_file *file;
    struct knowledge *knowledge;
    struct err_list *problems;
    struct arena *arena; /* of the rule (or of the knowledge, for definitions) */
    int bindings;        /* subjects named so far */
    bool binding;        /* do order clauses name subjects here? */
};

/* Report a problem at a node; fix may be "". Always false. */
bool rule_problem(struct rule_reader *reader, const struct node *at, const char *fix,
                  const char *fmt, ...) PRINTF(4, 5);

/* Report what a node_*() call found. Always false. */
bool rule_problem_err(struct rule_reader *reader, const struct err *err);

/* Read one clause into *ret, which owns what it needs after success and nothing after failure. */
bool clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret) MUST_CHECK;

/* A member that is a duration ("14 d"). */
bool duration_read(struct rule_reader *reader, const struct node *at, const char *key,
                   struct duration *ret) MUST_CHECK;
