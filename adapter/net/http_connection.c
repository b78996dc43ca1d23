/* Connections of the HTTP server: how many, for how long, and how they end. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_server_impl.h"

#define FAREWELL_MAX       64                 /* sockets drained at once */
#define FAREWELL_MS        2000               /* for one of them */
#define FAREWELL_BYTES_MAX (16 * 1024 * 1024) /* of one of them */

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

void http_cut_in(struct connection *conn, uint64_t ms)
{
    conn->cut_at_ms = uv_now(conn->server->loop) + ms;
    server_sweep_at(conn->server, conn->cut_at_ms);
}

void http_cut_never(struct connection *conn)
{
    conn->cut_at_ms = HTTP_NEVER;
}

static void connection_cut(struct connection *conn)
{
    conn->cut_at_ms = HTTP_NEVER;
    conn->was_cut = true;
    shutdown(conn->fd, SHUT_RDWR);
}

static void farewell_on_closed(uv_handle_t *handle)
{
    struct farewell *farewell = handle->data;
    struct http_server *server = farewell->server;

    close(farewell->fd);
    free(farewell);
    http_handle_closed(server);
}

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
    uint64_t now_ms = uv_now(server->loop), next_ms = HTTP_NEVER;
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
    server->sweep_at_ms = HTTP_NEVER;
    if (next_ms != HTTP_NEVER) server_sweep_at(server, next_ms);
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
        if (!conn->trusted && conn->cut_at_ms != HTTP_NEVER) oldest = conn;
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
    http_cut_in(conn, server->options.idle_ms);
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

void http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(arg, mhd, context);
    else if (*context)
        connection_close(TAKE(*context));
}

void http_farewells_end(struct http_server *server)
{
    while (server->farewells) farewell_end(server->farewells);
}
