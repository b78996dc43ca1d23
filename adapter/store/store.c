/* The calls of store.h: each copies its input into a task of its kind, hands it to the store thread
 * and, back on the loop, tells the caller. What is done with the database is in the other files. */
#include "store/store.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/copy.h"
#include "store/count.h"
#include "store/database.h"
#include "store/database_open.h"
#include "store/fault.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/pulse.h"
#include "store/setting.h"
#include "store/work.h"
#include "store/worker.h"

struct store {
    struct worker worker;
    store_closed_fn *closed;
    void *arg;
};

/* One call on its way. Owned by the worker until it is answered; then freed. */
struct call {
    struct task task;   /* first: the worker knows only this */
    struct arena arena; /* owned: input, and what was read */
    void *arg;
    union {
        store_accept_fn *accepted;
        store_work_fn *work;
        store_done_fn *done;
        store_owed_fn *owed;
        store_setting_fn *setting;
        store_counts_fn *counts;
        store_swept_fn *swept;
        store_number_fn *number;
        store_pulses_fn *pulses;
    } tell;
    /* input */
    int64_t now_ms, revision, seq;
    size_t limit;
    const char *key, *text, *more;
    struct store_event *events;
    size_t event_count;
    struct store_result *result;
    struct store_pulse *pulses;
    size_t pulse_count;
    /* answer */
    union {
        struct store_accepted accepted;
        struct store_work work;
        struct store_owed owed;
        struct store_counts counts;
        const char *setting;
        struct store_swept swept;
        int64_t number;
        struct store_pulses pulses;
    } ret;
    bool found;
};

static struct call *call_of(struct task *task)
{
    return (struct call *)task;
}

static struct call *call_new(const struct task_kind *kind, void *arg)
{
    struct call *call = mem_new(struct call);

    call->task.kind = kind;
    call->arg = arg;
    return call;
}

static void call_free(struct call *call)
{
    arena_done(&call->arena);
    free(call);
}

static struct err *call_err(struct call *call)
{
    return call->task.failed ? &call->task.err : NULL;
}

/* ---- answers of several kinds */

static void answer_done(struct task *task)
{
    struct call *call = call_of(task);

    call->tell.done(call_err(call), call->arg);
    call_free(call);
}

/* Calls without a callback: the failure is told to the operator. */
static void answer_nobody(struct task *task)
{
    if (task->failed)
        log_event(LOG_LEVEL_ERROR, "store_call_lost", LOG_CODE, task->err.code, LOG_END);
    call_free(call_of(task));
}

/* ---- accept */

static bool accept_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return work_accept(db, call->events, call->event_count, &call->ret.accepted, err);
}

static void accept_answer(struct task *task)
{
    struct call *call = call_of(task);

    if (task->failed) call->ret.accepted = (struct store_accepted){ .err = &task->err };
    call->tell.accepted(&call->ret.accepted, call->arg);
    call_free(call);
}

void store_accept(struct store *store, const struct store_event *events, size_t count,
                  store_accept_fn *done, void *arg)
{
    static const struct task_kind kind = { true, accept_run, accept_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.accepted = done;
    call->events = copy_events(&call->arena, events, count);
    call->event_count = count;
    worker_submit(&store->worker, &call->task);
}

/* ---- sweep, changed */

static bool sweep_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return journal_sweep(db, call->seq, call->now_ms, call->limit, &call->ret.swept, err);
}

static void sweep_answer(struct task *task)
{
    struct call *call = call_of(task);

    if (task->failed) call->ret.swept = (struct store_swept){ .err = &task->err };
    call->tell.swept(&call->ret.swept, call->arg);
    call_free(call);
}

void store_sweep(struct store *store, int64_t after_seq, int64_t before_ms, size_t limit,
                 store_swept_fn *done, void *arg)
{
    static const struct task_kind kind = { true, sweep_run, sweep_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.swept = done;
    call->seq = after_seq;
    call->now_ms = before_ms;
    call->limit = limit;
    worker_submit(&store->worker, &call->task);
}

static bool changed_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return journal_changed(db, call->key, call->now_ms, call->revision, &call->ret.number, err);
}

static void changed_answer(struct task *task)
{
    struct call *call = call_of(task);

    call->tell.number(task->failed ? -1 : call->ret.number, call->arg);
    call_free(call);
}

void store_changed(struct store *store, const char *type, int64_t from_ms, int64_t until_ms,
                   store_number_fn *done, void *arg)
{
    static const struct task_kind kind = { false, changed_run, changed_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.number = done;
    call->key = copy_text(&call->arena, type);
    call->now_ms = from_ms;
    call->revision = until_ms;
    worker_submit(&store->worker, &call->task);
}

/* ---- claim, release */

static bool claim_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return work_claim(db, call->now_ms, &call->arena, &call->ret.work, &call->found, err);
}

