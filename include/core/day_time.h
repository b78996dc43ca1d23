/* At which times of the day an order is taken, as far as it says so: clock times, and moments such as
 * "in the morning" or "before breakfast" (the codes of FHIR EventTiming). Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/truth.h"

#define DAY_TIME_MINUTES_MAX 12

struct day_times {
    bool known;                             /* all of them are here, and there is one at least */
    uint32_t moments;                       /* a bit for each code */
    uint16_t minutes[DAY_TIME_MINUTES_MAX]; /* of the day; each once */
    unsigned minute_count;
};

/* Add "08:00", "08:00:00", "MORN" or "HS". False when it is none of these, or one too many. */
bool day_times_add(struct day_times *times, const char *token) MUST_CHECK;

/* The times of both; known where those of both are. */
struct day_times day_times_join(const struct day_times *a, const struct day_times *b);

/* Is there a time in both? Unknown where one of them is not known, where a clock time stands against a
 * moment, and for two moments of one part of the day (before breakfast, in the morning). */
enum truth day_times_meet(const struct day_times *a, const struct day_times *b);
