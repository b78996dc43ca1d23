/* Why a database could not be opened, and the way out. Private to adapter/store. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* code: of SQLite; text: its words. Sets err ("store.corrupt" or "store.open") and returns false. */
bool unopened(int code, const char *text, struct err *err);

/* The same for a call of the operating system that set errno. */
bool unopened_errno(struct err *err);
