/* For the tests of flow/: a FHIR server in the same loop that keeps resources, writes down what it
 * is asked and fails where it is told to, and a flow with a real store and real HTTP beside it. The
 * server ignores every search parameter, as the worst of them do: a search gives all of a type. */
#pragma once

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "fhir_fixture.h"
#include "flow/flow.h"
#include "folder.h"
#include "store/fault.h"

#define PATIENCE_MS   15000 /* then a test has failed */
#define PEER_MAX      200   /* resources */
#define PEER_FAULTS   8
#define FIXTURE_KEY   "0123456789abcdef0123456789abcdef"
#define FIXTURE_RULES "rules/test.json"

/* ---- knowledge: that of fhir_fixture.h and one rule */

static const char fixture_rules[] =
    "{'theme':'Test','owner':'test','reviewBy':'2030-01-01','rules':[{'id':'anc-hold',"
    "'kind':'dose-hold','title':'Neutrophils below 1.0','severity':'high',"
    "'severityBasis':'test','display':'interruptive','code':'LAB','context':'test',"
    "'when':{'all':[{'order':'lenalidomide'},"
    "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}]},"
    "'window':'test','mechanism':'test','recommendation':'Hold.',"
    "'sources':[{'document':'test','section':'1'}],"
    "'verification':{'grade':'verified','strength':'direct','note':'test'},"
    "'cases':[{'name':'low fires','orders':['lenalidomide 25 mg daily'],"
    "'results':['neutrophils 0.5 10*9/L, 1 d ago'],'then':'fires'},"
    "{'name':'normal is silent','orders':['lenalidomide 25 mg daily'],"
    "'results':['neutrophils 2 10*9/L, 1 d ago'],'then':'silent'},"
    "{'name':'none cannot tell','orders':['lenalidomide 25 mg daily'],'then':'cannot tell'},"
    "{'name':'exactly 1.0 is silent','orders':['lenalidomide 25 mg daily'],"
    "'results':['neutrophils 1.0 10*9/L, 1 d ago'],'then':'silent'}]}]}";

/* limit: what stands for "1.0" in the rule. */
static inline struct knowledge *flow_knowledge_made(const char *limit)
{
    struct knowledge_file files[ARRAY_SIZE(fixture_files) + 1];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    char *rules = mem_strdup(fixture_rules), text[800], *at;

    for (char *c = rules; *c; c++)
        if (*c == '\'') *c = '"';
    if ((at = strstr(rules, "below 1.0 10"))) memcpy(at + 6, limit, 3);
    memcpy(files, fixture_files, sizeof fixture_files);
    files[ARRAY_SIZE(fixture_files)] =
        (struct knowledge_file){ FIXTURE_RULES, rules, strlen(rules) };
    if (!knowledge_load(files, ARRAY_SIZE(files), &knowledge, &problems))
        for (size_t i = 0; i < problems.count; i++)
            puts(err_text(&problems.items[i], text, sizeof text));
    err_list_done(&problems);
    free(rules);
    assert_non_null(knowledge);
    return knowledge;
}

/* ---- the FHIR server */

struct peer_item {
    char type[40], id[80];
    int version;
    int64_t updated_ms;
    json_t *resource; /* owned; NULL: deleted */
};

/* The next `times` requests of that method whose path begins so fail. */
struct peer_fault {
    const char *method, *path;
    unsigned status, times; /* status 0: 200 with a proxy's page */
    bool done;              /* after the work is done */
    unsigned retry_after_s;
};

