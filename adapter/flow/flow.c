#include "flow/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/retry.h"
#include "flow/delivery.h"
#include "flow/flow_impl.h"
#include "flow/greet.h"
#include "flow/hook_secret.h"
#include "flow/options.h"
#include "flow/swap.h"
#include "flow/visit.h"

#define RETRY_AFTER_MAX INSTANT_HOUR

static void flow_enter(struct flow *flow, enum flow_state next);

/* ---- what holds the flow */

void flow_hold(struct flow *flow)
{
    flow->held++;
}

void flow_release(struct flow *flow)
{
    assert(flow->held > 0);
    if (--flow->held == 0 && flow->state == FLOW_STOPPING) flow_enter(flow, FLOW_CLOSING);
}

bool flow_is_stopping(const struct flow *flow)
{
    return flow->state == FLOW_STOPPING || flow->state == FLOW_CLOSING;
}

void flow_add_timer(struct flow *flow, uv_timer_t *timer, void *data)
{
    assert(flow->timer_count < FLOW_TIMERS_MAX);
    uv_timer_init(flow->loop, timer);
    timer->data = data;
    flow->timers[flow->timer_count++] = timer;
}

/* Told once until the store works again: it may be a thousand calls that fail. */
static void store_complain(struct flow *flow, const struct err *err)
{
    if (flow->store_code && strcmp(flow->store_code, err->code) == 0) return;
    flow->store_code = err->code;
    log_event(LOG_LEVEL_ERROR, "store-refuses", LOG_CODE, err->code, LOG_FIX,
              err->fix[0] ? err->fix : NULL, LOG_END);
}

void flow_fail(struct flow *flow, const struct err *err)
{
    static const char *const passing[] = { "store.full", "store.busy", "store.refused" };

    if (flow->failed || flow_is_stopping(flow)) return;
    for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
        if (strcmp(err->code, passing[i]) == 0) {
            store_complain(flow, err);
            clock_poke(flow, 1000);
            return;
        }
    flow->failed = true;
    flow->events.failed(err, flow->events.arg);
}

static void flow_on_kept(struct err *err, void *arg)
{
    struct flow *flow = arg;

    if (err) flow_fail(flow, err);
    flow_release(flow);
}

void flow_keep(struct flow *flow, const char *name, const char *value)
{
    flow_hold(flow);
    store_set(flow->store, name, value, flow_on_kept, flow);
}

void flow_check_ready(struct flow *flow)
{
    if (flow->ready || flow->state != FLOW_RUNNING) return;
    if (!subscribe_looked(flow) || !catchup_is_ready(flow) || !look_is_ready(flow)) return;
    flow->ready = true;
    flow->events.ready(flow->events.arg);
    clock_poke(flow, 0);
}

uint32_t flow_random(const struct flow *flow)
{
    uint32_t number = 0;

    if (!flow->options.random_bytes(&number, sizeof number)) number = (uint32_t)uv_hrtime();
    return number;
}

int64_t flow_backoff(const struct flow *flow, unsigned failures, int64_t max_ms, int64_t asked_ms)
{
    struct retry_policy policy = {
        .first_ms = INSTANT_SECOND, .max_ms = max_ms, .attempts = UINT32_MAX, .idempotent = true
    };
    struct attempt attempt = { .number = failures ? failures : 1,
                               .failed = ERR_TRANSIENT,
                               .asked_ms =
                                   asked_ms < RETRY_AFTER_MAX ? asked_ms : RETRY_AFTER_MAX };

    return retry_at(&policy, &attempt, 0, flow_random(flow));
}

/* ---- news from app */

/* What the server refused for good may go now: credentials or the server may be others. */
void flow_options(struct flow *flow, const struct flow_options *options)
{
    options_renew(&flow->options, options);
    store_unpark(flow->store);
    pace_retime(flow);
    catchup_retime(flow);
    roster_read_now(flow);
    subscribe_retime(flow);
    clock_poke(flow, 0);
}

void flow_knowledge(struct flow *flow, const struct knowledge *knowledge, void (*done)(void *arg),
                    void *arg)
{
    flow->knowledge = knowledge;
    swap_start(flow, done, arg);
}

/* ---- the life of the flow */

