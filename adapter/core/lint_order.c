/* Which orders count for two order clauses. */
#include <string.h>

#include "core/lint_impl.h"

enum { ACTIVE = 1, HELD = 2, PLANNED = 4, ENDED = 8 };

static unsigned states(enum order_wanted wanted)
{
    switch (wanted) {
    case ORDER_WANT_ACTIVE:
        return ACTIVE;
    case ORDER_WANT_HELD:
        return HELD;
    case ORDER_WANT_ACTIVE_OR_HELD:
        return ACTIVE | HELD;
    case ORDER_WANT_ACTIVE_OR_PLANNED:
        return ACTIVE | PLANNED;
    case ORDER_WANT_PLANNED:
        return PLANNED;
    case ORDER_WANT_ENDED:
        return ENDED;
    }
    return 0;
}

static const struct duration *linger_of(const struct order_clause *order, unsigned drug)
{
    for (size_t i = 0; i < order->linger_drugs.count; i++)
        if (order->linger_drugs.items[i] == drug) return &order->linger[i];
    return NULL;
}

/* What a counts after its end, b counts as well. */
static bool lingers_within(const struct order_clause *a, const struct order_clause *b)
{
    if (states(b->wanted) & ENDED) return true;
    for (size_t i = 0; i < a->linger_drugs.count; i++) {
        const struct duration *other = linger_of(b, a->linger_drugs.items[i]);
        if (!other || !duration_at_most(a->linger[i], *other)) return false;
    }
    return true;
}

/* Is what b asks of a dose asked by a as well, at least as strictly? */
static bool dose_within(bool a_has, const struct threshold *a, bool b_has,
                        const struct threshold *b)
{
    struct interval inner, outer;

    if (!b_has) return true;
    if (!a_has) return false;
    inner = span_of(a);
    outer = span_of(b);
    return span_within(&inner, &outer);
}

static bool doses_within(const struct order_clause *a, const struct order_clause *b)
{
    bool asked = b->has_single || b->has_daily || b->has_total;

    if (asked && (!a->dose_unit || strcmp(a->dose_unit, b->dose_unit) != 0)) return false;
    if (b->has_total &&
        (a->total_span.ms != b->total_span.ms || a->total_span.months != b->total_span.months))
        return false;
    return dose_within(a->has_single, &a->single, b->has_single, &b->single) &&
           dose_within(a->has_daily, &a->daily, b->has_daily, &b->daily) &&
           dose_within(a->has_total, &a->total, b->has_total, &b->total);
}

static bool times_within(const struct order_clause *a, const struct order_clause *b)
{
    if (b->has_started_within &&
        !(a->has_started_within && duration_at_most(a->started_within, b->started_within)))
        return false;
    if (b->has_started_before &&
        !(a->has_started_before && duration_at_most(b->started_before, a->started_before)))
        return false;
    return !b->has_ended_within ||
           (a->has_ended_within && duration_at_most(a->ended_within, b->ended_within));
}

static bool pair_within(const struct pair_clause *a, const struct pair_clause *b)
{
    if (!b->given) return true;
    return a->given && concept_set_within(&a->drugs, &b->drugs) &&
           (b->same_time || duration_at_most(a->length, b->length));
}

/* Several at once are at least as many, and overlap for as long. */
static bool count_within(const struct order_clause *a, const struct order_clause *b)
{
    if (b->at_least > a->at_least) return false;
    return !b->has_overlap || (a->has_overlap && duration_at_most(b->overlap, a->overlap));
}

bool order_within(const struct order_clause *a, const struct order_clause *b)
{
    return concept_set_within(&a->drugs, &b->drugs) && !(states(a->wanted) & ~states(b->wanted)) &&
           lingers_within(a, b) && (!b->routes || (a->routes && !(a->routes & ~b->routes))) &&
           (b->any_use || !a->any_use) && (!b->continuous || a->continuous) && doses_within(a, b) &&
           times_within(a, b) && count_within(a, b) && pair_within(&a->starts, &b->starts) &&
           pair_within(&a->times, &b->times);
}
