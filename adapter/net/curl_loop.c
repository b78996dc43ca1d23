#include "net/curl_loop.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

struct curl_loop {
    CURLM *multi;     /* owned */
    uv_timer_t timer; /* the one timer curl asks for */
    unsigned open;    /* libuv handles of loop and sockets not yet closed */
    bool closing;
    curl_loop_done_fn *done;
    void *arg;
};

struct curl_socket {
    struct curl_loop *loop;
    uv_poll_t poll;
    curl_socket_t fd;
};

static void loop_on_closed(struct curl_loop *at)
{
    if (--at->open == 0) free(at);
}

/* After every curl_multi_socket_action(), whatever it returned: a transfer that ends by timeout is
 * told only here. */
static void loop_drain(struct curl_loop *at)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(at->multi, &left)))
        if (msg->msg == CURLMSG_DONE) at->done(msg->easy_handle, msg->data.result, at->arg);
}

static void socket_on_ready(uv_poll_t *poll, int status, int events)
{
    struct curl_socket *sock = poll->data;
    struct curl_loop *at = sock->loop;
    int what = status < 0 ? CURL_CSELECT_ERR : 0, running;

    if (events & UV_READABLE) what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE) what |= CURL_CSELECT_OUT;
    curl_multi_socket_action(at->multi, sock->fd, what, &running);
    loop_drain(at);
}

static void socket_on_closed(uv_handle_t *handle)
{
    struct curl_socket *sock = handle->data;
    struct curl_loop *at = sock->loop;

    free(sock);
    loop_on_closed(at);
}

static struct curl_socket *socket_new(struct curl_loop *at, curl_socket_t fd)
{
    struct curl_socket *sock = mem_new(struct curl_socket);

    sock->loop = at;
    sock->fd = fd;
    if (uv_poll_init_socket(at->timer.loop, &sock->poll, fd) < 0) abort(); /* no memory */
    sock->poll.data = sock;
    at->open++;
    curl_multi_assign(at->multi, fd, sock);
    return sock;
}

static int loop_on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct curl_socket *sock = socket_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (sock) uv_close((uv_handle_t *)&sock->poll, socket_on_closed);
        return 0;
    }
    if (!sock) sock = socket_new(arg, fd);
    uv_poll_start(&sock->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) |
                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  socket_on_ready);
    return 0;
}

static void loop_on_timer(uv_timer_t *timer)
{
    struct curl_loop *at = timer->data;
    int running;

    curl_multi_socket_action(at->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    loop_drain(at);
}

static int loop_want_timer(CURLM *multi, long ms, void *arg)
{
    struct curl_loop *at = arg;

    (void)multi;
    if (at->closing) return 0;
    if (ms < 0)
        uv_timer_stop(&at->timer);
    else
        uv_timer_start(&at->timer, loop_on_timer, (uint64_t)ms, 0);
    return 0;
}

struct curl_loop *curl_loop_new(uv_loop_t *loop, curl_loop_done_fn *done, void *arg)
{
    struct curl_loop *at = mem_new(struct curl_loop);

    at->multi = curl_multi_init();
    if (!at->multi) abort();
    at->done = done;
    at->arg = arg;
    at->open = 1;
    uv_timer_init(loop, &at->timer);
    at->timer.data = at;
    curl_multi_setopt(at->multi, CURLMOPT_SOCKETFUNCTION, loop_on_socket);
    curl_multi_setopt(at->multi, CURLMOPT_SOCKETDATA, at);
    curl_multi_setopt(at->multi, CURLMOPT_TIMERFUNCTION, loop_want_timer);
    curl_multi_setopt(at->multi, CURLMOPT_TIMERDATA, at);
    return at;
}

CURLM *curl_loop_multi(const struct curl_loop *at)
{
    return at->multi;
}

uv_loop_t *curl_loop_uv(const struct curl_loop *at)
{
    return at->timer.loop;
}

static void timer_on_closed(uv_handle_t *handle)
{
    loop_on_closed(handle->data);
}

void curl_loop_free(struct curl_loop *at)
{
    if (!at || at->closing) return;
    at->closing = true;
    curl_multi_cleanup(at->multi);
    uv_close((uv_handle_t *)&at->timer, timer_on_closed);
}
