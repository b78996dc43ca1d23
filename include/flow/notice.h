/* What the server tells by itself, whichever way it came (hook, socket, an answer of $events): it
 * becomes events in the journal, and is looked at for what may have been lost. Private to flow/. */
#pragma once

#include "base/err.h"
#include "fhir/notification.h"
#include "store/store.h"

struct flow;

typedef void notice_done_fn(struct err *err, void *arg); /* err NULL: it is in the journal */

/* Take a notification of our Subscription for that type. notification is borrowed until it returns.
 * done (NULL: nobody) runs exactly once; before it returns when there is nothing to write down. The
 * flow is held until then. Thread: loop. */
void notice_take(struct flow *flow, const char *type, const struct notification *notification,
                 enum event_via via, notice_done_fn *done, void *arg);
