/* How to ask a server for what has changed: decided from the configuration and from what the server
 * says it can do. Pure. */
#pragma once

#include <stdbool.h>

#include "fhir/capability.h"

enum poll_by { POLL_BY_AUTO, POLL_BY_UPDATED, POLL_BY_HISTORY, POLL_BY_PATIENT };

enum poll_manner {
    POLL_NOTHING,
    POLL_UPDATED,   /* search by _lastUpdated */
    POLL_HISTORY,   /* the history of the type, which shows deletions */
    POLL_DELETIONS, /* that history beside the search, for its deletions alone */
};

struct poll_plan {
    bool patients; /* look at one listed patient after another; then no type is polled */
    enum poll_manner manner[CAPABILITY_KINDS];
    bool deletions[CAPABILITY_KINDS]; /* ask for the deletions too, beside POLL_UPDATED */
    const char *name;                 /* for the log: "updated", "history", "patient", "mixed" */
    const char *lack; /* static: what does not fit, and the way out; NULL: all is well */
};

/* cohort: a list of patients is configured. */
void poll_plan_make(enum poll_by by, bool cohort, const struct capability *capability,
                    struct poll_plan *ret);
