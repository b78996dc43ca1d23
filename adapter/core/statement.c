#include "core/statement.h"

#include "base/instant.h"

/* Of an instant before 1970 too. */
static int64_t day_of(int64_t ms)
{
    int64_t rest = ms % INSTANT_DAY;

    return ms - (rest < 0 ? rest + INSTANT_DAY : rest);
}

int64_t statement_day(int64_t last_ms, int64_t now_ms, int64_t settle_ms, unsigned most)
{
    int64_t newest = day_of(now_ms - settle_ms) - INSTANT_DAY;
    int64_t oldest = newest - ((int64_t)most - 1) * INSTANT_DAY;
    int64_t next = last_ms == INSTANT_UNSET ? newest : last_ms + INSTANT_DAY;

    if (next > newest) return INSTANT_UNSET;
    return next < oldest ? oldest : next;
}
