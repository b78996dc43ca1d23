/* Opening and closing a database: its file is locked, checked and brought up to date. Private to
 * adapter/store.
 *
 * Thread: opening anywhere; after it one thread at a time (the store thread), closing too. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct database;

/* Open or create the file at path, 0600, and hold a lock on it that a second process does not get.
 * Errors: see store_open(). Blocking. */
bool database_open(const char *path, struct database **ret, struct err *err) MUST_CHECK;

/* A connection beside the process that has the file open: to look into it, and to leave a command.
 * No lock is held, the tables in memory are not there, and the log is left as it is. The file must be
 * of this program's schema. Errors: "store.open", "store.schema", "store.corrupt". Blocking. */
bool database_beside(const char *path, struct database **ret, struct err *err) MUST_CHECK;

/* Checkpoint (unless the connection has failed), close and free. Accepts NULL. Blocking. */
void database_close(struct database *db);

/* The same for one that was worked with, and say whether the disk has taken all: false when the
 * connection has failed, or fails now in moving the log ("store.failed"). What was committed stands
 * in the log then, and the next start moves it. A disk without room is no failure.
 * Blocking. */
bool database_end(struct database *db, struct err *err) MUST_CHECK;
