#include "store/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/database_log.h"
#include "store/database_open.h"
#include "store/errand.h"

#define TURN_NS (500 * 1000000ull) /* an idle thread turns so often */

/* One transaction stays this small: its pages stay in the cache, the watchdog sees a turn. */
#define BATCH_TASKS 1024

/* ---- lists */

static void list_add(struct task_list *list, struct task *task)
{
    task->next = NULL;
    if (!list->first) list->end = &list->first;
    *list->end = task;
    list->end = &task->next;
    list->count++;
}

/* Move the first tasks of one list, at most max, to the end of another. */
static void list_move(struct task_list *from, struct task_list *to, size_t max)
{
    for (size_t i = 0; i < max && from->first; i++) {
        struct task *task = from->first;
        from->first = task->next;
        from->count--;
        list_add(to, task);
    }
}

static struct task *list_take(struct task_list *list)
{
    struct task *task = list->first;

    if (!task) return NULL;
    list->first = task->next;
    list->count--;
    return task;
}

/* ---- a batch: store thread */

static void task_fail(struct task *task, const struct err *err)
{
    task->failed = true;
    task->err = *err;
}

/* Run one task so that it can be taken back alone. False: the whole transaction is lost. */
static bool task_run(struct database *db, struct task *task, struct err *err)
{
    if (task->failed) return true; /* submitted too late */
    if (!database_save(db, err)) return false;
    if (task->kind->run(db, task, &task->err)) return database_keep(db, err);
    task->failed = true;
    *err = task->err;
    return database_undo(db);
}

static bool batch_try(struct database *db, struct task_list *batch, struct err *err)
{
    bool writes = false;

    for (struct task *task = batch->first; task; task = task->next) writes |= task->kind->writes;
    if (!database_begin(db, writes, err)) return false;
    for (struct task *task = batch->first; task; task = task->next)
        if (!task_run(db, task, err)) return false;
    return database_commit(db, err);
}

/* What does not write to the file does not fail with what does: there may be no room, or somebody else
 * who writes. */
static bool task_run_alone(struct database *db, struct task *task)
{
    struct err err;

    if (task->kind->writes) return false;
    if (database_begin(db, false, &err) && task->kind->run(db, task, &err) &&
        database_commit(db, &err))
        return true;
    database_rollback(db);
    return false;
}

static void batch_run(struct database *db, struct task_list *batch)
{
    struct err err = { 0 };

    if (batch_try(db, batch, &err)) return;
    database_rollback(db);
    for (struct task *task = batch->first; task; task = task->next)
        if (!task->failed && !task_run_alone(db, task)) task_fail(task, &err);
}

/* ---- the thread */

static bool worker_can_start(const struct worker *worker)
{
    return worker->stopping || (worker->submitted.first && !worker->answering);
}

/* What failed for a while: the claims and flights that hang on it end no other way. Mutex held. */
static void again_submit(struct worker *worker)
{
    for (struct task *task = worker->again.first; task; task = task->next) task->failed = false;
    list_move(&worker->again, &worker->submitted, worker->again.count);
}

static void again_when_due(struct worker *worker)
{
    uint64_t now = uv_hrtime();

    if (!worker->again.first || now - worker->again_ns < TURN_NS) return;
    worker->again_ns = now;
    again_submit(worker);
}

/* Wait for something to do, not longer than one turn. Returns false when the thread is to end. */
static bool worker_wait(struct worker *worker, struct task_list *ret_batch)
{
    bool stopping;

    uv_mutex_lock(&worker->mutex);
    while (!worker_can_start(worker))
        if (uv_cond_timedwait(&worker->wake, &worker->mutex, TURN_NS) == UV_ETIMEDOUT) break;
    stopping = worker->stopping;
    again_when_due(worker);
    if (!stopping && !worker->answering) list_move(&worker->submitted, ret_batch, BATCH_TASKS);
    uv_mutex_unlock(&worker->mutex);
    return !stopping;
}

