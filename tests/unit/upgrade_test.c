#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/upgrade.h"

/* RFC 6455, 1.3: this nonce makes the key dGhlIHNhbXBsZSBub25jZQ== and this proof. */
#define NONCE  "the sample nonce"
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define FIRST  "HTTP/1.1 101 Switching Protocols\r\n"
#define BOTH   "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static void begin(struct upgrade *up, const char *url, const char *target, const char *agent,
                  const char *authorization, struct buf *request)
{
    struct origin origin;

    assert_true(origin_parse(url, &origin));
    upgrade_start(up, &origin, target, agent, authorization, (const uint8_t *)NONCE, request);
    origin_done(&origin);
}

static void request_is_whole(void **state)
{
    AUTO(buf_done) struct buf request = { 0 };
    struct upgrade up;

    (void)state;
    begin(&up, "https://ehr.example:8443/x", "/websocket?a=b", "agent/1", "Bearer t", &request);
    assert_string_equal(buf_string(&request),
                        "GET /websocket?a=b HTTP/1.1\r\nHost: ehr.example:8443\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
                        "User-Agent: agent/1\r\nAuthorization: Bearer t\r\n\r\n");
    upgrade_done(&up);
}

static void request_without_more(void **state)
{
    AUTO(buf_done) struct buf request = { 0 };
    struct upgrade up;

    (void)state;
    begin(&up, "http://[::1]:80/", "/", NULL, NULL, &request);
    assert_string_equal(buf_string(&request), "GET / HTTP/1.1\r\nHost: [::1]\r\n"
                                              "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                              "Sec-WebSocket-Version: 13\r\n"
                                              "Sec-WebSocket-Key: " KEY "\r\n\r\n");
    upgrade_done(&up);
}