struct world {
    uv_loop_t loop;
    uv_timer_t patience;
    bool late;
    /* the peer */
    struct http_server *peer;
    struct peer_item items[PEER_MAX];
    size_t item_count;
    struct peer_fault faults[PEER_FAULTS];
    size_t fault_count;
    int64_t stamp_ms; /* of the last write */
    int next_id;
    size_t page_size; /* of searches; 0: all at once */
    const char *next; /* next link of every page; NULL: the right one */
    bool no_update_create, no_conditional_create, no_subscription, no_date;
    bool index_lags;  /* what is there is not found yet, but under its id */
    struct buf asked; /* "GET /fhir/metadata\n" ... */
    /* the flow */
    struct knowledge *knowledge;
    struct store *store;
    struct http_client *client, *sender;
    struct http_server *hook;
    struct metrics metrics;
    struct flow_options options;
    struct flow *flow;
    bool ready, failed, stopped, store_closed;
    char base[80], origin[64], hook_url[80], dir[FOLDER_MAX], path[FOLDER_MAX + 20];
    /* what a sender was answered */
    long status;
    char answer[512];
    bool answered;
};

static int64_t wall_shift_ms;  /* the one clock that a test may move */
static int64_t wall_fixed_ms;  /* not 0: it stands there */
static struct buf fixture_log; /* the lines since the start of the test */

static inline int64_t fixture_wall_ms(void)
{
    struct timespec now;

    if (wall_fixed_ms) return wall_fixed_ms;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + wall_shift_ms;
}

static inline bool fixture_random(void *into, size_t len)
{
    return uv_random(NULL, NULL, into, len, 0, NULL) == 0;
}

static inline void fixture_sink(enum log_level level, const char *line)
{
    (void)level;
    buf_printf(&fixture_log, "%s\n", line);
}

/* NULL when there is none. */
static inline struct peer_item *peer_find(struct world *w, const char *type, const char *id)
{
    for (size_t i = 0; i < w->item_count; i++)
        if (strcmp(w->items[i].type, type) == 0 && strcmp(w->items[i].id, id) == 0)
            return &w->items[i];
    return NULL;
}

/* Takes resource. Times grow, so that every write is newer. */
static inline struct peer_item *peer_store(struct world *w, const char *type, const char *id,
                                           json_t *resource)
{
    struct peer_item *item = peer_find(w, type, id);
    char stamp[32], version[16];
    json_t *meta;

    if (!item) {
        assert_true(w->item_count < PEER_MAX);
        item = &w->items[w->item_count++];
        *item = (struct peer_item){ .version = 0 };
        snprintf(item->type, sizeof item->type, "%s", type);
        snprintf(item->id, sizeof item->id, "%s", id);
    }
    json_decref(item->resource);
    item->resource = resource;
    item->version++;
    int64_t now = fixture_wall_ms();
    w->stamp_ms = now > w->stamp_ms ? now : w->stamp_ms + 1;
    item->updated_ms = w->stamp_ms;
    if (!resource) return item;
    meta = json_object_get(resource, "meta");
    if (!meta) json_object_set_new(resource, "meta", meta = json_object());
    snprintf(version, sizeof version, "%d", item->version);
    json_object_set_new(resource, "id", json_string(id));
    json_object_set_new(meta, "versionId", json_string(version));
    json_object_set_new(meta, "lastUpdated",
                        json_string(instant_text(item->updated_ms, stamp, sizeof stamp)));
    return item;
}

/* The same where there must be one. */
static inline struct peer_item *peer_at(struct world *w, const char *type, const char *id)
{
    struct peer_item *item = peer_find(w, type, id);

    if (!item) {
        fail_msg("no %s/%s", type, id);
        abort();
    }
    return item;
}

/* A resource written with ' for ". */
static inline struct peer_item *peer_put(struct world *w, const char *type, const char *id,
                                         const char *format, ...) PRINTF(4, 5);
static inline struct peer_item *peer_put(struct world *w, const char *type, const char *id,
                                         const char *format, ...)
{
    char text[4096];
    va_list args;
    json_t *resource;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    resource = json_loads(text, 0, NULL);
    if (!resource) {
        fail_msg("no JSON: %s", text);
        abort();
    }
    json_object_set_new(resource, "resourceType", json_string(type));
    return peer_store(w, type, id, resource);
}

static inline void peer_delete(struct world *w, const char *type, const char *id)
{
    peer_store(w, type, id, NULL);
}

