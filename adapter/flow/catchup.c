#include "flow/catchup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/node.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

#define CATCHUP_HINT_MS    200            /* hints of that long are answered by one pass */
#define CATCHUP_LONGEST_MS INT64_C(60000) /* between attempts after a failure */
#define CATCHUP_REFUSED_MS 3600000        /* ... of a type that the server does not offer */

static const struct {
    const char *type;
    bool needed;
} types[CATCHUP_TYPES] = {
    { "MedicationRequest", true }, { "Observation", true },         { "Condition", true },
    { "Procedure", false },        { "AllergyIntolerance", false }, { "Patient", false },
};

static void catchup_enter(struct catchup *at, enum catchup_state next);

static struct catchup *catchup_of(struct flow *flow, const char *type)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        if (strcmp(types[i].type, type) == 0) return &flow->catchup[i];
    return NULL;
}

/* ---- hints */

static void hints_add(struct catchup_hints *hints, int64_t seq)
{
    hints->seqs = mem_resize(hints->seqs, (hints->count + 1) * sizeof *hints->seqs);
    hints->seqs[hints->count++] = seq;
}

static void hints_move(struct catchup_hints *from, struct catchup_hints *to)
{
    for (size_t i = 0; i < from->count; i++) hints_add(to, from->seqs[i]);
    from->count = 0;
}

/* What hints_finish() told the store. */
struct answered {
    struct flow *flow;
    size_t count;
    struct store_fate fates[];
};

static void hints_on_finished(struct err *err, void *arg)
{
    struct answered *answered = arg;
    struct flow *flow = answered->flow;

    if (err) {
        flow_fail(flow, err);
        for (size_t i = 0; i < answered->count; i++)
            store_release(flow->store, "", answered->fates[i].seq, flow->options.wall_ms());
    } else {
        metric_add(flow->metrics, METRIC_EVENTS_DONE, (int64_t)answered->count);
    }
    free(answered);
    work_poke(flow);
    flow_release(flow);
}

/* The pass that they asked for has ended well. */
static void hints_finish(struct catchup *at)
{
    struct catchup_hints *hints = &at->answering;
    struct store_result result = { .patient = "", .due_ms = INSTANT_NEVER };
    struct answered *answered;

    if (!hints->count) return;
    answered = mem_zero(1, sizeof *answered + hints->count * sizeof *answered->fates);
    answered->flow = at->flow;
    answered->count = hints->count;
    for (size_t i = 0; i < hints->count; i++)
        answered->fates[i] = (struct store_fate){ hints->seqs[i], FATE_DONE, "" };
    result.fates = answered->fates;
    result.fate_count = answered->count;
    hints->count = 0;
    flow_hold(at->flow);
    store_finish(at->flow->store, &result, hints_on_finished, answered);
}

/* ---- the end of a pass */

static const char *way_out(const struct catchup *at, const struct err *err)
{
    if (err->fix[0]) return err->fix;
    if (err->kind != ERR_PERMANENT) return NULL;
    return at->needed ? "let the adapter's account search this type by _lastUpdated, sorted by it"
                      : "the server does not offer this type: it is looked at again in an hour";
}

static void catchup_fail(struct catchup *at, const struct err *err)
{
    at->failures++;
    if (!at->complained || strcmp(at->complained, err->code) != 0)
        log_event(at->needed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "poll-failed", LOG_TYPE, at->type,
                  LOG_CODE, err->code, LOG_FIX, way_out(at, err), LOG_END);
    at->complained = err->code;
    at->refused = err->kind == ERR_PERMANENT && !at->needed;
    catchup_enter(at, CATCHUP_RESTING);
}

static void catchup_log(const struct catchup *at)
{
    enum log_level level = at->succeeded && !at->fresh ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    log_event(level, "polled", LOG_TYPE, at->type, LOG_COUNT, at->fresh, LOG_MS,
              (int64_t)(uv_now(at->flow->loop) - at->began_ms), LOG_END);
}

static void catchup_succeed(struct catchup *at)
{
    catchup_log(at);
    at->flow->turns++;
    at->succeeded = true;
    at->failures = 0;
    at->complained = NULL;
    hints_finish(at);
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
    snprintf(buf, size, "watermark:%s", at->type);
}

