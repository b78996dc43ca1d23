#include "flow/subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

#define SUBSCRIBE_SOON_MS    1000  /* between looks while the server activates ours */
#define SUBSCRIBE_STUCK_MS   60000 /* longer than that it says something */
#define SUBSCRIBE_LOOK_MS    5000  /* between looks that what the server tells gives rise to */
#define SUBSCRIBE_LONGEST_MS INT64_C(60000)

static const char *const types[SUBSCRIBE_TYPES] = { "MedicationRequest", "Observation",
                                                    "Condition" };

static void subscribe_enter(struct subscribe *at, enum subscribe_state next);

/* ---- the end of a look */

static void subscribe_fail(struct subscribe *at, const struct err *err)
{
    bool held = server_held(err); /* the log has said server-down */

    at->failures++;
    if (err->kind == ERR_PERMANENT) at->looked = true; /* the poll must do */
    if (held) {
        subscribe_enter(at, SUBSCRIBE_RESTING);
        return;
    }
    if (!at->complained || strcmp(at->complained, err->code) != 0)
        log_event(LOG_LEVEL_WARN, "subscription-failed", LOG_TYPE, at->type, LOG_CODE, err->code,
                  LOG_FIX,
                  err->kind == ERR_PERMANENT
                      ? "let the adapter's account read and write Subscription; until then the "
                        "catch-up poll alone finds changes"
                  : err->fix[0] ? err->fix
                                : NULL,
                  LOG_END);
    at->complained = err->code;
    subscribe_enter(at, SUBSCRIBE_RESTING);
    flow_check_ready(at->flow);
}

/* What was written before the server listened was not told to us. */
static void subscribe_good(struct subscribe *at, const char *id)
{
    if (!at->active) {
        log_event(LOG_LEVEL_INFO, "subscription-active", LOG_TYPE, at->type, LOG_ID, id, LOG_END);
        catchup_now(at->flow, at->type);
    }
    at->active = true;
    at->stuck = false;
    at->requested_ms = 0;
    if (at->flow->options.channel == SUBSCRIPTION_WEBSOCKET) socket_bind(at->flow, at->type, id);
}

/* Not now, or not as it was. */
static void subscribe_not_good(struct subscribe *at)
{
    at->active = false;
    socket_unbind(at->flow, at->type);
}

static void subscribe_waits(struct subscribe *at, const char *id)
{
    uint64_t now = uv_now(at->flow->loop);

    subscribe_not_good(at);
    if (!at->requested_ms) at->requested_ms = now;
    if (at->stuck || now - at->requested_ms < SUBSCRIBE_STUCK_MS) return;
    at->stuck = true;
    log_event(LOG_LEVEL_WARN, "subscription-stuck", LOG_TYPE, at->type, LOG_ID, id, LOG_FIX,
              at->flow->options.channel == SUBSCRIPTION_WEBSOCKET
                  ? "the server leaves it in status requested: enable websocket subscriptions "
                    "there (on HAPI hapi.fhir.subscription.websocket_enabled); the poll goes on"
                  : "the server leaves it in status requested: enable rest-hook subscriptions "
                    "there (on HAPI hapi.fhir.subscription.resthook_enabled); the poll goes on",
              LOG_END);
}

static void subscribe_settle(struct subscribe *at)
{
    at->looked = true;
    at->failures = 0;
    at->complained = NULL;
    subscribe_enter(at, SUBSCRIBE_RESTING);
    flow_check_ready(at->flow);
}

/* ---- writing */

static void on_written(const struct server_answer *answer, void *arg)
{
    struct subscribe *at = arg;
    struct server_identity identity;

    at->call = NULL;
    if (answer->err.code) {
        subscribe_fail(at, &answer->err);
        return;
    }
    subscribe_not_good(at);
    at->requested_ms = uv_now(at->flow->loop);
    server_identity(answer, "Subscription", &identity);
    if (identity.id[0])
        watch_found(at, identity.id, 0); /* its heartbeat is read at the next look */
    subscribe_settle(at);
}

static void create_ours(struct subscribe *at)
{
    AUTO(buf_done) struct buf condition = { 0 };
    char *body = subscribe_body(at, NULL, NULL);

    buf_text(&condition, "url=");
    server_escape(&condition, at->endpoint);
    log_event(LOG_LEVEL_INFO, "subscription-created", LOG_TYPE, at->type, LOG_END);
    at->call = server_start(at->flow,
                            &(struct server_request){ .method = "POST",
                                                      .path = "Subscription",
                                                      .if_none_exist = buf_string(&condition),
                                                      .body = body },
                            on_written, at);
    free(body);
}

static void put_back(struct subscribe *at, const struct subscribe_found *found, const char *status,
                     server_done_fn *done)
{
    AUTO(buf_done) struct buf path = { 0 };
    char *body = subscribe_body(at, found->id, status);

    buf_printf(&path, "Subscription/%s", found->id);
    at->call = server_start(
        at->flow,
        &(struct server_request){
            .method = "PUT", .path = buf_string(&path), .if_match = found->version, .body = body },
        done, at);
    free(body);
}

