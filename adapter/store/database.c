#include "store/database.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/file.h"
#include "store/mark.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/unopened.h"
#include "store/wal.h"

/* A file up to this size is read through at start, with its indexes: 0.1 s when it is in memory, about
 * a second from a cold disk. A larger one is not (6 s for 360 MB were measured): a restart must not take longer
 * the longer the program has run, and damage that is met later is final at that moment anyway
 * (database_judge). What is always seen is a wrong header, a file that was cut off, and a schema
 * that cannot be read. */
#define CHECK_MAX (INT64_C(64) << 20)

/* The log is moved into the file when it has grown by so many pages (4 MB). It delays the next
 * batch: with 64 accepts in flight p99 was 11 ms and the longest wait 15 ms, with four times the
 * pages 27 and 31 ms, at the same throughput. */
#define CHECKPOINT_PAGES 1024

#define BUSY_MS   500  /* how long to wait for an operator's sqlite3 that holds the write lock */
#define BESIDE_MS 5000 /* how long one beside waits for the process that works */

struct database {
    sqlite3 *sqlite;                     /* owned */
    sqlite3_stmt *stmts[STATEMENT_LAST]; /* owned; prepared when first needed */
    int lock_fd;                         /* owned; -1 in memory */
    int mark_fd;                         /* owned; -1: none is kept */
    bool failed;                         /* for good */
    char why[160];                       /* ... because */
    int log_pages, checkpoint_at;        /* of the write-ahead log */
    sqlite3_stmt *data_version;          /* owned; see database_was_written() */
    int64_t seen_version;                /* of the data: commits of others; 0: not asked yet */
    atomic_uint fail_left;               /* tests: steps until ... */
    atomic_int fail_code;                /* ... this is returned */
};

/* ---- errors */

/* The end of this file for this process. */
static void database_fail(struct database *db, int code)
{
    if (db->failed) return;
    db->failed = true;
    snprintf(db->why, sizeof db->why, "%s (SQLite %d)", sqlite3_errstr(code), code);
    log_event(LOG_LEVEL_ERROR, "store_failed", LOG_CODE, "store.failed", LOG_WHAT, db->why,
              LOG_END);
}

static bool failed_error(const struct database *db, struct err *err)
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
        return failed_error(db, err);
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

int64_t database_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- transactions */

