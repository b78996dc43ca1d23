#include "fhir/timing.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "fhir/datatype.h"
#include "fhir/timing_impl.h"

#define NUMBER_MIN "0.001" /* of frequencies and periods: what lies outside is a mistake */
#define NUMBER_MAX 1000

/* A period of the calendar, in hours; months and years on average. */
static const struct period_unit period_units[] = {
    { "s", "second", "", "0.000277777777777777778", 0 },
    { "min", "minute", "", "0.0166666666666666667", 0 },
    { "h", "hour", "hourly", "1", 0 },
    { "d", "day", "daily", "24", 0 },
    { "wk", "week", "weekly", "168", 0 },
    { "mo", "month", "monthly", "730.5", 1 },
    { "a", "year", "yearly", "8766", 12 },
};

const struct period_unit *timing_unit(const char *code)
{
    for (size_t i = 0; code && i < ARRAY_SIZE(period_units); i++)
        if (strcmp(period_units[i].code, code) == 0) return &period_units[i];
    return NULL;
}

static struct decimal hours_of(const struct rhythm *rhythm, struct decimal period)
{
    struct decimal hours;

    if (!decimal_parse(rhythm->unit->hours, &hours)) hours = DECIMAL_ZERO;
    return decimal_multiply(period, hours);
}

static struct interval between(struct decimal a, struct decimal b)
{
    return interval_hull(interval_exactly(a), interval_exactly(b));
}

static bool is_unit(const struct rhythm *rhythm, const char *code)
{
    return strcmp(rhythm->unit->code, code) == 0;
}

/* Limited to n days of the week: daily means n times a week; per week, once or on each of them. */
static bool limit_to_days(struct rhythm *rhythm, struct timing *ret)
{
    struct decimal n = decimal_of((int64_t)rhythm->week_days);
    bool one = decimal_compare(rhythm->period, decimal_of(1)) == 0 &&
               decimal_compare(rhythm->period_max, decimal_of(1)) == 0;

    if (one && is_unit(rhythm, "d")) {
        rhythm->times = decimal_multiply(rhythm->times, n);
        rhythm->times_max = decimal_multiply(rhythm->times_max, n);
        rhythm->unit = timing_unit("wk");
        return true;
    }
    if (is_unit(rhythm, "wk")) {
        if (decimal_compare(rhythm->times_max, n) < 0) rhythm->times_max = n;
        return true;
    }
    ret->why = "the days of the week do not fit the period";
    return false;
}

/* One administration in every period, on whatever day of the week it falls. Half a month is no length
 * of the calendar. */
static struct duration every_of(const struct rhythm *rhythm)
{
    struct decimal one = decimal_of(1), period = rhythm->period;
    struct duration every = { 0 };

    if (decimal_compare(rhythm->times, one) != 0 || decimal_compare(rhythm->times_max, one) != 0 ||
        decimal_compare(period, rhythm->period_max) != 0 || rhythm->week_days > 0)
        return every;
    if (!rhythm->unit->months)
        every.ms = (int64_t)(decimal_double(hours_of(rhythm, period)) * (double)INSTANT_HOUR + 0.5);
    else if (decimal_compare(decimal_round(period, 0), period) == 0)
        every.months = (int32_t)decimal_double(period) * rhythm->unit->months;
    return every;
}

static void set_rate(const struct rhythm *rhythm, struct timing *ret)
{
    struct decimal day = decimal_of(24);

    ret->shortest = hours_of(rhythm, rhythm->period);
    ret->longest = hours_of(rhythm, rhythm->period_max);
    ret->times = rhythm->times;
    ret->times_max = rhythm->times_max;
    ret->known = true;
    ret->hours = between(decimal_divide(ret->shortest, ret->times_max),
                         decimal_divide(ret->longest, ret->times));
    ret->every = every_of(rhythm);
    if (rhythm->week_days > 1) /* Monday and Tuesday, then a long pause */
        ret->hours = between(decimal_of(1), decimal_of(168));
    ret->every_day = decimal_compare(decimal_multiply(ret->times, day), ret->longest) >= 0 &&
                     decimal_compare(ret->longest, day) <= 0 && rhythm->week_days == 0;
}

