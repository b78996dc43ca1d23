#include "test.h"

#include <string.h>

#include "base/instant.h"

/* Known days: 1970-01-01 is day 0, 2000-01-01 day 10957 (30 years, 7 leap days), 2000-03-01 day
 * 11017, 2026-05-04 day 20577 (2026-01-01 is 10957 + 26 * 365 + 7 = 20454; 123 days later). */
#define DAY(n) ((n)*INSTANT_DAY)
#define MINUTE (INT64_C(60) * INSTANT_SECOND)

static const struct parse_case {
    const char *name;
    const char *text;
    int64_t start, length;
} parse_cases[] = {
    { "a year", "2000", DAY(10957), DAY(366) },
    { "a year that is not a leap year", "2026", DAY(20454), DAY(365) },
    { "a century without a leap day", "1900", DAY(-25567), DAY(365) },
    { "a month", "2000-01", DAY(10957), DAY(31) },
    { "February of a leap year", "2000-02", DAY(10957 + 31), DAY(29) },
    { "February of another year", "2026-02", DAY(20454 + 31), DAY(28) },
    { "December ends with the year", "1969-12", DAY(-31), DAY(31) },
    { "a day", "2026-05-04", DAY(20577), DAY(1) },
    { "the leap day", "2000-02-29", DAY(11016), DAY(1) },
    { "the day of the epoch", "1970-01-01", 0, DAY(1) },
    { "the day before", "1969-12-31", DAY(-1), DAY(1) },
    { "the first day", "0001-01-01", DAY(-719162), DAY(1) },
    { "the last day", "9999-12-31", DAY(2932896), DAY(1) },
    { "a minute", "1970-01-01T00:01Z", MINUTE, MINUTE },
    { "a second", "1970-01-01T10:20:30Z", 37230000, 1000 },
    { "a tenth of a second", "1970-01-01T00:00:01.5Z", 1500, 100 },
    { "a hundredth", "1970-01-01T00:00:01.05Z", 1050, 10 },
    { "a millisecond", "1970-01-01T00:00:01.005Z", 1005, 1 },
    { "what is below a millisecond is dropped", "1970-01-01T00:00:01.0059999999Z", 1005, 1 },
    { "the last second of a day", "1970-01-01T23:59:59Z", DAY(1) - 1000, 1000 },
    { "a leap second is the next minute's first", "1970-01-01T23:59:60Z", DAY(1), 1000 },
    { "east of Greenwich is earlier", "1970-01-01T02:00:00+02:00", 0, 1000 },
    { "west of Greenwich is later", "1970-01-01T00:00:00-05:30", 330 * MINUTE, 1000 },
    { "the easternmost zone", "1970-01-01T00:00:00+14:00", -840 * MINUTE, 1000 },
    { "the westernmost zone", "1970-01-01T00:00:00-14:00", 840 * MINUTE, 1000 },
    { "zone +00:00 is Z", "1970-01-01T00:00:00+00:00", 0, 1000 },
    { "zone -00:00 is Z", "1970-01-01T00:00:00-00:00", 0, 1000 },
    { "a zone after a fraction", "1970-01-01T00:00:00.250+01:00", -60 * MINUTE + 250, 1 },
    { "a minute with a zone", "1970-01-01T01:00+01:00", 0, MINUTE },
};

static void check_parse(void **state)
{
    const struct parse_case *c = *state;
    struct span span;

    assert_true(instant_parse(c->text, &span));
    assert_int_equal(span.start, c->start);
    assert_int_equal(span.end - span.start, c->length);
}

