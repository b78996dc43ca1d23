/* One alert on its way to the server: an idempotent write, whatever happened before.
 *
 *   READING -> PUTTING -> ENDED         the server lets us choose ids
 *   SEARCHING -> POSTING -> SEARCHING -> PARTING -> PUTTING -> ENDED   it does not
 *
 * What stands there is compared first: an alert that says the same is not written again, and one
 * that a clinician has answered is left alone until it ends. Private to flow/. */
#pragma once

#include "store/store.h"

struct flow;
struct delivery;

/* Take an item on; copied. Ends with deliver_ended(). */
void delivery_start(struct flow *flow, const struct store_outbox *item);

/* Cancel what is in flight: it is owed again at once. */
void delivery_stop_all(struct flow *flow);
