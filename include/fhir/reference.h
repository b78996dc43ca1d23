/* References to resources: relative, absolute, versioned, urn:uuid, contained. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define REFERENCE_ID_MAX 64 /* characters of a FHIR id */

struct reference {
    char type[40];                      /* "" for "#x" and urn: */
    char id[REFERENCE_ID_MAX + 1];      /* for urn:uuid: the uuid; for "#x": x */
    char version[REFERENCE_ID_MAX + 1]; /* "" without _history */
    bool contained, urn, absolute;
};

/* "Patient/1", "https://ehr/fhir/Patient/1/_history/2", "urn:uuid:...", "#med". False for anything
 * else: a conditional reference ("Practitioner?identifier=..."), illegal ids. */
bool reference_parse(const char *text, struct reference *ret) MUST_CHECK;

/* Is text a legal FHIR id: [A-Za-z0-9.-]{1,64}? */
bool reference_id_ok(const char *text);
