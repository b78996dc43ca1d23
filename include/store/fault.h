/* For tests of the store only: make the database fail on purpose, and look into it. */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "store/statement.h"
#include "store/store.h"

/* The nth step of the database from now (1: the next one) gives the SQLite code instead of running;
 * a COMMIT counts like every other step. 0: none. Thread: any. */
void store_fail_at(struct store *store, unsigned nth, int code);

/* How many steps are still to go until then; 0: it has happened. Thread: any. */
unsigned store_fail_left(const struct store *store);

/* How SQLite goes about a statement, one step a line. Only while nothing is under way. */
bool store_explain(struct store *store, enum statement id, struct buf *ret,
                   struct err *err) MUST_CHECK;
