/* The questions, one after another. Each only reads. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/probe.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/node.h"
#include "fhir/bundle.h"
#include "fhir/resource.h"
#include "fhir/topic.h"
#include "net/origin.h"

#define REPLY_MAX (16u << 20)
#define ASKED_ALL 26 /* questions, when all of them make sense */
#define FUTURE    "2999-01-01T00:00:00Z"

static const char *const type_names[PROBE_TYPES] = { "MedicationRequest",  "Observation",
                                                     "Condition",          "Procedure",
                                                     "AllergyIntolerance", "Patient" };

/* ---- one question */

struct reply {
    bool done;
    long status;
    struct err err;
    char *body; /* owned */
    size_t len;
    int64_t date_ms;
    bool etag;
};

static void on_reply(const struct http_reply *from, void *arg)
{
    struct reply *reply = arg;

    reply->done = true;
    reply->status = from->status;
    reply->err = from->err;
    reply->date_ms = from->date_ms;
    reply->etag = from->etag[0] != '\0';
    if (!from->body) return;
    reply->len = from->body_len;
    reply->body = mem_zero(from->body_len + 1, 1);
    memcpy(reply->body, from->body, from->body_len);
}

static void reply_done_at(struct reply *reply)
{
    free(reply->body);
}

struct asking {
    const struct probe_request *request;
    struct probe_facts *facts;
};

/* The query part is ours: it is written as it must stand in a URL. */
static struct reply ask(struct asking *asking, const char *path)
{
    static const char *const headers[] = { "Accept: application/fhir+json",
                                           "Cache-Control: no-cache", "Prefer: handling=strict",
                                           NULL };
    const struct probe_request *request = asking->request;
    AUTO(buf_done) struct buf url = { 0 };
    struct reply reply = { .date_ms = INSTANT_UNSET };

    buf_printf(&url, "%s/%s", request->base, path);
    http_start(request->client,
               &(struct http_request){ .method = "GET",
                                       .url = buf_string(&url),
                                       .headers = headers,
                                       .timeout_ms = request->timeout_ms,
                                       .reply_max = REPLY_MAX },
               on_reply, &reply);
    while (!reply.done) uv_run(request->loop, UV_RUN_ONCE);
    asking->facts->asked++;
    if (request->progress) request->progress(asking->facts->asked, ASKED_ALL);
    return reply;
}

static bool document(const struct reply *reply, struct doc **ret)
{
    struct err err;

    return reply->status == 200 && reply->body && doc_parse(reply->body, reply->len, 0, ret, &err);
}

/* ---- a page of a search */

struct page {
    const char *type;
    bool bundle;
    unsigned matches;    /* resources of the type */
    bool strangers;      /* of another patient than `patient` */
    const char *patient; /* NULL: of any */
    int64_t updated_ms;  /* of the one before */
    bool descending;     /* one is older than the one before it */
    char id[PROBE_ID], of[PROBE_ID];
};

static void page_add(struct page *page, const struct resource_head *head)
{
    if (strcmp(head->type, page->type) != 0) return;
    if (!page->matches++) {
        snprintf(page->id, sizeof page->id, "%s", head->id);
        snprintf(page->of, sizeof page->of, "%s", head->patient);
    }
    if (page->patient && strcmp(head->patient, page->patient) != 0) page->strangers = true;
    if (head->updated_ms == INSTANT_UNSET) return;
    if (page->updated_ms != INSTANT_UNSET && head->updated_ms < page->updated_ms)
        page->descending = true;
    page->updated_ms = head->updated_ms;
}

static bool page_on_entry(const struct bundle_entry *entry, void *arg)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;

    if (!entry->text || !doc_parse(entry->text, entry->len, 0, &doc, &err)) return true;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err)) page_add(arg, &head);
    arena_done(&arena);
    return true;
}

static bool page_on_bad(size_t index, const struct err *err, void *arg)
{
    (void)index;
    (void)err;
    (void)arg;
    return true;
}

static bool leads_elsewhere(const struct asking *asking, const struct node *bundle)
{
    struct node links = node_get(bundle, "link");
    struct origin origin;
    bool elsewhere = false;

    if (!origin_parse(asking->request->base, &origin)) return false;
    for (size_t i = 0; i < node_count(&links); i++) {
        struct node link = node_item(&links, i);
        const char *relation = node_text(&link, "relation"), *url = node_text(&link, "url");
        if (relation && url && strcmp(relation, "next") == 0 && strstr(url, "://"))
            elsewhere |= !origin_same(&origin, url);
    }
    origin_done(&origin);
    return elsewhere;
}

