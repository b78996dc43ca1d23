/* Which day the daily statement is about. Pure. */
#pragma once

#include <stdint.h>

/* The start (UTC) of the day that is to be stated next, or INSTANT_UNSET: none for now. A day is
 * stated settle_ms after its end; of those that were missed, the last `most` alone.
 *
 * last_ms  start of the day that was stated last; INSTANT_UNSET: none was */
int64_t statement_day(int64_t last_ms, int64_t now_ms, int64_t settle_ms, unsigned most);
