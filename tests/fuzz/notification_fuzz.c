#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/feed.h"
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

/* Whatever is told, what is seen is never more than there is, and pieces stay in order and apart. */
static void check_feed(struct feed *feed, const struct notification *notification)
{
    char text[FEED_TEXT_SIZE];
    struct feed_range gap;
    struct feed again;

    for (int content = FEED_NEW; content <= FEED_UNSURE; content++) {
        feed_tell(feed, notification, (enum feed_content)content, content * FEED_LATE_MS);
        require(feed->seen <= feed->top && feed->held_count <= FEED_HELD_MAX);
        for (size_t i = 0; i < feed->held_count; i++) {
            uint64_t before = i ? feed->held[i - 1].to : feed->seen;
            require(feed->held[i].from > before + 1 && feed->held[i].to >= feed->held[i].from);
            require(feed->held[i].to <= feed->top);
        }
    }
    if (feed_gap(feed, INT64_MAX, &gap)) {
        require(gap.from == feed->seen + 1 && gap.to >= gap.from && gap.to <= feed->top);
        feed_close(feed, gap.to, 0);
        require(!feed_gap(feed, INT64_MAX, &gap));
    }
    feed_write(feed, text);
    require(feed_read(text, 0, &again) && again.seen == feed->seen && again.top == feed->top);
}

static void check(const struct notification_request *request)
{
    struct arena arena = { 0 };
    struct notification notification;
    struct feed feed;
    struct err err;

    if (notification_read(request, &arena, &notification, &err)) {
        require(notification.item_count <= NOTIFICATION_ITEMS_MAX);
        require(notification.kind == NOTIFICATION_CHANGES || notification.item_count == 0);
        for (size_t i = 0; i < notification.item_count; i++)
            check_item(&notification.items[i], request);
        require(notification.first_event <= notification.last_event);
        feed_start(&feed, "77", 0);
        check_feed(&feed, &notification);
        if (feed_read(request->tail, 0, &feed)) check_feed(&feed, &notification);
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