static const struct refuse_case {
    const char *name;
    const char *text;
} refuse_cases[] = {
    { "nothing", "" },
    { "three digits", "202" },
    { "five digits", "20266" },
    { "the year 0", "0000" },
    { "a sign", "-2026" },
    { "a month without its hyphen", "202605" },
    { "a hyphen at the end", "2026-" },
    { "one digit of a month", "2026-5" },
    { "month 0", "2026-00" },
    { "month 13", "2026-13" },
    { "day 0", "2026-05-00" },
    { "day 32", "2026-05-32" },
    { "31 April", "2026-04-31" },
    { "29 February outside of a leap year", "2026-02-29" },
    { "29 February 1900", "1900-02-29" },
    { "30 February", "2000-02-30" },
    { "a date with a zone", "2026-05-04Z" },
    { "a time of a month", "2026-05T10:00:00Z" },
    { "no time behind the T", "2026-05-04T" },
    { "hours alone", "2026-05-04T10Z" },
    { "hour 24", "2026-05-04T24:00:00Z" },
    { "minute 60", "2026-05-04T10:60:00Z" },
    { "second 61", "2026-05-04T10:00:61Z" },
    { "one digit of a second", "2026-05-04T10:00:1Z" },
    { "a point without digits", "2026-05-04T10:00:00.Z" },
    { "a comma for a point", "2026-05-04T10:00:00,5Z" },
    { "a fraction of a minute", "2026-05-04T10:00.5Z" },
    { "a time without zone", "2026-05-04T10:00:00" },
    { "a zone in small letters", "2026-05-04T10:00:00z" },
    { "a T in small letters", "2026-05-04t10:00:00Z" },
    { "a space for the T", "2026-05-04 10:00:00Z" },
    { "a zone of hours", "2026-05-04T10:00:00+02" },
    { "a zone without colon", "2026-05-04T10:00:00+0200" },
    { "a zone beyond 14 hours", "2026-05-04T10:00:00+14:01" },
    { "a zone of 15 hours", "2026-05-04T10:00:00-15:00" },
    { "a zone of 60 minutes", "2026-05-04T10:00:00+01:60" },
    { "text behind Z", "2026-05-04T10:00:00Zx" },
    { "text behind a zone", "2026-05-04T10:00:00+02:000" },
    { "a space in front", " 2026-05-04" },
    { "a space at the end", "2026-05-04 " },
};

static void check_refuse(void **state)
{
    const struct refuse_case *c = *state;
    struct span span = { 1, 2 };

    assert_false(instant_parse(c->text, &span));
    assert_int_equal(span.start, 1);
    assert_int_equal(span.end, 2);
}

static const struct text_case {
    const char *name;
    int64_t ms;
    const char *text, *date;
} text_cases[] = {
    { "the epoch", 0, "1970-01-01T00:00:00Z", "1970-01-01" },
    { "a millisecond before", -1, "1969-12-31T23:59:59.999Z", "1969-12-31" },
    { "milliseconds have three digits", 7, "1970-01-01T00:00:00.007Z", "1970-01-01" },
    { "a time", DAY(20577) + 10 * INSTANT_HOUR, "2026-05-04T10:00:00Z", "2026-05-04" },
    { "the leap day", DAY(11016), "2000-02-29T00:00:00Z", "2000-02-29" },
    { "the day after", DAY(11017), "2000-03-01T00:00:00Z", "2000-03-01" },
    { "the last day of a century", DAY(10957) - 1, "1999-12-31T23:59:59.999Z", "1999-12-31" },
    { "the last instant with four digits", DAY(2932897) - 1000, "9999-12-31T23:59:59Z",
      "9999-12-31" },
    { "the first instant with a year", DAY(-719162), "0001-01-01T00:00:00Z", "0001-01-01" },
    { "not known", INSTANT_UNSET, "", "" },
    { "never", INSTANT_NEVER, "", "" },
};

static void check_text(void **state)
{
    const struct text_case *c = *state;
    char buf[32], date[16];

    assert_string_equal(instant_text(c->ms, buf, sizeof buf), c->text);
    assert_string_equal(instant_date(c->ms, date, sizeof date), c->date);
}

static void every_day_is_read_as_it_is_written(void **state)
{
    char buf[32];

    (void)state;
    for (int64_t day = -719162; day <= 2932896; day += 13) {
        struct span span;
        assert_true(instant_parse(instant_date(DAY(day), buf, sizeof buf), &span));
        assert_int_equal(span.start, DAY(day));
        assert_true(instant_parse(instant_text(DAY(day) + 45296789, buf, sizeof buf), &span));
        assert_int_equal(span.start, DAY(day) + 45296789);
        assert_int_equal(span.end - span.start, 1);
    }
}

static void the_edges_of_time_do_no_harm(void **state)
{
    char buf[32], date[32];

    (void)state;
    assert_string_equal(instant_text(INSTANT_NEVER - 1, buf, sizeof buf),
                        "292278994-08-17T07:12:55.806Z");
    assert_string_equal(instant_date(INSTANT_UNSET + 1, date, sizeof date), "-292275055-05-16");
    assert_string_equal(instant_text(INSTANT_UNSET + 1, buf, sizeof buf),
                        "-292275055-05-16T16:47:04.193Z");
}

/* ---- durations */

