#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/instant.h"
#include "fhir/binding.h"

/* ---- tokens */

#define P(list)    "{\"resourceType\":\"Parameters\",\"parameter\":[" list "]}"
#define TOKEN      "{\"name\":\"token\",\"valueString\":\"abc.DEF-1\"}"
#define URL(value) "{\"name\":\"websocket-url\",\"valueUrl\":\"" value "\"}"
#define X100                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxx"                                                                                         \
    "xxxx"
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

static const struct token_case {
    const char *name, *text;
    const char *code; /* NULL: it is one */
    const char *token, *url;
    int64_t ends_ms;
} tokens[] = {
    { "token, end and URL",
      P(TOKEN ",{\"name\":\"expiration\",\"valueDateTime\":\"2026-05-04T10:00:00Z\"},"
              "{\"name\":\"subscription\",\"valueString\":\"12\"}," URL("wss://ehr.example/ws")),
      NULL, "abc.DEF-1", "wss://ehr.example/ws", INT64_C(1777888800000) },
    { "a token alone", P(TOKEN), NULL, "abc.DEF-1", NULL, INSTANT_UNSET },
    { "ws is a URL", P(TOKEN "," URL("ws://ehr.example/ws")), NULL, "abc.DEF-1",
      "ws://ehr.example/ws", INSTANT_UNSET },
    { "an end that is none does not end",
      P(TOKEN ",{\"name\":\"expiration\",\"valueDateTime\":\"soon\"}"), NULL, "abc.DEF-1", NULL,
      INSTANT_UNSET },
    { "no token", P(URL("wss://ehr.example/ws")), "binding.shape", NULL, NULL, 0 },
    { "another resource", "{\"resourceType\":\"Bundle\"}", "binding.shape", NULL, NULL, 0 },
    { "an empty token", P("{\"name\":\"token\",\"valueString\":\"\"}"), "binding.token", NULL, NULL,
      0 },
    { "a token of two words", P("{\"name\":\"token\",\"valueString\":\"a b\"}"), "binding.token",
      NULL, NULL, 0 },
    { "a token with a line of its own", P("{\"name\":\"token\",\"valueString\":\"a\\nb\"}"),
      "binding.token", NULL, NULL, 0 },
    { "a token of 5000 bytes",
      P("{\"name\":\"token\",\"valueString\":\"" X1000 X1000 X1000 X1000 X1000 "\"}"),
      "binding.token", NULL, NULL, 0 },
    { "a URL of https", P(TOKEN "," URL("https://ehr.example/ws")), "binding.url", NULL, NULL, 0 },
    { "a URL of a file", P(TOKEN "," URL("file:///etc/passwd")), "binding.url", NULL, NULL, 0 },
    { "a URL with a blank", P(TOKEN "," URL("wss://ehr.example/w s")), "binding.url", NULL, NULL,
      0 },
    { "a URL without end", P(TOKEN "," URL("wss://" X1000)), "binding.url", NULL, NULL, 0 },
};

static void check_token(void **state)
{
    const struct token_case *c = *state;
    AUTO(doc_free) struct doc *doc = NULL;
    struct binding_token token;
    struct err err = { .code = NULL };

    assert_true(doc_parse(c->text, strlen(c->text), 0, &doc, &err));
    struct node root = node_root(doc);
    assert_int_equal(binding_token_read(&root, &token, &err), c->code == NULL);
    if (c->code) {
        assert_string_equal(err.code, c->code);
        return;
    }
    assert_string_equal(token.token, c->token);
    assert_true(token.ends_ms == c->ends_ms);
    assert_int_equal(token.url == NULL, c->url == NULL);
    if (c->url) assert_string_equal(token.url, c->url);
}

/* ---- what we say */

static const struct text_case {
    const char *name;
    enum binding_dialect dialect;
    const char *arg, *want;
} texts[] = {
    { "HAPI: bind ID", BINDING_BY_ID, "12", "bind 12" },
    { "the guide: bind-with-token TOKEN", BINDING_TOKEN, "abc", "bind-with-token abc" },
    { "the guide, with a colon", BINDING_TOKEN_COLON, "abc", "bind-with-token: abc" },
    { "Medplum: a JSON frame", BINDING_TOKEN_JSON, "a\"b",
      "{\"type\":\"bind-with-token\",\"payload\":{\"token\":\"a\\\"b\"}}" },
};

