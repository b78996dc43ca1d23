/* One SQLite connection: opened, locked, checked and brought up to date; its kept statements, its
 * transactions, and what an error of it means. Private to adapter/store.
 *
 * Thread: database_open() anywhere; after it one thread at a time (the store thread). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/statement.h"

struct sqlite3;
struct sqlite3_stmt;

struct database;

/* Open or create the file at path, 0600, and hold a lock on it that a second process does not get.
 * Errors: see store_open(). Blocking. */
bool database_open(const char *path, struct database **ret, struct err *err) MUST_CHECK;

/* A connection beside the process that has the file open: to look into it, and to leave a command.
 * No lock is held, the tables in memory are not there, and the log is left as it is. The file must be
 * of this program's schema. Errors: "store.open", "store.schema", "store.corrupt". Blocking. */
bool database_beside(const char *path, struct database **ret, struct err *err) MUST_CHECK;

/* Has another connection committed anything since the last time this was asked? The first time:
 * true. */
bool database_was_written(struct database *db);

/* Checkpoint (unless the connection has failed) and close. Accepts NULL. */
void database_close(struct database *db);

/* The same for one that was worked with, and say whether the disk has taken all: false when the
 * connection has failed, or fails now in moving the log ("store.failed"). What was committed stands
 * in the log then, and the next start moves it. A disk without room is no failure. */
bool database_end(struct database *db, struct err *err) MUST_CHECK;

/* Has the file failed for good? Every later database_begin() then fails with "store.failed". */
bool database_failed(const struct database *db);

/* ---- transactions
 *
 * One error is worth going on after: "store.refused" (a constraint), "store.busy" (somebody else
 * writes to the file), "store.full" (no room; nothing of the transaction is kept). Everything else
 * (I/O, a failed fsync, damage, a COMMIT that failed for another reason than room) is
 * "store.failed" and final. All are ERR_STORE. */

/* Start a transaction; writes: take the write lock now, so that no later step meets it. */
bool database_begin(struct database *db, bool writes, struct err *err) MUST_CHECK;
bool database_commit(struct database *db, struct err *err) MUST_CHECK;

/* Give the transaction up, if there is still one. Cannot fail: a rollback that does is final. */
void database_rollback(struct database *db);

/* A part of a transaction that can be taken back alone: save, then keep or undo. undo is false when
 * the transaction as a whole is gone or the file has failed; err is untouched by it. */
bool database_save(struct database *db, struct err *err) MUST_CHECK;
bool database_keep(struct database *db, struct err *err) MUST_CHECK;
bool database_undo(struct database *db) MUST_CHECK;

/* Between two transactions: move the write-ahead log into the file when it has grown, or when there
 * is nothing else to do. */
void database_tidy(struct database *db, bool idle);

/* ---- statements */

enum value_kind { VALUE_NULL, VALUE_INT, VALUE_TEXT };

/* What is bound to one parameter. Text is borrowed until the statement ends. */
struct value {
    enum value_kind kind;
    int64_t number;
    const char *text;
    size_t len;
};

static inline struct value value_int(int64_t number)
{
    return (struct value){ .kind = VALUE_INT, .number = number };
}

struct value value_text(const char *text);

/* len bytes of text, or NULL when text is NULL. */
struct value value_bytes(const char *text, size_t len);

/* The values of ?1, ?2, ... and their number, as two arguments. */
#define VALUES(...)                                                                                \
    ((const struct value[]){ __VA_ARGS__ }), ARRAY_SIZE(((const struct value[]){ __VA_ARGS__ }))
#define NO_VALUES NULL, 0

/* Run a statement that gives no rows. ret_changes may be NULL: rows inserted, changed or deleted
 * (by the statement itself, not by its triggers). */
bool database_run(struct database *db, enum statement id, const struct value *values, size_t count,
                  int64_t *ret_changes, struct err *err) MUST_CHECK;

/* Sequence number of the row that was inserted last. */
int64_t database_inserted(const struct database *db);

/* Reading: open, next until false, close. An error ends the rows and is told by rows_close(). */
struct rows {
    struct database *db;       /* borrowed */
    struct sqlite3_stmt *stmt; /* borrowed: kept by the database */
    int code;                  /* of the last step */
};

void rows_open(struct rows *rows, struct database *db, enum statement id,
               const struct value *values, size_t count);
bool rows_next(struct rows *rows);
bool rows_close(struct rows *rows, struct err *err) MUST_CHECK;

/* Columns of the row, from 0. Text is copied to the arena, "" for NULL; rows_bytes() gives NULL for
 * NULL and the length beside it. */
int64_t rows_int(const struct rows *rows, int column);
const char *rows_text(const struct rows *rows, int column, struct arena *arena);
const char *rows_bytes(const struct rows *rows, int column, struct arena *arena, size_t *ret_len);

/* The one number a statement gives; *ret is `otherwise` when it gives no row. */
bool database_number(struct database *db, enum statement id, const struct value *values,
                     size_t count, int64_t otherwise, int64_t *ret, struct err *err) MUST_CHECK;

/* Move a list that was collected in a buf, item by item, to the arena. The buf is empty then. */
const void *database_list(struct arena *arena, struct buf *items);

/* Wall clock, milliseconds. */
int64_t database_now(void);

/* ---- for tests: the nth step from now (1: the next one) gives `code` instead of running; 0: none.
 * left tells how many steps it still waits for. Thread: any. */
void database_fail_at(struct database *db, unsigned nth, int code);
unsigned database_fail_left(const struct database *db);

/* How SQLite goes about a statement, one step a line. Thread: that of the connection. */
bool database_explain(struct database *db, enum statement id, struct buf *ret,
                      struct err *err) MUST_CHECK;
