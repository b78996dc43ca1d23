#include "flow/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "flow/flow_impl.h"
#include "flow/notice.h"

#define WATCH_KEEP_MS     1000 /* a change is kept within; what is lost of it is asked for again */
#define WATCH_EVENTS_MAX  1000 /* more than so many are found sooner by the poll */
#define WATCH_TELL_MS     60000
#define WATCH_BY_POLL_MAX 10 /* in a row: one or two may have been faster than their notification */

static void watch_enter(struct watch *at, enum watch_state next);

static struct flow *flow_of(const struct watch *at)
{
    return at->subscribe->flow;
}

static int64_t now_of(const struct watch *at)
{
    return (int64_t)uv_now(flow_of(at)->loop);
}

/* ---- kept over a restart */

static void name_of(const struct watch *at, char *buf, size_t size)
{
    snprintf(buf, size, "feed:%s", at->subscribe->type);
}

static void keep(struct watch *at)
{
    struct flow *flow = flow_of(at);
    char name[64], text[FEED_TEXT_SIZE];

    if (!at->changed) return;
    at->changed = false;
    name_of(at, name, sizeof name);
    feed_write(&at->feed, text);
    flow_keep(flow, name, text);
}

static void note_change(struct watch *at)
{
    if (!at->changed) at->keep_ms = now_of(at) + WATCH_KEEP_MS;
    at->changed = true;
}

static void on_loaded(const char *value, void *arg)
{
    struct watch *at = arg;
    struct flow *flow = flow_of(at);
    struct feed kept;

    if (!at->loaded && value && feed_read(value, now_of(at), &kept) &&
        (!at->feed.id[0] || strcmp(at->feed.id, kept.id) == 0))
        at->feed = kept;
    at->loaded = true;
    if (at->state == WATCH_RESTING) watch_enter(at, WATCH_RESTING);
    flow_release(flow);
}

/* ---- what is missing */

/* The poll finds it. */
static void give_up(struct watch *at, uint64_t to)
{
    feed_close(&at->feed, to, now_of(at));
    note_change(at);
    catchup_now(flow_of(at), at->subscribe->type);
}

static void on_events_taken(struct err *err, void *arg)
{
    struct watch *at = arg;

    (void)err; /* what the store does not take for now, the poll brings again */
    if (at->state != WATCH_EVENTS) return;
    if (at->feed.seen < at->asked.to && at->feed.seen < at->feed.top) give_up(at, at->asked.to);
    watch_enter(at, WATCH_RESTING);
}

static bool read_answer(struct watch *at, const struct server_answer *answer, struct arena *arena,
                        struct notification *ret)
{
    struct notification_request request = { .method = "POST",
                                            .tail = "",
                                            .expected = at->subscribe->type,
                                            .deleted = "",
                                            .body = answer->reply->body,
                                            .body_len = answer->reply->body_len };
    struct err err;

    return notification_read(&request, arena, ret, &err) &&
           (!ret->subscription[0] || strcmp(ret->subscription, at->feed.id) == 0);
}

static void events_read(struct watch *at, const struct server_answer *answer)
{
    struct notification told;
    struct arena arena = { 0 };

    if (read_answer(at, answer, &arena, &told) && told.kind == NOTIFICATION_CHANGES) {
        notice_take(flow_of(at), at->subscribe->type, &told, VIA_QUERY, on_events_taken, at);
    } else {
        give_up(at, at->asked.to);
        watch_enter(at, WATCH_RESTING);
    }
    arena_done(&arena);
}

static void events_refused(struct watch *at)
{
    log_event(LOG_LEVEL_INFO, "events-unsupported", LOG_TYPE, at->subscribe->type, LOG_WHAT,
              "the server has no $events: what it does not tell is found by poll", LOG_END);
    at->no_events = true;
}

static void on_events(const struct server_answer *answer, void *arg)
{
    struct watch *at = arg;
    bool refused = answer->err.code && answer->err.kind == ERR_PERMANENT;

    at->call = NULL;
    if (!answer->err.code) {
        events_read(at, answer);
        return;
    }
    if (refused && !at->by_post) {
        at->by_post = true;
        watch_enter(at, WATCH_EVENTS);
        return;
    }
    if (refused) events_refused(at);
    give_up(at, at->asked.to);
    watch_enter(at, WATCH_RESTING);
}

/* Numbers as text: they may be larger than what JSON readers hold. */
static void events_body(const struct watch *at, struct buf *out)
{
    buf_printf(out,
               "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"eventsSinceNumber\","
               "\"valueString\":\"%" PRIu64 "\"},{\"name\":\"eventsUntilNumber\","
               "\"valueString\":\"%" PRIu64 "\"},{\"name\":\"content\",\"valueCode\":\"%s\"}]}",
               at->asked.from, at->asked.to,
               subscription_content_name(flow_of(at)->options.content));
}

