/* Starting, turning and ending; see http_connection.c and http_exchange.c for the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_server_impl.h"
#include "net/listen.h"

#define HEAD_MAX    (32 * 1024) /* bytes of memory for a head; a longer one gets 431 */
#define RUNS_MAX    4           /* of libmicrohttpd before the loop gets its turn */
#define CROWD_SPARE 16 /* connections over the limit, for as long as others are shown out */

/* ---- the loop ---- */

static void server_on_again(uv_idle_t *idle);

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

/* Not MHD_run() from here: the caller may be inside it. */
void http_run_again(struct http_server *server)
{
    server->work_left = true;
    if (!server->closing) uv_idle_start(&server->again, server_on_again);
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
        NULL, NULL, http_on_request, server, MHD_OPTION_EXTERNAL_LOGGER, server_on_log, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max + CROWD_SPARE,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, options->connections_per_peer_max,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, server,
        MHD_OPTION_URI_LOG_CALLBACK, http_on_line, server, MHD_OPTION_NOTIFY_COMPLETED,
        http_on_request_end, server, MHD_OPTION_ARRAY, tls_options, MHD_OPTION_END);
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
    server->sweep_at_ms = HTTP_NEVER;
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

void http_handle_closed(struct http_server *server)
{
    server->open--;
    if (server->closing) server_maybe_free(server);
}

static void server_on_closed(uv_handle_t *handle)
{
    http_handle_closed(handle->data);
}

/* May be called from inside head or body: the daemon is stopped by the last close callback. */
void http_server_free(struct http_server *server)
{
    if (!server || server->closing) return;
    server->closing = true;
    http_farewells_end(server);
    uv_close((uv_handle_t *)&server->poll, server_on_closed);
    uv_close((uv_handle_t *)&server->again, server_on_closed);
    uv_close((uv_handle_t *)&server->sweep, server_on_closed);
}
