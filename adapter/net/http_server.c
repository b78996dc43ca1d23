/* A peer's connection is libmicrohttpd's; what is ours is when it ends and what is answered.
 *
 *   accepted -> idle -> head -> body -> asked -> (waiting) -> answered -> idle ...
 *
 * Limits: idle_ms for "idle"; request_ms from the request line to the end of the body, and again
 * for the peer to take the answer; none while the answer is our own duty. libmicrohttpd's timeouts
 * start again with every byte, so they are off: when a limit passes we shut the socket down, which
 * libmicrohttpd notices and cleans up after. */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/http_refusal.h"
#include "net/listen.h"

#define HEAD_MAX           (32 * 1024) /* bytes of memory for a head; a longer one gets 431 */
#define RUNS_MAX           4           /* of libmicrohttpd before the loop gets its turn */
#define FAREWELL_MAX       64          /* sockets drained at once */
#define FAREWELL_MS        2000        /* for one of them */
#define FAREWELL_BYTES_MAX (16 * 1024 * 1024) /* of one of them */
#define REFUSED_RETRY      "5"                /* seconds */
#define SMALL_PART         256                /* of bodies_max: a small body */
#define CROWD_SPARE        16 /* connections over the limit, for as long as others are shown out */
#define NEVER              UINT64_MAX

struct http_server {
    uv_loop_t *loop; /* borrowed: outlives the server */
    struct MHD_Daemon *daemon;
    uv_poll_t poll;   /* the epoll descriptor of the daemon */
    uv_idle_t again;  /* active while the daemon has work it will not announce there */
    uv_timer_t sweep; /* the earliest limit of a connection */
    uint64_t sweep_at_ms;
    unsigned open;                  /* libuv handles not yet closed */
    struct connection *connections; /* the newest first */
    unsigned connection_count;
    size_t bodies; /* bytes of the requests whose answer is still to come */
    struct farewell *farewells;
    unsigned farewell_count;
    struct http_server_options options; /* its strings are not used after the start */
    http_head_fn *head;
    http_body_fn *body;
    void *arg; /* for head, body and options.refused */
    uint16_t port;
    bool work_left;        /* the daemon has some that it does not tell of: see server_run() */
    bool quiet;            /* http_server_quiesce() was called */
    bool closing;          /* http_server_free() was called */
    struct err *start_err; /* while the daemon starts: where its complaints go; then NULL */
};

/* Owned by libmicrohttpd's connection, from accept to close. */
struct connection {
    struct http_server *server;      /* borrowed: outlives every connection */
    struct connection *next, **link; /* place in server->connections */
    int fd;                          /* borrowed: libmicrohttpd closes it */
    uint64_t cut_at_ms;              /* on the loop's clock */
    bool was_cut;                    /* by us: no courtesy at the end */
    bool trusted;                    /* http_trust() was called */
    struct http_exchange *exchange;  /* owned by libmicrohttpd's request; NULL while idle */
};

enum exchange_state {
    EXCHANGE_HEAD,     /* the request line has come */
    EXCHANGE_BODY,     /* the head was let in */
    EXCHANGE_ASKED,    /* inside server->body() */
    EXCHANGE_WAITING,  /* suspended until http_answer() */
    EXCHANGE_ANSWERED, /* the answer is libmicrohttpd's */
};

struct http_exchange {
    struct connection *connection; /* borrowed */
    struct MHD_Connection *mhd;    /* borrowed */
    enum exchange_state state;     /* written by exchange_enter() alone */
    const char *method, *path;     /* borrowed: libmicrohttpd's until the request ends */
    struct buf body;
    bool too_big; /* body_max was passed: the rest is thrown away, then 413 */
    bool no_room; /* bodies_max was passed: the rest is thrown away, then 503 */
    bool last;    /* the connection ends with this answer */
    unsigned status;
    struct MHD_Response *response; /* owned until it is queued */
};

/* The closing half of a connection that we ended: closing a socket with unread bytes resets it,
 * and the peer may lose the answer that says why. So the rest is read and dropped for a while. */
