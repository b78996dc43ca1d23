/* The tables on disk and how an older file becomes a newer one: forward only. Private to
 * adapter/store. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct sqlite3;

/* Bring the file up to date, one transaction for each version, and create the tables in memory.
 * Errors: ERR_STORE "store.schema" when the file is newer than this program or not ours,
 * "store.open" when it cannot be written, "store.corrupt" when a definition in it was changed. */
bool schema_update(struct sqlite3 *sqlite, struct err *err) MUST_CHECK;

/* Is the file of the very version that this program knows, and as it was made? Nothing is changed. Errors: ERR_STORE
 * "store.schema", "store.open", "store.corrupt". */
bool schema_check(struct sqlite3 *sqlite, struct err *err) MUST_CHECK;
