/* The time that charts are judged by. The wall clock of a machine may step; this time goes on:
 * a small step back is waited out, a large one is believed. Pure: the caller brings both clocks. */
#pragma once

#include <stdint.h>

#include "base/instant.h"

/* The longest step back that is waited out. A clock that is set by the network steps by less; what
 * has become due a moment ago must not undo itself and become due a second time. */
#define WALL_WAITED_MS (2 * INSTANT_HOUR)

enum wall_step {
    WALL_ON,    /* as the clock says */
    WALL_WAITS, /* the clock is behind: time goes on at half speed until it has caught up */
    WALL_BACK,  /* the clock was far ahead and has been set right: what was worked out by it must be
                 * worked out again. Told once */
};

struct wall {
    int64_t latest_ms; /* the latest time given; INSTANT_UNSET: none yet */
    int64_t steady_ms; /* the steady clock when it was given */
};

/* As after an earlier run that ended at latest_ms (INSTANT_UNSET: there was none). */
void wall_start(struct wall *wall, int64_t latest_ms, int64_t steady_ms);

/* What time is it? clock_ms: the wall clock, since 1970; steady_ms: a clock that never steps, since
 * whenever. *ret_ms never goes back but with WALL_BACK. */
enum wall_step wall_look(struct wall *wall, int64_t clock_ms, int64_t steady_ms, int64_t *ret_ms);
