/* What the modules of flow/ share. Everything that is under way (a request, a call of the store)
 * holds the flow; when it is stopped and nothing holds it any more, its timers are closed and the
 * memory goes. Private to flow/. */
#pragma once

#include "fhir/capability.h"
#include "fhir/poll_plan.h"
#include "flow/audit.h"
#include "flow/catchup.h"
#include "flow/clock.h"
#include "flow/deliver.h"
#include "flow/flow.h"
#include "flow/heartbeat.h"
#include "flow/intake.h"
#include "flow/ledger.h"
#include "flow/look.h"
#include "flow/pace.h"
#include "flow/server.h"
#include "flow/socket.h"
#include "flow/subscribe.h"
#include "flow/sweep.h"
#include "flow/work.h"

enum flow_state {
    FLOW_LOADING, /* the secret comes from the store */
    FLOW_PROBING, /* the capability statement is asked for */
    FLOW_RUNNING,
    FLOW_STOPPING, /* what runs may end */
    FLOW_CLOSING,  /* timers are closed */
};

#define FLOW_TIMERS_MAX 48

struct flow {
    uv_loop_t *loop;
    struct http_client *client; /* borrowed, as are the next three */
    struct store *store;
    struct metrics *metrics;
    const struct knowledge *knowledge;
    struct flow_options options; /* strings owned */
    struct flow_events events;
    enum flow_state state; /* written by flow_enter() alone */
    uv_timer_t timer;      /* of the state: the next greeting, grace of the stop */
    uv_timer_t *timers[FLOW_TIMERS_MAX];
    size_t timer_count, timers_open;
    unsigned held;
    bool ready, failed;
    bool wake_again;        /* waking every chart failed for now: swap.h */
    const char *store_code; /* of a passing failure that was told; NULL */
    uint64_t turns;
    char *secret; /* owned; NULL until it is loaded */
    struct capability capability;
    unsigned greet_failures;
    struct server_call *greeting;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct server_health health;
    struct clock clock;
    struct ledger ledger;
    struct sweep sweep;
    struct audit audit;
    struct heartbeat heartbeat;
    struct intake intake;
    struct subscribe subscribe[SUBSCRIBE_TYPES];
    struct socket socket[SUBSCRIBE_TYPES];
    struct poll_plan plan; /* from the capability statement on */
    struct pace pace;
    struct catchup catchup[CATCHUP_PASSES];
    struct look look;
    struct work work;
    struct deliver deliver;
};

/* Something is under way, or has come back. The last release may end the flow, later, from the
 * loop. */
void flow_hold(struct flow *flow);
void flow_release(struct flow *flow);

/* Is it too late for anything new? */
bool flow_is_stopping(const struct flow *flow);

/* A timer of the flow, closed with it. */
void flow_add_timer(struct flow *flow, uv_timer_t *timer, void *data);

/* A call of the store failed. For good: tell app, once. For now (full, busy, refused): the caller
 * does it again later. */
void flow_fail(struct flow *flow, const struct err *err);

/* Keep a setting in the store (NULL: forget it); a failure goes to flow_fail(). */
void flow_keep(struct flow *flow, const char *name, const char *value);

/* What the state waited for is there: the secret of the hook (hook_secret.h), the capability statement
 * (greet.h). */
void flow_loaded(struct flow *flow);
void flow_greeted(struct flow *flow);

/* Are we ready by now? Tells app once. */
void flow_check_ready(struct flow *flow);

uint32_t flow_random(const struct flow *flow);

/* The wait after so many failures in a row (from 1): 1 s doubling to max_ms, with jitter, never
 * less than the peer asked for (up to an hour). */
int64_t flow_backoff(const struct flow *flow, unsigned failures, int64_t max_ms, int64_t asked_ms);
