#include "fhir/notification.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/mem.h"
#include "base/node.h"
#include "fhir/datatype.h"
#include "fhir/reference.h"
#include "fhir/resource.h"

struct reader {
    const struct notification_request *request;
    struct arena *arena;
    struct notification *ret;
    struct notification_item *items; /* owned: room for `room` of them */
    size_t room;
    bool overflow; /* more items than we keep */
};

#define NEARBY 1000 /* items looked at for an equal one: a second one costs time, nothing else */

/* ---- items */

static char *keep(struct reader *reader, const char *text)
{
    return arena_copy(reader->arena, text, strlen(text));
}

static struct notification_item *new_item(struct reader *reader)
{
    size_t count = reader->ret->item_count;

    if (count == NOTIFICATION_ITEMS_MAX) {
        reader->overflow = true;
        return NULL;
    }
    if (count == reader->room) {
        reader->room = count ? 2 * count : 8;
        reader->items = mem_resize(reader->items, reader->room * sizeof *reader->items);
    }
    return &reader->items[reader->ret->item_count++];
}

/* The item of that type and id, which may be new; NULL when there are too many. Valid until the
 * next call. */
static struct notification_item *item_for(struct reader *reader, const char *type, const char *id)
{
    size_t count = reader->ret->item_count;

    for (size_t i = count; i-- > 0 && count - i <= NEARBY;)
        if (strcmp(reader->items[i].id, id) == 0 && strcmp(reader->items[i].type, type) == 0)
            return &reader->items[i];
    struct notification_item *item = new_item(reader);
    if (item)
        *item = (struct notification_item){ .type = keep(reader, type),
                                            .id = keep(reader, id),
                                            .version = "",
                                            .patient = "",
                                            .updated_ms = INSTANT_UNSET };
    return item;
}

/* "Something of this type changed." */
static void add_hint(struct reader *reader, const char *type)
{
    item_for(reader, type, "");
}

static void add_reference(struct reader *reader, const struct reference *reference)
{
    struct notification_item *item = item_for(reader, reference->type, reference->id);

    if (item && *reference->version) item->version = keep(reader, reference->version);
}

/* The slice of the body that a value came from; the text is known to be sound. */
static void set_payload(struct reader *reader, const struct doc_value *value,
                        struct notification_item *item)
{
    const char *end = reader->request->body + reader->request->body_len;

    item->payload = reader->request->body + value->offset;
    item->payload_len = (size_t)(doc_skip(item->payload, end) - item->payload);
}

/* A resource with a head. A second one of the same id (two versions in one history) takes the place
 * of the first where it is newer. */
static void add_resource(struct reader *reader, const struct node *at,
                         const struct resource_head *head)
{
    struct notification_item *item = item_for(reader, head->type, head->id);

    if (!item || !*head->id) return;
    if (item->payload && item->updated_ms > head->updated_ms) return;
    item->version = *head->version ? head->version : item->version;
    item->patient = head->patient;
    item->updated_ms = head->updated_ms;
    item->deleted = false;
    set_payload(reader, at->value, item);
}

/* ---- status of a topic subscription */

static uint64_t counter(const struct node *at)
{
    const char *text = at->value ? node_scalar(at) : NULL;
    char *end;

    if (!text || *text < '0' || *text > '9') return 0;
    errno = 0;
    uint64_t n = strtoull(text, &end, 10);
    return errno || *end ? 0 : n;
}

static void set_subscription(struct reader *reader, const char *text)
{
    struct reference reference;

    if (!text) return;
    if (reference_parse(text, &reference))
        reader->ret->subscription = keep(reader, reference.id);
    else if (reference_id_ok(text))
        reader->ret->subscription = keep(reader, text);
}

static void set_status(struct reader *reader, const char *text)
{
    if (text) reader->ret->status = datatype_keep(reader->arena, text, 40);
}

