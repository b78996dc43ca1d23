/* The numbers for status and metrics. Private to adapter/store. */
#pragma once

#include "store/database.h"
#include "store/store.h"

/* See store_count(). Store thread, inside a transaction, errors of database.h. */
bool count_all(struct database *db, struct store_counts *ret, struct err *err) MUST_CHECK;
