/* The cases that stand beside each rule: small charts in words, and what the rule must say of them.
 *
 *   orders      "lenalidomide 25 mg daily, since 20 d ago"
 *               "ciprofloxacin 500 mg every 12 h, until 1 d ago"    also: held, stopped, draft,
 *               "dexamethasone 40 mg every 7 d"                     status unknown, entered in error,
 *               "unmapped Pillax" (could be any drug)               dose unknown, start unknown,
 *               "named Senna" (by its name none of ours)            start to the day, at 08:00 (or
 *                                                                   at MORN), continuous, a pause in
 *                                                                   its text, local, or a route
 *   results     "neutrophils 0.9 10*9/L, 5 d ago"                   also: preliminary, removed,
 *               "platelets <50 10*9/L, 1 h ago"                     unreadable, date unknown,
 *               "hbsag positive, 3 d ago"                           upper 40 U/L
 *   conditions  "multiple-myeloma, since 100 d ago"                 also: past, unconfirmed, removed;
 *               "uncoded Something"
 *   patient     "female, 70 years, 60 kg, 165 cm"
 *   open        "pom-plt-hold": an alert of that rule was open before; one of the rule itself always was
 *
 * A time is "N unit ago", "in N unit" or "now". Orders start 30 d ago unless they say otherwise. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "core/alert.h"
#include "core/chart.h"
#include "core/clause_read.h"
#include "core/knowledge.h"

enum case_outcome {
    CASE_FIRES,
    CASE_SILENT,      /* the rule is false */
    CASE_CANNOT_TELL, /* the rule is unknown */
    CASE_STAYS,       /* not true any more, but an open alert lasts */
    CASE_YIELDS,      /* true, and merged into a stronger finding */
};

#define CASE_OUTCOMES (CASE_YIELDS + 1)

struct rule_case {
    const char *name;
    unsigned line, column; /* in the file of its rule */
    const char *patient;
    const char **orders, **results, **conditions;
    size_t order_count, result_count, condition_count;
    const char **unmapped; /* analytes and conditions that no code maps to; all others have one */
    size_t unmapped_count;
    enum profile profile; /* PROFILE_US where the case says nothing */
    const char **open;    /* ids of other rules whose alerts were open before */
    size_t open_count;
    enum case_outcome then;
    const char *display; /* "interruptive", "passive" or "": not checked */
};

/* The instant at which cases play. */
#define CASE_NOW INT64_C(1781524800000) /* 2026-06-15T12:00:00Z */

/* Read "cases" (and the "given" that they share) of a rule into the rule's arena. */
bool rule_cases_read(struct rule_reader *reader, const struct node *rule, struct rule_case **ret,
                     size_t *ret_count) MUST_CHECK;

/* Build the chart that a case describes. Errors: ERR_CONFIG "case.words", what names the words that
 * were not understood. */
bool rule_case_chart(const struct rule_case *at, const struct knowledge *knowledge,
                     struct chart **ret, struct err *err) MUST_CHECK;

/* What the rule says of a case. */
struct case_said {
    enum case_outcome outcome;
    enum display display;
};

/* Play one case, also of a rule that is off. trace (NULL: none) gets the explanation of the rule and
 * of those it yields to. Errors: those of rule_case_chart(). */
bool rule_case_play(const struct rule_case *at, const struct rule *rule,
                    const struct knowledge *knowledge, struct case_said *ret, struct buf *trace,
                    struct err *err) MUST_CHECK;

/* Is that what the case expects? */
bool rule_case_agrees(const struct rule_case *at, const struct case_said *said);

/* Play one case: true when the rule says what the case expects; else err tells what it said. */
bool rule_case_holds(const struct rule_case *at, const struct rule *rule,
                     const struct knowledge *knowledge, struct err *err) MUST_CHECK;

/* Has the rule no case of that outcome, though it needs one? Stays: where it has `persists`; yields:
 * where it yields; a case that yields holds, so that none needs to fire. */
bool rule_case_lacks(const struct rule *rule, enum case_outcome outcome);

const char *case_outcome_name(enum case_outcome outcome);
