/* Timing.code: the abbreviations of GTSAbbreviation and their kin. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "fhir/datatype.h"
#include "fhir/timing_impl.h"

static const struct timing_code {
    const char *code;
    int times, period;
    const char *unit; /* NULL: a single administration */
} timing_codes[] = {
    { "QD", 1, 1, "d" },   { "DAILY", 1, 1, "d" },    { "BID", 2, 1, "d" },
    { "TID", 3, 1, "d" },  { "QID", 4, 1, "d" },      { "QOD", 1, 2, "d" },
    { "AM", 1, 1, "d" },   { "PM", 1, 1, "d" },       { "HS", 1, 1, "d" },
    { "QHS", 1, 1, "d" },  { "QAM", 1, 1, "d" },      { "QPM", 1, 1, "d" },
    { "BED", 1, 1, "d" },  { "WK", 1, 1, "wk" },      { "QW", 1, 1, "wk" },
    { "QWK", 1, 1, "wk" }, { "WEEKLY", 1, 1, "wk" },  { "MO", 1, 1, "mo" },
    { "QM", 1, 1, "mo" },  { "MONTHLY", 1, 1, "mo" }, { "ONCE", 1, 1, NULL },
    { "1X", 1, 1, NULL },  { "X1", 1, 1, NULL },      { "STAT", 1, 1, NULL },
};

static void set_code(int times, int period, const char *unit, struct timing *ret)
{
    struct rhythm rhythm = {
        .times = decimal_of(times),
        .times_max = decimal_of(times),
        .period = decimal_of(period),
        .period_max = decimal_of(period),
        .unit = timing_unit(unit),
    };

    timing_set(&rhythm, ret);
}

/* "Q8H", "Q12H", "Q2D", "Q4W" */
static bool read_every(const char *code, struct timing *ret)
{
    static const struct {
        const char *letter, *unit;
    } letters[] = { { "H", "h" }, { "D", "d" }, { "W", "wk" }, { "WK", "wk" } };
    char *end;

    if (code[0] != 'Q' || code[1] < '1' || code[1] > '9') return false;
    long n = strtol(code + 1, &end, 10);
    if (n > 168) return false;
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (strcmp(end, letters[i].letter) == 0) {
            set_code(1, (int)n, letters[i].unit, ret);
            return true;
        }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Capital letters and digits only, "PRN" at the end cut off; "" where that would join two numbers
 * ("Q4-6H" is not every 46 hours). */
static void normalise(const char *code, char *buf, size_t size, bool *ret_as_needed)
{
    size_t len = 0;
    bool apart = false;

    for (; *code && len + 1 < size; code++) {
        char c = *code >= 'a' && *code <= 'z' ? (char)(*code - 32) : *code;
        bool kept = (c >= 'A' && c <= 'Z') || is_digit(c);
        if (kept && apart && len && is_digit(c) && is_digit(buf[len - 1])) break;
        if (kept) buf[len++] = c;
        apart = !kept;
    }
    buf[*code ? 0 : len] = '\0';
    *ret_as_needed = len >= 3 && !*code && strcmp(buf + len - 3, "PRN") == 0;
    if (*ret_as_needed) buf[len - 3] = '\0';
}

static bool read_code(const char *text, struct timing *ret)
{
    char code[24];
    bool as_needed;

    normalise(text, code, sizeof code, &as_needed);
    ret->as_needed = ret->as_needed || as_needed;
    if (read_every(code, ret)) return true;
    for (size_t i = 0; i < ARRAY_SIZE(timing_codes); i++) {
        const struct timing_code *known = &timing_codes[i];
        if (strcmp(known->code, code) != 0) continue;
        ret->once = !known->unit;
        if (ret->once)
            snprintf(ret->words, sizeof ret->words, "once");
        else
            set_code(known->times, known->period, known->unit, ret);
        return true;
    }
    return false;
}

/* ---- beside a repeat */

/* Is a in x hours oftener than b in y hours (1), as often (0), or less often? */
static int compare_rates(struct decimal a, struct decimal x, struct decimal b, struct decimal y)
{
    return decimal_compare(decimal_multiply(a, y), decimal_multiply(b, x));
}

/* FHIR holds the code for complete, and many senders fill it carelessly: of two rates that differ, the
 * dose lies between. */
static void agree(const struct timing *code, struct timing *ret)
{
    char first[sizeof ret->words];
    int low = compare_rates(code->times, code->longest, ret->times, ret->longest);
    int high = compare_rates(code->times_max, code->shortest, ret->times_max, ret->shortest);

    if (low == 0 && high == 0) return;
    memcpy(first, ret->words, sizeof first);
    if (low < 0) {
        ret->times = code->times;
        ret->longest = code->longest;
    }
    if (high > 0) {
        ret->times_max = code->times_max;
        ret->shortest = code->shortest;
    }
    ret->hours = interval_hull(ret->hours, code->hours);
    ret->every = (struct duration){ 0 };
    ret->every_day = ret->every_day && code->every_day;
    snprintf(ret->words, sizeof ret->words, "%.40s or %.40s", first, code->words);
}

void timing_once(struct timing *ret)
{
    ret->once = true;
    ret->known = ret->every_day = false;
    snprintf(ret->words, sizeof ret->words, "once");
}

static void take(const struct timing *code, struct timing *ret)
{
    ret->known = true;
    ret->times = code->times;
    ret->times_max = code->times_max;
    ret->shortest = code->shortest;
    ret->longest = code->longest;
    ret->hours = code->hours;
    ret->every = code->every;
    ret->every_day = code->every_day;
    ret->why = "";
    memcpy(ret->words, code->words, sizeof ret->words);
}

void timing_read_code(const struct node *concept, bool silent, struct timing *ret)
{
    struct timing code = { .why = "" };
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count && !code.known && !code.once; i++)
        read_code(datatype_coding_at(concept, i).code, &code);
    ret->as_needed = ret->as_needed || code.as_needed;
    if (code.once)
        timing_once(ret);
    else if (code.known && ret->known)
        agree(&code, ret);
    else if (code.known && silent)
        take(&code, ret);
}
