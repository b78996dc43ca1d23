#include "core/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ROOM_FIRST 64u

/* FNV-1a, scope first; the last steps spread the bits over the low ones, which choose the place. */
static uint32_t hash(uint32_t scope, const char *text, size_t len)
{
    uint32_t h = (2166136261u ^ scope) * 16777619u;

    for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)text[i]) * 16777619u;
    h ^= h >> 15;
    h *= 2246822519u;
    return h ^ h >> 13;
}

static bool is_it(const struct table_entry *entry, uint32_t scope, const char *text, size_t len)
{
    return entry->scope == scope && strncmp(entry->text, text, len) == 0 && !entry->text[len];
}

/* Where it is, or the free place where it would be. */
static struct table_entry *place(const struct table *table, uint32_t scope, const char *text,
                                 size_t len)
{
    size_t at = hash(scope, text, len) & (table->room - 1);

    while (table->entries[at].text && !is_it(&table->entries[at], scope, text, len))
        at = (at + 1) & (table->room - 1);
    return &table->entries[at];
}

const struct table_entry *table_find(const struct table *table, uint32_t scope, const char *text,
                                     size_t len)
{
    if (!table->room) return NULL;
    const struct table_entry *entry = place(table, scope, text, len);
    return entry->text ? entry : NULL;
}

uint32_t table_value(const struct table *table, uint32_t scope, const char *text)
{
    const struct table_entry *entry = table_find(table, scope, text, strlen(text));

    return entry ? entry->value : 0;
}

static void grow(struct table *table)
{
    struct table old = *table;

    table->room = old.room ? 2 * old.room : ROOM_FIRST;
    table->entries = mem_zero(table->room, sizeof *table->entries);
    for (size_t i = 0; i < old.room; i++) {
        const struct table_entry *entry = &old.entries[i];
        if (entry->text) *place(table, entry->scope, entry->text, strlen(entry->text)) = *entry;
    }
    free(old.entries);
}

struct table_entry *table_add(struct table *table, struct arena *arena, uint32_t scope,
                              const char *text)
{
    size_t len = strlen(text);

    if (table->count >= table->room / 2) grow(table);
    struct table_entry *entry = place(table, scope, text, len);
    if (entry->text) return entry;
    *entry = (struct table_entry){ .text = arena_copy(arena, text, len), .scope = scope };
    table->count++;
    return entry;
}

void table_done(struct table *table)
{
    free(table->entries);
    *table = (struct table){ 0 };
}
