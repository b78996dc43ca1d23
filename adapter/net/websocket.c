#include "net/websocket.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/curl_loop.h"
#include "net/frames.h"
#include "net/http_client_impl.h"
#include "net/origin.h"
#include "net/tls_verdict.h"
#include "net/upgrade.h"

#define READ_TURN (256u << 10) /* bytes in one turn of the loop: others want theirs */

enum socket_state {
    SOCKET_REFUSED,    /* nothing is sent: closed comes with the next turn of the loop */
    SOCKET_CONNECTING, /* name, proxy, TCP, TLS: curl's part */
    SOCKET_UPGRADING,
    SOCKET_OPEN,
    SOCKET_ENDED, /* closed comes with the next turn of the loop */
    SOCKET_CLOSED,
};

/* Freed when its libuv handles are closed. */
struct websocket {
    struct http_client *client; /* borrowed: outlives it */
    enum socket_state state;    /* written by socket_enter() alone */
    struct curl_loop *curl;     /* owned: of this one connection */
    CURL *easy;                 /* owned */
    char curl_text[CURL_ERROR_SIZE];
    uv_timer_t timer; /* of the state: deadline, idleness, the end */
    uv_timer_t again; /* there is more to read than one turn took */
    uv_poll_t poll;   /* while curl no longer looks at the connection */
    bool polled;      /* poll is initialised */
    unsigned open;    /* handles not yet closed */
    uint64_t open_ms, idle_ms;
    size_t message_max;
    bool pinged; /* nothing came since */
    bool heard;  /* something came in this turn */
    size_t budget;
    char host[64], where[160]; /* for error texts */
    struct buf out;            /* owned: of the upgrade request, what has not left */
    struct upgrade upgrade;
    struct buf early; /* owned: frames that came together with the answer */
    size_t early_at;
    struct frames *frames; /* owned */
    struct websocket_end end;
    const struct websocket_events *events; /* borrowed */
    void *arg;
};

static void socket_enter(struct websocket *at, enum socket_state next);
static void socket_turn(struct websocket *at);

/* ---- the end */

static void socket_fail(struct websocket *at, const char *code, const char *what)
{
    err_set(&at->end.err, ERR_TRANSIENT, code, "%s", what);
    err_at(&at->end.err, "%s", at->where);
    socket_enter(at, SOCKET_ENDED);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct websocket *at = handle->data;

    if (--at->open) return;
    frames_free(at->frames);
    upgrade_done(&at->upgrade);
    buf_done(&at->out);
    buf_done(&at->early);
    free(at);
}

/* libuv lets go of the connection before curl closes it. */
static void handles_close(struct websocket *at)
{
    if (at->polled) uv_close((uv_handle_t *)&at->poll, on_handle_closed);
    uv_close((uv_handle_t *)&at->timer, on_handle_closed);
    uv_close((uv_handle_t *)&at->again, on_handle_closed);
    if (!at->easy) return;
    curl_multi_remove_handle(curl_loop_multi(at->curl), at->easy);
    curl_easy_cleanup(at->easy);
    curl_loop_free(at->curl);
}

/* ---- time */

static void on_timer(uv_timer_t *timer)
{
    struct websocket *at = timer->data;

    switch (at->state) {
    case SOCKET_CONNECTING:
    case SOCKET_UPGRADING:
        socket_fail(at, "socket.timeout", "it does not open");
        break;
    case SOCKET_OPEN:
        if (at->pinged) {
            socket_fail(at, "socket.silent", "the peer does not answer");
            break;
        }
        at->pinged = true;
        frames_ping(at->frames);
        uv_timer_start(&at->timer, on_timer, at->idle_ms, 0);
        socket_turn(at);
        break;
    case SOCKET_REFUSED:
    case SOCKET_ENDED:
        at->events->closed(&at->end, at->arg);
        if (at->state != SOCKET_CLOSED) socket_enter(at, SOCKET_CLOSED);
        break;
    case SOCKET_CLOSED:
        break;
    }
}