static inline char *peer_text(const struct peer_item *item)
{
    return json_dumps(item->resource, JSON_COMPACT | JSON_REAL_PRECISION(12));
}

static inline void peer_fail(struct world *w, const char *method, const char *path, unsigned status,
                             unsigned times, bool done)
{
    assert_true(w->fault_count < PEER_FAULTS);
    w->faults[w->fault_count++] = (struct peer_fault){ method, path, status, times, done, 0 };
}

static inline struct peer_fault *peer_fault(struct world *w, const char *method, const char *path)
{
    for (size_t i = 0; i < w->fault_count; i++) {
        struct peer_fault *fault = &w->faults[i];
        if (fault->times && strcmp(fault->method, method) == 0 &&
            strncmp(path, fault->path, strlen(fault->path)) == 0)
            return fault;
    }
    return NULL;
}

static inline void peer_outcome(struct http_exchange *exchange, unsigned status,
                                unsigned retry_after_s)
{
    http_answer(exchange, status, "application/fhir+json",
                "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                "\"code\":\"processing\",\"diagnostics\":\"SECRET TEXT\"}]}",
                retry_after_s);
}

static inline void peer_answer_fault(struct http_exchange *exchange, struct peer_fault *fault)
{
    fault->times--;
    if (fault->status)
        peer_outcome(exchange, fault->status, fault->retry_after_s);
    else
        http_answer(exchange, 200, "text/html", "<html>the proxy says hello</html>", 0);
}

static inline void peer_answer_item(struct http_exchange *exchange, unsigned status,
                                    const struct peer_item *item)
{
    char *text = peer_text(item);

    http_answer(exchange, status, "application/fhir+json", text, 0);
    free(text);
}

static inline void peer_capability(struct world *w, struct http_exchange *exchange)
{
    struct buf text = { 0 };
    const char *update = w->no_update_create ? "false" : "true";
    const char *conditional = w->no_conditional_create ? "false" : "true";

    buf_printf(&text,
               "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":\"4.0.1\",\"rest\":[{"
               "\"mode\":\"server\",\"resource\":[{\"type\":\"DetectedIssue\",\"versioning\":"
               "\"versioned\",\"updateCreate\":%s,\"conditionalCreate\":%s},{\"type\":\"Device\","
               "\"updateCreate\":%s}",
               update, conditional, update);
    if (!w->no_subscription) buf_text(&text, ",{\"type\":\"Subscription\"}");
    buf_text(&text, ",{\"type\":\"MedicationRequest\"},{\"type\":\"Observation\"},"
                    "{\"type\":\"Condition\"}]}]}");
    http_answer(exchange, 200, "application/fhir+json", buf_string(&text), 0);
    buf_done(&text);
}

/* Page `from` of all living resources of a type: next links are paths, /fhir/_page/Type/from. */
static inline void peer_search(struct world *w, struct http_exchange *exchange, const char *type,
                               size_t from)
{
    json_t *bundle = json_object(), *entries = json_array(), *links = json_array();
    size_t seen = 0, shown = 0;
    char stamp[32], next[128], *text;

    for (size_t i = 0; i < w->item_count; i++) {
        const struct peer_item *item = &w->items[i];
        if (strcmp(item->type, type) != 0 || !item->resource || seen++ < from) continue;
        if (w->index_lags && strcmp(type, "DetectedIssue") == 0) continue;
        if (w->page_size && shown == w->page_size) break;
        json_array_append_new(entries, json_pack("{s:O}", "resource", item->resource));
        shown++;
    }
    json_object_set_new(bundle, "resourceType", json_string("Bundle"));
    json_object_set_new(bundle, "type", json_string("searchset"));
    instant_text(fixture_wall_ms(), stamp, sizeof stamp);
    if (!w->no_date) json_object_set_new(bundle, "meta", json_pack("{s:s}", "lastUpdated", stamp));
    snprintf(next, sizeof next, "%s/_page/%s/%zu", w->base, type, from + shown);
    if (w->next || (w->page_size && seen > from + shown))
        json_array_append_new(
            links, json_pack("{s:s,s:s}", "relation", "next", "url", w->next ? w->next : next));
    json_object_set_new(bundle, "link", links);
    json_object_set_new(bundle, "entry", entries);
    text = json_dumps(bundle, JSON_COMPACT | JSON_REAL_PRECISION(12));
    http_answer(exchange, 200, "application/fhir+json", text, 0);
    free(text);
    json_decref(bundle);
}

