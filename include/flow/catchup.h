/* The catch-up poll: what changed since the watermark, for each type. The watermark moves only when
 * every page of a pass is in the journal; a pass that fails is dropped whole and repeated from the
 * same place. How a type is asked (search or history) says flow->plan. Beside a search runs, at a
 * slower rhythm, the history of the type where the server has one, because no search shows a
 * deletion. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/patience.h"
#include "fhir/poll_plan.h"
#include "store/store.h"

struct flow;
struct pages;

#define CATCHUP_TYPES  CAPABILITY_KINDS
#define CATCHUP_PASSES (2 * CATCHUP_TYPES) /* the second half asks for deletions alone */

enum catchup_state {
    CATCHUP_LOADING, /* the watermark comes from the store */
    CATCHUP_RESTING, /* until the timer */
    CATCHUP_PAGING,  /* a page is asked for */
    CATCHUP_PAUSED,  /* the journal is full: look again soon */
    CATCHUP_STORING, /* a page is put into the journal */
    CATCHUP_MARKING, /* the new watermark is put down */
    CATCHUP_ENDED,
};

/* The seqs of hints that a pass answers. */
struct catchup_hints {
    int64_t *seqs; /* owned */
    size_t count;
};

struct catchup {
    struct flow *flow;
    const char *type; /* static */
    bool needed;      /* the daemon is not ready without it */
    enum poll_manner manner;
    const char *mark; /* static: what the watermark's setting is called, before the type */
    enum catchup_state state;
    uv_timer_t timer;
    struct pages *pages;
    int64_t watermark_ms;              /* server's clock; INSTANT_UNSET: none yet */
    int64_t reach_ms;                  /* the next pass begins here at the latest; INSTANT_NEVER */
    int64_t seen_ms;                   /* newest lastUpdated of this pass */
    struct arena arena;                /* owned: events of the present page */
    struct buf events;                 /* owned: array of struct store_event */
    int64_t fresh, duplicates, broken; /* of this pass */
    int64_t found;                   /* by poll while a subscription was active; since the start */
    int64_t bytes;                   /* payloads of the page that is being stored */
    unsigned count;                  /* _count of this pass; 0: the usual one */
    size_t pages_told, entries_told; /* of this pass */
    uint64_t began_ms;               /* loop time */
    struct patience patience;        /* of passes that are asked for by catchup_now() */
    bool asked;                      /* this pass was */
    bool reaching;                   /* this pass began at reach_ms, if that was set */
    bool again;                      /* another pass as soon as this one ends */
    bool succeeded;                  /* at least once */
    unsigned failures;               /* in a row */
    bool refused;                    /* the server does not offer the type, and it is not needed */
    const char *complained;          /* code of the failure that was logged last; NULL */
    struct catchup_hints hints, answering;
};

/* Once, before anything; and when the flow is freed. */
void catchup_init(struct flow *flow);
void catchup_done(struct flow *flow);

/* Begin; called when the capabilities are known. */
void catchup_start(struct flow *flow);

/* For good: what runs is cancelled. */
void catchup_stop(struct flow *flow);

/* The intervals have changed. */
void catchup_retime(struct flow *flow);

/* The server is well again: passes that failed are repeated soon. */
void catchup_hurry(struct flow *flow);

/* Look for changes of this type now, or right after the pass that runs. */
void catchup_now(struct flow *flow, const char *type);

/* The same, and let that pass reach back to from_ms once. */
void catchup_reach(struct flow *flow, const char *type, int64_t from_ms);

/* As catchup_now(), and finish the event (a CHANGE_HINT that is claimed) when that pass has ended well.
 * False when the type is not polled. */
bool catchup_hint(struct flow *flow, const struct store_event *event);

/* Is a hint of that type in the journal whose pass has not begun? Then another one needs none of its
 * own. */
bool catchup_has_hint(struct flow *flow, const char *type);

/* Have all needed types been polled once with success? */
bool catchup_is_ready(const struct flow *flow);
