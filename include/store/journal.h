/* The accepted events. Private to adapter/store; every function runs on the store thread, inside a
 * transaction, and fails with the errors of database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* Is it work of its own: a hint, or an event whose patient is not known? */
bool journal_is_alone(const struct store_event *event);

/* Put one event in. *ret_seq is 0 when it is a duplicate. */
bool journal_put(struct database *db, const struct store_event *event, int64_t *ret_seq,
                 struct err *err) MUST_CHECK;

/* The events of a patient that wait, oldest first; in the arena. */
bool journal_waiting(struct database *db, const char *patient, struct arena *arena,
                     const struct store_event **ret, size_t *ret_count, struct err *err) MUST_CHECK;

/* One event by its number; in the arena. *ret_count is 0 when there is none. */
bool journal_get(struct database *db, int64_t seq, struct arena *arena,
                 const struct store_event **ret, size_t *ret_count, struct err *err) MUST_CHECK;

/* Whose an event is. */
struct journal_owner {
    bool found; /* it waited until now */
    bool alone;
    const char *patient; /* in the arena */
};

/* An event has met its fate; the payload goes, unless it is set aside. One that does not wait is
 * left as it is. */
bool journal_end(struct database *db, const struct store_fate *fate, struct arena *arena,
                 struct journal_owner *ret, struct err *err) MUST_CHECK;

/* By an operator's word: see work_again() and work_give_up(). *ret_changes: rows. */
bool journal_again(struct database *db, int64_t seq, int64_t *ret_changes,
                   struct err *err) MUST_CHECK;
bool journal_drop(struct database *db, int64_t seq, const char *because, int64_t *ret_changes,
                  struct err *err) MUST_CHECK;

/* See store_sweep() and store_changed(). */
bool journal_sweep(struct database *db, int64_t after_seq, int64_t before_ms, size_t limit,
                   struct store_swept *ret, struct err *err) MUST_CHECK;
bool journal_changed(struct database *db, const char *type, int64_t from_ms, int64_t until_ms,
                     int64_t *ret, struct err *err) MUST_CHECK;

/* Write down what was learned of a waiting event that is work of its own. *ret_found is false when
 * there is no such event. */
bool journal_learn(struct database *db, const struct store_event *event, bool *ret_found,
                   struct err *err) MUST_CHECK;
