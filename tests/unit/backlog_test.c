#include "test.h"

#include "core/backlog.h"

static const struct backlog limits = { .items = 3, .bytes = 1000, .age_ms = 60000 };
static const struct backlog none = { 0 };
static const struct backlog by_bytes = { .bytes = 1000 };

static const struct backlog_case {
    const char *name;
    const struct backlog *limits;
    struct backlog have; /* items, bytes, age_ms */
    enum backlog_room want;
} cases[] = {
    { "an empty queue has room", &limits, { 0, 0, 0 }, BACKLOG_ROOM },
    { "one below each bound is room", &limits, { 2, 999, 59999 }, BACKLOG_ROOM },
    { "as many items as may be are full", &limits, { 3, 0, 0 }, BACKLOG_ITEMS },
    { "as many bytes as may be are full", &limits, { 1, 1000, 0 }, BACKLOG_BYTES },
    { "the age that may be is too old", &limits, { 1, 0, 60000 }, BACKLOG_AGE },
    { "items are named before bytes and age", &limits, { 9, 9999, 99999 }, BACKLOG_ITEMS },
    { "bytes are named before age", &limits, { 1, 9999, 99999 }, BACKLOG_BYTES },
    { "a bound of 0 is none", &none, { INT64_MAX, INT64_MAX, INT64_MAX }, BACKLOG_ROOM },
    { "one bound alone counts alone", &by_bytes, { 99, 1001, 99 }, BACKLOG_BYTES },
    { "a clock that stepped back makes nothing old", &limits, { 1, 0, -5 }, BACKLOG_ROOM },
};

static void check(void **state)
{
    const struct backlog_case *c = *state;

    assert_int_equal(backlog_judge(&c->have, c->limits), c->want);
}

int main(void)
{
    return RUN_TABLE("backlog", cases, check);
}
