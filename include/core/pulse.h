/* Something that ought to come again and again: when was it seen last, and is it silent by now? How
 * long is too long comes from its own pauses so far. Operational, not clinical. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pulse {
    int64_t first_ms, last_ms; /* of its beats; INSTANT_UNSET: none yet */
    int64_t longest_ms;        /* pause between two beats that was no silence */
    int64_t missed_ms;         /* asked for in vain, last; INSTANT_UNSET: never */
    bool warned;               /* its silence has been told */
};

#define PULSE_NONE                                                                                 \
    ((struct pulse){                                                                               \
        .first_ms = INSTANT_UNSET, .last_ms = INSTANT_UNSET, .missed_ms = INSTANT_UNSET })

/* It came. One that is older than the last says nothing. True: a silence that was told is over. */
bool pulse_beat(struct pulse *pulse, int64_t at_ms);

/* It was asked for and did not come. */
void pulse_miss(struct pulse *pulse, int64_t at_ms);

/* Silent for 7 times its longest pause and 3 days at least; needs two beats to have a pause.
 * asked: only if it was missed since. */
bool pulse_is_silent(const struct pulse *pulse, int64_t now_ms, bool asked);
