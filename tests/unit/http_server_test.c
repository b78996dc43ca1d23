#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "net/http_server.h"

#define LIMIT_MS    150  /* idle_ms and request_ms where being cut off is what is tested */
#define LONG_MS     5000 /* elsewhere */
#define PATIENCE_MS 8000 /* then a test has failed */
#define BODY_MAX    64
#define REPLY_MAX   8191
#define HUGE_ANSWER (24 * 1024 * 1024)

/* One peer with a script, and the server it talks to, in one loop. */
struct world {
    uv_loop_t loop;
    uv_tcp_t peer;
    uv_timer_t drip, patience, later;
    uv_connect_t connect;
    struct http_server_options options;
    struct http_server *server;
    const struct peer_case *c;
    size_t dripped;
    bool cued;                     /* the second part was sent */
    char reply[REPLY_MAX + 1];     /* what the peer got, cut */
    size_t reply_len, got;         /* got: bytes, uncut */
    bool ended;                    /* the server closed the connection */
    struct http_exchange *pending; /* to be answered later */
    unsigned bodies, refused;
    bool free_in_body, free_in_head, quiesce_in_head;
};

/* What the peer sends and what must come back. */
static const struct peer_case {
    const char *name;
    const char *send; /* at once */
    const char *want; /* part of the reply */
    bool ends;        /* the server closes the connection afterwards */
    const char *lack; /* must not be in the reply; NULL: nothing */
    const char *drip; /* then byte for byte, without end */
    const char *cue;  /* when this has come, send the next */
    const char *next;
    size_t flood;     /* then so many bytes of 'x' */
    bool lazy;        /* reads nothing until the limits are long past */
    unsigned refused; /* by the server itself */
    bool cut;         /* with short limits */
    size_t bodies_max;
} cases[] = {
    { "a request is answered", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
      .want = "\r\n\r\nPOST /echo - [hi]" },
    { "the answer may come later", "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
      .want = "\r\n\r\nlate" },
    { "an answer has its type and when to come again",
      "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
      .want = "Retry-After: 7\r\n" },
    { "a chunked body is put together",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhi\r\n1;x=y\r\n!\r\n0\r\n\r\n",
      .want = "[hi!]" },
    { "the path is decoded and has no query; headers are found in any case",
      "PUT /e%63ho?a=b HTTP/1.1\r\nHost: a\r\nx-MARK: yes\r\nContent-Length: 0\r\n\r\n",
      .want = "PUT /echo yes []" },
    { "any method is let in", "REPORT /echo HTTP/1.1\r\nHost: a\r\n\r\n",
      .want = "REPORT /echo - []" },
    { "two requests in one packet get two answers",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
      "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n2",
      .want = "late" },
    { "HTTP/1.0 is served", "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", .want = "[hi]",
      .ends = true },
    { "100-continue is answered before the body comes",
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
      .want = "\r\n\r\nPOST /echo - [hi]", .cue = "100 Continue\r\n\r\n", .next = "hi" },
    { "a refused head gets no 100-continue",
      "POST /refuse/401 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
      .want = "HTTP/1.1 401 ", .ends = true, .lack = "100 Continue" },
    { "a refused head is answered before its body, and the connection ends",
      "POST /refuse/404 HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n",
      .want = "\r\n\r\nrefused here", .ends = true },
    { "a refusal arrives although the peer goes on sending",
      "POST /refuse/503 HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n",
      .want = "\r\n\r\nrefused here", .ends = true, .flood = 3000000 },
    { "a stated length over the limit is refused before the body",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n", .want = "HTTP/1.1 413 ",
      .ends = true, .refused = 413 },
    { "a body of exactly the limit is let in",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 64\r\n\r\n", .want = "[xxxxxxxx",
      .flood = 64 },
    { "a stated length beyond all numbers is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      .want = "HTTP/1.1 413 ", .ends = true },
    { "a length that is no number is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n", .want = "HTTP/1.1 400 ",
      .ends = true },
    { "a chunked body over the limit is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "28\r\n0123456789012345678901234567890123456789\r\n"
      "28\r\n0123456789012345678901234567890123456789\r\n"
      "28\r\n0123456789012345678901234567890123456789\r\n0\r\n\r\n",
      .want = "HTTP/1.1 413 ", .ends = true, .refused = 413 },
    { "a packed body is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
      .want = "HTTP/1.1 415 ", .ends = true, .refused = 415 },
    { "Content-Encoding: identity is let in",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi",
      .want = "[hi]" },
    { "a length and chunks together are refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "two lengths are refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "a blank between the name of a header and its colon is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "a transfer encoding on a continued line is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding:\r\n "
      "chunked\r\n\r\n",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "a length on a continued line is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 2\r\n\r\nhi", .want = "HTTP/1.1 400 ",
      .ends = true, .refused = 400 },
    { "a bare CR in a header is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "a name that is no token is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nX(1): a\r\nContent-Length: 0\r\n\r\n",
      .want = "HTTP/1.1 400 ", .ends = true, .refused = 400 },
    { "a tab in a header and every letter of a token are let in",
      "POST /echo HTTP/1.1\r\nHost: a\r\nX!#$%&'*+-.^_`|~9: a\tb\r\nContent-Length: 2\r\n\r\nhi",
      .want = "[hi]" },
    { "a stated body where none is wanted is known by the head",
      "GET /echo HTTP/1.1\r\nX-Bodyless: 1\r\nContent-Length: 1\r\n\r\n", .want = "HTTP/1.1 413 ",
      .ends = true },
    { "a chunked body where none is wanted is known by the head",
      "GET /echo HTTP/1.1\r\nX-Bodyless: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      .want = "HTTP/1.1 413 ", .ends = true },
    { "a body of no length is none",
      "GET /echo HTTP/1.1\r\nX-Bodyless: 1\r\nContent-Length: 0\r\n\r\n", .want = "HTTP/1.1 200 " },
    { "bodies that are too long together are refused for now",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 51\r\n\r\n", .want = "Retry-After: 5\r\n",
      .ends = true, .flood = 51, .refused = 503, .bodies_max = 50 },
    { "bodies of exactly the limit together are let in",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n", .want = "[xxxxx", .flood = 50,
      .bodies_max = 50 },
    { "an unknown transfer encoding is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      .want = "HTTP/1.1 501 ", .ends = true, .refused = 501 },
    { "a broken chunk is refused",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      .want = "HTTP/1.1 400 ", .ends = true },
    { "what is not HTTP ends the connection", "\x16\x03\x01\x02 hello\r\n\r\n", .want = "",
      .ends = true },
    { "a head that does not end is refused", "POST /echo HTTP/1.1\r\nHost: a\r\nX-Long: ",
      .want = "HTTP/1.1 431 ", .ends = true, .flood = 100000 },
    { "a silent connection is cut off", "", .want = "", .ends = true, .lack = "HTTP", .cut = true },
    { "a connection is cut off when it stays silent after an answer",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", .want = "[hi]", .ends = true,
      .cut = true },
    { "a request line that comes byte by byte is cut off", "", .want = "", .ends = true,
      .drip = "AAAAAAAAA", .lack = "HTTP", .cut = true },
    { "a head that comes byte by byte is cut off", "POST /echo HTTP/1.1\r\n", .want = "",
      .ends = true, .drip = "X: y\r\n", .lack = "HTTP", .cut = true },
    { "a body that comes byte by byte is cut off",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n", .want = "", .ends = true,
      .drip = "x", .lack = "HTTP", .cut = true },
    { "a chunked body that never ends is cut off",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", .want = "",
      .ends = true, .drip = "1\r\nx\r\n", .lack = "HTTP", .cut = true },
    { "a peer that does not take its answer is cut off", "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n",
      .want = "HTTP/1.1 200 ", .ends = true, .lazy = true, .cut = true },
    { "no limit runs while the answer is our duty", "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n",
      .want = "\r\n\r\nlate", .cut = true },
};

/* ---- the owner of the server ---- */

static unsigned on_head(struct http_exchange *exchange, const char **ret_body, void *arg)
{
    struct world *w = arg;
    const char *path = http_path(exchange);

    if (w->quiesce_in_head) http_server_quiesce(w->server);
    if (w->free_in_head) http_server_free(TAKE(w->server));
    if (strcmp(path, "/trust") == 0) http_trust(exchange);
    if (http_header(exchange, "X-Bodyless") && http_has_body(exchange)) return 413;
    if (strncmp(path, "/refuse/", 8) != 0) return 0;
    *ret_body = "refused here";
    return (unsigned)atoi(path + 8);
}

static void on_later(uv_timer_t *timer)
{
    struct world *w = timer->data;

    http_answer(TAKE(w->pending), 200, "text/plain", "late", 7);
}

static void answer_huge(struct http_exchange *exchange)
{
    char *text = mem_zero(HUGE_ANSWER + 1, 1);

    memset(text, 'x', HUGE_ANSWER);
    http_answer(exchange, 200, "text/plain", text, 0);
    free(text);
}

static void on_body(struct http_exchange *exchange, void *arg)
{
    struct world *w = arg;
    const char *path = http_path(exchange), *mark = http_header(exchange, "X-Mark");
    size_t len;
    const char *body = http_body(exchange, &len);
    char text[256];

    w->bodies++;
    if (w->pending && strcmp(path, "/echo") == 0) on_later(&w->later);
    if (w->free_in_body) {
        http_server_free(TAKE(w->server));
    } else if (strcmp(path, "/echo") == 0) {
        assert_int_equal(strlen(body), len);
        snprintf(text, sizeof text, "%s %s %s [%s]", http_method(exchange), path, mark ? mark : "-",
                 body);
        http_answer(exchange, 200, "text/plain", text, 0);
    } else if (strcmp(path, "/huge") == 0) {
        answer_huge(exchange);
    } else {
        w->pending = exchange;
        if (strcmp(path, "/later") == 0) uv_timer_start(&w->later, on_later, 5, 0);
        if (strcmp(path, "/slow") == 0) uv_timer_start(&w->later, on_later, 3 * LIMIT_MS, 0);
    }
}

static void on_refused(unsigned status, void *arg)
{
    struct world *w = arg;

    w->refused = status;
}

/* ---- the peer ---- */

static void peer_send(struct world *w, const char *bytes, size_t len)
{
    struct send {
        uv_write_t write;
        char bytes[];
    } *send = mem_zero(1, sizeof *send + len + 1);
    uv_buf_t buf = uv_buf_init(send->bytes, (unsigned)len);

    memcpy(send->bytes, bytes, len);
    send->write.data = send;
    if (uv_write(&send->write, (uv_stream_t *)&w->peer, &buf, 1, (uv_write_cb)(void (*)(void))free))
        free(send);
}

static void peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    static char bytes[65536];

    (void)handle;
    (void)size;
    *buf = uv_buf_init(bytes, sizeof bytes);
}

static void peer_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct world *w = stream->data;
    size_t room = REPLY_MAX - w->reply_len;

    if (n < 0) {
        w->ended = true;
        uv_read_stop(stream);
        uv_timer_stop(&w->drip);
        uv_stop(&w->loop);
        return;
    }
    w->got += (size_t)n;
    if ((size_t)n < room) room = (size_t)n;
    memcpy(w->reply + w->reply_len, buf->base, room);
    w->reply_len += room;
    if (w->c->cue && !w->cued && strstr(w->reply, w->c->cue)) {
        w->cued = true;
        peer_send(w, w->c->next, strlen(w->c->next));
    }
    if (!w->c->ends && *w->c->want && strstr(w->reply, w->c->want)) uv_stop(&w->loop);
}

static void peer_on_drip(uv_timer_t *timer)
{
    struct world *w = timer->data;
    const char *drip = w->c->drip;

    if (w->c->lazy) {
        uv_timer_stop(timer);
        uv_read_start((uv_stream_t *)&w->peer, peer_alloc, peer_on_read);
    } else {
        peer_send(w, drip + w->dripped++ % strlen(drip), 1);
    }
}

static void peer_on_connect(uv_connect_t *connect, int status)
{
    struct world *w = connect->data;

    assert_int_equal(status, 0);
    peer_send(w, w->c->send, strlen(w->c->send));
    if (w->c->flood) {
        char *bytes = mem_zero(1, w->c->flood);
        memset(bytes, 'x', w->c->flood);
        peer_send(w, bytes, w->c->flood);
        free(bytes);
    }
    if (w->c->lazy)
        uv_timer_start(&w->drip, peer_on_drip, 3 * LIMIT_MS, 0);
    else
        uv_read_start((uv_stream_t *)&w->peer, peer_alloc, peer_on_read);
    if (w->c->drip) uv_timer_start(&w->drip, peer_on_drip, 5, 5);
}

static void on_patience(uv_timer_t *timer)
{
    struct world *w = timer->data;

    fail_msg("nothing happened; the reply so far: %s", w->reply);
}

/* ---- begin and end ---- */

static void world_init(struct world *w)
{
    uv_loop_init(&w->loop);
    uv_tcp_init(&w->loop, &w->peer);
    uv_timer_init(&w->loop, &w->drip);
    uv_timer_init(&w->loop, &w->patience);
    uv_timer_init(&w->loop, &w->later);
    w->peer.data = w->drip.data = w->patience.data = w->later.data = w->connect.data = w;
    uv_timer_start(&w->patience, on_patience, PATIENCE_MS, 0);
    w->options = (struct http_server_options){
        .address = "127.0.0.1",
        .body_max = BODY_MAX,
        .bodies_max = w->c->bodies_max,
        .connections_max = 16,
        .request_ms = w->c->cut ? LIMIT_MS : LONG_MS,
        .idle_ms = w->c->cut ? LIMIT_MS : LONG_MS,
        .refused = on_refused,
    };
}

static void world_serve(struct world *w)
{
    struct err err = { 0 };

    if (!http_server_start(&w->loop, &w->options, on_head, on_body, w, &w->server, &err))
        fail_msg("%s: %s", err.where, err.what);
}

static void world_dial(struct world *w)
{
    struct sockaddr_in addr;

    uv_ip4_addr("127.0.0.1", http_server_port(w->server), &addr);
    uv_tcp_connect(&w->connect, &w->peer, (struct sockaddr *)&addr, peer_on_connect);
}

static void world_done(struct world *w)
{
    http_server_free(w->server);
    uv_close((uv_handle_t *)&w->peer, NULL);
    uv_close((uv_handle_t *)&w->drip, NULL);
    uv_close((uv_handle_t *)&w->patience, NULL);
    uv_close((uv_handle_t *)&w->later, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing left open: the leak test for handles */
}

static void check(void **state)
{
    struct world w = { .c = *state };

    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    if (!strstr(w.reply, w.c->want)) fail_msg("got: %s", w.reply);
    if (w.c->lack && strstr(w.reply, w.c->lack)) fail_msg("got: %s", w.reply);
    assert_int_equal(w.ended, w.c->ends);
    assert_int_equal(w.refused, w.c->refused);
    assert_true(w.got < HUGE_ANSWER);
}

/* ---- start ---- */

static const struct start_case {
    const char *name, *address, *cert_pem, *key_pem, *code;
    bool taken; /* somebody else has the port */
    enum err_kind kind;
    const char *text; /* part of what is said */
} starts[] = {
    { "every address is served by ::", "::", NULL, NULL, NULL, false, 0, "" },
    { "a port in use is an error that names it", "127.0.0.1", NULL, NULL, "listen.address", true,
      ERR_SYSTEM, "stop the program that has port" },
    { "an address of another machine is an error", "192.0.2.1", NULL, NULL, "listen.address", false,
      ERR_SYSTEM, "192.0.2.1" },
    { "a name is no address", "localhost", NULL, NULL, "listen.address", false, ERR_SYSTEM,
      "in numbers" },
    { "a certificate that is no PEM is an error", "127.0.0.1", "no", "no", "listen.tls", false,
      ERR_CONFIG, "PEM" },
    { "a certificate without a key is an error", "127.0.0.1", "no", NULL, "listen.tls", false,
      ERR_CONFIG, "key" },
};

static void check_start(void **state)
{
    const struct start_case *c = *state;
    static const struct peer_case echo = { "", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
                                           .want = "GET /echo" };
    struct world w = { .c = &echo };
    struct http_server *other = NULL;
    struct err err = { 0 };
    char text[1024];

    world_init(&w);
    if (c->taken) {
        world_serve(&w);
        other = TAKE(w.server);
        w.options.port = http_server_port(other);
    }
    w.options.address = c->address;
    w.options.cert_pem = c->cert_pem;
    w.options.key_pem = c->key_pem;
    if (http_server_start(&w.loop, &w.options, on_head, on_body, &w, &w.server, &err)) {
        world_dial(&w); /* over IPv4 */
        uv_run(&w.loop, UV_RUN_DEFAULT);
    }
    http_server_free(other);
    world_done(&w);
    if (c->code) {
        assert_string_equal(err.code, c->code);
        assert_int_equal(err.kind, c->kind);
        if (!strstr(err_text(&err, text, sizeof text), c->text)) fail_msg("%s", text);
    } else {
        assert_null(err.code);
        assert_non_null(strstr(w.reply, "GET /echo"));
    }
}

/* ---- more than one peer; endings ---- */

static const struct peer_case pending = { "", "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n",
                                          .want = "", .ends = true };
static const struct peer_case echo = { "", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", .want = "[]" };

static int blocking_peer(const struct world *w)
{
    struct sockaddr_in addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    uv_ip4_addr("127.0.0.1", http_server_port(w->server), &addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static void run_until_pending(struct world *w)
{
    while (!w->pending) uv_run(&w->loop, UV_RUN_ONCE);
}

/* Has the server hung up? Nothing else comes. */
static bool is_cut(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void the_oldest_stranger_gives_way(void **state)
{
    struct world w = { .c = &echo };
    int silent[3];

    (void)state;
    world_init(&w);
    w.options.connections_max = 3;
    w.options.idle_ms = PATIENCE_MS;
    world_serve(&w);
    for (size_t i = 0; i < 3; i++) {
        silent[i] = blocking_peer(&w);
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.reply, "GET /echo"));
    assert_true(is_cut(silent[0]));
    assert_false(is_cut(silent[1]));
    assert_false(is_cut(silent[2]));
    for (size_t i = 0; i < 3; i++) close(silent[i]);
    world_done(&w);
}

static void whom_we_trust_stays(void **state)
{
    static const char ask[] = "GET /trust HTTP/1.1\r\nHost: a\r\n\r\n";
    struct world w = { .c = &echo };
    int known, silent;

    (void)state;
    world_init(&w);
    w.options.connections_max = 2;
    w.options.idle_ms = PATIENCE_MS;
    world_serve(&w);
    known = blocking_peer(&w);
    assert_int_equal(send(known, ask, sizeof ask - 1, 0), sizeof ask - 1);
    run_until_pending(&w);
    http_answer(TAKE(w.pending), 200, "text/plain", "", 0);
    silent = blocking_peer(&w);
    uv_run(&w.loop, UV_RUN_ONCE);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.reply, "GET /echo"));
    assert_true(is_cut(silent));
    char answer[512];
    while (recv(known, answer, sizeof answer, MSG_DONTWAIT) > 0) continue;
    assert_false(is_cut(known));
    close(known);
    close(silent);
    world_done(&w);
}

static void one_peer_has_its_share(void **state)
{
    static const struct peer_case refused = { "", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n",
                                              .want = "", .ends = true };
    struct world w = { .c = &refused };
    int first;

    (void)state;
    world_init(&w);
    w.options.connections_per_peer_max = 1;
    w.options.idle_ms = PATIENCE_MS;
    world_serve(&w);
    first = blocking_peer(&w);
    uv_run(&w.loop, UV_RUN_ONCE);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_true(w.ended);
    assert_string_equal(w.reply, "");
    close(first);
    world_done(&w);
}

static void free_with_pending(void **state)
{
    struct world w = { .c = &pending };

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    run_until_pending(&w);
    http_server_free(TAKE(w.server));
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_true(w.ended);
    world_done(&w);
}

static void free_in_body(void **state)
{
    struct world w = { .c = &pending, .free_in_body = true };

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_true(w.ended);
    assert_int_equal(w.bodies, 1);
    world_done(&w);
}

static void free_in_head(void **state)
{
    struct world w = { .c = &pending, .free_in_head = true };

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_true(w.ended);
    assert_int_equal(w.bodies, 0);
    world_done(&w);
}

static void free_while_saying_goodbye(void **state)
{
    static const struct peer_case refused = {
        "", "POST /refuse/401 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        .want = "refused here"
    };
    struct world w = { .c = &refused };

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT); /* the peer has its answer and keeps its end open */
    assert_non_null(strstr(w.reply, "refused here"));
    world_done(&w);
}

static void gone_peer_drops_answer(void **state)
{
    struct world w = { .c = &pending };
    static const char request[] = "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n";
    struct linger reset = { .l_onoff = 1, .l_linger = 0 };
    int fd;

    (void)state;
    world_init(&w);
    world_serve(&w);
    fd = blocking_peer(&w);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    run_until_pending(&w);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    http_answer(TAKE(w.pending), 200, NULL, "nobody listens", 0);
    w.c = &echo; /* and the server goes on */
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.reply, "GET /echo"));
    world_done(&w);
}

/* One event answers another's request: nothing but the answer itself wakes that connection. */
static void answer_from_another_callback(void **state)
{
    static const struct peer_case first = { "", "GET /pending HTTP/1.1\r\nHost: a\r\n\r\n",
                                            .want = "late" };
    static const char request[] = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
    struct world w = { .c = &first };
    int fd;

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    run_until_pending(&w);
    fd = blocking_peer(&w);
    assert_int_equal(write(fd, request, sizeof request - 1), sizeof request - 1);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.reply, "late"));
    assert_false(w.ended);
    close(fd);
    world_done(&w);
}