static inline void peer_read(struct world *w, struct http_exchange *exchange, const char *type,
                             const char *id)
{
    const struct peer_item *item = peer_find(w, type, id);

    if (!item || !item->resource)
        peer_outcome(exchange, item ? 410 : 404, 0);
    else
        peer_answer_item(exchange, 200, item);
}

/* Does If-Match, if there is one, name the version that stands there? */
static inline bool peer_matches(const struct http_exchange *exchange, const struct peer_item *item)
{
    const char *match = http_header(exchange, "If-Match");

    return !match ||
           (item && strtol(match + strcspn(match, "0123456789"), NULL, 10) == item->version);
}

static inline const struct peer_item *peer_with_text(struct world *w, const char *type,
                                                     const char *wanted)
{
    for (size_t i = 0; i < w->item_count; i++) {
        if (strcmp(w->items[i].type, type) != 0 || !w->items[i].resource) continue;
        char *text = peer_text(&w->items[i]);
        bool found = strstr(text, wanted) != NULL;
        free(text);
        if (found) return &w->items[i];
    }
    return NULL;
}

/* Every alert that these tests write goes to the validators too, which read the file that
 * MYELOMA_ISSUES names. */
static inline void issue_dump(const char *body)
{
    const char *path = getenv("MYELOMA_ISSUES");
    FILE *file = path ? fopen(path, "a") : NULL;

    if (!file) return;
    fprintf(file, "%s\n", body);
    fclose(file);
}

/* Returns the status; *ret is what stands there now. */
static inline unsigned peer_write(struct world *w, struct http_exchange *exchange, const char *type,
                                  const char *id, const struct peer_item **ret)
{
    size_t len;
    const char *body = http_body(exchange, &len);
    const char *condition = http_header(exchange, "If-None-Exist");
    struct peer_item *item = id[0] ? peer_find(w, type, id) : NULL;
    char made[32];

    *ret = item;
    if (id[0] && !item && w->no_update_create) return 405;
    if (!peer_matches(exchange, item)) return 412;
    if (condition && !w->no_conditional_create) { /* "identifier=SYSTEM%7CVALUE" */
        const char *bar = strstr(condition, "%7C");
        if (bar && (*ret = peer_with_text(w, type, bar + 3))) return 200;
    }
    if (!id[0]) {
        snprintf(made, sizeof made, "%d", w->next_id++);
        id = made;
    }
    *ret = peer_store(w, type, id, json_loadb(body, len, 0, NULL));
    if (strcmp(type, "DetectedIssue") == 0) issue_dump(body);
    return item ? 200 : 201;
}

static inline void peer_do(struct world *w, struct http_exchange *exchange, const char *path,
                           struct peer_fault *fault)
{
    const char *method = http_method(exchange);
    const struct peer_item *item;
    char type[40] = "", id[80] = "";
    size_t from = 0;
    unsigned status;

    if (sscanf(path, "_page/%39[^/]/%zu", type, &from) == 2) {
        peer_search(w, exchange, type, from);
        return;
    }
    sscanf(path, "%39[^/]/%79[^/]", type, id);
    if (strcmp(method, "GET") == 0) {
        if (strcmp(type, "metadata") == 0)
            peer_capability(w, exchange);
        else if (id[0])
            peer_read(w, exchange, type, id);
        else
            peer_search(w, exchange, type, 0);
        return;
    }
    status = peer_write(w, exchange, type, id, &item);
    if (fault)
        peer_answer_fault(exchange, fault);
    else if (status >= 400)
        peer_outcome(exchange, status, 0);
    else if (item)
        peer_answer_item(exchange, status, item);
}

