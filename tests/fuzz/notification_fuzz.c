#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/notification.h"
#include "fhir/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* A payload is a slice of the body and can be read; an id is empty or legal. */
static void check_item(const struct notification_item *item,
                       const struct notification_request *request)
{
    struct doc *doc = NULL;
    struct err err;

    require(!*item->id || reference_id_ok(item->id));
    if (!item->payload) return;
    require(!item->deleted && *item->id);
    require(item->payload >= request->body);
    require(item->payload + item->payload_len <= request->body + request->body_len);
    require(doc_parse(item->payload, item->payload_len, 0, &doc, &err));
    doc_free(doc);
}

static void check(const struct notification_request *request)
{
    struct arena arena = { 0 };
    struct notification notification;
    struct err err;

    if (notification_read(request, &arena, &notification, &err)) {
        require(notification.item_count <= NOTIFICATION_ITEMS_MAX);
        require(notification.kind == NOTIFICATION_CHANGES || notification.item_count == 0);
        for (size_t i = 0; i < notification.item_count; i++)
            check_item(&notification.items[i], request);
    } else {
        require(err.kind == ERR_INPUT);
    }
    arena_done(&arena);
}

/* The first line is the path below the endpoint, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const methods[] = { "POST", "PUT", "DELETE" };
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    size_t tail_len = newline ? (size_t)(newline - data) : 0, skip = newline ? tail_len + 1 : 0;
    char *tail = calloc(1, tail_len + 1), *body = malloc(size - skip + 1);

    require(tail && body);
    if (tail_len) memcpy(tail, data, tail_len);
    if (size > skip) memcpy(body, data + skip, size - skip);
    char *exact = realloc(body, size - skip ? size - skip : 1);
    for (size_t i = 0; i < 3; i++) {
        struct notification_request request = { methods[i], tail,  i ? "Observation" : "",
                                                tail,       exact, size - skip };
        check(&request);
    }
    free(tail);
    free(exact);
    return 0;
}
