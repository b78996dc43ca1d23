/* The counters of one topic Subscription: what they say of notifications that are missing, repeated
 * or late, of a server that was started again, and of one that has fallen silent. Event numbers
 * begin at 1 and grow by one; servers send them out of order, twice, or not at all. Pure: the caller
 * brings the time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "fhir/notification.h"

#define FEED_HELD_MAX  32   /* pieces told of beyond a gap */
#define FEED_LATE_MS   2000 /* what is missing may only be late: so long it is waited for */
#define FEED_ID_SIZE   72
#define FEED_TEXT_SIZE 160

struct feed_range {
    uint64_t from, to; /* both inclusive */
};

/* All instants but told_ms are of the caller's one clock. */
struct feed {
    char id[FEED_ID_SIZE]; /* of the Subscription; "": not known */
    bool counted;          /* seen and top mean something */
    uint64_t seen;         /* every event up to this one is accounted for */
    uint64_t top;          /* the highest that was told of; seen where nothing is missing */
    int64_t told_ms;       /* server's clock, of the newest event; INSTANT_UNSET */
    struct feed_range held[FEED_HELD_MAX]; /* told of beyond a gap, ascending, apart */
    size_t held_count;
    int64_t gap_ms;   /* since when the lowest gap stands */
    int64_t heard_ms; /* of the last sign of life */
};

/* What the journal says of the content of a notification. */
enum feed_content {
    FEED_NEW,    /* it has something that the journal did not have */
    FEED_KNOWN,  /* nothing of it is new */
    FEED_UNSURE, /* it does not say which versions it means */
};

enum feed_verdict {
    FEED_UNCOUNTED, /* no counter: nothing can be said */
    FEED_FIRST,     /* the first one: the count begins here */
    FEED_NEXT,      /* in order */
    FEED_REPEATED,  /* nothing that was not told before, or the last number once more */
    FEED_FILLED,    /* late: a part of what was missing */
    FEED_AHEAD,     /* something before it is missing */
    FEED_RESTARTED, /* the counter ran backwards: the server was started again */
};

/* Nothing is known but the Subscription's id. */
void feed_start(struct feed *feed, const char *id, int64_t now_ms);

/* Take account of a notification of this Subscription. */
enum feed_verdict feed_tell(struct feed *feed, const struct notification *notification,
                            enum feed_content content, int64_t now_ms);

/* Is something missing that has been waited for long enough? *ret: from the first to the last of
 * it. */
bool feed_gap(const struct feed *feed, int64_t now_ms, struct feed_range *ret);

/* Everything up to that event is accounted for in another way. */
void feed_close(struct feed *feed, uint64_t to, int64_t now_ms);

/* Has it been silent for one and a half heartbeats? heartbeat_ms 0: none was promised, never. */
bool feed_is_silent(const struct feed *feed, int64_t heartbeat_ms, int64_t now_ms);

/* When to ask feed_gap() or feed_is_silent() next; INSTANT_NEVER. */
int64_t feed_due_ms(const struct feed *feed, int64_t heartbeat_ms);

/* As text that feed_read() understands after a restart of ours; held pieces are forgotten: they are
 * asked for again. False: it is no such text, and *ret is as feed_start() with id "" leaves it. */
void feed_write(const struct feed *feed, char ret[FEED_TEXT_SIZE]);
bool feed_read(const char *text, int64_t now_ms, struct feed *ret);
