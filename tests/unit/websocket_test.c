#include "test.h"

#include <microhttpd.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/mem.h"
#include "folder.h"
#include "net/http_client.h"
#include "net/websocket.h"

#define PATIENCE_MS 8000 /* then a test has failed */
#define LIMIT_MS    200  /* of what is never to come */
#define LONG_MS     5000 /* of the rest */
#define MESSAGE_MAX 64
#define SECRET      "Bearer s3cret"

/* ---- a peer with a script */

enum ending { STAYS, LEAVES }; /* after its last frame */

struct world {
    uv_loop_t loop;
    uv_tcp_t listener, conn;
    uv_timer_t patience;
    bool conn_open;
    const char *answer; /* "%s": the proof */
    const char *frames;
    size_t frames_len;
    bool with_answer; /* frames leave in the packet of the answer */
    bool by_byte;     /* ... or byte by byte */
    enum ending ending;
    char bytes[70000];
    struct buf heard; /* owned: all that the peer read */
    size_t head_len;  /* of it; 0: not whole yet */
    char url[64], origin[64];
    struct http_client *client;
    struct websocket *socket;
    const char *greeting;  /* sent when it opens; NULL: nothing */
    const char *stop_text; /* this message ends the test from our side; NULL */
    unsigned opened, closed;
    struct buf texts; /* owned: messages, each with "|" behind it */
    struct websocket_end end;
    char what[1024]; /* err_text() of the end */
};

static void on_conn_closed(uv_handle_t *handle)
{
    struct world *w = handle->data;

    w->conn_open = false;
}

static void peer_leave(struct world *w)
{
    if (w->conn_open && !uv_is_closing((uv_handle_t *)&w->conn))
        uv_close((uv_handle_t *)&w->conn, on_conn_closed);
}

static void peer_say(struct world *w, const char *data, size_t len)
{
    while (len && w->conn_open && !uv_is_closing((uv_handle_t *)&w->conn)) {
        size_t n = w->by_byte ? 1 : len;
        uv_buf_t out = uv_buf_init((char *)(uintptr_t)data, (unsigned)n);
        assert_int_equal(uv_try_write((uv_stream_t *)&w->conn, &out, 1), (int)n);
        data += n;
        len -= n;
    }
}

/* RFC 6455, 4.2.2: the proof that a key was read. */
static void proof_of(const char *key, char ret[32])
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;

    sha1_init(&sha1);
    sha1_update(&sha1, strlen(key), (const uint8_t *)key);
    sha1_update(&sha1, strlen(suffix), (const uint8_t *)suffix);
    sha1_digest(&sha1, sizeof digest, digest);
    base64_encode_raw(ret, sizeof digest, digest);
    ret[BASE64_ENCODE_RAW_LENGTH(sizeof digest)] = '\0';
}

static void peer_answer(struct world *w)
{
    const char *at = strstr(w->heard.data, "Sec-WebSocket-Key: ");
    struct buf out = { 0 };
    char key[25], proof[32];

    assert_non_null(at);
    snprintf(key, sizeof key, "%s", at + strlen("Sec-WebSocket-Key: "));
    proof_of(key, proof);
    if (strstr(w->answer, "%s")) {
        size_t before = (size_t)(strstr(w->answer, "%s") - w->answer);
        buf_add(&out, w->answer, before);
        buf_text(&out, proof);
        buf_text(&out, w->answer + before + 2);
    } else {
        buf_text(&out, w->answer);
    }
    if (w->with_answer) buf_add(&out, w->frames, w->frames_len);
    peer_say(w, out.data, out.len);
    if (!w->with_answer) peer_say(w, w->frames, w->frames_len);
    if (w->ending == LEAVES) peer_leave(w);
    buf_done(&out);
}

static void peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct world *w = handle->data;

    (void)size;
    *buf = uv_buf_init(w->bytes, sizeof w->bytes);
}

static void peer_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct world *w = stream->data;
    const char *end;

    if (n < 0) {
        peer_leave(w);
        return;
    }
    buf_add(&w->heard, buf->base, (size_t)n);
    end = w->head_len ? NULL : strstr(buf_string(&w->heard), "\r\n\r\n");
    if (!end) return;
    w->head_len = (size_t)(end - w->heard.data) + 4;
    if (w->answer) peer_answer(w);
}

