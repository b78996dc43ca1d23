/* An event that names no patient: the resource says whose it is, or, when it is deleted, the chart
 * that holds it. */
#include <string.h>

#include "base/instant.h"
#include "flow/holder.h"
#include "flow/visit_impl.h"

static void find_end(struct visit *visit, enum event_fate fate, const char *reason)
{
    visit_decide(visit, 0, fate, reason);
    visit_enter(visit, VISIT_COMMITTING);
}

/* ---- asking the store */

static void on_resolved(struct err *err, void *arg)
{
    visit_stored(arg, err);
}

static void resolve(struct visit *visit)
{
    flow_hold(visit->flow);
    store_resolve(visit->flow->store, &visit->found, on_resolved, visit);
}

static void on_holder(const char *patient, void *arg)
{
    struct visit *visit = arg;
    struct flow *flow = visit->flow;

    if (visit->stopped) {
        visit_release(visit);
    } else if (patient) {
        visit->found.patient = patient;
        resolve(visit);
    } else {
        work_gone_add(flow, visit->found.type, visit->found.id);
        find_end(visit, FATE_DONE, "");
    }
    flow_release(flow);
}

void visit_find_ask(struct visit *visit)
{
    if (visit->found.patient[0]) {
        resolve(visit);
    } else {
        flow_hold(visit->flow);
        holder_find(visit->flow->store, visit->found.type, visit->found.id, on_holder, visit);
    }
}

/* ---- reading the resource */

static void deleted(struct visit *visit)
{
    visit->found = visit->work.events[0];
    visit->found.change = CHANGE_DELETED;
    visit->found.patient = "";
    visit->found.payload = NULL;
    visit_enter(visit, VISIT_ASKING);
}

static void learned(struct visit *visit, const struct resource_head *head,
                    const struct http_reply *reply)
{
    visit->found = visit->work.events[0];
    visit->found.version = head->version;
    visit->found.patient = head->patient;
    visit->found.updated_ms = head->updated_ms;
    visit->found.change = CHANGE_WRITTEN;
    visit->found.payload = reply->body;
    visit->found.payload_len = reply->body_len;
    visit_enter(visit, VISIT_ASKING);
}

static void read_answer(struct visit *visit, const struct server_answer *answer)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    if (!server_document(answer, &doc, &err)) {
        visit_release(visit);
        return;
    }
    struct node root = node_root(doc);
    if (!resource_head_read(&root, &visit->arena, &head, &err))
        find_end(visit, FATE_ASIDE, err.code);
    else if (!head.patient[0])
        find_end(visit, FATE_ASIDE, "event.no-patient");
    else
        learned(visit, &head, answer->reply);
}

static void on_answer(const struct server_answer *answer, void *arg)
{
    struct visit *visit = arg;

    visit->call = NULL;
    if (answer->status == 404 || answer->status == 410)
        deleted(visit);
    else if (!answer->err.code)
        read_answer(visit, answer);
    else if (answer->err.kind == ERR_PERMANENT)
        find_end(visit, FATE_ASIDE, answer->err.code);
    else
        visit_release(visit);
}

void visit_find_read(struct visit *visit)
{
    const struct store_event *event = &visit->work.events[0];
    AUTO(buf_done) struct buf path = { 0 };

    buf_printf(&path, "%s/%s", event->type, event->id);
    visit->call = server_start(
        visit->flow, &(struct server_request){ .method = "GET", .path = buf_string(&path) },
        on_answer, visit);
}

/* ---- deciding */

/* Why nothing can be done with the payload of an event that names no id. */
static const char *broken_code(struct visit *visit, const struct store_event *event)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    if (!event->payload) return "event.no-id";
    if (!doc_parse(event->payload, event->payload_len, 0, &doc, &err)) return err.code;
    struct node root = node_root(doc);
    return resource_head_read(&root, &visit->arena, &head, &err) ? "event.no-id" : err.code;
}

void visit_find(struct visit *visit)
{
    const struct store_event *event = &visit->work.events[0];

    if (!resource_is_used(event->type) || strcmp(event->type, "Medication") == 0 ||
        event->change == CHANGE_HINT)
        find_end(visit, FATE_OUTSIDE, "");
    else if (!event->id[0])
        find_end(visit, FATE_ASIDE, broken_code(visit, event));
    else if (event->change == CHANGE_DELETED)
        deleted(visit);
    else if (event->payload)
        find_end(visit, FATE_ASIDE, "event.no-patient");
    else
        visit_enter(visit, VISIT_QUEUED);
}