bool database_begin(struct database *db, bool writes, struct err *err)
{
    if (db->failed) return failed_error(db, err);
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
    return db->failed ? failed_error(db, err) : closed;
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

/* ---- the write-ahead log */

/* Its salts, in its head. */
static bool log_read_salts(sqlite3 *sqlite, unsigned char ret[MARK_SALTS_SIZE])
{
    sqlite3_file *log = NULL;

    return sqlite3_file_control(sqlite, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
           log && log->pMethods && log->pMethods->xRead(log, ret, MARK_SALTS_SIZE, 16) == SQLITE_OK;
}

/* After the sync of a commit. */
static int log_on_commit(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
    struct database *db = arg;
    struct mark mark = { .frames = (uint64_t)pages };

    (void)name;
    db->log_pages = pages;
    if (db->mark_fd >= 0 && log_read_salts(sqlite, mark.salts)) mark_write(db->mark_fd, &mark);
    return SQLITE_OK;
}

/* A failed checkpoint loses nothing by itself, but must not be repeated as if it had worked: the
 * kernel reports a failed fsync once, and the log would be thrown away. So it is final too; the
 * next start moves the whole log again (database_settle). Without room it did not come to the
 * fsync: the log stays, and is moved from its beginning when there is something to do again. */
static void log_move(struct database *db)
{
    int pages = 0, moved = 0, code;

    if (db->failed) return;
    code = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    if ((code & 0xff) == SQLITE_FULL)
        log_event(LOG_LEVEL_WARN, "store-full", LOG_CODE, "store.full", LOG_FIX,
                  "free space on the file system of the store", LOG_END);
    else if (code != SQLITE_OK && code != SQLITE_BUSY)
        database_fail(db, code);
    db->log_pages = 0;
    db->checkpoint_at = (moved < pages ? pages : 0) + CHECKPOINT_PAGES; /* a reader may hold it */
}

void database_tidy(struct database *db, bool idle)
{
    if (db->log_pages && (idle || db->log_pages >= db->checkpoint_at)) log_move(db);
}

/* ---- opening and closing */

static bool open_failed(struct database *db, const char *path, int code, struct err *err)
{
    bool told = db->sqlite && sqlite3_errcode(db->sqlite) != SQLITE_OK;

    unopened(code, told ? sqlite3_errmsg(db->sqlite) : sqlite3_errstr(code), err);
    return err_at(err, "%s", path);
}

static int text_is(void *arg, int columns, char **values, char **names)
{
    const char **want = arg;

    (void)names;
    if (columns == 1 && values[0] && strcmp(values[0], *want) == 0) *want = NULL;
    return 0;
}

/* SQLITE_OK when a pragma gives this very text, otherwise the error it stands for. */
static int pragma_gives(struct database *db, const char *sql, const char *want, int otherwise)
{
    const char *left = want;
    int code = sqlite3_exec(db->sqlite, sql, text_is, &left, NULL);

    return code == SQLITE_OK && left ? otherwise : code;
}

static bool is_checked(const struct database *db)
{
    return db->lock_fd >= 0 && file_size(db->lock_fd) <= CHECK_MAX;
}

static int database_check(struct database *db)
{
    if (!is_checked(db)) return SQLITE_OK;
    return pragma_gives(db, "PRAGMA integrity_check(1)", "ok", SQLITE_CORRUPT);
}

/* WAL for readers beside us and one fsync a commit, FULL because an acknowledged event survives a
 * power cut, no automatic checkpoint because it would run inside a COMMIT. */
static int database_set_up(struct database *db)
{
    int code = sqlite3_exec(db->sqlite,
                            "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                            "PRAGMA cache_size = -16000; PRAGMA cell_size_check = ON;"
                            "PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864",
                            NULL, NULL, NULL);

    if (code != SQLITE_OK) return code;
    code = pragma_gives(db, "PRAGMA journal_mode = WAL", db->lock_fd < 0 ? "memory" : "wal",
                        SQLITE_CANTOPEN);
    if (code != SQLITE_OK) return code;
    sqlite3_wal_hook(db->sqlite, log_on_commit, db); /* takes the place of the automatic one */
    return database_check(db);
}

/* Move the whole log into the file and begin a new one. If the last process ended because an fsync
 * of the log failed, the log may be in memory but not on the disk: nothing may be added behind
 * it. */
static int database_settle(struct database *db)
{
    return sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* Transactions were acknowledged, and the disk has them no more. What is left is whole, only older:
 * the polls go on from there. */
static void wal_look(const struct database *db, const char *path)
{
    char name[PATH_MAX];
    struct mark mark;
    size_t lost;

    if (snprintf(name, sizeof name, "%s-wal", path) >= (int)sizeof name) return;
    if (!(lost = wal_lost(name, mark_read(db->mark_fd, &mark) ? &mark : NULL))) return;
    log_event(LOG_LEVEL_ERROR, "store-damaged", LOG_CODE, "store.corrupt", LOG_COUNT, (int64_t)lost,
              LOG_WHAT, "transactions are lost behind a damaged place of the log", LOG_FIX,
              "see to the disk; polls bring again what the server still has, but no deletions",
              LOG_END);
}

static bool database_connect(struct database *db, const char *path, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;

    if (db->lock_fd >= 0) {
        db->mark_fd = mark_open(path);
        wal_look(db, path);
    }
    code = sqlite3_open_v2(path, &db->sqlite, flags, NULL);
    if (code != SQLITE_OK) return open_failed(db, path, code, err);
    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_timeout(db->sqlite, BUSY_MS);
    if ((code = seal_init(db->sqlite)) != SQLITE_OK || (code = database_set_up(db)) != SQLITE_OK)
        return open_failed(db, path, code, err);
    if (!schema_update(db->sqlite, err)) return err_at(err, "%s", path);
    if (is_checked(db) && (code = seal_check(db->sqlite)) != SQLITE_OK)
        return open_failed(db, path, code, err);
    if ((code = database_settle(db)) != SQLITE_OK) return open_failed(db, path, code, err);
    return db->lock_fd < 0 || file_sync_folder(path, err);
}

bool database_open(const char *path, struct database **ret, struct err *err)
{
    struct database *db = mem_new(struct database);

    db->lock_fd = db->mark_fd = -1;
    db->checkpoint_at = CHECKPOINT_PAGES;
    if ((strcmp(path, ":memory:") != 0 && !file_lock(path, &db->lock_fd, err)) ||
        !database_connect(db, path, err)) {
        db->failed = true; /* closing must not move the log: perhaps that is what has just failed */
        database_close(db);
        return false;
    }
    *ret = db;
    return true;
}

bool database_beside(const char *path, struct database **ret, struct err *err)
{
    struct database *db = mem_new(struct database);

    db->lock_fd = db->mark_fd = -1;
    int code =
        sqlite3_open_v2(path, &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    bool good = code == SQLITE_OK || open_failed(db, path, code, err);
    if (good) {
        sqlite3_extended_result_codes(db->sqlite, 1);
        sqlite3_busy_timeout(db->sqlite, BESIDE_MS);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_wal_autocheckpoint(db->sqlite, 0);
        if ((code = seal_init(db->sqlite)) != SQLITE_OK) good = open_failed(db, path, code, err);
    }
    if (good) {
        good = schema_check(db->sqlite, err) || err_at(err, "%s", path);
    }
    if (good)
        *ret = db;
    else
        database_close(db);
    return good;
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

void database_close(struct database *db)
{
    if (!db) return;
    sqlite3_finalize(db->data_version);
    for (size_t i = 0; i < STATEMENT_LAST; i++) sqlite3_finalize(db->stmts[i]);
    if (db->failed && db->sqlite)
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(db->sqlite);
    if (db->mark_fd >= 0) close(db->mark_fd);
    if (db->lock_fd >= 0) close(db->lock_fd);
    free(db);
}

/* SQLite closes with a checkpoint of its own, and keeps to itself whether that worked: here it finds
 * nothing left to do. */
bool database_end(struct database *db, struct err *err)
{
    if (db->lock_fd >= 0) log_move(db);
    bool good = !db->failed || failed_error(db, err);
    database_close(db);
    return good;
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