static struct page page_of(struct asking *asking, const struct reply *reply, const char *type,
                           const char *patient)
{
    struct page page = { .type = type, .patient = patient, .updated_ms = INSTANT_UNSET };
    const struct bundle_visitor visitor = { page_on_entry, page_on_bad, &page };
    AUTO(doc_free) struct doc *doc = NULL;

    if (!document(reply, &doc)) return page;
    struct node root = node_root(doc);
    const char *kind = node_text(&root, "resourceType");
    page.bundle = kind && strcmp(kind, "Bundle") == 0;
    if (!page.bundle) return page;
    if (leads_elsewhere(asking, &root)) asking->facts->elsewhere = true;
    bundle_walk(reply->body, reply->len, &visitor);
    return page;
}

static struct page ask_page(struct asking *asking, const char *path, const char *type,
                            const char *patient, long *ret_status)
{
    AUTO(reply_done) struct reply reply = ask(asking, path);

    if (ret_status) *ret_status = reply.status;
    return page_of(asking, &reply, type, patient);
}

/* ---- one type */

static void ask_search(struct asking *asking, struct probe_type *at)
{
    char path[200];
    struct page page;

    snprintf(path, sizeof path, "%s?_count=1", at->type);
    page = ask_page(asking, path, at->type, NULL, &at->status);
    at->search = page.bundle ? PROBE_YES : PROBE_NO;
    memcpy(at->id, page.id, sizeof at->id);
    memcpy(at->patient, page.of, sizeof at->patient);
}

/* Nothing was changed in the far future: a server that finds something there has not looked. */
static void ask_updated(struct asking *asking, struct probe_type *at)
{
    char path[200];
    struct page page;

    snprintf(path, sizeof path, "%s?_lastUpdated=ge" FUTURE "&_count=1", at->type);
    page = ask_page(asking, path, at->type, NULL, NULL);
    at->updated = page.bundle && !page.matches ? PROBE_YES : PROBE_NO;
}

static void ask_sorted(struct asking *asking, struct probe_type *at)
{
    char path[200];
    struct page page;

    snprintf(path, sizeof path,
             "%s?_lastUpdated=ge1970-01-01T00:00:00Z&_sort=_lastUpdated&_count=5", at->type);
    page = ask_page(asking, path, at->type, NULL, NULL);
    at->sorted = page.bundle && !page.descending ? PROBE_YES : PROBE_NO;
}

static void ask_history(struct asking *asking, struct probe_type *at)
{
    char path[200];
    struct page page;

    snprintf(path, sizeof path, "%s/_history?_count=1", at->type);
    page = ask_page(asking, path, at->type, NULL, NULL);
    at->history = page.bundle ? PROBE_YES : PROBE_NO;
}

static void ask_by_patient(struct asking *asking, struct probe_type *at, const char *patient)
{
    char path[300];
    struct page page;

    snprintf(path, sizeof path, "%s?patient=%s&_count=5", at->type, patient);
    page = ask_page(asking, path, at->type, patient, NULL);
    at->by_patient = page.bundle && !page.strangers ? PROBE_YES : PROBE_NO;
}

static const char *patient_of(const struct probe_request *request, const struct probe_facts *facts)
{
    if (request->patient) return request->patient;
    for (size_t i = 0; i < PROBE_TYPES; i++)
        if (facts->types[i].patient[0]) return facts->types[i].patient;
    return NULL;
}

static void ask_types(struct asking *asking)
{
    struct probe_facts *facts = asking->facts;
    const char *patient;

    for (size_t i = 0; i < PROBE_TYPES; i++) {
        facts->types[i].type = type_names[i];
        ask_search(asking, &facts->types[i]);
    }
    for (size_t i = 0; i < PROBE_NEEDED; i++) {
        ask_updated(asking, &facts->types[i]);
        ask_sorted(asking, &facts->types[i]);
        ask_history(asking, &facts->types[i]);
    }
    patient = patient_of(asking->request, facts);
    for (size_t i = 0; patient && i < PROBE_TYPES - 1; i++)
        ask_by_patient(asking, &facts->types[i], patient);
}

