/* What the files of a visit share. Private to adapter/flow/visit*.c. */
#pragma once

#include "base/arena.h"
#include "flow/assess.h"
#include "flow/flow_impl.h"
#include "flow/pages.h"
#include "flow/shelf.h"
#include "flow/visit.h"

#define VISIT_PARTS 6 /* searches that make a whole chart */
#define VISIT_AUDIT_MS                                                                             \
    (24 * INSTANT_HOUR) /* then the whole chart is read again: a deletion that
                                            * nobody told of shows in no search */

enum visit_state {
    VISIT_FINDING,
    VISIT_SORTING,
    VISIT_QUEUED,
    VISIT_READING,
    VISIT_ASKING, /* the store is asked which charts hold what */
    VISIT_COMMITTING,
    VISIT_ENDED,
};

/* What becomes of an event. */
struct visit_fate {
    bool decided;
    enum event_fate fate;
    const char *reason; /* static; "" */
};

/* A resource to be read by its id, at most once in a visit. */
struct visit_want {
    const char *type, *id; /* in the arena */
};

/* One search of the chart. */
struct visit_part {
    struct visit *visit;
    const char *type;
    const char *category; /* static; NULL: none */
    struct pages *pages;
    bool asked;
    bool again;   /* asked once more after a refusal */
    bool missing; /* the server does not offer this type */
};

/* A resource that came into this chart while another patient's holds it. */
struct visit_moved {
    const char *type, *id, *from;
};

struct visit {
    struct flow *flow;
    struct visit *next, **link; /* place in flow->work.visits */
    struct visit *next_queued;
    enum visit_state state; /* written by visit_enter() alone */
    struct arena arena;     /* owns the copy of the work and all that comes to it */
    struct store_work work;
    struct visit_fate *fates; /* one for each event */
    struct shelf shelf;
    bool trial;               /* not in the cohort: do these events bring the patient in? */
    bool outside;             /* they do not */
    bool sorted;              /* every event has been judged against the shelf */
    bool look;                /* one of the events asks for a look at the patient, see look.h */
    unsigned commands;        /* ... as of its begin */
    bool look_wanted;         /* read what such a look wants */
    bool whole_wanted;        /* read the whole chart */
    bool whole_asked;         /* it has been asked for */
    bool whole_read;          /* it has been read */
    bool by_category;         /* results are searched by category */
    bool reading;             /* has a place among the readers */
    bool stopped;             /* release as soon as the store has answered */
    bool released;            /* it is to be done again */
    struct visit_want *wants; /* owned */
    size_t want_count, want_next;
    struct visit_part parts[VISIT_PARTS];
    unsigned parts_open;
    int64_t chart_bytes; /* that the searches of the chart have brought */
    const char *refused; /* code: the whole chart cannot be read for good; NULL */
    struct server_call *call;
    struct pace_wait wait; /* of a look: for the next read */
    unsigned busy;         /* its answers in a row that ask for a pause */
    unsigned holders_open;
    struct visit_moved *moved; /* owned */
    size_t moved_count;
    struct assessment assessment;
    bool in_cohort;           /* as of this visit */
    struct store_event found; /* of FINDING: what was learned; patient "" : ask for its holder */
};

/* The only writer of visit->state. */
void visit_enter(struct visit *visit, enum visit_state next);

/* Give the claim back, to be done again later. */
void visit_release(struct visit *visit);

/* The store has committed what the visit found, or failed (err): then the claim goes back. Gives the
 * flow_hold() of the request back; the visit may be gone afterwards. */
void visit_stored(struct visit *visit, struct err *err);

/* Finish the event without patient (the only one), or a patient's claim; ends the visit. */
void visit_commit(struct visit *visit);

/* Say what becomes of event i. The first word counts. */
void visit_decide(struct visit *visit, size_t i, enum event_fate fate, const char *reason);

/* All undecided events, of one resource (type not NULL) or of all. */
void visit_decide_all(struct visit *visit, const char *type, const char *id, enum event_fate fate,
                      const char *reason);

/* A copy that lives as long as the visit. */
const char *visit_keep(struct visit *visit, const char *text);

/* visit_find.c: whose is the event? Judge what is known; read the resource; ask the store for its
 * holder, or tell it what was learned. */
void visit_find(struct visit *visit);
void visit_find_read(struct visit *visit);
void visit_find_ask(struct visit *visit);

/* visit_sort.c: judge what is new; then read, or go on to the end. Or first read the whole chart, and
 * judge the events against it again. */
void visit_sort(struct visit *visit);
void visit_read_whole(struct visit *visit);

/* visit_read.c: read the next thing that is wanted, back to SORTING when there is none; cancel. */
void visit_read(struct visit *visit);
void visit_read_cancel(struct visit *visit);

/* visit_chart.c: search the whole chart, or what a look wants, and go on with visit_read(). */
void visit_chart_read(struct visit *visit);
void visit_chart_cancel(struct visit *visit);

/* Ask for a resource; false when it has been asked for in this visit. */
bool visit_want_add(struct visit *visit, const char *type, const char *id);
bool visit_want_has(const struct visit *visit, const char *type, const char *id);

/* visit_hold.c: ask who holds what is new in this chart; write down, with the commit, that we do,
 * and tell the charts that held it before. */
void visit_hold(struct visit *visit);
void visit_hold_write(struct visit *visit);
