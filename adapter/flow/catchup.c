#include "flow/catchup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "flow/catchup_impl.h"

#define CATCHUP_LONGEST_MS INT64_C(60000) /* between attempts after a failure */
#define CATCHUP_REFUSED_MS 3600000        /* ... of a type that the server does not offer */
#define CATCHUP_SLOWER     10             /* of how many polls one asks for deletions too */
#define CATCHUP_FULL_MS    1000           /* between looks whether the journal has room again */

static const bool needed[CATCHUP_TYPES] = {
    [CAPABILITY_ORDERS] = true, [CAPABILITY_RESULTS] = true, [CAPABILITY_CONDITIONS] = true
};

static void catchup_enter(struct catchup *at, enum catchup_state next);

struct catchup *catchup_of(struct flow *flow, const char *type)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        if (strcmp(flow->catchup[i].type, type) == 0) return &flow->catchup[i];
    return NULL;
}

/* ---- the end of a pass */

static const char *way_out(const struct catchup *at, const struct err *err)
{
    if (err->fix[0]) return err->fix;
    if (err->kind != ERR_PERMANENT) return NULL;
    if (!at->needed) return "the server does not offer this: it is asked again in an hour";
    return at->manner == POLL_HISTORY
               ? "let the adapter's account read the history of this type"
               : "let the adapter's account search this type by _lastUpdated, sorted by it; or see "
                 "poll.by and poll.cohort";
}

static void catchup_fail(struct catchup *at, const struct err *err)
{
    bool held = server_held(err); /* the log has said server-down */

    at->failures++;
    if (!held && (!at->complained || strcmp(at->complained, err->code) != 0))
        log_event(at->needed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "poll-failed", LOG_TYPE, at->type,
                  LOG_CODE, err->code, LOG_FIX, way_out(at, err), LOG_END);
    if (!held) at->complained = err->code;
    at->refused = err->kind == ERR_PERMANENT && !at->needed;
    catchup_enter(at, CATCHUP_RESTING);
}

static void catchup_log(const struct catchup *at)
{
    enum log_level level = at->succeeded && !at->fresh ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    log_event(level, at->manner == POLL_DELETIONS ? "polled-deletions" : "polled", LOG_TYPE,
              at->type, LOG_COUNT, at->fresh, LOG_MS,
              (int64_t)(uv_now(at->flow->loop) - at->began_ms), LOG_END);
}

static void catchup_succeed(struct catchup *at)
{
    catchup_log(at);
    at->flow->turns++;
    at->succeeded = true;
    at->failures = 0;
    at->complained = NULL;
    if (at->asked)
        patience_learn(&at->patience, at->fresh > 0, (int64_t)at->began_ms,
                       (int64_t)uv_now(at->flow->loop));
    if (at->reaching) at->reach_ms = INSTANT_NEVER;
    catchup_hints_finish(at);
    catchup_enter(at, CATCHUP_RESTING);
    flow_check_ready(at->flow);
}

static void on_marked(struct err *err, void *arg)
{
    struct catchup *at = arg;
    struct flow *flow = at->flow;

    if (err) flow_fail(flow, err);
    if (at->state == CATCHUP_MARKING) {
        if (err)
            catchup_fail(at, err);
        else
            catchup_succeed(at);
    }
    flow_release(flow);
}

static void watermark_name(const struct catchup *at, char *buf, size_t size)
{
    snprintf(buf, size, "%s:%s", at->mark, at->type);
}

static void catchup_mark(struct catchup *at)
{
    char name[64], value[32];

    watermark_name(at, name, sizeof name);
    snprintf(value, sizeof value, "%" PRId64, at->watermark_ms);
    flow_hold(at->flow);
    store_set(at->flow->store, name, value, on_marked, at);
}

/* ---- pages */

static void count_found(struct catchup *at, const struct store_accepted *accepted)
{
    struct flow *flow = at->flow;

    at->fresh += (int64_t)accepted->fresh;
    at->duplicates += (int64_t)accepted->duplicates;
    ledger_accepted(flow, VIA_POLL, accepted, at->bytes);
    if (at->succeeded && subscribe_is_active(flow, at->type)) {
        metric_add(flow->metrics, METRIC_EVENTS_BY_POLL, (int64_t)accepted->fresh);
        at->found += (int64_t)accepted->fresh;
        watch_polled(subscribe_of(flow, at->type), (int64_t)accepted->fresh);
    }
    if (accepted->fresh) work_poke(flow);
}

