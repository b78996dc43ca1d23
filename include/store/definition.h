/* Are the tables, indexes and triggers in a file still what they were made as? A bit that a disk has
 * flipped may leave good SQL that means something else: a trigger that counts otherwise, an order by
 * another column. Private to adapter/store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct sqlite3;

/* Is everything that the scripts define, run in this order on an empty database, defined in sqlite in
 * the same words? What somebody has added is left alone. Borrows all. Errors: ERR_STORE "store.corrupt",
 * and "store.open" when it cannot be read. Blocking. */
bool definition_check(struct sqlite3 *sqlite, const char *const scripts[], size_t count,
                      struct err *err) MUST_CHECK;
