/* Looks at the store's counts now and then: sets the gauges, and wakes work and deliveries when
 * they are due. Never sleeps longer than 30 s, so that a step of the wall clock loses nothing. Says
 * what time it is, and what time it was is kept in the store for the next run. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "core/wall.h"
#include "store/store.h"

struct flow;

struct clock {
    struct flow *flow;
    uv_timer_t timer;
    bool asking;
    struct wall wall;
    bool recalled;              /* the run before is known */
    int64_t kept_ms;            /* time of the last clock_keep() */
    struct store_counts counts; /* of the last look */
    int64_t accepted;           /* events taken in since then */
};

/* Once; the first look is at once. */
void clock_start(struct flow *flow);

/* The time for everything that is due, and that charts are judged by; see core/wall.h. When the
 * clock has been set back by a lot, every chart is judged again and every retry is due. */
int64_t clock_now(struct flow *flow);

/* When the store can be asked: what time was it in the run before? And when it stops: keep it. */
void clock_recall(struct flow *flow);
void clock_keep(struct flow *flow);

/* Look again within wait_ms. */
void clock_poke(struct flow *flow, uint64_t wait_ms);

/* The store has counted: take the numbers over. */
void clock_counted(struct flow *flow, const struct store_counts *counts);

/* Events that wait, as well as we know. */
int64_t clock_waiting(const struct flow *flow);
