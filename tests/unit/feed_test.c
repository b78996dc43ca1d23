#include "test.h"

#include <stdint.h>
#include <stdio.h>

#include "base/instant.h"
#include "fhir/feed.h"

#define NEVER_TOLD INSTANT_UNSET

/* One notification and what it must be taken for. */
struct step {
    enum notification_kind kind;
    uint64_t total, first, last;
    const char *id; /* of its item; "": a hint; NULL: no items */
    int64_t told_ms;
    enum feed_content content;
    int64_t now_ms;
    enum feed_verdict want;
    uint64_t seen, top; /* afterwards */
};

#define EVENT(n, at, verdict, seen, top)                                                           \
    {                                                                                              \
        NOTIFICATION_CHANGES, n, n, n, "5", NEVER_TOLD, FEED_NEW, at, verdict, seen, top           \
    }
#define FROM(total, first, last, at, verdict, seen, top)                                           \
    {                                                                                              \
        NOTIFICATION_CHANGES, total, first, last, "5", NEVER_TOLD, FEED_NEW, at, verdict, seen,    \
            top                                                                                    \
    }
#define BLIND(total, at, verdict, seen, top)                                                       \
    {                                                                                              \
        NOTIFICATION_CHANGES, total, 0, 0, "", NEVER_TOLD, FEED_UNSURE, at, verdict, seen, top     \
    }
#define AGAIN(n, told, what, verdict, seen, top)                                                   \
    {                                                                                              \
        NOTIFICATION_CHANGES, n, n, n, "5", told, what, 0, verdict, seen, top                      \
    }
#define BEAT(total, told, verdict, seen, top)                                                      \
    {                                                                                              \
        NOTIFICATION_HEARTBEAT, total, 0, 0, NULL, told, FEED_UNSURE, 0, verdict, seen, top        \
    }
#define SHAKE(total, verdict, seen, top)                                                           \
    {                                                                                              \
        NOTIFICATION_HANDSHAKE, total, 0, 0, NULL, NEVER_TOLD, FEED_UNSURE, 0, verdict, seen, top  \
    }
#define STEPS_MAX 6

