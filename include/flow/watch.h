/* Watches over what one Subscription tells: a gap that stays is asked for ($events), else looked for
 * by poll; after silence its status is asked for ($status). The counters survive a restart of ours.
 * Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fhir/feed.h"

struct flow;
struct subscribe;
struct server_call;

enum watch_state {
    WATCH_RESTING, /* until the timer */
    WATCH_EVENTS,  /* what is missing is asked for, or put into the journal */
    WATCH_STATUS,  /* the status is asked for */
    WATCH_ENDED,
};

struct watch {
    struct subscribe *subscribe; /* borrowed: it holds this */
    enum watch_state state;      /* written by watch_enter() alone */
    uv_timer_t timer;
    struct server_call *call;
    struct feed feed;
    bool loaded;             /* the feed is that of the store, or there was none */
    bool changed;            /* since it was kept last */
    int64_t keep_ms;         /* loop time: when it is to be kept */
    struct feed_range asked; /* of WATCH_EVENTS */
    bool by_post;            /* the server takes $events by POST alone */
    bool no_events, no_status;
    bool told_silent;      /* since the last notification */
    int64_t heartbeat_ms;  /* that the server's Subscription carries; 0: none */
    int64_t by_poll;       /* changes that polls found since push told of one */
    bool told_by_poll;     /* since then */
    uint64_t told_gaps_ms; /* loop time of the last line about gaps; 0: none */
};

/* Once, before anything. */
void watch_init(struct flow *flow, struct subscribe *subscribe);

/* Begin: what was kept is loaded. For good: what runs is cancelled, what changed is kept. */
void watch_start(struct subscribe *subscribe);
void watch_stop(struct subscribe *subscribe);

/* The Subscription on the server that is ours, as of now. */
void watch_found(struct subscribe *subscribe, const char *id, int64_t heartbeat_ms);

/* A notification of that Subscription has been taken, or had nothing to be taken. */
void watch_tell(struct subscribe *subscribe, const struct notification *notification,
                enum feed_content content);

/* A poll found so many changes that push had not told of. An active Subscription that tells nothing
 * is said once. */
void watch_polled(struct subscribe *subscribe, int64_t count);

/* May this notification be one of ours? One that names no Subscription may; one that names another
 * than those at our endpoint may not. */
bool watch_is_ours(const struct subscribe *subscribe, const struct notification *notification);
