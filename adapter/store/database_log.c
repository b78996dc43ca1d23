#include "store/database_log.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/log.h"
#include "store/database_impl.h"
#include "store/mark.h"
#include "store/wal.h"

/* The log is moved into the file when it has grown by so many pages (4 MB). It delays the next
 * batch: with 64 accepts in flight p99 was 11 ms and the longest wait 15 ms, with four times the
 * pages 27 and 31 ms, at the same throughput. */
#define CHECKPOINT_PAGES 1024

/* Transactions were acknowledged, and the disk has them no more. What is left is whole, only older:
 * the polls go on from there. */
void database_log_look(const struct database *db, const char *path)
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

void database_log_follow(struct database *db)
{
    db->checkpoint_at = CHECKPOINT_PAGES;
    sqlite3_wal_hook(db->sqlite, log_on_commit, db); /* takes the place of the automatic one */
}

/* Move the whole log into the file and begin a new one. If the last process ended because an fsync
 * of the log failed, the log may be in memory but not on the disk: nothing may be added behind
 * it. */
int database_log_settle(struct database *db)
{
    return sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* A failed checkpoint loses nothing by itself, but must not be repeated as if it had worked: the
 * kernel reports a failed fsync once, and the log would be thrown away. So it is final too; the
 * next start moves the whole log again (database_log_settle). Without room it did not come to the
 * fsync: the log stays, and is moved from its beginning when there is something to do again. */
void database_log_move(struct database *db)
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

void database_log_tidy(struct database *db, bool idle)
{
    if (db->log_pages && (idle || db->log_pages >= db->checkpoint_at)) database_log_move(db);
}