static void on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct catchup *at = arg;
    struct flow *flow = at->flow;

    if (accepted->err) flow_fail(flow, accepted->err);
    if (at->state == CATCHUP_STORING) {
        if (accepted->err) {
            pages_cancel(TAKE(at->pages));
            catchup_fail(at, accepted->err);
        } else {
            count_found(at, accepted);
            catchup_enter(at, CATCHUP_PAGING);
        }
    }
    flow_release(flow);
}

static void on_page(void *arg)
{
    struct catchup *at = arg;

    at->pages_told++;
    if (at->events.len)
        catchup_enter(at, CATCHUP_STORING);
    else
        pages_next(at->pages);
}

static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct catchup *at = arg;

    (void)status;
    bool again = !err && catchup_is_cut(at);
    if (!err && !again) at->watermark_ms = catchup_watermark(at);
    at->pages = NULL;
    if (err)
        catchup_fail(at, err);
    else
        catchup_enter(at, again ? CATCHUP_PAGING : CATCHUP_MARKING);
}

static void page_store(struct catchup *at)
{
    const struct store_event *events = (const struct store_event *)(const void *)at->events.data;
    size_t count = at->events.len / sizeof *events;

    at->bytes = 0;
    for (size_t i = 0; i < count; i++) at->bytes += (int64_t)events[i].payload_len;
    flow_hold(at->flow);
    store_accept(at->flow->store, events, count, on_accepted, at);
    buf_clear(&at->events);
    arena_done(&at->arena);
}

/* ---- the start of a pass */

static void pass_start(struct catchup *at)
{
    static const struct pages_reader reader = { catchup_on_entry, catchup_on_bad, on_page,
                                                on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };

    at->asked = at->again;
    at->again = false;
    at->seen_ms = INSTANT_UNSET;
    at->fresh = at->duplicates = at->broken = 0;
    at->pages_told = at->entries_told = 0;
    at->began_ms = uv_now(at->flow->loop);
    at->reaching = true;
    catchup_hints_begin(at);
    catchup_path(at, &path);
    at->pages = pages_start_paced(at->flow, buf_string(&path), &reader, catchup_on_gone, at);
}

static void catchup_on_timer(uv_timer_t *timer)
{
    struct catchup *at = timer->data;

    if (at->state == CATCHUP_RESTING || at->state == CATCHUP_PAUSED)
        catchup_enter(at, CATCHUP_PAGING);
}

/* Spread over 90 to 110 %, so that the types do not ask in step for ever. */
static int64_t usual_ms(const struct catchup *at)
{
    int64_t ms = at->flow->options.poll_ms;

    if (at->manner == POLL_DELETIONS && at->succeeded) ms *= CATCHUP_SLOWER;
    return ms / 10 * 9 + ms * (int64_t)(flow_random(at->flow) % 1024) / 5120;
}

/* Until a pass that was asked for. */
static uint64_t asked_ms(const struct catchup *at)
{
    return (uint64_t)patience_wait_ms(&at->patience, (int64_t)uv_now(at->flow->loop));
}

static uint64_t rest_ms(const struct catchup *at)
{
    int64_t poll_ms = usual_ms(at), wait;

    if (!at->failures) return at->again ? asked_ms(at) : (uint64_t)poll_ms;
    if (at->refused) return CATCHUP_REFUSED_MS;
    wait = flow_backoff(at->flow, at->failures, CATCHUP_LONGEST_MS, 0);
    return (uint64_t)(wait > poll_ms && at->succeeded ? poll_ms : wait);
}

/* The hints that a pass answers are part of what fills the journal: such a pass goes on. */
static bool must_pause(const struct catchup *at)
{
    return !at->hints.count && !at->answering.count && ledger_journal_is_full(at->flow);
}

/* The only writer of at->state. */
static void catchup_enter(struct catchup *at, enum catchup_state next)
{
    if (at->state == CATCHUP_ENDED) return;
    if (next == CATCHUP_PAGING && must_pause(at)) next = CATCHUP_PAUSED;
    at->state = next;
    switch (next) {
    case CATCHUP_LOADING:
    case CATCHUP_ENDED:
        uv_timer_stop(&at->timer);
        pages_cancel(TAKE(at->pages));
        break;
    case CATCHUP_RESTING:
        uv_timer_start(&at->timer, catchup_on_timer, rest_ms(at), 0);
        break;
    case CATCHUP_PAGING:
        if (at->pages) /* the pass goes on */
            pages_next(at->pages);
        else
            pass_start(at);
        break;
    case CATCHUP_PAUSED:
        uv_timer_start(&at->timer, catchup_on_timer, CATCHUP_FULL_MS, 0);
        break;
    case CATCHUP_STORING:
        page_store(at);
        break;
    case CATCHUP_MARKING:
        catchup_mark(at);
        break;
    }
}

