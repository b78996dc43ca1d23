/* What a server sends to our hook, in every manner it may: R4 rest-hook PUT {endpoint}/{Type}/{id}
 * with the resource; empty POST; POST of the resource (also "{}" for a deletion); topic bundles of
 * R4 (history + Parameters), R4B (history + SubscriptionStatus), R5 (subscription-notification),
 * and transaction Bundles. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct notification_request {
    const char *method;   /* "PUT", "POST", "DELETE" */
    const char *tail;     /* path below our endpoint: "", "/Observation/5" */
    const char *expected; /* the type this endpoint was registered for: "Observation"; "" any */
    const char *deleted;  /* X-Medplum-Deleted-Resource header, "" */
    const char *body;
    size_t body_len;
};

struct notification_item {
    const char *type, *id, *version, *patient; /* "" when not known; id "": a mere hint */
    int64_t updated_ms;
    bool deleted;
    const char *payload; /* slice of the body or NULL */
    size_t payload_len;
};

enum notification_kind {
    NOTIFICATION_CHANGES, /* items say what changed (or one hint) */
    NOTIFICATION_HANDSHAKE,
    NOTIFICATION_HEARTBEAT,
    NOTIFICATION_STATUS
};

struct notification {
    enum notification_kind kind;
    const char *subscription;         /* id, "" when not said */
    const char *status;               /* of the subscription: "active", "error" ...; "" */
    uint64_t events_since_start;      /* 0 when not said */
    uint64_t first_event, last_event; /* lowest and highest number of its events; 0: not said */
    size_t event_count;               /* events that its status lists */
    int64_t told_ms; /* server's clock: of the newest event, else of the Bundle; INSTANT_UNSET */
    struct notification_item *items;
    size_t item_count;
    bool topic; /* came as a Bundle: answer with a transaction-response Bundle */
};

#define NOTIFICATION_ITEMS_MAX 10000

/* Read one request; everything in *ret is in the arena or a slice of the body. Errors: ERR_INPUT
 * "notification.json", "notification.shape", "notification.type" (not what the endpoint is for). */
bool notification_read(const struct notification_request *request, struct arena *arena,
                       struct notification *ret, struct err *err) MUST_CHECK;
