/* Keeps the poll within its budget of requests (poll.perMinute) and away from a server that asked
 * for a pause. Every request to the server is counted; those of the poll ask first and wait their
 * turn. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/budget.h"

struct flow;

/* A place in the line; zeroed at first. */
struct pace_wait {
    struct pace_wait *next;
    void (*go)(void *arg);
    void *arg;
    bool waiting;
};

struct pace {
    struct budget budget;
    uv_timer_t timer;
    struct pace_wait *first;
    uint64_t pause_until_ms; /* loop time */
    uint64_t requests;       /* made so far */
};

/* Once; and when the budget has changed. */
void pace_init(struct flow *flow);
void pace_retime(struct flow *flow);

/* May the poll make a request now? If not, wait gets a place in the line and go runs later, once,
 * from the loop, when it may; unless pace_leave() comes first. */
bool pace_may(struct flow *flow, struct pace_wait *wait, void (*go)(void *arg), void *arg);
void pace_leave(struct flow *flow, struct pace_wait *wait);

/* A request is made. */
void pace_spend(struct flow *flow);

/* The server asked for a pause. */
void pace_pause(struct flow *flow, int64_t ms);

/* Is the answer to a paced request one to ask again after (429, 503, or not sent)? Then there is a pause, and the
 * caller asks pace_may() again. times: how often in a row, counted here; given up after PACE_BUSY_MAX,
 * so that a search is not kept for ever where a new one would be refused less. */
#define PACE_BUSY_MAX 20
struct server_answer;
bool pace_again(struct flow *flow, const struct server_answer *answer, unsigned *times);
