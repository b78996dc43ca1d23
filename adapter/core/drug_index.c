#include <stdlib.h>
#include <string.h>

#include "core/eval_impl.h"

/* An order that was entered in error is nobody's: no clause asks for one. */
static bool is_there(const struct chart_order *order)
{
    return order->state != ORDER_REMOVED && order->state != ORDER_DRAFT;
}

static int place_before(const void *a, const void *b)
{
    const struct drug_place *x = a, *y = b;

    if (x->concept != y->concept) return x->concept < y->concept ? -1 : 1;
    if (x->order != y->order) return x->order < y->order ? -1 : 1; /* of one array */
    return x->drug < y->drug ? -1 : x->drug > y->drug;
}

static void unknown_add(const struct chart_order *order, struct drug_index *index)
{
    if (order->other)
        index->others[index->other_count++] = order;
    else
        index->unmapped[index->unmapped_count++] = order;
}

static void places_collect(const struct eval *eval, struct drug_index *index)
{
    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        if (!is_there(order)) continue;
        bool over = is_over(eval, order);
        if (!order->ingredient_count) unknown_add(order, index);
        for (size_t j = 0; j < order->ingredient_count; j++) {
            const struct chart_ingredient *drug = &order->ingredients[j];
            index->places[index->count++] = (struct drug_place){ drug->concept, order, drug, over };
            if (drug->concept >= index->limit) index->limit = drug->concept + 1;
        }
    }
}

static void bits_set(struct drug_index *index, struct arena *arena)
{
    size_t words = index->limit / 64 + 1;

    index->present = arena_alloc(arena, words * sizeof *index->present);
    memset(index->present, 0, words * sizeof *index->present);
    for (size_t i = 0; i < index->count; i++) {
        unsigned concept = index->places[i].concept;
        index->present[concept / 64] |= UINT64_C(1) << concept % 64;
    }
}

struct drug_index drug_index_make(const struct eval *eval)
{
    const struct chart *chart = eval->chart;
    struct arena *arena = eval->arena;
    struct drug_index index = { 0 };
    size_t count = 0;

    for (size_t i = 0; i < chart->order_count; i++) count += chart->orders[i].ingredient_count;
    index.places = arena_alloc(arena, count * sizeof *index.places);
    index.unmapped = arena_alloc(arena, chart->order_count * sizeof *index.unmapped);
    index.others = arena_alloc(arena, chart->order_count * sizeof *index.others);
    places_collect(eval, &index);
    if (index.count > 1) qsort(index.places, index.count, sizeof *index.places, place_before);
    bits_set(&index, arena);
    return index;
}

struct drug_index drug_index_then(const struct drug_index *now, const struct eval *then)
{
    struct drug_index index = *now;

    index.places = arena_alloc(then->arena, index.count * sizeof *index.places);
    for (size_t i = 0; i < index.count; i++) {
        index.places[i] = now->places[i];
        index.places[i].over = is_over(then, now->places[i].order);
    }
    return index;
}

size_t drug_index_find(const struct drug_index *index, unsigned concept,
                       const struct drug_place **ret)
{
    size_t low = 0, high = index->count, count = 0;

    if (concept >= index->limit || !(index->present[concept / 64] >> concept % 64 & 1)) return 0;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (index->places[mid].concept < concept)
            low = mid + 1;
        else
            high = mid;
    }
    while (low + count < index->count && index->places[low + count].concept == concept) count++;
    *ret = &index->places[low];
    return count;
}

/* From the side of the chart, which has fewer drugs than a long class. */
static size_t walk_chart(struct drug_walk *walk, const struct drug_place **ret)
{
    const struct drug_index *index = walk->index;

    while (walk->next < index->count) {
        const struct drug_place *place = &index->places[walk->next];
        size_t count = 1;
        while (walk->next + count < index->count && place[count].concept == place->concept) count++;
        walk->next += count;
        if (walk->bound != CONCEPT_NONE && walk->bound != place->concept) continue;
        if (!concept_set_has(walk->drugs, place->concept)) continue;
        *ret = place;
        return count;
    }
    return 0;
}

size_t drug_walk_next(struct drug_walk *walk, const struct drug_place **ret)
{
    if (walk->drugs->count > walk->index->count) return walk_chart(walk, ret);
    while (walk->next < walk->drugs->count) {
        unsigned concept = walk->drugs->items[walk->next++];
        size_t count;
        if (walk->bound != CONCEPT_NONE && walk->bound != concept) continue;
        count = drug_index_find(walk->index, concept, ret);
        if (count) return count;
    }
    return 0;
}