static void write_ours(struct subscribe *at)
{
    const struct subscribe_found *ours = &at->found[0];

    if (!at->found_count) {
        create_ours(at);
        return;
    }
    log_event(LOG_LEVEL_WARN, "subscription-repaired", LOG_TYPE, at->type, LOG_ID, ours->id,
              LOG_STATUS, ours->verdict == SUBSCRIPTION_STOPPED ? "stopped" : "changed", LOG_END);
    put_back(at, ours, NULL, on_written);
}

/* ---- a second one at our endpoint */

static void on_parted(const struct server_answer *answer, void *arg)
{
    struct subscribe *at = arg;

    at->call = NULL;
    if (answer->err.code && answer->err.kind != ERR_PERMANENT) {
        subscribe_fail(at, &answer->err);
        return;
    }
    subscribe_enter(at, SUBSCRIBE_PARTING);
}

static void ours_decide(struct subscribe *at);

static void part_next(struct subscribe *at)
{
    while (at->parting < at->found_count && at->found[at->parting].off) at->parting++;
    if (at->parting >= at->found_count) {
        ours_decide(at);
        return;
    }
    log_event(LOG_LEVEL_WARN, "subscription-doubled", LOG_TYPE, at->type, LOG_ID,
              at->found[at->parting].id, LOG_STATUS, "off", LOG_END);
    put_back(at, &at->found[at->parting++], "off", on_parted);
}

/* ---- what was found */

static void ours_decide(struct subscribe *at)
{
    const struct subscribe_found *ours = &at->found[0];

    if (!at->found_count) {
        at->active = false;
        subscribe_enter(at, SUBSCRIBE_WRITING);
        return;
    }
    watch_found(at, ours->id, ours->heartbeat_ms);
    switch (ours->verdict) {
    case SUBSCRIPTION_GOOD:
        subscribe_good(at, ours->id);
        subscribe_settle(at);
        break;
    case SUBSCRIPTION_REQUESTED:
        subscribe_waits(at, ours->id);
        subscribe_settle(at);
        break;
    case SUBSCRIPTION_STOPPED:
    case SUBSCRIPTION_CHANGED:
    case SUBSCRIPTION_FOREIGN:
        subscribe_enter(at, SUBSCRIBE_WRITING);
        break;
    }
}

void subscribe_on_found(struct subscribe *at, const struct err *err, long status)
{
    if (err && status == 400 && at->state == SUBSCRIBE_SEARCHING) {
        subscribe_enter(at, SUBSCRIBE_SCANNING);
    } else if (err) {
        subscribe_fail(at, err);
    } else {
        at->parting = 1;
        subscribe_enter(at, SUBSCRIBE_PARTING);
    }
}

/* ---- topics */

/* Told once: a look comes every few minutes. */
static void topic_missing(struct subscribe *at)
{
    bool r5 = at->form == SUBSCRIPTION_R5;

    if (at->topic_missed) return;
    at->topic_missed = true;
    log_event(LOG_LEVEL_WARN, "topic-missing", LOG_TYPE, at->type, LOG_STATUS,
              r5 ? "poll" : "criteria", LOG_FIX,
              "no SubscriptionTopic of the server tells of every change of this type: make one, "
              "or name one in subscribe.orders, subscribe.results, subscribe.conditions",
              LOG_END);
}

void subscribe_on_chosen(struct subscribe *at, const struct err *err)
{
    if (err) {
        subscribe_fail(at, err);
    } else if (at->topic) {
        log_event(LOG_LEVEL_INFO, "topic-chosen", LOG_TYPE, at->type, LOG_NAME, at->topic, LOG_END);
        subscribe_enter(at, SUBSCRIBE_SEARCHING);
    } else {
        topic_missing(at);
        if (at->form == SUBSCRIPTION_BACKPORT) {
            at->form = SUBSCRIPTION_CRITERIA;
            subscribe_enter(at, SUBSCRIBE_SEARCHING);
        } else {
            subscribe_settle(at);
        }
    }
}

/* ---- the life of one */

static enum subscribe_state look_begins(const struct subscribe *at)
{
    return at->form != SUBSCRIPTION_CRITERIA && !at->topic ? SUBSCRIBE_CHOOSING
                                                           : SUBSCRIBE_SEARCHING;
}

static void subscribe_on_timer(uv_timer_t *timer)
{
    struct subscribe *at = timer->data;

    if (at->state == SUBSCRIBE_RESTING) subscribe_enter(at, look_begins(at));
}

static uint64_t rest_ms(const struct subscribe *at)
{
    int64_t usual = at->flow->options.subscription_ms, wait;

    if (at->failures) {
        wait = flow_backoff(at->flow, at->failures, SUBSCRIBE_LONGEST_MS, 0);
        return (uint64_t)(wait > usual ? usual : wait);
    }
    if (at->requested_ms && !at->stuck && usual > SUBSCRIBE_SOON_MS) return SUBSCRIBE_SOON_MS;
    return (uint64_t)usual;
}