/* One rounding, at the end: 28 mg in 168 h are 4 mg a day, not a little less. */
struct interval timing_daily(const struct timing *timing, const struct interval *single)
{
    struct decimal day = decimal_of(24);
    struct decimal low = decimal_multiply(single->low, decimal_multiply(timing->times, day));
    struct decimal high = decimal_multiply(single->high, decimal_multiply(timing->times_max, day));

    return between(decimal_divide(low, timing->longest), decimal_divide(high, timing->shortest));
}

/* ---- words */

static void number_words(struct decimal low, struct decimal high, char *buf, size_t size)
{
    char a[64], b[64];

    decimal_text(low, a, sizeof a);
    decimal_text(high, b, sizeof b);
    if (decimal_compare(low, high) == 0)
        snprintf(buf, size, "%.12s", a);
    else
        snprintf(buf, size, "%.12s to %.12s", a, b);
}

static bool is_one(struct decimal low, struct decimal high)
{
    return decimal_compare(low, decimal_of(1)) == 0 && decimal_compare(high, decimal_of(1)) == 0;
}

static bool is_two(struct decimal low, struct decimal high)
{
    return decimal_compare(low, decimal_of(2)) == 0 && decimal_compare(high, decimal_of(2)) == 0;
}

/* "once daily", "3 times weekly", "every 4 to 6 hours", "twice every 2 weeks" */
static void set_words(const struct rhythm *rhythm, struct timing *ret)
{
    bool every_one = is_one(rhythm->period, rhythm->period_max);
    bool once = is_one(rhythm->times, rhythm->times_max);
    char times[32], period[32], first[48] = "";

    number_words(rhythm->times, rhythm->times_max, times, sizeof times);
    number_words(rhythm->period, rhythm->period_max, period, sizeof period);
    if (is_two(rhythm->times, rhythm->times_max))
        snprintf(first, sizeof first, "twice ");
    else if (!once)
        snprintf(first, sizeof first, "%s times ", times);
    else if (every_one && !is_unit(rhythm, "h"))
        snprintf(first, sizeof first, "once ");
    if (!every_one)
        snprintf(ret->words, sizeof ret->words, "%severy %s %ss", first, period,
                 rhythm->unit->word);
    else if (*rhythm->unit->adverb && !is_unit(rhythm, "h"))
        snprintf(ret->words, sizeof ret->words, "%s%s", first, rhythm->unit->adverb);
    else
        snprintf(ret->words, sizeof ret->words, "%severy %s", first, rhythm->unit->word);
}

void timing_set(struct rhythm *rhythm, struct timing *ret)
{
    if (rhythm->week_days > 0 && !limit_to_days(rhythm, ret)) return;
    set_rate(rhythm, ret);
    if (ret->known) set_words(rhythm, ret);
}

/* ---- timing.repeat */

/* A number that can be a frequency or a period. */
static bool positive(const struct node *at, const char *key, struct decimal *ret)
{
    struct decimal min;

    return decimal_parse(NUMBER_MIN, &min) && datatype_decimal(at, key, ret) &&
           decimal_compare(*ret, min) >= 0 && decimal_compare(*ret, decimal_of(NUMBER_MAX)) <= 0;
}

static bool contains(const struct node *list, size_t before, const char *text)
{
    for (size_t i = 0; i < before; i++) {
        struct node item = datatype_item(list, i);
        const char *other = node_scalar(&item);
        if (other && strcmp(other, text) == 0) return true;
    }
    return false;
}