/* The newest change seen, or the server's own time, if it says which; with its Date header alone we
 * stay an overlap behind, since that may be the clock of a proxy. */
static int64_t watermark_next(const struct catchup *at)
{
    int64_t next = at->watermark_ms > at->seen_ms ? at->watermark_ms : at->seen_ms;
    bool sure;
    int64_t now = pages_server_now(at->pages, &sure);

    if (now != INSTANT_UNSET && !sure) now -= at->flow->options.overlap_ms;
    return now > next ? now : next;
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

/* Something of the page that is no resource with an id: kept with a reason, once. */
static void add_broken(struct catchup *at, const char *text, size_t len)
{
    char *mark = arena_alloc(&at->arena, INTAKE_MARK_SIZE);
    struct resource_head head = {
        .type = at->type, .id = "", .version = mark, .updated_ms = INSTANT_UNSET, .patient = ""
    };
    struct store_event event;

    intake_mark(text, len, mark);
    event = intake_event(at->flow, &head, arena_copy(&at->arena, text, len), len, VIA_POLL);
    buf_add(&at->events, &event, sizeof event);
    at->broken++;
}

static void add_event(struct catchup *at, struct resource_head *head, const char *text, size_t len)
{
    struct store_event event;

    if (!head->version[0]) {
        char *mark = arena_alloc(&at->arena, INTAKE_MARK_SIZE);
        intake_mark(text, len, mark);
        head->version = mark;
    }
    if (head->updated_ms != INSTANT_UNSET && head->updated_ms > at->seen_ms)
        at->seen_ms = head->updated_ms;
    event = intake_event(at->flow, head, arena_copy(&at->arena, text, len), len, VIA_POLL);
    buf_add(&at->events, &event, sizeof event);
}

static void on_entry(const struct bundle_entry *entry, void *arg)
{
    struct catchup *at = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    if (entry->type[0] && strcmp(entry->type, at->type) != 0) return;
    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) {
        add_broken(at, entry->text, entry->len);
        return;
    }
    struct node root = node_root(doc);
    if (!resource_head_read(&root, &at->arena, &head, &err) || !head.id[0])
        add_broken(at, entry->text, entry->len);
    else if (!head.ours)
        add_event(at, &head, entry->text, entry->len);
}

static void on_bad(const struct err *err, void *arg)
{
    struct catchup *at = arg;

    at->broken++;
    metric_add(at->flow->metrics, METRIC_EVENTS_ASIDE, 1);
    log_event(LOG_LEVEL_WARN, "set-aside", LOG_TYPE, at->type, LOG_CODE, err->code, LOG_WHERE,
              err->where, LOG_END);
}

static void count_found(struct catchup *at, const struct store_accepted *accepted)
{
    struct flow *flow = at->flow;

    at->fresh += (int64_t)accepted->fresh;
    at->duplicates += (int64_t)accepted->duplicates;
    metric_add(flow->metrics, METRIC_EVENTS_ACCEPTED, (int64_t)accepted->fresh);
    metric_add(flow->metrics, METRIC_EVENTS_DUPLICATE, (int64_t)accepted->duplicates);
    if (at->succeeded && subscribe_is_active(flow, at->type))
        metric_add(flow->metrics, METRIC_EVENTS_BY_POLL, (int64_t)accepted->fresh);
    flow->clock.accepted += (int64_t)accepted->fresh;
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

    if (at->events.len)
        catchup_enter(at, CATCHUP_STORING);
    else
        pages_next(at->pages);
}

static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct catchup *at = arg;

    (void)status;
    if (!err) at->watermark_ms = watermark_next(at);
    at->pages = NULL;
    if (err)
        catchup_fail(at, err);
    else
        catchup_enter(at, CATCHUP_MARKING);
}

static void page_store(struct catchup *at)
{
    flow_hold(at->flow);
    store_accept(at->flow->store, (const struct store_event *)(const void *)at->events.data,
                 at->events.len / sizeof(struct store_event), on_accepted, at);
    buf_clear(&at->events);
    arena_done(&at->arena);
}

/* ---- the start of a pass */