static void peer_on_connection(uv_stream_t *listener, int status)
{
    struct world *w = listener->data;

    assert_int_equal(status, 0);
    uv_tcp_init(&w->loop, &w->conn);
    w->conn.data = w;
    w->conn_open = true;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&w->conn), 0);
    uv_tcp_nodelay(&w->conn, 1);
    uv_read_start((uv_stream_t *)&w->conn, peer_alloc, peer_on_read);
}

/* What the peer heard behind the head: our frames are masked (RFC 6455, 5.3). Gives opcode and
 * payload of each as "1:text|8:1000|". */
static void frames_told(const struct world *w, char *ret, size_t size)
{
    const uint8_t *at = (const uint8_t *)w->heard.data + w->head_len;
    const uint8_t *end = (const uint8_t *)w->heard.data + w->heard.len;
    size_t used = 0;

    ret[0] = '\0';
    while (w->head_len && end - at >= 6) {
        unsigned len = at[1] & 0x7f;
        char text[126] = "";
        assert_true(at[1] & 0x80);
        assert_true(len <= 125 && end - at >= 6 + (ptrdiff_t)len);
        for (unsigned i = 0; i < len; i++) text[i] = (char)(at[6 + i] ^ at[2 + i % 4]);
        if (at[0] == 0x88 && len >= 2)
            used += (size_t)snprintf(ret + used, size - used, "8:%u|",
                                     (unsigned)(uint8_t)text[0] << 8 | (uint8_t)text[1]);
        else
            used += (size_t)snprintf(ret + used, size - used, "%x:%s|", at[0] & 0xf, text);
        assert_true(used < size);
        at += 6 + len;
    }
}

/* ---- our side */

static void on_opened(void *arg)
{
    struct world *w = arg;

    w->opened++;
    if (w->greeting) websocket_send(w->socket, w->greeting);
}

static void on_text(const char *text, size_t len, void *arg)
{
    struct world *w = arg;

    assert_int_equal(text[len], '\0');
    buf_add(&w->texts, text, len);
    buf_char(&w->texts, '|');
    if (!w->stop_text || strcmp(text, w->stop_text) != 0) return;
    websocket_close(TAKE(w->socket));
    uv_stop(&w->loop);
}

static void on_closed(const struct websocket_end *end, void *arg)
{
    struct world *w = arg;

    w->closed++;
    w->end = *end;
    err_text(&end->err, w->what, sizeof w->what);
    w->socket = NULL;
    uv_stop(&w->loop);
}

static const struct websocket_events events = { on_opened, on_text, on_closed };

static void on_patience(uv_timer_t *timer)
{
    struct world *w = timer->data;
    char told[512];

    frames_told(w, told, sizeof told);
    fail_msg("opened %u, closed %u, texts %s; the peer heard %s", w->opened, w->closed,
             buf_string(&w->texts), told);
}

static void world_init(struct world *w)
{
    struct sockaddr_in addr;
    int len = sizeof addr;

    uv_loop_init(&w->loop);
    uv_timer_init(&w->loop, &w->patience);
    uv_tcp_init(&w->loop, &w->listener);
    w->patience.data = w->listener.data = w;
    uv_timer_start(&w->patience, on_patience, PATIENCE_MS, 0);
    uv_ip4_addr("127.0.0.1", 0, &addr);
    assert_int_equal(uv_tcp_bind(&w->listener, (struct sockaddr *)&addr, 0), 0);
    uv_tcp_getsockname(&w->listener, (struct sockaddr *)&addr, &len);
    assert_int_equal(uv_listen((uv_stream_t *)&w->listener, 8, peer_on_connection), 0);
    snprintf(w->url, sizeof w->url, "ws://127.0.0.1:%d", ntohs(addr.sin_port));
    snprintf(w->origin, sizeof w->origin, "http://127.0.0.1:%d", ntohs(addr.sin_port));
    w->client = http_client_new(&w->loop, &(struct http_client_options){ .user_agent = "test/1",
                                                                         .authorization = SECRET,
                                                                         .origin = w->origin,
                                                                         .connections_max = 1 });
}

