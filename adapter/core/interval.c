#include "core/interval.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"

struct interval interval_exactly(struct decimal value)
{
    return (struct interval){ .low = value, .high = value };
}

/* A comparator that we do not know says nothing: no bounds, every answer unknown. */
struct interval interval_from(struct decimal value, const char *comparator)
{
    static const struct {
        const char *text;
        bool low_none, high_none, open;
    } rows[] = {
        { "<", true, false, true },
        { "<=", true, false, false },
        { ">", false, true, true },
        { ">=", false, true, false },
    };
    struct interval at = interval_exactly(value);

    if (!comparator) return at;
    at.low_none = at.high_none = true;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(comparator, rows[i].text) != 0) continue;
        at.low_none = rows[i].low_none;
        at.high_none = rows[i].high_none;
        at.low_open = at.high_open = rows[i].open;
    }
    return at;
}

bool interval_is_exact(const struct interval *at)
{
    return !at->low_none && !at->high_none && !at->low_open && !at->high_open &&
           decimal_compare(at->low, at->high) == 0;
}

static enum truth below(const struct interval *at, struct decimal limit)
{
    int high = at->high_none ? 1 : decimal_compare(at->high, limit);

    if (high < 0 || (high == 0 && at->high_open)) return TRUTH_TRUE;
    if (!at->low_none && decimal_compare(at->low, limit) >= 0) return TRUTH_FALSE;
    return TRUTH_UNKNOWN;
}

static enum truth above(const struct interval *at, struct decimal limit)
{
    int low = at->low_none ? -1 : decimal_compare(at->low, limit);

    if (low > 0 || (low == 0 && at->low_open)) return TRUTH_TRUE;
    if (!at->high_none && decimal_compare(at->high, limit) <= 0) return TRUTH_FALSE;
    return TRUTH_UNKNOWN;
}

enum truth interval_compare(const struct interval *at, enum compare compare, struct decimal limit)
{
    switch (compare) {
    case COMPARE_BELOW:
        return below(at, limit);
    case COMPARE_AT_LEAST:
        return truth_not(below(at, limit));
    case COMPARE_ABOVE:
        return above(at, limit);
    case COMPARE_AT_MOST:
        return truth_not(above(at, limit));
    }
    return TRUTH_UNKNOWN;
}

struct interval interval_shift(struct interval at, struct decimal add)
{
    at.low = decimal_add(at.low, add);
    at.high = decimal_add(at.high, add);
    return at;
}

struct interval interval_scale(struct interval at, struct decimal factor)
{
    assert(factor.digits > 0);
    at.low = decimal_multiply(at.low, factor);
    at.high = decimal_multiply(at.high, factor);
    return at;
}

struct interval interval_add(struct interval a, struct interval b)
{
    return (struct interval){ .low = decimal_add(a.low, b.low),
                              .high = decimal_add(a.high, b.high),
                              .low_open = a.low_open || b.low_open,
                              .high_open = a.high_open || b.high_open,
                              .low_none = a.low_none || b.low_none,
                              .high_none = a.high_none || b.high_none };
}

struct interval interval_negate(struct interval at)
{
    return (struct interval){ .low = decimal_subtract(DECIMAL_ZERO, at.high),
                              .high = decimal_subtract(DECIMAL_ZERO, at.low),
                              .low_open = at.high_open,
                              .high_open = at.low_open,
                              .low_none = at.high_none,
                              .high_none = at.low_none };
}

struct interval interval_about(double number)
{
    const double slack = 1e-12;

    return (struct interval){ .low = decimal_from_double(number * (1 - slack)),
                              .high = decimal_from_double(number * (1 + slack)) };
}

struct interval interval_root(double near, int power, int64_t divisor, struct decimal product)
{
    struct decimal root = decimal_round(decimal_from_double(near), 6), back = decimal_of(divisor);

    for (int i = 0; i < power; i++) back = decimal_multiply(back, root);
    return decimal_compare(back, product) == 0 ? interval_exactly(root) : interval_about(near);
}

struct interval interval_multiply(struct interval a, struct interval b)
{
    return (struct interval){ .low = decimal_multiply(a.low, b.low),
                              .high = decimal_multiply(a.high, b.high),
                              .low_open = a.low_open || b.low_open,
                              .high_open = a.high_open || b.high_open,
                              .low_none = a.low_none || b.low_none,
                              .high_none = a.high_none || b.high_none };
}

static void take_lower(struct interval *at, const struct interval *other)
{
    int order = decimal_compare(other->low, at->low);

    at->low_none = at->low_none || other->low_none;
    if (order == 0) at->low_open = at->low_open && other->low_open;
    if (order >= 0) return;
    at->low = other->low;
    at->low_open = other->low_open;
}

static void take_higher(struct interval *at, const struct interval *other)
{
    int order = decimal_compare(other->high, at->high);

    at->high_none = at->high_none || other->high_none;
    if (order == 0) at->high_open = at->high_open && other->high_open;
    if (order <= 0) return;
    at->high = other->high;
    at->high_open = other->high_open;
}

struct interval interval_hull(struct interval a, struct interval b)
{
    take_lower(&a, &b);
    take_higher(&a, &b);
    return a;
}
