/* Finds recorded resources that others refer to: Medications by id, and any by the uuid that a Bundle
 * names it by. */
#pragma once

#include "app/recorded.h"

/* Sorted lists of pointers, searched by one text. All zero is empty. */
struct recorded_index {
    struct recorded **medications; /* owned, as the other; what they point to is borrowed */
    size_t medication_count;
    struct recorded **aliases;
    size_t alias_count;
};

/* Once; items must not move afterwards. */
void recorded_index_build(struct recorded_index *index, struct recorded *items, size_t count);
void recorded_index_done(struct recorded_index *index);

/* The id behind a reference that may be the uuid of a Bundle entry; borrowed. */
const char *recorded_index_id(const struct recorded_index *index, const char *id);

/* For struct resource_library, arg being the index: the newest version read of the Medication of that
 * id or uuid. */
const struct doc_value *recorded_index_find(void *arg, const char *type, const char *id);
