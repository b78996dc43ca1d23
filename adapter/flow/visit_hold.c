/* Keeps in mind which chart holds which resource. A resource that comes into a chart while another
 * one holds it was moved to another patient: that one's chart is looked at again. */
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"
#include "flow/holder.h"
#include "flow/visit_impl.h"

struct asked {
    struct visit *visit;
    const char *type, *id; /* in the visit's arena */
};

/* Medications belong to no patient. */
static bool is_held_once(const struct shelf_item *item)
{
    return strcmp(item->resource.type, "Medication") != 0 &&
           strcmp(item->resource.type, SHELF_READ_MARK) != 0;
}

/* It came, or came again in another version: it may have been elsewhere in between. */
static bool is_taken(const struct shelf_item *item)
{
    return item->changed && !item->removed && !item->gone && is_held_once(item);
}

static void moved_add(struct visit *visit, const struct asked *asked, const char *from)
{
    visit->moved = mem_resize(visit->moved, (visit->moved_count + 1) * sizeof *visit->moved);
    visit->moved[visit->moved_count++] =
        (struct visit_moved){ asked->type, asked->id, visit_keep(visit, from) };
}

static void hold_end(struct visit *visit)
{
    if (visit->holders_open) return;
    if (visit->stopped)
        visit_release(visit);
    else
        visit_enter(visit, VISIT_COMMITTING);
}

static void on_holder(const char *patient, void *arg)
{
    struct asked *asked = arg;
    struct visit *visit = asked->visit;
    struct flow *flow = visit->flow;

    visit->holders_open--;
    if (patient && strcmp(patient, visit->work.patient) != 0) moved_add(visit, asked, patient);
    hold_end(visit);
    flow_release(flow);
}

static void ask(struct visit *visit, const char *type, const char *id)
{
    struct asked *asked = arena_alloc(&visit->arena, sizeof *asked);

    *asked = (struct asked){ visit, type, id };
    visit->holders_open++;
    flow_hold(visit->flow);
    holder_find(visit->flow->store, asked->type, asked->id, on_holder, asked);
}

/* Of somebody whom we do not look after nothing is held, but it may have been somebody else's. */
static void ask_events(struct visit *visit)
{
    for (size_t i = 0; i < visit->work.event_count; i++) {
        const struct store_event *event = &visit->work.events[i];
        if (event->id[0] && event->change == CHANGE_WRITTEN) ask(visit, event->type, event->id);
    }
}

static void ask_items(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        const struct shelf_item *item = &visit->shelf.items[i];
        if (is_taken(item)) ask(visit, item->resource.type, item->resource.id);
    }
}

void visit_hold(struct visit *visit)
{
    visit->moved_count = 0;
    if (visit->outside)
        ask_events(visit);
    else
        ask_items(visit);
    hold_end(visit);
}

static void on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct flow *flow = arg;

    if (accepted->err) flow_fail(flow, accepted->err);
    flow_release(flow);
}

static void tell_former(struct visit *visit, const struct visit_moved *moved)
{
    struct flow *flow = visit->flow;
    struct store_event event = { .accepted_ms = flow->options.wall_ms(),
                                 .via = VIA_READ,
                                 .change = CHANGE_WRITTEN,
                                 .type = moved->type,
                                 .id = moved->id,
                                 .version = "",
                                 .patient = moved->from,
                                 .updated_ms = INSTANT_UNSET };

    flow_hold(flow);
    store_accept(flow->store, &event, 1, on_accepted, flow);
}

void visit_hold_write(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count && !visit->outside; i++) {
        const struct shelf_item *item = &visit->shelf.items[i];
        const struct store_resource *r = &item->resource;
        if (is_taken(item))
            holder_set(visit->flow->store, r->type, r->id, visit->work.patient);
        else if (!visit->in_cohort && item->held && is_held_once(item))
            holder_set(visit->flow->store, r->type, r->id, NULL);
    }
    for (size_t i = 0; i < visit->moved_count; i++) tell_former(visit, &visit->moved[i]);
}
