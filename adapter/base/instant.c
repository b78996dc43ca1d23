#include "base/instant.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MINUTE         (60 * INSTANT_SECOND)
#define DAYS_400_YEARS 146097

/* A moment in UTC by the calendar. */
struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    int64_t ms;          /* of the day */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    return a % b < 0 ? a % b + b : a % b;
}

/* Days from 1970-01-01. Years begin in March, so that the leap day is the last one: after
 * H. Hinnant, "chrono-compatible low-level date algorithms". */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2) year--;
    int64_t era = floor_div(year, 400), of_era = floor_mod(year, 400);
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * DAYS_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int64_t ms)
{
    int64_t days = floor_div(ms, INSTANT_DAY), z = days + 719468;
    int64_t era = floor_div(z, DAYS_400_YEARS), of_era = floor_mod(z, DAYS_400_YEARS);
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned shifted = (unsigned)(5 * of_year + 2) / 153; /* 0: March */
    unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;

    return (struct civil){ .year = year + era * 400 + (month <= 2),
                           .month = month,
                           .day = (unsigned)of_year - (153 * shifted + 2) / 5 + 1,
                           .ms = floor_mod(ms, INSTANT_DAY) };
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- reading */

/* Exactly n digits, from min to max; *at moves behind them. */
static bool read_number(const char **at, int n, unsigned min, unsigned max, unsigned *ret)
{
    unsigned number = 0;

    for (; n > 0; n--, ++*at) {
        if (**at < '0' || **at > '9') return false;
        number = number * 10 + (unsigned)(**at - '0');
    }
    *ret = number;
    return number >= min && number <= max;
}

static bool read_char(const char **at, char c)
{
    if (**at != c) return false;
    ++*at;
    return true;
}

/* Z or +-hh:mm, up to 14:00 (FHIR). *ret is what local time is ahead of UTC. */
static bool read_zone(const char **at, int64_t *ret)
{
    bool west = **at == '-';
    unsigned hours, minutes;

    *ret = 0;
    if (read_char(at, 'Z')) return true;
    if (!west && **at != '+') return false;
    ++*at;
    if (!read_number(at, 2, 0, 14, &hours) || !read_char(at, ':')) return false;
    if (!read_number(at, 2, 0, hours == 14 ? 0 : 59, &minutes)) return false;
    *ret = hours * INSTANT_HOUR + minutes * MINUTE;
    if (west) *ret = -*ret;
    return true;
}

/* The digits behind the point of a second: what is below a millisecond is dropped. */
static bool read_fraction(const char **at, int64_t *ms, int64_t *length)
{
    if (**at < '0' || **at > '9') return false;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        if (*length == 1) continue;
        *length /= 10;
        *ms += (**at - '0') * *length;
    }
    return true;
}

/* hh:mm[:ss[.f]]zone to the end of the text; ret is relative to the start of the day. */
static bool read_time(const char *at, struct span *ret)
{
    unsigned hour, minute, second;
    int64_t ms, ahead, length = MINUTE;

    if (!read_number(&at, 2, 0, 23, &hour) || !read_char(&at, ':')) return false;
    if (!read_number(&at, 2, 0, 59, &minute)) return false;
    ms = hour * INSTANT_HOUR + minute * MINUTE;
    if (read_char(&at, ':')) {
        if (!read_number(&at, 2, 0, 60, &second)) return false;
        ms += second * INSTANT_SECOND;
        length = INSTANT_SECOND;
        if (read_char(&at, '.') && !read_fraction(&at, &ms, &length)) return false;
    }
    if (!read_zone(&at, &ahead) || *at) return false;
    ret->start = ms - ahead;
    ret->end = ret->start + length;
    return true;
}

static struct span days_span(int64_t first, int64_t next)
{
    return (struct span){ first * INSTANT_DAY, next * INSTANT_DAY };
}

bool instant_parse(const char *text, struct span *ret)
{
    unsigned year, month, day;
    const char *at = text;
    struct span time;

    if (!read_number(&at, 4, 1, 9999, &year)) return false;
    if (!*at) {
        *ret = days_span(days_of(year, 1, 1), days_of(year + 1, 1, 1));
        return true;
    }
    if (!read_char(&at, '-') || !read_number(&at, 2, 1, 12, &month)) return false;
    int64_t first = days_of(year, month, 1);
    if (!*at) {
        *ret = days_span(first, first + month_days(year, month));
        return true;
    }
    if (!read_char(&at, '-') || !read_number(&at, 2, 1, month_days(year, month), &day))
        return false;
    first += day - 1;
    if (!*at) {
        *ret = days_span(first, first + 1);
        return true;
    }
    if (!read_char(&at, 'T') || !read_time(at, &time)) return false;
    *ret = (struct span){ first * INSTANT_DAY + time.start, first * INSTANT_DAY + time.end };
    return true;
}

/* ---- writing */

static bool is_known(int64_t ms)
{
    return ms != INSTANT_UNSET && ms != INSTANT_NEVER;
}

