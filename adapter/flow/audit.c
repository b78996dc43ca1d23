#include "flow/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/node.h"
#include "core/statement.h"
#include "flow/flow_impl.h"

#define AUDIT_DAYS_MAX 7                 /* that are made up for after a pause */
#define AUDIT_LATER_MS 600000            /* after a failure */
#define AUDIT_SETTLE   INSTANT_HOUR / 60 /* beside a poll and its overlap */
#define AUDIT_SETTING  "statement:day"

static void audit_enter(struct audit *at, enum audit_state next);

static const char *type_of(const struct audit *at)
{
    return at->flow->catchup[at->kind].type;
}

/* Try this day again later. */
static void audit_later(struct audit *at)
{
    at->wait_until_ms = uv_now(at->flow->loop) + AUDIT_LATER_MS;
    audit_enter(at, AUDIT_RESTING);
}

/* ---- the end of a type */

static void tell(struct audit *at)
{
    int64_t more = at->theirs - at->ours;
    char day[16], what[100];

    instant_date(at->day_ms, day, sizeof day);
    at->of[at->kind].told = at->theirs >= 0;
    at->of[at->kind].theirs = at->theirs;
    at->of[at->kind].ours = at->ours;
    if (at->theirs < 0) {
        log_event(LOG_LEVEL_INFO, "statement", LOG_TYPE, type_of(at), LOG_NAME, day, LOG_WHAT,
                  "the server does not count what was changed in a day", LOG_END);
        return;
    }
    snprintf(what, sizeof what, "server %" PRId64 ", journal %" PRId64 ", difference %" PRId64,
             at->theirs, at->ours, more);
    log_event(more > 0 ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "statement", LOG_TYPE, type_of(at),
              LOG_NAME, day, LOG_WHAT, what, LOG_FIX,
              more > 0 ? "the poll of that day is repeated; if the difference comes back each day, "
                         "see what the adapter's account may read"
                       : NULL,
              LOG_END);
    if (more <= 0) return;
    at->missed += more;
    catchup_reach(at->flow, type_of(at), at->day_ms);
}

static void type_next(struct audit *at)
{
    at->asked_total = false;
    at->hour = 0;
    at->ours = 0;
    audit_enter(at, ++at->kind < CAPABILITY_KINDS ? AUDIT_ASKING : AUDIT_MARKING);
}

/* ---- the journal */

static void on_changed(int64_t number, void *arg)
{
    struct audit *at = arg;
    struct flow *flow = at->flow;

    if (at->state == AUDIT_COUNTING) {
        at->ours += number;
        if (number < 0) {
            audit_later(at);
        } else if (++at->hour < 24) {
            audit_enter(at, AUDIT_COUNTING);
        } else {
            tell(at);
            type_next(at);
        }
    }
    flow_release(flow);
}

static void journal_ask(struct audit *at)
{
    int64_t from = at->day_ms + at->hour * INSTANT_HOUR;

    flow_hold(at->flow);
    store_changed(at->flow->store, type_of(at), from, from + INSTANT_HOUR, on_changed, at);
}

/* ---- the server */

static void server_ask(struct audit *at);

static int64_t total_of(const struct server_answer *answer)
{
    AUTO(doc_free) struct doc *doc = NULL;
    int64_t total;
    struct err err;

    if (!server_document(answer, &doc, &err)) return -1;
    struct node root = node_root(doc);
    return node_int(&root, "total", 0, INT64_MAX, &total, &err) ? total : -1;
}

/* What the server refuses, it does not offer; what it cannot answer now is asked again. */
static void on_answer(const struct server_answer *answer, void *arg)
{
    struct audit *at = arg;
    const struct err *err = &answer->err;

    at->call = NULL;
    if (err->code && err->kind != ERR_PERMANENT) {
        audit_later(at);
        return;
    }
    at->theirs = err->code ? -1 : total_of(answer);
    if (at->theirs < 0 && !at->asked_total) {
        at->asked_total = true;
        server_ask(at);
    } else if (at->theirs < 0) {
        tell(at);
        type_next(at);
    } else {
        audit_enter(at, AUDIT_COUNTING);
    }
}

static void server_ask(struct audit *at)
{
    AUTO(buf_done) struct buf path = { 0 };
    char from[32], until[32];

    instant_text(at->day_ms, from, sizeof from);
    instant_text(at->day_ms + INSTANT_DAY, until, sizeof until);
    buf_printf(&path, "%s?_lastUpdated=ge%s&_lastUpdated=lt%s&%s", type_of(at), from, until,
               at->asked_total ? "_total=accurate&_count=1" : "_summary=count");
    at->call = server_start(at->flow,
                            &(struct server_request){ .method = "GET", .path = buf_string(&path) },
                            on_answer, at);
}

