#include "flow/flow.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/retry.h"
#include "flow/delivery.h"
#include "flow/flow_impl.h"
#include "flow/visit.h"

#define SECRET_BYTES     32
#define PROBE_LONGEST_MS 60000
#define RETRY_AFTER_MAX  INSTANT_HOUR

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

/* ---- options */

static const char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static void options_copy(struct flow_options *to, const struct flow_options *from)
{
    *to = *from;
    to->base = copy(from->base);
    to->origin = copy(from->origin);
    to->hook = copy(from->hook);
    to->web_socket = copy(from->web_socket);
    to->name = copy(from->name);
    to->system = copy(from->system);
    to->version = copy(from->version);
    to->hook_secret = copy(from->hook_secret);
    to->cohort = copy(from->cohort);
    to->signature = copy(from->signature);
    for (size_t i = 0; i < ARRAY_SIZE(to->topics); i++) to->topics[i] = copy(from->topics[i]);
}

static void options_free(struct flow_options *options)
{
    const char *const texts[] = { options->base,      options->origin,      options->hook,
                                  options->name,      options->system,      options->version,
                                  options->cohort,    options->hook_secret, options->signature,
                                  options->topics[0], options->topics[1],   options->topics[2],
                                  options->web_socket };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) free((void *)(uintptr_t)texts[i]);
}

/* Strings stay: what hangs on them (paths, Subscriptions, the Device) was made from them. What the
 * server refused for good may go now: credentials or the server may be others. */
void flow_options(struct flow *flow, const struct flow_options *options)
{
    struct flow_options *mine = &flow->options;

    mine->poll_ms = options->poll_ms;
    mine->overlap_ms = options->overlap_ms;
    mine->per_minute = options->per_minute;
    mine->subscription_ms = options->subscription_ms;
    mine->request_ms = options->request_ms;
    mine->first_poll_days = options->first_poll_days;
    mine->history_days = options->history_days;
    mine->page_count = options->page_count;
    mine->deliveries_max = options->deliveries_max;
    mine->attempts_max = options->attempts_max;
    mine->journal = options->journal;
    mine->keep_days = options->keep_days;
    store_unpark(flow->store);
    pace_retime(flow);
    catchup_retime(flow);
    roster_read_now(flow);
    subscribe_retime(flow);
    clock_poke(flow, 0);
}

/* ---- the secret of the hook */

static void secret_set(struct flow *flow, const char *secret)
{
    flow->secret = mem_strdup(secret);
    flow_enter(flow, FLOW_PROBING);
}

static void secret_on_kept(struct err *err, void *arg)
{
    struct flow *flow = arg;

    if (err) flow_fail(flow, err);
    flow_release(flow);
}

/* Without random numbers there is no secret, and without a secret nobody gets in: poll alone. */
static void secret_make(struct flow *flow)
{
    unsigned char bytes[SECRET_BYTES];
    char text[2 * SECRET_BYTES + 1];

    if (!flow->options.random_bytes(bytes, sizeof bytes)) {
        log_event(LOG_LEVEL_ERROR, "no-random", LOG_WHAT, "no secret can be made for the hook",
                  LOG_FIX, "set the secret in the configuration", LOG_END);
        flow_enter(flow, FLOW_PROBING);
        return;
    }
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    flow_hold(flow);
    store_set(flow->store, "hook-secret", text, secret_on_kept, flow);
    secret_set(flow, text);
}

static void secret_on_setting(const char *value, void *arg)
{
    struct flow *flow = arg;

    if (!flow_is_stopping(flow)) {
        if (value)
            secret_set(flow, value);
        else
            secret_make(flow);
    }
    flow_release(flow);
}

static void secret_load(struct flow *flow)
{
    if (flow->options.hook_secret) {
        secret_set(flow, flow->options.hook_secret);
    } else if (!flow->options.hook) {
        flow_enter(flow, FLOW_PROBING);
    } else {
        flow_hold(flow);
        store_get(flow->store, "hook-secret", secret_on_setting, flow);
    }
}

/* ---- new knowledge meets old charts */

struct swap {
    struct flow *flow;
    void (*done)(void *arg);
    void *arg;
};

static void swap_on_kept(struct err *err, void *arg)
{
    struct flow *flow = arg;

    if (err) flow_fail(flow, err);
    flow_release(flow);
}

static void swap_on_woken(struct err *err, void *arg)
{
    struct swap *swap = arg;
    struct flow *flow = swap->flow;

    if (err) {
        flow_fail(flow, err);
        flow->wake_again = true;
    } else {
        flow_hold(flow);
        store_set(flow->store, "generation", knowledge_generation(flow->knowledge), swap_on_kept,
                  flow);
    }
    if (swap->done) swap->done(swap->arg);
    free(swap);
    work_poke(flow);
    flow_release(flow);
}

