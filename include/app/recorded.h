/* Versions of resources as they were read from files: which of them are the same, in which order they
 * were made, when each happened on the virtual clock, and whom it is about. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/doc.h"
#include "fhir/resource.h"

/* One version of one resource, as it was read. */
struct recorded {
    struct resource_head head; /* strings in their arena */
    struct doc *doc;           /* owned by whoever collects them */
    const char *file;          /* for messages; borrowed */
    size_t index;              /* entry or line, from 0 */
    uint64_t hash;             /* of its bytes: twins are one version */
    const char *alias;         /* "urn:uuid:" of entry.fullUrl without the prefix; "" */
    bool newest_first;         /* of a history Bundle */
    bool deleted;
    int64_t at_ms; /* when it happened on the virtual clock */
    size_t serial; /* in the order of reading */
};

/* Bring versions of all patients together by patient: copies count once, each gets its at_ms, a deletion
 * the patient of the version before it, and a resource that goes over to another patient is deleted
 * for the first. items is borrowed and has room for twice as many; what is added is in the arena.
 * Returns their number. */
size_t recorded_settle(struct recorded **items, size_t count, struct arena *arena);

/* Bring those of one patient in the order of the clock. */
void recorded_by_clock(struct recorded **items, size_t count);
