/* An operator's word to the queue, and how it is done. Private to adapter/store; one thread, errors of
 * database.h. */
#pragma once

#include "store/database.h"
#include "store/queue.h"

struct errand {
    enum queue_verb verb;
    struct queue_which which;
    const char *because;
};

/* Inside a transaction. */
bool errand_run(struct database *db, const struct errand *errand, int64_t *ret_items,
                struct err *err) MUST_CHECK;

/* Leave it for the process that has the file; inside a transaction. */
bool errand_put(struct database *db, const struct errand *errand, struct err *err) MUST_CHECK;

/* Do what was left in the file, each in a transaction of its own. False when that is not possible
 * for now: try again later. *ret_any: at least one was done. */
bool errand_take_up(struct database *db, bool *ret_any) MUST_CHECK;