static void wake_everybody(struct flow *flow, void (*done)(void *arg), void *arg)
{
    struct swap *swap = mem_new(struct swap);

    *swap = (struct swap){ flow, done, arg };
    flow->wake_again = false;
    flow_hold(flow);
    store_wake_all(flow->store, clock_now(flow), swap_on_woken, swap);
}

void flow_wake_again(struct flow *flow)
{
    if (flow->wake_again) wake_everybody(flow, NULL, NULL);
}

void flow_knowledge(struct flow *flow, const struct knowledge *knowledge, void (*done)(void *arg),
                    void *arg)
{
    flow->knowledge = knowledge;
    wake_everybody(flow, done, arg);
}

static void generation_on_setting(const char *value, void *arg)
{
    struct flow *flow = arg;

    if (!flow_is_stopping(flow) &&
        (!value || strcmp(value, knowledge_generation(flow->knowledge)) != 0))
        wake_everybody(flow, NULL, NULL);
    flow_release(flow);
}

/* The files may have changed while we were not running. */
static void generation_check(struct flow *flow)
{
    flow_hold(flow);
    store_get(flow->store, "generation", generation_on_setting, flow);
}

/* ---- the capability statement */

static const char *way_of_writing(const struct capability *capability)
{
    if (!capability->issue_offered) return "DetectedIssue is not offered: nothing can be written";
    if (capability->issue_update_create) return "update-create";
    return capability->issue_conditional_create ? "conditional-create" : "search-and-create";
}

static void capability_log(const struct flow *flow)
{
    const struct capability *c = &flow->capability;

    log_event(LOG_LEVEL_INFO, "capability", LOG_VERSION, c->fhir_version, LOG_NAME, c->software,
              LOG_STATUS, subscribe_is_wanted(flow) && c->subscription_offered ? "push" : "poll",
              LOG_WHAT, way_of_writing(c), LOG_END);
    if (!c->issue_offered)
        log_event(
            LOG_LEVEL_ERROR, "capability-lacking", LOG_TYPE, "DetectedIssue", LOG_FIX,
            "this server takes no DetectedIssue: alerts are parked in the outbox and tried again "
            "at the next start or reload",
            LOG_END);
}

static void plan_make(struct flow *flow)
{
    poll_plan_make(flow->options.poll_by, flow->options.cohort != NULL, &flow->capability,
                   &flow->plan);
    log_event(LOG_LEVEL_INFO, "poll-plan", LOG_NAME, flow->plan.name, LOG_END);
    if (flow->plan.lack)
        log_event(LOG_LEVEL_WARN, "capability-lacking", LOG_NAME, "_lastUpdated", LOG_FIX,
                  flow->plan.lack, LOG_END);
}

static void probe_later(struct flow *flow, const struct err *err, int64_t asked_ms);

static void probe_on_answer(const struct server_answer *answer, void *arg)
{
    struct flow *flow = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    flow->probe = NULL;
    if (answer->err.code) {
        probe_later(flow, &answer->err, answer->reply->retry_after_ms);
        return;
    }
    if (!server_document(answer, &doc, &err)) {
        probe_later(flow, &err, 0);
        return;
    }
    struct node root = node_root(doc);
    if (!capability_read(&root, &flow->capability, &err)) {
        probe_later(flow, &err, 0);
        return;
    }
    subscribe_learn(flow, &root);
    capability_log(flow);
    plan_make(flow);
    flow_enter(flow, FLOW_RUNNING);
}

static void probe_start(struct flow *flow)
{
    flow->probe =
        server_start(flow, &(struct server_request){ .method = "GET", .path = "metadata" },
                     probe_on_answer, flow);
}

static void flow_on_timer(uv_timer_t *timer)
{
    struct flow *flow = timer->data;

    if (flow->state == FLOW_LOADING)
        secret_load(flow);
    else if (flow->state == FLOW_PROBING)
        probe_start(flow);
    else if (flow->state == FLOW_STOPPING)
        delivery_stop_all(flow);
}

/* The first failure is told, and then one in ten. */
static void probe_later(struct flow *flow, const struct err *err, int64_t asked_ms)
{
    if (flow->probe_failures++ % 10 == 0)
        log_event(LOG_LEVEL_WARN, "capability-failed", LOG_CODE, err->code, LOG_FIX,
                  err->fix[0] ? err->fix : "check the base URL and that the FHIR server runs",
                  LOG_END);
    uv_timer_start(&flow->timer, flow_on_timer,
                   (uint64_t)flow_backoff(flow, flow->probe_failures, PROBE_LONGEST_MS, asked_ms),
                   0);
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
    options_free(&flow->options);
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
    generation_check(flow);
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
    server_cancel(TAKE(flow->probe));
    clock_keep(flow);
    subscribe_stop(flow);
    socket_stop(flow);
    catchup_stop(flow);
    look_stop(flow);
    audit_stop(flow);
    visit_stop_all(flow);
    device_stop(flow);
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
        probe_start(flow);
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

static void flow_on_command(void *arg)
{
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
