/* What the files of the HTTP server share. Private to adapter/net/http_*.c.
 *
 * A peer's connection is libmicrohttpd's; what is ours is when it ends and what is answered.
 *
 *   accepted -> idle -> head -> body -> asked -> (waiting) -> answered -> idle ...
 *
 * Limits: idle_ms for "idle"; request_ms from the request line to the end of the body, and again
 * for the peer to take the answer; none while the answer is our own duty. libmicrohttpd's timeouts
 * start again with every byte, so they are off: when a limit passes we shut the socket down, which
 * libmicrohttpd notices and cleans up after. */
#pragma once

#include <microhttpd.h>
#include <uv.h>

#include "base/buf.h"
#include "net/http_server.h"

#define HTTP_NEVER UINT64_MAX

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
    size_t bodies;              /* bytes of the requests whose answer is still to come */
    struct farewell *farewells; /* see http_connection.c */
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

/* ---- connections and their limits */

/* libmicrohttpd tells of a connection that begins or ends; *context is ours. */
void http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
                        enum MHD_ConnectionNotificationCode what);

/* Shut the connection down when so many milliseconds have passed, unless it is told otherwise. */
void http_cut_in(struct connection *conn, uint64_t ms);

/* No limit runs. */
void http_cut_never(struct connection *conn);

/* The server ends: so does its courtesy towards connections that have ended. */
void http_farewells_end(struct http_server *server);

/* ---- exchanges */

/* libmicrohttpd has read a request line: the context of the request is returned. */
void *http_on_line(void *arg, const char *uri, struct MHD_Connection *mhd);

/* ... the head, a piece of the body, its end; or a connection goes on. */
enum MHD_Result http_on_request(void *arg, struct MHD_Connection *mhd, const char *url,
                                const char *method, const char *version, const char *data,
                                size_t *data_len, void **context);

/* ... and is done with the request. */
void http_on_request_end(void *arg, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode why);

/* ---- the server */

/* libmicrohttpd has work that its descriptor does not tell of. */
void http_run_again(struct http_server *server);

/* One of the handles is closed: the last one frees the server when it ends. */
void http_handle_closed(struct http_server *server);
