/* An alert: a finding over time, one episode for one patient, rule and set of subjects. The content
 * is complete in itself: what it says can still be written, ended or retracted when the rule that
 * raised it is gone from the knowledge. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"

enum severity { SEVERITY_LOW, SEVERITY_MODERATE, SEVERITY_HIGH };
enum display { DISPLAY_SUPPRESSED, DISPLAY_PASSIVE, DISPLAY_INTERRUPTIVE };
enum alert_state { ALERT_OPEN, ALERT_CLEARED, ALERT_RETRACTED };

/* "low" "moderate" "high"; "suppressed" "passive" "interruptive"; "open" "cleared" "retracted" */
const char *severity_name(enum severity severity);
const char *display_name(enum display display);
const char *alert_state_name(enum alert_state state);

struct alert_also {
    const char *rule;
    enum severity severity;
};

/* Strings and arrays are in the arena of whoever made the alert. Lists are in a fixed order, so
 * that the same facts give the same bytes. */
struct alert {
    const char *key;      /* names the episode: [a-z2-7]{52} */
    const char *identity; /* "patient|rule|subject,subject": the same for every episode */
    int64_t episode;      /* 1, 2, ... */
    const char *patient;  /* id */
    const char *rule, *title;
    const char *code; /* v3-ActCode, "" when none fits */
    enum severity severity;
    enum display display;
    enum alert_state state;
    int64_t opened_ms;
    int64_t ended_ms;      /* INSTANT_UNSET while open */
    const char *ended_why; /* "" while open */
    bool ended_by_order;   /* it ended because an order ended or was put on hold */
    const char **subjects; /* concept names, ascending */
    size_t subject_count;
    const char **implicated; /* "MedicationRequest/5", the triggering order first */
    size_t implicated_count;
    const char **evidence; /* "Observation/91", "Condition/7" */
    size_t evidence_count;
    const char **raised; /* the results that raised it, as they read then (core/trigger.h) */
    size_t raised_count;
    struct alert_also *also; /* weaker findings merged into this one */
    size_t also_count;
    const char **assumptions; /* how sure we are: one sentence each */
    size_t assumption_count;
    const char *detail; /* everything, in plain sentences: what DetectedIssue.detail says */
    const char *recommendation;
    const char **sources; /* "REVLIMID (lenalidomide) US prescribing information, 2.1" */
    size_t source_count;
    const char *source_url; /* of the first source that has one; "" */
    const char *generation; /* of the knowledge that said so last */
};

/* The key of an episode: the digest of identity and number. ret needs DIGEST_TEXT_SIZE bytes. */
void alert_key(const char *identity, int64_t episode, char *ret);

/* Do two contents say the same (everything but key, times of the end and generation)? */
bool alert_same(const struct alert *a, const struct alert *b);

/* To JSON for the store, and back. The text is owned by the caller (free()). Errors of reading:
 * ERR_STORE "alert.content". */
char *alert_to_json(const struct alert *alert);
bool alert_from_json(const char *text, size_t len, struct arena *arena, struct alert *ret,
                     struct err *err) MUST_CHECK;
