/* Why a database could not be opened, and the way out. Private to adapter/store. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct sqlite3;

/* code: of SQLite; text: its words. Sets err ("store.corrupt" or "store.open") and returns false. */
bool unopened(int code, const char *text, struct err *err);

/* The same for the last call of a connection, which failed. */
bool unopened_last(struct sqlite3 *sqlite, struct err *err);

/* The same for a call of the operating system that set errno. */
bool unopened_errno(struct err *err);