static const struct feed_case {
    const char *name;
    struct step steps[STEPS_MAX];
    int64_t late_ms, in_time_ms; /* when the gap has and has not been waited for; 0: no gap */
    uint64_t gap_from, gap_to;
} cases[] = {
    { "the first counter is where the count begins",
      { EVENT(7, 0, FEED_FIRST, 7, 7), EVENT(8, 0, FEED_NEXT, 8, 8) },
      0,
      0,
      0,
      0 },
    { "after a handshake the first event is number 1",
      { SHAKE(0, FEED_FIRST, 0, 0), EVENT(1, 0, FEED_NEXT, 1, 1) },
      0,
      0,
      0,
      0 },
    { "after a handshake a first event of number 2 lacks one",
      { SHAKE(0, FEED_FIRST, 0, 0), EVENT(2, 10, FEED_AHEAD, 0, 2) },
      2010,
      2009,
      1,
      1 },
    { "a second handshake changes nothing",
      { EVENT(7, 0, FEED_FIRST, 7, 7), SHAKE(0, FEED_UNCOUNTED, 7, 7),
        EVENT(8, 0, FEED_NEXT, 8, 8) },
      0,
      0,
      0,
      0 },
    { "no counter, nothing to say",
      { EVENT(7, 0, FEED_FIRST, 7, 7), EVENT(0, 0, FEED_UNCOUNTED, 7, 7) },
      0,
      0,
      0,
      0 },
    { "one is missing and is waited for two seconds",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(3, 100, FEED_AHEAD, 1, 3) },
      2100,
      2099,
      2,
      2 },
    { "what comes late closes the gap",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(3, 0, FEED_AHEAD, 1, 3),
        EVENT(2, 0, FEED_FILLED, 3, 3) },
      0,
      0,
      0,
      0 },
    { "the second of two gaps is waited for on its own",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(3, 0, FEED_AHEAD, 1, 3), EVENT(5, 0, FEED_AHEAD, 1, 5),
        EVENT(2, 500, FEED_FILLED, 3, 5) },
      2500,
      2499,
      4,
      4 },
    { "a gap with one in its middle is asked for from end to end",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(5, 0, FEED_AHEAD, 1, 5),
        EVENT(3, 0, FEED_AHEAD, 1, 5) },
      2000,
      1999,
      2,
      4 },
    { "reversed order comes to the same",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(5, 0, FEED_AHEAD, 1, 5), EVENT(4, 0, FEED_AHEAD, 1, 5),
        EVENT(3, 0, FEED_AHEAD, 1, 5), EVENT(2, 0, FEED_FILLED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "several events in one notification",
      { EVENT(1, 0, FEED_FIRST, 1, 1), FROM(4, 2, 4, 0, FEED_NEXT, 4, 4) },
      0,
      0,
      0,
      0 },
    { "several events of which the first are old",
      { EVENT(3, 0, FEED_FIRST, 3, 3), FROM(5, 2, 5, 0, FEED_NEXT, 5, 5) },
      0,
      0,
      0,
      0 },
    { "the count is ahead of the event that it comes with",
      { EVENT(1, 0, FEED_FIRST, 1, 1), FROM(4, 2, 2, 0, FEED_AHEAD, 2, 4) },
      2000,
      1999,
      3,
      4 },
    { "a count without numbers of events stands for its last one",
      { EVENT(1, 0, FEED_FIRST, 1, 1), FROM(3, 0, 0, 0, FEED_AHEAD, 1, 3) },
      2000,
      1999,
      2,
      2 },
    { "who says only that something changed says it of all before",
      { EVENT(1, 0, FEED_FIRST, 1, 1), BLIND(9, 0, FEED_NEXT, 9, 9) },
      0,
      0,
      0,
      0 },
    { "a heartbeat that counts more tells of a loss",
      { EVENT(1, 0, FEED_FIRST, 1, 1), BEAT(2, NEVER_TOLD, FEED_AHEAD, 1, 2) },
      2000,
      1999,
      2,
      2 },
    { "a heartbeat that counts the same is in order",
      { EVENT(1, 0, FEED_FIRST, 1, 1), BEAT(1, NEVER_TOLD, FEED_NEXT, 1, 1) },
      0,
      0,
      0,
      0 },
    { "a heartbeat that counts less is a restart",
      { EVENT(5, 0, FEED_FIRST, 5, 5), BEAT(1, NEVER_TOLD, FEED_RESTARTED, 1, 1),
        EVENT(2, 0, FEED_NEXT, 2, 2) },
      0,
      0,
      0,
      0 },
    { "an old heartbeat that counts less is late",
      { AGAIN(5, 1000, FEED_NEW, FEED_FIRST, 5, 5), BEAT(4, 999, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "a number again, of an event of the same time, is repeated",
      { AGAIN(5, 1000, FEED_NEW, FEED_FIRST, 5, 5), AGAIN(5, 1000, FEED_NEW, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "the last number again, of a later event, is a careless count",
      { AGAIN(5, 1000, FEED_NEW, FEED_FIRST, 5, 5), AGAIN(5, 1001, FEED_NEW, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "a lower number, of an event of the same time, is repeated",
      { AGAIN(5, 1000, FEED_NEW, FEED_FIRST, 5, 5), AGAIN(4, 1000, FEED_NEW, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "a lower number, of a later event, is a restart",
      { AGAIN(5, 1000, FEED_NEW, FEED_FIRST, 5, 5),
        AGAIN(4, 1001, FEED_KNOWN, FEED_RESTARTED, 4, 4) },
      0,
      0,
      0,
      0 },
    { "without times what the journal knows is repeated",
      { EVENT(5, 0, FEED_FIRST, 5, 5), AGAIN(3, NEVER_TOLD, FEED_KNOWN, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "without times what the journal does not know is a restart",
      { EVENT(5, 0, FEED_FIRST, 5, 5), AGAIN(1, NEVER_TOLD, FEED_NEW, FEED_RESTARTED, 1, 1),
        EVENT(2, 0, FEED_NEXT, 2, 2) },
      0,
      0,
      0,
      0 },
    { "without times and versions the last number again is repeated",
      { EVENT(5, 0, FEED_FIRST, 5, 5), AGAIN(5, NEVER_TOLD, FEED_UNSURE, FEED_REPEATED, 5, 5) },
      0,
      0,
      0,
      0 },
    { "without times and versions a lower number is a restart",
      { EVENT(5, 0, FEED_FIRST, 5, 5), AGAIN(4, NEVER_TOLD, FEED_UNSURE, FEED_RESTARTED, 4, 4) },
      0,
      0,
      0,
      0 },
    { "a restart forgets what was missing",
      { EVENT(5, 0, FEED_FIRST, 5, 5), EVENT(9, 0, FEED_AHEAD, 5, 9),
        AGAIN(1, NEVER_TOLD, FEED_NEW, FEED_RESTARTED, 1, 1) },
      0,
      0,
      0,
      0 },
    { "the largest number there is",
      { EVENT(UINT64_MAX - 1, 0, FEED_FIRST, UINT64_MAX - 1, UINT64_MAX - 1),
        EVENT(UINT64_MAX, 0, FEED_NEXT, UINT64_MAX, UINT64_MAX),
        AGAIN(UINT64_MAX, NEVER_TOLD, FEED_KNOWN, FEED_REPEATED, UINT64_MAX, UINT64_MAX) },
      0,
      0,
      0,
      0 },
    { "the largest gap there is",
      { EVENT(1, 0, FEED_FIRST, 1, 1), EVENT(UINT64_MAX, 0, FEED_AHEAD, 1, UINT64_MAX) },
      2000,
      1999,
      2,
      UINT64_MAX - 1 },
};

static struct notification notification_of(const struct step *step, struct notification_item *item)
{
    *item = (struct notification_item){
        "Observation", step->id ? step->id : "", "", "", INSTANT_UNSET, false, NULL, 0
    };
    return (struct notification){ .kind = step->kind,
                                  .events_since_start = step->total,
                                  .first_event = step->first,
                                  .last_event = step->last,
                                  .told_ms = step->told_ms,
                                  .items = item,
                                  .item_count = step->id ? 1 : 0 };
}

static void check(void **state)
{
    const struct feed_case *c = *state;
    struct notification_item item;
    struct feed_range gap;
    struct feed feed;

    feed_start(&feed, "77", 0);
    for (size_t i = 0; i < STEPS_MAX && (i == 0 || c->steps[i].seen || c->steps[i].top); i++) {
        const struct step *step = &c->steps[i];
        struct notification told = notification_of(step, &item);
        assert_int_equal(feed_tell(&feed, &told, step->content, step->now_ms), step->want);
        assert_true(feed.seen == step->seen && feed.top == step->top);
        assert_int_equal(feed.heard_ms, step->now_ms);
    }
    if (!c->gap_from) {
        assert_false(feed_gap(&feed, INT64_MAX, &gap));
        return;
    }
    assert_false(feed_gap(&feed, c->in_time_ms, &gap));
    assert_true(feed_gap(&feed, c->late_ms, &gap));
    assert_true(gap.from == c->gap_from && gap.to == c->gap_to);
    assert_int_equal(feed_due_ms(&feed, 0), c->late_ms);
}

static enum feed_verdict tell(struct feed *feed, uint64_t n)
{
    const struct step step = EVENT(n, 0, FEED_NEXT, 0, 0);
    struct notification_item item;
    struct notification told = notification_of(&step, &item);

    return feed_tell(feed, &told, FEED_NEW, 0);
}

static void more_pieces_than_are_held_are_one_gap(void **state)
{
    struct feed_range gap;
    struct feed feed;

    (void)state;
    feed_start(&feed, "77", 0);
    tell(&feed, 1);
    for (uint64_t i = 0; i < FEED_HELD_MAX; i++) tell(&feed, 3 + 2 * i);
    assert_true(feed_gap(&feed, FEED_LATE_MS, &gap));
    assert_true(gap.from == 2 && gap.to == 2 * FEED_HELD_MAX);
    tell(&feed, 3 + 2 * FEED_HELD_MAX); /* one too many: what was held is asked for again */
    assert_true(feed_gap(&feed, FEED_LATE_MS, &gap));
    assert_true(gap.from == 2 && gap.to == 3 + 2 * FEED_HELD_MAX);
}

static void neighbours_are_one_piece(void **state)
{
    struct feed feed;

    (void)state;
    feed_start(&feed, "77", 0);
    tell(&feed, 1);
    tell(&feed, 10);
    tell(&feed, 11);
    tell(&feed, 9);
    assert_int_equal(feed.held_count, 1);
    assert_true(feed.held[0].from == 9 && feed.held[0].to == 11);
}

static void events_without_numbers_are_the_last_of_the_count(void **state)
{
    struct step step = FROM(4, 0, 0, 0, FEED_NEXT, 4, 4);
    struct notification_item item;
    struct notification told = notification_of(&step, &item);
    struct feed feed;

    (void)state;
    feed_start(&feed, "77", 0);
    tell(&feed, 1);
    told.event_count = 3;
    assert_int_equal(feed_tell(&feed, &told, FEED_NEW, 0), FEED_NEXT);
    told.events_since_start = 7;
    told.event_count = 8; /* more than there are */
    assert_int_equal(feed_tell(&feed, &told, FEED_NEW, 0), FEED_NEXT);
    assert_true(feed.seen == 7);
}

/* Every order of 1 to 6 ends the same, with nothing missing. */
static void every_order_of_six_ends_without_a_gap(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 720; code++) {
        uint64_t left[6] = { 2, 3, 4, 5, 6, 7 };
        struct feed_range gap;
        struct feed feed;
        unsigned rest = code;
        feed_start(&feed, "77", 0);
        tell(&feed, 1);
        for (unsigned n = 6; n > 0; n--) {
            unsigned pick = rest % n;
            rest /= n;
            tell(&feed, left[pick]);
            left[pick] = left[n - 1];
        }
        assert_true(feed.seen == 7 && feed.top == 7 && feed.held_count == 0);
        assert_false(feed_gap(&feed, INT64_MAX, &gap));
    }
}

static void what_is_closed_is_no_longer_missing(void **state)
{
    struct feed_range gap;
    struct feed feed;

    (void)state;
    feed_start(&feed, "77", 0);
    tell(&feed, 1);
    tell(&feed, 5);
    feed_close(&feed, 3, 100);
    assert_true(feed_gap(&feed, 2100, &gap));
    assert_true(gap.from == 4 && gap.to == 4);
    feed_close(&feed, 4, 200);
    assert_true(feed.seen == 5);
    assert_false(feed_gap(&feed, INT64_MAX, &gap));
}

static void silence_is_one_and_a_half_heartbeats(void **state)
{
    struct feed feed;

    (void)state;
    feed_start(&feed, "77", 1000);
    assert_false(feed_is_silent(&feed, 60000, 90999));
    assert_true(feed_is_silent(&feed, 60000, 91000));
    assert_false(feed_is_silent(&feed, 0, INT64_MAX - 1));
    assert_int_equal(feed_due_ms(&feed, 60000), 91000);
    assert_int_equal(feed_due_ms(&feed, 0), INSTANT_NEVER);
    tell(&feed, 1);
    tell(&feed, 3);
    assert_int_equal(feed_due_ms(&feed, 60000), FEED_LATE_MS);
}

/* ---- kept over a restart */

static const struct text_case {
    const char *name, *text;
    bool want;
    uint64_t seen, top;
} texts[] = {
    { "a state", "77 12 12 1777888800000", true, 12, 12 },
    { "with a gap", "77 12 15 1777888800000", true, 12, 15 },
    { "nothing counted yet", "a-b.c 0 0 -9223372036854775808", true, 0, 0 },
    { "the largest", "77 18446744073709551615 18446744073709551615 0", true, UINT64_MAX,
      UINT64_MAX },
    { "more seen than there is", "77 13 12 0", false, 0, 0 },
    { "an id that is none", "7/7 12 12 0", false, 0, 0 },
    { "too short", "77 12 12", false, 0, 0 },
    { "too long", "77 12 12 0 x", false, 0, 0 },
    { "nothing", "", false, 0, 0 },
};

static void check_text(void **state)
{
    const struct text_case *c = *state;
    char text[FEED_TEXT_SIZE];
    struct feed feed;

    assert_int_equal(feed_read(c->text, 5, &feed), c->want);
    assert_true(feed.seen == c->seen && feed.top == c->top);
    assert_int_equal(feed.heard_ms, 5);
    assert_int_equal(feed.counted, c->top > 0);
    assert_true(c->want || !feed.id[0]);
    if (!c->want) return;
    feed_write(&feed, text);
    assert_string_equal(text, c->text);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(more_pieces_than_are_held_are_one_gap),
        cmocka_unit_test(neighbours_are_one_piece),
        cmocka_unit_test(events_without_numbers_are_the_last_of_the_count),
        cmocka_unit_test(every_order_of_six_ends_without_a_gap),
        cmocka_unit_test(what_is_closed_is_no_longer_missing),
        cmocka_unit_test(silence_is_one_and_a_half_heartbeats),
    };

    return RUN_TABLE("feed", cases, check) + RUN_TABLE("kept", texts, check_text) +
           cmocka_run_group_tests_name("more", rest, NULL, NULL);
}
