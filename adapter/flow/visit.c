#include "flow/visit.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "flow/visit_impl.h"

const char *visit_keep(struct visit *visit, const char *text)
{
    return arena_copy(&visit->arena, text, strlen(text));
}

/* ---- a copy of the work */

static void events_copy(struct visit *visit, const struct store_work *work)
{
    struct store_event *events =
        arena_alloc(&visit->arena, (work->event_count + 1) * sizeof *events);

    for (size_t i = 0; i < work->event_count; i++) {
        const struct store_event *from = &work->events[i];
        events[i] = *from;
        events[i].type = visit_keep(visit, from->type);
        events[i].id = visit_keep(visit, from->id);
        events[i].version = visit_keep(visit, from->version);
        events[i].patient = visit_keep(visit, from->patient);
        if (from->payload)
            events[i].payload = arena_copy(&visit->arena, from->payload, from->payload_len);
    }
    visit->work.events = events;
}

static void alerts_copy(struct visit *visit, const struct store_work *work)
{
    struct store_alert *alerts =
        arena_alloc(&visit->arena, (work->alert_count + 1) * sizeof *alerts);

    for (size_t i = 0; i < work->alert_count; i++) {
        const struct store_alert *from = &work->alerts[i];
        alerts[i] = *from;
        alerts[i].key = visit_keep(visit, from->key);
        alerts[i].identity = visit_keep(visit, from->identity);
        alerts[i].rule = visit_keep(visit, from->rule);
        alerts[i].state = visit_keep(visit, from->state);
        alerts[i].content = visit_keep(visit, from->content);
    }
    visit->work.alerts = alerts;
}

static struct visit *visit_new(struct flow *flow, const struct store_work *work)
{
    struct visit *visit = mem_new(struct visit);

    visit->flow = flow;
    visit->work = *work;
    visit->work.patient = visit_keep(visit, work->patient);
    events_copy(visit, work);
    alerts_copy(visit, work);
    shelf_init(&visit->shelf, &visit->arena, work->resources, work->resource_count);
    visit->work.resources = NULL;
    visit->fates = mem_zero(work->event_count + 1, sizeof *visit->fates);
    if ((visit->next = flow->work.visits)) visit->next->link = &visit->next;
    visit->link = &flow->work.visits;
    flow->work.visits = visit;
    return visit;
}

static void visit_free(struct visit *visit)
{
    if ((*visit->link = visit->next)) visit->next->link = visit->link;
    shelf_done(&visit->shelf);
    plan_free(visit->assessment.plan);
    free(visit->fates);
    free(visit->wants);
    free(visit->moved);
    arena_done(&visit->arena);
    free(visit);
}

/* ---- fates */

void visit_decide(struct visit *visit, size_t i, enum event_fate fate, const char *reason)
{
    if (!visit->fates[i].decided) visit->fates[i] = (struct visit_fate){ true, fate, reason };
}

void visit_decide_all(struct visit *visit, const char *type, const char *id, enum event_fate fate,
                      const char *reason)
{
    for (size_t i = 0; i < visit->work.event_count; i++) {
        const struct store_event *event = &visit->work.events[i];
        if (!type || (strcmp(event->type, type) == 0 && strcmp(event->id, id) == 0))
            visit_decide(visit, i, fate, reason);
    }
}

/* ---- the life of a visit */

static void leave_readers(struct visit *visit)
{
    if (visit->state == VISIT_QUEUED) work_leaves_queue(visit->flow, visit);
    if (!visit->reading) return;
    visit->reading = false;
    work_has_read(visit->flow);
}

void visit_release(struct visit *visit)
{
    struct flow *flow = visit->flow;
    int64_t wait = flow_is_stopping(flow) ? 0 : work_retry_ms(flow);

    visit->released = true;
    visit_read_cancel(visit);
    store_release(flow->store, visit->work.patient,
                  visit->work.event_count ? visit->work.events[0].seq : 0, clock_now(flow) + wait);
    visit_enter(visit, VISIT_ENDED);
}

void visit_stored(struct visit *visit, struct err *err)
{
    struct flow *flow = visit->flow;

    if (err) {
        flow_fail(flow, err);
        visit_release(visit);
    } else {
        visit_enter(visit, VISIT_ENDED);
    }
    flow_release(flow);
}

static void read_begin(struct visit *visit)
{
    visit->reading = true;
    if (visit->work.patient[0])
        visit_read(visit);
    else
        visit_find_read(visit);
}

static void queue(struct visit *visit)
{
    if (visit->reading || work_may_read(visit->flow, visit)) visit_enter(visit, VISIT_READING);
}

static void end(struct visit *visit)
{
    struct flow *flow = visit->flow;
    bool done = !visit->released;

    if (visit->look) look_ended(flow, visit->work.patient, done, visit->commands);
    visit_free(visit);
    work_visit_ended(flow, done);
}

/* The only writer of visit->state. */
void visit_enter(struct visit *visit, enum visit_state next)
{
    if (next != VISIT_READING && next != VISIT_QUEUED) leave_readers(visit);
    visit->state = next;
    switch (next) {
    case VISIT_FINDING:
        visit_find(visit);
        break;
    case VISIT_SORTING:
        visit_sort(visit);
        break;
    case VISIT_QUEUED:
        queue(visit);
        break;
    case VISIT_READING:
        read_begin(visit);
        break;
    case VISIT_ASKING:
        if (visit->work.patient[0])
            visit_hold(visit);
        else
            visit_find_ask(visit);
        break;
    case VISIT_COMMITTING:
        visit_commit(visit);
        break;
    case VISIT_ENDED:
        end(visit);
        break;
    }
}

void visit_on_turn(struct visit *visit)
{
    visit_enter(visit, VISIT_READING);
}

/* The next whole reading comes with a look, where there are looks, before it is due by itself. */
static bool is_unread(const struct visit *visit)
{
    int64_t now = clock_now(visit->flow), read = visit->shelf.read_ms;

    return !visit->work.complete || read == INSTANT_UNSET || read > now ||
           now - read >= (visit->look ? VISIT_AUDIT_MS / 2 : VISIT_AUDIT_MS);
}

/* What is known of a patient decides where to begin. */
static void begin(struct visit *visit)
{
    if (!visit->work.patient[0]) {
        visit_enter(visit, VISIT_FINDING);
        return;
    }
    visit->trial = !visit->work.in_cohort;
    visit->commands = visit->flow->look.commands;
    for (size_t i = 0; i < visit->work.event_count; i++)
        visit->look |= look_is_one(&visit->work.events[i]);
    visit->whole_wanted = visit->work.in_cohort && is_unread(visit);
    visit->look_wanted = visit->look && !visit->whole_wanted;
    visit_enter(visit, visit->whole_wanted || visit->look_wanted ? VISIT_QUEUED : VISIT_SORTING);
}

void visit_start(struct flow *flow, const struct store_work *work)
{
    begin(visit_new(flow, work));
}

/* One that has asked the store ends when that has answered. */
static void visit_stop(struct visit *visit)
{
    visit->stopped = true;
    if (visit->state != VISIT_COMMITTING && visit->state != VISIT_ASKING) visit_release(visit);
}

void visit_stop_all(struct flow *flow)
{
    struct visit *next;

    flow->work.queue = NULL;
    for (struct visit *visit = flow->work.visits; visit; visit = next) {
        next = visit->next;
        visit_stop(visit);
    }
}

struct visit **visit_next_queued(struct visit *visit)
{
    return &visit->next_queued;
}
