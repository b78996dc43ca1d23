/* Retention: finished events that are old enough are removed, a few at a time, with pauses between.
 * Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct flow;

enum sweep_state {
    SWEEP_RESTING,  /* until the timer */
    SWEEP_REMOVING, /* the store is asked */
};

struct sweep {
    struct flow *flow;
    enum sweep_state state; /* written by sweep_enter() alone */
    uv_timer_t timer;
    int64_t after_seq; /* of this round; 0: it begins */
    int64_t removed;   /* in this round */
};

/* Once, before anything. */
void sweep_init(struct flow *flow);

/* Begin; the first round is at once. */
void sweep_start(struct flow *flow);
