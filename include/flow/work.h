/* Claims pieces of work from the store and keeps as many visits going as may be. Private to
 * flow/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct flow;
struct visit;

#define WORK_VISITS_MAX  16  /* patients in hand */
#define WORK_READERS_MAX 4   /* of them, how many may read from the server */
#define WORK_GONE_MAX    256 /* deletions remembered, see work_gone_add() */

struct work {
    struct visit *visits; /* in hand */
    struct visit *queue;  /* those that wait to read, oldest first */
    unsigned running, claiming, readers;
    bool again;                    /* something came while the last claim was under way */
    unsigned failures;             /* releases in a row */
    uint64_t next_failure_ms;      /* loop time: those before it belong to the last one */
    uint64_t by_category_until_ms; /* loop time: so long results are searched by category */
    uint64_t gone[WORK_GONE_MAX];  /* hashes of "Type/id" */
    int64_t gone_at_ms[WORK_GONE_MAX];
    size_t gone_next;
    int64_t gone_since_ms; /* wall clock: whatever was found deleted since is in gone[] */
};

/* There may be something to do. */
void work_poke(struct flow *flow);

/* For visits: a place among the readers, now (true) or by visit_on_turn() later. */
bool work_may_read(struct flow *flow, struct visit *visit);

/* The place is free again; the one that waits longest gets it. */
void work_has_read(struct flow *flow);

/* It waits no longer. */
void work_leaves_queue(struct flow *flow, struct visit *visit);

/* For visits: it is over, and gone. done: committed. */
void work_visit_ended(struct flow *flow, bool done);

/* How long to wait before a piece that failed is offered again. */
int64_t work_retry_ms(struct flow *flow);

/* A resource that was lately found deleted while no chart held it: a notification that overtook its
 * deletion must not be believed. */
void work_gone_add(struct flow *flow, const char *type, const char *id);
bool work_gone_has(const struct flow *flow, const char *type, const char *id);

/* Since when work_gone_has() knows all: at first since now, for an earlier life may have found some;
 * where there was none, work_gone_none() says so. */
void work_gone_init(struct flow *flow);
void work_gone_none(struct flow *flow);
bool work_gone_knows(const struct flow *flow, int64_t since_ms);
