/* What the files of an open database share. Private to adapter/store/database*.c. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/database.h"

struct sqlite3;
struct sqlite3_stmt;

struct database {
    struct sqlite3 *sqlite;                     /* owned */
    struct sqlite3_stmt *stmts[STATEMENT_LAST]; /* owned; prepared when first needed */
    int lock_fd;                                /* owned; -1 in memory */
    int mark_fd;                                /* owned; -1: none is kept */
    bool failed;                                /* for good */
    char why[160];                              /* ... because */
    int log_pages, checkpoint_at;               /* of the write-ahead log */
    struct sqlite3_stmt *data_version;          /* owned; see database_was_written() */
    int64_t seen_version;                       /* commits of others; 0: not asked yet */
    atomic_uint fail_left;                      /* tests: steps until ... */
    atomic_int fail_code;                       /* ... this is returned */
};

/* ---- database.c */

/* The end of this file for this process, because of a code of SQLite. The first time it is logged, later
 * nothing happens. */
void database_fail(struct database *db, int code);

/* Set err ("store.failed") for one that has failed, and return false. */
bool database_failed_error(const struct database *db, struct err *err);
