/* Which topic of the server to subscribe to, where the configuration names none. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/mem.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"

#define TOPIC_LONGEST 1000 /* bytes of a URL */

static void topic_set(struct subscribe *at, const char *url)
{
    free(at->topic);
    at->topic = url ? mem_strdup(url) : NULL;
}

/* The best fit wins; of equals the one whose URL comes first, so that every look finds the same. */
static void consider(struct subscribe *at, const struct node *root)
{
    enum topic_fit fit = topic_judge(root, at->type);
    const char *url = topic_url(root);

    if (fit < TOPIC_CHANGES || fit < at->topic_fit || strlen(url) > TOPIC_LONGEST) return;
    if (fit == at->topic_fit && strcmp(url, at->topic) >= 0) return;
    at->topic_fit = fit;
    topic_set(at, url);
}

static void on_entry(const struct bundle_entry *entry, void *arg)
{
    struct subscribe *at = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) return;
    struct node root = node_root(doc);
    consider(at, &root);
}

static void on_page(void *arg)
{
    struct subscribe *at = arg;

    pages_next(at->pages);
}

/* A server that refuses the search has no such resources: then what its statement lists must do. */
static void on_pages_done(const struct err *err, long status, void *arg)
{
    struct subscribe *at = arg;
    bool refused = err && err->kind == ERR_PERMANENT;

    (void)status;
    at->pages = NULL;
    if (err && !refused) {
        topic_set(at, NULL);
        subscribe_on_chosen(at, err);
        return;
    }
    if (!at->topic) topic_set(at, at->listed);
    subscribe_on_chosen(at, NULL);
}

/* R4 has no SubscriptionTopic: what its statement lists comes first, then what is wrapped in a Basic. */
void subscribe_choose(struct subscribe *at)
{
    static const struct pages_reader reader = { on_entry, NULL, on_page, on_pages_done };
    AUTO(buf_done) struct buf path = { 0 };

    at->topic_fit = TOPIC_OTHER;
    topic_set(at, NULL);
    if (at->flow->capability.release == FHIR_R4 && at->listed) {
        topic_set(at, at->listed);
        subscribe_on_chosen(at, NULL);
        return;
    }
    topic_search(at->flow->capability.release, at->flow->options.page_count, &path);
    at->pages = pages_start(at->flow, buf_string(&path), &reader, at);
}