struct farewell {
    struct http_server *server; /* borrowed: outlives it */
    struct farewell *next, **link;
    uv_poll_t poll;
    int fd; /* owned: a duplicate of libmicrohttpd's */
    uint64_t cut_at_ms;
    size_t dropped;
};

/* ---- limits ---- */

static void server_on_sweep(uv_timer_t *timer);

static void server_sweep_at(struct http_server *server, uint64_t at_ms)
{
    if (server->closing || at_ms >= server->sweep_at_ms) return;
    uint64_t now_ms = uv_now(server->loop);
    server->sweep_at_ms = at_ms;
    uv_timer_start(&server->sweep, server_on_sweep, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

static void connection_cut_in(struct connection *conn, uint64_t ms)
{
    conn->cut_at_ms = uv_now(conn->server->loop) + ms;
    server_sweep_at(conn->server, conn->cut_at_ms);
}

static void connection_cut(struct connection *conn)
{
    conn->cut_at_ms = NEVER;
    conn->was_cut = true;
    shutdown(conn->fd, SHUT_RDWR);
}

static void farewell_on_closed(uv_handle_t *handle);

static void farewell_end(struct farewell *farewell)
{
    if (uv_is_closing((uv_handle_t *)&farewell->poll)) return;
    if ((*farewell->link = farewell->next)) farewell->next->link = farewell->link;
    farewell->server->farewell_count--;
    uv_close((uv_handle_t *)&farewell->poll, farewell_on_closed);
}

static void server_on_sweep(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    uint64_t now_ms = uv_now(server->loop), next_ms = NEVER;
    struct farewell *after;

    for (struct connection *conn = server->connections; conn; conn = conn->next) {
        if (conn->cut_at_ms <= now_ms)
            connection_cut(conn);
        else if (conn->cut_at_ms < next_ms)
            next_ms = conn->cut_at_ms;
    }
    for (struct farewell *farewell = server->farewells; farewell; farewell = after) {
        after = farewell->next;
        if (farewell->cut_at_ms <= now_ms)
            farewell_end(farewell);
        else if (farewell->cut_at_ms < next_ms)
            next_ms = farewell->cut_at_ms;
    }
    server->sweep_at_ms = NEVER;
    if (next_ms != NEVER) server_sweep_at(server, next_ms);
}

/* ---- the end of a connection ---- */

static void farewell_on_ready(uv_poll_t *poll, int status, int events)
{
    struct farewell *farewell = poll->data;
    char bytes[16384];
    ssize_t n = recv(farewell->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    (void)events;
    if (status == 0 && n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) farewell->dropped += (size_t)n;
    if (status < 0 || n <= 0 || farewell->dropped > FAREWELL_BYTES_MAX) farewell_end(farewell);
}

/* Is there somebody at the other end who may still send? */
static bool peer_is_there(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void farewell_start(struct http_server *server, int fd)
{
    struct farewell *farewell = mem_new(struct farewell);

    farewell->server = server;
    farewell->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (farewell->fd < 0 || uv_poll_init_socket(server->loop, &farewell->poll, farewell->fd) < 0) {
        if (farewell->fd >= 0) close(farewell->fd);
        free(farewell);
        return;
    }
    farewell->poll.data = farewell;
    if ((farewell->next = server->farewells)) farewell->next->link = &farewell->next;
    farewell->link = &server->farewells;
    server->farewells = farewell;
    server->farewell_count++;
    server->open++;
    shutdown(farewell->fd, SHUT_WR);
    farewell->cut_at_ms = uv_now(server->loop) + FAREWELL_MS;
    server_sweep_at(server, farewell->cut_at_ms);
    uv_poll_start(&farewell->poll, UV_READABLE, farewell_on_ready);
}

/* There are too many: the oldest of which we do not know who it is gives its place to the newcomer.
 * So a crowd that says nothing keeps nobody out. */
static void server_show_out(struct http_server *server)
{
    struct connection *oldest = NULL;

    for (struct connection *conn = server->connections; conn; conn = conn->next)
        if (!conn->trusted && conn->cut_at_ms != NEVER) oldest = conn;
    if (oldest) connection_cut(oldest);
}

static void connection_open(struct http_server *server, struct MHD_Connection *mhd, void **ret)
{
    struct connection *conn = mem_new(struct connection);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

    assert(info);
    conn->server = server;
    conn->fd = info->connect_fd;
    if ((conn->next = server->connections)) conn->next->link = &conn->next;
    conn->link = &server->connections;
    server->connections = conn;
    connection_cut_in(conn, server->options.idle_ms);
    if (++server->connection_count > server->options.connections_max) server_show_out(server);
    *ret = conn;
}

static void connection_close(struct connection *conn)
{
    struct http_server *server = conn->server;

    if (!server->closing && !conn->was_cut && server->farewell_count < FAREWELL_MAX &&
        peer_is_there(conn->fd))
        farewell_start(server, conn->fd);
    if ((*conn->link = conn->next)) conn->next->link = conn->link;
    server->connection_count--;
    server->work_left = true;
    free(conn);
}

static void server_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                                 enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(arg, mhd, context);
    else if (*context)
        connection_close(TAKE(*context));
}

/* ---- an exchange ---- */

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
        connection_cut_in(conn, server->options.request_ms);
        break;
    case EXCHANGE_BODY:
        break;
    case EXCHANGE_ASKED:
        conn->cut_at_ms = NEVER;
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
static void *server_on_line(void *arg, const char *uri, struct MHD_Connection *mhd)
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

static void server_on_request_end(void *arg, struct MHD_Connection *mhd, void **context,
                                  enum MHD_RequestTerminationCode why)
{
    struct http_exchange *exchange = TAKE(*context);

    (void)arg;
    (void)mhd;
    (void)why;
    if (!exchange) return;
    exchange->connection->exchange = NULL;
    connection_cut_in(exchange->connection, exchange->connection->server->options.idle_ms);
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
static enum MHD_Result server_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
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

static void server_on_again(uv_idle_t *idle);

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
    /* Not MHD_run() from here: no re-entrancy. */
    server->work_left = true;
    if (!server->closing) uv_idle_start(&server->again, server_on_again);
}

/* ---- the loop ---- */

/* The only caller of MHD_run(), and itself called by the loop alone: no re-entrancy. */
static void server_run(struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG ms;
    bool more = true;

    for (int i = 0; more && i < RUNS_MAX; i++) {
        server->work_left = false;
        MHD_run(server->daemon);
        if (server->closing) return;
        /* With its own timeouts off, a timeout is always 0: "run me again at once". Two things it
         * does not tell: a resumed connection, and the place that a closed one left to the
         * listener, which rests when there are too many. */
        more = server->work_left || MHD_get_timeout(server->daemon, &ms) == MHD_YES;
    }
    if (more)
        uv_idle_start(&server->again, server_on_again);
    else
        uv_idle_stop(&server->again);
}

static void server_on_again(uv_idle_t *idle)
{
    server_run(idle->data);
}

static void server_on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    server_run(poll->data);
}

/* ---- start ---- */

/* Complaints of libmicrohttpd: those of the start say what is wrong with the certificate, later
 * ones quote requests and are dropped. */
static void __attribute__((format(printf, 2, 0)))
server_on_log(void *arg, const char *fmt, va_list args)
{
    struct http_server *server = arg;
    char text[160];

    if (!server->start_err || server->start_err->code) return;
    vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\n")] = '\0';
    err_set(server->start_err, ERR_CONFIG, "listen.tls", "%s", text);
}

static struct MHD_Daemon *server_daemon(struct http_server *server, int fd,
                                        const struct http_server_options *options)
{
    bool tls = options->cert_pem || options->key_pem;
    struct MHD_OptionItem tls_options[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->cert_pem },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key_pem },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
        { MHD_OPTION_END, 0, NULL },
    };

    if (!tls) tls_options[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0), 0,
        NULL, NULL, server_on_request, server, MHD_OPTION_EXTERNAL_LOGGER, server_on_log, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max + CROWD_SPARE,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_peer_max,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_NOTIFY_CONNECTION, server_on_connection,
        server, MHD_OPTION_URI_LOG_CALLBACK, server_on_line, server, MHD_OPTION_NOTIFY_COMPLETED,
        server_on_request_end, server, MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
}

