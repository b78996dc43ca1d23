/* The evaluator: knowledge x chart x now -> findings, and the instant at which the answer can change
 * by itself. Pure: no I/O, no clock, no globals. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/alert.h"
#include "core/chart.h"
#include "core/knowledge.h"
#include "core/rule.h"
#include "core/truth.h"

/* What is known of a clause at an instant. */
struct answer {
    enum truth truth;
    unsigned doubts; /* enum doubt; of TRUTH_UNKNOWN */
    int64_t next_ms; /* the first instant after now at which it may differ without an event;
                      * INSTANT_NEVER */
};

enum trace_role { TRACE_ORDER, TRACE_EVIDENCE };

struct trace_fact {
    enum trace_role role;
    const struct source *source; /* borrowed from the chart */
};

/* Why: one node for each clause. Texts are for people: drug names, values, units, dates. */
struct trace {
    const struct clause *clause;
    struct answer answer;
    char *text; /* the fact, as a sentence */
    size_t text_len,
        text_room;          /* private: bytes of it, and from its start to the end of its room */
    const char *change;     /* what would change the answer; "" */
    const char *assumption; /* UNLESS that was taken; "" */
    struct trace_fact *facts;
    size_t fact_count;
    struct trace *parts;
    size_t part_count;
};

/* Where the record says that an alert that lasts comes from: the last instant at which it opened, or
 * ended. Too long: it lies more changes back than are looked through. */
enum past_kind { PAST_UNASKED, PAST_OPENED, PAST_ENDED, PAST_SILENT, PAST_TOO_LONG };
struct past {
    enum past_kind kind;
    int64_t at_ms; /* INSTANT_UNSET but for opened and ended */
};

/* One rule, for one set of subjects. */
struct verdict {
    const struct rule *rule;
    unsigned bound[BINDING_MAX]; /* the drugs that the order clauses were bound to */
    struct answer answer;
    struct answer lasting; /* of rule->persists, where the rule is not true and an alert is open, or
                            * by the record would be; unknown where the record is too long to tell;
                            * else false */
    bool persists;         /* lasting is true, and the alert is open or, by the record, would be */
    struct past past;      /* what the record says, asked where lasting is true */
    enum display display;
    struct trace *trace;         /* of true and of open ones (of what makes it last, where that was
                                  * asked), and of all on demand; else NULL */
    const char *identity;        /* "patient|rule|subject,subject" */
    bool quiet;                  /* suppressed, shadow mode, or a "checked" verdict: no alert */
    struct verdict *merged_into; /* borrowed: a stronger finding that took this one in; NULL */
};

struct evaluation {
    struct arena arena;
    struct verdict *verdicts; /* by rule in the order of the knowledge, then by subjects */
    size_t verdict_count;
    int64_t next_ms;  /* least of all */
    unsigned unknown; /* rules that could not be evaluated */
};

struct eval_options {
    bool trace_all;          /* explain every verdict, not only the findings */
    const char *const *open; /* identities of open alerts: they last, where the record is silent */
    size_t open_count;
    bool suppressed_too;     /* suppressed findings are findings (for testers) */
    const struct rule *only; /* this rule alone, even when it is off, and those it yields to;
                              * NULL: every rule that is not off */
    enum profile profile;    /* instead of that of the knowledge; PROFILE_UNSET: that one */
    const struct concept_set *unmapped; /* concepts without a code; NULL: as the knowledge says */
};

/* Evaluate the rules. chart must be arranged. *ret is owned by the caller. Cannot
 * fail. Thread: any. */
struct evaluation *evaluate(const struct knowledge *knowledge, const struct chart *chart,
                            int64_t now_ms, const struct eval_options *options);
void evaluation_free(struct evaluation *evaluation);
DEFINE_AUTO(struct evaluation *, evaluation_free)

/* Is every drug that its rule names bound to one of the chart? A rule that is false for want of a
 * drug says nothing about results. */
bool verdict_is_bound(const struct verdict *verdict);

/* Does this verdict stand for an alert by itself: true (or persisting), not quiet, not merged? */
bool verdict_is_finding(const struct verdict *verdict);

/* Is it true because something is not in the chart: no order, no result, no condition? Then a chart
 * that is not complete says so wrongly. False without a trace. */
bool verdict_rests_on_absence(const struct verdict *verdict);

/* The alert that a finding is, complete but for key, episode, state and times. Strings are in
 * arena. */
void verdict_alert(const struct evaluation *evaluation, const struct verdict *verdict,
                   const struct knowledge *knowledge, const struct chart *chart,
                   struct arena *arena, struct alert *ret);
