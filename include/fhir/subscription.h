/* R4 criteria Subscriptions of ours: what they should be, and whether one on the server still is.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"

struct subscription_want {
    const char *type;     /* "MedicationRequest" */
    const char *criteria; /* "MedicationRequest?" with at most plain token parameters */
    const char *endpoint; /* "https://adapter:8443/hook/MedicationRequest" */
    const char *header;   /* "X-Myeloma-Adapter-Key: <secret>"; the value has no colon */
    bool payload;         /* ask for the resource in the notification */
    bool start_active;    /* Medplum fires only what was created active */
};

/* The resource to create; JSON text owned by the caller (free()). */
char *subscription_build(const struct subscription_want *want);

enum subscription_verdict {
    SUBSCRIPTION_GOOD,      /* active, and as we want it */
    SUBSCRIPTION_REQUESTED, /* as we want it, waiting for the server */
    SUBSCRIPTION_STOPPED,   /* status error or off: ask again */
    SUBSCRIPTION_CHANGED,   /* criteria, endpoint, header or payload differ: put ours back */
    SUBSCRIPTION_FOREIGN,   /* not ours: another endpoint */
};

/* Judge one Subscription read from the server. */
enum subscription_verdict subscription_judge(const struct node *at,
                                             const struct subscription_want *want);