static void flow_free(struct flow *flow)
{
    store_on_command(flow->store, NULL, NULL);
    intake_done(flow);
    subscribe_done(flow);
    socket_done(flow);
    catchup_done(flow);
    heartbeat_done(flow);
    look_done(flow);
    options_done(&flow->options);
    free(flow->secret);
    free(flow);
}

static void timer_on_closed(uv_handle_t *handle)
{
    struct flow *flow = handle->data;
    void (*stopped)(void *arg) = flow->stopped;
    void *arg = flow->stopped_arg;

    if (--flow->timers_open) return;
    flow_free(flow);
    stopped(arg);
}

static void timers_close(struct flow *flow)
{
    flow->timers_open = flow->timer_count;
    for (size_t i = 0; i < flow->timer_count; i++) {
        flow->timers[i]->data = flow;
        uv_close((uv_handle_t *)flow->timers[i], timer_on_closed);
    }
}

/* A start is a chance for what was refused for good: people may have changed the server. */
static void everything_start(struct flow *flow)
{
    clock_recall(flow);
    store_unpark(flow->store);
    swap_check(flow);
    deliver_start(flow);
    subscribe_start(flow);
    catchup_start(flow);
    look_start(flow);
    sweep_start(flow);
    clock_poke(flow, 0);
}

/* Reads are given up at once, they harm nobody; writes may end. */
static void everything_stop(struct flow *flow)
{
    greet_stop(flow);
    clock_keep(flow);
    subscribe_stop(flow);
    socket_stop(flow);
    catchup_stop(flow);
    look_stop(flow);
    audit_stop(flow);
    visit_stop_all(flow);
    device_stop(flow);
}

static void flow_on_timer(uv_timer_t *timer)
{
    struct flow *flow = timer->data;

    if (flow->state == FLOW_LOADING)
        hook_secret_load(flow);
    else if (flow->state == FLOW_STOPPING)
        delivery_stop_all(flow);
}

/* The only writer of flow->state. */
static void flow_enter(struct flow *flow, enum flow_state next)
{
    flow->state = next;
    switch (next) {
    case FLOW_LOADING:
        uv_timer_start(&flow->timer, flow_on_timer, 0, 0);
        break;
    case FLOW_PROBING:
        greet_start(flow);
        break;
    case FLOW_RUNNING:
        everything_start(flow);
        break;
    case FLOW_STOPPING:
        everything_stop(flow);
        break;
    case FLOW_CLOSING:
        timers_close(flow);
        break;
    }
}

void flow_loaded(struct flow *flow)
{
    flow_enter(flow, FLOW_PROBING);
}

void flow_greeted(struct flow *flow)
{
    flow_enter(flow, FLOW_RUNNING);
}

static void flow_on_command(void *arg)
{
    look_on_command(arg);
    clock_poke(arg, 0);
}

struct flow *flow_start(uv_loop_t *loop, const struct flow_options *options,
                        struct http_client *client, struct store *store, struct metrics *metrics,
                        const struct knowledge *knowledge, const struct flow_events *events)
{
    struct flow *flow = mem_new(struct flow);

    flow->loop = loop;
    flow->client = client;
    flow->store = store;
    flow->metrics = metrics;
    flow->knowledge = knowledge;
    flow->events = *events;
    options_copy(&flow->options, options);
    work_gone_init(flow);
    flow_add_timer(flow, &flow->timer, flow);
    intake_init(flow);
    subscribe_init(flow);
    socket_init(flow);
    pace_init(flow);
    server_init(flow);
    catchup_init(flow);
    look_init(flow);
    sweep_init(flow);
    audit_init(flow);
    heartbeat_init(flow);
    clock_start(flow);
    store_on_command(store, flow_on_command, flow);
    flow_enter(flow, FLOW_LOADING);
    return flow;
}

uint64_t flow_turns(const struct flow *flow)
{
    return flow->turns;
}

void flow_stop(struct flow *flow, uint64_t grace_ms, void (*stopped)(void *arg), void *arg)
{
    if (flow_is_stopping(flow)) return;
    flow->stopped = stopped;
    flow->stopped_arg = arg;
    flow_hold(flow);
    flow_enter(flow, FLOW_STOPPING);
    uv_timer_start(&flow->timer, flow_on_timer, grace_ms, 0);
    flow_release(flow);
}
