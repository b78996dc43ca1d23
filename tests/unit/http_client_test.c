#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/mem.h"
#include "folder.h"
#include "net/http_client.h"
#include "net/http_server.h"

#define PATIENCE_MS 8000 /* then a test has failed */
#define LIMIT_MS    200  /* timeout_ms of a call that nobody answers */
#define LONG_MS     5000 /* of the others */
#define SECRET      "Bearer s3cret"
#define CONNS_MAX   8

/* A peer with a script. */
enum peer {
    PEER_ANSWERS,
    PEER_SILENT,
    PEER_RESETS,  /* when it has read something */
    PEER_ABSENT,  /* the port is closed */
    PEER_FORGETS, /* answers the first request, then ends kept connections without a word */
};

struct world {
    uv_loop_t loop;
    uv_tcp_t listener, conns[CONNS_MAX];
    uv_timer_t patience;
    const char *answer; /* what the peer says to every request */
    size_t answer_len;
    enum peer peer;
    size_t conn_count; /* accepted */
    unsigned open, most_open;
    unsigned requests;  /* seen by the peer */
    char request[4096]; /* the last one, as far as it came in one piece */
    char bytes[4096];
    struct http_client *client;
    struct http_call *other; /* to be cancelled by the first done */
    struct http_reply got;
    char body[256], code[32], text[1024]; /* of got */
    unsigned calls, want_calls;           /* done callbacks */
    unsigned chain;                       /* calls to start from inside done */
    bool brief;                           /* calls have LIMIT_MS */
    char url[128];
    struct http_server *server;
};

/* ---- the peer ---- */

static void peer_on_closed(uv_handle_t *handle)
{
    struct world *w = handle->data;

    w->open--;
}

static void peer_close(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream)) uv_close((uv_handle_t *)stream, peer_on_closed);
}

static void peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct world *w = handle->data;

    (void)size;
    *buf = uv_buf_init(w->bytes, sizeof w->bytes - 1);
}

static void peer_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct world *w = stream->data;
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)w->answer, (unsigned)w->answer_len);

    if (n > 0) {
        w->requests++;
        snprintf(w->request, sizeof w->request, "%.*s", (int)n, buf->base);
    }
    if (n < 0 || w->peer == PEER_RESETS || (w->peer == PEER_FORGETS && w->requests == 2))
        peer_close(stream);
    else if (n > 0 && w->peer != PEER_SILENT)
        uv_try_write(stream, &out, 1);
}

static void peer_on_connection(uv_stream_t *listener, int status)
{
    struct world *w = listener->data;
    uv_tcp_t *conn = &w->conns[w->conn_count++];

    assert_int_equal(status, 0);
    assert_true(w->conn_count <= CONNS_MAX);
    uv_tcp_init(&w->loop, conn);
    conn->data = w;
    if (++w->open > w->most_open) w->most_open = w->open;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)conn), 0);
    uv_read_start((uv_stream_t *)conn, peer_alloc, peer_on_read);
}

static void peer_start(struct world *w, enum peer peer, const char *answer)
{
    struct sockaddr_in addr;
    int len = sizeof addr;

    w->peer = peer;
    w->answer = answer;
    w->answer_len = answer ? strlen(answer) : 0;
    uv_ip4_addr("127.0.0.1", 0, &addr);
    assert_int_equal(uv_tcp_bind(&w->listener, (struct sockaddr *)&addr, 0), 0);
    uv_tcp_getsockname(&w->listener, (struct sockaddr *)&addr, &len);
    if (peer != PEER_ABSENT)
        assert_int_equal(uv_listen((uv_stream_t *)&w->listener, 8, peer_on_connection), 0);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%d", ntohs(addr.sin_port));
}

/* ---- begin and end ---- */

static void on_patience(uv_timer_t *timer)
{
    struct world *w = timer->data;

    fail_msg("%u of %u calls done; the peer read: %s", w->calls, w->want_calls, w->request);
}

