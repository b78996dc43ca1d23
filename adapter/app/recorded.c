#include "app/recorded.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"

static bool same_resource(const struct recorded *one, const struct recorded *other)
{
    return strcmp(one->head.id, other->head.id) == 0 &&
           strcmp(one->head.type, other->head.type) == 0;
}

/* "9" before "10": version ids of most servers are numbers. 0 when they do not tell. */
static int version_id_compare(const char *one, const char *other)
{
    size_t n = strspn(one, "0123456789"), m = strspn(other, "0123456789");

    if (!n || !m || one[n] || other[m]) return 0;
    if (n != m) return n < m ? -1 : 1;
    return strcmp(one, other);
}

static int version_compare(const struct recorded *one, const struct recorded *other)
{
    int order;

    if (one->head.updated_ms != INSTANT_UNSET && other->head.updated_ms != INSTANT_UNSET &&
        one->head.updated_ms != other->head.updated_ms)
        return one->head.updated_ms < other->head.updated_ms ? -1 : 1;
    order = version_id_compare(one->head.version, other->head.version);
    if (order) return order;
    if (one->hash == other->hash) return 0;
    if (one->newest_first && other->newest_first) return one->serial > other->serial ? -1 : 1;
    return one->serial < other->serial ? -1 : 1;
}

/* By type, id and then age. */
static int item_compare(const void *a, const void *b)
{
    const struct recorded *one = *(struct recorded *const *)a;
    const struct recorded *other = *(struct recorded *const *)b;
    int order = strcmp(one->head.type, other->head.type);

    if (!order) order = strcmp(one->head.id, other->head.id);
    if (!order) order = version_compare(one, other);
    if (order) return order;
    return one->serial < other->serial ? -1 : one->serial > other->serial;
}

static int patient_compare(const void *a, const void *b)
{
    const struct recorded *one = *(struct recorded *const *)a;
    const struct recorded *other = *(struct recorded *const *)b;
    int order = strcmp(one->head.patient, other->head.patient);

    return order ? order : item_compare(a, b);
}

static int clock_compare(const void *a, const void *b)
{
    const struct recorded *one = *(struct recorded *const *)a;
    const struct recorded *other = *(struct recorded *const *)b;

    if (one->at_ms != other->at_ms) return one->at_ms < other->at_ms ? -1 : 1;
    return item_compare(a, b);
}

/* Copies of one version count once: the same bytes, or the same version id at the same time. */
static size_t twins_drop(struct recorded **items, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        const struct recorded *at = items[i], *last = kept ? items[kept - 1] : NULL;
        if (last && same_resource(last, at) && !at->deleted && !last->deleted &&
            (last->hash == at->hash ||
             (at->head.version[0] && strcmp(last->head.version, at->head.version) == 0 &&
              last->head.updated_ms == at->head.updated_ms)))
            continue;
        items[kept++] = items[i];
    }
    return kept;
}

/* The first version of a resource happens at its clinical time, later ones when the server stored
 * them, and never before the version they replace. What has no time at all happens first. */
static void clock_set(struct recorded **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct recorded *at = items[i], *before = i ? items[i - 1] : NULL;
        bool later = before && same_resource(before, at);
        at->at_ms = at->head.clinical_ms;
        if (later || at->at_ms == INSTANT_UNSET) at->at_ms = at->head.updated_ms;
        if (later && at->at_ms < before->at_ms) at->at_ms = before->at_ms;
    }
}

/* A deletion names no patient: it is about the patient of the version before. A version that names
 * another patient takes the resource away from the one before. Returns the number of items; items has
 * room for twice as many. */
static size_t patients_settle(struct recorded **items, size_t count, struct arena *arena)
{
    size_t all = count;

    for (size_t i = 1; i < count; i++) {
        struct recorded *at = items[i], *before = items[i - 1], *moved;
        if (!same_resource(before, at)) continue;
        if (at->deleted) {
            at->head.patient = before->head.patient;
        } else if (strcmp(before->head.patient, at->head.patient) != 0) {
            moved = arena_alloc(arena, sizeof *moved);
            *moved = *before;
            moved->doc = NULL;
            moved->deleted = true;
            moved->at_ms = at->at_ms;
            moved->head.updated_ms = at->head.updated_ms;
            items[all++] = moved;
        }
    }
    return all;
}

size_t recorded_settle(struct recorded **items, size_t count, struct arena *arena)
{
    qsort(items, count, sizeof *items, item_compare);
    count = twins_drop(items, count);
    clock_set(items, count);
    count = patients_settle(items, count, arena);
    qsort(items, count, sizeof *items, patient_compare);
    return count;
}

void recorded_by_clock(struct recorded **items, size_t count)
{
    qsort(items, count, sizeof *items, clock_compare);
}