static inline unsigned peer_on_head(struct http_exchange *exchange, const char **ret_body,
                                    void *arg)
{
    (void)exchange;
    (void)ret_body;
    (void)arg;
    return 0;
}

static inline void peer_on_body(struct http_exchange *exchange, void *arg)
{
    struct world *w = arg;
    const char *method = http_method(exchange), *path = http_path(exchange);
    struct peer_fault *fault;

    buf_printf(&w->asked, "%s %s\n", method, path);
    path += strlen("/fhir/");
    fault = peer_fault(w, method, path);
    if (fault && !fault->done)
        peer_answer_fault(exchange, fault);
    else
        peer_do(w, exchange, path, fault);
}

/* ---- the world */

static inline void world_on_late(uv_timer_t *timer)
{
    struct world *w = timer->data;

    w->late = true;
}

static inline struct http_server *world_listen(struct world *w, http_head_fn *head,
                                               http_body_fn *body, void *arg)
{
    struct http_server_options options = { .address = "127.0.0.1",
                                           .body_max = 1 << 20,
                                           .connections_max = 64,
                                           .request_ms = 5000,
                                           .idle_ms = 5000 };
    struct http_server *server = NULL;
    struct err err;

    if (!http_server_start(&w->loop, &options, head, body, arg, &server, &err))
        fail_msg("%s", err.what);
    return server;
}

static inline void world_on_ready(void *arg)
{
    struct world *w = arg;

    w->ready = true;
}

static inline void world_on_failed(const struct err *err, void *arg)
{
    struct world *w = arg;

    (void)err;
    w->failed = true;
}

/* The hook forwards to the flow of now. */
static inline unsigned hook_on_head(struct http_exchange *exchange, const char **ret_body,
                                    void *arg)
{
    struct world *w = arg;

    return flow_on_head(exchange, ret_body, w->flow);
}

static inline void hook_on_body(struct http_exchange *exchange, void *arg)
{
    struct world *w = arg;

    flow_on_body(exchange, w->flow);
}

static inline struct world *world_new(void)
{
    struct world *w = mem_new(struct world);
    struct http_client_options sender = { .connections_max = 4 };

    wall_shift_ms = wall_fixed_ms = 0;
    buf_clear(&fixture_log);
    log_set_sink(fixture_sink);
    uv_loop_init(&w->loop);
    uv_timer_init(&w->loop, &w->patience);
    w->patience.data = w;
    w->next_id = 1000;
    w->peer = world_listen(w, peer_on_head, peer_on_body, w);
    w->hook = world_listen(w, hook_on_head, hook_on_body, w);
    w->sender = http_client_new(&w->loop, &sender);
    w->knowledge = flow_knowledge_made("1.0");
    snprintf(w->origin, sizeof w->origin, "http://127.0.0.1:%u", http_server_port(w->peer));
    snprintf(w->base, sizeof w->base, "%s/fhir", w->origin);
    snprintf(w->hook_url, sizeof w->hook_url, "http://127.0.0.1:%u/hook",
             http_server_port(w->hook));
    assert_true(folder_make(w->dir));
    snprintf(w->path, sizeof w->path, "%s/flow.db", w->dir);
    w->options = (struct flow_options){ .base = w->base,
                                        .origin = w->origin,
                                        .hook = w->hook_url,
                                        .hook_payload = true,
                                        .name = "test",
                                        .system = "urn:x-test",
                                        .version = "0",
                                        .hook_secret = FIXTURE_KEY,
                                        .poll_ms = 3600000,
                                        .overlap_ms = 60000,
                                        .subscription_ms = 3600000,
                                        .request_ms = 5000,
                                        .first_poll_days = 30,
                                        .history_days = 365,
                                        .page_count = 50,
                                        .deliveries_max = 4,
                                        .random_bytes = fixture_random,
                                        .wall_ms = fixture_wall_ms };
    return w;
}

