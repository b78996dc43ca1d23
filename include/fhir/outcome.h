/* OperationOutcome: ours as answers, the server's in answers. Pure. */
#pragma once

#include <stddef.h>

#include "base/node.h"

/* {"resourceType":"OperationOutcome",...} with one issue. severity: "information", "error" ...;
 * code: an issue-type code ("informational", "structure", "security", "too-long", "throttled",
 * "exception", "processing"). text: our own words. Owned by the caller (free()). */
char *outcome_build(const char *severity, const char *code, const char *text);

/* The codes of the issues in a server's answer, "not-found,processing" (at most size bytes; never
 * their texts, which may hold patient data). Returns buf; "" when it is no OperationOutcome. */
const char *outcome_codes(const struct node *at, char *buf, size_t size);
