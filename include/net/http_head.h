/* Reads the head of a reply into the fields of struct http_reply. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/http_client.h"

#define HTTP_RETRY_AFTER_MAX_MS (INT64_C(30) * 24 * 3600 * 1000) /* a peer that asks for more */

struct http_head {
    int64_t retry_date_ms; /* Retry-After as a date, or INSTANT_UNSET */
};

/* Nothing is known yet. */
void http_head_start(struct http_head *head, struct http_reply *reply);

/* One line with or without its end of line; no NUL needed. A status line begins a new head, which
 * replaces the one before (100 and 103 come with heads of their own). */
void http_head_line(struct http_head *head, struct http_reply *reply, const char *data, size_t len);

/* No more lines: work out what needs more than one. */
void http_head_end(const struct http_head *head, struct http_reply *reply);
