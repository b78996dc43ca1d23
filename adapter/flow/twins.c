#include "flow/twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

void twins_condition(const struct flow *flow, const char *key, struct buf *ret)
{
    AUTO(buf_done) struct buf text = { 0 };
    const char *system = flow->options.system;

    buf_printf(&text, "%s%salert|%s", system, strncmp(system, "urn:", 4) == 0 ? ":" : "/", key);
    buf_text(ret, "identifier=");
    server_escape(ret, buf_string(&text));
}

static void twin_add(struct twins *twins, const struct resource_head *head, struct doc *doc)
{
    struct node root = node_root(doc);
    const char *status = node_text(&root, "status");
    struct twin *twin = &twins->items[twins->count++];

    *twin =
        (struct twin){ .doc = doc, .retracted = status && strcmp(status, "entered-in-error") == 0 };
    snprintf(twin->id, sizeof twin->id, "%s", head->id);
    if (strlen(head->version) < sizeof twin->version)
        snprintf(twin->version, sizeof twin->version, "%s", head->version);
}

/* A server that ignores the parameter tells of others as well. */
static void on_entry(const struct bundle_entry *entry, void *arg)
{
    struct twins *twins = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;

    if (twins->count == TWINS_MAX) return;
    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) return;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err) && head.id[0] &&
        strcmp(head.type, "DetectedIssue") == 0 && resource_has_identifier(&root, twins->key))
        twin_add(twins, &head, TAKE(doc));
    arena_done(&arena);
}

static void on_page(void *arg)
{
    struct twins *twins = arg;

    pages_next(twins->pages);
}

static int twin_compare(const void *a, const void *b)
{
    const struct twin *one = a, *other = b;

    return resource_id_compare(one->id, other->id);
}

static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct twins *twins = arg;

    (void)status;
    twins->pages = NULL;
    if (!err) qsort(twins->items, twins->count, sizeof *twins->items, twin_compare);
    twins->found(err, twins->arg);
}

void twins_find(struct twins *twins, struct flow *flow, const char *key, twins_found_fn *found,
                void *arg)
{
    static const struct pages_reader reader = { on_entry, NULL, on_page, on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };

    twins_done(twins);
    twins->flow = flow;
    twins->key = key;
    twins->found = found;
    twins->arg = arg;
    buf_text(&path, "DetectedIssue?");
    twins_condition(flow, key, &path);
    twins->pages = pages_start(flow, buf_string(&path), &reader, twins);
}

void twins_cancel(struct twins *twins)
{
    pages_cancel(TAKE(twins->pages));
}

void twins_done(struct twins *twins)
{
    for (size_t i = 0; i < twins->count; i++) doc_free(twins->items[i].doc);
    twins->count = 0;
}
