/* One request and its answer. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_refusal.h"
#include "net/http_server_impl.h"

#define REFUSED_RETRY "5" /* seconds */
#define SMALL_PART    256 /* of bodies_max: a small body */

static void body_drop(struct http_exchange *exchange)
{
    exchange->connection->server->bodies -= exchange->body.len;
    buf_done(&exchange->body);
}

/* The only writer of exchange->state. */
static void exchange_enter(struct http_exchange *exchange, enum exchange_state next)
{
    struct connection *conn = exchange->connection;
    struct http_server *server = conn->server;

    exchange->state = next;
    switch (next) {
    case EXCHANGE_HEAD:
    case EXCHANGE_ANSWERED:
        http_cut_in(conn, server->options.request_ms);
        break;
    case EXCHANGE_BODY:
        break;
    case EXCHANGE_ASKED:
        http_cut_never(conn);
        server->body(exchange, server->arg);
        if (exchange->state == EXCHANGE_ASKED && !server->closing)
            exchange_enter(exchange, EXCHANGE_WAITING);
        break;
    case EXCHANGE_WAITING:
        MHD_suspend_connection(exchange->mhd);
        break;
    }
}

/* The request line has come; what is returned is the context of the request. */
void *http_on_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
    struct http_exchange *exchange = mem_new(struct http_exchange);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    (void)arg;
    (void)uri;
    assert(info && info->socket_context);
    exchange->connection = info->socket_context;
    exchange->connection->exchange = exchange;
    exchange->mhd = mhd;
    exchange_enter(exchange, EXCHANGE_HEAD);
    return exchange;
}

void http_on_request_end(void *arg, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct http_exchange *exchange = TAKE(*context);

    (void)arg;
    (void)mhd;
    (void)why;
    if (!exchange) return;
    exchange->connection->exchange = NULL;
    http_cut_in(exchange->connection, exchange->connection->server->options.idle_ms);
    if (exchange->response) MHD_destroy_response(exchange->response);
    body_drop(exchange);
    free(exchange);
}

static void response_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (MHD_add_response_header(response, name, value) != MHD_YES) abort();
}

static struct MHD_Response *response_new(const char *type, const char *text)
{
    size_t len = strlen(text);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    if (!response) abort();
    if (type) response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return response;
}

static enum MHD_Result exchange_send(struct http_exchange *exchange)
{
    struct MHD_Response *response = TAKE(exchange->response);
    enum MHD_Result result;

