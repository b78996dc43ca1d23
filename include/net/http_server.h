/* The listener for notifications: HTTP/1.1 with or without TLS, on the libuv loop, over
 * libmicrohttpd. Loop thread only. Every connection has absolute deadlines: a peer that sends a
 * byte now and then is cut off all the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"

struct http_server;
struct http_exchange; /* one request and its answer */

/* The server itself refused a request, which neither head nor body hears of: 400 or 501 (the length
 * of the body is stated twice or in an unknown way, a header is malformed), 415 (Content-Encoding),
 * 413 (body_max), 503 (bodies_max). What
 * libmicrohttpd refuses (no HTTP, a head too long) is not reported. */
typedef void http_refused_fn(unsigned status, void *arg);

struct http_server_options {
    const char *address;            /* "127.0.0.1", "::" (IPv4 too), ... in numbers */
    uint16_t port;                  /* 0: any free one */
    const char *cert_pem, *key_pem; /* PEM text; NULL: no TLS */
    size_t body_max;                /* longer bodies get 413 */
    size_t bodies_max; /* of all requests under way together: past it a body gets 503, unless it is
                        * below a 256th of that; 0: no limit */
    unsigned connections_max; /* past them the oldest whose peer is not trusted is cut off */
    unsigned connections_per_peer_max; /* per address: a proxy is one peer; 0: no limit */
    uint64_t request_ms;      /* from the request line to the last byte of the body; and again for
                               * the peer to take the answer */
    uint64_t idle_ms;         /* a connection without a request line; TLS handshake included */
    http_refused_fn *refused; /* arg as for head and body; may be NULL */
};

/* The head of a request has come. Method, path and headers of the exchange may be used, but it may
 * not be kept: the peer may go before the body is there. Return 0 to read the body, or a status
 * (401, 404, 405, 413, 415, 503 ...) that is answered at once: nothing more of the request is used
 * and the connection ends. ret_body: text of that answer, static or owned by arg; may stay NULL. */
typedef unsigned http_head_fn(struct http_exchange *exchange, const char **ret_body, void *arg);

/* The whole request has come. Answer with http_answer(), now or later: until then no limit of time
 * runs, and the peer's place among connections_max is taken. */
typedef void http_body_fn(struct http_exchange *exchange, void *arg);

/* Listen. head and body are called from the loop, with arg (borrowed: outlives the server).
 * Errors: ERR_SYSTEM "listen.address" (port taken, no such address), ERR_CONFIG "listen.tls" (the
 * certificate or the key is no PEM, or they do not belong together).
 * options is borrowed until the call returns; *ret is owned by the caller: http_server_free(). */
bool http_server_start(uv_loop_t *loop, const struct http_server_options *options,
                       http_head_fn *head, http_body_fn *body, void *arg, struct http_server **ret,
                       struct err *err) MUST_CHECK;

/* The port it listens on. */
uint16_t http_server_port(const struct http_server *server);

/* Stop accepting and close the port; requests of open connections are still served, and each
 * answer ends its connection. May be called from head and body. */
void http_server_quiesce(struct http_server *server);

/* Cut everything off; memory goes when the loop has run its close callbacks. An exchange that was
 * not answered is gone: do not answer it any more. May be called from head and body. Accepts
 * NULL. */
void http_server_free(struct http_server *server);

/* Of a request; borrowed until it is answered. Header names are case-insensitive; NULL: absent. */
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange); /* decoded, without query */
const char *http_header(const struct http_exchange *exchange, const char *name);
const char *http_body(const struct http_exchange *exchange, size_t *ret_len); /* NUL-terminated */

/* The peer has proved who it is: its connection gives way to no other. */
void http_trust(const struct http_exchange *exchange);

/* Does the head announce a body, of any length but none? */
bool http_has_body(const struct http_exchange *exchange);

/* Answer, exactly once; the exchange is gone when this returns. type: content type, NULL for none;
 * retry_after_s 0: no header. The text is copied. If the peer has gone meanwhile the answer is
 * dropped. */
void http_answer(struct http_exchange *exchange, unsigned status, const char *type,
                 const char *text, unsigned retry_after_s);
