/* Small named texts. Private to adapter/store; store thread,
 * inside a transaction, errors of database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* *ret is NULL when it is not set; in the arena. */
bool setting_get(struct database *db, const char *name, struct arena *arena, const char **ret,
                 struct err *err) MUST_CHECK;

/* value NULL: forget it. */
bool setting_set(struct database *db, const char *name, const char *value,
                 struct err *err) MUST_CHECK;
