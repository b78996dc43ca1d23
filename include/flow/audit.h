/* The daily statement: for each day that is over, how many resources of each type the server says were
 * changed in it, against those that the journal knows. Where the server has more, the poll of that
 * span is repeated once. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "fhir/capability.h"

struct flow;
struct server_call;

enum audit_state {
    AUDIT_LOADING,  /* which day was stated last comes from the store */
    AUDIT_RESTING,  /* until a day is over */
    AUDIT_ASKING,   /* the server counts */
    AUDIT_COUNTING, /* the journal is counted, hour by hour */
    AUDIT_MARKING,  /* the day is put down as stated */
    AUDIT_ENDED,
};

struct audit {
    struct flow *flow;
    enum audit_state state; /* written by audit_enter() alone */
    struct server_call *call;
    int64_t last_ms;        /* start of the day that was stated last; INSTANT_UNSET: none */
    int64_t day_ms;         /* of the one that is being stated */
    size_t kind;            /* the type */
    bool asked_total;       /* by the second way to ask for a count */
    int hour;               /* of the day */
    int64_t theirs, ours;   /* counts so far; theirs -1: the server does not tell */
    uint64_t wait_until_ms; /* loop time: after a failure */
    struct {
        bool told;
        int64_t theirs, ours;
    } of[CAPABILITY_KINDS]; /* of the last day */
    int64_t missed;         /* resources that the server had more, ever */
};

/* Once, before anything. */
void audit_init(struct flow *flow);

/* For the clock: is there a day to be stated? */
void audit_look(struct flow *flow);

/* For good: what runs is cancelled. */
void audit_stop(struct flow *flow);

/* Append what has labels to the text of /metrics. */
void audit_write(const struct flow *flow, struct buf *out);
