/* What the files of fhir/timing.h share. Private to them. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/node.h"
#include "fhir/timing.h"

struct period_unit {
    const char *code, *word, *adverb;
    const char *hours; /* decimal */
    int32_t months;    /* 0: it is as long as its hours */
};

/* "s", "min", "h", "d", "wk", "mo", "a"; NULL for anything else. */
const struct period_unit *timing_unit(const char *code);

/* times to times_max administrations in every period to period_max. */
struct rhythm {
    struct decimal times, times_max, period, period_max;
    const struct period_unit *unit;
    size_t week_days; /* days of the week it is limited to; 0: all */
};

/* The rate and the words of a rhythm; or why, where its days of the week do not fit. */
void timing_set(struct rhythm *rhythm, struct timing *ret);

/* Timing.code, a CodeableConcept. silent: the repeat does not say how often, so that the code does.
 * Beside a repeat that does, one that says something else leaves the rate between the two.
 * (timing_code.c) */
void timing_read_code(const struct node *concept, bool silent, struct timing *ret);

/* Timing.event, a list of dates. (timing_event.c) */
void timing_read_events(const struct node *list, struct timing *ret);

/* It is one administration, whatever else was read. */
void timing_once(struct timing *ret);
