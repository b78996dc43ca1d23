/* What is done with a database that is open (database_open.h), one SQLite connection: its kept
 * statements, its transactions, and what an error of it means. Private to adapter/store.
 *
 * Thread: one at a time (the store thread). What runs a statement blocks. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/statement.h"

struct sqlite3_stmt;

struct database;

/* Has the file failed for good? Every later database_begin() then fails with "store.failed". */
bool database_failed(const struct database *db);

/* Has another connection committed anything since the last time this was asked? The first time:
 * true. False also when that cannot be told. */
bool database_was_written(struct database *db);

/* ---- transactions
 *
 * One error is worth going on after: "store.refused" (a constraint), "store.busy" (somebody else
 * writes to the file), "store.full" (no room; nothing of the transaction is kept). Everything else
 * (I/O, a failed fsync, damage, a COMMIT that failed for another reason than room) is
 * "store.failed" and final. All are ERR_STORE. */

/* Start a transaction; writes: take the write lock now, so that no later step meets it. */
bool database_begin(struct database *db, bool writes, struct err *err) MUST_CHECK;

/* All of it is on the disk when this is true. After "store.full" nothing of it is there, and the
 * caller still rolls back; after "store.failed" nobody knows. */
bool database_commit(struct database *db, struct err *err) MUST_CHECK;

/* Give the transaction up, if there is still one. Cannot fail: a rollback that does is final. */
void database_rollback(struct database *db);

/* Begin a part of the transaction that can be taken back alone; database_keep() or database_undo()
 * ends it. */
bool database_save(struct database *db, struct err *err) MUST_CHECK;

/* The part stays in the transaction. */
bool database_keep(struct database *db, struct err *err) MUST_CHECK;

/* The part is taken back. False when the transaction as a whole is gone or the file has failed. */
bool database_undo(struct database *db) MUST_CHECK;

/* ---- statements */

enum value_kind { VALUE_NULL, VALUE_INT, VALUE_TEXT };

/* What is bound to one parameter. Text is borrowed until the statement ends. */
struct value {
    enum value_kind kind;
    int64_t number;
    const char *text;
    size_t len;
};

/* A number. */
static inline struct value value_int(int64_t number)
{
    return (struct value){ .kind = VALUE_INT, .number = number };
}

/* Text up to its end, or NULL when text is NULL. Borrowed, see struct value. */
struct value value_text(const char *text);

/* The same for len bytes of text. */
struct value value_bytes(const char *text, size_t len);

/* The values of ?1, ?2, ... and their number, as two arguments. */
#define VALUES(...)                                                                                \
    ((const struct value[]){ __VA_ARGS__ }), ARRAY_SIZE(((const struct value[]){ __VA_ARGS__ }))
#define NO_VALUES NULL, 0

/* Run a statement that gives no rows. ret_changes may be NULL: rows inserted, changed or deleted
 * (by the statement itself, not by its triggers). Errors: as of a transaction. */
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

/* Begin with a statement; the values are borrowed until rows_close(), which must follow. */
void rows_open(struct rows *rows, struct database *db, enum statement id,
               const struct value *values, size_t count);

/* The next row is there. False: there is none, or an error. */
bool rows_next(struct rows *rows);

/* Ready for the next use, however many rows were read. Errors: as of a transaction. */
bool rows_close(struct rows *rows, struct err *err) MUST_CHECK;

/* A column of the row, from 0, as a number; 0 for NULL. */
int64_t rows_int(const struct rows *rows, int column);

/* The same as text, copied to the arena; "" for NULL. */
const char *rows_text(const struct rows *rows, int column, struct arena *arena);

/* The same with its length; NULL and 0 for NULL. */
const char *rows_bytes(const struct rows *rows, int column, struct arena *arena, size_t *ret_len);

/* The one number a statement gives; *ret is `otherwise` when it gives no row. Errors: as of
 * a transaction. */
bool database_number(struct database *db, enum statement id, const struct value *values,
                     size_t count, int64_t otherwise, int64_t *ret, struct err *err) MUST_CHECK;

/* Move a list that was collected in a buf, item by item, to the arena. The buf is empty then.
 * Cannot fail. */
const void *database_list(struct arena *arena, struct buf *items);

/* Wall clock, milliseconds. */
int64_t database_now(void);

/* ---- for tests: the nth step from now (1: the next one) gives `code` instead of running; 0: none.
 * Thread: any. */
void database_fail_at(struct database *db, unsigned nth, int code);

/* How many steps it still waits for. Thread: any. */
unsigned database_fail_left(const struct database *db);

/* How SQLite goes about a statement, one step a line, for tests. Errors: "store.refused". */
bool database_explain(struct database *db, enum statement id, struct buf *ret,
                      struct err *err) MUST_CHECK;