static void world_init(struct world *w)
{
    uv_loop_init(&w->loop);
    uv_tcp_init(&w->loop, &w->listener);
    uv_timer_init(&w->loop, &w->patience);
    w->listener.data = w->patience.data = w;
    uv_timer_start(&w->patience, on_patience, PATIENCE_MS, 0);
    w->want_calls = 1;
}

static void world_done(struct world *w)
{
    http_client_free(w->client);
    http_server_free(w->server);
    uv_close((uv_handle_t *)&w->listener, NULL);
    uv_close((uv_handle_t *)&w->patience, NULL);
    for (size_t i = 0; i < w->conn_count; i++) peer_close((uv_stream_t *)&w->conns[i]);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0); /* nothing left open: the leak test for handles */
    assert_null(strstr(w->text, "s3cret"));
    assert_null(strstr(w->text, "patient"));
}

static void start(struct world *w, const char *method, const char *path);

static void on_done(const struct http_reply *reply, void *arg)
{
    struct world *w = arg;

    w->got = *reply;
    snprintf(w->body, sizeof w->body, "%s", reply->body);
    assert_int_equal(strlen(reply->body), reply->body_len);
    snprintf(w->code, sizeof w->code, "%s", reply->err.code ? reply->err.code : "");
    err_text(&reply->err, w->text, sizeof w->text);
    http_cancel(w->other);
    w->other = NULL;
    if (w->chain) {
        w->chain--;
        start(w, "GET", "/next");
    }
    if (++w->calls == w->want_calls) uv_stop(&w->loop);
}

static void start(struct world *w, const char *method, const char *path)
{
    static const char *const headers[] = { "Content-Type: application/fhir+json", NULL };
    char url[256];
    unsigned before = w->calls;

    snprintf(url, sizeof url, "%s%s", w->url, path);
    http_start(w->client,
               &(struct http_request){ .method = method,
                                       .url = url,
                                       .headers = headers,
                                       .body = strcmp(method, "GET") != 0 ? "{}" : NULL,
                                       .body_len = strcmp(method, "GET") != 0 ? 2 : 0,
                                       .timeout_ms = w->brief ? LIMIT_MS : LONG_MS,
                                       .reply_max = 64 },
               on_done, w);
    assert_int_equal(w->calls, before); /* never from inside http_start() */
}

static void client_start(struct world *w, const struct http_client_options *options)
{
    w->client = http_client_new(&w->loop, options);
}

/* ---- one request, one answer ---- */

#define OK(headers)         "HTTP/1.1 200 OK\r\n" headers "Content-Length: 2\r\n\r\n{}"
#define NO(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define DATE                "Date: Mon, 04 May 2026 10:00:00 GMT\r\n"
#define DATE_MS             (INT64_C(1777888800) * INSTANT_SECOND)

