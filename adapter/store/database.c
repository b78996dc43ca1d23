#include "store/database.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "store/database_impl.h"

/* ---- errors */

void database_fail(struct database *db, int code)
{
    if (db->failed) return;
    db->failed = true;
    snprintf(db->why, sizeof db->why, "%s (SQLite %d)", sqlite3_errstr(code), code);
    log_event(LOG_LEVEL_ERROR, "store_failed", LOG_CODE, "store.failed", LOG_WHAT, db->why,
              LOG_END);
}

bool database_failed_error(const struct database *db, struct err *err)
{
    err_set(err, ERR_STORE, "store.failed", "the database failed: %s", db->why);
    return err_fix(err, "repair the disk, then start the program again");
}

/* What an error code means for what comes after it. Only three are worth going on after; whatever
 * is not known to be harmless is taken for damage. */
static bool database_judge(struct database *db, int code, struct err *err)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        err_set(err, ERR_STORE, "store.full", "no room left for the database");
        return err_fix(err, "free space on its file system");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        err_set(err, ERR_STORE, "store.busy", "another program holds the database locked");
        return err_fix(err, "end it");
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
        return err_set(err, ERR_STORE, "store.refused", "%s", sqlite3_errstr(code));
    default:
        database_fail(db, code);
        return database_failed_error(db, err);
    }
}

bool database_failed(const struct database *db)
{
    return db->failed;
}

void database_fail_at(struct database *db, unsigned nth, int code)
{
    atomic_store(&db->fail_code, code);
    atomic_store(&db->fail_left, nth);
}

unsigned database_fail_left(const struct database *db)
{
    return atomic_load(&db->fail_left);
}

/* Is it this step's turn to fail? */
static bool fault_is_now(struct database *db)
{
    return atomic_load(&db->fail_left) && atomic_fetch_sub(&db->fail_left, 1) == 1;
}

/* ---- statements */

struct value value_text(const char *text)
{
    return value_bytes(text, text ? strlen(text) : 0);
}

struct value value_bytes(const char *text, size_t len)
{
    if (!text) return (struct value){ .kind = VALUE_NULL };
    return (struct value){ .kind = VALUE_TEXT, .text = text, .len = len };
}

