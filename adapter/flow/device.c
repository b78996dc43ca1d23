#include "flow/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

static void device_enter(struct flow *flow, enum device_state next);

/* ---- ends */

static void device_ready(struct flow *flow, const char *id)
{
    struct device *device = &flow->deliver.device;

    snprintf(device->id, sizeof device->id, "%s", id);
    snprintf(device->reference, sizeof device->reference, "Device/%s", id);
    device_enter(flow, DEVICE_READY);
}

/* For now: deliveries wait. For good: they go without an author. */
static void device_fail(struct flow *flow, const struct err *err, int64_t asked_ms)
{
    if (err->kind == ERR_PERMANENT) {
        log_event(LOG_LEVEL_WARN, "device-refused", LOG_CODE, err->code, LOG_FIX,
                  "let the adapter's account create Device; until the next start alerts carry no "
                  "author",
                  LOG_END);
        device_enter(flow, DEVICE_REFUSED);
    } else {
        device_enter(flow, DEVICE_UNKNOWN);
        if (!server_held(err)) deliver_failed(flow, asked_ms);
    }
}

/* ---- under an id of our choice */

static void on_put(const struct server_answer *answer, void *arg)
{
    struct flow *flow = arg;
    char id[64];

    flow->deliver.device.call = NULL;
    device_id(flow->options.name, id, sizeof id);
    if (!answer->err.code)
        device_ready(flow, id);
    else if (answer->status == 404 || answer->status == 405)
        device_enter(flow, DEVICE_SEARCHING);
    else
        device_fail(flow, &answer->err, answer->reply->retry_after_ms);
}

static void device_put(struct flow *flow)
{
    char *body = device_build(flow->options.name, &flow->deliver.issue), id[64], path[80];

    device_id(flow->options.name, id, sizeof id);
    snprintf(path, sizeof path, "Device/%s", id);
    flow->deliver.device.call =
        server_start(flow, &(struct server_request){ .method = "PUT", .path = path, .body = body },
                     on_put, flow);
    free(body);
}

/* ---- under an id of the server's choice */

/* "system|value" of our identifier, escaped. */
static void identifier_of(const struct flow *flow, struct buf *ret)
{
    AUTO(buf_done) struct buf text = { 0 };
    bool urn = strncmp(flow->options.system, "urn:", 4) == 0;
    char id[64];

    device_id(flow->options.name, id, sizeof id);
    buf_printf(&text, "%s%sdevice|%s", flow->options.system, urn ? ":" : "/", id);
    buf_text(ret, "identifier=");
    server_escape(ret, buf_string(&text));
}

static void on_posted(const struct server_answer *answer, void *arg)
{
    struct flow *flow = arg;
    struct server_identity identity;
    struct err err;

    flow->deliver.device.call = NULL;
    if (answer->err.code) {
        device_fail(flow, &answer->err, answer->reply->retry_after_ms);
        return;
    }
    server_identity(answer, "Device", &identity);
    if (identity.id[0]) {
        device_ready(flow, identity.id);
    } else { /* it is there now: the search of the next attempt finds it */
        err_set(&err, ERR_TRANSIENT, "device.unnamed", "the server does not say its id");
        device_fail(flow, &err, 0);
    }
}

static void device_post(struct flow *flow)
{
    AUTO(buf_done) struct buf condition = { 0 };
    char *body = device_build(flow->options.name, &flow->deliver.issue);

    identifier_of(flow, &condition);
    flow->deliver.device.call =
        server_start(flow,
                     &(struct server_request){ .method = "POST",
                                               .path = "Device",
                                               .if_none_exist = buf_string(&condition),
                                               .body = body },
                     on_posted, flow);
    free(body);
}

static void on_entry(const struct bundle_entry *entry, void *arg)
{
    struct flow *flow = arg;
    struct device *device = &flow->deliver.device;
    AUTO(doc_free) struct doc *doc = NULL;
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;
    char value[64];

    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) return;
    struct node root = node_root(doc);
    device_id(flow->options.name, value, sizeof value);
    if (resource_head_read(&root, &arena, &head, &err) && strcmp(head.type, "Device") == 0 &&
        resource_has_identifier(&root, value) && !device->id[0])
        snprintf(device->id, sizeof device->id, "%s", head.id);
    arena_done(&arena);
}

static void on_page(void *arg)
{
    struct flow *flow = arg;

    pages_next(flow->deliver.device.pages);
}

static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct flow *flow = arg;
    char id[80];

    (void)status;
    flow->deliver.device.pages = NULL;
    memcpy(id, flow->deliver.device.id, sizeof id);
    if (err)
        device_fail(flow, err, 0);
    else if (id[0])
        device_ready(flow, id);
    else
        device_enter(flow, DEVICE_POSTING);
}

static void device_search(struct flow *flow)
{
    static const struct pages_reader reader = { on_entry, NULL, on_page, on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };

    flow->deliver.device.id[0] = '\0';
    buf_text(&path, "Device?");
    identifier_of(flow, &path);
    flow->deliver.device.pages = pages_start(flow, buf_string(&path), &reader, flow);
}

/* ---- */

/* The only writer of device.state. */
static void device_enter(struct flow *flow, enum device_state next)
{
    struct device *device = &flow->deliver.device;

    device->state = next;
    switch (next) {
    case DEVICE_UNKNOWN:
        break;
    case DEVICE_PUTTING:
        device_put(flow);
        break;
    case DEVICE_SEARCHING:
        device_search(flow);
        break;
    case DEVICE_POSTING:
        device_post(flow);
        break;
    case DEVICE_READY:
    case DEVICE_REFUSED:
        flow->deliver.issue.device = device->reference;
        deliver_poke(flow);
        break;
    }
}

void device_ensure(struct flow *flow)
{
    if (flow->deliver.device.state != DEVICE_UNKNOWN) return;
    device_enter(flow, flow->capability.device_update_create ? DEVICE_PUTTING : DEVICE_SEARCHING);
}

bool device_is_settled(const struct flow *flow)
{
    enum device_state state = flow->deliver.device.state;

    return state == DEVICE_READY || state == DEVICE_REFUSED;
}

void device_stop(struct flow *flow)
{
    server_cancel(TAKE(flow->deliver.device.call));
    pages_cancel(TAKE(flow->deliver.device.pages));
}
