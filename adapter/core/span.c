#include "core/span.h"

struct interval span_all(void)
{
    return (struct interval){ .low_none = true, .high_none = true };
}

struct interval span_of(const struct threshold *limit)
{
    struct interval at = span_all();

    if (limit->range) return (struct interval){ .low = limit->low, .high = limit->high };
    switch (limit->compare) {
    case COMPARE_BELOW:
    case COMPARE_AT_MOST:
        at.high_none = false;
        at.high = limit->low;
        at.high_open = limit->compare == COMPARE_BELOW;
        break;
    case COMPARE_ABOVE:
    case COMPARE_AT_LEAST:
        at.low_none = false;
        at.low = limit->low;
        at.low_open = limit->compare == COMPARE_ABOVE;
        break;
    }
    return at;
}

static bool is_whole(struct decimal number)
{
    return number.exponent >= 0;
}

/* From a whole number, included, to the next but not included: spans that touch leave no gap. */
struct interval span_of_years(const struct threshold *limit)
{
    struct interval at = span_of(limit);

    if (!at.low_none && at.low_open && is_whole(at.low)) {
        at.low = decimal_add(at.low, decimal_of(1));
        at.low_open = false;
    }
    if (!at.high_none && !at.high_open && is_whole(at.high)) {
        at.high = decimal_add(at.high, decimal_of(1));
        at.high_open = true;
    }
    return at;
}

/* Does a begin no later than b? */
static bool begins_by(const struct interval *a, const struct interval *b)
{
    int order;

    if (a->low_none || b->low_none) return a->low_none;
    order = decimal_compare(a->low, b->low);
    return order < 0 || (order == 0 && (!a->low_open || b->low_open));
}

/* Does a end no earlier than b? */
static bool ends_after(const struct interval *a, const struct interval *b)
{
    int order;

    if (a->high_none || b->high_none) return a->high_none;
    order = decimal_compare(a->high, b->high);
    return order > 0 || (order == 0 && (!a->high_open || b->high_open));
}

/* Does a end before b begins? */
static bool ends_before(const struct interval *a, const struct interval *b)
{
    int order;

    if (a->high_none || b->low_none) return false;
    order = decimal_compare(a->high, b->low);
    return order < 0 || (order == 0 && (a->high_open || b->low_open));
}

bool span_within(const struct interval *inner, const struct interval *outer)
{
    return begins_by(outer, inner) && ends_after(outer, inner);
}

bool span_disjoint(const struct interval *a, const struct interval *b)
{
    return ends_before(a, b) || ends_before(b, a);
}

/* What of at lies above the end of taken. */
static struct interval rest_above(const struct interval *at, const struct interval *taken)
{
    struct interval rest = *at;

    rest.low = taken->high;
    rest.low_none = false;
    rest.low_open = !taken->high_open;
    return rest;
}

bool span_covered(const struct interval *at, const struct interval *by, size_t count)
{
    struct interval rest = *at;
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            if (span_disjoint(&by[i], &rest) || !begins_by(&by[i], &rest)) continue;
            if (ends_after(&by[i], &rest)) return true;
            rest = rest_above(&rest, &by[i]);
            moved = true;
        }
    }
    return false;
}

#define MONTH_LEAST 28 /* days */
#define MONTH_MOST  31

bool duration_at_most(struct duration a, struct duration b)
{
    if (a.months <= b.months && a.ms <= b.ms) return true;
    return a.months * MONTH_MOST * INSTANT_DAY + a.ms <=
           b.months * MONTH_LEAST * INSTANT_DAY + b.ms;
}
