#include "flow/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "fhir/resource.h"
#include "flow/flow_impl.h"

#define SERVER_REPLY_MAX (64u << 20) /* bytes of one answer */

struct server_call {
    struct flow *flow;
    struct http_call *call;           /* NULL: not sent */
    struct server_call *next, **link; /* place among the refused; link NULL: sent */
    bool probe;
    server_done_fn *done;
    void *arg;
};

/* ---- what an answer means */

static void judge_refusal(long status, struct err *err)
{
    switch (status) {
    case 401:
        err->kind = ERR_TRANSIENT;
        err->code = "server.credentials";
        err_fix(err, "check the credentials for the FHIR server; they may be renewed and reloaded");
        break;
    case 403:
        err->code = "server.forbidden";
        err_fix(err, "give the adapter's account the right to do this");
        break;
    case 404:
    case 410:
        err->code = "server.gone";
        break;
    case 409:
    case 412:
        err->code = "server.conflict";
        break;
    default:
        err->code = "server.refused";
        break;
    }
}

/* A proxy's page says 200 as well, and 202 says that nothing is done yet. */
static void judge_success(struct server_answer *answer)
{
    const struct http_reply *reply = answer->reply;
    const char *first = reply->body + strspn(reply->body, " \t\r\n");

    if (answer->status == 202) {
        err_set(&answer->err, ERR_AMBIGUOUS, "server.async", "the server will do it later");
    } else if (*first && *first != '{' && *first != '\xEF') {
        err_set(&answer->err, ERR_AMBIGUOUS, "server.garbage", "the answer is no JSON document");
        err_fix(&answer->err,
                "look whether the base URL is that of the FHIR server, not of a proxy");
    }
}

static void judge(struct server_answer *answer)
{
    struct err *err = &answer->err;
    long status = answer->status;

    *err = answer->reply->err;
    if (!err->code) judge_success(answer);
    if (!err->code || !status) return;
    if (status < 300) return;
    if (status == 429 || status == 503)
        err->code = "server.busy";
    else if (status >= 500 || status == 408)
        err->code = "server.error";
    else if (status >= 400 && strcmp(err->code, "http.too-big") != 0)
        judge_refusal(status, err);
}

/* ---- is the server well? */

static int64_t now_ms(const struct flow *flow)
{
    return (int64_t)uv_now(flow->loop);
}

uint64_t server_pause_ms(const struct flow *flow)
{
    return (uint64_t)circuit_wait_ms(&flow->health.circuit, now_ms(flow));
}

bool server_is_ill(const struct flow *flow)
{
    return circuit_is_open(&flow->health.circuit);
}

bool server_held(const struct err *err)
{
    return strcmp(err->code, "server.circuit") == 0;
}

int64_t server_again_ms(const struct flow *flow)
{
    int64_t pause = (int64_t)server_pause_ms(flow);

    return pause ? pause : CIRCUIT_FIRST_MS;
}

/* Told once, and once more when it is over: each caller waits by itself. */
static void note_credentials(struct flow *flow, const struct err *err)
{
    bool unknown = err->code && strcmp(err->code, "server.credentials") == 0;

    if (unknown && !flow->health.unknown)
        log_event(LOG_LEVEL_WARN, "credentials-refused", LOG_CODE, err->code, LOG_FIX, err->fix,
                  LOG_END);
    else if (!unknown && flow->health.unknown && !err->code)
        log_event(LOG_LEVEL_INFO, "credentials-taken", LOG_END);
    else
        return;
    flow->health.unknown = unknown;
}

static void note_well(struct flow *flow)
{
    if (!circuit_well(&flow->health.circuit, now_ms(flow))) return;
    metric_set(flow->metrics, METRIC_SERVER_DOWN, 0);
    log_event(LOG_LEVEL_INFO, "server-up", LOG_END);
    catchup_hurry(flow);
    deliver_hurry(flow);
    clock_poke(flow, 0);
}

