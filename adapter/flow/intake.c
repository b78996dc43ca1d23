#include "flow/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "fhir/notification.h"
#include "fhir/outcome.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"
#include "flow/notice.h"
#include "net/origin.h"

#define FHIR_JSON      "application/fhir+json"
#define SECRET_NAME    "X-Myeloma-Adapter-Key"
#define SIGNATURE_NAME "X-Signature"
#define BUSY_RETRY_S   5
#define COMPLAIN_MS    60000 /* between two log lines about wrong keys */

/* ---- making and ending */

void intake_init(struct flow *flow)
{
    struct intake *intake = &flow->intake;
    struct origin hook;

    intake->unauthorized = outcome_build("error", "security", "the key of this endpoint is wrong");
    intake->unsigned_ = outcome_build("error", "security", "X-Signature is missing or wrong");
    intake->unknown = outcome_build("error", "not-found", "there is nothing here");
    intake->bad_method = outcome_build("error", "not-supported", "use PUT, POST or DELETE");
    intake->busy = outcome_build("error", "throttled", "events cannot be taken just now");
    if (!flow->options.hook) return;
    if (origin_parse(flow->options.hook, &hook)) intake->path = mem_strdup(hook.path);
    origin_done(&hook);
    if (!intake->path) return;
    size_t len = strlen(intake->path);
    while (len && intake->path[len - 1] == '/') intake->path[--len] = '\0';
}

void intake_done(struct flow *flow)
{
    free(flow->intake.path);
    free(flow->intake.unauthorized);
    free(flow->intake.unsigned_);
    free(flow->intake.unknown);
    free(flow->intake.bad_method);
    free(flow->intake.busy);
}

/* ---- where a request goes */

enum route { ROUTE_NOWHERE, ROUTE_HOOK, ROUTE_HEALTH, ROUTE_READY, ROUTE_METRICS };

void intake_url_key(const char *secret, char ret[INTAKE_URL_KEY_SIZE])
{
    static const char use[] = "hook-url";

    digest_hmac(secret, use, sizeof use - 1, ret);
}

/* What is behind the path of the hook, and a key if there is one: "/Observation"; NULL when it is
 * not below the hook. */
static const char *below_hook(const struct flow *flow, const char *path, const char **ret_key)
{
    size_t len = flow->intake.path ? strlen(flow->intake.path) : 0;

    *ret_key = NULL;
    if (!flow->intake.path || strncmp(path, flow->intake.path, len) != 0 || path[len] != '/')
        return NULL;
    path += len;
    if (strcspn(path + 1, "/") != INTAKE_URL_KEY_SIZE - 1) return path;
    *ret_key = path + 1;
    return path + INTAKE_URL_KEY_SIZE;
}

/* "/hook/Observation/Observation/5": type "Observation", tail "/Observation/5". */
static bool hook_route(const struct flow *flow, const char *path, char type[40],
                       const char **ret_tail)
{
    const char *key;
    size_t n;

    path = below_hook(flow, path, &key);
    if (!path || *path++ != '/') return false;
    n = strcspn(path, "/");
    if (n == 0 || n >= 40) return false;
    memcpy(type, path, n);
    type[n] = '\0';
    *ret_tail = path + n;
    return resource_is_used(type);
}

static enum route route_of(const struct flow *flow, const char *path, char type[40],
                           const char **ret_tail)
{
    if (strcmp(path, "/health") == 0) return ROUTE_HEALTH;
    if (strcmp(path, "/ready") == 0) return ROUTE_READY;
    if (strcmp(path, "/metrics") == 0) return ROUTE_METRICS;
    return hook_route(flow, path, type, ret_tail) ? ROUTE_HOOK : ROUTE_NOWHERE;
}

static bool method_is_one_of(const char *method, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(method, *list) == 0) return true;
    return false;
}

static bool has_key(const struct flow *flow, const struct http_exchange *exchange)
{
    const char *key = http_header(exchange, SECRET_NAME), *url_key;
    char expected[INTAKE_URL_KEY_SIZE];

    if (key && digest_same_secret(key, strlen(key), flow->secret, strlen(flow->secret)))
        return true;
    below_hook(flow, http_path(exchange), &url_key);
    intake_url_key(flow->secret, expected);
    return url_key &&
           digest_same_secret(url_key, INTAKE_URL_KEY_SIZE - 1, expected, sizeof expected - 1);
}

static unsigned refuse(unsigned status, const char *body, const char **ret_body)
{
    *ret_body = body;
    return status;
}

/* Counted each time, told once a minute: whoever it is must not fill the log. */
static void complain(struct flow *flow, const char *code, const char *fix)
{
    uint64_t now = uv_now(flow->loop);

    if (flow->intake.complained_ms && now - flow->intake.complained_ms < COMPLAIN_MS) return;
    flow->intake.complained_ms = now;
    log_event(LOG_LEVEL_WARN, "notification-refused", LOG_CODE, code, LOG_FIX, fix, LOG_END);
}

