/* Looks at one listed patient after another, for servers that tell of changes in no other way: the
 * one whose last look is the oldest comes next. A look is an event in the journal that names a
 * patient and no resource; the visit that it makes reads what a look wants (visit_chart.c) and finds
 * what is new, changed or gone. One look is on its way at a time, and each of its requests waits for
 * the budget of the poll. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fhir/roster.h"
#include "flow/pace.h"
#include "flow/roster_read.h"
#include "store/store.h"

struct flow;

/* One listed patient. */
struct look_member {
    char id[REFERENCE_ID_MAX + 1];
    int64_t looked_ms; /* wall clock; INSTANT_UNSET: never */
    int64_t listed_ms; /* wall clock: since when we know of them */
    bool in_hand;      /* a look is on its way */
};

enum look_state {
    LOOK_IDLE,    /* no list yet */
    LOOK_LOADING, /* the times of the last looks come from the store */
    LOOK_RESTING, /* until the next one is due */
    LOOK_WAITING, /* for the budget */
    LOOK_STORING, /* the event is put into the journal */
    LOOK_LOOKING, /* the visit is on its way */
    LOOK_ENDED,
};

struct look {
    struct flow *flow;
    enum look_state state; /* written by look_enter() alone */
    uv_timer_t timer;
    struct pace_wait wait;
    struct roster_read roster;
    struct look_member *members; /* owned; sorted by id */
    size_t count, loading, in_hand;
    char current[REFERENCE_ID_MAX + 1]; /* whose look is on its way; "" */
    uint64_t requests_before;           /* of the daemon, when it began */
    int64_t cost_milli; /* requests of a look, on average, times 1000; 0: none was made */
    unsigned ended;     /* looks so far */
    unsigned commands;  /* of an operator so far: what is on its way may be dropped by one */
    bool warned;        /* that the budget is too small */
    bool begun;         /* a look has ended, or nobody was due */
};

/* Does the event ask for a look? */
bool look_is_one(const struct store_event *event);

/* Once; and when the flow is freed. */
void look_init(struct flow *flow);
void look_done(struct flow *flow);

/* Begin, if the plan says so; for good: nothing more. */
void look_start(struct flow *flow);
void look_stop(struct flow *flow);

/* The list has been read. Takes nothing. */
void look_on_roster(struct flow *flow, const struct roster *roster);

/* A visit that was a look has ended; done: committed, otherwise it will be tried again, unless an
 * operator has dropped it. commands: how many there were when it began. */
void look_ended(struct flow *flow, const char *patient, bool done, unsigned commands);

/* An operator's commands were done. */
void look_on_command(struct flow *flow);

/* Has a look ended, or was nobody due? True where no looks are wanted. */
bool look_is_ready(const struct flow *flow);
