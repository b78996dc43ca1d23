/* Reading from the server: the whole chart by searches, which run side by side, and single
 * resources one after another. */
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/visit_impl.h"

static const struct {
    const char *type;
    bool needed;
    bool dated; /* read only as far back as history_days */
} part_kinds[VISIT_PARTS] = {
    { "MedicationRequest", true, false },   { "Observation", true, true },
    { "Condition", true, false },           { "Procedure", false, false },
    { "AllergyIntolerance", false, false },
};

/* ---- wants */

bool visit_want_has(const struct visit *visit, const char *type, const char *id)
{
    for (size_t i = 0; i < visit->want_count; i++)
        if (strcmp(visit->wants[i].id, id) == 0 && strcmp(visit->wants[i].type, type) == 0)
            return true;
    return false;
}

bool visit_want_add(struct visit *visit, const char *type, const char *id)
{
    if (visit_want_has(visit, type, id)) return false;
    visit->wants = mem_resize(visit->wants, (visit->want_count + 1) * sizeof *visit->wants);
    visit->wants[visit->want_count++] =
        (struct visit_want){ visit_keep(visit, type), visit_keep(visit, id) };
    return true;
}

/* ---- one resource */

/* It cannot be read, and trying again will not help: its events go aside, the chart stays. */
static void want_refused(struct visit *visit, const struct visit_want *want, const char *code)
{
    log_event(LOG_LEVEL_WARN, "read-refused", LOG_TYPE, want->type, LOG_ID, want->id, LOG_CODE,
              code, LOG_FIX, "let the adapter's account read this type", LOG_END);
    visit_decide_all(visit, want->type, want->id, FATE_ASIDE, code);
}

static void want_got(struct visit *visit, const struct visit_want *want, const struct node *root,
                     const struct http_reply *reply)
{
    struct resource_head head;
    struct err err;

    if (!resource_head_read(root, &visit->arena, &head, &err)) {
        want_refused(visit, want, err.code);
    } else if (strcmp(head.type, want->type) != 0 || strcmp(head.id, want->id) != 0) {
        want_refused(visit, want, "read.other");
    } else if (strcmp(head.type, "Medication") != 0 &&
               strcmp(head.patient, visit->work.patient) != 0) {
        shelf_remove(&visit->shelf, want->type, want->id); /* it is somebody else's now */
    } else {
        shelf_put(&visit->shelf, &head, reply->body, reply->body_len);
    }
}

static void want_on_answer(const struct server_answer *answer, void *arg)
{
    struct visit *visit = arg;
    const struct visit_want *want = &visit->wants[visit->want_next++];
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    visit->call = NULL;
    if (answer->status == 404 || answer->status == 410) {
        shelf_gone(&visit->shelf, want->type, want->id);
    } else if (answer->err.code && answer->err.kind == ERR_PERMANENT) {
        want_refused(visit, want, answer->err.code);
    } else if (answer->err.code || !server_document(answer, &doc, &err)) {
        visit_release(visit);
        return;
    } else {
        struct node root = node_root(doc);
        want_got(visit, want, &root, answer->reply);
    }
    visit_read(visit);
}

static void want_read(struct visit *visit)
{
    const struct visit_want *want = &visit->wants[visit->want_next];
    AUTO(buf_done) struct buf path = { 0 };

    buf_printf(&path, "%s/%s", want->type, want->id);
    visit->call = server_start(
        visit->flow, &(struct server_request){ .method = "GET", .path = buf_string(&path) },
        want_on_answer, visit);
}

/* ---- the whole chart */

/* A server that ignores a parameter tells of other patients as well. */
static void part_take(struct visit_part *part, const struct resource_head *head,
                      const struct bundle_entry *entry)
{
    struct visit *visit = part->visit;
    struct shelf_item *item = shelf_find(&visit->shelf, head->type, head->id);
    bool same = item && !item->gone && item->resource.json_len == entry->len &&
                memcmp(item->resource.json, entry->text, entry->len) == 0;

    if (strcmp(head->patient, visit->work.patient) != 0 || head->ours) return;
    if (!same) item = shelf_put(&visit->shelf, head, entry->text, entry->len);
    item->seen = true;
}

static void part_aside(const struct visit_part *part, const char *id, const char *code)
{
    metric_add(part->visit->flow->metrics, METRIC_EVENTS_ASIDE, 1);
    log_event(LOG_LEVEL_WARN, "set-aside", LOG_TYPE, part->type, LOG_ID, id, LOG_CODE, code,
              LOG_END);
}