static int64_t since_ms(const struct catchup *at)
{
    const struct flow_options *options = &at->flow->options;

    if (at->watermark_ms != INSTANT_UNSET) return at->watermark_ms - options->overlap_ms;
    return options->wall_ms() - options->first_poll_days * INSTANT_DAY;
}

static void pass_start(struct catchup *at)
{
    static const struct pages_reader reader = { on_entry, on_bad, on_page, on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };
    char since[32];

    at->again = false;
    at->seen_ms = INSTANT_UNSET;
    at->fresh = at->duplicates = at->broken = 0;
    at->began_ms = uv_now(at->flow->loop);
    hints_move(&at->hints, &at->answering);
    buf_printf(&path, "%s?_lastUpdated=ge%s&_sort=_lastUpdated&_count=%u", at->type,
               instant_text(since_ms(at), since, sizeof since), at->flow->options.page_count);
    at->pages = pages_start(at->flow, buf_string(&path), &reader, at);
}

static void catchup_on_timer(uv_timer_t *timer)
{
    struct catchup *at = timer->data;

    if (at->state == CATCHUP_RESTING) catchup_enter(at, CATCHUP_PAGING);
}

static uint64_t rest_ms(const struct catchup *at)
{
    int64_t poll_ms = at->flow->options.poll_ms, wait;

    if (!at->failures) return at->again ? CATCHUP_HINT_MS : (uint64_t)poll_ms;
    if (at->refused) return CATCHUP_REFUSED_MS;
    wait = flow_backoff(at->flow, at->failures, CATCHUP_LONGEST_MS, 0);
    return (uint64_t)(wait > poll_ms && at->succeeded ? poll_ms : wait);
}

/* The only writer of at->state. */
static void catchup_enter(struct catchup *at, enum catchup_state next)
{
    if (at->state == CATCHUP_ENDED) return;
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
    case CATCHUP_STORING:
        page_store(at);
        break;
    case CATCHUP_MARKING:
        catchup_mark(at);
        break;
    }
}

/* ---- from outside */

void catchup_init(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) {
        struct catchup *at = &flow->catchup[i];
        at->flow = flow;
        at->type = types[i].type;
        at->needed = types[i].needed;
        at->watermark_ms = INSTANT_UNSET;
        flow_add_timer(flow, &at->timer, at);
    }
}

void catchup_done(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) {
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
        if (value) at->watermark_ms = strtoll(value, &end, 10);
        catchup_enter(at, CATCHUP_PAGING);
    }
    flow_release(at->flow);
}

void catchup_start(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) {
        struct catchup *at = &flow->catchup[i];
        char name[64];
        watermark_name(at, name, sizeof name);
        flow_hold(flow);
        store_get(flow->store, name, on_watermark, at);
    }
}

void catchup_stop(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) catchup_enter(&flow->catchup[i], CATCHUP_ENDED);
}

/* While a failed pass waits, the back-off counts for hints as well. */
static void catchup_ask(struct catchup *at)
{
    at->again = true;
    if (at->state == CATCHUP_RESTING && !at->failures &&
        uv_timer_get_due_in(&at->timer) > CATCHUP_HINT_MS)
        uv_timer_start(&at->timer, catchup_on_timer, CATCHUP_HINT_MS, 0);
}

void catchup_now(struct flow *flow, const char *type)
{
    struct catchup *at = catchup_of(flow, type);

    if (at) catchup_ask(at);
}

bool catchup_hint(struct flow *flow, const struct store_event *event)
{
    struct catchup *at = catchup_of(flow, event->type);

    if (!at || at->state == CATCHUP_ENDED) return false;
    hints_add(&at->hints, event->seq);
    catchup_ask(at);
    return true;
}

bool catchup_is_ready(const struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        if (flow->catchup[i].needed && !flow->catchup[i].succeeded) return false;
    return true;
}

void catchup_retime(struct flow *flow)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) {
        struct catchup *at = &flow->catchup[i];
        if (at->state == CATCHUP_RESTING && uv_is_active((uv_handle_t *)&at->timer) &&
            uv_timer_get_due_in(&at->timer) > rest_ms(at))
            catchup_enter(at, CATCHUP_RESTING);
    }
}
