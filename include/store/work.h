/* What is to be done and who has it: the pieces of work, their claims, and the way of an event from
 * acceptance to its end. The list of pieces is in memory and follows the journal and the charts in
 * every transaction. Private to adapter/store; store thread, inside a transaction, errors of
 * database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* Make the list from what the file says. Once, after opening. */
bool work_init(struct database *db, struct err *err) MUST_CHECK;

/* See store_accept(): the same words without "store_" mean the same. ret->err is not set. */
bool work_accept(struct database *db, const struct store_event *events, size_t count,
                 struct store_accepted *ret, struct err *err) MUST_CHECK;

/* *ret_found is false when there is nothing to do. What *ret points to is in the arena. */
bool work_claim(struct database *db, int64_t now_ms, struct arena *arena, struct store_work *ret,
                bool *ret_found, struct err *err) MUST_CHECK;
bool work_release(struct database *db, const char *patient, int64_t event_seq, int64_t retry_ms,
                  struct err *err) MUST_CHECK;
bool work_finish(struct database *db, const struct store_result *result, struct arena *arena,
                 struct err *err) MUST_CHECK;
bool work_resolve(struct database *db, const struct store_event *event, struct err *err) MUST_CHECK;

/* For an operator. An event that is set aside or was dropped waits again; one that waits for its
 * retry is tried at once. *ret: it was so. */
bool work_again(struct database *db, int64_t seq, bool *ret, struct err *err) MUST_CHECK;

/* An event that waits or is set aside is given up, because of what an operator says. */
bool work_give_up(struct database *db, int64_t seq, const char *because, bool *ret,
                  struct err *err) MUST_CHECK;

bool work_wake_all(struct database *db, int64_t now_ms, struct err *err) MUST_CHECK;
