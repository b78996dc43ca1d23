/* When things were seen last. Private to adapter/store; store thread, inside a transaction, errors of
 * database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* The list is in the arena. */
bool pulse_list(struct database *db, struct arena *arena, const struct store_pulse **ret,
                size_t *ret_count, struct err *err) MUST_CHECK;
bool pulse_put(struct database *db, const struct store_pulse *pulses, size_t count,
               struct err *err) MUST_CHECK;