static void on_again(uv_timer_t *timer)
{
    socket_turn(timer->data);
}

/* The only writer of at->state. */
static void socket_enter(struct websocket *at, enum socket_state next)
{
    at->state = next;
    switch (next) {
    case SOCKET_REFUSED:
        uv_timer_start(&at->timer, on_timer, 0, 0);
        break;
    case SOCKET_CONNECTING:
        uv_timer_start(&at->timer, on_timer, at->open_ms, 0);
        curl_multi_add_handle(curl_loop_multi(at->curl), at->easy);
        break;
    case SOCKET_UPGRADING:
        break;
    case SOCKET_OPEN:
        uv_timer_start(&at->timer, on_timer, at->idle_ms, 0);
        break;
    case SOCKET_ENDED:
        if (at->polled) uv_poll_stop(&at->poll);
        uv_timer_start(&at->timer, on_timer, 0, 0);
        break;
    case SOCKET_CLOSED:
        handles_close(at);
        break;
    }
}

/* ---- bytes */

/* TLS may hold bytes that no poll announces: whoever reads goes on until FRAMES_LATER. */
static ssize_t bytes_read(void *buf, size_t len, void *arg)
{
    struct websocket *at = arg;
    size_t n = 0;
    CURLcode code;

    if (at->state != SOCKET_UPGRADING && at->state != SOCKET_OPEN) return FRAMES_LATER;
    if (at->early_at < at->early.len) {
        n = at->early.len - at->early_at < len ? at->early.len - at->early_at : len;
        memcpy(buf, at->early.data + at->early_at, n);
        at->early_at += n;
        return (ssize_t)n;
    }
    if (!at->budget) {
        uv_timer_start(&at->again, on_again, 0, 0);
        return FRAMES_LATER;
    }
    code = curl_easy_recv(at->easy, buf, len < at->budget ? len : at->budget, &n);
    if (code == CURLE_AGAIN) return FRAMES_LATER;
    if (code != CURLE_OK || n == 0) return FRAMES_GONE;
    at->budget -= n;
    at->heard = true;
    return (ssize_t)n;
}

static ssize_t bytes_write(const void *data, size_t len, void *arg)
{
    struct websocket *at = arg;
    size_t n = 0;
    CURLcode code;

    if (at->state != SOCKET_UPGRADING && at->state != SOCKET_OPEN) return FRAMES_LATER;
    code = curl_easy_send(at->easy, data, len, &n);
    if (code == CURLE_AGAIN) return FRAMES_LATER;
    return code == CURLE_OK ? (ssize_t)n : FRAMES_GONE;
}

static bool bytes_random(void *buf, size_t len, void *arg)
{
    (void)arg;
    return uv_random(NULL, NULL, buf, len, 0, NULL) == 0;
}

/* ---- the upgrade */

static void on_text(const char *text, size_t len, void *arg)
{
    struct websocket *at = arg;

    if (at->state == SOCKET_OPEN) at->events->text(text, len, at->arg);
}

static void upgrade_end(struct websocket *at, const char *rest, size_t rest_len)
{
    static const struct frames_io io = { bytes_read, bytes_write, bytes_random, on_text };

    buf_add(&at->early, rest, rest_len);
    at->frames = frames_new(&io, at->message_max, at);
    socket_enter(at, SOCKET_OPEN);
    at->events->opened(at->arg);
}

static void upgrade_fail(struct websocket *at, const struct err *err)
{
    at->end.err = *err;
    at->end.status = at->upgrade.status;
    at->end.retry_after_ms = at->upgrade.retry_after_ms;
    err_at(&at->end.err, "%s", at->where);
    socket_enter(at, SOCKET_ENDED);
}

