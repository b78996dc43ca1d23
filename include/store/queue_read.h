/* Reading the queue from a connection. Private to adapter/store; inside a transaction, errors of
 * database.h. */
#pragma once

#include "store/database.h"
#include "store/queue.h"

/* See queue_list() and queue_show(). */
bool queue_read(struct database *db, const struct queue_which *which, int64_t limit,
                queue_item_fn *fn, void *arg, struct err *err) MUST_CHECK;
bool queue_read_one(struct database *db, const struct queue_which *which, queue_item_fn *fn,
                    void *arg, bool *ret_found, struct err *err) MUST_CHECK;