static void claim_answer(struct task *task)
{
    struct call *call = call_of(task);

    if (task->failed) call->ret.work = (struct store_work){ .patient = "", .err = &task->err };
    call->tell.work(task->failed || call->found ? &call->ret.work : NULL, call->arg);
    call_free(call);
}

void store_claim(struct store *store, int64_t now_ms, store_work_fn *done, void *arg)
{
    static const struct task_kind kind = { false, claim_run, claim_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.work = done;
    call->now_ms = now_ms;
    worker_submit(&store->worker, &call->task);
}

static bool release_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return work_release(db, call->key, call->seq, call->now_ms, err);
}

void store_release(struct store *store, const char *patient, int64_t event_seq, int64_t retry_ms)
{
    static const struct task_kind kind = { false, release_run, answer_nobody, true };
    struct call *call = call_new(&kind, NULL);

    call->key = copy_text(&call->arena, patient);
    call->seq = event_seq;
    call->now_ms = retry_ms;
    worker_submit(&store->worker, &call->task);
}

/* ---- finish, resolve, wake */

static bool finish_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return work_finish(db, call->result, &call->arena, err);
}

void store_finish(struct store *store, const struct store_result *result, store_done_fn *done,
                  void *arg)
{
    static const struct task_kind kind = { true, finish_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->result = copy_result(&call->arena, result);
    worker_submit(&store->worker, &call->task);
}

static bool resolve_run(struct database *db, struct task *task, struct err *err)
{
    return work_resolve(db, call_of(task)->events, err);
}

void store_resolve(struct store *store, const struct store_event *event, store_done_fn *done,
                   void *arg)
{
    static const struct task_kind kind = { true, resolve_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->events = copy_events(&call->arena, event, 1);
    worker_submit(&store->worker, &call->task);
}

static bool wake_all_run(struct database *db, struct task *task, struct err *err)
{
    return work_wake_all(db, call_of(task)->now_ms, err);
}

void store_wake_all(struct store *store, int64_t now_ms, store_done_fn *done, void *arg)
{
    static const struct task_kind kind = { true, wake_all_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->now_ms = now_ms;
    worker_submit(&store->worker, &call->task);
}

/* ---- outbox */

static bool owed_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return outbox_owed(db, call->now_ms, call->limit, &call->arena, &call->ret.owed.items,
                       &call->ret.owed.count, err);
}

static void owed_answer(struct task *task)
{
    struct call *call = call_of(task);

    if (task->failed) call->ret.owed = (struct store_owed){ .err = &task->err };
    call->tell.owed(&call->ret.owed, call->arg);
    call_free(call);
}

void store_owed(struct store *store, int64_t now_ms, size_t limit, store_owed_fn *done, void *arg)
{
    static const struct task_kind kind = { false, owed_run, owed_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.owed = done;
    call->now_ms = now_ms;
    call->limit = limit;
    worker_submit(&store->worker, &call->task);
}

static bool delivered_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return outbox_delivered(db, call->key, call->revision, call->text, call->more, err);
}

void store_delivered(struct store *store, const char *key, int64_t revision, const char *server_id,
                     const char *server_version, store_done_fn *done, void *arg)
{
    static const struct task_kind kind = { true, delivered_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->key = copy_text(&call->arena, key);
    call->revision = revision;
    call->text = copy_text(&call->arena, server_id);
    call->more = copy_text(&call->arena, server_version);
    worker_submit(&store->worker, &call->task);
}

static bool created_run(struct database *db, struct task *task, struct err *err)
{
    return outbox_created(db, call_of(task)->key, call_of(task)->text, err);
}

void store_created(struct store *store, const char *key, const char *server_id)
{
    static const struct task_kind kind = { true, created_run, answer_nobody, true };
    struct call *call = call_new(&kind, NULL);

    call->key = copy_text(&call->arena, key);
    call->text = copy_text(&call->arena, server_id);
    worker_submit(&store->worker, &call->task);
}

static bool retry_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return outbox_retry(db, call->key, call->now_ms, call->text, err);
}

void store_retry(struct store *store, const char *key, int64_t retry_ms, const char *code)
{
    static const struct task_kind kind = { true, retry_run, answer_nobody, true };
    struct call *call = call_new(&kind, NULL);

    call->key = copy_text(&call->arena, key);
    call->now_ms = retry_ms;
    call->text = copy_text(&call->arena, code);
    worker_submit(&store->worker, &call->task);
}

static bool park_run(struct database *db, struct task *task, struct err *err)
{
    return outbox_park(db, call_of(task)->key, call_of(task)->text, err);
}

void store_park(struct store *store, const char *key, const char *reason)
{
    static const struct task_kind kind = { true, park_run, answer_nobody, true };
    struct call *call = call_new(&kind, NULL);

    call->key = copy_text(&call->arena, key);
    call->text = copy_text(&call->arena, reason);
    worker_submit(&store->worker, &call->task);
}

static bool unpark_run(struct database *db, struct task *task, struct err *err)
{
    (void)task;
    return outbox_unpark(db, err);
}

void store_unpark(struct store *store)
{
    static const struct task_kind kind = { true, unpark_run, answer_nobody, true };

    worker_submit(&store->worker, &call_new(&kind, NULL)->task);
}

/* ---- settings and counts */

static bool get_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return setting_get(db, call->key, &call->arena, &call->ret.setting, err);
}

static void get_answer(struct task *task)
{
    struct call *call = call_of(task);

    call->tell.setting(task->failed ? NULL : call->ret.setting, call->arg);
    call_free(call);
}

void store_get(struct store *store, const char *name, store_setting_fn *done, void *arg)
{
    static const struct task_kind kind = { false, get_run, get_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.setting = done;
    call->key = copy_text(&call->arena, name);
    worker_submit(&store->worker, &call->task);
}

static bool set_run(struct database *db, struct task *task, struct err *err)
{
    return setting_set(db, call_of(task)->key, call_of(task)->text, err);
}

void store_set(struct store *store, const char *name, const char *value, store_done_fn *done,
               void *arg)
{
    static const struct task_kind kind = { true, set_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->key = copy_text(&call->arena, name);
    call->text = value ? copy_text(&call->arena, value) : NULL;
    worker_submit(&store->worker, &call->task);
}

static bool pulses_run(struct database *db, struct task *task, struct err *err)
{
    struct call *call = call_of(task);

    return pulse_list(db, &call->arena, &call->ret.pulses.items, &call->ret.pulses.count, err);
}

static void pulses_answer(struct task *task)
{
    struct call *call = call_of(task);

    if (task->failed) call->ret.pulses = (struct store_pulses){ .err = &task->err };
    call->tell.pulses(&call->ret.pulses, call->arg);
    call_free(call);
}

void store_pulses(struct store *store, store_pulses_fn *done, void *arg)
{
    static const struct task_kind kind = { false, pulses_run, pulses_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.pulses = done;
    worker_submit(&store->worker, &call->task);
}

static bool put_pulses_run(struct database *db, struct task *task, struct err *err)
{
    return pulse_put(db, call_of(task)->pulses, call_of(task)->pulse_count, err);
}

void store_put_pulses(struct store *store, const struct store_pulse *pulses, size_t count,
                      store_done_fn *done, void *arg)
{
    static const struct task_kind kind = { true, put_pulses_run, answer_done, false };
    struct call *call = call_new(&kind, arg);

    call->tell.done = done;
    call->pulses = copy_pulses(&call->arena, pulses, count);
    call->pulse_count = count;
    worker_submit(&store->worker, &call->task);
}

static bool count_run(struct database *db, struct task *task, struct err *err)
{
    return count_all(db, &call_of(task)->ret.counts, err);
}

static void count_answer(struct task *task)
{
    struct call *call = call_of(task);

    call->tell.counts(task->failed ? NULL : &call->ret.counts, call->arg);
    call_free(call);
}

void store_count(struct store *store, store_counts_fn *done, void *arg)
{
    static const struct task_kind kind = { false, count_run, count_answer, false };
    struct call *call = call_new(&kind, arg);

    call->tell.counts = done;
    worker_submit(&store->worker, &call->task);
}

/* ---- opening and closing */

static void store_on_closed(void *arg)
{
    struct store *store = arg;

    if (store->closed)
        store->closed(store->worker.end_failed ? &store->worker.end_err : NULL, store->arg);
    free(store);
}

bool store_open(uv_loop_t *loop, const char *path, struct store **ret, struct err *err)
{
    struct database *db;

    if (!database_open(path, &db, err)) return false;
    if (!work_init(db, err)) {
        database_close(db);
        return err_at(err, "%s", path);
    }
    struct store *store = mem_new(struct store);
    if (!worker_init(&store->worker, loop, db, store_on_closed, store, err)) return false;
    *ret = store;
    return true;
}

void store_close(struct store *store, store_closed_fn *closed, void *arg)
{
    store->closed = closed;
    store->arg = arg;
    worker_close(&store->worker);
}

void store_on_command(struct store *store, void (*fn)(void *arg), void *arg)
{
    store->worker.commanded = fn;
    store->worker.commanded_arg = arg;
}

uint64_t store_turns(const struct store *store)
{
    return worker_turns(&store->worker);
}

void store_fail_at(struct store *store, unsigned nth, int code)
{
    database_fail_at(store->worker.db, nth, code);
}

unsigned store_fail_left(const struct store *store)
{
    return database_fail_left(store->worker.db);
}

bool store_explain(struct store *store, enum statement id, struct buf *ret, struct err *err)
{
    return database_explain(store->worker.db, id, ret, err);
}
