#include "app/recorded_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int by_id(const void *a, const void *b)
{
    const struct recorded *one = *(struct recorded *const *)a;
    const struct recorded *other = *(struct recorded *const *)b;
    int order = strcmp(one->head.id, other->head.id);

    if (order) return order;
    return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static int by_alias(const void *a, const void *b)
{
    const struct recorded *one = *(struct recorded *const *)a;
    const struct recorded *other = *(struct recorded *const *)b;
    int order = strcmp(one->alias, other->alias);

    if (order) return order;
    return one->serial < other->serial ? -1 : one->serial > other->serial;
}

void recorded_index_build(struct recorded_index *index, struct recorded *items, size_t count)
{
    index->medications = mem_zero(count + 1, sizeof *index->medications);
    index->aliases = mem_zero(count + 1, sizeof *index->aliases);
    for (size_t i = 0; i < count; i++) {
        struct recorded *at = &items[i];
        if (strcmp(at->head.type, "Medication") == 0 && at->doc)
            index->medications[index->medication_count++] = at;
        if (at->alias && at->alias[0]) index->aliases[index->alias_count++] = at;
    }
    qsort(index->medications, index->medication_count, sizeof *index->medications, by_id);
    qsort(index->aliases, index->alias_count, sizeof *index->aliases, by_alias);
}

static const char *alias_of(const struct recorded *recorded)
{
    return recorded->alias;
}

static const char *id_of(const struct recorded *recorded)
{
    return recorded->head.id;
}

/* The last of a sorted list whose text is the one wanted; NULL when there is none. */
static struct recorded *last_of(struct recorded **list, size_t count,
                                const char *(*text)(const struct recorded *), const char *wanted)
{
    size_t low = 0, high = count;

    while (low < high) { /* the first one behind */
        size_t middle = low + (high - low) / 2;
        if (strcmp(text(list[middle]), wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low && strcmp(text(list[low - 1]), wanted) == 0 ? list[low - 1] : NULL;
}

const char *recorded_index_id(const struct recorded_index *index, const char *id)
{
    const struct recorded *named = last_of(index->aliases, index->alias_count, alias_of, id);

    return named ? named->head.id : id;
}

const struct doc_value *recorded_index_find(void *arg, const char *type, const char *id)
{
    const struct recorded_index *index = arg;
    const struct recorded *found;

    if (type[0] && strcmp(type, "Medication") != 0) return NULL;
    found =
        last_of(index->medications, index->medication_count, id_of, recorded_index_id(index, id));
    return found ? doc_root(found->doc) : NULL;
}

void recorded_index_done(struct recorded_index *index)
{
    free(index->medications);
    free(index->aliases);
}