static void note_ill(struct flow *flow, const struct server_answer *answer, bool probe)
{
    const struct err *err = &answer->err;

    if (circuit_ill(&flow->health.circuit, probe, now_ms(flow), answer->reply->retry_after_ms,
                    flow_random(flow))) {
        metric_set(flow->metrics, METRIC_SERVER_DOWN, 1);
        log_event(LOG_LEVEL_WARN, "server-down", LOG_CODE, err->code, LOG_FIX,
                  err->fix[0] ? err->fix
                              : "nothing is lost: what is waiting is done when the server answers",
                  LOG_END);
    }
    pace_pause(flow, (int64_t)server_pause_ms(flow));
    if (server_is_ill(flow)) clock_poke(flow, server_pause_ms(flow));
}

/* A server that refuses, wants other credentials or takes its time is no dead server. */
static bool is_well(const struct err *err)
{
    return !err->code || err->kind == ERR_PERMANENT ||
           strcmp(err->code, "server.credentials") == 0 || strcmp(err->code, "server.async") == 0;
}

static void health_note(struct flow *flow, const struct server_answer *answer, bool probe)
{
    note_credentials(flow, &answer->err);
    if (is_well(&answer->err))
        note_well(flow);
    else
        note_ill(flow, answer, probe);
}

/* ---- what is not sent */

static void refused_leave(struct server_call *call)
{
    if ((*call->link = call->next)) call->next->link = call->link;
}

static void refused_answer(struct server_call *call)
{
    struct flow *flow = call->flow;
    struct http_reply reply = { .body = "", .date_ms = INSTANT_UNSET };
    struct server_answer answer = { .reply = &reply };
    server_done_fn *done = call->done;
    void *done_arg = call->arg;

    refused_leave(call);
    free(call);
    reply.retry_after_ms = (int64_t)server_pause_ms(flow);
    err_set(&reply.err, ERR_TRANSIENT, "server.circuit", "the server did not answer lately");
    err_fix(&reply.err, "nothing was sent; it is asked again now and then");
    answer.err = reply.err;
    metric_add(flow->metrics, METRIC_REQUESTS_HELD, 1);
    done(&answer, done_arg);
    flow_release(flow);
}

/* Those that come while these are answered wait for the next turn of the loop. */
static void refused_on_timer(uv_timer_t *timer)
{
    struct flow *flow = timer->data;
    size_t count = 0;

    for (struct server_call *call = flow->health.refused; call; call = call->next) count++;
    flow_hold(flow);
    while (count-- && flow->health.refused) refused_answer(flow->health.refused);
    if (flow->health.refused) uv_timer_start(timer, refused_on_timer, 0, 0);
    flow_release(flow);
}

static void refuse(struct server_call *call)
{
    struct flow *flow = call->flow;
    struct server_call **end = &flow->health.refused;

    while (*end) end = &(*end)->next;
    *end = call;
    call->link = end;
    uv_timer_start(&flow->health.timer, refused_on_timer, 0, 0);
}

void server_init(struct flow *flow)
{
    flow_add_timer(flow, &flow->health.timer, flow);
}

/* May it be sent? What asks for the capability statement is alone and has its own pauses. */
static bool may_send(struct server_call *call, bool background)
{
    struct flow *flow = call->flow;
    enum circuit_gate gate;

    if (flow->state == FLOW_PROBING) return true;
    gate = circuit_ask(&flow->health.circuit, background, now_ms(flow));
    call->probe = gate == CIRCUIT_PROBE;
    return gate != CIRCUIT_REFUSE;
}

/* ---- calls */

static void call_on_done(const struct http_reply *reply, void *arg)
{
    struct server_call *call = arg;
    struct flow *flow = call->flow;
    struct server_answer answer = { .status = reply->status, .reply = reply };
    server_done_fn *done = call->done;
    void *done_arg = call->arg;
    bool probe = call->probe;

    free(call);
    judge(&answer);
    health_note(flow, &answer, probe);
    if (answer.err.code) pace_pause(flow, reply->retry_after_ms);
    done(&answer, done_arg);
    flow_release(flow);
}

static void url_of(const struct flow *flow, const char *path, struct buf *ret)
{
    bool whole = strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;

    if (!whole) buf_printf(ret, "%s/", flow->options.base);
    buf_text(ret, path);
}