/* Different items of a list of strings. */
static size_t distinct(const struct node *repeat, const char *key)
{
    struct node list = node_get(repeat, key);
    size_t count = datatype_count(&list), found = 0;

    for (size_t i = 0; i < count && i < 100; i++) {
        struct node item = datatype_item(&list, i);
        const char *text = node_scalar(&item);
        if (text && !contains(&list, i, text)) found++;
    }
    return found;
}

/* "with meals" is not a number of times. */
static bool is_vague(const struct node *repeat)
{
    static const char *const vague[] = { "C", "AC", "PC" };
    struct node list = node_get(repeat, "when");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < ARRAY_SIZE(vague); i++)
        if (contains(&list, count < 100 ? count : 100, vague[i])) return true;
    return false;
}

/* Why the numbers of administrations cannot be told; NULL when they can. listed: moments of the day
 * and days of the week that are named. */
static const char *no_times(const struct node *repeat, size_t listed)
{
    struct decimal times, times_max;
    bool stated = datatype_has(repeat, "frequency");

    if (stated && !positive(repeat, "frequency", &times)) return "the timing makes no sense";
    if (!stated && is_vague(repeat)) return "how often is not stated: with meals";
    if (stated && listed == 0 && !datatype_has(repeat, "period"))
        return "how often is not stated: a frequency without a period";
    if (!datatype_has(repeat, "frequencyMax")) return NULL;
    if (!positive(repeat, "frequencyMax", &times_max)) return "the timing makes no sense";
    return stated && decimal_compare(times_max, times) < 0 ? "the timing makes no sense" : NULL;
}

/* Times per period: frequency, or the number of times of day; both, when they differ, as bounds. */
static bool read_times(const struct node *repeat, struct rhythm *ret, struct timing *timing)
{
    size_t when = distinct(repeat, "when"), clock = distinct(repeat, "timeOfDay");
    size_t moments = when > clock ? when : clock;
    const char *why = no_times(repeat, moments + ret->week_days);
    struct decimal listed;

    if (why) {
        timing->why = why;
        return false;
    }
    if (is_vague(repeat)) moments = 0;
    listed = decimal_of(moments ? (int64_t)moments : 1);
    if (!positive(repeat, "frequency", &ret->times)) ret->times = listed;
    if (!positive(repeat, "frequencyMax", &ret->times_max)) ret->times_max = ret->times;
    if (moments && decimal_compare(listed, ret->times) < 0) ret->times = listed;
    if (moments && decimal_compare(listed, ret->times_max) > 0) ret->times_max = listed;
    return true;
}

static bool read_period(const struct node *repeat, struct rhythm *ret, struct timing *timing)
{
    const char *unit = node_text(repeat, "periodUnit");
    bool stated = datatype_has(repeat, "period") || unit;

    ret->period = ret->period_max = decimal_of(1);
    ret->unit = unit ? timing_unit(unit) : timing_unit(ret->week_days ? "wk" : "d");
    if (!stated) return true;
    timing->why = "the timing makes no sense";
    if (!unit || !ret->unit || !positive(repeat, "period", &ret->period)) return false;
    ret->period_max = ret->period;
    if (datatype_has(repeat, "periodMax") && (!positive(repeat, "periodMax", &ret->period_max) ||
                                              decimal_compare(ret->period_max, ret->period) < 0))
        return false;
    timing->why = "";
    return true;
}

