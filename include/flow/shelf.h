/* The resources of one patient while they are worked on: what the store held, and what has changed.
 * A resource known to be gone from the server leaves a mark, so that a late notification does not
 * bring it back. Private to flow/. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/doc.h"
#include "fhir/resource.h"
#include "store/store.h"

#define SHELF_READ_MARK "-read" /* type of the row that says when the whole chart was read last */

struct shelf_item {
    struct store_resource resource; /* json: in the arena of the shelf */
    struct doc *doc;                /* owned; NULL: not parsed yet */
    bool held;                      /* the store has it in this chart */
    bool changed;                   /* it must be written */
    bool removed;                   /* it is no longer part of the chart */
    bool gone;                      /* a mark: the server does not have it any more */
    bool seen;                      /* by the search that reads the whole chart */
    bool unusable;                  /* its document cannot be read */
    const char *aside;              /* code: no chart can be made of it; NULL. See chart_build() */
};

struct shelf {
    struct arena *arena;      /* borrowed: strings live there */
    struct shelf_item *items; /* owned */
    size_t count, room;
    uint32_t *index;   /* owned: hash table of places in items, from 1; 0: free */
    size_t index_room; /* a power of two, at least twice count */
    int64_t read_ms;   /* wall clock of the last reading of the whole chart; INSTANT_UNSET */
};

/* Fill with what the store holds; strings are copied. */
void shelf_init(struct shelf *shelf, struct arena *arena, const struct store_resource *resources,
                size_t count);
void shelf_done(struct shelf *shelf);

/* NULL when there is none; removed items are not found, marks are. */
struct shelf_item *shelf_find(const struct shelf *shelf, const char *type, const char *id);

/* Put a version in; text is copied. Returns the item, good until the next call. */
struct shelf_item *shelf_put(struct shelf *shelf, const struct resource_head *head,
                             const char *text, size_t len);

/* The server says that it does not have it: leave a mark. */
void shelf_gone(struct shelf *shelf, const char *type, const char *id);

/* It is not part of this chart. */
void shelf_remove(struct shelf *shelf, const char *type, const char *id);

/* Everything out: the patient is not one of ours. */
void shelf_clear(struct shelf *shelf);

/* The document of an item, NULL for marks and what cannot be parsed. */
const struct doc *shelf_doc(struct shelf_item *item);

/* The whole chart has been read at that time. */
void shelf_set_read(struct shelf *shelf, int64_t read_ms);

/* What the store must write and remove; arrays are in the arena. */
size_t shelf_written(const struct shelf *shelf, const struct store_resource **ret);
size_t shelf_removed(const struct shelf *shelf, const struct store_resource **ret);