static const struct answer_case {
    const char *name, *answer;
    const char *code; /* NULL: it is a WebSocket from here on */
    enum err_kind kind;
    long status;
    int64_t retry_after_ms;
} cases[] = {
    { "the proof of the RFC is one", FIRST BOTH ACCEPT "\r\n", .status = 101 },
    { "the words after 101 may be missing", "HTTP/1.1 101 \r\n" BOTH ACCEPT "\r\n", .status = 101 },
    { "names and words may be in any case",
      FIRST "UPGRADE:WebSocket \r\nconnection: keep-alive, upgrade\r\n" ACCEPT "\r\n",
      .status = 101 },
    { "Connection may come twice", FIRST "Connection: close\r\n" BOTH ACCEPT "\r\n",
      .status = 101 },
    { "other headers do not matter", FIRST "Date: x\r\nVary:\r\n" BOTH ACCEPT "\r\n",
      .status = 101 },
    { "an empty list of extensions is none", FIRST BOTH ACCEPT "Sec-WebSocket-Extensions: \r\n\r\n",
      .status = 101 },
    { "no proof", FIRST BOTH "\r\n", "socket.upgrade", ERR_PERMANENT, 101, 0 },
    { "a wrong proof", FIRST BOTH "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      "socket.upgrade", ERR_PERMANENT, 101, 0 },
    { "a proof with more behind it",
      FIRST BOTH "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x\r\n\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "two proofs, one of them right", FIRST BOTH "Sec-WebSocket-Accept: x\r\n" ACCEPT "\r\n",
      "socket.upgrade", ERR_PERMANENT, 101, 0 },
    { "another protocol", FIRST "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n",
      "socket.upgrade", ERR_PERMANENT, 101, 0 },
    { "Upgrade twice", FIRST "Upgrade: h2c\r\n" BOTH ACCEPT "\r\n", "socket.upgrade", ERR_PERMANENT,
      101, 0 },
    { "no Connection", FIRST "Upgrade: websocket\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "Connection: upgrades is another word",
      FIRST "Upgrade: websocket\r\nConnection: upgrades\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "an extension that nobody asked for",
      FIRST BOTH ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "a protocol that nobody asked for", FIRST BOTH ACCEPT "Sec-WebSocket-Protocol: fhir\r\n\r\n",
      "socket.upgrade", ERR_PERMANENT, 101, 0 },
    { "a line without a colon", FIRST BOTH ACCEPT "nonsense\r\n\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "a blank before the colon", FIRST BOTH "Date : x\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "a folded line", FIRST BOTH "X: a\r\n b: c\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "a bare line feed", FIRST BOTH "X: a\nY: b\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 101, 0 },
    { "a control character", FIRST BOTH "X: \x01\r\n" ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 0, 0 },
    { "200 is refused", "HTTP/1.1 200 OK\r\n\r\n", "socket.refused", ERR_PERMANENT, 200, 0 },
    { "a redirect is not followed", "HTTP/1.1 301 Go\r\nLocation: ws://x/\r\n\r\n",
      "socket.refused", ERR_PERMANENT, 301, 0 },
    { "401 is refused", "HTTP/1.1 401 No\r\n\r\n", "socket.refused", ERR_PERMANENT, 401, 0 },
    { "404 is refused", "HTTP/1.1 404 No\r\n\r\n", "socket.refused", ERR_PERMANENT, 404, 0 },
    { "499 is refused for good", "HTTP/1.1 499 No\r\n\r\n", "socket.refused", ERR_PERMANENT, 499,
      0 },
    { "500 is refused for now", "HTTP/1.1 500 No\r\n\r\n", "socket.refused", ERR_TRANSIENT, 500,
      0 },
    { "408 is refused for now", "HTTP/1.1 408 No\r\n\r\n", "socket.refused", ERR_TRANSIENT, 408,
      0 },
    { "503 is busy and says when", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n", "socket.busy",
      ERR_TRANSIENT, 503, 7000 },
    { "429 is busy", "HTTP/1.1 429 Slow\r\n\r\n", "socket.busy", ERR_TRANSIENT, 429, 0 },
    { "another protocol answers", "SSH-2.0-x\r\n\r\n", "socket.upgrade", ERR_PERMANENT, 0, 0 },
    { "a status of four digits", "HTTP/1.1 1010 x\r\n" BOTH ACCEPT "\r\n", "socket.upgrade",
      ERR_PERMANENT, 0, 0 },
    { "HTTP/2 in words", "HTTP/2 101 x\r\n" BOTH ACCEPT "\r\n", "socket.upgrade", ERR_PERMANENT, 0,
      0 },
    { "an empty head", "\r\n\r\n", "socket.upgrade", ERR_PERMANENT, 0, 0 },
};

/* In pieces of that many bytes, with frames behind it that are not touched. */
static void feed(const struct answer_case *c, size_t piece)
{
    AUTO(buf_done) struct buf request = { 0 }, answer = { 0 };
    enum upgrade_state result = UPGRADE_MORE;
    struct upgrade up;
    struct err err = { .code = NULL };
    size_t at = 0, used = 0;

    begin(&up, "http://127.0.0.1/", "/", NULL, NULL, &request);
    buf_printf(&answer, "%s\x81\x02hi", c->answer);
    while (result == UPGRADE_MORE && at < answer.len) {
        size_t n = answer.len - at < piece ? answer.len - at : piece;
        result = upgrade_feed(&up, answer.data + at, n, &used, &err);
        at += used;
    }
    assert_int_equal(at, strlen(c->answer));
    assert_int_equal(result, c->code ? UPGRADE_FAILED : UPGRADE_DONE);
    assert_int_equal(up.status, c->status);
    assert_int_equal(up.retry_after_ms, c->retry_after_ms);
    if (c->code) {
        assert_string_equal(err.code, c->code);
        assert_int_equal(err.kind, c->kind);
    }
    upgrade_done(&up);
}

static void check(void **state)
{
    feed(*state, 1);
    feed(*state, 7);
    feed(*state, 8192);
}

/* A head of exactly so many bytes. */
static enum upgrade_state head_of(size_t len, struct err *err)
{
    AUTO(buf_done) struct buf request = { 0 }, answer = { 0 };
    enum upgrade_state result;
    struct upgrade up;
    size_t used;

    begin(&up, "http://127.0.0.1/", "/", NULL, NULL, &request);
    buf_text(&answer, FIRST BOTH ACCEPT "X: ");
    while (answer.len < len - 4) buf_char(&answer, 'x');
    buf_text(&answer, "\r\n\r\n");
    result = upgrade_feed(&up, answer.data, answer.len, &used, err);
    upgrade_done(&up);
    return result;
}

static void head_is_bounded(void **state)
{
    struct err err = { .code = NULL };

    (void)state;
    assert_int_equal(head_of(8192, &err), UPGRADE_DONE);
    assert_int_equal(head_of(8193, &err), UPGRADE_FAILED);
    assert_string_equal(err.code, "socket.too-big");
}

static void half_an_answer_waits(void **state)
{
    AUTO(buf_done) struct buf request = { 0 };
    struct upgrade up;
    struct err err;
    size_t used;

    (void)state;
    begin(&up, "http://127.0.0.1/", "/", NULL, NULL, &request);
    assert_int_equal(upgrade_feed(&up, FIRST, strlen(FIRST), &used, &err), UPGRADE_MORE);
    assert_int_equal(used, strlen(FIRST));
    upgrade_done(&up);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        { "the request names everything", request_is_whole, NULL, NULL, NULL },
        { "what there is not is not named, nor is a port that goes without saying",
          request_without_more, NULL, NULL, NULL },
        { "a head of 8192 bytes is read, one of 8193 is not", head_is_bounded, NULL, NULL, NULL },
        { "half an answer waits for the rest", half_an_answer_waits, NULL, NULL, NULL },
    };

    return RUN_TABLE("upgrade: answers", cases, check) +
           cmocka_run_group_tests_name("upgrade", more, NULL, NULL);
}
