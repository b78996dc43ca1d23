/* How often, and from when to when: one FHIR Timing. Free text never decides. Private to fhir/.
 * Pure. */
#pragma once

#include <stdbool.h>

#include "base/decimal.h"
#include "base/instant.h"
#include "base/node.h"
#include "core/day_time.h"
#include "core/interval.h"

struct timing {
    bool known;                       /* the next three are set */
    struct decimal times, times_max;  /* administrations in every ... */
    struct decimal shortest, longest; /* ... so many hours */
    struct interval hours;            /* between two of them */
    struct duration every;            /* from each of them to the next; 0: not so regular */
    bool once;                        /* a single administration */
    bool every_day;                   /* at least one on every day */
    bool counted;                     /* ends after a number of administrations */
    bool as_needed;                   /* the code says so ("Q6H PRN") */
    const char *why;                  /* not known: our words, static; "" */
    char words[96];                   /* "once daily"; "" */
    struct span period;               /* bounds: start INSTANT_UNSET, end INSTANT_NEVER when open */
    int64_t start_span_ms;            /* the start lies within so long; 0: to the minute */
    struct day_times day_times;       /* chart_order.times */
    bool has_length;                  /* bounds as a length of time instead */
    struct duration length;
};

/* at: the Timing, which may be absent. */
void timing_read(const struct node *at, struct timing *ret);

/* A single dose times the administrations in 24 h, averaged. timing must be known. */
struct interval timing_daily(const struct timing *timing, const struct interval *single);