static const struct reply_case {
    const char *name, *answer;
    enum peer peer;
    long status;
    const char *code; /* NULL: success */
    enum err_kind kind;
    struct http_reply want; /* etag, location, type, retry_after_ms; date_ms when not 0 */
} cases[] = {
    { "200 has a body", OK(""), .status = 200 },
    { "the version is the text between the quotes of a weak ETag", OK("ETag: W/\"3\"\r\n"),
      .status = 200, .want = { .etag = "3" } },
    { "a strong ETag is a version too", OK("etag: \"a-b\"\r\n"), .status = 200,
      .want = { .etag = "a-b" } },
    { "an ETag without quotes is taken as it is", OK("ETag: 7\r\n"), .status = 200,
      .want = { .etag = "7" } },
    { "a version that does not fit is no version",
      OK("ETag: \"0123456789012345678901234567890123456789012345678901234567890123456789"
         "012345678901234567890123456789\"\r\n"),
      .status = 200 },
    { "the location is kept", OK("LOCATION:  http://a/DetectedIssue/1/_history/1 \r\n"),
      .status = 200, .want = { .location = "http://a/DetectedIssue/1/_history/1" } },
    { "the media type is lower case and without parameters",
      OK("Content-Type: Application/FHIR+json; charset=utf-8\r\n"), .status = 200,
      .want = { .type = "application/fhir+json" } },
    { "the date is read", OK(DATE), .status = 200, .want = { .date_ms = DATE_MS } },
    { "a date that is none is not set", OK("Date: yesterday\r\n"), .status = 200 },
    { "the last date of four digits is read", OK("Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n"),
      .status = 200, .want = { .date_ms = INT64_C(253402300799000) } },
    { "a date beyond the year 9999 is not set", OK("Date: 1 Jan 10000 00:00:00 GMT\r\n"),
      .status = 200 },
    { "a date beyond all counting is not set", OK("Date: 23 Nov 2147483647 08:00:00 GMT\r\n"),
      .status = 200 },
    { "headers of 103 do not count",
      "HTTP/1.1 103 Early\r\nETag: \"1\"\r\nLocation: /x\r\n\r\n" OK("ETag: \"2\"\r\n"),
      .status = 200, .want = { .etag = "2" } },
    { "a chunked reply is put together, its trailer is not a header",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n"
      "ETag: \"9\"\r\n\r\n",
      .status = 200 },
    { "201 is success", NO("201 Created", "ETag: W/\"1\"\r\nLocation: /D/1\r\n"), .status = 201,
      .want = { .etag = "1", .location = "/D/1" } },
    { "503 is transient and says when", NO("503 Busy", "Retry-After: 7\r\n"), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT, .want = { .retry_after_ms = 7000 } },
    { "429 is transient", NO("429 Slow", "Retry-After: 0\r\n"), .status = 429, .code = "http.busy",
      .kind = ERR_TRANSIENT },
    { "Retry-After as a date counts from the peer's Date",
      NO("503 Busy", DATE "Retry-After: Mon, 04 May 2026 10:02:00 GMT\r\n"), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT,
      .want = { .retry_after_ms = 120000, .date_ms = DATE_MS } },
    { "the order of the two headers does not matter",
      NO("503 Busy", "Retry-After: Mon, 04 May 2026 10:02:00 GMT\r\n" DATE), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT,
      .want = { .retry_after_ms = 120000, .date_ms = DATE_MS } },
    { "a Retry-After that is past is none",
      NO("503 Busy", DATE "Retry-After: Mon, 04 May 2020 10:02:00 GMT\r\n"), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT, .want = { .date_ms = DATE_MS } },
    { "a Retry-After that makes no sense is none", NO("503 Busy", "Retry-After: soon\r\n"),
      .status = 503, .code = "http.busy", .kind = ERR_TRANSIENT },
    { "a Retry-After in a year beyond all counting is none",
      NO("503 Busy", "Retry-After: 23 Nov 2147483647 08:00:00 GMT\r\n"), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT },
    { "a Retry-After beyond all numbers is capped",
      NO("503 Busy", "Retry-After: 99999999999999999999999\r\n"), .status = 503,
      .code = "http.busy", .kind = ERR_TRANSIENT, .want = { .retry_after_ms = 30 * INSTANT_DAY } },
    { "422 is permanent", NO("422 No", ""), .status = 422, .code = "http.status",
      .kind = ERR_PERMANENT },
    { "408 is ambiguous", NO("408 Late", ""), .status = 408, .code = "http.status",
      .kind = ERR_AMBIGUOUS },
    { "500 is ambiguous", NO("500 Oops", ""), .status = 500, .code = "http.status",
      .kind = ERR_AMBIGUOUS },
    { "304 is not success", "HTTP/1.1 304 Same\r\nETag: \"4\"\r\n\r\n", .status = 304,
      .code = "http.status", .kind = ERR_PERMANENT, .want = { .etag = "4" } },
    { "a redirect is not followed", NO("307 Go", "Location: http://127.0.0.1:1/\r\n"),
      .status = 307, .code = "http.status", .kind = ERR_PERMANENT,
      .want = { .location = "http://127.0.0.1:1/" } },
    { "silence is ambiguous", NULL, .peer = PEER_SILENT, .code = "http.timeout",
      .kind = ERR_AMBIGUOUS },
    { "half an answer is ambiguous", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
      .code = "http.timeout", .kind = ERR_AMBIGUOUS },
    { "an end after sending is ambiguous", NULL, .peer = PEER_RESETS, .code = "http.failed",
      .kind = ERR_AMBIGUOUS },
    { "what is not HTTP is ambiguous", "SSH-2.0-x\r\n\r\n", .code = "http.failed",
      .kind = ERR_AMBIGUOUS },
    { "nobody there is transient", NULL, .peer = PEER_ABSENT, .code = "http.failed",
      .kind = ERR_TRANSIENT },
    { "a reply over the limit is refused",
      "HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n"
      "01234567890123456789012345678901234567890123456789012345678901234567890123456789",
      .code = "http.too-big", .kind = ERR_PERMANENT },
};

