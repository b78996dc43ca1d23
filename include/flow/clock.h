/* Looks at the store's counts now and then: sets the gauges, and wakes work and deliveries when
 * they are due. Never sleeps longer than 30 s, so that a step of the wall clock loses nothing.
 * Private to flow/. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "store/store.h"

struct flow;

struct clock {
    struct flow *flow;
    uv_timer_t timer;
    bool asking;
    struct store_counts counts; /* of the last look */
    int64_t accepted;           /* events taken in since then */
};

/* Once; the first look is at once. */
void clock_start(struct flow *flow);

/* Look again within wait_ms. */
void clock_poke(struct flow *flow, uint64_t wait_ms);

/* The store has counted: take the numbers over. */
void clock_counted(struct flow *flow, const struct store_counts *counts);

/* Events that wait, as well as we know. */
int64_t clock_waiting(const struct flow *flow);
