/* The Subscriptions that stand at our endpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

static void found_add(struct subscribe *at, const struct node *root,
                      const struct resource_head *head)
{
    struct subscription_want want = subscribe_want(at);
    enum subscription_verdict verdict = subscription_judge(root, &want);
    const char *status = node_text(root, "status");
    struct subscribe_found *found;

    if (verdict == SUBSCRIPTION_FOREIGN || at->found_count == SUBSCRIBE_FOUND_MAX) return;
    found = &at->found[at->found_count++];
    *found = (struct subscribe_found){ .verdict = verdict,
                                       .off = status && strcmp(status, "off") == 0,
                                       .heartbeat_ms = subscription_heartbeat_s(root) *
                                                       (int64_t)INSTANT_SECOND };
    snprintf(found->id, sizeof found->id, "%s", head->id);
    snprintf(found->version, sizeof found->version, "%s", head->version);
}

static void on_entry(const struct bundle_entry *entry, void *arg)
{
    struct subscribe *at = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;

    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) return;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err) && head.id[0] &&
        strcmp(head.type, "Subscription") == 0)
        found_add(at, &root, &head);
    arena_done(&arena);
}

static void on_page(void *arg)
{
    struct subscribe *at = arg;

    pages_next(at->pages);
}

/* The one with the lowest id is ours. */
static int found_compare(const void *a, const void *b)
{
    const struct subscribe_found *one = a, *other = b;

    return resource_id_compare(one->id, other->id);
}

static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct subscribe *at = arg;

    at->pages = NULL;
    if (!err) qsort(at->found, at->found_count, sizeof *at->found, found_compare);
    subscribe_on_found(at, err, status);
}

void subscribe_find(struct subscribe *at, bool by_url)
{
    static const struct pages_reader reader = { on_entry, NULL, on_page, on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };

    at->found_count = 0;
    buf_text(&path, "Subscription?");
    if (by_url) {
        buf_text(&path, "url=");
        server_escape(&path, at->endpoint);
    } else {
        buf_printf(&path, "_count=%u", at->flow->options.page_count);
    }
    at->pages = pages_start(at->flow, buf_string(&path), &reader, at);
}