static void check(void **state)
{
    const struct reply_case *c = *state;
    struct world w = { .brief = c->code && strcmp(c->code, "http.timeout") == 0 };
    char where[256];

    world_init(&w);
    peer_start(&w, c->peer, c->answer);
    client_start(&w, &(struct http_client_options){ .origin = w.url,
                                                    .authorization = SECRET,
                                                    .user_agent = "test/1",
                                                    .connections_max = 2 });
    start(&w, "POST", "/DetectedIssue?patient=7");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    snprintf(where, sizeof where, "POST %s/DetectedIssue", w.url);
    world_done(&w);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.got.status, c->status);
    assert_string_equal(w.code, c->code ? c->code : "");
    if (c->code) {
        assert_int_equal(w.got.err.kind, c->kind);
        assert_string_equal(w.got.err.where, where);
    }
    if (c->status == 200) assert_string_equal(w.body, "{}");
    assert_string_equal(w.got.etag, c->want.etag);
    assert_string_equal(w.got.location, c->want.location);
    assert_string_equal(w.got.type, c->want.type);
    assert_int_equal(w.got.retry_after_ms, c->want.retry_after_ms);
    assert_true(w.got.date_ms == (c->want.date_ms ? c->want.date_ms : INSTANT_UNSET));
    if (c->peer == PEER_ABSENT) return;
    assert_int_equal(w.requests, 1);
    assert_non_null(strstr(w.request, "Authorization: " SECRET "\r\n"));
    assert_non_null(strstr(w.request, "User-Agent: test/1\r\n"));
    assert_non_null(strstr(w.request, "Content-Type: application/fhir+json\r\n"));
    assert_null(strstr(w.request, "Expect"));
}

/* ---- what is not sent ---- */

static const struct origin_case {
    const char *name, *origin, *url, *header;
    const char *code; /* of the refusal; NULL: it is sent */
} origins[] = {
    { "the same origin", "http://127.0.0.1:1", "http://127.0.0.1:1/x", NULL, NULL },
    { "scheme and host in other letters", "HTTP://LocalHost:1", "http://localhost:1/x", NULL,
      NULL },
    { "the default port may be left out", "http://127.0.0.2", "http://127.0.0.2:80/x", NULL, NULL },
    { "a base path in the configured origin does not matter", "http://127.0.0.1:1/fhir",
      "http://127.0.0.1:1/x", NULL, NULL },
    { "another port is refused", "http://127.0.0.1:1", "http://127.0.0.1:2/x", NULL,
      "http.origin" },
    { "another scheme is refused", "http://127.0.0.1:1", "https://127.0.0.1:1/x", NULL,
      "http.origin" },
    { "another host is refused", "http://127.0.0.1:1", "http://127.0.0.2:1/x", NULL,
      "http.origin" },
    { "a name that only begins alike is refused", "http://ehr.example", "http://ehr.example.org/x",
      NULL, "http.origin" },
    { "a configured origin that is none lets nothing pass", "ehr", "http://127.0.0.1:1/x", NULL,
      "http.origin" },
    { "a user name is refused", "http://127.0.0.1:1", "http://127.0.0.1:1@127.0.0.2/s3cret", NULL,
      "http.url" },
    { "another protocol is refused", NULL, "file:///etc/passwd", NULL, "http.url" },
    { "an empty URL is refused", NULL, "", NULL, "http.url" },
    { "a header in a header is refused", NULL, "http://127.0.0.1:1/x", "If-Match: a\r\nX: b",
      "http.header" },
};

