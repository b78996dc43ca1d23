/* Reading a chart by searches, which run side by side: the whole of it, or, for a look at a patient
 * whose server tells of no changes, what changes often and lies not far back. */
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "flow/visit_impl.h"

static const struct {
    const char *type;
    bool needed;
    bool dated;           /* read only so far back */
    bool look;            /* in a look at a patient of the cohort */
    bool trial;           /* in a look at somebody else: may it bring them in? */
    const char *category; /* read where the server wants one; NULL: none */
} part_kinds[VISIT_PARTS] = {
    { "MedicationRequest", true, false, true, true, NULL },
    { "Observation", true, true, true, false, "laboratory" },
    { "Condition", true, false, true, true, NULL },
    { "Procedure", false, false, false, false, NULL },
    { "AllergyIntolerance", false, false, false, false, NULL },
    { "Observation", false, true, false, false, "vital-signs" },
};

#define BY_CATEGORY_MS    (3600 * 1000) /* a server that wants categories is asked without again */
#define VISIT_PART_VITALS (VISIT_PARTS - 1) /* only where the server wants a category */

/* ---- entries */

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

    part->visit->chart_bytes += (int64_t)entry->len;
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

static void part_too_big(struct visit_part *part);

/* What was told of others counts as well: a server that ignores who is asked for has no end. */
static void part_on_page(void *arg)
{
    struct visit_part *part = arg;
    int64_t most = part->visit->flow->options.chart_max;

    if (most && part->visit->chart_bytes > most)
        part_too_big(part);
    else
        pages_next(part->pages);
}

/* ---- what the searches did not tell of */

static int64_t since_ms(const struct visit *visit)
{
    const struct flow_options *options = &visit->flow->options;
    int64_t days = visit->whole_wanted ? options->history_days : options->first_poll_days;

    return options->wall_ms() - days * INSTANT_DAY;
}

static bool is_dated_out(const struct visit *visit, struct shelf_item *item)
{
    const struct doc *doc = shelf_doc(item);
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;
    bool out = false;

    if (!doc || strcmp(item->resource.type, "Observation") != 0) return false;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err)) out = head.clinical_ms < since_ms(visit);
    arena_done(&arena);
    return out;
}

/* Would the searches have told of it? Of a type that is searched by none: is all of it read? */
static bool is_searched(const struct visit *visit, const struct shelf_item *item)
{
    bool any = false;

    for (size_t i = 0; i < VISIT_PARTS; i++) {
        if (strcmp(part_kinds[i].type, item->resource.type) != 0) continue;
        if (visit->parts[i].asked && !visit->parts[i].missing) return true;
        any = true;
    }
    return !any && visit->whole_wanted;
}

/* What we hold and the searches did not tell of: deleted, moved, or not yet in the index. */
static void want_unseen(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        struct shelf_item *item = &visit->shelf.items[i];
        const struct store_resource *r = &item->resource;
        if (item->removed || item->seen || strcmp(r->type, SHELF_READ_MARK) == 0) continue;
        if (item->gone)
            item->removed = visit->whole_wanted; /* the mark has done its work */
        else if (is_searched(visit, item) && !is_dated_out(visit, item))
            visit_want_add(visit, r->type, r->id);
    }
}

/* ---- the end of the searches */

static void whole_end(struct visit *visit)
{
    visit->whole_read = !visit->refused;
    shelf_set_read(&visit->shelf, clock_now(visit->flow));
    if (visit->whole_read) {
        visit_want_add(visit, "Patient", visit->work.patient);
        want_unseen(visit);
    }
    visit->whole_wanted = false;
}

/* Whoever cannot be looked at is not taken for somebody outside. */
static void look_end(struct visit *visit)
{
    if (visit->refused)
        visit_decide_all(visit, NULL, NULL, FATE_ASIDE, visit->refused);
    else if (!visit->trial)
        want_unseen(visit);
}

