/* Is there room for more? One queue against its bounds. Pure. */
#pragma once

#include <stdint.h>

/* How much waits; and as limits: how much may. 0 as a limit: any. */
struct backlog {
    int64_t items;
    int64_t bytes;
    int64_t age_ms; /* of the oldest one */
};

enum backlog_room { BACKLOG_ROOM, BACKLOG_ITEMS, BACKLOG_BYTES, BACKLOG_AGE };

/* A bound is met when it is reached: a limit of 3 items holds three, not four. */
enum backlog_room backlog_judge(const struct backlog *have, const struct backlog *limits);

/* "room", "items", "bytes", "age"; static storage. */
const char *backlog_room_name(enum backlog_room room);