static void check_origin(void **state)
{
    const struct origin_case *c = *state;
    const char *const headers[] = { c->header, NULL };
    struct world w = { 0 };

    world_init(&w);
    client_start(&w, &(struct http_client_options){
                         .origin = c->origin, .authorization = SECRET, .connections_max = 1 });
    http_start(w.client,
               &(struct http_request){
                   .method = "GET", .url = c->url, .headers = headers, .timeout_ms = LONG_MS },
               on_done, &w);
    assert_int_equal(w.calls, 0);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_string_equal(w.code, c->code ? c->code : "http.failed");
    assert_int_equal(w.got.err.kind, c->code ? ERR_PERMANENT : ERR_TRANSIENT);
    assert_int_equal(w.got.status, 0);
}

static void no_origin_no_authorization(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, OK(""));
    client_start(&w, &(struct http_client_options){ .authorization = SECRET });
    start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.got.status, 200);
    assert_null(strstr(w.request, "Authorization"));
}

static void authorize_counts_from_now_on(void **state)
{
    struct world w = { .want_calls = 1 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, OK(""));
    client_start(&w, &(struct http_client_options){ .authorization = SECRET, .origin = w.url });
    http_client_authorize(w.client, "Bearer new");
    start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_non_null(strstr(w.request, "Authorization: Bearer new\r\n"));
    http_client_authorize(w.client, "Bearer a\r\nX-Evil: yes"); /* as a token server might say */
    w.want_calls = 2;
    start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_null(strstr(w.request, "Evil"));
    assert_null(strstr(w.request, "Authorization"));
    world_done(&w);
}

/* ---- packed replies ---- */

static void packed(struct buf *out, size_t size)
{
    unsigned char *plain = mem_zero(size, 1), *bytes = mem_zero(size + 1024, 1);
    z_stream z = { .next_in = plain,
                   .avail_in = (unsigned)size,
                   .next_out = bytes,
                   .avail_out = (unsigned)size + 1024 };

    memset(plain, 'x', size);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_printf(out, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
               z.total_out);
    buf_add(out, bytes, z.total_out);
    deflateEnd(&z);
    free(plain);
    free(bytes);
}

static const struct packed_case {
    const char *name;
    size_t size;
    const char *code;
} packs[] = {
    { "a packed reply is unpacked", 64, "" },
    { "the limit is on the unpacked size", 65, "http.too-big" },
    { "a bomb is refused", 1000000, "http.too-big" },
};

static void check_packed(void **state)
{
    const struct packed_case *c = *state;
    struct world w = { 0 };
    struct buf answer = { 0 };

    packed(&answer, c->size);
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, "");
    w.answer = answer.data;
    w.answer_len = answer.len;
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    buf_done(&answer);
    assert_non_null(strstr(w.request, "Accept-Encoding: "));
    assert_string_equal(w.code, c->code);
    if (!*c->code) assert_int_equal(strspn(w.body, "x"), c->size);
}

/* ---- more than one call ---- */

static const struct again_case {
    const char *name, *method, *code;
    unsigned requests; /* that reach the peer */
} agains[] = {
    { "a POST is not repeated behind our back", "POST", "http.failed", 2 },
    { "a PUT may be repeated when a kept connection has ended", "PUT", "", 3 },
};