/* ---- from outside */

static void one_init(struct flow *flow, struct catchup *at, size_t kind)
{
    at->flow = flow;
    at->type = capability_type((enum capability_kind)kind);
    at->watermark_ms = INSTANT_UNSET;
    at->reach_ms = INSTANT_NEVER;
    flow_add_timer(flow, &at->timer, at);
}

void catchup_init(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_PASSES; i++)
        one_init(flow, &flow->catchup[i], i % CATCHUP_TYPES);
}

void catchup_done(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_PASSES; i++) {
        arena_done(&flow->catchup[i].arena);
        buf_done(&flow->catchup[i].events);
        free(flow->catchup[i].hints.seqs);
        free(flow->catchup[i].answering.seqs);
    }
}

static void on_watermark(const char *value, void *arg)
{
    struct catchup *at = arg;
    char *end;

    if (at->state == CATCHUP_LOADING) {
        if (value)
            at->watermark_ms = strtoll(value, &end, 10);
        else if (at->needed && at->manner != POLL_DELETIONS)
            work_gone_none(at->flow); /* there was no life before */
        catchup_enter(at, at->manner == POLL_DELETIONS ? CATCHUP_RESTING : CATCHUP_PAGING);
    }
    flow_release(at->flow);
}

static void one_start(struct catchup *at)
{
    char name[64];

    watermark_name(at, name, sizeof name);
    flow_hold(at->flow);
    store_get(at->flow->store, name, on_watermark, at);
}

void catchup_start(struct flow *flow)
{
    const struct poll_plan *plan = &flow->plan;

    for (size_t kind = 0; kind < CATCHUP_TYPES; kind++) {
        struct catchup *at = &flow->catchup[kind], *beside = &flow->catchup[CATCHUP_TYPES + kind];
        at->manner = plan->manner[kind];
        at->needed = needed[kind] && at->manner != POLL_NOTHING;
        at->mark = "watermark";
        beside->manner = plan->deletions[kind] ? POLL_DELETIONS : POLL_NOTHING;
        beside->mark = "watermark-deletions";
        if (at->manner != POLL_NOTHING) one_start(at);
        if (beside->manner != POLL_NOTHING) one_start(beside);
    }
}

/* Spread over a second: not all at once upon a server that has just come back. */
void catchup_hurry(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_PASSES; i++) {
        struct catchup *at = &flow->catchup[i];
        uint64_t wait = flow_random(flow) % 1000;
        if (at->state == CATCHUP_RESTING && at->failures && !at->refused &&
            uv_timer_get_due_in(&at->timer) > wait)
            uv_timer_start(&at->timer, catchup_on_timer, wait, 0);
    }
}

void catchup_stop(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_PASSES; i++) catchup_enter(&flow->catchup[i], CATCHUP_ENDED);
}

void catchup_reach(struct flow *flow, const char *type, int64_t from_ms)
{
    struct catchup *at = catchup_of(flow, type);

    if (!at) return;
    if (from_ms < at->reach_ms) at->reach_ms = from_ms;
    at->reaching = false; /* the pass that runs may have begun without it */
    catchup_now(flow, type);
}

/* While a failed pass waits, the back-off counts for hints as well. */
void catchup_now(struct flow *flow, const char *type)
{
    struct catchup *at = catchup_of(flow, type);

    if (!at) return;
    at->again = true;
    if (at->state == CATCHUP_RESTING && !at->failures &&
        uv_timer_get_due_in(&at->timer) > asked_ms(at))
        uv_timer_start(&at->timer, catchup_on_timer, asked_ms(at), 0);
}

bool catchup_is_ready(const struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        if (flow->catchup[i].needed && !flow->catchup[i].succeeded) return false;
    return true;
}

void catchup_retime(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_PASSES; i++) {
        struct catchup *at = &flow->catchup[i];
        if (at->state == CATCHUP_RESTING && uv_is_active((uv_handle_t *)&at->timer) &&
            uv_timer_get_due_in(&at->timer) > rest_ms(at))
            catchup_enter(at, CATCHUP_RESTING);
    }
}
