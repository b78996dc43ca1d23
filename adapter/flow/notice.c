#include "flow/notice.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"

/* ---- events */

static enum event_change change_of(const struct notification_item *item)
{
    if (!item->id[0]) return CHANGE_HINT;
    return item->deleted ? CHANGE_DELETED : CHANGE_WRITTEN;
}

static struct store_event event_of(const struct flow *flow, const struct notification_item *item,
                                   enum event_via via, struct arena *arena)
{
    struct store_event event = { .accepted_ms = flow->options.wall_ms(),
                                 .via = via,
                                 .change = change_of(item),
                                 .type = item->type,
                                 .id = item->id,
                                 .version = item->version,
                                 .patient = item->deleted ? "" : item->patient,
                                 .updated_ms = item->updated_ms,
                                 .payload = item->payload,
                                 .payload_len = item->payload_len };

    if (!event.version[0] && event.payload && event.id[0]) {
        char *mark = arena_alloc(arena, INTAKE_MARK_SIZE);
        intake_mark(event.payload, event.payload_len, mark);
        event.version = mark;
    }
    return event;
}

/* Types that no chart needs are not kept, but counted: they are outside of what we look after. */
static size_t events_of(struct flow *flow, const struct notification *notification,
                        enum event_via via, struct arena *arena, struct store_event **ret)
{
    struct store_event *events =
        arena_alloc(arena, (notification->item_count + 1) * sizeof *events);
    size_t count = 0;

    for (size_t i = 0; i < notification->item_count; i++) {
        const struct notification_item *item = &notification->items[i];
        if (resource_is_used(item->type))
            events[count++] = event_of(flow, item, via, arena);
        else
            metric_add(flow->metrics, METRIC_EVENTS_OUTSIDE, 1);
    }
    *ret = events;
    return count;
}

/* ---- one notification */

struct notice {
    struct flow *flow;
    enum event_via via;
    int64_t bytes;               /* of payloads */
    struct subscribe *subscribe; /* NULL: we do not subscribe to that type */
    struct notification told;    /* its counters; strings and the one item are below */
    struct notification_item item;
    char subscription[72], status[40];
    bool unsure; /* an event of it has no version */
    notice_done_fn *done;
    void *arg;
};

/* What the watch needs to know when the journal has answered. */
static void notice_keep(struct notice *notice, const struct notification *told)
{
    notice->told = *told;
    snprintf(notice->subscription, sizeof notice->subscription, "%s", told->subscription);
    snprintf(notice->status, sizeof notice->status, "%s", told->status);
    notice->told.subscription = notice->subscription;
    notice->told.status = notice->status;
    notice->item = (struct notification_item){ .id = "" };
    for (size_t i = 0; i < told->item_count; i++)
        if (told->items[i].id[0]) notice->item.id = "named";
    notice->told.items = &notice->item;
    notice->told.item_count = told->item_count ? 1 : 0;
}

static enum feed_content content_of(const struct notice *notice,
                                    const struct store_accepted *accepted)
{
    if (!accepted->fresh) return FEED_KNOWN;
    return notice->unsure ? FEED_UNSURE : FEED_NEW;
}

static void notice_on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct notice *notice = arg;
    struct flow *flow = notice->flow;

    if (!accepted->err && notice->subscribe)
        watch_tell(notice->subscribe, &notice->told, content_of(notice, accepted));
    if (notice->done) notice->done(accepted->err, notice->arg);
    if (accepted->err) {
        flow_fail(flow, accepted->err);
    } else {
        ledger_accepted(flow, notice->via, accepted, notice->bytes);
        if (accepted->fresh) work_poke(flow);
        clock_poke(flow, 1000);
    }
    free(notice);
    flow_release(flow);
}

static void notice_start(struct notice *notice, const struct store_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        notice->bytes += (int64_t)events[i].payload_len;
        if (!events[i].version[0]) notice->unsure = true;
        log_event(LOG_LEVEL_DEBUG, "event-in", LOG_TYPE, events[i].type, LOG_ID, events[i].id,
                  LOG_END);
    }
    flow_hold(notice->flow);
    store_accept(notice->flow->store, events, count, notice_on_accepted, notice);
}

void notice_take(struct flow *flow, const char *type, const struct notification *notification,
                 enum event_via via, notice_done_fn *done, void *arg)
{
    struct subscribe *subscribe = subscribe_of(flow, type);
    struct arena arena = { 0 };
    struct store_event *events;
    size_t count = events_of(flow, notification, via, &arena, &events);

    if (count == 1 && events[0].change == CHANGE_HINT && catchup_has_hint(flow, events[0].type)) {
        static const struct store_accepted told = { .duplicates = 1 };
        ledger_accepted(flow, via, &told, 0);
        count = 0;
    }
    if (count) {
        struct notice *notice = mem_new(struct notice);
        *notice = (struct notice){
            .flow = flow, .via = via, .subscribe = subscribe, .done = done, .arg = arg
        };
        notice_keep(notice, notification);
        notice_start(notice, events, count);
    } else {
        if (subscribe) watch_tell(subscribe, notification, FEED_UNSURE);
        if (done) done(NULL, arg);
    }
    arena_done(&arena);
}
