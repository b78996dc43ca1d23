#include "fhir/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "fhir/reference.h"

void feed_start(struct feed *feed, const char *id, int64_t now_ms)
{
    *feed = (struct feed){ .told_ms = INSTANT_UNSET, .gap_ms = now_ms, .heard_ms = now_ms };
    snprintf(feed->id, sizeof feed->id, "%s", id);
}

/* ---- what is told of beyond a gap */

static void held_remove(struct feed *feed, size_t i)
{
    feed->held_count--;
    memmove(&feed->held[i], &feed->held[i + 1], (feed->held_count - i) * sizeof *feed->held);
}

/* When there are too many pieces the gap is one, from the first to the last: more is asked for again
 * than is missing, never less. */
static void held_add(struct feed *feed, struct feed_range range)
{
    size_t i = 0;

    while (i < feed->held_count && feed->held[i].to < range.from - 1) i++;
    while (i < feed->held_count && feed->held[i].from - 1 <= range.to) {
        if (feed->held[i].from < range.from) range.from = feed->held[i].from;
        if (feed->held[i].to > range.to) range.to = feed->held[i].to;
        held_remove(feed, i);
    }
    if (feed->held_count == FEED_HELD_MAX) {
        feed->held_count = 0;
        return;
    }
    memmove(&feed->held[i + 1], &feed->held[i], (feed->held_count - i) * sizeof *feed->held);
    feed->held[i] = range;
    feed->held_count++;
}

/* Everything up to `to` is there, and what was held behind it. */
static void advance(struct feed *feed, uint64_t to, int64_t now_ms)
{
    if (to > feed->seen) feed->seen = to;
    while (feed->held_count && feed->held[0].from - 1 <= feed->seen) {
        if (feed->held[0].to > feed->seen) feed->seen = feed->held[0].to;
        held_remove(feed, 0);
    }
    if (feed->top < feed->seen) feed->top = feed->seen;
    feed->gap_ms = now_ms;
}

/* ---- one notification */

/* The events that it stands for; from > to: none. A notification that says only that something
 * changed is answered by a look at everything: it stands for all that went before as well. */
static struct feed_range range_of(const struct feed *feed, const struct notification *told)
{
    bool blind = told->item_count > 0;
    uint64_t count = told->event_count ? told->event_count : 1, to = told->events_since_start;

    for (size_t i = 0; i < told->item_count; i++)
        if (told->items[i].id[0]) blind = false;
    if (told->last_event > to || (told->last_event && !blind)) to = told->last_event;
    if (told->kind != NOTIFICATION_CHANGES || !to) return (struct feed_range){ 1, 0 };
    if (blind && feed->counted && feed->seen < to) return (struct feed_range){ feed->seen + 1, to };
    if (told->first_event) return (struct feed_range){ told->first_event, to };
    return (struct feed_range){ to >= count ? to - count + 1 : 1, to };
}

static uint64_t highest_of(const struct notification *told)
{
    return told->last_event > told->events_since_start ? told->last_event
                                                       : told->events_since_start;
}

/* A number that was told before: sent twice, or given twice? An event of a lower number that happened
 * later is another one. The last number given twice is no restart: some servers count carelessly. */
static bool is_restart(const struct feed *feed, const struct notification *told, uint64_t highest,
                       enum feed_content content)
{
    if (highest == feed->seen) return false;
    if (feed->told_ms != INSTANT_UNSET && told->told_ms != INSTANT_UNSET)
        return told->told_ms > feed->told_ms;
    return content != FEED_KNOWN;
}

static enum feed_verdict restart(struct feed *feed, uint64_t highest, int64_t now_ms)
{
    feed->held_count = 0;
    feed->seen = feed->top = highest;
    feed->gap_ms = now_ms;
    return FEED_RESTARTED;
}

/* Nothing of it is beyond what has been seen. */
static enum feed_verdict tell_old(struct feed *feed, const struct notification *told,
                                  uint64_t highest, enum feed_content content, int64_t now_ms)
{
    bool event = told->kind == NOTIFICATION_CHANGES;

    if (!event && highest == feed->seen) return FEED_NEXT;
    return is_restart(feed, told, highest, content) ? restart(feed, highest, now_ms)
                                                    : FEED_REPEATED;
}