static void part_on_entry(const struct bundle_entry *entry, void *arg)
{
    struct visit_part *part = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    if (entry->type[0] && strcmp(entry->type, part->type) != 0) return;
    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) {
        part_aside(part, NULL, err.code);
        return;
    }
    struct node root = node_root(doc);
    if (!resource_head_read(&root, &part->visit->arena, &head, &err))
        part_aside(part, NULL, err.code);
    else if (!head.id[0])
        part_aside(part, NULL, "event.no-id");
    else
        part_take(part, &head, entry);
}

static void part_on_bad(const struct err *err, void *arg)
{
    part_aside(arg, NULL, err->code);
}

static void part_on_page(void *arg)
{
    struct visit_part *part = arg;

    pages_next(part->pages);
}

/* A type that the server does not offer or let us read is left out; without the needed ones there
 * is no chart. */
static void part_refused(struct visit_part *part, const struct err *err)
{
    struct visit *visit = part->visit;
    bool needed = part_kinds[part - visit->parts].needed;

    part->missing = true;
    log_event(needed ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO, "chart-part-refused", LOG_TYPE, part->type,
              LOG_CODE, err->code, LOG_FIX, "let the adapter's account search this type", LOG_END);
    if (needed) visit->refused = err->code;
}

static bool is_dated_out(const struct visit *visit, struct shelf_item *item)
{
    const struct flow_options *options = &visit->flow->options;
    int64_t since = options->wall_ms() - options->history_days * INSTANT_DAY;
    const struct doc *doc = shelf_doc(item);
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;
    bool out = false;

    if (!doc || strcmp(item->resource.type, "Observation") != 0) return false;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err)) out = head.clinical_ms < since;
    arena_done(&arena);
    return out;
}

static bool is_of_missing_part(const struct visit *visit, const struct shelf_item *item)
{
    for (size_t i = 0; i < VISIT_PARTS; i++)
        if (strcmp(visit->parts[i].type, item->resource.type) == 0) return visit->parts[i].missing;
    return false;
}

/* What we hold and the searches did not tell of: deleted, moved, or not yet in the index. */
static void want_unseen(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        struct shelf_item *item = &visit->shelf.items[i];
        const struct store_resource *r = &item->resource;
        if (item->removed || item->seen || strcmp(r->type, SHELF_READ_MARK) == 0) continue;
        if (item->gone)
            item->removed = true; /* the mark has done its work */
        else if (!is_of_missing_part(visit, item) && !is_dated_out(visit, item))
            visit_want_add(visit, r->type, r->id);
    }
}

static void whole_end(struct visit *visit)
{
    visit->whole_wanted = false;
    visit->whole_read = !visit->refused;
    shelf_set_read(&visit->shelf, clock_now(visit->flow));
    if (visit->whole_read) {
        visit_want_add(visit, "Patient", visit->work.patient);
        want_unseen(visit);
    }
    visit_read(visit);
}

static void part_on_done(const struct err *err, long status, void *arg)
{
    struct visit_part *part = arg;
    struct visit *visit = part->visit;

    (void)status;
    part->pages = NULL;
    visit->parts_open--;
    if (err && err->kind == ERR_PERMANENT)
        part_refused(part, err);
    else if (err) {
        visit_release(visit);
        return;
    }
    if (!visit->parts_open) whole_end(visit);
}

static void part_path(const struct visit *visit, size_t i, struct buf *ret)
{
    const struct flow_options *options = &visit->flow->options;
    char date[16];

    buf_printf(ret, "%s?patient=%s", part_kinds[i].type, visit->work.patient);
    if (part_kinds[i].dated)
        buf_printf(ret, "&date=ge%s",
                   instant_date(options->wall_ms() - options->history_days * INSTANT_DAY, date,
                                sizeof date));
    buf_printf(ret, "&_count=%u", options->page_count);
}

static void whole_start(struct visit *visit)
{
    static const struct pages_reader reader = { part_on_entry, part_on_bad, part_on_page,
                                                part_on_done };

    visit->whole_asked = true;
    for (size_t i = 0; i < VISIT_PARTS; i++) {
        struct visit_part *part = &visit->parts[i];
        AUTO(buf_done) struct buf path = { 0 };
        *part = (struct visit_part){ .visit = visit, .type = part_kinds[i].type };
        part_path(visit, i, &path);
        part->pages = pages_start(visit->flow, buf_string(&path), &reader, part);
        visit->parts_open++;
    }
}

/* ---- */

void visit_read(struct visit *visit)
{
    if (visit->whole_wanted)
        whole_start(visit);
    else if (visit->want_next < visit->want_count)
        want_read(visit);
    else
        visit_enter(visit, VISIT_SORTING);
}

void visit_read_cancel(struct visit *visit)
{
    server_cancel(TAKE(visit->call));
    for (size_t i = 0; i < VISIT_PARTS; i++) pages_cancel(TAKE(visit->parts[i].pages));
}