static void worker_hand_back(struct worker *worker, struct task_list *batch)
{
    uv_mutex_lock(&worker->mutex);
    worker->answering = true;
    list_move(batch, &worker->finished, batch->count);
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

/* What an operator has left in the file, see store/queue.h. */
static void worker_look_for_commands(struct worker *worker)
{
    bool any;

    if (!database_was_written(worker->db) && !worker->command_waits) return;
    worker->command_waits = !errand_take_up(worker->db, &any) && !database_failed(worker->db);
    if (!any) return;
    atomic_store(&worker->command_done, true);
    uv_async_send(&worker->async);
}

static void worker_main(void *arg)
{
    struct worker *worker = arg;
    struct task_list batch = { 0 };
    struct err err;
    bool good;

    while (worker_wait(worker, &batch)) {
        bool idle = !batch.first;
        if (!idle) {
            batch_run(worker->db, &batch);
            worker_hand_back(worker, &batch);
        }
        worker_look_for_commands(worker);
        database_log_tidy(worker->db, idle); /* beside the loop, which answers */
        atomic_fetch_add(&worker->turns, 1);
    }
    good = database_end(worker->db, &err);
    uv_mutex_lock(&worker->mutex);
    worker->ended = true;
    worker->end_failed = !good;
    if (!good) worker->end_err = err;
    uv_mutex_unlock(&worker->mutex);
    uv_async_send(&worker->async);
}

/* ---- the loop */

static bool task_comes_again(const struct worker *worker, const struct task *task)
{
    return task->failed && task->kind->again && !worker->closing &&
           (strcmp(task->err.code, "store.full") == 0 || strcmp(task->err.code, "store.busy") == 0);
}

static void task_wait(struct worker *worker, struct task *task)
{
    if (!task->told)
        log_event(LOG_LEVEL_WARN, "store-call-waits", LOG_CODE, task->err.code, LOG_FIX,
                  task->err.fix, LOG_END);
    task->told = true;
    uv_mutex_lock(&worker->mutex);
    list_add(&worker->again, task);
    uv_mutex_unlock(&worker->mutex);
}

static void worker_answer(struct worker *worker, struct task_list *list)
{
    struct task *task;

    while ((task = list_take(list))) {
        if (task_comes_again(worker, task)) {
            task_wait(worker, task);
            continue;
        }
        worker->open--;
        task->kind->answer(task);
    }
}

/* What was submitted after the thread had ended. */
static void worker_answer_rest(struct worker *worker)
{
    while (worker->submitted.first) worker_answer(worker, &worker->submitted);
}

static void worker_on_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;

    worker_answer_rest(worker);
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->mutex);
    worker->closed(worker->arg);
}

/* Nothing is on its way any more: the thread may end. */
static void worker_maybe_stop(struct worker *worker)
{
    if (!worker->closing || worker->open) return;
    uv_mutex_lock(&worker->mutex);
    worker->stopping = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
}

static void worker_on_async(uv_async_t *async)
{
    struct worker *worker = async->data;
    struct task_list finished = { 0 };
    bool ended;

    uv_mutex_lock(&worker->mutex);
    list_move(&worker->finished, &finished, worker->finished.count);
    ended = worker->ended;
    uv_mutex_unlock(&worker->mutex);
    if (ended) {
        uv_thread_join(&worker->thread);
        uv_close((uv_handle_t *)async, worker_on_closed);
        return;
    }
    worker_answer(worker, &finished);
    if (atomic_exchange(&worker->command_done, false) && worker->commanded)
        worker->commanded(worker->commanded_arg);
    uv_mutex_lock(&worker->mutex);
    worker->answering = worker->finished.first != NULL;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
    worker_maybe_stop(worker);
}

/* ---- */

void worker_submit(struct worker *worker, struct task *task)
{
    if (worker->closing) {
        task->failed = true;
        err_set(&task->err, ERR_STORE, "store.closed", "the store is being closed");
    }
    worker->open++;
    uv_mutex_lock(&worker->mutex);
    list_add(&worker->submitted, task);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
}

void worker_close(struct worker *worker)
{
    if (worker->closing) return;
    worker->closing = true;
    uv_mutex_lock(&worker->mutex);
    again_submit(worker);
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->mutex);
    worker_maybe_stop(worker);
}

uint64_t worker_turns(const struct worker *worker)
{
    return atomic_load(&worker->turns);
}

/* Signals are for the thread of the loop. */
static int worker_begin(struct worker *worker)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = uv_thread_create(&worker->thread, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

bool worker_init(struct worker *worker, uv_loop_t *loop, struct database *db,
                 void (*closed)(void *arg), void *arg, struct err *err)
{
    *worker = (struct worker){ .db = db, .closed = closed, .arg = arg };
    if (uv_mutex_init(&worker->mutex) != 0 || uv_cond_init(&worker->wake) != 0) abort();
    worker->async.data = worker;
    int code = uv_async_init(loop, &worker->async, worker_on_async);
    if (code != 0) {
        database_close(db);
        worker_on_closed((uv_handle_t *)&worker->async);
        return err_set(err, ERR_SYSTEM, "store.thread", "%s", uv_strerror(code));
    }
    code = worker_begin(worker);
    if (code == 0) return true;
    database_close(db);
    uv_close((uv_handle_t *)&worker->async, worker_on_closed);
    return err_set(err, ERR_SYSTEM, "store.thread", "%s", uv_strerror(code));
}
