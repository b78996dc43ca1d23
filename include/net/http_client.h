/* HTTP requests on the libuv loop, through one curl multi handle. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct http_client;
struct http_call;

struct http_request {
    const char *method, *url;   /* borrowed until http_start() returns */
    const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
    const void *body;           /* copied; NULL: none */
    size_t body_len;
    uint64_t timeout_ms; /* from start to last byte, waiting for a connection included */
    size_t reply_max;    /* a longer reply body, unpacked, fails with ERR_PERMANENT */
};

/* Of a redirect, which is not followed, status and location tell. err.where is the method and the
 * URL without its query. err.code is one of
 *   http.timeout  timeout_ms has passed                          transient, or ambiguous once sent
 *   http.failed   no connection, or it ended                     transient, or ambiguous once sent
 *   http.tls      the peer's certificate, or no TLS; see err.fix transient
 *   http.busy     429 or 503                                     transient
 *   http.status   408 and other 5xx; other statuses              ambiguous; permanent
 *   http.too-big  reply_max                                      permanent
 *   http.url, http.origin, http.header  refused, nothing sent    permanent */
struct http_reply {
    long status;            /* 0: no answer; then err says why */
    int64_t retry_after_ms; /* 0: not said; at most 30 days */
    const char *body;       /* borrowed until the callback returns; ends in NUL */
    size_t body_len;
    char etag[96];      /* version id out of ETag: W/"3" gives 3; "" when absent or too long */
    char location[512]; /* Location header; "" when absent or too long */
    char type[64];      /* media type of Content-Type, lower case, without parameters */
    int64_t date_ms;    /* Date header, or INSTANT_UNSET */
    struct err err; /* kind is ERR_TRANSIENT, ERR_AMBIGUOUS or ERR_PERMANENT unless status is 2xx:
                     * then err.code is NULL */
};

/* Called exactly once per started call, from the loop, never from inside http_start() or
 * http_cancel(). reply is borrowed until it returns. May start and cancel calls, not free the
 * client. */
typedef void http_done_fn(const struct http_reply *reply, void *arg);

/* Never fails: what goes wrong reaches done. The call is owned by the client; the pointer is good
 * until done runs. When a kept connection turns out dead, a GET, HEAD, PUT, DELETE or OPTIONS is
 * sent once more by itself; any other method is ERR_AMBIGUOUS then. */
struct http_call *http_start(struct http_client *client, const struct http_request *request,
                             http_done_fn *done, void *arg);

/* done runs no more. Accepts NULL. */
void http_cancel(struct http_call *call);

/* How every request of a client is made. Strings are copied. */
struct http_client_options {
    const char *ca_pem;        /* PEM text of the authorities to trust; NULL: the system's */
    const char *ca_name;       /* the file it came from, for error texts; may be NULL */
    const char *user_agent;    /* NULL: none */
    const char *authorization; /* value of the Authorization header; NULL: none. Sent only to the
                                * origin below */
    const char *origin;        /* "https://ehr.example:8443": scheme, host and port. A request to
                                * another origin fails with ERR_PERMANENT "http.origin" before
                                * anything is sent. NULL: any, without Authorization */
    unsigned connections_max;  /* at once; 0: no limit */
};

/* options is borrowed until the call returns; the client is owned by the caller and lives in the
 * loop. Cannot fail: a ca_pem that is none shows as "http.tls" in every call. */
struct http_client *http_client_new(uv_loop_t *loop, const struct http_client_options *options);

/* A new Authorization value for requests that start from now on (after a reload, a new token); NULL
 * or one with control characters: none. Copied. */
void http_client_authorize(struct http_client *client, const char *authorization);

/* Cancels every call; memory goes when the loop has run its close callbacks. Not from inside a done
 * callback. Accepts NULL. */
void http_client_free(struct http_client *client);
