/* Which patient's chart holds a resource: a deletion names a resource and no patient. Kept as
 * settings "holder:Type/id" beside the charts. Private to flow/. */
#pragma once

#include "store/store.h"

/* The patient, or NULL when no chart holds it. */
typedef store_setting_fn holder_fn;
void holder_find(struct store *store, const char *type, const char *id, holder_fn *done, void *arg);

/* Say so; patient NULL: nobody. In the same commit as the store_finish() that follows. */
void holder_set(struct store *store, const char *type, const char *id, const char *patient);