static const struct duration_case {
    const char *name;
    const char *text;
    int32_t months;
    int64_t ms;
    const char *want; /* duration_text() */
} duration_cases[] = {
    { "seconds", "30 s", 0, 30000, "30 seconds" },
    { "minutes", "90 min", 0, 90 * MINUTE, "90 minutes" },
    { "hours", "36 h", 0, 36 * INSTANT_HOUR, "36 hours" },
    { "two hours", "2 h", 0, 2 * INSTANT_HOUR, "2 hours" },
    { "hours that are days", "48 h", 0, DAY(2), "2 days" },
    { "seconds that are a minute", "60 s", 0, MINUTE, "1 minute" },
    { "one second", "1 s", 0, 1000, "1 second" },
    { "days", "14 d", 0, DAY(14), "14 days" },
    { "one day", "1 d", 0, DAY(1), "1 day" },
    { "weeks are days", "2 wk", 0, DAY(14), "14 days" },
    { "months", "36 mo", 36, 0, "36 months" },
    { "one month", "1 mo", 1, 0, "1 month" },
    { "years are months", "2 a", 24, 0, "24 months" },
    { "nothing", "0 d", 0, 0, "0 days" },
    { "the largest number", "100000 d", 0, DAY(100000), "100000 days" },
    { "the largest number of years", "100000 a", 1200000, 0, "1200000 months" },
};

static void check_duration(void **state)
{
    const struct duration_case *c = *state;
    struct duration duration;
    char buf[32];

    assert_true(duration_parse(c->text, &duration));
    assert_int_equal(duration.months, c->months);
    assert_int_equal(duration.ms, c->ms);
    assert_string_equal(duration_text(duration, buf, sizeof buf), c->want);
}

static const struct refuse_case bad_durations[] = {
    { "nothing", "" },
    { "a number alone", "14" },
    { "a unit alone", "d" },
    { "a unit behind a space", " d" },
    { "no space", "14d" },
    { "two spaces", "14  d" },
    { "a space in front", " 14 d" },
    { "a space at the end", "14 d " },
    { "an unknown unit", "14 days" },
    { "a unit in capitals", "14 D" },
    { "no unit", "14 " },
    { "a negative number", "-14 d" },
    { "a fraction", "1.5 d" },
    { "too many", "100001 d" },
    { "far too many", "99999999999999999999 d" },
};

static void check_bad_duration(void **state)
{
    const struct refuse_case *c = *state;
    struct duration duration = { 1, 2 };

    assert_false(duration_parse(c->text, &duration));
    assert_int_equal(duration.months, 1);
    assert_int_equal(duration.ms, 2);
}

static void mixed_durations_name_both_parts(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(duration_text((struct duration){ 1, DAY(2) }, buf, sizeof buf),
                        "1 month 2 days");
    assert_string_equal(duration_text((struct duration){ 0, 1500 }, buf, sizeof buf), "1500 ms");
}

/* ---- adding */

static const struct add_case {
    const char *name;
    const char *from;
    struct duration duration;
    int sign;
    const char *want;
} add_cases[] = {
    { "days", "2026-05-04", { 0, DAY(14) }, 1, "2026-05-18T00:00:00Z" },
    { "days back over the year", "2026-01-04", { 0, DAY(14) }, -1, "2025-12-21T00:00:00Z" },
    { "a month", "2026-05-04", { 1, 0 }, 1, "2026-06-04T00:00:00Z" },
    { "the time of day stays", "2026-05-04T10:20:30.5Z", { 1, 0 }, 1, "2026-06-04T10:20:30.500Z" },
    { "a month over the year", "2026-12-04", { 1, 0 }, 1, "2027-01-04T00:00:00Z" },
    { "a month back over the year", "2026-01-04", { 1, 0 }, -1, "2025-12-04T00:00:00Z" },
    { "the end of a shorter month", "2026-01-31", { 1, 0 }, 1, "2026-02-28T00:00:00Z" },
    { "the end of February in a leap year", "2024-01-31", { 1, 0 }, 1, "2024-02-29T00:00:00Z" },
    { "the end of a shorter month, backwards", "2026-07-31", { 1, 0 }, -1, "2026-06-30T00:00:00Z" },
    { "a year from a leap day", "2024-02-29", { 12, 0 }, 1, "2025-02-28T00:00:00Z" },
    { "four years from a leap day", "2024-02-29", { 48, 0 }, 1, "2028-02-29T00:00:00Z" },
    { "36 months", "2023-05-04", { 36, 0 }, 1, "2026-05-04T00:00:00Z" },
    { "before the epoch", "1970-01-15", { 1, 0 }, -1, "1969-12-15T00:00:00Z" },
    { "months first, then the rest", "2026-01-31", { 1, DAY(1) }, 1, "2026-03-01T00:00:00Z" },
    { "nothing", "2026-01-31", { 0, 0 }, 1, "2026-01-31T00:00:00Z" },
};

