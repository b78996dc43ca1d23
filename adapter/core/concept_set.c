/* Sets of concepts: their numbers, ascending. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge.h"

/* Where concept stands or would stand. */
static size_t set_place(const struct concept_set *set, unsigned concept)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->items[mid] < concept)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool concept_set_has(const struct concept_set *set, unsigned concept)
{
    size_t at = set_place(set, concept);

    return at < set->count && set->items[at] == concept;
}

bool concept_set_within(const struct concept_set *inner, const struct concept_set *outer)
{
    for (size_t i = 0; i < inner->count; i++)
        if (!concept_set_has(outer, inner->items[i])) return false;
    return true;
}

void concept_set_add(struct concept_set *set, unsigned concept)
{
    size_t at = set_place(set, concept);

    if (at < set->count && set->items[at] == concept) return;
    set->items = mem_resize(set->items, (set->count + 1) * sizeof *set->items);
    memmove(&set->items[at + 1], &set->items[at], (set->count - at) * sizeof *set->items);
    set->items[at] = concept;
    set->count++;
}

void concept_set_done(struct concept_set *set)
{
    free(set->items);
    *set = (struct concept_set){ 0 };
}