static void wrong_key(struct flow *flow, const char *code)
{
    metric_add(flow->metrics, METRIC_REFUSED_SECRET, 1);
    complain(flow, code,
             "somebody without our key calls the hook; the Subscriptions carry the right one");
}

static unsigned hook_head(struct flow *flow, const struct http_exchange *exchange,
                          const char **ret_body)
{
    static const char *const methods[] = { "PUT", "POST", "DELETE", NULL };

    if (!flow->secret) return refuse(503, flow->intake.busy, ret_body);
    if (!has_key(flow, exchange)) {
        wrong_key(flow, "intake.secret");
        return refuse(401, flow->intake.unauthorized, ret_body);
    }
    if (!method_is_one_of(http_method(exchange), methods))
        return refuse(405, flow->intake.bad_method, ret_body);
    http_trust(exchange);
    return 0;
}

/* For everybody: what anybody may ask, nobody may fill our memory with. */
static unsigned open_head(const struct http_exchange *exchange)
{
    static const char *const methods[] = { "GET", "HEAD", NULL };

    if (!method_is_one_of(http_method(exchange), methods)) return 405;
    return http_has_body(exchange) ? 413 : 0;
}

unsigned flow_on_head(struct http_exchange *exchange, const char **ret_body, void *arg)
{
    struct flow *flow = arg;
    const char *tail;
    char type[40];

    switch (route_of(flow, http_path(exchange), type, &tail)) {
    case ROUTE_NOWHERE:
        return refuse(404, flow->intake.unknown, ret_body);
    case ROUTE_HOOK:
        return hook_head(flow, exchange, ret_body);
    case ROUTE_HEALTH:
    case ROUTE_READY:
    case ROUTE_METRICS:
        break;
    }
    return open_head(exchange);
}

/* ---- answers */

static void answer_outcome(struct http_exchange *exchange, unsigned status, const char *severity,
                           const char *code, const char *text, unsigned retry_after_s)
{
    char *outcome = outcome_build(severity, code, text);

    http_answer(exchange, status, FHIR_JSON, outcome, retry_after_s);
    free(outcome);
}

static void answer_taken(struct http_exchange *exchange, bool topic)
{
    if (topic)
        http_answer(exchange, 200, FHIR_JSON,
                    "{\"resourceType\":\"Bundle\",\"type\":\"transaction-response\"}", 0);
    else
        answer_outcome(exchange, 200, "information", "informational", "taken", 0);
}

static void answer_busy(struct flow *flow, struct http_exchange *exchange)
{
    metric_add(flow->metrics, METRIC_REFUSED_BUSY, 1);
    http_answer(exchange, 503, FHIR_JSON, flow->intake.busy, BUSY_RETRY_S);
}

/* ---- events */

void intake_mark(const char *payload, size_t len, char *ret)
{
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;

    digest_init(&digest);
    digest_field(&digest, payload, len);
    digest_text(&digest, text);
    ret[0] = '~';
    memcpy(ret + 1, text, INTAKE_MARK_SIZE - 2);
    ret[INTAKE_MARK_SIZE - 1] = '\0';
}

struct store_event intake_event(const struct flow *flow, const struct resource_head *head,
                                const char *payload, size_t len, enum event_via via)
{
    return (struct store_event){ .accepted_ms = flow->options.wall_ms(),
                                 .via = via,
                                 .change = CHANGE_WRITTEN,
                                 .type = head->type,
                                 .id = head->id,
                                 .version = head->version,
                                 .patient = head->patient,
                                 .updated_ms = head->updated_ms,
                                 .payload = payload,
                                 .payload_len = len };
}

/* ---- one notification */

struct taking {
    struct flow *flow;
    struct http_exchange *exchange;
    bool topic;
};

static void taking_on_taken(struct err *err, void *arg)
{
    struct taking *taking = arg;

    if (err)
        answer_busy(taking->flow, taking->exchange);
    else
        answer_taken(taking->exchange, taking->topic);
    free(taking);
}

static void take(struct flow *flow, struct http_exchange *exchange, const char *type,
                 const struct notification *notification)
{
    struct taking *taking = mem_new(struct taking);

    *taking = (struct taking){ flow, exchange, notification->topic };
    notice_take(flow, type, notification, VIA_HOOK, taking_on_taken, taking);
}

/* Is the body signed, where it must be? */
static bool is_signed(const struct flow *flow, const struct http_exchange *exchange)
{
    const char *signature = http_header(exchange, SIGNATURE_NAME), *body;
    char expected[DIGEST_HMAC_SIZE];
    size_t len;

    if (!flow->options.signature) return true;
    body = http_body(exchange, &len);
    digest_hmac(flow->options.signature, body, len, expected);
    return signature &&
           digest_same_secret(signature, strlen(signature), expected, sizeof expected - 1);
}