static enum feed_verdict tell_new(struct feed *feed, struct feed_range range, uint64_t highest,
                                  int64_t now_ms)
{
    bool missing = feed->seen < feed->top;

    if (highest > feed->top) feed->top = highest;
    if (!missing) feed->gap_ms = now_ms;
    if (range.from <= range.to && range.to > feed->seen) {
        if (range.from <= feed->seen + 1)
            advance(feed, range.to, now_ms);
        else
            held_add(feed, range);
        if (feed->seen < range.from) return FEED_AHEAD;
        return missing ? FEED_FILLED : feed->seen < feed->top ? FEED_AHEAD : FEED_NEXT;
    }
    return feed->seen < feed->top ? FEED_AHEAD : FEED_NEXT;
}

enum feed_verdict feed_tell(struct feed *feed, const struct notification *told,
                            enum feed_content content, int64_t now_ms)
{
    uint64_t highest = highest_of(told);
    struct feed_range range = range_of(feed, told);
    enum feed_verdict verdict;

    feed->heard_ms = now_ms;
    if (!highest && (feed->counted || told->kind != NOTIFICATION_HANDSHAKE)) return FEED_UNCOUNTED;
    if (!feed->counted) { /* a handshake says that nothing was told so far */
        feed->counted = true;
        feed->seen = feed->top = highest;
        verdict = FEED_FIRST;
    } else if (highest <= feed->seen) {
        verdict = tell_old(feed, told, highest, content, now_ms);
    } else {
        verdict = tell_new(feed, range, highest, now_ms);
    }
    if (told->told_ms != INSTANT_UNSET && told->told_ms > feed->told_ms)
        feed->told_ms = told->told_ms;
    return verdict;
}

/* ---- what is missing */

bool feed_gap(const struct feed *feed, int64_t now_ms, struct feed_range *ret)
{
    if (!feed->counted || feed->seen >= feed->top || now_ms - feed->gap_ms < FEED_LATE_MS)
        return false;
    *ret = (struct feed_range){ feed->seen + 1, feed->top };
    if (feed->held_count && feed->held[feed->held_count - 1].to == feed->top)
        ret->to = feed->held[feed->held_count - 1].from - 1;
    return true;
}

void feed_close(struct feed *feed, uint64_t to, int64_t now_ms)
{
    advance(feed, to, now_ms);
}

/* ---- silence */

static int64_t silent_at(const struct feed *feed, int64_t heartbeat_ms)
{
    return heartbeat_ms ? feed->heard_ms + heartbeat_ms + heartbeat_ms / 2 : INSTANT_NEVER;
}

bool feed_is_silent(const struct feed *feed, int64_t heartbeat_ms, int64_t now_ms)
{
    return now_ms >= silent_at(feed, heartbeat_ms);
}

int64_t feed_due_ms(const struct feed *feed, int64_t heartbeat_ms)
{
    int64_t silent = silent_at(feed, heartbeat_ms), late = feed->gap_ms + FEED_LATE_MS;

    if (!feed->counted || feed->seen >= feed->top) return silent;
    return late < silent ? late : silent;
}

/* ---- over a restart of ours */

void feed_write(const struct feed *feed, char ret[FEED_TEXT_SIZE])
{
    snprintf(ret, FEED_TEXT_SIZE, "%s %" PRIu64 " %" PRIu64 " %" PRId64, feed->id,
             feed->counted ? feed->seen : 0, feed->counted ? feed->top : 0, feed->told_ms);
}

bool feed_read(const char *text, int64_t now_ms, struct feed *ret)
{
    char id[FEED_ID_SIZE];
    uint64_t seen, top;
    int64_t told_ms;
    int end = 0;

    feed_start(ret, "", now_ms);
    if (sscanf(text, "%71s %" SCNu64 " %" SCNu64 " %" SCNd64 "%n", id, &seen, &top, &told_ms,
               &end) != 4)
        return false;
    if (text[end] || !reference_id_ok(id) || seen > top) return false;
    feed_start(ret, id, now_ms);
    ret->counted = top > 0;
    ret->seen = seen;
    ret->top = top;
    ret->told_ms = told_ms;
    return true;
}
