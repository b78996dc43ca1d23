/* Static findings about the rules and definitions of a generation: what can never be true, what
 * changes nothing, what alerts twice, what nobody answers for. Pure: no chart, no clock. What it
 * claims rests on the clauses alone; where it cannot tell, it is silent. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "core/knowledge.h"
#include "core/lint_check.h"
#include "core/rule.h"

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR };

struct finding {
    enum lint_check check;
    enum lint_severity severity; /* a note asks for nothing */
    const char *rule;            /* its id; "" for a definition */
    const char *file;            /* as in struct rule; borrowed from the knowledge */
    unsigned line, column;
    const char *what, *fix;
};

/* The findings in the order of file and place. A zeroed struct is an empty list. */
struct lint {
    struct arena arena;    /* owns the texts */
    struct finding *items; /* owned */
    size_t count;
    size_t accepted; /* findings that a rule accepts: not listed */
};

/* Look at everything. as_of: a date ("2026-11-23") on which rules must not be past their review; NULL:
 * do not ask. *ret is owned by the caller: lint_done(). */
void lint_run(const struct knowledge *knowledge, const char *as_of, struct lint *ret);
void lint_done(struct lint *lint);

/* "error", "warning", "note"; what a check looks for, in one line. */
const char *lint_severity_name(enum lint_severity severity);
const char *lint_check_help(enum lint_check check);

/* What the rule accepts, for people: "missing-recency: the reason". Writes nothing where that is
 * nothing. */
void lint_accepted_say(const struct rule *rule, struct buf *out);

/* Is it a day: YYYY-MM-DD? */
bool lint_date(const char *text);
