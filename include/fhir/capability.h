/* What a server says it can do. Pure. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"
#include "fhir/release.h"

/* The types that can be polled. */
enum capability_kind {
    CAPABILITY_ORDERS,     /* MedicationRequest */
    CAPABILITY_RESULTS,    /* Observation */
    CAPABILITY_CONDITIONS, /* Condition */
    CAPABILITY_PROCEDURES, /* Procedure */
    CAPABILITY_ALLERGIES,  /* AllergyIntolerance */
    CAPABILITY_PATIENTS,   /* Patient */
    CAPABILITY_KINDS
};

struct capability_poll {
    bool updated; /* searched by _lastUpdated (a missing list of parameters counts as yes) */
    bool history; /* has a history of the type: only where it is listed, since few have it */
};

struct capability {
    enum fhir_release release;
    char fhir_version[16]; /* "4.0.1" */
    char software[80];     /* name and version, for the log; "" */
    char websocket[512];   /* URL of the WebSocket for Subscriptions; "" when not said */
    bool issue_update_create, issue_conditional_create, issue_versioned; /* DetectedIssue */
    bool issue_offered, subscription_offered, device_update_create;
    bool search_updated_orders, search_updated_results, search_updated_conditions; /* _lastUpdated
                       listed for MedicationRequest, Observation, Condition (a missing list of
                       parameters counts as yes) */
    struct capability_poll poll[CAPABILITY_KINDS];
};

/* "MedicationRequest"; static. */
const char *capability_type(enum capability_kind kind);

/* The topic that the statement lists for Subscriptions (extension of the Backport guide) and whose
 * name is that of the type; NULL when there is none, or more than one. Borrowed from the document. */
const char *capability_topic(const struct node *at, const char *type);

/* Errors: ERR_INPUT "capability.shape", "capability.version" (not 4.0, 4.3 or 5.0). */
bool capability_read(const struct node *at, struct capability *ret, struct err *err) MUST_CHECK;
