/* The write-ahead log of a database: looked at before SQLite takes it up, followed at each commit, moved
 * into the file by us and not by SQLite. Private to adapter/store; thread: that of the connection. */
#pragma once

#include <stdbool.h>

struct database;

/* Before SQLite opens the file at path, when its mark is open: say so to the operator when transactions
 * are lost. Cannot fail: what is left is whole. Blocking. */
void database_log_look(const struct database *db, const char *path);

/* From now on each commit is noted in the mark, and SQLite moves nothing by itself. */
void database_log_follow(struct database *db);

/* Once, when the file is open: move all of it and begin a new one. Returns a code of SQLite.
 * Blocking. */
int database_log_settle(struct database *db);

/* Between two transactions: move what no reader holds. Nothing when the database has failed; when
 * the disk does not take it, it has (database_failed()), unless only room was lacking. Blocking. */
void database_log_move(struct database *db);

/* Between two transactions: move the write-ahead log into the file when it has grown, or when there
 * is nothing else to do. Fails as database_log_move() does. Blocking. */
void database_log_tidy(struct database *db, bool idle);
