#include "core/day_time.h"

#include <stdio.h>
#include <string.h>

enum part { MORNING, MIDDAY, EVENING };

/* C, AC and PC are left out: any meal; so is what depends on sleep alone (PHS). */
static const struct moment {
    const char *code;
    enum part part;
} moments[] = {
    { "MORN", MORNING },      { "MORN.early", MORNING }, { "MORN.late", MORNING },
    { "WAKE", MORNING },      { "ACM", MORNING },        { "CM", MORNING },
    { "PCM", MORNING },       { "NOON", MIDDAY },        { "AFT", MIDDAY },
    { "AFT.early", MIDDAY },  { "AFT.late", MIDDAY },    { "ACD", MIDDAY },
    { "CD", MIDDAY },         { "PCD", MIDDAY },         { "EVE", EVENING },
    { "EVE.early", EVENING }, { "EVE.late", EVENING },   { "NIGHT", EVENING },
    { "HS", EVENING },        { "ACV", EVENING },        { "CV", EVENING },
    { "PCV", EVENING },
};

static bool has_minute(const struct day_times *times, unsigned minute)
{
    for (unsigned i = 0; i < times->minute_count; i++)
        if (times->minutes[i] == minute) return true;
    return false;
}

static bool add_minute(struct day_times *times, unsigned minute)
{
    if (has_minute(times, minute)) return true;
    if (times->minute_count == DAY_TIME_MINUTES_MAX) return false;
    times->minutes[times->minute_count++] = (uint16_t)minute;
    return true;
}

bool day_times_add(struct day_times *times, const char *token)
{
    unsigned hour, minute;

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        if (strcmp(token, moments[i].code) != 0) continue;
        times->moments |= UINT32_C(1) << i;
        return true;
    }
    if (strspn(token, "0123456789") != 2 || token[2] != ':') return false;
    if (sscanf(token, "%2u:%2u", &hour, &minute) != 2 || hour > 23 || minute > 59) return false;
    return add_minute(times, hour * 60 + minute);
}

struct day_times day_times_join(const struct day_times *a, const struct day_times *b)
{
    struct day_times both = *a;

    both.known = a->known && b->known;
    both.moments |= b->moments;
    for (unsigned i = 0; i < b->minute_count; i++)
        if (!add_minute(&both, b->minutes[i])) both.known = false;
    return both;
}

static unsigned parts_of(uint32_t bits)
{
    unsigned parts = 0;

    for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
        if (bits >> i & 1) parts |= 1u << moments[i].part;
    return parts;
}

enum truth day_times_meet(const struct day_times *a, const struct day_times *b)
{
    if (a->moments & b->moments) return TRUTH_TRUE;
    for (unsigned i = 0; i < a->minute_count; i++)
        if (has_minute(b, a->minutes[i])) return TRUTH_TRUE;
    if (!a->known || !b->known) return TRUTH_UNKNOWN;
    if ((a->moments && b->minute_count) || (b->moments && a->minute_count)) return TRUTH_UNKNOWN;
    return parts_of(a->moments) & parts_of(b->moments) ? TRUTH_UNKNOWN : TRUTH_FALSE;
}