/* ---- topics, sockets, versions */

static bool topic_on_entry(const struct bundle_entry *entry, void *arg)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct probe_facts *facts = arg;
    struct err err;

    if (!entry->text || !doc_parse(entry->text, entry->len, 0, &doc, &err)) return true;
    struct node root = node_root(doc);
    for (unsigned i = 0; i < PROBE_NEEDED; i++)
        if (topic_judge(&root, type_names[i]) >= TOPIC_CHANGES) facts->topics |= 1u << i;
    return true;
}

static void ask_topics(struct asking *asking)
{
    AUTO(reply_done) struct reply reply = { .done = false };
    AUTO(buf_done) struct buf path = { 0 };
    const struct bundle_visitor visitor = { topic_on_entry, page_on_bad, asking->facts };

    topic_search(asking->facts->capability.release, 100, &path);
    reply = ask(asking, buf_string(&path));
    if (reply.status == 200 && reply.body) bundle_walk(reply.body, reply.len, &visitor);
}

static void ask_version(struct asking *asking)
{
    for (size_t i = 0; i < PROBE_NEEDED; i++) {
        const struct probe_type *at = &asking->facts->types[i];
        AUTO(reply_done) struct reply reply = { .done = false };
        char path[200];
        if (!at->id[0]) continue;
        snprintf(path, sizeof path, "%s/%s", at->type, at->id);
        reply = ask(asking, path);
        if (reply.status != 200) continue;
        asking->facts->versions = reply.etag ? PROBE_YES : PROBE_NO;
        return;
    }
}

static void listed_topics(const struct node *statement, struct probe_facts *facts)
{
    for (unsigned i = 0; i < PROBE_NEEDED; i++)
        if (capability_topic(statement, type_names[i])) facts->topics |= 1u << i;
}

/* ---- the statement */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The statement is open to everybody on most servers; the first search tells. */
static bool is_let_in(const struct probe_facts *facts, struct err *err)
{
    for (size_t i = 0; i < PROBE_TYPES; i++)
        if (facts->types[i].status != 401) return true;
    err_set(err, ERR_PERMANENT, "probe.credentials", "%.120s answers every search with 401",
            facts->base);
    return err_fix(err, "give credentials: --token-file FILE or --basic-file FILE");
}

static bool statement_failed(const struct reply *reply, struct err *err)
{
    *err = reply->err;
    if (reply->status == 401)
        err_fix(err, "give credentials: --token-file FILE or --basic-file FILE");
    else if (reply->status == 404)
        err_fix(err, "give the base URL of the FHIR server, e.g. https://ehr.example/fhir");
    return false;
}

static bool ask_statement(struct asking *asking, struct err *err)
{
    AUTO(reply_done) struct reply reply = ask(asking, "metadata");
    AUTO(doc_free) struct doc *doc = NULL;
    struct probe_facts *facts = asking->facts;

    if (reply.err.code) return statement_failed(&reply, err);
    if (reply.date_ms != INSTANT_UNSET) {
        facts->clock_known = true;
        facts->clock_ms = reply.date_ms - now_ms();
    }
    if (!document(&reply, &doc)) {
        err_set(err, ERR_INPUT, "probe.statement", "%s/metadata is no JSON", facts->base);
        return err_fix(err, "give the base URL of the FHIR server, e.g. https://ehr.example/fhir");
    }
    struct node root = node_root(doc);
    listed_topics(&root, facts);
    return capability_read(&root, &facts->capability, err);
}

bool probe_ask(const struct probe_request *request, struct probe_facts *ret, struct err *err)
{
    struct asking asking = { request, ret };

    *ret = (struct probe_facts){ .base = request->base };
    if (!ask_statement(&asking, err)) return false;
    ask_types(&asking);
    if (!is_let_in(ret, err)) return false;
    ret->issues = ask_page(&asking, "DetectedIssue?_count=1", "DetectedIssue", NULL, NULL).bundle
                      ? PROBE_YES
                      : PROBE_NO;
    ret->subscriptions =
        ask_page(&asking, "Subscription?_count=1", "Subscription", NULL, NULL).bundle ? PROBE_YES
                                                                                      : PROBE_NO;
    ask_topics(&asking);
    ask_version(&asking);
    return true;
}
