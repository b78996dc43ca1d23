#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "net/http_head.h"
#include "net/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* The head of a reply, line by line, and the same bytes as an address: whatever a server sends, the
 * fields end in NUL within their room, and waiting has a limit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply = { .status = 0 };
    struct http_head head;
    struct origin origin;
    const char *at = (const char *)data, *end = at + size;
    char *text = calloc(1, size + 1);

    if (!text) return 0;
    memcpy(text, data, size);
    http_head_start(&head, &reply);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
        http_head_line(&head, &reply, at, len);
        at += len;
    }
    http_head_end(&head, &reply);
    require(memchr(reply.etag, '\0', sizeof reply.etag));
    require(memchr(reply.location, '\0', sizeof reply.location));
    require(memchr(reply.type, '\0', sizeof reply.type));
    require(reply.retry_after_ms >= 0 && reply.retry_after_ms <= HTTP_RETRY_AFTER_MAX_MS);
    if (origin_parse(text, &origin)) require(origin_same(&origin, text));
    origin_done(&origin);
    free(text);
    return 0;
}