static void upgrade_write(struct websocket *at)
{
    while (at->out.len) {
        ssize_t n = bytes_write(at->out.data, at->out.len, at);
        if (n == FRAMES_GONE) socket_fail(at, "socket.failed", "the connection ended");
        if (n <= 0) return;
        memmove(at->out.data, at->out.data + n, at->out.len - (size_t)n);
        at->out.len -= (size_t)n;
    }
}

static void upgrade_turn(struct websocket *at)
{
    char bytes[4096];
    struct err err;
    size_t used;
    ssize_t n;

    upgrade_write(at);
    while (at->state == SOCKET_UPGRADING) {
        n = bytes_read(bytes, sizeof bytes, at);
        if (n == FRAMES_LATER) return;
        if (n == FRAMES_GONE) {
            socket_fail(at, "socket.failed", "the connection ended");
            return;
        }
        switch (upgrade_feed(&at->upgrade, bytes, (size_t)n, &used, &err)) {
        case UPGRADE_MORE:
            break;
        case UPGRADE_DONE:
            upgrade_end(at, bytes + used, (size_t)n - used);
            break;
        case UPGRADE_FAILED:
            upgrade_fail(at, &err);
            break;
        }
    }
}

/* ---- frames */

static void frames_ended(struct websocket *at)
{
    bool ours;

    at->end.code = frames_code(at->frames, &ours);
    if (ours)
        socket_fail(at, "socket.protocol",
                    at->end.code == FRAMES_TOO_BIG ? "the peer sent a message that is too long"
                                                   : "the peer sent what is no frame of text");
    else
        socket_fail(at, "socket.closed", "the peer closed it");
}

static void open_turn(struct websocket *at)
{
    enum frames_state state;

    at->heard = at->early_at < at->early.len;
    state = frames_turn(at->frames);
    if (at->state != SOCKET_OPEN) return;
    if (state == FRAMES_CLOSED)
        frames_ended(at);
    else if (state == FRAMES_LOST)
        socket_fail(at, "socket.failed", "the connection ended");
    else if (at->heard) {
        at->pinged = false;
        uv_timer_start(&at->timer, on_timer, at->idle_ms, 0);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* reading tells */
    (void)events;
    socket_turn(poll->data);
}

static void poll_renew(struct websocket *at)
{
    bool in = at->state == SOCKET_UPGRADING || frames_wants_read(at->frames);
    bool out = at->state == SOCKET_UPGRADING ? at->out.len > 0 : frames_wants_write(at->frames);

    uv_poll_start(&at->poll, (in ? UV_READABLE : 0) | (out ? UV_WRITABLE : 0), on_ready);
}

/* Do whatever can be done without waiting. */
static void socket_turn(struct websocket *at)
{
    at->budget = READ_TURN;
    if (at->state == SOCKET_UPGRADING) upgrade_turn(at);
    if (at->state == SOCKET_OPEN) open_turn(at);
    if (at->state == SOCKET_UPGRADING || at->state == SOCKET_OPEN) poll_renew(at);
}

/* ---- connecting */

static void on_connected(CURL *easy, CURLcode code, void *arg)
{
    struct websocket *at = arg;
    curl_socket_t fd = CURL_SOCKET_BAD;

    if (at->state != SOCKET_CONNECTING) return;
    if (code == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD) {
        if (tls_verdict(easy, code, http_client_ca_name(at->client), at->host, &at->end.err)) {
            err_at(&at->end.err, "%s", at->where);
            socket_enter(at, SOCKET_ENDED);
        } else {
            socket_fail(at, "socket.failed",
                        at->curl_text[0] ? at->curl_text : curl_easy_strerror(code));
        }
        return;
    }
    if (uv_poll_init_socket(at->timer.loop, &at->poll, fd) < 0) abort(); /* no memory */
    at->poll.data = at;
    at->polled = true;
    at->open++;
    socket_enter(at, SOCKET_UPGRADING);
    uv_timer_start(&at->again, on_again, 0, 0); /* curl is busy until this returns */
}

static CURL *easy_new(struct websocket *at, const char *url)
{
    CURL *easy = curl_easy_init();

    if (!easy) abort();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, at->curl_text);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); /* no h2 by ALPN */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    http_client_set_tls(at->client, easy);
    return easy;
}