const char *instant_text(int64_t ms, char *buf, size_t size)
{
    struct civil c = civil_of(ms);
    unsigned of_day = (unsigned)c.ms, fraction = of_day % 1000;
    char millis[8] = "";

    buf[0] = '\0';
    if (!is_known(ms)) return buf;
    if (fraction) snprintf(millis, sizeof millis, ".%03u", fraction);
    snprintf(buf, size, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u%sZ", c.year, c.month, c.day,
             of_day / 3600000, of_day / 60000 % 60, of_day / 1000 % 60, millis);
    return buf;
}

static void two_digits(char *at, unsigned number)
{
    at[0] = (char)('0' + number / 10 % 10);
    at[1] = (char)('0' + number % 10);
}

/* Without printf: every alert is full of dates. */
const char *instant_date(int64_t ms, char *buf, size_t size)
{
    struct civil c;

    buf[0] = '\0';
    if (!is_known(ms)) return buf;
    c = civil_of(ms);
    if (c.year < 0 || c.year > 9999 || size < sizeof "2026-05-04") {
        snprintf(buf, size, "%04" PRId64 "-%02u-%02u", c.year, c.month, c.day);
        return buf;
    }
    memcpy(buf, "0000-00-00", sizeof "0000-00-00");
    two_digits(buf, (unsigned)c.year / 100);
    two_digits(buf + 2, (unsigned)c.year);
    two_digits(buf + 5, c.month);
    two_digits(buf + 8, c.day);
    return buf;
}

/* ---- durations */

static const struct unit {
    const char *name;
    int32_t months;
    int64_t ms;
} units[] = {
    { "s", 0, INSTANT_SECOND },
    { "min", 0, MINUTE },
    { "h", 0, INSTANT_HOUR },
    { "d", 0, INSTANT_DAY },
    { "wk", 0, 7 * INSTANT_DAY },
    { "mo", 1, 0 },
    { "a", 12, 0 },
};

bool duration_parse(const char *text, struct duration *ret)
{
    int32_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
        if (number > 100000) return false;
    }
    if (at == text || !read_char(&at, ' ')) return false;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(at, units[i].name) != 0) continue;
        *ret = (struct duration){ units[i].months * number, units[i].ms * number };
        return true;
    }
    return false;
}

/* The same time of day some calendar months away. False when that leaves the range. */
static bool add_months(int64_t *ms, int64_t months)
{
    struct civil c = civil_of(*ms);
    int64_t count = c.year * 12 + (c.month - 1) + months, year = floor_div(count, 12);
    unsigned month = (unsigned)floor_mod(count, 12) + 1, last = month_days(year, month);
    int64_t days = days_of(year, month, c.day < last ? c.day : last), start;

    if (__builtin_mul_overflow(days + 1, INSTANT_DAY, &start)) return false;
    return !__builtin_add_overflow(start, c.ms - INSTANT_DAY, ms);
}

int64_t instant_add(int64_t ms, struct duration duration, int sign)
{
    int64_t moved = ms, span;
    bool back =
        sign < 0 ? duration.months > 0 || duration.ms > 0 : duration.months < 0 || duration.ms < 0;

    if (!is_known(ms)) return ms;
    if ((duration.months == 0 || add_months(&moved, (int64_t)sign * duration.months)) &&
        !__builtin_mul_overflow(sign, duration.ms, &span) &&
        !__builtin_add_overflow(moved, span, &moved) && moved != INSTANT_UNSET)
        return moved;
    return back ? INSTANT_UNSET + 1 : INSTANT_NEVER;
}

/* The largest unit that measures it exactly. */
static int64_t in_units(int64_t ms, const char **ret_name)
{
    static const struct {
        const char *name;
        int64_t ms;
    } names[] = { { "day", INSTANT_DAY },
                  { "hour", INSTANT_HOUR },
                  { "minute", MINUTE },
                  { "second", INSTANT_SECOND } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        *ret_name = names[i].name;
        if (ms % names[i].ms == 0) return ms / names[i].ms;
    }
    *ret_name = "ms";
    return ms;
}

static int print_count(char *buf, size_t size, int64_t n, const char *name)
{
    bool one = n == 1 || strcmp(name, "ms") == 0;

    return snprintf(buf, size, "%" PRId64 " %s%s", n, name, one ? "" : "s");
}

const char *duration_text(struct duration duration, char *buf, size_t size)
{
    const char *name;
    int64_t n = in_units(duration.ms, &name);
    int used = 0;

    if (duration.months) used = print_count(buf, size, duration.months, "month");
    if (duration.months && duration.ms && (size_t)used + 1 < size) buf[used++] = ' ';
    if ((duration.ms || !duration.months) && (size_t)used < size)
        print_count(buf + used, size - (size_t)used, n, name);
    return buf;
}

int instant_years(int64_t from, int64_t to)
{
    struct civil a = civil_of(from), b = civil_of(to);
    int64_t years = b.year - a.year;
    unsigned from_day = a.month * 32 + a.day, to_day = b.month * 32 + b.day;

    if (to_day < from_day || (to_day == from_day && b.ms < a.ms)) years--;
    return (int)years;
}