static void ask_events(struct watch *at)
{
    AUTO(buf_done) struct buf path = { 0 }, body = { 0 };

    buf_printf(&path, "Subscription/%s/$events", at->feed.id);
    if (at->by_post)
        events_body(at, &body);
    else
        buf_printf(&path, "?eventsSinceNumber=%" PRIu64 "&eventsUntilNumber=%" PRIu64 "&content=%s",
                   at->asked.from, at->asked.to,
                   subscription_content_name(flow_of(at)->options.content));
    at->call = server_start(flow_of(at),
                            &(struct server_request){ .method = at->by_post ? "POST" : "GET",
                                                      .path = buf_string(&path),
                                                      .body = body.len ? buf_string(&body) : NULL },
                            on_events, at);
}

/* Told once a minute: a server may lose one in two. */
static void tell_gap(struct watch *at, const char *event, uint64_t missing)
{
    uint64_t now = (uint64_t)now_of(at);
    bool again = at->told_gaps_ms && now - at->told_gaps_ms < WATCH_TELL_MS;

    metric_add(flow_of(at)->metrics, METRIC_NOTIFICATION_GAPS, 1);
    if (!again) at->told_gaps_ms = now;
    log_event(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, event, LOG_TYPE, at->subscribe->type,
              LOG_COUNT, missing > INT64_MAX ? INT64_MAX : (int64_t)missing, LOG_END);
}

static void gap_found(struct watch *at, const struct feed_range *gap)
{
    uint64_t missing = gap->to - gap->from + 1;

    tell_gap(at, "notification-gap", missing);
    at->asked = *gap;
    if (at->no_events || !at->feed.id[0] || missing > WATCH_EVENTS_MAX) {
        give_up(at, gap->to);
        watch_enter(at, WATCH_RESTING);
    } else {
        watch_enter(at, WATCH_EVENTS);
    }
}

/* ---- silence */

/* A server that promises heartbeats and has no $status keeps no such promise: its Subscription is
 * looked at as often as all of them. */
static void status_refused(struct watch *at)
{
    at->no_status = true;
    log_event(LOG_LEVEL_INFO, "heartbeat-unsupported", LOG_TYPE, at->subscribe->type, LOG_WHAT,
              "the server sends no heartbeat and has no $status: silence means nothing", LOG_END);
}

static void status_read(struct watch *at, const struct server_answer *answer)
{
    struct notification told;
    struct arena arena = { 0 };

    if (read_answer(at, answer, &arena, &told)) {
        told.kind = NOTIFICATION_STATUS;
        if (!at->told_silent)
            log_event(LOG_LEVEL_INFO, "subscription-silent", LOG_TYPE, at->subscribe->type, LOG_ID,
                      at->feed.id, LOG_STATUS,
                      strcmp(told.status, "active") == 0 ? "active" : "stopped", LOG_END);
        at->told_silent = true;
        watch_tell(at->subscribe, &told, FEED_UNSURE);
    }
    arena_done(&arena);
}

static void on_status(const struct server_answer *answer, void *arg)
{
    struct watch *at = arg;

    at->call = NULL;
    if (!answer->err.code) {
        status_read(at, answer);
    } else if (answer->err.kind == ERR_PERMANENT) {
        if (answer->status == 404 || answer->status == 410) subscribe_look(at->subscribe);
        status_refused(at);
    }
    at->feed.heard_ms = now_of(at); /* asked again after another silence */
    watch_enter(at, WATCH_RESTING);
}

static void ask_status(struct watch *at)
{
    AUTO(buf_done) struct buf path = { 0 };

    buf_printf(&path, "Subscription/%s/$status", at->feed.id);
    at->call = server_start(flow_of(at),
                            &(struct server_request){ .method = "GET", .path = buf_string(&path) },
                            on_status, at);
}

/* ---- the life of one */

static int64_t heartbeat_of(const struct watch *at)
{
    return at->feed.id[0] && !at->no_status && at->subscribe->active ? at->heartbeat_ms : 0;
}

static void look(struct watch *at)
{
    struct feed_range gap;
    int64_t now = now_of(at);

    if (at->changed && now >= at->keep_ms) keep(at);
    if (feed_gap(&at->feed, now, &gap))
        gap_found(at, &gap);
    else if (feed_is_silent(&at->feed, heartbeat_of(at), now))
        watch_enter(at, WATCH_STATUS);
    else
        watch_enter(at, WATCH_RESTING);
}

static void watch_on_timer(uv_timer_t *timer)
{
    struct watch *at = timer->data;

    if (at->state == WATCH_RESTING) look(at);
}

static void rest(struct watch *at)
{
    int64_t due = feed_due_ms(&at->feed, heartbeat_of(at)), now = now_of(at);

    if (at->changed && at->keep_ms < due) due = at->keep_ms;
    if (due == INSTANT_NEVER)
        uv_timer_stop(&at->timer);
    else
        uv_timer_start(&at->timer, watch_on_timer, due > now ? (uint64_t)(due - now) : 0, 0);
}

