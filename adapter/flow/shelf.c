#include "flow/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/mem.h"

static const char mark_text[] = "null"; /* what stands for a resource that is gone */

static const char *keep(const struct shelf *shelf, const char *text)
{
    return arena_copy(shelf->arena, text, strlen(text));
}

/* ---- finding */

static size_t hash(const char *type, const char *id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *type; type++) h = (h ^ (unsigned char)*type) * UINT64_C(0x100000001b3);
    for (; *id; id++) h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 32);
}

/* The place in the index of that type and id, or the free one where it belongs. */
static uint32_t *index_of(const struct shelf *shelf, const char *type, const char *id)
{
    size_t mask = shelf->index_room - 1, at = hash(type, id) & mask;

    for (; shelf->index[at]; at = (at + 1) & mask) {
        const struct store_resource *r = &shelf->items[shelf->index[at] - 1].resource;
        if (strcmp(r->id, id) == 0 && strcmp(r->type, type) == 0) break;
    }
    return &shelf->index[at];
}

static void grow(struct shelf *shelf)
{
    shelf->room = shelf->room ? 2 * shelf->room : 64;
    shelf->items = mem_resize(shelf->items, shelf->room * sizeof *shelf->items);
    free(shelf->index);
    shelf->index_room = 2 * shelf->room;
    shelf->index = mem_zero(shelf->index_room, sizeof *shelf->index);
    for (size_t i = 0; i < shelf->count; i++)
        *index_of(shelf, shelf->items[i].resource.type, shelf->items[i].resource.id) =
            (uint32_t)(i + 1);
}

static struct shelf_item *item_add(struct shelf *shelf, const char *type, const char *id)
{
    if (shelf->count == shelf->room) grow(shelf);
    *index_of(shelf, type, id) = (uint32_t)(shelf->count + 1);
    struct shelf_item *item = &shelf->items[shelf->count++];
    *item = (struct shelf_item){ .resource = { .type = keep(shelf, type),
                                               .id = keep(shelf, id),
                                               .version = "",
                                               .updated_ms = INSTANT_UNSET,
                                               .json = mark_text,
                                               .json_len = sizeof mark_text - 1 } };
    return item;
}

/* Also one that was removed: it comes back to its place. */
static struct shelf_item *item_of(const struct shelf *shelf, const char *type, const char *id)
{
    uint32_t at = shelf->count ? *index_of(shelf, type, id) : 0;

    return at ? &shelf->items[at - 1] : NULL;
}

/* ---- changing */

static void item_set(struct shelf_item *item, const char *json, size_t len)
{
    doc_free(item->doc);
    item->doc = NULL;
    item->unusable = false;
    item->removed = false;
    item->changed = true;
    item->resource.json = json;
    item->resource.json_len = len;
}

static void item_load(struct shelf *shelf, const struct store_resource *from)
{
    struct shelf_item *item = item_add(shelf, from->type, from->id);

    item->held = true;
    item->resource.version = keep(shelf, from->version);
    item->resource.updated_ms = from->updated_ms;
    item->resource.json = arena_copy(shelf->arena, from->json, from->json_len);
    item->resource.json_len = from->json_len;
    item->gone = from->json_len == sizeof mark_text - 1 &&
                 memcmp(from->json, mark_text, sizeof mark_text - 1) == 0;
}

void shelf_init(struct shelf *shelf, struct arena *arena, const struct store_resource *resources,
                size_t count)
{
    *shelf = (struct shelf){ .arena = arena, .read_ms = INSTANT_UNSET };
    for (size_t i = 0; i < count; i++) {
        if (strcmp(resources[i].type, SHELF_READ_MARK) == 0)
            shelf->read_ms = resources[i].updated_ms;
        item_load(shelf, &resources[i]);
    }
}

void shelf_done(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) doc_free(shelf->items[i].doc);
    free(shelf->items);
    free(shelf->index);
    *shelf = (struct shelf){ .arena = shelf->arena };
}

struct shelf_item *shelf_find(const struct shelf *shelf, const char *type, const char *id)
{
    struct shelf_item *item = item_of(shelf, type, id);

    return item && !item->removed ? item : NULL;
}

struct shelf_item *shelf_put(struct shelf *shelf, const struct resource_head *head,
                             const char *text, size_t len)
{
    struct shelf_item *item = item_of(shelf, head->type, head->id);

    if (!item) item = item_add(shelf, head->type, head->id);
    item->gone = false;
    item->resource.version = keep(shelf, head->version);
    item->resource.updated_ms = head->updated_ms;
    item_set(item, arena_copy(shelf->arena, text, len), len);
    return item;
}

void shelf_gone(struct shelf *shelf, const char *type, const char *id)
{
    struct shelf_item *item = item_of(shelf, type, id);

    if (!item) item = item_add(shelf, type, id);
    if (item->gone && !item->removed) return;
    item->gone = true;
    item->resource.version = "";
    item->resource.updated_ms = INSTANT_UNSET;
    item_set(item, mark_text, sizeof mark_text - 1);
}

void shelf_remove(struct shelf *shelf, const char *type, const char *id)
{
    struct shelf_item *item = item_of(shelf, type, id);

    if (item) item->removed = true;
}

void shelf_clear(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) shelf->items[i].removed = true;
    shelf->read_ms = INSTANT_UNSET;
}

const struct doc *shelf_doc(struct shelf_item *item)
{
    struct err err;

    if (item->gone || item->removed || item->unusable) return NULL;
    if (!item->doc && !doc_parse(item->resource.json, item->resource.json_len, 0, &item->doc, &err))
        item->unusable = true;
    return item->doc;
}

void shelf_set_read(struct shelf *shelf, int64_t read_ms)
{
    struct shelf_item *item = item_of(shelf, SHELF_READ_MARK, "chart");

    if (!item) item = item_add(shelf, SHELF_READ_MARK, "chart");
    item_set(item, mark_text, sizeof mark_text - 1);
    item->gone = true;
    item->resource.updated_ms = read_ms;
    shelf->read_ms = read_ms;
}

static bool is_written(const struct shelf_item *item)
{
    return item->changed && !item->removed;
}

static bool is_removed(const struct shelf_item *item)
{
    return item->removed && item->held;
}

static size_t collect(const struct shelf *shelf, bool (*wanted)(const struct shelf_item *item),
                      const struct store_resource **ret)
{
    struct store_resource *list =
        arena_alloc(shelf->arena, (shelf->count + 1) * sizeof(struct store_resource));
    size_t count = 0;

    for (size_t i = 0; i < shelf->count; i++)
        if (wanted(&shelf->items[i])) list[count++] = shelf->items[i].resource;
    *ret = list;
    return count;
}

size_t shelf_written(const struct shelf *shelf, const struct store_resource **ret)
{
    return collect(shelf, is_written, ret);
}

size_t shelf_removed(const struct shelf *shelf, const struct store_resource **ret)
{
    return collect(shelf, is_removed, ret);
}
