/* The durable side of the adapter: journal, charts, alerts, outbox. Embedded SQLite today; the
 * interface is keyed by patient and has no transaction over two patients, so that several nodes can
 * share a PostgreSQL later.
 *
 * One store thread owns the database. Every call below takes its input by value (copied before it
 * returns) and answers through a callback on the loop thread, exactly once, never from inside the
 * call, in the order of the calls. Writes that wait are committed together (group commit): `done`
 * runs after the commit that holds them is on disk. The loop never waits for the disk.
 *
 * A failed commit is final: every later call fails with ERR_STORE "store.failed" until the process
 * is started again (a failed fsync must not be retried as if it had worked). Three failures are not
 * final, leave nothing of the call behind and may be tried again: "store.full" (no room; nothing of
 * that commit is kept), "store.busy" (another program holds the write lock), "store.refused" (a
 * constraint; the other calls of that commit are not touched). A call without callback that fails
 * is logged. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"

struct store;

/* Open or create the database at path (its directory must exist, 0700), mode 0600, and bring the
 * schema up to date, forward only. Errors: ERR_STORE "store.open", "store.held" (another process
 * has it open), "store.schema" (newer than this program, or not ours), "store.corrupt"; ERR_SYSTEM
 * "store.thread". Blocking: before the loop runs. path ":memory:" is for tests. */
bool store_open(uv_loop_t *loop, const char *path, struct store **ret, struct err *err) MUST_CHECK;

/* Finish what was submitted (callbacks run), then close the file. closed runs on the loop when
 * nothing is left (NULL: nobody); the struct is gone after it. err: the disk failed, at the latest
 * when the log was moved into the file; what was committed is in the log. NULL: it did not. A call
 * made after store_close() fails with "store.closed". */
typedef void store_closed_fn(struct err *err, void *arg);
void store_close(struct store *store, store_closed_fn *closed, void *arg);

/* fn runs on the loop after commands of an operator were done (store/queue.h): there may be work, and
 * deliveries that are owed. NULL: nobody. Thread: loop. */
void store_on_command(struct store *store, void (*fn)(void *arg), void *arg);

/* For the watchdog: how many turns the store thread has completed (it turns at least once a second
 * while it is healthy). Thread: loop. */
uint64_t store_turns(const struct store *store);

/* ---- journal */

/* How an event came: a notification by rest-hook, a poll, a read of ours, a replayed file, a
 * websocket, a question after a notification ($events, or what a query notification names). The
 * numbers are in the file: a new one comes last. */
enum event_via { VIA_HOOK, VIA_POLL, VIA_READ, VIA_REPLAY, VIA_SOCKET, VIA_QUERY, VIA_COUNT };

enum event_change {
    CHANGE_WRITTEN, /* created or updated; payload holds the resource when we have it */
    CHANGE_DELETED,
    CHANGE_HINT, /* something of this type changed, we do not know what: id is "" */
};

struct store_event {
    int64_t seq;         /* given by the store */
    int64_t accepted_ms; /* wall clock */
    enum event_via via;
    enum event_change change;
    const char *type, *id;
    const char *version; /* "" when not known */
    const char *patient; /* id of the Patient; "" when not known */
    int64_t updated_ms;  /* meta.lastUpdated; INSTANT_UNSET when not known */
    const char *payload; /* the resource as JSON; NULL when we have none */
    size_t payload_len;
};

struct store_accepted {
    size_t fresh, duplicates;
    struct err *err; /* NULL: committed */
};
typedef void store_accept_fn(const struct store_accepted *accepted, void *arg);

/* Put events into the journal. An event whose (type, id, version, change) is there already is a
 * duplicate, unless its version is "" (then it is always fresh). */
void store_accept(struct store *store, const struct store_event *events, size_t count,
                  store_accept_fn *done, void *arg);

/* Remove finished events that were accepted and ended before before_ms: of the `limit` events that
 * follow after_seq. What waits or is set aside stays, and the events of a patient whose alerts are
 * owed or parked; the counts are of all that there ever were. */
struct store_swept {
    int64_t removed;
    int64_t next_seq; /* go on after this one; 0: there are no more as old */
    struct err *err;
};
typedef void store_swept_fn(const struct store_swept *swept, void *arg);
void store_sweep(struct store *store, int64_t after_seq, int64_t before_ms, size_t limit,
                 store_swept_fn *done, void *arg);

