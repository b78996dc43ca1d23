/* Timing.event: the doses one by one, as some write "days 1 to 21 of 28". */
#include <stdlib.h>
#include <string.h>

#include "fhir/datatype.h"
#include "fhir/timing_impl.h"

#define EVENTS_MAX 400 /* more are not read: then nothing is known */
#define DAY_LEN    10  /* of "2026-05-01" */

struct event {
    const char *text; /* as sent */
    int64_t day;      /* days since 1970, by the calendar of the sender */
    struct span span;
};

struct events {
    struct event items[EVENTS_MAX];
    size_t count;
};

static int event_before(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* The day is the one that the sender wrote, whatever the time zone: 21 days stay 21 days when the
 * clocks change. */
static bool read_event(const char *text, struct event *ret)
{
    char date[DAY_LEN + 1];
    struct span day;

    if (!text || strlen(text) < DAY_LEN || !instant_parse(text, &ret->span)) return false;
    memcpy(date, text, DAY_LEN);
    date[DAY_LEN] = '\0';
    if (!instant_parse(date, &day)) return false;
    ret->text = text;
    ret->day = day.start / INSTANT_DAY;
    return true;
}

/* All of them, in the order of time, each once. False when one cannot be read. */
static bool read_all(const struct node *list, struct events *ret)
{
    size_t count = datatype_count(list);

    if (count > EVENTS_MAX) return false;
    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(list, i);
        if (!read_event(node_scalar(&item), &ret->items[i])) return false;
    }
    qsort(ret->items, count, sizeof *ret->items, event_before);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(ret->items[i].text, ret->items[ret->count - 1].text) != 0)
            ret->items[ret->count++] = ret->items[i];
    return true;
}

struct bounds {
    int64_t low, high; /* 0: none yet */
};

static void bounds_add(struct bounds *bounds, int64_t number)
{
    if (!bounds->low || number < bounds->low) bounds->low = number;
    if (number > bounds->high) bounds->high = number;
}

/* So many on each of the days, and so many days from one to the next: with a pause between, as far as
 * that pause reaches. */
static void set_rhythm(const struct events *events, struct timing *ret)
{
    struct bounds times = { 0, 0 }, gap = { 0, 0 };
    int64_t on_day = 0;

    for (size_t i = 0; i < events->count; i++) {
        bool last = i + 1 == events->count || events->items[i + 1].day != events->items[i].day;
        on_day++;
        if (!last) continue;
        bounds_add(&times, on_day);
        on_day = 0;
        if (i + 1 < events->count)
            bounds_add(&gap, events->items[i + 1].day - events->items[i].day);
    }
    if (!gap.low) gap = (struct bounds){ 1, 1 };
    struct rhythm rhythm = { .times = decimal_of(times.low),
                             .times_max = decimal_of(times.high),
                             .period = decimal_of(gap.low),
                             .period_max = decimal_of(gap.high),
                             .unit = timing_unit("d") };
    timing_set(&rhythm, ret);
    ret->every = (struct duration){ 0 }; /* in days alone: each has an hour of its own */
}

/* Nothing is given before the first one or after the last; a single date says when it starts. */
static void set_bounds(const struct events *events, struct timing *ret)
{
    const struct event *first = &events->items[0], *last = &events->items[events->count - 1];

    if (ret->period.start == INSTANT_UNSET) {
        ret->period.start = first->span.start;
        ret->start_span_ms = strlen(first->text) > DAY_LEN ? 0 : INSTANT_DAY;
    }
    if (ret->period.end == INSTANT_NEVER && last != first && !ret->has_length)
        ret->period.end = last->span.start + INSTANT_DAY;
}

void timing_read_events(const struct node *list, struct timing *ret)
{
    struct events events = { .count = 0 };

    if (!datatype_count(list)) return;
    if (!read_all(list, &events)) {
        ret->why = "the dates of the doses cannot be read";
        return;
    }
    set_bounds(&events, ret);
    if (events.count == 1)
        timing_once(ret);
    else
        set_rhythm(&events, ret);
}