static void world_start(struct world *w, const char *url, uint64_t open_ms, uint64_t idle_ms)
{
    w->socket = websocket_start(
        w->client,
        &(struct websocket_request){
            .url = url, .open_ms = open_ms, .idle_ms = idle_ms, .message_max = MESSAGE_MAX },
        &events, w);
    assert_int_equal(w->opened + w->closed, 0); /* never from inside websocket_start() */
}

static void world_done(struct world *w)
{
    websocket_close(w->socket);
    http_client_free(w->client);
    uv_close((uv_handle_t *)&w->listener, NULL);
    uv_close((uv_handle_t *)&w->patience, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT); /* the peer reads to the end */
    assert_false(w->conn_open);
    assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing left open */
    assert_null(strstr(w->what, "s3cret"));
    assert_null(strstr(w->what, "token"));
    buf_done(&w->texts);
    buf_done(&w->heard);
}

/* ---- one connection, one script */

#define OPENS                                                                                      \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: %s\r\n\r\n"
#define WRONG                                                                                      \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
#define BYTES(s) s, sizeof s - 1
#define TEN      "0123456789"
#define SIXTY    TEN TEN TEN TEN TEN TEN
#define BYE      "\x88\x02\x03\xe8" /* close, 1000 */
#define BROKEN   "socket.protocol"

static const struct script {
    const char *name, *answer, *frames;
    size_t frames_len;
    enum ending ending;
    const char *texts; /* messages that came, each with "|" behind it */
    const char *code;  /* of the end */
    unsigned end_code;
    long status;
    const char *told; /* our frames, as frames_told() gives them; NULL: not looked at */
} scripts[] = {
    { "a message and a good-bye", OPENS, BYTES("\x81\x02hi" BYE), STAYS, "hi|", "socket.closed",
      1000, 0, "1:hello|8:1000|" },
    { "two messages in one packet", OPENS,
      BYTES("\x81\x01"
            "a"
            "\x81\x01"
            "b" BYE),
      STAYS, "a|b|", "socket.closed", 1000, 0, NULL },
    { "an empty message", OPENS, BYTES("\x81\x00" BYE), STAYS, "|", "socket.closed", 1000, 0,
      NULL },
    { "a message in three fragments", OPENS,
      BYTES("\x01\x02"
            "ab"
            "\x00\x00"
            "\x80\x01"
            "c" BYE),
      STAYS, "abc|", "socket.closed", 1000, 0, NULL },
    { "a ping between two fragments is answered, and not part of the message", OPENS,
      BYTES("\x01\x02"
            "ab"
            "\x89\x02"
            "pp"
            "\x80\x01"
            "c" BYE),
      STAYS, "abc|", "socket.closed", 1000, 0, NULL },
    { "a pong that nobody asked for", OPENS,
      BYTES("\x8a\x01"
            "x"
            "\x81\x01"
            "a" BYE),
      STAYS, "a|", "socket.closed", 1000, 0, NULL },
    { "a close without a code", OPENS, BYTES("\x88\x00"), STAYS, "", "socket.closed", 1005, 0,
      NULL },
    { "a close with a reason", OPENS,
      BYTES("\x88\x07\x03\xea"
            "token"),
      STAYS, "", "socket.closed", 1002, 0, NULL },
    { "nothing counts after the close", OPENS,
      BYTES(BYE "\x81\x01"
                "a"),
      STAYS, "", "socket.closed", 1000, 0, NULL },
    { "an end without a close", OPENS,
      BYTES("\x81\x01"
            "a"),
      LEAVES, "a|", "socket.failed", 0, 0, NULL },
    { "an end in the middle of a message", OPENS,
      BYTES("\x81\x05"
            "ab"),
      LEAVES, "", "socket.failed", 0, 0, NULL },
    { "a message of the longest length", OPENS, BYTES("\x81\x40" SIXTY "0123" BYE), STAYS,
      SIXTY "0123|", "socket.closed", 1000, 0, NULL },
    { "a message of one byte more", OPENS, BYTES("\x81\x41" SIXTY "01234" BYE), STAYS, "", BROKEN,
      1009, 0, "1:hello|8:1009|" },
    { "fragments that are too long together", OPENS,
      BYTES("\x01\x40" SIXTY "0123"
            "\x80\x01"
            "x" BYE),
      STAYS, "", BROKEN, 1009, 0, NULL },
    { "a huge length is refused at its first byte", OPENS,
      BYTES("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"
            "a"),
      STAYS, "", BROKEN, 1009, 0, NULL },
    { "a message of bytes", OPENS,
      BYTES("\x82\x01"
            "a" BYE),
      STAYS, "", BROKEN, 1003, 0, "1:hello|8:1003|" },
    { "text that is not UTF-8", OPENS, BYTES("\x81\x01\xff" BYE), STAYS, "", BROKEN, 1007, 0,
      NULL },
    { "UTF-8 that ends half-way", OPENS, BYTES("\x81\x01\xc3" BYE), STAYS, "", BROKEN, 1007, 0,
      NULL },
    { "UTF-8 in two fragments", OPENS,
      BYTES("\x01\x01\xc3"
            "\x80\x01\xa9" BYE),
      STAYS, "\xc3\xa9|", "socket.closed", 1000, 0, NULL },
    { "a masked frame", OPENS,
      BYTES("\x81\x81"
            "aaaa"
            "b" BYE),
      STAYS, "", BROKEN, 1002, 0, NULL },
    { "a reserved bit", OPENS,
      BYTES("\xc1\x01"
            "a" BYE),
      STAYS, "", BROKEN, 1002, 0, NULL },
    { "an unknown kind of frame", OPENS,
      BYTES("\x83\x01"
            "a" BYE),
      STAYS, "", BROKEN, 1002, 0, NULL },
    { "a continuation of nothing", OPENS,
      BYTES("\x80\x01"
            "a" BYE),
      STAYS, "", BROKEN, 1002, 0, NULL },
    { "a ping that is too long", OPENS, BYTES("\x89\x7e\x00\x7e" SIXTY SIXTY "012345" BYE), STAYS,
      "", BROKEN, 1002, 0, NULL },
    { "an upgrade refused", "HTTP/1.1 403 No\r\n\r\n", BYTES(""), STAYS, "", "socket.refused", 0,
      403, NULL },
    { "an upgrade refused for now", "HTTP/1.1 503 No\r\nRetry-After: 3\r\n\r\n", BYTES(""), STAYS,
      "", "socket.busy", 0, 503, NULL },
    { "a wrong proof", WRONG,
      BYTES("\x81\x01"
            "a"),
      STAYS, "", "socket.upgrade", 0, 101, NULL },
    { "an end instead of an answer", "", BYTES(""), LEAVES, "", "socket.failed", 0, 0, NULL },
};