static void check_add(void **state)
{
    const struct add_case *c = *state;
    struct span from;
    char buf[32];

    assert_true(instant_parse(c->from, &from));
    int64_t got = instant_add(from.start, c->duration, c->sign);
    assert_string_equal(instant_text(got, buf, sizeof buf), c->want);
}

/* INT32_MAX months are 447392 times 400 years (146097 days each), 170 years and 7 months, and
 * 2140-08-01 is day 62304. */
static const struct edge_case {
    const char *name;
    int64_t ms;
    struct duration duration;
    int sign;
    int64_t want;
} edge_cases[] = {
    { "not known stays", INSTANT_UNSET, { 1, DAY(1) }, 1, INSTANT_UNSET },
    { "not known stays, backwards", INSTANT_UNSET, { 1, DAY(1) }, -1, INSTANT_UNSET },
    { "never stays", INSTANT_NEVER, { 1, DAY(1) }, 1, INSTANT_NEVER },
    { "never stays, backwards", INSTANT_NEVER, { 1, DAY(1) }, -1, INSTANT_NEVER },
    { "beyond the end is never", INSTANT_NEVER - 1000, { 0, 2000 }, 1, INSTANT_NEVER },
    { "beyond the end in months", INSTANT_NEVER - 1000, { 1, 0 }, 1, INSTANT_NEVER },
    { "before the beginning is the first",
      INSTANT_UNSET + 1000,
      { 0, 2000 },
      -1,
      INSTANT_UNSET + 1 },
    { "the beginning is not unknown", INSTANT_UNSET + 1000, { 0, 1000 }, -1, INSTANT_UNSET + 1 },
    { "before the beginning in months", INSTANT_UNSET + 1000, { 1, 0 }, -1, INSTANT_UNSET + 1 },
    { "the most months", 0, { INT32_MAX, 0 }, 1, INT64_C(5647336530739200000) },
    { "the longest duration back", 0, { 0, INT64_MAX }, -1, INSTANT_UNSET + 1 },
};

static void check_edge(void **state)
{
    const struct edge_case *c = *state;

    assert_int_equal(instant_add(c->ms, c->duration, c->sign), c->want);
}

/* ---- age */

static const struct years_case {
    const char *name;
    const char *from, *to;
    int want;
} years_cases[] = {
    { "the day before a birthday", "1960-05-04", "2026-05-03T23:59:59.999Z", 65 },
    { "a birthday", "1960-05-04", "2026-05-04", 66 },
    { "the same day", "2026-05-04", "2026-05-04", 0 },
    { "before birth", "2026-05-04", "2026-05-03", -1 },
    { "an earlier month", "1960-05-31", "2026-04-30", 65 },
    { "a later month with an earlier day", "1960-05-31", "2026-06-01", 66 },
    { "a leap day, on 28 February", "2000-02-29", "2001-02-28", 0 },
    { "a leap day, on 1 March", "2000-02-29", "2001-03-01", 1 },
    { "a leap day, on the next one", "2000-02-29", "2004-02-29", 4 },
    { "before the epoch", "1930-01-01", "1969-12-31", 39 },
    { "the time of birth counts", "2000-01-01T12:00:00Z", "2001-01-01T11:59:59Z", 0 },
};

static void check_years(void **state)
{
    const struct years_case *c = *state;
    struct span from, to;

    assert_true(instant_parse(c->from, &from));
    assert_true(instant_parse(c->to, &to));
    assert_int_equal(instant_years(from.start, to.start), c->want);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(every_day_is_read_as_it_is_written),
        cmocka_unit_test(the_edges_of_time_do_no_harm),
        cmocka_unit_test(mixed_durations_name_both_parts),
    };

    return RUN_TABLE("instant_parse", parse_cases, check_parse) +
           RUN_TABLE("instant_parse refuses", refuse_cases, check_refuse) +
           RUN_TABLE("instant_text", text_cases, check_text) +
           RUN_TABLE("duration_parse", duration_cases, check_duration) +
           RUN_TABLE("duration_parse refuses", bad_durations, check_bad_duration) +
           RUN_TABLE("instant_add", add_cases, check_add) +
           RUN_TABLE("instant_add at the edges", edge_cases, check_edge) +
           RUN_TABLE("instant_years", years_cases, check_years) +
           cmocka_run_group_tests_name("instant", rest, NULL, NULL);
}
