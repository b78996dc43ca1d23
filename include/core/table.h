/* A hash table from (scope, text) to a number, for the knowledge: codes below their system, units
 * below their analyte, names below their kind. Every entry remembers the line that made it, so that
 * a second claim can name both. Entries are never removed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct table_entry {
    const char *text; /* borrowed: in the arena; NULL: a free place */
    uint32_t scope;
    uint32_t value; /* 0: new, nothing stored yet */
    uint32_t line;  /* where it was claimed first */
    uint16_t file, column;
};

struct table {
    struct table_entry *entries; /* owned */
    size_t room, count;          /* room is a power of two */
};

/* The entry for (scope, len bytes of text), NULL when there is none; borrowed until the next
 * table_add(). */
const struct table_entry *table_find(const struct table *table, uint32_t scope, const char *text,
                                     size_t len);

/* The value of that entry, 0 when there is none. */
uint32_t table_value(const struct table *table, uint32_t scope, const char *text);

/* The entry, made when there is none: then its value is 0 and its text a copy in the arena.
 * Borrowed until the next table_add(). */
struct table_entry *table_add(struct table *table, struct arena *arena, uint32_t scope,
                              const char *text);

/* A zeroed struct is an empty table, before and after. */
void table_done(struct table *table);