static void check_again(void **state)
{
    const struct again_case *c = *state;
    struct world w = { 0 };

    world_init(&w);
    peer_start(&w, PEER_FORGETS, OK(""));
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    start(&w, c->method, "/1");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    assert_string_equal(w.code, "");
    w.want_calls = 2;
    start(&w, c->method, "/2");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_string_equal(w.code, c->code);
    if (*c->code) assert_int_equal(w.got.err.kind, ERR_AMBIGUOUS);
    assert_int_equal(w.requests, c->requests);
}

static void cancel_tells_nothing(void **state)
{
    struct world w = { 0 };
    static const struct http_request request = { .method = "GET",
                                                 .url = "http://127.0.0.1:9/",
                                                 .timeout_ms = LONG_MS };

    (void)state;
    world_init(&w);
    client_start(&w, &(struct http_client_options){ .origin = "http://127.0.0.1:9" });
    http_cancel(http_start(w.client, &request, on_done, &w));
    http_start(w.client, &request, on_done, &w);
    http_cancel(http_start(w.client,
                           &(struct http_request){ .method = "GET", .url = "http://127.0.0.1:8/" },
                           on_done, &w)); /* refused already */
    http_cancel(NULL);
    world_done(&w);
    assert_int_equal(w.calls, 0);
}

static void done_may_cancel_another(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, OK(""));
    client_start(&w, &(struct http_client_options){ .connections_max = 2 });
    start(&w, "GET", "/");
    w.other = http_start(
        w.client, &(struct http_request){ .method = "GET", .url = w.url, .timeout_ms = LONG_MS },
        on_done, &w);
    while (!w.calls) uv_run(&w.loop, UV_RUN_ONCE);
    world_done(&w);
    assert_int_equal(w.calls, 1);
}

static void done_may_start_others(void **state)
{
    struct world w = { .chain = 20 };

    (void)state;
    world_init(&w);
    w.want_calls = 21;
    peer_start(&w, PEER_ANSWERS, OK(""));
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.got.status, 200);
    assert_int_equal(w.conn_count, 1); /* one connection for all */
}

static void connections_are_limited(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    w.want_calls = 12;
    peer_start(&w, PEER_ANSWERS, OK(""));
    client_start(&w, &(struct http_client_options){ .connections_max = 3 });
    for (int i = 0; i < 12; i++) start(&w, "GET", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.calls, 12);
    assert_int_equal(w.got.status, 200);
    assert_int_equal(w.most_open, 3);
}

static void waiting_for_a_connection_counts(void **state)
{
    struct world w = { .brief = true };

    (void)state;
    world_init(&w);
    w.want_calls = 2;
    peer_start(&w, PEER_SILENT, NULL);
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    start(&w, "POST", "/first");
    start(&w, "POST", "/second"); /* never gets its turn: the last to be done */
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.requests, 1);
    assert_string_equal(w.code, "http.timeout");
    assert_int_equal(w.got.err.kind, ERR_TRANSIENT);
}

static void head_has_no_body(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"5\"\r\n\r\n");
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    http_start(w.client,
               &(struct http_request){ .method = "HEAD", .url = w.url, .timeout_ms = LONG_MS },
               on_done, &w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.got.status, 200);
    assert_string_equal(w.got.etag, "5");
}

static void post_without_body_says_so(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, NO("204 Empty", ""));
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    http_start(w.client,
               &(struct http_request){ .method = "POST", .url = w.url, .timeout_ms = LONG_MS },
               on_done, &w);
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.got.status, 204);
    assert_non_null(strstr(w.request, "Content-Length: 0\r\n"));
}

/* ---- TLS, against our own server ---- */

static char tls_dir[FOLDER_MAX];

