/* Spans of numbers and of time, as thresholds and windows give them. */
#pragma once

#include "core/rule.h"

/* The values that a threshold is true for. */
struct interval span_of(const struct threshold *limit);

/* The same for completed years, where "above 75" and "at least 76" are one. */
struct interval span_of_years(const struct threshold *limit);

/* Every value. */
struct interval span_all(void);

bool span_within(const struct interval *inner, const struct interval *outer);
bool span_disjoint(const struct interval *a, const struct interval *b);

/* Is every value of at in one of the others? */
bool span_covered(const struct interval *at, const struct interval *by, size_t count);

/* Is a surely no longer than b? (Months have no fixed length.) */
bool duration_at_most(struct duration a, struct duration b);