    if (exchange->last || exchange->connection->server->quiet)
        response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(exchange->mhd, exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Queued before the body is read, an answer makes libmicrohttpd read no more and close. */
static enum MHD_Result exchange_refuse(struct http_exchange *exchange, unsigned status,
                                       const char *text)
{
    exchange->status = status;
    exchange->last = true;
    exchange->response = response_new("text/plain; charset=utf-8", text ? text : "");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        response_header(exchange->response, MHD_HTTP_HEADER_RETRY_AFTER, REFUSED_RETRY);
    exchange_enter(exchange, EXCHANGE_ANSWERED);
    return exchange_send(exchange);
}

/* ---- the head ---- */

/* A refusal that the owner of the server does not see in its own callbacks. */
static enum MHD_Result exchange_refuse_ourselves(struct http_exchange *exchange, unsigned status,
                                                 const char *text)
{
    struct http_server *server = exchange->connection->server;

    if (server->options.refused) server->options.refused(status, server->arg);
    return exchange_refuse(exchange, status, text);
}

static enum MHD_Result exchange_on_head(struct http_exchange *exchange)
{
    struct http_server *server = exchange->connection->server;
    const char *text = NULL;
    unsigned status = http_framing_refusal(exchange->mhd, &text);

    if (status) return exchange_refuse_ourselves(exchange, status, text);
    text = NULL;
    status = server->head(exchange, &text, server->arg);
    if (server->closing) return MHD_NO;
    if (status) return exchange_refuse(exchange, status, text);
    status = http_body_refusal(exchange->mhd, server->options.body_max, &text);
    if (status) return exchange_refuse_ourselves(exchange, status, text);
    exchange_enter(exchange, EXCHANGE_BODY);
    return MHD_YES;
}

/* ---- the body ---- */

/* What is small is let in beside the crowd: those that are there can only be so many. */
static bool has_room(const struct http_server *server, size_t body_len, size_t more)
{
    size_t max = server->options.bodies_max;

    return server->bodies + more <= max || body_len + more <= max / SMALL_PART;
}

static enum MHD_Result exchange_on_data(struct http_exchange *exchange, const char *data,
                                        size_t *data_len)
{
    struct http_server *server = exchange->connection->server;
    size_t len = *data_len;

    *data_len = 0; /* all of it is taken */
    if (exchange->too_big || exchange->no_room) return MHD_YES;
    /* libmicrohttpd cannot answer in the middle of a body. */
    if (len > server->options.body_max - exchange->body.len) /* a chunked one */
        exchange->too_big = true;
    else if (!has_room(server, exchange->body.len, len))
        exchange->no_room = true;
    if (exchange->too_big || exchange->no_room) {
        body_drop(exchange);
        return MHD_YES;
    }
    server->bodies += len;
    buf_add(&exchange->body, data, len);
    return MHD_YES;
}

static enum MHD_Result exchange_on_end(struct http_exchange *exchange)
{
    if (exchange->too_big)
        return exchange_refuse_ourselves(exchange, MHD_HTTP_CONTENT_TOO_LARGE,
                                         "the body is too long\n");
    if (exchange->no_room)
        return exchange_refuse_ourselves(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                                         "too much is under way, come again\n");
    exchange_enter(exchange, EXCHANGE_ASKED);
    if (exchange->connection->server->closing) return MHD_NO;
    return exchange->state == EXCHANGE_ANSWERED ? exchange_send(exchange) : MHD_YES;
}

/* libmicrohttpd calls this for the head, for every piece of the body, at its end and after every
 * resumption. */
enum MHD_Result http_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **context)
{
    struct http_server *server = arg;
    struct http_exchange *exchange = *context;

    (void)mhd;
    (void)version;
    assert(exchange);
    if (server->closing) return MHD_NO;
    exchange->method = method;
    exchange->path = url;
    switch (exchange->state) {
    case EXCHANGE_HEAD:
        return exchange_on_head(exchange);
    case EXCHANGE_BODY:
        return *data_len ? exchange_on_data(exchange, data, data_len) : exchange_on_end(exchange);
    case EXCHANGE_ANSWERED:
        return exchange->response ? exchange_send(exchange) : MHD_YES;
    case EXCHANGE_ASKED:
    case EXCHANGE_WAITING:
        break;
    }
    return MHD_YES;
}

const char *http_method(const struct http_exchange *exchange)
{
    return exchange->method;
}

const char *http_path(const struct http_exchange *exchange)
{
    return exchange->path;
}

const char *http_header(const struct http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, name);
}

const char *http_body(const struct http_exchange *exchange, size_t *ret_len)
{
    *ret_len = exchange->body.len;
    return buf_string(&exchange->body);
}

void http_trust(const struct http_exchange *exchange)
{
    exchange->connection->trusted = true;
}

bool http_has_body(const struct http_exchange *exchange)
{
    const char *length = http_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return http_header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING) ||
           (length && strtoull(length, NULL, 10) > 0);
}

void http_answer(struct http_exchange *exchange, unsigned status, const char *type,
                 const char *text, unsigned retry_after_s)
{
    struct http_server *server = exchange->connection->server;
    bool waiting = exchange->state == EXCHANGE_WAITING;
    char number[16];

    assert(waiting || exchange->state == EXCHANGE_ASKED);
    exchange->status = status;
    exchange->response = response_new(type, text);
    if (retry_after_s) {
        snprintf(number, sizeof number, "%u", retry_after_s);
        response_header(exchange->response, MHD_HTTP_HEADER_RETRY_AFTER, number);
    }
    exchange_enter(exchange, EXCHANGE_ANSWERED);
    if (!waiting) return; /* the caller is exchange_enter(), and sends */
    MHD_resume_connection(exchange->mhd);
    http_run_again(server);
}