static inline void world_start(struct world *w)
{
    struct http_client_options client = { .origin = w->origin, .connections_max = 8 };
    struct flow_events events = { world_on_ready, world_on_failed, w };
    struct err err;

    w->ready = w->failed = w->stopped = w->store_closed = false;
    if (!store_open(&w->loop, w->path, &w->store, &err)) fail_msg("%s", err.what);
    w->client = http_client_new(&w->loop, &client);
    w->flow =
        flow_start(&w->loop, &w->options, w->client, w->store, &w->metrics, w->knowledge, &events);
}

/* Run the loop until *what is true; ends the test when that takes too long. */
#define world_until(w, what)                                                                       \
    do {                                                                                           \
        (w)->late = false;                                                                         \
        uv_timer_start(&(w)->patience, world_on_late, PATIENCE_MS, 0);                             \
        while (!(what) && !(w)->late) uv_run(&(w)->loop, UV_RUN_ONCE);                             \
        uv_timer_stop(&(w)->patience);                                                             \
        if ((w)->late)                                                                             \
            fail_msg("waited in vain for " #what "\nasked:\n%s\nlog:\n%s",                         \
                     buf_string(&(w)->asked), buf_string(&fixture_log));                           \
    } while (0)

static inline void world_on_stopped(void *arg)
{
    struct world *w = arg;

    w->stopped = true;
    w->flow = NULL;
}

static inline void world_on_store_closed(struct err *err, void *arg)
{
    struct world *w = arg;

    (void)err;
    w->store_closed = true;
    w->store = NULL;
}

static inline void world_stop(struct world *w)
{
    if (!w->flow) return;
    flow_stop(w->flow, 1000, world_on_stopped, w);
    world_until(w, w->stopped);
    http_client_free(w->client);
    store_close(w->store, world_on_store_closed, w);
    world_until(w, w->store_closed);
}