/* The only writer of at->state. */
static void subscribe_enter(struct subscribe *at, enum subscribe_state next)
{
    if (at->state == SUBSCRIBE_ENDED) return;
    at->state = next;
    switch (next) {
    case SUBSCRIBE_RESTING:
        uv_timer_start(&at->timer, subscribe_on_timer, rest_ms(at), 0);
        break;
    case SUBSCRIBE_CHOOSING:
        subscribe_choose(at);
        break;
    case SUBSCRIBE_SEARCHING:
        subscribe_find(at, true);
        break;
    case SUBSCRIBE_SCANNING:
        subscribe_find(at, false);
        break;
    case SUBSCRIBE_WRITING:
        write_ours(at);
        break;
    case SUBSCRIBE_PARTING:
        part_next(at);
        break;
    case SUBSCRIBE_ENDED:
        uv_timer_stop(&at->timer);
        pages_cancel(TAKE(at->pages));
        server_cancel(TAKE(at->call));
        break;
    }
}

/* ---- from outside */

void subscribe_init(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        struct subscribe *at = &flow->subscribe[i];
        at->flow = flow;
        at->type = types[i];
        flow_add_timer(flow, &at->timer, at);
        watch_init(flow, at);
    }
}

void subscribe_done(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        free(flow->subscribe[i].endpoint);
        free(flow->subscribe[i].criteria);
        free(flow->subscribe[i].header);
        free(flow->subscribe[i].topic);
        free(flow->subscribe[i].listed);
    }
}

void subscribe_learn(struct flow *flow, const struct node *statement)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        const char *topic = capability_topic(statement, types[i]);
        free(flow->subscribe[i].listed);
        flow->subscribe[i].listed = topic ? mem_strdup(topic) : NULL;
    }
}

/* R5 has no Subscriptions by criteria. */
static bool has_form(const struct flow *flow)
{
    return flow->options.subscribe != FLOW_SUBSCRIBE_CRITERIA ||
           flow->capability.release != FHIR_R5;
}

bool subscribe_is_wanted(const struct flow *flow)
{
    bool reachable =
        flow->options.channel == SUBSCRIPTION_WEBSOCKET || (flow->options.hook && flow->secret);

    return reachable && flow->options.subscribe != FLOW_SUBSCRIBE_NONE;
}

void subscribe_start(struct flow *flow)
{
    if (!subscribe_is_wanted(flow)) return;
    if (!has_form(flow)) {
        log_event(LOG_LEVEL_WARN, "subscription-unsupported", LOG_FIX,
                  "R5 has no Subscriptions by criteria: set subscribe.by to topic; until then "
                  "changes are found by poll alone",
                  LOG_END);
        return;
    }
    if (!flow->capability.subscription_offered) {
        log_event(LOG_LEVEL_WARN, "subscription-unsupported", LOG_FIX,
                  "the server offers no Subscription: changes are found by poll alone", LOG_END);
        return;
    }
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        watch_start(&flow->subscribe[i]);
        subscribe_want_prepare(&flow->subscribe[i]);
        subscribe_enter(&flow->subscribe[i], look_begins(&flow->subscribe[i]));
    }
}

void subscribe_stop(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        subscribe_enter(&flow->subscribe[i], SUBSCRIBE_ENDED);
        watch_stop(&flow->subscribe[i]);
    }
}

void subscribe_look(struct subscribe *subscribe)
{
    uint64_t now = uv_now(subscribe->flow->loop);

    if (subscribe->state != SUBSCRIBE_RESTING) return;
    if (subscribe->look_ms && now - subscribe->look_ms < SUBSCRIBE_LOOK_MS) return;
    subscribe->look_ms = now;
    subscribe_enter(subscribe, look_begins(subscribe));
}

bool subscribe_looked(const struct flow *flow)
{
    if (!subscribe_is_wanted(flow) || !has_form(flow) || !flow->capability.subscription_offered)
        return true;
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++)
        if (!flow->subscribe[i].looked) return false;
    return true;
}

struct subscribe *subscribe_of(struct flow *flow, const char *type)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++)
        if (strcmp(types[i], type) == 0) return &flow->subscribe[i];
    return NULL;
}

bool subscribe_is_active(const struct flow *flow, const char *type)
{
    bool told = flow->options.channel != SUBSCRIPTION_WEBSOCKET || socket_is_bound(flow, type);

    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++)
        if (strcmp(types[i], type) == 0) return told && flow->subscribe[i].active;
    return false;
}

void subscribe_retime(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        struct subscribe *at = &flow->subscribe[i];
        if (at->state == SUBSCRIBE_RESTING && uv_is_active((uv_handle_t *)&at->timer) &&
            uv_timer_get_due_in(&at->timer) > rest_ms(at))
            subscribe_enter(at, SUBSCRIBE_RESTING);
    }
}