/* How many resources of a type have their newest version, as far as the journal knows, in
 * [from_ms, until_ms) of the server's time, and were not deleted since. -1: it failed. */
typedef void store_number_fn(int64_t number, void *arg);
void store_changed(struct store *store, const char *type, int64_t from_ms, int64_t until_ms,
                   store_number_fn *done, void *arg);

/* ---- work */

/* One piece of work: a patient with waiting events or a due instant, or one event whose patient is
 * not known yet. Everything is borrowed until the callback returns. */
struct store_resource {
    const char *type, *id, *version;
    int64_t updated_ms;
    const char *json;
    size_t json_len;
};

struct store_alert {
    const char *key;      /* of the episode: names the DetectedIssue */
    const char *identity; /* patient, rule, subjects: the same for every episode */
    int64_t episode;      /* 1, 2, ... of that identity */
    const char *rule;
    const char *state;           /* "open", "cleared", "retracted" */
    const char *content;         /* JSON kept by the reconciler; opaque here */
    int64_t opened_ms, ended_ms; /* ended: INSTANT_UNSET while open */
};

struct store_work {
    const char *patient;              /* "" : resolve events[0] first */
    bool in_cohort;                   /* as of the last evaluation */
    bool complete;                    /* the whole chart has been read from the server once */
    int64_t due_ms;                   /* wake-up that made this work, or INSTANT_UNSET */
    const struct store_event *events; /* waiting, oldest first */
    size_t event_count;
    const struct store_resource *resources; /* the chart */
    size_t resource_count;
    const struct store_alert *alerts; /* open ones, and the newest ended one of each identity */
    size_t alert_count;
    struct err *err;
};
typedef void store_work_fn(const struct store_work *work, void *arg); /* NULL: nothing to do */

/* Claim the next piece of work: patients with waiting events first, oldest first; then patients
 * whose due instant is at or before now_ms. A claimed patient is not given out again until
 * store_finish() or store_release(); a finish that fails does not end the claim. Claims end with
 * the process. */
void store_claim(struct store *store, int64_t now_ms, store_work_fn *done, void *arg);

/* Give a claim back unchanged, to be offered again not before retry_ms (wall clock). */
void store_release(struct store *store, const char *patient, int64_t event_seq, int64_t retry_ms);

enum event_fate { FATE_DONE, FATE_OUTSIDE, FATE_ASIDE };

struct store_fate {
    int64_t seq;
    enum event_fate fate;
    const char *reason; /* of FATE_ASIDE: our own words, no patient data; else "" */
};

struct store_result {
    const char *patient; /* "" when an event without patient is finished */
    bool in_cohort, complete;
    int64_t due_ms; /* INSTANT_NEVER: none */
    const struct store_fate *fates;
    size_t fate_count;
    const struct store_resource *written; /* insert or replace in the chart */
    size_t written_count;
    const struct store_resource *removed; /* type and id only */
    size_t removed_count;
    const struct store_alert *alerts; /* insert or replace, by key */
    size_t alert_count;
    const struct store_outbox *outbox; /* owed to the server: replaces what waits for that key */
    size_t outbox_count;
};

struct store_outbox {
    const char *key; /* of the alert */
    const char *patient, *rule;
    const char *body; /* the resource as it should stand, JSON, without id */
    size_t body_len;
    int64_t revision; /* given by the store: grows with each replacement */
    /* given by the store: */
    int64_t attempts, owed_ms;
    const char *server_id, *server_version; /* "" until first delivered */
};

typedef void store_done_fn(struct err *err, void *arg); /* err NULL: committed */

/* Commit one patient's evaluation: events, chart, alerts and outbox in one transaction; ends the
 * claim. An event that came in meanwhile stays waiting. A fate of an event that does not wait is
 * passed over. */
void store_finish(struct store *store, const struct store_result *result, store_done_fn *done,
                  void *arg);

/* Say what was learned of an event without patient (payload, version, patient): it becomes work of
 * that patient. Ends the claim. Type, id and via stay; a payload of NULL keeps the one there is.
 * An event that does not wait, or has its patient already, is passed over. */
void store_resolve(struct store *store, const struct store_event *event, store_done_fn *done,
                   void *arg);

/* ---- outbox */

struct store_owed {
    const struct store_outbox *items; /* borrowed until the callback returns */
    size_t count;
    struct err *err;
};
typedef void store_owed_fn(const struct store_owed *owed, void *arg);