/* A type that is not polled has nothing to be compared with. */
static void type_begin(struct audit *at)
{
    if (at->flow->catchup[at->kind].succeeded)
        server_ask(at);
    else
        type_next(at);
}

/* ---- days */

static void on_marked(struct err *err, void *arg)
{
    struct audit *at = arg;
    struct flow *flow = at->flow;

    if (err) flow_fail(flow, err);
    if (at->state == AUDIT_MARKING) {
        if (!err) at->last_ms = at->day_ms;
        audit_enter(at, AUDIT_RESTING);
    }
    flow_release(flow);
}

static void day_mark(struct audit *at)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, at->day_ms);
    flow_hold(at->flow);
    store_set(at->flow->store, AUDIT_SETTING, text, on_marked, at);
}

/* Of a day before our first one the journal knows what the first poll looked back to: it may be less
 * than the whole. So the first statement is of today. */
static void on_last(const char *text, void *arg)
{
    struct audit *at = arg;
    struct flow *flow = at->flow;

    if (at->state == AUDIT_LOADING && text) {
        at->last_ms = strtoll(text, NULL, 10);
        audit_enter(at, AUDIT_RESTING);
    } else if (at->state == AUDIT_LOADING) {
        at->day_ms = statement_day(INSTANT_UNSET, flow->options.wall_ms(), 0, 1);
        audit_enter(at, AUDIT_MARKING);
    }
    flow_release(flow);
}

static void last_ask(struct audit *at)
{
    flow_hold(at->flow);
    store_get(at->flow->store, AUDIT_SETTING, on_last, at);
}

/* The only writer of at->state. */
static void audit_enter(struct audit *at, enum audit_state next)
{
    if (at->state == AUDIT_ENDED) return;
    at->state = next;
    switch (next) {
    case AUDIT_LOADING:
        last_ask(at);
        break;
    case AUDIT_RESTING: /* until audit_look() */
        break;
    case AUDIT_ASKING:
        type_begin(at);
        break;
    case AUDIT_COUNTING:
        journal_ask(at);
        break;
    case AUDIT_MARKING:
        day_mark(at);
        break;
    case AUDIT_ENDED:
        server_cancel(TAKE(at->call));
        break;
    }
}

/* ---- from outside */

void audit_init(struct flow *flow)
{
    flow->audit.flow = flow;
    flow->audit.last_ms = INSTANT_UNSET;
    audit_enter(&flow->audit, AUDIT_LOADING);
}

void audit_look(struct flow *flow)
{
    struct audit *at = &flow->audit;
    int64_t settle = flow->options.poll_ms + flow->options.overlap_ms + AUDIT_SETTLE, day;

    if (at->state != AUDIT_RESTING || !flow->ready || uv_now(flow->loop) < at->wait_until_ms)
        return;
    day = statement_day(at->last_ms, flow->options.wall_ms(), settle, AUDIT_DAYS_MAX);
    if (day == INSTANT_UNSET) return;
    at->day_ms = day;
    at->kind = 0;
    at->asked_total = false;
    at->hour = 0;
    at->ours = 0;
    audit_enter(at, AUDIT_ASKING);
}

void audit_stop(struct flow *flow)
{
    audit_enter(&flow->audit, AUDIT_ENDED);
}

void audit_write(const struct flow *flow, struct buf *out)
{
    static const char name[] = "statement_resources";
    const struct audit *at = &flow->audit;

    metric_family(out, name, "gauge",
                  "resources changed in the last day that was stated: as the server counts, and as "
                  "the journal knows");
    for (size_t i = 0; i < CAPABILITY_KINDS; i++) {
        if (!at->of[i].told) continue;
        metric_sample(out, name,
                      METRIC_LABELS({ "type", flow->catchup[i].type }, { "by", "server" }),
                      at->of[i].theirs);
        metric_sample(out, name,
                      METRIC_LABELS({ "type", flow->catchup[i].type }, { "by", "journal" }),
                      at->of[i].ours);
    }
    metric_family(out, "statement_missed_total", "counter",
                  "resources that the server had more than the journal in a day that was stated");
    metric_sample(out, "statement_missed_total", NULL, 0, at->missed);
}
