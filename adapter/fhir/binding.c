#include "fhir/binding.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/instant.h"
#include "fhir/build.h"
#include "fhir/datatype.h"

const char *binding_name(enum binding_dialect dialect)
{
    static const char *const names[BINDING_DIALECTS] = { "bind", "bind-with-token",
                                                         "bind-with-token:", "json" };

    return names[dialect];
}

/* ---- the token */

/* A token stands in a line of text: blanks and control characters would end it. */
static bool is_one_word(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (!len || len > max) return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f) return false;
    return true;
}

static bool is_socket_url(const char *url)
{
    return is_one_word(url, BINDING_URL_MAX) &&
           (strncasecmp(url, "ws://", 5) == 0 || strncasecmp(url, "wss://", 6) == 0);
}

/* The first of these members that is there. */
static const char *value_of(const struct node *parameter)
{
    static const char *const keys[] = { "valueString",   "valueUrl",     "valueUri",
                                        "valueDateTime", "valueInstant", "valueCanonical" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *text = node_text(parameter, keys[i]);
        if (text) return text;
    }
    return "";
}

bool binding_token_read(const struct node *at, struct binding_token *ret, struct err *err)
{
    const char *type = node_text(at, "resourceType");
    struct node list = node_get(at, "parameter");
    size_t count = datatype_count(&list);
    struct span span;

    *ret = (struct binding_token){ .ends_ms = INSTANT_UNSET };
    for (size_t i = 0; i < count; i++) {
        struct node parameter = datatype_item(&list, i);
        const char *name = node_text(&parameter, "name"), *value = value_of(&parameter);
        if (!name) continue;
        if (strcmp(name, "token") == 0) ret->token = value;
        if (strcmp(name, "websocket-url") == 0) ret->url = value;
        if (strcmp(name, "expiration") == 0 && instant_parse(value, &span))
            ret->ends_ms = span.start;
    }
    if (!type || strcmp(type, "Parameters") != 0 || !ret->token)
        return err_set(err, ERR_INPUT, "binding.shape", "the answer holds no token");
    if (!is_one_word(ret->token, BINDING_TOKEN_MAX))
        return err_set(err, ERR_INPUT, "binding.token", "the token is no single word");
    if (ret->url && !is_socket_url(ret->url))
        return err_set(err, ERR_INPUT, "binding.url", "the websocket-url is none of ws or wss");
    return true;
}

/* ---- what is said */

static char *json_text(const char *token)
{
    json_t *frame = json_object(), *payload = json_object();

    build_text(payload, "token", token);
    build_text(frame, "type", "bind-with-token");
    build_set(frame, "payload", payload);
    return build_dump(frame);
}

bool binding_url(const struct binding_places *places, struct buf *ret)
{
    bool tls = strncasecmp(places->origin, "https", 5) == 0;
    const char *told = places->answered ? places->answered : places->stated;

    if (places->configured) {
        buf_text(ret, places->configured);
        return true;
    }
    if (told[0]) {
        buf_text(ret, told);
        return !tls || strncasecmp(told, "ws://", 5) != 0;
    }
    buf_printf(ret, "%s%s/websocket", tls ? "wss" : "ws", strstr(places->origin, "://"));
    return true;
}

char *binding_text(enum binding_dialect dialect, const char *id_or_token)
{
    static const char *const words[BINDING_DIALECTS] = { "bind ", "bind-with-token ",
                                                         "bind-with-token: ", "" };
    struct buf text = { 0 };

    if (dialect == BINDING_TOKEN_JSON) return json_text(id_or_token);
    buf_text(&text, words[dialect]);
    buf_text(&text, id_or_token);
    return buf_take(&text);
}

/* ---- what is heard */

/* "bound 12", "ping Subscription/12": is it the word, and whose id follows? */
static bool is_word(const char *text, const char *word, const char **ret_id)
{
    static const char type[] = "Subscription/";
    size_t n = strlen(word);

    if (strncmp(text, word, n) != 0 || text[n] != ' ') return false;
    text += n + 1;
    if (strncmp(text, type, sizeof type - 1) == 0) text += sizeof type - 1;
    *ret_id = text;
    return true;
}

/* The id, and nothing but blanks after it. */
static bool is_id(const char *text, const char *id)
{
    size_t n = strlen(id);

    return strncmp(text, id, n) == 0 && text[n + strspn(text + n, " \r\n")] == '\0';
}

static enum binding_word json_word(const char *text, size_t len)
{
    AUTO(doc_free) struct doc *doc = NULL;
    const char *type;
    struct err err;

    if (!doc_parse(text, len, 0, &doc, &err)) return BINDING_NOTHING;
    struct node root = node_root(doc);
    type = node_text(&root, "resourceType");
    if (type) return strcmp(type, "OperationOutcome") == 0 ? BINDING_REFUSED : BINDING_BUNDLE;
    type = node_text(&root, "type");
    return type && strcmp(type, "ping") == 0 ? BINDING_ASKED : BINDING_NOTHING;
}

/* HAPI tells a topic with content id-only by "Observation/12". */
static bool is_reference(const char *text)
{
    size_t n = strcspn(text, "/"), rest = strlen(text);

    if (!n || text[n] != '/' || rest > 200 || !isupper((unsigned char)text[0])) return false;
    for (size_t i = 0; i < n; i++)
        if (!isalpha((unsigned char)text[i])) return false;
    for (size_t i = n; i < rest; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-._/", text[i])) return false;
    return true;
}

enum binding_word binding_read(const char *text, size_t len, const char *id)
{
    const char *first = text + strspn(text, " \t\r\n"), *whose;

    if (strlen(text) != len) return BINDING_NOTHING; /* a NUL in it */
    if (*first == '{') return json_word(text, len);
    if (is_word(first, "bound", &whose)) return is_id(whose, id) ? BINDING_BOUND : BINDING_STRANGE;
    if (is_word(first, "ping", &whose)) return is_id(whose, id) ? BINDING_PING : BINDING_STRANGE;
    return is_reference(first) ? BINDING_PING : BINDING_NOTHING;
}