static int tls_setup(void **state)
{
    char command[4096];

    (void)state;
    if (!folder_make(tls_dir)) return -1;
    snprintf(
        command, sizeof command,
        "cd '%s' && exec 2>log && set -e\n"
        "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }\n"
        "authority() { key $1; openssl req -x509 -new -key $1.key -subj \"/CN=$1\" -days 2"
        " -addext basicConstraints=critical,CA:TRUE -out $1.pem; }\n"
        "leaf() { key $1; echo \"subjectAltName=$2\" >ext;"
        " openssl req -new -key $1.key -subj \"/CN=$1\" -out $1.csr;"
        " openssl x509 -req -in $1.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days $3"
        " -extfile ext -out $1.pem; }\n"
        "authority ours; authority theirs\n"
        "leaf right IP:127.0.0.1 2; leaf old IP:127.0.0.1 -1; leaf wrong DNS:elsewhere.example 2\n",
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

static unsigned server_on_head(struct http_exchange *exchange, const char **ret_body, void *arg)
{
    (void)exchange;
    (void)ret_body;
    (void)arg;
    return 0;
}

static void server_on_body(struct http_exchange *exchange, void *arg)
{
    size_t len;

    (void)arg;
    http_answer(exchange, 200, "text/plain", http_body(exchange, &len), 0);
}

static bool tls_serve(struct world *w, const char *cert_name, const char *key_name, uint64_t ms,
                      struct err *err)
{
    char *cert = tls_file(cert_name), *key = tls_file(key_name);
    struct http_server_options options = {
        .address = "127.0.0.1",
        .cert_pem = cert,
        .key_pem = key,
        .body_max = 64,
        .connections_max = 4,
        .request_ms = ms,
        .idle_ms = ms,
    };
    bool ok =
        http_server_start(&w->loop, &options, server_on_head, server_on_body, w, &w->server, err);

    free(cert);
    free(key);
    if (ok) snprintf(w->url, sizeof w->url, "https://127.0.0.1:%u", http_server_port(w->server));
    return ok;
}

static const struct tls_case {
    const char *name, *cert, *key, *ca; /* file names; ca: PEM text when it has a blank */
    long status;
    const char *text; /* part of what is said */
} tls_cases[] = {
    { "the right authority and name are trusted", "right.pem", "right.key", "ours.pem", 200, "" },
    { "another authority is not trusted", "right.pem", "right.key", "theirs.pem", 0,
      "to /etc/ca.pem" },
    { "a certificate that has expired is not trusted", "old.pem", "old.key", "ours.pem", 0,
      "has expired" },
    { "another name is not trusted", "wrong.pem", "wrong.key", "ours.pem", 0, "another name" },
    { "the system's authorities are not added to the given one", "right.pem", "right.key", NULL, 0,
      "the system's authorities" },
    { "a CA file without a certificate is told", "right.pem", "right.key",
      "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n", 0,
      "/etc/ca.pem has no certificate" },
};

static void check_tls(void **state)
{
    const struct tls_case *c = *state;
    struct world w = { 0 };
    struct err err = { 0 };
    char *ca = c->ca && !strchr(c->ca, ' ') ? tls_file(c->ca) : NULL;

    world_init(&w);
    assert_true(tls_serve(&w, c->cert, c->key, LONG_MS, &err));
    client_start(&w, &(struct http_client_options){ .ca_pem = ca ? ca : c->ca,
                                                    .ca_name = c->ca ? "/etc/ca.pem" : NULL,
                                                    .origin = w.url,
                                                    .authorization = SECRET,
                                                    .connections_max = 1 });
    free(ca);
    start(&w, "POST", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_int_equal(w.got.status, c->status);
    if (!strstr(w.text, c->text)) fail_msg("%s", w.text);
    if (c->status == 200) {
        assert_string_equal(w.body, "{}");
        return;
    }
    assert_string_equal(w.code, "http.tls");
    assert_int_equal(w.got.err.kind, ERR_TRANSIENT);
}

static void tls_to_a_plain_server(void **state)
{
    struct world w = { 0 };

    (void)state;
    world_init(&w);
    peer_start(&w, PEER_ANSWERS, NO("400 Bad", ""));
    char plain[sizeof w.url];
    memcpy(plain, w.url, sizeof plain);
    snprintf(w.url, sizeof w.url, "https%.*s", (int)sizeof w.url - 6, plain + 4);
    client_start(&w, &(struct http_client_options){ .connections_max = 1 });
    start(&w, "POST", "/");
    uv_run(&w.loop, UV_RUN_DEFAULT);
    world_done(&w);
    assert_string_equal(w.code, "http.tls");
    assert_int_equal(w.got.err.kind, ERR_TRANSIENT);
}

static void key_of_another_certificate(void **state)
{
    struct world w = { 0 };
    struct err err = { 0 };

    (void)state;
    world_init(&w);
    assert_false(tls_serve(&w, "right.pem", "wrong.key", LONG_MS, &err));
    world_done(&w);
    assert_string_equal(err.code, "listen.tls");
    assert_int_equal(err.kind, ERR_CONFIG);
}

/* Somebody connects to the TLS port and says nothing, or half a greeting. */
static void check_handshake(void **state)
{
    const char *greeting = *state;
    struct world w = { 0 };
    struct err err = { 0 };
    struct sockaddr_in addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    world_init(&w);
    assert_true(tls_serve(&w, "right.pem", "right.key", LIMIT_MS, &err));
    uv_ip4_addr("127.0.0.1", http_server_port(w.server), &addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(write(fd, greeting, strlen(greeting)), (ssize_t)strlen(greeting));
    while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) uv_run(&w.loop, UV_RUN_ONCE);
    close(fd);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        { "without an origin there is no Authorization", no_origin_no_authorization, NULL, NULL,
          NULL },
        { "a new Authorization counts from now on, a broken one not at all",
          authorize_counts_from_now_on, NULL, NULL, NULL },
        { "a cancelled call tells nothing", cancel_tells_nothing, NULL, NULL, NULL },
        { "done may cancel another call", done_may_cancel_another, NULL, NULL, NULL },
        { "done may start other calls, which use the connection again", done_may_start_others, NULL,
          NULL, NULL },
        { "no more connections than connections_max", connections_are_limited, NULL, NULL, NULL },
        { "waiting for a connection is part of the time, and not ambiguous",
          waiting_for_a_connection_counts, NULL, NULL, NULL },
        { "HEAD has no body", head_has_no_body, NULL, NULL, NULL },
        { "POST without a body says so", post_without_body_says_so, NULL, NULL, NULL },
    };
    const struct CMUnitTest tls[] = {
        { tls_cases[0].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[0] },
        { tls_cases[1].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[1] },
        { tls_cases[2].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[2] },
        { tls_cases[3].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[3] },
        { tls_cases[4].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[4] },
        { tls_cases[5].name, check_tls, NULL, NULL, (void *)(uintptr_t)&tls_cases[5] },
        { "TLS to a plain server is transient", tls_to_a_plain_server, NULL, NULL, NULL },
        { "a key of another certificate is an error", key_of_another_certificate, NULL, NULL,
          NULL },
        { "a TLS peer that says nothing is cut off", check_handshake, NULL, NULL,
          (void *)(uintptr_t) "" },
        { "a TLS peer that stops in its greeting is cut off", check_handshake, NULL, NULL,
          (void *)(uintptr_t) "\x16\x03\x01\x02" },
    };

    setenv("no_proxy", "*", 1); /* whatever proxy this machine has, the peers are here */
    return RUN_TABLE("http client", cases, check) +
           RUN_TABLE("http client: origins", origins, check_origin) +
           RUN_TABLE("http client: packed replies", packs, check_packed) +
           RUN_TABLE("http client: kept connections", agains, check_again) +
           cmocka_run_group_tests_name("http client: calls", more, NULL, NULL) +
           cmocka_run_group_tests_name("http client and server: TLS", tls, tls_setup, tls_teardown);
}
