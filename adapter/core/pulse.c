#include "core/pulse.h"

#include "base/instant.h"

#define PULSE_TIMES    7
#define PULSE_LEAST_MS (3 * INSTANT_DAY)

bool pulse_beat(struct pulse *pulse, int64_t at_ms)
{
    bool over = pulse->warned;

    if (pulse->last_ms == INSTANT_UNSET) {
        pulse->first_ms = pulse->last_ms = at_ms;
        return false;
    }
    if (at_ms <= pulse->last_ms) return false;
    if (!over && at_ms - pulse->last_ms > pulse->longest_ms)
        pulse->longest_ms = at_ms - pulse->last_ms;
    pulse->last_ms = at_ms;
    pulse->warned = false;
    return over;
}

void pulse_miss(struct pulse *pulse, int64_t at_ms)
{
    if (pulse->missed_ms == INSTANT_UNSET || at_ms > pulse->missed_ms) pulse->missed_ms = at_ms;
}

bool pulse_is_silent(const struct pulse *pulse, int64_t now_ms, bool asked)
{
    int64_t silence;

    if (pulse->last_ms == INSTANT_UNSET || !pulse->longest_ms) return false;
    if (asked && (pulse->missed_ms == INSTANT_UNSET || pulse->missed_ms <= pulse->last_ms))
        return false;
    silence = now_ms - pulse->last_ms;
    return silence >= PULSE_LEAST_MS && silence / PULSE_TIMES >= pulse->longest_ms;
}
