/* queue: how its items are told. Private to adapter/app/queue*.c. */
#pragma once

#include <stdbool.h>

#include "store/queue.h"

/* "event/17" or "alert/KEY"; buf needs 80 bytes. */
const char *queue_name(const struct queue_item *item, char *buf, size_t size);

/* One line of the list, and the one above it. */
void queue_print_heading(void);
void queue_print_line(const struct queue_item *item);

/* Everything about one. */
void queue_print_whole(const struct queue_item *item);

/* One JSON object on one line; whole: with what queue_show() fills. */
void queue_print_json(const struct queue_item *item, bool whole);
