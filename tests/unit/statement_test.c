#include "test.h"

#include "base/instant.h"
#include "core/statement.h"

#define HOUR INSTANT_HOUR
#define DAY  INSTANT_DAY
#define D    (INT64_C(20000) * DAY) /* the start of some day */

static const struct day_case {
    const char *name;
    int64_t last_ms, now_ms, settle_ms;
    int64_t want;
} cases[] = {
    { "the day before is stated when today has begun and settled", D - 2 * DAY, D + HOUR, HOUR,
      D - DAY },
    { "not a millisecond before it has settled", D - 2 * DAY, D + HOUR - 1, HOUR, INSTANT_UNSET },
    { "a day is stated once", D - DAY, D + 23 * HOUR, HOUR, INSTANT_UNSET },
    { "the first statement is of the last day that is over", INSTANT_UNSET, D + 5 * HOUR, HOUR,
      D - DAY },
    { "days that were missed are stated one by one", D - 4 * DAY, D + HOUR, HOUR, D - 3 * DAY },
    { "the seventh day back is the last that is made up for", D - 8 * DAY, D + HOUR, HOUR,
      D - 7 * DAY },
    { "what is older is left out", D - 30 * DAY, D + HOUR, HOUR, D - 7 * DAY },
    { "a clock that was set back states nothing again", D + 3 * DAY, D + HOUR, HOUR,
      INSTANT_UNSET },
    { "without settling midnight is enough", D - 2 * DAY, D, 0, D - DAY },
    { "days before 1970 are days", -3 * DAY, -HOUR, HOUR, -2 * DAY },
};

static void check(void **state)
{
    const struct day_case *c = *state;

    assert_int_equal(statement_day(c->last_ms, c->now_ms, c->settle_ms, 7), c->want);
}

int main(void)
{
    return RUN_TABLE("statement", cases, check);
}