/* What the type of a notification means; in doubt it is about changes. */
static void set_kind(struct reader *reader, const char *type)
{
    static const struct {
        const char *type;
        enum notification_kind kind;
    } kinds[] = { { "handshake", NOTIFICATION_HANDSHAKE },
                  { "heartbeat", NOTIFICATION_HEARTBEAT },
                  { "query-status", NOTIFICATION_STATUS } };

    for (size_t i = 0; type && i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type, type) == 0) reader->ret->kind = kinds[i].kind;
}

static void add_focus(struct reader *reader, const struct node *at)
{
    const char *text = node_text(at, "reference");
    struct reference reference;

    if (text && reference_parse(text, &reference) && *reference.type)
        add_reference(reader, &reference);
}

/* One event of the status: its number, and when it happened. Some servers number all of them 0. */
static void add_event(struct reader *reader, uint64_t number, int64_t when_ms)
{
    struct notification *ret = reader->ret;

    ret->event_count++;
    if (when_ms > ret->told_ms) ret->told_ms = when_ms;
    if (!number) return;
    if (!ret->first_event || number < ret->first_event) ret->first_event = number;
    if (number > ret->last_event) ret->last_event = number;
}

/* SubscriptionStatus of R4B and R5; some servers send it in R4. */
static void read_status(struct reader *reader, const struct node *at)
{
    struct node subscription = node_get(at, "subscription");
    struct node count = node_get(at, "eventsSinceSubscriptionStart");
    struct node events = node_get(at, "notificationEvent");
    size_t event_count = datatype_count(&events);

    set_subscription(reader, node_text(&subscription, "reference"));
    set_status(reader, node_text(at, "status"));
    set_kind(reader, node_text(at, "type"));
    reader->ret->events_since_start = counter(&count);
    for (size_t i = 0; i < event_count; i++) {
        struct node event = datatype_item(&events, i), focus = node_get(&event, "focus");
        struct node number = node_get(&event, "eventNumber");
        add_focus(reader, &focus);
        add_event(reader, counter(&number), datatype_start(&event, "timestamp", INSTANT_UNSET));
    }
}

/* The text of a parameter, of whatever type. */
static const char *parameter_text(const struct node *at)
{
    static const char *const keys[] = { "valueCode", "valueString", "valueUri", "valueId" };
    struct node reference = node_get(at, "valueReference");
    const char *text = node_text(&reference, "reference");

    for (size_t i = 0; !text && i < ARRAY_SIZE(keys); i++) text = node_text(at, keys[i]);
    return text;
}

static uint64_t parameter_counter(const struct node *at)
{
    static const char *const keys[] = { "valueString", "valueInteger", "valueInteger64",
                                        "valueUnsignedInt", "valueDecimal" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct node value = node_get(at, keys[i]);
        if (value.value) return counter(&value);
    }
    return 0;
}

static void read_event_parts(struct reader *reader, const struct node *at)
{
    struct node parts = node_get(at, "part");
    size_t count = datatype_count(&parts);
    uint64_t number = 0;
    int64_t when_ms = INSTANT_UNSET;

    for (size_t i = 0; i < count; i++) {
        struct node part = datatype_item(&parts, i), value = node_get(&part, "valueReference");
        const char *name = node_text(&part, "name");
        if (!name) continue;
        if (strcmp(name, "focus") == 0)
            add_focus(reader, &value);
        else if (strcmp(name, "event-number") == 0)
            number = parameter_counter(&part);
        else if (strcmp(name, "timestamp") == 0)
            when_ms = datatype_start(&part, "valueInstant", INSTANT_UNSET);
    }
    add_event(reader, number, when_ms);
}

/* The same as Parameters, as the R4 backport has it. False when it is something else. */
static bool read_parameters(struct reader *reader, const struct node *at)
{
    struct node list = node_get(at, "parameter");
    size_t count = datatype_count(&list);
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *name = node_text(&item, "name");
        if (!name) continue;
        if (strcmp(name, "subscription") == 0) {
            set_subscription(reader, parameter_text(&item));
            found = true;
        } else if (strcmp(name, "status") == 0) {
            set_status(reader, parameter_text(&item));
        } else if (strcmp(name, "type") == 0) {
            set_kind(reader, parameter_text(&item));
            found = true;
        } else if (strcmp(name, "events-since-subscription-start") == 0) {
            reader->ret->events_since_start = parameter_counter(&item);
        } else if (strcmp(name, "notification-event") == 0) {
            read_event_parts(reader, &item);
        }
    }
    return found;
}

