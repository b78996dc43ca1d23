/* The parts of the verb `rules`: one writer each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "core/knowledge.h"
#include "core/rule.h"

enum rules_format { RULES_TABLE, RULES_JSON, RULES_CSV };

/* A list of rules; found (NULL: none) says beside each one why it is there. */
struct rules_list {
    const struct knowledge *knowledge;
    const struct rule **rules;
    char **found; /* for each rule; NULL: no such column */
    size_t count;
};

void rules_list_print(const struct rules_list *list, enum rules_format format, FILE *out);

/* Every rule that has all of the words: in its id and texts, its sources, or in the names of drugs,
 * results and conditions that it looks at, members of classes included. ret->rules and ret->found are
 * owned: rules_found_done(). */
void rules_search(const struct knowledge *knowledge, char **words, size_t count,
                  struct rules_list *ret);
void rules_found_done(struct rules_list *list);

/* Everything about one rule. dir: of the mappings. */
void rules_show(const struct rule *rule, const struct knowledge *knowledge, const char *dir,
                FILE *out);

/* One HTML page with every rule, as of a day ("2026-11-23"). */
void rules_booklet(const struct knowledge *knowledge, const char *as_of, FILE *out);

/* "interruptive", or "interruptive where ...; otherwise passive". */
void rules_display(const struct rule *rule, const struct knowledge *knowledge, struct buf *out);

/* "live", "shadow", "off". */
const char *rules_mode(const struct rule *rule);
