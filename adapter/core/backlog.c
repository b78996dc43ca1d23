#include "core/backlog.h"

#include <stdbool.h>

static bool is_met(int64_t have, int64_t limit)
{
    return limit > 0 && have >= limit;
}

enum backlog_room backlog_judge(const struct backlog *have, const struct backlog *limits)
{
    if (is_met(have->items, limits->items)) return BACKLOG_ITEMS;
    if (is_met(have->bytes, limits->bytes)) return BACKLOG_BYTES;
    return is_met(have->age_ms, limits->age_ms) ? BACKLOG_AGE : BACKLOG_ROOM;
}

const char *backlog_room_name(enum backlog_room room)
{
    static const char *const names[] = { "room", "items", "bytes", "age" };

    return names[room];
}
