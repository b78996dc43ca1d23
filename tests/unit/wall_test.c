#include "test.h"

#include "core/wall.h"

#define LOOKS_MAX 5
#define T         INT64_C(1000000000) /* some time: 1970-01-12 */
#define H         INSTANT_HOUR

/* Each look: what both clocks say, and what must come of it. Ends with the first all-zero row. */
struct wall_look_case {
    int64_t clock_ms, steady_ms;
    enum wall_step want;
    int64_t want_ms;
};

static const struct wall_case {
    const char *name;
    int64_t before_ms; /* end of the run before */
    struct wall_look_case looks[LOOKS_MAX];
} cases[] = {
    { "the first look believes the clock", INSTANT_UNSET, { { T, 5, WALL_ON, T } } },
    { "time goes on with the clock",
      INSTANT_UNSET,
      { { T, 5, WALL_ON, T }, { T + 10, 15, WALL_ON, T + 10 } } },
    { "a clock that stands is no step",
      INSTANT_UNSET,
      { { T, 5, WALL_ON, T }, { T, 5000, WALL_ON, T } } },
    { "a step forward is believed at once",
      INSTANT_UNSET,
      { { T, 5, WALL_ON, T }, { T + 999 * H, 6, WALL_ON, T + 999 * H } } },
    { "a small step back: time waits",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T }, { T - 1, 0, WALL_WAITS, T } } },
    { "meanwhile it goes on at half speed",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T }, { T - H + 1000, 1000, WALL_WAITS, T + 500 } } },
    { "odd milliseconds are not lost",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T },
        { T - H, 1, WALL_WAITS, T },
        { T - H, 2, WALL_WAITS, T + 1 },
        { T - H, 3, WALL_WAITS, T + 1 },
        { T - H, 4, WALL_WAITS, T + 2 } } },
    { "until the clock has caught up",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T },
        { T - H, 0, WALL_WAITS, T },
        { T - 2, H - 2, WALL_WAITS, T + H / 2 - 1 },
        { T + H / 2 - 2, H + H / 2 - 2, WALL_WAITS, T + 3 * H / 4 - 1 },
        { T + 3 * H / 4, 7 * H / 4, WALL_ON, T + 3 * H / 4 } } },
    { "exactly two hours back are waited out",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T }, { T - 2 * H, 0, WALL_WAITS, T } } },
    { "a millisecond more is believed, and told once",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T },
        { T - 2 * H - 1, 0, WALL_BACK, T - 2 * H - 1 },
        { T - 2 * H - 1, 0, WALL_ON, T - 2 * H - 1 } } },
    { "two small steps add up to a large one",
      INSTANT_UNSET,
      { { T, 0, WALL_ON, T },
        { T - 2 * H, 0, WALL_WAITS, T },
        { T - 4 * H, 0, WALL_BACK, T - 4 * H } } },
    { "a steady clock that goes back is no reason to go back",
      INSTANT_UNSET,
      { { T, 1000, WALL_ON, T }, { T - H, 0, WALL_WAITS, T } } },
    { "the end of the run before is not undercut", T, { { T - H, 0, WALL_WAITS, T } } },
    { "unless the clock was far ahead then", T, { { T - 3 * H, 0, WALL_BACK, T - 3 * H } } },
    { "a run before that ended earlier changes nothing", T - H, { { T, 0, WALL_ON, T } } },
};

static void check(void **state)
{
    const struct wall_case *c = *state;
    struct wall wall;

    wall_start(&wall, c->before_ms, 0);
    for (size_t i = 0; i < LOOKS_MAX && c->looks[i].clock_ms; i++) {
        const struct wall_look_case *look = &c->looks[i];
        int64_t now;
        assert_int_equal(wall_look(&wall, look->clock_ms, look->steady_ms, &now), look->want);
        assert_int_equal(now, look->want_ms);
    }
}

int main(void)
{
    return RUN_TABLE("wall", cases, check);
}
