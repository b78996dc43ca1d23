#include "core/wall.h"

void wall_start(struct wall *wall, int64_t latest_ms, int64_t steady_ms)
{
    *wall = (struct wall){ latest_ms, steady_ms };
}

/* Half of what has passed; the odd millisecond is kept for the next look. */
static void go_on_slowly(struct wall *wall, int64_t steady_ms)
{
    int64_t gained = (steady_ms - wall->steady_ms) / 2;

    if (gained <= 0) return;
    wall->latest_ms += gained;
    wall->steady_ms += 2 * gained;
}

static enum wall_step believe(struct wall *wall, int64_t clock_ms, int64_t steady_ms,
                              enum wall_step step)
{
    *wall = (struct wall){ clock_ms, steady_ms };
    return step;
}

static enum wall_step look(struct wall *wall, int64_t clock_ms, int64_t steady_ms)
{
    if (clock_ms >= wall->latest_ms) return believe(wall, clock_ms, steady_ms, WALL_ON);
    if (wall->latest_ms - clock_ms > WALL_WAITED_MS)
        return believe(wall, clock_ms, steady_ms, WALL_BACK);
    go_on_slowly(wall, steady_ms);
    return WALL_WAITS;
}

enum wall_step wall_look(struct wall *wall, int64_t clock_ms, int64_t steady_ms, int64_t *ret_ms)
{
    enum wall_step step = look(wall, clock_ms, steady_ms);

    *ret_ms = wall->latest_ms;
    return step;
}