static bool is_type(const struct node *at, const char *type)
{
    const char *text = node_text(at, "resourceType");

    return text && strcmp(text, type) == 0;
}

/* Read the status resource; false when at is none. */
static bool read_any_status(struct reader *reader, const struct node *at)
{
    if (is_type(at, "SubscriptionStatus")) {
        read_status(reader, at);
        return true;
    }
    return is_type(at, "Parameters") && read_parameters(reader, at);
}

/* ---- Bundles */

/* An entry without a resource: its reference, and whether it is a deletion. */
static void read_bare_entry(struct reader *reader, const struct node *entry)
{
    struct node request = node_get(entry, "request");
    const char *method = node_text(&request, "method"), *url = node_text(&request, "url");
    const char *full = node_text(entry, "fullUrl");
    struct reference reference;

    if (!(full && reference_parse(full, &reference) && *reference.type) &&
        !(url && reference_parse(url, &reference) && *reference.type))
        return;
    struct notification_item *item = item_for(reader, reference.type, reference.id);
    if (item && method && strcmp(method, "DELETE") == 0) item->deleted = !item->payload;
}

static void read_bundle(struct reader *reader, const struct node *bundle, unsigned depth,
                        bool *ret_status);

static void read_entry(struct reader *reader, const struct node *entry, unsigned depth,
                       bool *ret_status)
{
    struct node resource = node_get(entry, "resource");
    struct resource_head head;
    struct err ignored;

    if (!resource.value) {
        read_bare_entry(reader, entry);
    } else if (is_type(&resource, "Bundle")) {
        if (depth < 2) read_bundle(reader, &resource, depth + 1, ret_status);
    } else if (is_type(&resource, "MessageHeader")) {
        return;
    } else if (read_any_status(reader, &resource)) {
        *ret_status = true;
    } else if (resource_head_read(&resource, reader->arena, &head, &ignored)) {
        if (*head.id)
            add_resource(reader, &resource, &head);
        else
            add_hint(reader, head.type);
    } else {
        add_hint(reader, reader->request->expected);
    }
}

/* A Bundle of whatever type; a message holds the Bundle proper. */
static void read_bundle(struct reader *reader, const struct node *bundle, unsigned depth,
                        bool *ret_status)
{
    struct node entries = node_get(bundle, "entry");
    size_t count = datatype_count(&entries);

    for (size_t i = 0; i < count; i++) {
        struct node entry = datatype_item(&entries, i);
        read_entry(reader, &entry, depth, ret_status);
    }
}

static void read_topic(struct reader *reader, const struct node *bundle)
{
    struct notification *ret = reader->ret;
    bool status = false;

    ret->topic = true;
    read_bundle(reader, bundle, 0, &status);
    if (ret->told_ms == INSTANT_UNSET)
        ret->told_ms = datatype_start(bundle, "timestamp", INSTANT_UNSET);
    if (ret->kind != NOTIFICATION_CHANGES) {
        ret->item_count = 0;
        return;
    }
    if (reader->overflow) ret->item_count = 0; /* too many to tell: look at everything */
    if (ret->item_count == 0 && (status || reader->overflow))
        add_hint(reader, reader->request->expected);
}

/* ---- single resources */

static bool shape(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "notification.shape", "%s", what);
}

static bool check_type(const struct reader *reader, const char *type, struct err *err)
{
    const char *expected = reader->request->expected;

    if (!*expected || strcmp(expected, type) == 0) return true;
    return err_set(err, ERR_INPUT, "notification.type",
                   "a resource of another type than this endpoint is for");
}

static bool add_deletion(struct reader *reader, const struct reference *reference, struct err *err)
{
    if (!check_type(reader, reference->type, err)) return false;
    struct notification_item *item = item_for(reader, reference->type, reference->id);
    item->deleted = true;
    return true;
}

