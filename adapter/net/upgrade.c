#include "net/upgrade.h"

#include <ctype.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net/http_head.h"

/* RFC 6455, 1.3: what a peer that speaks the protocol adds to the key. */
#define SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_Static_assert(BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) < sizeof((struct upgrade *)0)->accept,
               "the proof fits");

/* ---- the request */

static void accept_of(const char *key, char *ret)
{
    struct sha1_ctx sha1;
    uint8_t digest[SHA1_DIGEST_SIZE];

    sha1_init(&sha1);
    sha1_update(&sha1, strlen(key), (const uint8_t *)key);
    sha1_update(&sha1, sizeof SUFFIX - 1, (const uint8_t *)SUFFIX);
    sha1_digest(&sha1, sizeof digest, digest);
    base64_encode_raw(ret, sizeof digest, digest);
    ret[BASE64_ENCODE_RAW_LENGTH(sizeof digest)] = '\0';
}

void upgrade_start(struct upgrade *up, const struct origin *at, const char *target,
                   const char *agent, const char *authorization,
                   const uint8_t nonce[UPGRADE_NONCE_SIZE], struct buf *ret)
{
    bool plain = origin_port_is_default(at);
    char key[BASE64_ENCODE_RAW_LENGTH(UPGRADE_NONCE_SIZE) + 1];

    *up = (struct upgrade){ .status = 0 };
    base64_encode_raw(key, UPGRADE_NONCE_SIZE, nonce);
    key[sizeof key - 1] = '\0';
    accept_of(key, up->accept);
    buf_printf(ret, "GET %s HTTP/1.1\r\nHost: %s%s%s\r\n", target, at->host, plain ? "" : ":",
               plain ? "" : at->port);
    buf_text(ret, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n");
    buf_printf(ret, "Sec-WebSocket-Key: %s\r\n", key);
    if (agent) buf_printf(ret, "User-Agent: %s\r\n", agent);
    if (authorization) buf_printf(ret, "Authorization: %s\r\n", authorization);
    buf_text(ret, "\r\n");
}

void upgrade_done(struct upgrade *up)
{
    buf_done(&up->head);
}

/* ---- the answer */

/* What a head has said of the protocol. */
struct claims {
    unsigned upgrades, accepts; /* lines of that name */
    bool to_websocket, proven, connection, unasked;
};

/* Is it one of the words of a list with commas, in any case? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    while (*list) {
        list += strspn(list, ", \t");
        size_t len = strcspn(list, ", \t");
        if (len == n && strncasecmp(list, word, n) == 0) return true;
        list += len;
    }
    return false;
}

static void claims_note(struct claims *claims, const struct upgrade *up, const char *name,
                        const char *value)
{
    if (strcasecmp(name, "Upgrade") == 0) {
        claims->upgrades++;
        claims->to_websocket = strcasecmp(value, "websocket") == 0;
    } else if (strcasecmp(name, "Connection") == 0) {
        claims->connection |= has_word(value, "upgrade");
    } else if (strcasecmp(name, "Sec-WebSocket-Accept") == 0) {
        claims->accepts++;
        claims->proven = strcmp(value, up->accept) == 0;
    } else if (strcasecmp(name, "Sec-WebSocket-Extensions") == 0 ||
               strcasecmp(name, "Sec-WebSocket-Protocol") == 0) {
        claims->unasked |= *value != '\0';
    }
}

/* "Name: value" without its end of line, cut into two. */
static bool line_split(char *line, char **ret_value)
{
    size_t name = strcspn(line, ": \t"), len;
    char *value = line + name + 1;

    if (!name || line[name] != ':' || strpbrk(value, "\r\n")) return false;
    line[name] = '\0';
    value += strspn(value, " \t");
    len = strlen(value);
    while (len && strchr(" \t", value[len - 1])) value[--len] = '\0';
    *ret_value = value;
    return true;
}

/* CR, LF and TAB are the only control characters of a head. */
static bool text_is_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (iscntrl((unsigned char)text[i]) && text[i] != '\r' && text[i] != '\n' &&
            text[i] != '\t')
            return false;
    return true;
}