static bool server_start_daemon(struct http_server *server,
                                const struct http_server_options *options, struct err *err)
{
    struct err said = { 0 };
    int fd = -1;

    /* libmicrohttpd can open the socket itself, but does not say why when it fails */
    if (!listen_open(options->address, options->port, &fd, &server->port, err)) return false;
    server->start_err = &said;
    server->daemon = server_daemon(server, fd, options);
    server->start_err = NULL;
    if (server->daemon) return true;
    /* It has closed fd. */
    if (options->cert_pem || options->key_pem) {
        err_set(err, ERR_CONFIG, "listen.tls", "%s", said.code ? said.what : "TLS does not start");
        return err_fix(err, "the certificate chain and its private key must both be PEM, the "
                            "certificate of this server first, and belong together");
    }
    return err_set(err, ERR_SYSTEM, "listen.address", "the HTTP server does not start%s%s",
                   said.code ? ": " : "", said.what);
}

static bool server_attach(struct http_server *server, uv_loop_t *loop, struct err *err)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = info ? uv_poll_init(loop, &server->poll, info->epoll_fd) : UV_EINVAL;

    if (rc < 0)
        return err_set(err, ERR_SYSTEM, "listen.address", "cannot watch the listener: %s",
                       uv_strerror(rc));
    uv_idle_init(loop, &server->again);
    uv_timer_init(loop, &server->sweep);
    server->poll.data = server->again.data = server->sweep.data = server;
    server->open = 3;
    uv_poll_start(&server->poll, UV_READABLE, server_on_ready);
    return true;
}