static void run(const struct script *c, bool by_byte, bool with_answer)
{
    struct world w = { .answer = c->answer,
                       .frames = c->frames,
                       .frames_len = c->frames_len,
                       .ending = c->ending,
                       .by_byte = by_byte,
                       .with_answer = with_answer,
                       .greeting = "hello" };
    char told[512];
    bool opens = c->answer[0] && c->status == 0;

    world_init(&w);
    world_start(&w, w.url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.opened, opens ? 1 : 0);
    assert_string_equal(buf_string(&w.texts), c->texts);
    assert_string_equal(w.end.err.code, c->code);
    assert_int_equal(w.end.code, c->end_code);
    assert_int_equal(w.end.status, c->status);
    assert_string_equal(w.end.err.where, w.url);
    if (c->status == 503) assert_int_equal(w.end.retry_after_ms, 3000);
    uv_close((uv_handle_t *)&w.patience, NULL);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    uv_timer_init(&w.loop, &w.patience);
    w.patience.data = &w;
    while (c->told && w.conn_open && !uv_is_closing((uv_handle_t *)&w.conn))
        uv_run(&w.loop, UV_RUN_ONCE); /* until the peer has read all that we said */
    frames_told(&w, told, sizeof told);
    if (c->told) assert_string_equal(told, c->told);
    world_done(&w);
}

static void check(void **state)
{
    run(*state, false, false);
    run(*state, true, false);
    run(*state, false, true);
}

/* ---- what else happens */

static void wait_for_peer(struct world *w, const char *told)
{
    char text[512] = "";

    while (strcmp(text, told) != 0) {
        uv_run(&w->loop, UV_RUN_ONCE);
        frames_told(w, text, sizeof text);
    }
}

