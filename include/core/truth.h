/* Three-valued logic, and why an answer is not known. */
#pragma once

#include <stdint.h>

enum truth { TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_TRUE };

/* Why a clause is unknown; a set of bits. */
enum doubt {
    DOUBT_MISSING = 1 << 0,    /* no such result on record */
    DOUBT_STALE = 1 << 1,      /* the newest one is older than the rule allows */
    DOUBT_UNMAPPED = 1 << 2,   /* an order (or condition) without a code that we know */
    DOUBT_UNIT = 1 << 3,       /* a value without unit, or in one that cannot be converted */
    DOUBT_COMPARATOR = 1 << 4, /* "<2" against a threshold of 1: the value may be on either side */
    DOUBT_STATUS = 1 << 5, /* an order or condition whose status does not say whether it counts */
    DOUBT_TIME = 1 << 6,   /* a fact without a usable date */
    DOUBT_DOSE = 1 << 7,   /* a dose that cannot be computed (free text, ranges, no strength) */
    DOUBT_INPUT = 1 << 8,  /* an input of a formula is missing (weight, age, sex ...) */
    DOUBT_UNREADABLE = 1 << 9, /* the newest result has no value that can be read */
    DOUBT_HISTORY = 1 << 10,   /* more changes of the chart than are looked through */
};

static inline enum truth truth_not(enum truth a)
{
    return (enum truth)(TRUTH_TRUE - a);
}

static inline enum truth truth_and(enum truth a, enum truth b)
{
    return a < b ? a : b;
}

static inline enum truth truth_or(enum truth a, enum truth b)
{
    return a > b ? a : b;
}
