#include "store/database_open.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/database_impl.h"
#include "store/database_log.h"
#include "store/file.h"
#include "store/mark.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/unopened.h"

/* A file up to this size is read through at start, with its indexes: 0.1 s when it is in memory, about
 * a second from a cold disk. A larger one is not (6 s for 360 MB were measured): a restart must not take longer
 * the longer the program has run, and damage that is met later is final at that moment anyway
 * (database_judge). What is always seen is a wrong header, a file that was cut off, and a schema
 * that cannot be read. */
#define CHECK_MAX (INT64_C(64) << 20)

#define BUSY_MS   500  /* how long to wait for an operator's sqlite3 that holds the write lock */
#define BESIDE_MS 5000 /* how long one beside waits for the process that works */

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
    database_log_follow(db);
    return database_check(db);
}

static bool database_connect(struct database *db, const char *path, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;

    if (db->lock_fd >= 0) {
        db->mark_fd = mark_open(path);
        database_log_look(db, path);
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
    if ((code = database_log_settle(db)) != SQLITE_OK) return open_failed(db, path, code, err);
    return db->lock_fd < 0 || file_sync_folder(path, err);
}

bool database_open(const char *path, struct database **ret, struct err *err)
{
    struct database *db = mem_new(struct database);

    db->lock_fd = db->mark_fd = -1;
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
    if (db->lock_fd >= 0) database_log_move(db);
    bool good = !db->failed || database_failed_error(db, err);
    database_close(db);
    return good;
}
