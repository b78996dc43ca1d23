#include "test.h"

#include "base/instant.h"
#include "core/pulse.h"

#define H INSTANT_HOUR
#define D INSTANT_DAY

static const struct pulse_case {
    const char *name;
    int64_t beats[4]; /* 0: no more */
    int64_t missed_ms, now_ms;
    bool asked, want;
} cases[] = {
    { "what never came is not silent", { 0 }, 0, 900 * D, false, false },
    { "one beat has no pause to go by", { 1 * D }, 0, 900 * D, false, false },
    { "hourly, and nothing for 3 days", { 1 * H, 2 * H }, 0, 2 * H + 3 * D, false, true },
    { "hourly, and nothing for almost 3 days",
      { 1 * H, 2 * H },
      0,
      2 * H + 3 * D - 1,
      false,
      false },
    { "daily, and nothing for 7 days", { 1 * D, 2 * D }, 0, 9 * D, false, true },
    { "daily, and nothing for almost 7 days", { 1 * D, 2 * D }, 0, 9 * D - 1, false, false },
    { "the longest pause counts", { 1 * D, 3 * D, 4 * D }, 0, 17 * D, false, false },
    { "seven times the longest pause", { 1 * D, 3 * D, 4 * D }, 0, 18 * D, false, true },
    { "an older beat says nothing", { 3 * D, 4 * D, 1 * D }, 0, 11 * D, false, true },
    { "the same beat again is none", { 1 * D, 1 * D }, 0, 900 * D, false, false },
    { "a rule that nobody asks is not silent", { 1 * D, 2 * D }, 0, 90 * D, true, false },
    { "one that is asked in vain is", { 1 * D, 2 * D }, 80 * D, 90 * D, true, true },
    { "asked in vain before it came last", { 1 * D, 3 * D }, 2 * D, 90 * D, true, false },
    { "a clock that was set back makes nothing silent", { 8 * D, 9 * D }, 0, 1 * D, false, false },
};

static void check(void **state)
{
    const struct pulse_case *c = *state;
    struct pulse pulse = PULSE_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(c->beats) && c->beats[i]; i++)
        assert_false(pulse_beat(&pulse, c->beats[i]));
    if (c->missed_ms) pulse_miss(&pulse, c->missed_ms);
    assert_int_equal(pulse_is_silent(&pulse, c->now_ms, c->asked), c->want);
}

static void a_silence_that_was_told_is_over_with_a_beat_and_is_no_pause(void **state)
{
    struct pulse pulse = PULSE_NONE;

    (void)state;
    pulse_beat(&pulse, 1 * D);
    pulse_beat(&pulse, 2 * D);
    pulse.warned = true;
    assert_true(pulse_beat(&pulse, 30 * D));
    assert_false(pulse.warned);
    assert_int_equal(pulse.longest_ms, 1 * D);
    assert_false(pulse_beat(&pulse, 31 * D));
    assert_true(pulse_is_silent(&pulse, 38 * D, false));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_that_was_told_is_over_with_a_beat_and_is_no_pause),
    };

    return RUN_TABLE("pulse", cases, check) +
           cmocka_run_group_tests_name("pulse", tests, NULL, NULL);
}
