/* The writes that are owed to the server. What is in flight is kept in memory, with its revision.
 * Private to adapter/store; store thread, inside a transaction, errors of database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* Owe it: a new key, or the next revision of a known one. One that still waited keeps its place. */
bool outbox_put(struct database *db, const struct store_outbox *item, struct err *err) MUST_CHECK;

/* See store_owed() and its neighbours. The list is in the arena. */
bool outbox_owed(struct database *db, int64_t now_ms, size_t limit, struct arena *arena,
                 const struct store_outbox **ret, size_t *ret_count, struct err *err) MUST_CHECK;
bool outbox_created(struct database *db, const char *key, const char *server_id,
                    struct err *err) MUST_CHECK;
bool outbox_delivered(struct database *db, const char *key, int64_t revision, const char *server_id,
                      const char *server_version, struct err *err) MUST_CHECK;
bool outbox_retry(struct database *db, const char *key, int64_t retry_ms, const char *code,
                  struct err *err) MUST_CHECK;
bool outbox_park(struct database *db, const char *key, const char *reason,
                 struct err *err) MUST_CHECK;
bool outbox_unpark(struct database *db, struct err *err) MUST_CHECK;

/* By an operator's word: owed now, its attempts forgotten; or given up, until what it says changes.
 * *ret: it was so. */
bool outbox_again(struct database *db, const char *key, bool *ret, struct err *err) MUST_CHECK;
bool outbox_give_up(struct database *db, const char *key, const char *because, bool *ret,
                    struct err *err) MUST_CHECK;
