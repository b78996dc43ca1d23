/* What becomes of an alert whose delivery failed: it waits until the server may be asked again, is
 * tried again later, or is parked with a reason that its owner can read. Told to the store, the log
 * and the circuit of the deliveries. Private to flow/. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct flow;

/* codes: of the OperationOutcome that the server answered, or ""; asked_ms: how long it asked to be
 * left alone, or 0. Both the item and err are borrowed. */
void setback(struct flow *flow, const struct store_outbox *item, const struct err *err,
             const char *codes, int64_t asked_ms);

/* It cannot be delivered as it stands, whatever the server does, which was not asked. */
void setback_park(struct flow *flow, const struct store_outbox *item, const struct err *err,
                  const char *codes);
