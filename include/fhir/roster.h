/* A list of patients to look at: a Group, a List, or a text with an id a line. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/node.h"
#include "fhir/reference.h"

#define ROSTER_MAX      100000      /* patients */
#define ROSTER_TEXT_MAX (16u << 20) /* bytes of a text */

struct roster {
    char (*ids)[REFERENCE_ID_MAX + 1]; /* owned; sorted, each once */
    size_t count;
    size_t passed_over; /* members that are no patients, or that name none */
};

/* Is it a resource of the server ("Group/5", "List/7")? Otherwise it is the path of a file. */
bool roster_is_resource(const char *source);

/* "ID" or "Patient/ID" on each line; what stands behind # is a comment; blank lines and
 * a byte order mark are passed over.
 * Errors: ERR_CONFIG "roster.id" (no id), "roster.many" (more than ROSTER_MAX); offset says the place,
 * what repeats nothing of the text. On success *ret is the caller's to end with roster_done(). */
bool roster_of_text(const char *text, size_t len, struct roster *ret, struct err *err) MUST_CHECK;

/* Group.member[].entity of those that are not inactive; List.entry[].item of those that are not
 * deleted. Errors: ERR_INPUT "roster.shape" (neither), "roster.many". */
bool roster_of_resource(const struct node *at, struct roster *ret, struct err *err) MUST_CHECK;

bool roster_has(const struct roster *roster, const char *id);

void roster_done(struct roster *roster);
