/* What waits, is set aside, owed, parked or dropped, as an operator sees it: from beside the process
 * that has the store open. Nothing of a resource but its type and ids.
 *
 * A command is done here when no process has the store; otherwise it is left in the file, and the
 * process that has it takes it up between two batches of its work. Blocking; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/store.h"

/* Bits, so that several can be asked for. An event is waiting, aside or dropped; the delivery of an
 * alert is owed, parked or dropped. The last two are only shown, never listed. */
enum queue_state {
    QUEUE_WAITING = 1,
    QUEUE_ASIDE = 2,
    QUEUE_OWED = 4,
    QUEUE_PARKED = 8,
    QUEUE_DROPPED = 16,
    QUEUE_DONE = 32,      /* an event: evaluated, or outside the cohort */
    QUEUE_DELIVERED = 64, /* an alert */
};

/* "waiting" ...; static storage. queue_state_parse() knows those that can be listed. */
const char *queue_state_name(enum queue_state state);
bool queue_state_parse(const char *text, enum queue_state *ret);

struct queue_item {
    int64_t seq;     /* of an event; 0: it is the delivery of an alert */
    const char *key; /* of the alert; "" */
    enum queue_state state;
    const char *reason;  /* "" */
    const char *patient; /* id; "" when not known */
    int64_t since_ms;    /* accepted, set aside, dropped; owed */
    /* an event */
    const char *type, *id, *version;
    enum event_via via;
    enum event_change change;
    int64_t bytes, accepted_ms;
    bool outside; /* QUEUE_DONE: it was not of our patients */
    /* an alert */
    const char *rule, *server_id, *server_version;
    const char *alert; /* "open", "cleared", "retracted"; "" when it is not known */
    int64_t attempts, next_ms, episode, opened_ms, ended_ms;
    /* filled by queue_show() alone: what is not finished of the same patient */
    int64_t patient_waiting, patient_owed, patient_parked;
};

struct queue;

/* Errors: ERR_STORE "store.open", "store.schema", "store.corrupt". */
bool queue_open(const char *path, struct queue **ret, struct err *err) MUST_CHECK;
void queue_close(struct queue *queue); /* accepts NULL */

/* Which ones: one event (seq), one alert (key), or all in these states (bits) with this reason: the
 * whole of it, or the code before its colon; "" for any. */
struct queue_which {
    int64_t seq;
    const char *key;
    unsigned states;
    const char *reason;
};

/* Tell of each, at most `limit` of a state, oldest first. The item is borrowed until fn returns. */
typedef void queue_item_fn(const struct queue_item *item, void *arg);
bool queue_list(struct queue *queue, const struct queue_which *which, int64_t limit,
                queue_item_fn *fn, void *arg, struct err *err) MUST_CHECK;

/* Tell of one; *ret_found is false when there is none. */
bool queue_show(struct queue *queue, const struct queue_which *which, queue_item_fn *fn, void *arg,
                bool *ret_found, struct err *err) MUST_CHECK;

enum queue_verb { QUEUE_RETRY, QUEUE_DROP };

/* Do it, or have it done; because is kept with what is dropped, NULL for a retry. *ret_items: how many it concerned.
 * Errors: those above; "store.full", "store.busy", "store.failed"; ERR_STORE "queue.late" when the
 * process that has the store has not taken it up within wait_ms (it will when it can). */
bool queue_do(const char *path, enum queue_verb verb, const struct queue_which *which,
              const char *because, int64_t wait_ms, int64_t *ret_items, struct err *err) MUST_CHECK;