/* The URL of a PUT names the same resource as its body. */
static bool fits_tail(const struct resource_head *head, const struct reference *tail)
{
    return !*tail->type ||
           (strcmp(head->type, tail->type) == 0 && (!*head->id || strcmp(head->id, tail->id) == 0));
}

static bool read_resource(struct reader *reader, const struct node *at,
                          const struct reference *tail, struct err *err)
{
    struct resource_head head;

    if (read_any_status(reader, at)) {
        reader->ret->kind = NOTIFICATION_STATUS;
        reader->ret->item_count = 0;
        return true;
    }
    if (!resource_head_read(at, reader->arena, &head, err)) return shape(err, "no FHIR resource");
    if (!fits_tail(&head, tail)) return shape(err, "the URL names another resource than the body");
    if (!check_type(reader, head.type, err)) return false;
    if (*head.id)
        add_resource(reader, at, &head);
    else if (*tail->type)
        add_reference(reader, tail);
    else
        add_hint(reader, head.type);
    return true;
}

/* ---- */

/* "", "/" or "/Type/id"; a query behind it is not ours to read. */
static bool parse_tail(const char *tail, struct reference *ret)
{
    char path[128];
    size_t len = strcspn(tail, "?#");

    *ret = (struct reference){ 0 };
    while (len && tail[len - 1] == '/') len--;
    if (len == 0) return true;
    if (tail[0] != '/' || len >= sizeof path) return false;
    memcpy(path, tail + 1, len - 1);
    path[len - 1] = '\0';
    return reference_parse(path, ret) && *ret->type && !ret->absolute;
}

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!memchr(" \t\r\n", text[i], 4)) return false;
    return true;
}

/* Nothing in the body, or "{}": a deletion where one is named, else a hint. */
static bool read_nothing(struct reader *reader, const struct reference *tail, struct err *err)
{
    struct reference deleted;

    if (reference_parse(reader->request->deleted, &deleted) && *deleted.type)
        return add_deletion(reader, &deleted, err);
    if (!*tail->type) {
        add_hint(reader, reader->request->expected);
        return true;
    }
    if (!check_type(reader, tail->type, err)) return false;
    add_reference(reader, tail);
    return true;
}

static bool read_body(struct reader *reader, const struct reference *tail, struct err *err)
{
    AUTO(doc_free) struct doc *doc = NULL;
    const struct notification_request *request = reader->request;

    if (!doc_parse(request->body, request->body_len, 0, &doc, err)) {
        err->code = "notification.json";
        return false;
    }
    struct node root = node_root(doc);
    if (!node_is(&root, DOC_OBJECT)) return shape(err, "no JSON object");
    if (node_count(&root) == 0) return read_nothing(reader, tail, err);
    if (!is_type(&root, "Bundle")) return read_resource(reader, &root, tail, err);
    read_topic(reader, &root);
    return true;
}

bool notification_read(const struct notification_request *request, struct arena *arena,
                       struct notification *ret, struct err *err)
{
    struct notification read = { .subscription = "", .status = "", .told_ms = INSTANT_UNSET };
    struct reader reader = { .request = request, .arena = arena, .ret = &read };
    struct reference tail;
    bool ok;

    if (!parse_tail(request->tail, &tail)) return shape(err, "the URL is not .../Type/id");
    if (strcmp(request->method, "DELETE") == 0)
        ok = *tail.type ? add_deletion(&reader, &tail, err)
                        : shape(err, "a DELETE without .../Type/id");
    else if (is_blank(request->body, request->body_len))
        ok = read_nothing(&reader, &tail, err);
    else
        ok = read_body(&reader, &tail, err);
    read.items = arena_alloc(arena, (read.item_count + 1) * sizeof *read.items);
    if (read.item_count) memcpy(read.items, reader.items, read.item_count * sizeof *read.items);
    free(reader.items);
    if (ok) *ret = read;
    return ok;
}