/* Only the one that it names may end in error by our answer. */
static bool is_ours(struct flow *flow, const char *type, const struct notification *notification)
{
    const struct subscribe *subscribe = subscribe_of(flow, type);

    return !subscribe || watch_is_ours(subscribe, notification);
}

static void hook_body(struct flow *flow, struct http_exchange *exchange, const char *type,
                      const char *tail)
{
    struct notification_request request = { .method = http_method(exchange),
                                            .tail = tail,
                                            .expected = type };
    const char *deleted = http_header(exchange, "X-Medplum-Deleted-Resource");
    struct notification notification;
    struct arena arena = { 0 };
    struct err err;

    request.body = http_body(exchange, &request.body_len);
    request.deleted = deleted ? deleted : "";
    metric_add(flow->metrics, METRIC_NOTIFICATIONS, 1);
    if (!is_signed(flow, exchange)) {
        wrong_key(flow, "intake.signature");
        http_answer(exchange, 401, FHIR_JSON, flow->intake.unsigned_, 0);
        return;
    }
    if (flow_is_stopping(flow) || ledger_journal_is_full(flow)) {
        answer_busy(flow, exchange);
    } else if (!notification_read(&request, &arena, &notification, &err)) {
        metric_add(flow->metrics, METRIC_REFUSED_BAD, 1);
        log_event(LOG_LEVEL_WARN, "notification-refused", LOG_TYPE, type, LOG_CODE, err.code,
                  LOG_END);
        answer_outcome(exchange, 400, "error", "structure", err.what, 0);
    } else if (!is_ours(flow, type, &notification)) {
        metric_add(flow->metrics, METRIC_REFUSED_BAD, 1);
        complain(flow, "intake.subscription",
                 "a notification names a Subscription that is none of ours: switch it off");
        answer_outcome(exchange, 404, "error", "not-found", "this Subscription is none of ours", 0);
    } else {
        take(flow, exchange, type, &notification);
    }
    arena_done(&arena);
}

/* ---- for operators */

static void answer_text(struct http_exchange *exchange, unsigned status, const char *text)
{
    http_answer(exchange, status, "text/plain; charset=utf-8", text, 0);
}

/* From then on nothing may hold the flow any more: its end may have begun. */
static bool answered_stopping(const struct flow *flow, struct http_exchange *exchange)
{
    if (!flow_is_stopping(flow)) return false;
    answer_text(exchange, 503, "stopping\n");
    return true;
}

static void health_on_counts(const struct store_counts *counts, void *arg)
{
    struct taking *taking = arg;
    struct flow *flow = taking->flow;

    if (counts)
        answer_text(taking->exchange, 200, "ok\n");
    else
        answer_text(taking->exchange, 503, "the store does not work\n");
    free(taking);
    flow_release(flow);
}

static void health_body(struct flow *flow, struct http_exchange *exchange)
{
    struct taking *taking;

    if (answered_stopping(flow, exchange)) return;
    taking = mem_new(struct taking);
    *taking = (struct taking){ flow, exchange, false };
    flow_hold(flow);
    store_count(flow->store, health_on_counts, taking);
}

/* Counted anew, so that the sums hold; with the last numbers when the store does not answer. */
static void metrics_on_counts(const struct store_counts *counts, void *arg)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct taking *taking = arg;
    struct flow *flow = taking->flow;

    if (counts) clock_counted(flow, counts);
    metric_write(flow->metrics, &text);
    ledger_write(flow, &text);
    http_answer(taking->exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
                buf_string(&text), 0);
    free(taking);
    flow_release(flow);
}

static void metrics_body(struct flow *flow, struct http_exchange *exchange)
{
    struct taking *taking;

    if (answered_stopping(flow, exchange)) return;
    taking = mem_new(struct taking);
    *taking = (struct taking){ flow, exchange, false };
    flow_hold(flow);
    store_count(flow->store, metrics_on_counts, taking);
}

void flow_on_body(struct http_exchange *exchange, void *arg)
{
    struct flow *flow = arg;
    const char *tail;
    char type[40];

    switch (route_of(flow, http_path(exchange), type, &tail)) {
    case ROUTE_HOOK:
        hook_body(flow, exchange, type, tail);
        break;
    case ROUTE_HEALTH:
        health_body(flow, exchange);
        break;
    case ROUTE_READY:
        answer_text(exchange, flow->ready && !flow_is_stopping(flow) ? 200 : 503,
                    flow->ready ? "ready\n" : "not yet\n");
        break;
    case ROUTE_METRICS:
        metrics_body(flow, exchange);
        break;
    case ROUTE_NOWHERE:
        http_answer(exchange, 404, FHIR_JSON, flow->intake.unknown, 0);
        break;
    }
}