/* Up to `limit` deliveries that are due at now_ms and not in flight: those never tried in the order
 * they were owed, then by the time of their retry. They are in flight until one of the three calls
 * below, or the end of the process. */
void store_owed(struct store *store, int64_t now_ms, size_t limit, store_owed_fn *done, void *arg);

/* The server has made it under this id, and it is not known yet whether it stands there alone: still in
 * flight. The id comes back with the next attempt, without a version. */
void store_created(struct store *store, const char *key, const char *server_id);

/* The server has it. A newer revision that was put in meanwhile stays owed. */
void store_delivered(struct store *store, const char *key, int64_t revision, const char *server_id,
                     const char *server_version, store_done_fn *done, void *arg);

/* Try again at retry_ms. code is the error code of the attempt; "server.circuit": there was none,
 * nothing was sent. A newer revision that was put in
 * meanwhile waits as long, without an attempt counted. */
void store_retry(struct store *store, const char *key, int64_t retry_ms, const char *code);

/* The server refused for good: keep it, with the reason (our own words), until a newer revision
 * replaces it or an operator acts. One that was put in meanwhile stays owed. */
void store_park(struct store *store, const char *key, const char *reason);

/* Every delivery that waits or is parked may be tried again now, its attempts forgotten (after a
 * repaired configuration). */
void store_unpark(struct store *store);

/* ---- small settings: watermarks, subscription ids, the hook secret */

typedef void store_setting_fn(const char *value, void *arg); /* NULL: not set, or failed */
void store_get(struct store *store, const char *name, store_setting_fn *done, void *arg);

/* value NULL: forget it. */
void store_set(struct store *store, const char *name, const char *value, store_done_fn *done,
               void *arg);

/* ---- when things were seen last: core/pulse.h */

struct store_pulse {
    const char *kind, *name;
    int64_t first_ms, last_ms, longest_ms, missed_ms;
    bool warned;
};
struct store_pulses {
    const struct store_pulse *items; /* borrowed until the callback returns */
    size_t count;
    struct err *err;
};
typedef void store_pulses_fn(const struct store_pulses *pulses, void *arg);
void store_pulses(struct store *store, store_pulses_fn *done, void *arg);

/* Insert or replace, by kind and name. */
void store_put_pulses(struct store *store, const struct store_pulse *pulses, size_t count,
                      store_done_fn *done, void *arg);

/* ---- counts, for status and metrics */

/* What has become of events, and received: all of them. For each source, at any moment,
 * received = waiting + done + outside + aside + dropped. */
enum store_fate_of {
    STORE_WAITING,
    STORE_DONE,
    STORE_OUTSIDE,
    STORE_ASIDE,
    STORE_DROPPED,
    STORE_RECEIVED,
    STORE_FATES
};

/* How many are set aside or parked for one reason. */
#define STORE_REASONS_MAX 12
struct store_reason {
    char code[48]; /* the error code, without what follows it; "other" for those beyond */
    int64_t count;
};

struct store_counts {
    int64_t ledger[VIA_COUNT][STORE_FATES]; /* events ever, also those that were removed */
    int64_t events_total, events_waiting, events_done, events_outside, events_aside,
        events_dropped;                 /* the sums of it */
    int64_t waiting_bytes, aside_bytes; /* payloads of those events */
    int64_t oldest_ms;                  /* acceptance of the oldest event that waits
                                                         * for its turn; INSTANT_UNSET: none */
    int64_t patients, cohort, alerts_open;
    int64_t outbox_waiting, outbox_parked, outbox_dropped,
        outbox_bytes; /* bytes: of waiting ones */
    struct store_reason aside_by[STORE_REASONS_MAX], parked_by[STORE_REASONS_MAX];
    size_t aside_reasons, parked_reasons;
    int64_t next_due_ms;   /* earliest wake-up of a cohort patient; INSTANT_NEVER: none */
    int64_t next_retry_ms; /* earliest outbox retry or released claim; INSTANT_NEVER: none; 0: a
                            * delivery that was never tried. Not counted: what is claimed or in
                            * flight */
};
typedef void store_counts_fn(const struct store_counts *counts, void *arg); /* NULL: failed */
void store_count(struct store *store, store_counts_fn *done, void *arg);

/* Every cohort patient is due now: after a reload, so that new rules meet old charts, and when the
 * clock was set back. One who is claimed is due again when that claim is finished; what was released
 * is offered again at once. */
void store_wake_all(struct store *store, int64_t now_ms, store_done_fn *done, void *arg);