static int stmt_bind(sqlite3_stmt *stmt, int at, const struct value *value)
{
    switch (value->kind) {
    case VALUE_INT:
        return sqlite3_bind_int64(stmt, at, value->number);
    case VALUE_TEXT:
        return sqlite3_bind_text64(stmt, at, value->text, value->len, SQLITE_STATIC, SQLITE_UTF8);
    case VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

void rows_open(struct rows *rows, struct database *db, enum statement id,
               const struct value *values, size_t count)
{
    sqlite3_stmt **stmt = &db->stmts[id];

    *rows = (struct rows){ .db = db, .code = SQLITE_OK };
    if (!*stmt)
        rows->code = sqlite3_prepare_v3(db->sqlite, statement_sql(id), -1,
                                        SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    rows->stmt = *stmt;
    for (size_t i = 0; i < count && rows->code == SQLITE_OK; i++)
        rows->code = stmt_bind(*stmt, (int)i + 1, &values[i]);
}

bool rows_next(struct rows *rows)
{
    if (rows->code != SQLITE_OK && rows->code != SQLITE_ROW) return false;
    if (fault_is_now(rows->db))
        rows->code = atomic_load(&rows->db->fail_code);
    else
        rows->code = sqlite3_step(rows->stmt);
    return rows->code == SQLITE_ROW;
}

bool rows_close(struct rows *rows, struct err *err)
{
    int code = rows->code;

    if (rows->stmt) {
        sqlite3_reset(rows->stmt);
        sqlite3_clear_bindings(rows->stmt); /* what was bound is not ours for longer */
    }
    if (code == SQLITE_DONE || code == SQLITE_ROW || code == SQLITE_OK) return true;
    return database_judge(rows->db, code, err);
}

int64_t rows_int(const struct rows *rows, int column)
{
    return sqlite3_column_int64(rows->stmt, column);
}

const char *rows_bytes(const struct rows *rows, int column, struct arena *arena, size_t *ret_len)
{
    const char *text = (const char *)sqlite3_column_text(rows->stmt, column);

    *ret_len = text ? (size_t)sqlite3_column_bytes(rows->stmt, column) : 0;
    return text ? arena_copy(arena, text, *ret_len) : NULL;
}

const char *rows_text(const struct rows *rows, int column, struct arena *arena)
{
    size_t len;
    const char *text = rows_bytes(rows, column, arena, &len);

    return text ? text : "";
}

bool database_run(struct database *db, enum statement id, const struct value *values, size_t count,
                  int64_t *ret_changes, struct err *err)
{
    struct rows rows;

    rows_open(&rows, db, id, values, count);
    while (rows_next(&rows)) {
    }
    if (!rows_close(&rows, err)) return false;
    if (ret_changes) *ret_changes = sqlite3_changes64(db->sqlite);
    return true;
}

int64_t database_inserted(const struct database *db)
{
    return sqlite3_last_insert_rowid(db->sqlite);
}

bool database_number(struct database *db, enum statement id, const struct value *values,
                     size_t count, int64_t otherwise, int64_t *ret, struct err *err)
{
    struct rows rows;
    int64_t number = otherwise;

    rows_open(&rows, db, id, values, count);
    if (rows_next(&rows)) number = rows_int(&rows, 0);
    if (!rows_close(&rows, err)) return false;
    *ret = number;
    return true;
}

const void *database_list(struct arena *arena, struct buf *items)
{
    void *list = arena_alloc(arena, items->len);

    if (items->len) memcpy(list, items->data, items->len);
    buf_done(items);
    return list;
}

/* Not by way of rows_next(): it is no step that a test lets fail. */
bool database_was_written(struct database *db)
{
    int64_t before = db->seen_version;

    if (db->failed) return false;
    if (!db->data_version && sqlite3_prepare_v2(db->sqlite, "PRAGMA data_version", -1,
                                                &db->data_version, NULL) != SQLITE_OK)
        return false;
    if (sqlite3_step(db->data_version) == SQLITE_ROW)
        db->seen_version = sqlite3_column_int64(db->data_version, 0);
    sqlite3_reset(db->data_version);
    return db->seen_version != before;
}

bool database_explain(struct database *db, enum statement id, struct buf *ret, struct err *err)
{
    struct buf sql = { 0 };
    sqlite3_stmt *stmt = NULL;

    buf_printf(&sql, "EXPLAIN QUERY PLAN %s", statement_sql(id));
    int code = sqlite3_prepare_v2(db->sqlite, buf_string(&sql), -1, &stmt, NULL);
    buf_done(&sql);
    while (code == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        buf_printf(ret, "%s\n", (const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    return code == SQLITE_OK ||
           err_set(err, ERR_STORE, "store.refused", "%s", sqlite3_errmsg(db->sqlite));
}

int64_t database_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- transactions */

bool database_begin(struct database *db, bool writes, struct err *err)
{
    if (db->failed) return database_failed_error(db, err);
    return database_run(db, writes ? STATEMENT_BEGIN_WRITE : STATEMENT_BEGIN, NO_VALUES, NULL, err);
}

/* SQLite has taken back what a COMMIT without room wrote; after any other failure nobody knows what
 * the disk holds. */
bool database_commit(struct database *db, struct err *err)
{
    struct rows rows;

    rows_open(&rows, db, STATEMENT_COMMIT, NO_VALUES);
    while (rows_next(&rows)) {
    }
    if (rows.code != SQLITE_DONE && (rows.code & 0xff) != SQLITE_FULL) database_fail(db, rows.code);
    bool closed = rows_close(&rows, err);
    return db->failed ? database_failed_error(db, err) : closed;
}

void database_rollback(struct database *db)
{
    struct err ignored;

    if (sqlite3_get_autocommit(db->sqlite)) return;
    if (!database_run(db, STATEMENT_ROLLBACK, NO_VALUES, NULL, &ignored))
        database_fail(db, SQLITE_IOERR);
}

bool database_save(struct database *db, struct err *err)
{
    return database_run(db, STATEMENT_SAVE, NO_VALUES, NULL, err);
}

bool database_keep(struct database *db, struct err *err)
{
    return database_run(db, STATEMENT_KEEP, NO_VALUES, NULL, err);
}

bool database_undo(struct database *db)
{
    struct err ignored;

    if (db->failed || sqlite3_get_autocommit(db->sqlite)) return false;
    return database_run(db, STATEMENT_UNDO, NO_VALUES, NULL, &ignored) &&
           database_keep(db, &ignored);
}
