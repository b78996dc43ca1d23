/* What a server says it can do. Pure. */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"
#include "fhir/release.h"

struct capability {
    enum fhir_release release;
    char fhir_version[16]; /* "4.0.1" */
    char software[80];     /* name and version, for the log; "" */
    bool issue_update_create, issue_conditional_create, issue_versioned; /* DetectedIssue */
    bool issue_offered, subscription_offered, device_update_create;
    bool search_updated_orders, search_updated_results, search_updated_conditions; /* _lastUpdated
                       listed for MedicationRequest, Observation, Condition (a missing list of
                       parameters counts as yes) */
};

/* Errors: ERR_INPUT "capability.shape", "capability.version" (not 4.0, 4.3 or 5.0). */
bool capability_read(const struct node *at, struct capability *ret, struct err *err) MUST_CHECK;