static inline void world_free(struct world *w)
{
    world_stop(w);
    http_server_free(w->peer);
    http_server_free(w->hook);
    http_client_free(w->sender);
    uv_close((uv_handle_t *)&w->patience, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    for (size_t i = 0; i < w->item_count; i++) json_decref(w->items[i].resource);
    knowledge_free(w->knowledge);
    folder_forget_store(w->path);
    folder_remove(w->dir);
    buf_done(&w->asked);
    buf_done(&fixture_log);
    log_set_sink(NULL);
    free(w);
}

/* ---- a ward */

static inline void put_order(struct world *w, const char *id, const char *patient,
                             const char *status)
{
    peer_put(w, "MedicationRequest", id,
             "{'status':'%s','intent':'order','subject':{'reference':'Patient/%s'},"
             "'authoredOn':'2020-01-01T00:00:00Z','medicationCodeableConcept':{'coding':[{" RXNORM
             ",'code':'342369'}]}}",
             status, patient);
}

static inline void put_count_at(struct world *w, const char *id, const char *patient, double value,
                                int64_t age_ms)
{
    char when[32];

    instant_text(fixture_wall_ms() - age_ms, when, sizeof when);
    peer_put(w, "Observation", id,
             "{'status':'final','code':{'coding':[{" LOINC
             ",'code':'751-8'}]},'subject':{'reference':'Patient/%s'},'effectiveDateTime':'%s',"
             "'valueQuantity':{'value':%g," UCUM ",'code':'10*9/L'}}",
             patient, when, value);
}

/* Neutrophils of an hour ago, and of a minute ago. */
static inline void put_count(struct world *w, const char *id, const char *patient, double value)
{
    put_count_at(w, id, patient, value, INSTANT_HOUR);
}

static inline void put_later_count(struct world *w, const char *id, const char *patient,
                                   double value)
{
    put_count_at(w, id, patient, value, 60 * INSTANT_SECOND);
}

/* A patient on lenalidomide whose neutrophils are low. */
static inline void put_ill(struct world *w, const char *patient)
{
    char id[64];

    peer_put(w, "Patient", patient, "{'gender':'female'}");
    snprintf(id, sizeof id, "%s-order", patient);
    put_order(w, id, patient, "active");
    snprintf(id, sizeof id, "%s-count", patient);
    put_count(w, id, patient, 0.5);
}

/* How many DetectedIssues of a patient are open, ended, retracted? "1 open, 0 ended ..." */
static inline const char *issues(struct world *w, const char *patient)
{
    static char text[80];
    unsigned open = 0, ended = 0, retracted = 0;
    char wanted[80];

    snprintf(wanted, sizeof wanted, "Patient/%s", patient);
    for (size_t i = 0; i < w->item_count; i++) {
        const json_t *r = w->items[i].resource;
        if (strcmp(w->items[i].type, "DetectedIssue") != 0 || !r) continue;
        const char *whose =
            json_string_value(json_object_get(json_object_get(r, "patient"), "reference"));
        if (!whose || strcmp(whose, wanted) != 0) continue;
        const char *status = json_string_value(json_object_get(r, "status"));
        if (status && strcmp(status, "entered-in-error") == 0)
            retracted++;
        else if (json_object_get(json_object_get(r, "identifiedPeriod"), "end"))
            ended++;
        else
            open++;
    }
    snprintf(text, sizeof text, "%u open, %u ended, %u retracted", open, ended, retracted);
    return text;
}

static inline bool issues_are(struct world *w, const char *patient, const char *wanted)
{
    return strcmp(issues(w, patient), wanted) == 0;
}

/* The first one. */
static inline struct peer_item *issue_of(struct world *w)
{
    for (size_t i = 0; i < w->item_count; i++)
        if (strcmp(w->items[i].type, "DetectedIssue") == 0) return &w->items[i];
    fail_msg("no DetectedIssue");
    abort();
}

/* How often a request was made: "PUT /fhir/DetectedIssue". */
static inline unsigned asked(const struct world *w, const char *request)
{
    unsigned n = 0;

    for (const char *at = buf_string(&w->asked); (at = strstr(at, request)); at++) n++;
    return n;
}

static inline unsigned logged(const char *text)
{
    unsigned n = 0;

    for (const char *at = buf_string(&fixture_log); (at = strstr(at, text)); at++) n++;
    return n;
}

/* ---- sending to the hook */

static inline void send_on_done(const struct http_reply *reply, void *arg)
{
    struct world *w = arg;

    w->answered = true;
    w->status = reply->status;
    snprintf(w->answer, sizeof w->answer, "%s", reply->body);
}

static inline long send_to_hook(struct world *w, const char *method, const char *path,
                                const char *key, const char *body)
{
    char url[300], header[100];
    const char *headers[] = { header, "Content-Type: application/fhir+json", NULL };

    snprintf(header, sizeof header, "X-Myeloma-Adapter-Key: %s", key);
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", http_server_port(w->hook), path);
    w->answered = false;
    http_start(w->sender,
               &(struct http_request){ .method = method,
                                       .url = url,
                                       .headers = headers,
                                       .body = body,
                                       .body_len = body ? strlen(body) : 0,
                                       .timeout_ms = 10000,
                                       .reply_max = 1 << 20 },
               send_on_done, w);
    world_until(w, w->answered);
    return w->status;
}

/* As HAPI does: PUT {endpoint}/Type/id with the resource as it stands. */
static inline long notify(struct world *w, const char *type, const char *id)
{
    struct peer_item *item = peer_at(w, type, id);
    char path[200], *text;
    long status;

    snprintf(path, sizeof path, "/hook/%s/%s/%s", type, type, id);
    if (!item->resource) return send_to_hook(w, "DELETE", path, FIXTURE_KEY, NULL);
    text = peer_text(item);
    status = send_to_hook(w, "PUT", path, FIXTURE_KEY, text);
    free(text);
    return status;
}