/* "HTTP/1.1 101 Switching Protocols"; the words may be missing. */
static long status_of(const char *line)
{
    bool http = strncmp(line, "HTTP/1.1 ", 9) == 0 || strncmp(line, "HTTP/1.0 ", 9) == 0;
    const char *at = line + 9;

    if (!http || strspn(at, "0123456789") != 3 || (at[3] && at[3] != ' ')) return 0;
    return (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
}

static bool no_websocket(struct err *err, const char *what)
{
    err_set(err, ERR_PERMANENT, "socket.upgrade", "%s", what);
    return err_fix(err, "check that the URL is that of the server's WebSocket endpoint, and that "
                        "a proxy before it lets upgrades through");
}

static bool status_check(struct upgrade *up, const char *head, struct err *err)
{
    struct http_reply reply = { .status = up->status };
    struct http_head reader;

    if (up->status == 101) return true;
    if (!up->status) return no_websocket(err, "the peer answers without HTTP");
    if (up->status != 429 && up->status != 503) {
        bool later = up->status >= 500 || up->status == 408;
        return err_set(err, later ? ERR_TRANSIENT : ERR_PERMANENT, "socket.refused",
                       "the server answered %ld", up->status);
    }
    http_head_start(&reader, &reply);
    for (const char *line = head; *line;) {
        size_t len = strcspn(line, "\n");
        http_head_line(&reader, &reply, line, len);
        line += len + (line[len] == '\n');
    }
    http_head_end(&reader, &reply);
    up->retry_after_ms = reply.retry_after_ms;
    return err_set(err, ERR_TRANSIENT, "socket.busy", "the server answered %ld", up->status);
}

static bool claims_read(const struct upgrade *up, char *line, struct claims *ret)
{
    while (*line) {
        char *end = strstr(line, "\r\n"), *value;
        if (!end) return false;
        *end = '\0';
        if (!line_split(line, &value)) return false;
        claims_note(ret, up, line, value);
        line = end + 2;
    }
    return true;
}

/* The whole head: lines that end in CR LF, without the empty one. */
static bool head_check(struct upgrade *up, struct err *err)
{
    struct claims claims = { .upgrades = 0 };
    char *first = up->head.data, *end = strstr(first, "\r\n");

    if (!end || !text_is_clean(first, up->head.len))
        return no_websocket(err, "the peer answers without HTTP");
    *end = '\0';
    up->status = status_of(first);
    if (!status_check(up, end + 2, err)) return false;
    if (!claims_read(up, end + 2, &claims))
        return no_websocket(err, "the head of the answer is malformed");
    if (claims.upgrades != 1 || !claims.to_websocket || !claims.connection)
        return no_websocket(err, "the answer does not name the WebSocket protocol");
    if (claims.accepts != 1 || !claims.proven)
        return no_websocket(err, "the answer does not prove that our key was read");
    if (claims.unasked)
        return no_websocket(err, "the server wants an extension that was not asked for");
    return true;
}

static bool ends_here(const struct buf *head)
{
    return head->len >= 4 && memcmp(head->data + head->len - 4, "\r\n\r\n", 4) == 0;
}

enum upgrade_state upgrade_feed(struct upgrade *up, const char *data, size_t len, size_t *ret_used,
                                struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        if (up->head.len == UPGRADE_HEAD_MAX) {
            err_set(err, ERR_PERMANENT, "socket.too-big", "the head of the answer is too long");
            return UPGRADE_FAILED;
        }
        buf_char(&up->head, data[i]);
        if (!ends_here(&up->head)) continue;
        *ret_used = i + 1;
        up->head.len -= 2; /* without the empty line */
        up->head.data[up->head.len] = '\0';
        return head_check(up, err) ? UPGRADE_DONE : UPGRADE_FAILED;
    }
    *ret_used = len;
    return UPGRADE_MORE;
}