/* ---- start */

/* "ws://..." as "http://...": what curl and origins know. False for any other scheme, and for a
 * character that has no business in a URL. */
static bool url_as_http(const char *url, struct buf *ret)
{
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f) return false;
    if (strncasecmp(url, "ws://", 5) == 0)
        buf_printf(ret, "http%s", url + 2);
    else if (strncasecmp(url, "wss://", 6) == 0)
        buf_printf(ret, "https%s", url + 3);
    return ret->len > 0;
}

/* Path and query. */
static void target_of(const char *http_url, struct buf *ret)
{
    const char *host = strstr(http_url, "://") + 3, *target = host + strcspn(host, "/?#");

    if (*target != '/') buf_char(ret, '/');
    buf_add(ret, target, strcspn(target, "#"));
}

static void where_set(struct websocket *at, const struct origin *origin)
{
    bool plain = origin_port_is_default(origin);

    snprintf(at->host, sizeof at->host, "%s", origin->host);
    snprintf(at->where, sizeof at->where, "%s://%s%s%s",
             strcasecmp(origin->scheme, "https") == 0 ? "wss" : "ws", origin->host,
             plain ? "" : ":", plain ? "" : origin->port);
}

static bool socket_prepare(struct websocket *at, const char *url)
{
    AUTO(buf_done) struct buf http_url = { 0 }, target = { 0 };
    uint8_t nonce[UPGRADE_NONCE_SIZE];
    struct origin origin = { 0 };
    bool ok = url_as_http(url, &http_url) && origin_parse(buf_string(&http_url), &origin);

    if (!ok) {
        err_set(&at->end.err, ERR_PERMANENT, "socket.url",
                "not a URL of ws or wss without a user name");
    } else if (!bytes_random(nonce, sizeof nonce, NULL)) {
        ok = err_set(&at->end.err, ERR_TRANSIENT, "socket.failed", "there are no random numbers");
    } else {
        where_set(at, &origin);
        target_of(buf_string(&http_url), &target);
        upgrade_start(
            &at->upgrade, &origin, buf_string(&target), http_client_user_agent(at->client),
            http_client_authorization(at->client, buf_string(&http_url)), nonce, &at->out);
        at->curl = curl_loop_new(http_client_loop(at->client), on_connected, at);
        at->easy = easy_new(at, buf_string(&http_url));
    }
    origin_done(&origin);
    return ok;
}

struct websocket *websocket_start(struct http_client *client,
                                  const struct websocket_request *request,
                                  const struct websocket_events *events, void *arg)
{
    struct websocket *at = mem_new(struct websocket);

    at->client = client;
    at->events = events;
    at->arg = arg;
    at->open_ms = request->open_ms;
    at->idle_ms = request->idle_ms;
    at->message_max = request->message_max;
    uv_timer_init(http_client_loop(client), &at->timer);
    uv_timer_init(http_client_loop(client), &at->again);
    at->timer.data = at->again.data = at;
    at->open = 2;
    socket_enter(at, socket_prepare(at, request->url) ? SOCKET_CONNECTING : SOCKET_REFUSED);
    return at;
}

void websocket_send(struct websocket *at, const char *text)
{
    if (at->state != SOCKET_OPEN) return;
    frames_text(at->frames, text);
    frames_flush(at->frames);
    uv_timer_start(&at->again, on_again, 0, 0); /* what has not left is waited for */
}

void websocket_close(struct websocket *at)
{
    if (!at || at->state == SOCKET_CLOSED) return;
    if (at->state == SOCKET_OPEN) {
        frames_close(at->frames, FRAMES_NORMAL);
        frames_flush(at->frames);
    }
    socket_enter(at, SOCKET_CLOSED);
}