/* A header made of a peer's text; the client refuses control characters. */
static const char *header(struct buf *line, const char *format_name, const char *value,
                          const char *end)
{
    buf_text(line, format_name);
    buf_text(line, value);
    buf_text(line, end);
    return buf_string(line);
}

struct server_call *server_start(struct flow *flow, const struct server_request *request,
                                 server_done_fn *done, void *arg)
{
    struct server_call *call = mem_new(struct server_call);
    AUTO(buf_done) struct buf url = { 0 }, match = { 0 }, condition = { 0 };
    const char *headers[6] = { "Accept: application/fhir+json" };
    size_t n = 1;

    url_of(flow, request->path, &url);
    if (strcmp(request->method, "GET") == 0) headers[n++] = "Cache-Control: no-cache";
    if (request->body) headers[n++] = "Content-Type: application/fhir+json";
    if (request->if_match && *request->if_match)
        headers[n++] = header(&match, "If-Match: W/\"", request->if_match, "\"");
    if (request->if_none_exist)
        headers[n++] = header(&condition, "If-None-Exist: ", request->if_none_exist, "");
    headers[n] = NULL;
    *call = (struct server_call){ .flow = flow, .done = done, .arg = arg };
    flow_hold(flow);
    if (!may_send(call, request->background)) {
        refuse(call);
        return call;
    }
    pace_spend(flow);
    call->call = http_start(flow->client,
                            &(struct http_request){
                                .method = request->method,
                                .url = buf_string(&url),
                                .headers = headers,
                                .body = request->body,
                                .body_len = request->body ? strlen(request->body) : 0,
                                .timeout_ms = (uint64_t)flow->options.request_ms,
                                .reply_max = SERVER_REPLY_MAX,
                            },
                            call_on_done, call);
    return call;
}

void server_cancel(struct server_call *call)
{
    if (!call) return;
    struct flow *flow = call->flow;
    http_cancel(call->call);
    if (call->link) refused_leave(call);
    if (call->probe) circuit_forget(&flow->health.circuit);
    free(call);
    flow_release(flow);
}

/* ---- reading answers */

bool server_document(const struct server_answer *answer, struct doc **ret, struct err *err)
{
    if (doc_parse(answer->reply->body, answer->reply->body_len, 0, ret, err)) return true;
    err_set(err, ERR_TRANSIENT, "server.garbage", "the answer is no JSON document");
    return err_fix(err, "look whether the base URL is that of the FHIR server, not of a proxy");
}

const char *server_codes(const struct server_answer *answer, char *buf, size_t size)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    buf[0] = '\0';
    if (!doc_parse(answer->reply->body, answer->reply->body_len, 0, &doc, &err)) return buf;
    struct node root = node_root(doc);
    return outcome_codes(&root, buf, size);
}

static void identity_of_body(const struct server_answer *answer, const char *type,
                             struct server_identity *ret)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;

    if (!doc_parse(answer->reply->body, answer->reply->body_len, 0, &doc, &err)) return;
    struct node root = node_root(doc);
    if (resource_head_read(&root, &arena, &head, &err) && strcmp(head.type, type) == 0) {
        if (!ret->id[0]) snprintf(ret->id, sizeof ret->id, "%s", head.id);
        if (!ret->version[0] && strlen(head.version) < sizeof ret->version)
            snprintf(ret->version, sizeof ret->version, "%s", head.version);
    }
    arena_done(&arena);
}

void server_identity(const struct server_answer *answer, const char *type,
                     struct server_identity *ret)
{
    struct reference reference;

    ret->id[0] = '\0';
    snprintf(ret->version, sizeof ret->version, "%s", answer->reply->etag);
    if (reference_parse(answer->reply->location, &reference) && strcmp(reference.type, type) == 0) {
        snprintf(ret->id, sizeof ret->id, "%s", reference.id);
        if (!ret->version[0]) snprintf(ret->version, sizeof ret->version, "%s", reference.version);
    }
    if (!ret->id[0] || !ret->version[0]) identity_of_body(answer, type, ret);
}

void server_escape(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~", c);
        if (plain)
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
