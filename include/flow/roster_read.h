/* Reads the list of patients that poll.cohort names: a resource of the server or a file; again at
 * each interval of the poll, and when it is asked to. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "fhir/roster.h"
#include "flow/pace.h"

struct flow;
struct server_call;

enum roster_state { ROSTER_IDLE, ROSTER_RESTING, ROSTER_WAITING, ROSTER_READING, ROSTER_ENDED };

struct roster_read {
    struct flow *flow;
    enum roster_state state; /* written by roster_enter() alone */
    uv_timer_t timer;
    struct pace_wait wait;
    struct server_call *call;
    unsigned failures;
    const char *complained; /* code of the failure that was logged last; NULL */
    bool again;             /* asked for while it was read */
};

/* Once. */
void roster_read_init(struct flow *flow);

/* Begin; each list that is read goes to look_on_roster(). */
void roster_read_start(struct flow *flow);

/* Read it again now. */
void roster_read_now(struct flow *flow);

void roster_read_stop(struct flow *flow);