bool http_server_start(uv_loop_t *loop, const struct http_server_options *options,
                       http_head_fn *head, http_body_fn *body, void *arg, struct http_server **ret,
                       struct err *err)
{
    struct http_server *server = mem_new(struct http_server);

    server->loop = loop;
    server->options = *options;
    if (!server->options.bodies_max) server->options.bodies_max = SIZE_MAX;
    server->head = head;
    server->body = body;
    server->arg = arg;
    server->sweep_at_ms = NEVER;
    if (!server_start_daemon(server, options, err) || !server_attach(server, loop, err)) {
        MHD_stop_daemon(server->daemon);
        free(server);
        return false;
    }
    *ret = server;
    return true;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

/* ---- end ---- */

void http_server_quiesce(struct http_server *server)
{
    if (server->quiet || server->closing) return;
    server->quiet = true;
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0) close(fd);
}

static void server_maybe_free(struct http_server *server)
{
    if (server->open) return;
    /* libmicrohttpd does not stop with connections suspended */
    for (struct connection *conn = server->connections; conn; conn = conn->next)
        if (conn->exchange && conn->exchange->state == EXCHANGE_WAITING)
            MHD_resume_connection(conn->exchange->mhd);
    MHD_stop_daemon(server->daemon);
    free(server);
}

static void server_on_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;

    server->open--;
    server_maybe_free(server);
}

static void farewell_on_closed(uv_handle_t *handle)
{
    struct farewell *farewell = handle->data;
    struct http_server *server = farewell->server;

    close(farewell->fd);
    free(farewell);
    server->open--;
    if (server->closing) server_maybe_free(server);
}

/* May be called from inside head or body: the daemon is stopped by the last close callback. */
void http_server_free(struct http_server *server)
{
    if (!server || server->closing) return;
    server->closing = true;
    while (server->farewells) farewell_end(server->farewells);
    uv_close((uv_handle_t *)&server->poll, server_on_closed);
    uv_close((uv_handle_t *)&server->again, server_on_closed);
    uv_close((uv_handle_t *)&server->sweep, server_on_closed);
}