static void quiesce_answers_what_is_open(void **state)
{
    struct world w = { .c = &pending };
    struct sockaddr_in addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    run_until_pending(&w);
    uv_ip4_addr("127.0.0.1", http_server_port(w.server), &addr);
    http_server_quiesce(w.server);
    http_server_quiesce(w.server);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), -1);
    close(fd);
    http_answer(TAKE(w.pending), 200, "text/plain", "the last", 0);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_true(w.ended);
    assert_non_null(strstr(w.reply, "Connection: close"));
    assert_non_null(strstr(w.reply, "the last"));
    world_done(&w);
}

static void quiesce_in_head(void **state)
{
    static const struct peer_case refused = { "", "GET /refuse/503 HTTP/1.1\r\nHost: a\r\n\r\n",
                                              .want = "", .ends = true };
    struct world w = { .c = &refused, .quiesce_in_head = true };

    (void)state;
    world_init(&w);
    world_serve(&w);
    world_dial(&w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.reply, "refused here"));
    assert_null(strstr(strstr(w.reply, "Connection: close") + 1, "Connection:"));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        { "of too many peers the oldest that nobody knows gives way", the_oldest_stranger_gives_way,
          NULL, NULL, NULL },
        { "a peer that is trusted gives way to nobody", whom_we_trust_stays, NULL, NULL, NULL },
        { "one address gets connections_per_peer_max connections", one_peer_has_its_share, NULL,
          NULL, NULL },
        { "freeing with an exchange pending cuts it off", free_with_pending, NULL, NULL, NULL },
        { "freeing from inside the body callback is safe", free_in_body, NULL, NULL, NULL },
        { "freeing from inside the head callback is safe", free_in_head, NULL, NULL, NULL },
        { "freeing while a refused peer is still there is safe", free_while_saying_goodbye, NULL,
          NULL, NULL },
        { "the answer to a peer that has gone is dropped", gone_peer_drops_answer, NULL, NULL,
          NULL },
        { "an answer may be given inside the callback of another request",
          answer_from_another_callback, NULL, NULL, NULL },
        { "a quiesced server answers what is open and takes nothing new",
          quiesce_answers_what_is_open, NULL, NULL, NULL },
        { "a server may be quiesced from inside the head callback, which refuses", quiesce_in_head,
          NULL, NULL, NULL },
    };

    return RUN_TABLE("http server", cases, check) +
           RUN_TABLE("http server start", starts, check_start) +
           cmocka_run_group_tests_name("http server endings", more, NULL, NULL);
}