static void check_text(void **state)
{
    const struct text_case *c = *state;
    char *text = binding_text(c->dialect, c->arg);

    assert_string_equal(text, c->want);
    free(text);
}

/* ---- where it is */

static const struct place_case {
    const char *name;
    struct binding_places places; /* configured, answered, stated, origin */
    const char *want;             /* NULL: it would lead us out of TLS */
} places[] = {
    { "the operator's word is the first",
      { "ws://a/ws", "wss://b/ws", "wss://c/ws", "https://ehr.example" },
      "ws://a/ws" },
    { "then what came with the token",
      { NULL, "wss://b/ws", "wss://c/ws", "https://ehr.example" },
      "wss://b/ws" },
    { "then the capability statement",
      { NULL, NULL, "wss://c/ws", "https://ehr.example" },
      "wss://c/ws" },
    { "else beside the base, by TLS as the base",
      { NULL, NULL, "", "https://ehr.example:8443" },
      "wss://ehr.example:8443/websocket" },
    { "without TLS as the base",
      { NULL, NULL, "", "http://127.0.0.1:8080" },
      "ws://127.0.0.1:8080/websocket" },
    { "an answer does not lead out of TLS",
      { NULL, "ws://b/ws", "wss://c/ws", "https://ehr.example" },
      NULL },
    { "nor does a capability statement, in capitals",
      { NULL, NULL, "WS://c/ws", "HTTPS://ehr.example" },
      NULL },
    { "without TLS nothing is lost by it",
      { NULL, "ws://b/ws", "", "http://ehr.example" },
      "ws://b/ws" },
};

static void check_place(void **state)
{
    const struct place_case *c = *state;
    struct buf url = { 0 };

    assert_int_equal(binding_url(&c->places, &url), c->want != NULL);
    if (c->want) assert_string_equal(buf_string(&url), c->want);
    buf_done(&url);
}

/* ---- what we hear */

static const struct word_case {
    const char *name, *text;
    enum binding_word want;
} words[] = {
    { "bound to ours", "bound 12", BINDING_BOUND },
    { "bound with the type before the id", "bound Subscription/12", BINDING_BOUND },
    { "bound to another", "bound 123", BINDING_STRANGE },
    { "bound to a part of ours", "bound 1", BINDING_STRANGE },
    { "bound to nothing", "bound ", BINDING_STRANGE },
    { "bound alone", "bound", BINDING_NOTHING },
    { "ping of ours", "ping 12", BINDING_PING },
    { "ping of ours with an end of line", "ping 12\r\n", BINDING_PING },
    { "ping of another", "ping 13", BINDING_STRANGE },
    { "a changed resource by its id", "Observation/77", BINDING_PING },
    { "a changed version by its id", "Observation/77/_history/2", BINDING_PING },
    { "words with a slash are no id", "Error/ no such thing", BINDING_NOTHING },
    { "a Bundle", " {\"resourceType\":\"Bundle\",\"type\":\"history\"}", BINDING_BUNDLE },
    { "a resource", "{\"resourceType\":\"Observation\",\"id\":\"1\"}", BINDING_BUNDLE },
    { "an OperationOutcome", "{\"resourceType\":\"OperationOutcome\"}", BINDING_REFUSED },
    { "a ping in JSON", "{\"type\":\"ping\"}", BINDING_ASKED },
    { "a pong in JSON", "{\"type\":\"pong\"}", BINDING_NOTHING },
    { "half of JSON", "{\"resourceType\":", BINDING_NOTHING },
    { "HAPI does not understand", "Unexpected client message: x", BINDING_NOTHING },
    { "nothing", "", BINDING_NOTHING },
};

static void check_word(void **state)
{
    const struct word_case *c = *state;

    assert_int_equal(binding_read(c->text, strlen(c->text), "12"), c->want);
}

static void nul_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(binding_read("ping 12\0x", 9, "12"), BINDING_NOTHING);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        { "a message with a NUL in it", nul_is_nothing, NULL, NULL, NULL },
    };

    return RUN_TABLE("binding: tokens", tokens, check_token) +
           RUN_TABLE("binding: what we say", texts, check_text) +
           RUN_TABLE("binding: where it is", places, check_place) +
           RUN_TABLE("binding: what we hear", words, check_word) +
           cmocka_run_group_tests_name("binding", more, NULL, NULL);
}