static void our_good_bye(void **state)
{
    struct world w = { .answer = OPENS, .frames = "\x81\x04stop", .frames_len = 6 };

    (void)state;
    w.greeting = "hello";
    w.stop_text = "stop";
    world_init(&w);
    world_start(&w, w.url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    wait_for_peer(&w, "1:hello|8:1000|");
    assert_int_equal(w.closed, 0);
    assert_string_equal(buf_string(&w.texts), "stop|");
    world_done(&w);
}

static void ping_is_answered(void **state)
{
    struct world w = { .answer = OPENS, .frames = "\x89\x02pp\x89\x00", .frames_len = 6 };

    (void)state;
    world_init(&w);
    world_start(&w, w.url, LONG_MS, LONG_MS);
    wait_for_peer(&w, "a:pp|a:|");
    world_done(&w);
}

static void head_says_who_we_are(void **state)
{
    struct world w = { .answer = "HTTP/1.1 404 No\r\n\r\n", .frames = "" };
    char url[128];

    (void)state;
    world_init(&w);
    snprintf(url, sizeof url, "%s/ws/x?token=1#part", w.url);
    world_start(&w, url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(strncmp(w.heard.data, "GET /ws/x?token=1 HTTP/1.1\r\n", 28), 0);
    assert_non_null(strstr(w.heard.data, "\r\nAuthorization: " SECRET "\r\n"));
    assert_non_null(strstr(w.heard.data, "\r\nUser-Agent: test/1\r\n"));
    world_done(&w);
}

/* The same peer by another name is another origin. */
static void other_origin_gets_no_credentials(void **state)
{
    struct world w = { .answer = "HTTP/1.1 404 No\r\n\r\n", .frames = "" };
    char url[128];

    (void)state;
    world_init(&w);
    snprintf(url, sizeof url, "ws://localhost:%s/", strrchr(w.url, ':') + 1);
    world_start(&w, url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.end.status, 404);
    assert_null(strstr(w.heard.data, "Authorization"));
    world_done(&w);
}

static void urls_are_checked(void **state)
{
    static const char *const urls[] = { "http://127.0.0.1/",
                                        "https://127.0.0.1/",
                                        "127.0.0.1",
                                        "ws://u:p@127.0.0.1/",
                                        "ws://",
                                        "",
                                        "ws://127.0.0.1/a b",
                                        "ws://127.0.0.1/\r\nX: y",
                                        "file:///etc/passwd",
                                        "wss:127.0.0.1" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        struct world w = { .answer = NULL };
        world_init(&w);
        world_start(&w, urls[i], LONG_MS, LONG_MS);
        uv_run(&w.loop, UV_RUN_DEFAULT);
        assert_string_equal(w.end.err.code, "socket.url");
        assert_int_equal(w.end.err.kind, ERR_PERMANENT);
        world_done(&w);
    }
}

static void ends_as(const char *answer, const char *frames, size_t len, uint64_t open_ms,
                    uint64_t idle_ms, const char *code)
{
    struct world w = { .answer = answer, .frames = frames, .frames_len = len };

    world_init(&w);
    world_start(&w, w.url, open_ms, idle_ms);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.closed, 1);
    assert_string_equal(w.end.err.code, code);
    assert_int_equal(w.end.err.kind, ERR_TRANSIENT);
    world_done(&w);
}

static void silence_before_the_answer(void **state)
{
    (void)state;
    ends_as(NULL, "", 0, LIMIT_MS, LONG_MS, "socket.timeout");
}

static void half_an_answer(void **state)
{
    (void)state;
    ends_as("HTTP/1.1 101 x\r\n", "", 0, LIMIT_MS, LONG_MS, "socket.timeout");
}

static void silence_after_it(void **state)
{
    struct world w = { .answer = OPENS,
                       .frames = "\x81\x01"
                                 "a",
                       .frames_len = 3 };
    char told[64];

    (void)state;
    world_init(&w);
    world_start(&w, w.url, LONG_MS, LIMIT_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_string_equal(w.end.err.code, "socket.silent");
    frames_told(&w, told, sizeof told);
    assert_string_equal(told, "9:|"); /* we asked */
    world_done(&w);
}

static void nobody_there(void **state)
{
    struct world w = { .answer = OPENS, .frames = "" };

    (void)state;
    world_init(&w);
    world_start(&w, "ws://127.0.0.1:1/", LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_string_equal(w.end.err.code, "socket.failed");
    assert_string_equal(w.end.err.where, "ws://127.0.0.1:1");
    world_done(&w);
}

/* Ended in every state: nothing is told, nothing is left. */
static void closed_at_once(void **state)
{
    struct world w = { .answer = OPENS, .frames = "" };

    (void)state;
    world_init(&w);
    world_start(&w, w.url, LONG_MS, LONG_MS);
    websocket_close(TAKE(w.socket));
    world_start(&w, "nonsense", LONG_MS, LONG_MS);
    websocket_close(TAKE(w.socket));
    world_done(&w);
    assert_int_equal(w.opened + w.closed, 0);
}

static void closed_in_every_turn(void **state)
{
    (void)state;
    for (int turns = 1; turns < 12; turns++) {
        struct world w = { .answer = OPENS,
                           .frames = "\x81\x01"
                                     "a",
                           .frames_len = 3 };
        world_init(&w);
        world_start(&w, w.url, LONG_MS, LONG_MS);
        for (int i = 0; i < turns; i++) uv_run(&w.loop, UV_RUN_NOWAIT);
        websocket_close(TAKE(w.socket));
        world_done(&w);
        assert_int_equal(w.closed, 0);
    }
}

/* More than one turn reads, and none of it lost. */
static void many_messages(void **state)
{
    struct buf frames = { 0 };
    struct world w = { .answer = OPENS, .stop_text = "stop" };

    (void)state;
    for (int i = 0; i < 10000; i++) buf_add(&frames, "\x81\x3c" SIXTY, 62);
    buf_add(&frames, "\x81\x04stop", 6);
    w.frames = frames.data;
    w.frames_len = frames.len;
    world_init(&w);
    int size = 1 << 21;
    uv_send_buffer_size((uv_handle_t *)&w.listener, &size);
    world_start(&w, w.url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.texts.len, 10000 * 61 + 5);
    world_done(&w);
    buf_done(&frames);
}

/* ---- TLS, against libmicrohttpd, which hands the connection over after its 101 */

static char tls_dir[FOLDER_MAX];

static int tls_setup(void **state)
{
    char command[1024];

    (void)state;
    if (!folder_make(tls_dir)) return -1;
    snprintf(command, sizeof command,
             "cd '%s' && exec 2>log && for n in ours theirs; do "
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
             "-keyout $n.key -out $n.pem -days 2 -subj /CN=$n "
             "-addext subjectAltName=IP:127.0.0.1 || exit 1; done",
             tls_dir);
    return system(command);
}

static int tls_teardown(void **state)
{
    char command[FOLDER_MAX + 20];

    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", tls_dir);
    return system(command);
}

static char *tls_file(const char *name)
{
    char path[FOLDER_MAX + 20], *text = mem_zero(1, 16384);
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", tls_dir, name);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 16383, file) > 0);
    fclose(file);
    return text;
}

/* 20,000 bytes: more than one record of TLS, which one read of the connection may leave inside. */
#define TLS_MESSAGES 400

static void peer_on_upgraded(void *cls, struct MHD_Connection *connection, void *con_cls,
                             const char *extra, size_t extra_len, MHD_socket fd,
                             struct MHD_UpgradeResponseHandle *handle)
{
    char text[TLS_MESSAGES * 50 + 4], *at = text;
    size_t len;

    (void)cls;
    (void)connection;
    (void)con_cls;
    (void)extra;
    (void)extra_len;
    for (int i = 0; i < TLS_MESSAGES; i++, at += 50) snprintf(at, 51, "\x81\x30%048d", i);
    memcpy(at, BYE, 4);
    len = (size_t)(at - text) + 4;
    for (size_t sent = 0; sent < len;) {
        ssize_t n = write(fd, text + sent, len - sent);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static enum MHD_Result peer_on_request(void *cls, struct MHD_Connection *connection,
                                       const char *url, const char *method, const char *version,
                                       const char *data, size_t *data_len, void **con_cls)
{
    const char *key = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-WebSocket-Key");
    struct MHD_Response *response;
    enum MHD_Result result;
    char proof[32];

    (void)cls;
    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)data_len;
    (void)con_cls;
    if (!key) return MHD_NO;
    proof_of(key, proof);
    response = MHD_create_response_for_upgrade(peer_on_upgraded, NULL);
    MHD_add_response_header(response, "Upgrade", "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", proof);
    result = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Daemon *tls_serve(char url[64])
{
    char *cert = tls_file("ours.pem"), *key = tls_file("ours.key");
    struct sockaddr_in addr;
    struct MHD_Daemon *daemon;

    uv_ip4_addr("127.0.0.1", 0, &addr);
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS | MHD_ALLOW_UPGRADE |
                                  MHD_USE_THREAD_PER_CONNECTION,
                              0, NULL, NULL, peer_on_request, NULL, MHD_OPTION_HTTPS_MEM_CERT, cert,
                              MHD_OPTION_HTTPS_MEM_KEY, key, MHD_OPTION_SOCK_ADDR, &addr,
                              MHD_OPTION_END);
    assert_non_null(daemon);
    snprintf(url, 64, "wss://127.0.0.1:%u",
             MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    free(cert);
    free(key);
    return daemon;
}

static void check_tls(void **state)
{
    const char *authority = *state;
    char *ca = tls_file(authority), url[64];
    struct world w = { .answer = NULL };
    struct MHD_Daemon *peer = tls_serve(url);

    world_init(&w);
    http_client_free(w.client);
    w.client = http_client_new(&w.loop, &(struct http_client_options){ .ca_pem = ca });
    world_start(&w, url, LONG_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    if (strcmp(authority, "ours.pem") == 0) {
        assert_string_equal(w.end.err.code, "socket.closed");
        assert_int_equal(w.end.code, 1000);
        assert_int_equal(w.texts.len, TLS_MESSAGES * 49);
    } else {
        assert_string_equal(w.end.err.code, "http.tls");
        assert_int_equal(w.opened, 0);
        assert_string_equal(w.end.err.where, url);
    }
    world_done(&w);
    MHD_stop_daemon(peer);
    free(ca);
}

static void tls_to_a_plain_peer(void **state)
{
    struct world w = { .answer = "HTTP/1.1 400 No\r\n\r\n", .frames = "" };
    char url[64];

    (void)state;
    world_init(&w);
    snprintf(url, sizeof url, "wss%.50s", w.url + 2);
    world_start(&w, url, LIMIT_MS, LONG_MS);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_int_equal(w.opened, 0);
    assert_string_equal(w.end.err.code, "socket.timeout"); /* it waits for an end of line */
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        { "our good-bye is said", our_good_bye, NULL, NULL, NULL },
        { "pings are answered", ping_is_answered, NULL, NULL, NULL },
        { "the head says who we are and where to", head_says_who_we_are, NULL, NULL, NULL },
        { "another origin gets no credentials", other_origin_gets_no_credentials, NULL, NULL,
          NULL },
        { "only ws and wss without a user name are called", urls_are_checked, NULL, NULL, NULL },
        { "a peer that does not answer is given up", silence_before_the_answer, NULL, NULL, NULL },
        { "half an answer is given up", half_an_answer, NULL, NULL, NULL },
        { "a peer that falls silent is asked once, then given up", silence_after_it, NULL, NULL,
          NULL },
        { "nobody there", nobody_there, NULL, NULL, NULL },
        { "closed before anything happened", closed_at_once, NULL, NULL, NULL },
        { "closed in each of the first turns", closed_in_every_turn, NULL, NULL, NULL },
        { "more than one turn of the loop takes", many_messages, NULL, NULL, NULL },
    };

    const struct CMUnitTest tls[] = {
        { "messages over TLS, from the right authority", check_tls, NULL, NULL,
          (void *)(uintptr_t) "ours.pem" },
        { "another authority is not trusted", check_tls, NULL, NULL,
          (void *)(uintptr_t) "theirs.pem" },
        { "TLS to a plain peer", tls_to_a_plain_peer, NULL, NULL, NULL },
    };

    setenv("no_proxy", "*", 1); /* whatever proxy this machine has, the peers are here */
    return RUN_TABLE("websocket: what a peer does", scripts, check) +
           cmocka_run_group_tests_name("websocket", more, NULL, NULL) +
           cmocka_run_group_tests_name("websocket: TLS", tls, tls_setup, tls_teardown);
}