/* The only writer of at->state. */
static void watch_enter(struct watch *at, enum watch_state next)
{
    if (at->state == WATCH_ENDED) return;
    at->state = next;
    switch (next) {
    case WATCH_RESTING:
        rest(at);
        break;
    case WATCH_EVENTS:
        ask_events(at);
        break;
    case WATCH_STATUS:
        ask_status(at);
        break;
    case WATCH_ENDED:
        uv_timer_stop(&at->timer);
        server_cancel(TAKE(at->call));
        keep(at);
        break;
    }
}

/* ---- from outside */

void watch_init(struct flow *flow, struct subscribe *subscribe)
{
    struct watch *at = &subscribe->watch;

    at->subscribe = subscribe;
    feed_start(&at->feed, "", (int64_t)uv_now(flow->loop));
    flow_add_timer(flow, &at->timer, at);
}

void watch_start(struct subscribe *subscribe)
{
    struct watch *at = &subscribe->watch;
    char name[64];

    name_of(at, name, sizeof name);
    flow_hold(flow_of(at));
    store_get(flow_of(at)->store, name, on_loaded, at);
}

void watch_stop(struct subscribe *subscribe)
{
    watch_enter(&subscribe->watch, WATCH_ENDED);
}

void watch_found(struct subscribe *subscribe, const char *id, int64_t heartbeat_ms)
{
    struct watch *at = &subscribe->watch;

    at->heartbeat_ms = heartbeat_ms;
    if (!subscribe->active) at->feed.heard_ms = now_of(at);
    if (strcmp(at->feed.id, id) != 0) {
        feed_start(&at->feed, id, now_of(at));
        at->no_events = at->no_status = at->by_post = false;
        note_change(at);
    }
    if (at->state == WATCH_RESTING) watch_enter(at, WATCH_RESTING);
}

/* What the server was before it was started again is past: from here on the poll knows. */
static void judge(struct watch *at, enum feed_verdict verdict)
{
    switch (verdict) {
    case FEED_RESTARTED:
        log_event(LOG_LEVEL_INFO, "notification-restart", LOG_TYPE, at->subscribe->type, LOG_WHAT,
                  "the server counts from the beginning again: it was started again", LOG_END);
        catchup_now(flow_of(at), at->subscribe->type);
        break;
    case FEED_UNCOUNTED:
    case FEED_FIRST:
    case FEED_NEXT:
    case FEED_REPEATED:
    case FEED_FILLED:
    case FEED_AHEAD:
        break;
    }
}

/* The server says itself that it does not tell us everything. */
static bool is_stopped(const struct notification *told)
{
    return strcmp(told->status, "error") == 0 || strcmp(told->status, "off") == 0;
}

void watch_tell(struct subscribe *subscribe, const struct notification *notification,
                enum feed_content content)
{
    struct watch *at = &subscribe->watch;
    uint64_t seen = at->feed.seen, top = at->feed.top;

    if (notification->kind == NOTIFICATION_CHANGES) {
        at->by_poll = 0;
        at->told_by_poll = false;
    }
    if (!at->loaded || !at->feed.id[0] || at->state == WATCH_ENDED) return;
    if (notification->subscription[0] && strcmp(notification->subscription, at->feed.id) != 0)
        return; /* a second one at our endpoint, with a count of its own */
    if (notification->kind != NOTIFICATION_STATUS) at->told_silent = false;
    judge(at, feed_tell(&at->feed, notification, content, now_of(at)));
    if (seen != at->feed.seen || top != at->feed.top) note_change(at);
    if (subscribe->active && is_stopped(notification)) subscribe_look(subscribe);
    if (at->state == WATCH_RESTING) watch_enter(at, WATCH_RESTING);
}

void watch_polled(struct subscribe *subscribe, int64_t count)
{
    struct watch *at = &subscribe->watch;

    at->by_poll += count;
    if (at->told_by_poll || at->by_poll < WATCH_BY_POLL_MAX) return;
    at->told_by_poll = true;
    log_event(LOG_LEVEL_WARN, "push-silent", LOG_TYPE, subscribe->type, LOG_ID, at->feed.id,
              LOG_COUNT, at->by_poll, LOG_FIX,
              "the Subscription is active and tells nothing, the poll finds the changes: see "
              "whether the server reaches the hook, and whether it acts on such Subscriptions",
              LOG_END);
}

bool watch_is_ours(const struct subscribe *subscribe, const struct notification *notification)
{
    const char *named = notification->subscription, *id = subscribe->watch.feed.id;

    if (!named[0] || !id[0] || strcmp(named, id) == 0) return true;
    if (subscribe->state == SUBSCRIBE_WRITING) return true; /* its id is on the way to us */
    for (size_t i = 0; i < subscribe->found_count; i++)
        if (strcmp(named, subscribe->found[i].id) == 0) return true;
    return false;
}
