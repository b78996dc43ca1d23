#include "net/http_head.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/instant.h"

#define HEAD_LINE_MAX   1024                  /* a longer line is none of those we look for */
#define YEAR_9999_END_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* A value that does not fit is no value: half an identifier would be a wrong one. */
static void text_keep(char *to, size_t size, const char *from, size_t len)
{
    to[0] = '\0';
    if (len >= size) return;
    memcpy(to, from, len);
    to[len] = '\0';
}

/* W/"3" and "3" are both version 3; bare tokens are met too. */
static void etag_keep(struct http_reply *reply, const char *value)
{
    size_t len = strlen(value);

    if (strncmp(value, "W/", 2) == 0) {
        value += 2;
        len -= 2;
    }
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        value++;
        len -= 2;
    }
    text_keep(reply->etag, sizeof reply->etag, value, len);
}

static void type_keep(struct http_reply *reply, const char *value)
{
    text_keep(reply->type, sizeof reply->type, value, strcspn(value, "; \t,"));
    for (char *c = reply->type; *c; c++) *c = (char)tolower((unsigned char)*c);
}

/* curl reads years of any length; a date of HTTP has four digits of them. */
static int64_t date_parse(const char *value)
{
    int64_t seconds = curl_getdate(value, NULL);

    return seconds < 0 || seconds > YEAR_9999_END_S ? INSTANT_UNSET : seconds * INSTANT_SECOND;
}

/* RFC 9110, 10.2.3: seconds or a date */
static void retry_keep(struct http_head *head, struct http_reply *reply, const char *value)
{
    unsigned long long seconds;

    if (value[strspn(value, "0123456789")]) {
        head->retry_date_ms = date_parse(value);
        return;
    }
    seconds = strtoull(value, NULL, 10); /* ULLONG_MAX when there are too many digits */
    reply->retry_after_ms = seconds > HTTP_RETRY_AFTER_MAX_MS / INSTANT_SECOND
                                ? HTTP_RETRY_AFTER_MAX_MS
                                : (int64_t)seconds * INSTANT_SECOND;
}

void http_head_start(struct http_head *head, struct http_reply *reply)
{
    reply->etag[0] = reply->location[0] = reply->type[0] = '\0';
    reply->date_ms = head->retry_date_ms = INSTANT_UNSET;
    reply->retry_after_ms = 0;
}

static void head_keep(struct http_head *head, struct http_reply *reply, const char *name,
                      const char *value)
{
    if (strcasecmp(name, "ETag") == 0)
        etag_keep(reply, value);
    else if (strcasecmp(name, "Location") == 0)
        text_keep(reply->location, sizeof reply->location, value, strlen(value));
    else if (strcasecmp(name, "Content-Type") == 0)
        type_keep(reply, value);
    else if (strcasecmp(name, "Date") == 0)
        reply->date_ms = date_parse(value);
    else if (strcasecmp(name, "Retry-After") == 0)
        retry_keep(head, reply, value);
}

void http_head_line(struct http_head *head, struct http_reply *reply, const char *data, size_t len)
{
    char line[HEAD_LINE_MAX], *value;

    while (len && strchr("\r\n \t", data[len - 1])) len--;
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) http_head_start(head, reply);
    if (len >= sizeof line) return;
    memcpy(line, data, len);
    line[len] = '\0';
    value = strchr(line, ':');
    if (!value) return;
    *value++ = '\0';
    head_keep(head, reply, line, value + strspn(value, " \t"));
}

/* A date is on the peer's clock, so its Date is "now"; without one, our clock must do. */
void http_head_end(const struct http_head *head, struct http_reply *reply)
{
    int64_t now_ms = reply->date_ms;

    if (head->retry_date_ms == INSTANT_UNSET) return;
    if (now_ms == INSTANT_UNSET) now_ms = (int64_t)time(NULL) * INSTANT_SECOND;
    reply->retry_after_ms = head->retry_date_ms > now_ms ? head->retry_date_ms - now_ms : 0;
    if (reply->retry_after_ms > HTTP_RETRY_AFTER_MAX_MS)
        reply->retry_after_ms = HTTP_RETRY_AFTER_MAX_MS;
}
