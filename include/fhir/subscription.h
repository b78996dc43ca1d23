/* Subscriptions of ours: what they should be, and whether one on the server still is. Three forms:
 * by criteria (R4, R4B), by topic as the Backport guide has it (R4, R4B), by topic in R5. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"

enum subscription_form {
    SUBSCRIPTION_CRITERIA, /* "Observation?" */
    SUBSCRIPTION_BACKPORT, /* the topic in criteria, the rest in extensions */
    SUBSCRIPTION_R5
};

enum subscription_channel { SUBSCRIPTION_REST_HOOK, SUBSCRIPTION_WEBSOCKET };

/* What notifications of a topic hold. */
enum subscription_content { SUBSCRIPTION_FULL_RESOURCE, SUBSCRIPTION_ID_ONLY, SUBSCRIPTION_EMPTY };

/* "rest-hook" "websocket", "full-resource" "id-only" "empty" */
const char *subscription_channel_name(enum subscription_channel channel);
const char *subscription_content_name(enum subscription_content content);

struct subscription_want {
    enum subscription_form form;
    enum subscription_channel channel;
    enum subscription_content content; /* of topics */
    const char *type;                  /* "MedicationRequest" */
    const char
        *criteria;     /* "MedicationRequest?" with at most plain token parameters; of criteria */
    const char *topic; /* canonical URL; of topics */
    const char
        *endpoint;      /* "https://adapter:8443/hook/MedicationRequest": tells ours from others on
                             every channel */
    const char *header; /* "X-Myeloma-Adapter-Key: <secret>", the value has no colon; "" or NULL:
                             none. rest-hook alone */
    const char *signature; /* secret of Medplum's X-Signature; NULL: none */
    bool payload;          /* of criteria: ask for the resource in the notification */
    bool start_active;     /* Medplum fires only what was created active */
    unsigned heartbeat_s;  /* of topics; 0: none */
};

/* The resource to create; JSON text owned by the caller (free()). */
char *subscription_build(const struct subscription_want *want);

enum subscription_verdict {
    SUBSCRIPTION_GOOD,      /* active, and as we want it */
    SUBSCRIPTION_REQUESTED, /* as we want it, waiting for the server */
    SUBSCRIPTION_STOPPED,   /* status error or off: ask again */
    SUBSCRIPTION_CHANGED, /* what it listens to, how it tells, or a secret differs: put ours back */
    SUBSCRIPTION_FOREIGN, /* not ours: another endpoint */
};

/* Judge one Subscription read from the server. What a server adds or, of the wishes it need not
 * grant (heartbeat, timeout, batches, content), leaves out is no change. */
enum subscription_verdict subscription_judge(const struct node *at,
                                             const struct subscription_want *want);

/* The heartbeat that a topic Subscription on the server carries, seconds; 0: none. */
unsigned subscription_heartbeat_s(const struct node *at);
