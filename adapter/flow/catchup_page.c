/* The entries of a page of the catch-up poll become events. */
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/node.h"
#include "fhir/reference.h"
#include "fhir/resource.h"
#include "flow/catchup_impl.h"

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

/* An entry of a history may say when it was written. */
static void note_told(struct catchup *at, const struct bundle_entry *entry)
{
    struct span when;

    at->entries_told++;
    if (instant_parse(entry->modified, &when) && when.start > at->seen_ms) at->seen_ms = when.start;
}

void catchup_on_entry(const struct bundle_entry *entry, void *arg)
{
    struct catchup *at = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    note_told(at, entry);
    if (entry->type[0] && strcmp(entry->type, at->type) != 0) return;
    if (at->manner == POLL_DELETIONS) return;
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

void catchup_on_bad(const struct err *err, void *arg)
{
    struct catchup *at = arg;

    at->broken++;
    metric_add(at->flow->metrics, METRIC_EVENTS_ASIDE, 1);
    log_event(LOG_LEVEL_WARN, "set-aside", LOG_TYPE, at->type, LOG_CODE, err->code, LOG_WHERE,
              err->where, LOG_END);
}

/* Whose it was is asked of the charts. Without a version the journal knows a repeat by the time. */
void catchup_on_gone(const struct bundle_entry *entry, void *arg)
{
    struct catchup *at = arg;
    struct reference reference;
    struct span when;

    note_told(at, entry);
    if (!reference_parse(entry->url, &reference) && !reference_parse(entry->full_url, &reference))
        return;
    if (strcmp(reference.type, at->type) != 0) return;
    const char *version = reference.version[0] ? reference.version : entry->modified;
    struct store_event event = { .accepted_ms = at->flow->options.wall_ms(),
                                 .via = VIA_POLL,
                                 .change = CHANGE_DELETED,
                                 .type = at->type,
                                 .id = arena_copy(&at->arena, reference.id, strlen(reference.id)),
                                 .version = arena_copy(&at->arena, version, strlen(version)),
                                 .patient = "",
                                 .updated_ms = INSTANT_UNSET };
    if (instant_parse(entry->modified, &when)) event.updated_ms = when.start;
    buf_add(&at->events, &event, sizeof event);
}