/* Does repeat say how often at all? A duration or bounds alone do not. */
static bool says_how_often(const struct node *repeat)
{
    static const char *const keys[] = { "frequency", "period", "when", "timeOfDay", "dayOfWeek" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (datatype_has(repeat, keys[i])) return true;
    return false;
}

static void read_repeat(const struct node *repeat, struct timing *ret)
{
    struct rhythm rhythm = { .week_days = distinct(repeat, "dayOfWeek") };

    if (!read_times(repeat, &rhythm, ret) || !read_period(repeat, &rhythm, ret)) return;
    bool bare = !datatype_has(repeat, "frequency") && !datatype_has(repeat, "period");
    if (bare && rhythm.week_days) { /* "on Monday and Thursday": so many times a week */
        struct decimal n = decimal_of((int64_t)rhythm.week_days);
        rhythm.times = decimal_multiply(rhythm.times, n);
        rhythm.times_max = decimal_multiply(rhythm.times_max, n);
    }
    timing_set(&rhythm, ret);
}

/* ---- bounds */

static void read_bounds(const struct node *repeat, struct timing *ret)
{
    struct node period = node_get(repeat, "boundsPeriod");
    struct node length = node_get(repeat, "boundsDuration");
    struct node range = node_get(repeat, "boundsRange"), high = node_get(&range, "high");

    ret->period.start = datatype_start(&period, "start", INSTANT_UNSET);
    ret->start_span_ms = datatype_vague(&period, "start");
    ret->period.end = datatype_end(&period, "end", INSTANT_NEVER);
    ret->has_length = datatype_duration(length.value ? &length : &high, &ret->length);
}

/* ---- times of the day */

static bool tokens_read(const struct node *repeat, const char *key, struct day_times *times)
{
    struct node list = node_get(repeat, key);
    size_t count = datatype_count(&list);
    bool good = true;

    for (size_t i = 0; i < count && i < 100; i++) {
        struct node item = datatype_item(&list, i);
        const char *token = node_scalar(&item);
        good = token && day_times_add(times, token) && good;
    }
    return good && count < 100;
}

/* The codes for a time of the day alone; others say how often. */
static bool code_token(const struct node *concept, struct day_times *times)
{
    static const struct {
        const char *code, *token;
    } codes[] = {
        { "AM", "MORN" }, { "QAM", "MORN" }, { "HS", "HS" }, { "QHS", "HS" }, { "BED", "HS" }
    };
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(codes); j++)
            if (strcmp(datatype_coding_at(concept, i).code, codes[j].code) == 0)
                return day_times_add(times, codes[j].token);
    return false;
}

/* An offset moves the moments away from where they are. */
static void read_day_times(const struct node *repeat, const struct node *concept,
                           struct day_times *times)
{
    bool when = datatype_has(repeat, "when"), clock = datatype_has(repeat, "timeOfDay");

    if (when && datatype_has(repeat, "offset")) return;
    if (!when && !clock) {
        times->known = code_token(concept, times);
    } else {
        times->known = tokens_read(repeat, "when", times);
        if (!tokens_read(repeat, "timeOfDay", times)) times->known = false;
    }
}

/* ---- */

/* A single administration by its number. */
static bool is_single(const struct node *repeat)
{
    struct decimal count;

    return positive(repeat, "count", &count) && decimal_compare(count, decimal_of(1)) == 0 &&
           !datatype_has(repeat, "countMax");
}

static const char *why_unknown(const struct timing *timing)
{
    if (timing->once) return "a single dose, no daily one";
    return *timing->why ? timing->why : "how often is not stated";
}

void timing_read(const struct node *at, struct timing *ret)
{
    struct node repeat = node_get(at, "repeat"), concept = node_get(at, "code");
    struct node events = node_get(at, "event");
    bool meals = is_vague(&repeat) && !datatype_has(&repeat, "frequency");

    *ret = (struct timing){ .why = "" };
    read_bounds(&repeat, ret);
    ret->counted = datatype_has(&repeat, "count") || datatype_has(at, "event");
    if (datatype_has(at, "modifierExtension")) {
        ret->why = "the timing has a modifier that is not understood";
        return;
    }
    read_day_times(&repeat, &concept, &ret->day_times);
    if (says_how_often(&repeat)) read_repeat(&repeat, ret);
    timing_read_code(&concept, meals || !says_how_often(&repeat), ret);
    if (!ret->known && !ret->once && !*ret->why) timing_read_events(&events, ret);
    if (is_single(&repeat)) timing_once(ret);
    if (!ret->known) ret->why = why_unknown(ret);
}
