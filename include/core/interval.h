/* A value that is known only within bounds: "<0.5", "2 to 4 tablets", a doubtful unit. */
#pragma once

#include <stdbool.h>

#include "base/decimal.h"
#include "core/truth.h"

struct interval {
    struct decimal low, high;
    bool low_open, high_open; /* the bound itself is not included */
    bool low_none, high_none; /* no bound on that side */
};

enum compare { COMPARE_BELOW, COMPARE_AT_MOST, COMPARE_ABOVE, COMPARE_AT_LEAST };

struct interval interval_exactly(struct decimal value);

/* Of a FHIR Quantity.comparator: "<" "<=" ">" ">=" or NULL for none. */
struct interval interval_from(struct decimal value, const char *comparator);

bool interval_is_exact(const struct interval *at);

/* Is every value of the interval on that side of the limit (true), none (false), or some? */
enum truth interval_compare(const struct interval *at, enum compare compare, struct decimal limit);

/* Each bound plus, times a constant (factor > 0). */
struct interval interval_shift(struct interval at, struct decimal add);
struct interval interval_scale(struct interval at, struct decimal factor);

/* The sum of one of each; the values with the other sign; a value above 0 as a double knows it, with
 * a part in 10^12 to both sides for what it does not. */
struct interval interval_add(struct interval a, struct interval b);
struct interval interval_negate(struct interval at);
struct interval interval_about(double number);

/* The root of that power of product / divisor; near: as a double knows it. Exact where it is a decimal
 * of at most six places. */
struct interval interval_root(double near, int power, int64_t divisor, struct decimal product);

/* The product of one of each. None of them is below 0, bound or not. */
struct interval interval_multiply(struct interval a, struct interval b);

/* The hull of two intervals. */
struct interval interval_hull(struct interval a, struct interval b);