static void chart_end(struct visit *visit)
{
    if (visit->whole_wanted)
        whole_end(visit);
    else
        look_end(visit);
    visit->look_wanted = false;
    visit_read(visit);
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

static void part_start(struct visit *visit, size_t i);

/* Some servers (Epic) refuse a search of results that names no category. Results without one are missed
 * where it is sent: so one refusal is not believed, and after a while the server is asked anew. */
static bool with_categories(struct visit_part *part, const struct err *err, long status)
{
    struct visit *visit = part->visit;
    bool again = part->again;

    if (!err || err->kind != ERR_PERMANENT || status != 400) return false;
    if (strcmp(part->type, "Observation") != 0 || part->category) return false;
    if (again) {
        log_event(LOG_LEVEL_WARN, "results-by-category", LOG_CODE, err->code, LOG_FIX,
                  "the server wants a category in a search of results: those that have none, or "
                  "another than laboratory and vital-signs, are not seen",
                  LOG_END);
        visit->by_category = true;
        visit->flow->work.by_category_until_ms = uv_now(visit->flow->loop) + BY_CATEGORY_MS;
    }
    part_start(visit, (size_t)(part - visit->parts));
    part->again = !again;
    if (again && visit->whole_wanted) part_start(visit, VISIT_PART_VITALS);
    return true;
}

static void part_on_done(const struct err *err, long status, void *arg)
{
    struct visit_part *part = arg;
    struct visit *visit = part->visit;

    part->pages = NULL;
    visit->parts_open--;
    if (with_categories(part, err, status)) return;
    if (err && err->kind == ERR_PERMANENT)
        part_refused(part, err);
    else if (err) {
        visit_release(visit);
        return;
    }
    if (!visit->parts_open) chart_end(visit);
}

/* Without all of it there is no chart, whatever the type. */
static void part_too_big(struct visit_part *part)
{
    struct visit *visit = part->visit;

    log_event(LOG_LEVEL_ERROR, "chart-too-big", LOG_TYPE, part->type, LOG_ID, visit->work.patient,
              LOG_CODE, "chart.too-big", LOG_FIX,
              "see whether the server heeds patient= in searches, then server.chartMax", LOG_END);
    part->missing = true;
    visit->refused = "chart.too-big";
    visit_chart_cancel(visit);
    visit->parts_open = 0;
    chart_end(visit);
}

/* ---- the start of the searches */

static void part_path(const struct visit *visit, const struct visit_part *part, bool dated,
                      struct buf *ret)
{
    char date[16];

    buf_printf(ret, "%s?patient=%s", part->type, visit->work.patient);
    if (part->category) buf_printf(ret, "&category=%s", part->category);
    if (dated) buf_printf(ret, "&date=ge%s", instant_date(since_ms(visit), date, sizeof date));
    buf_printf(ret, "&_count=%u", visit->flow->options.page_count);
}

static void part_start(struct visit *visit, size_t i)
{
    static const struct pages_reader reader = { part_on_entry, part_on_bad, part_on_page,
                                                part_on_done };
    struct visit_part *part = &visit->parts[i];
    AUTO(buf_done) struct buf path = { 0 };

    *part = (struct visit_part){ .visit = visit, .type = part_kinds[i].type, .asked = true };
    if (visit->by_category) part->category = part_kinds[i].category;
    part_path(visit, part, part_kinds[i].dated, &path);
    visit->parts_open++;
    part->pages = visit->look
                      ? pages_start_paced(visit->flow, buf_string(&path), &reader, NULL, part)
                      : pages_start(visit->flow, buf_string(&path), &reader, part);
}

static bool is_wanted(const struct visit *visit, size_t i)
{
    if (i == VISIT_PART_VITALS && !visit->by_category) return false;
    if (visit->whole_wanted) return true;
    return visit->trial ? part_kinds[i].trial : part_kinds[i].look;
}

void visit_chart_read(struct visit *visit)
{
    if (visit->whole_wanted) visit->whole_asked = true;
    visit->chart_bytes = 0;
    visit->by_category = uv_now(visit->flow->loop) < visit->flow->work.by_category_until_ms;
    memset(visit->parts, 0, sizeof visit->parts);
    for (size_t i = 0; i < VISIT_PARTS; i++)
        if (is_wanted(visit, i)) part_start(visit, i);
}

void visit_chart_cancel(struct visit *visit)
{
    for (size_t i = 0; i < VISIT_PARTS; i++) pages_cancel(TAKE(visit->parts[i].pages));
}
