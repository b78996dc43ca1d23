/* The store thread: takes tasks from the loop, runs all that wait in one transaction (group
 * commit), and gives them back to the loop to be answered. Private to adapter/store.
 *
 *   loop:   worker_submit() -> submitted               finished -> kind->answer(), in order
 *                                 |                        ^
 *   thread:                       +-> one transaction -----+
 *
 * While one batch is committed the next one fills. The thread takes it only after the answers of
 * the finished batch have run: their callers put in what comes next, and that is in the batch too
 * (measured where an fsync takes 5 ms longer, 64 in flight: 6 000 accepts a second instead of
 * 3 600). */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/database.h"

struct task;

/* What a kind of task does; static storage. */
struct task_kind {
    bool writes; /* to the file: the batch takes the write lock */

    /* Store thread, inside a transaction. On false everything it did is taken back. */
    bool (*run)(struct database *db, struct task *task, struct err *err);

    /* Loop thread: tell the caller and free the task. task->failed: it failed, or was not run, or
     * its commit failed; task->err says why. */
    void (*answer)(struct task *task);

    /* Nobody waits for it, and it must be done: after a failure that passes ("store.full",
     * "store.busy") it is run again, about twice a second, until worker_close(). */
    bool again;
};

/* Owned by the worker from worker_submit() to answer(); one thread has it at a time. */
struct task {
    struct task *next;
    const struct task_kind *kind; /* borrowed */
    bool failed;
    bool told;      /* ... that it has to wait */
    struct err err; /* set when failed */
};

struct task_list {
    struct task *first, **end; /* end: where the next one goes; NULL in an empty zeroed list */
    size_t count;
};

struct worker {
    uv_async_t async; /* something is finished */
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct database *db; /* owned; the thread's, and closed by it */
    atomic_uint_fast64_t turns;

    /* under mutex */
    struct task_list submitted, finished;
    struct task_list again; /* failed, to be run again */
    uint64_t again_ns;      /* when that was done last */
    bool answering;         /* a batch is with the loop */
    bool stopping;          /* the thread is to end */
    bool ended;             /* it has */
    bool end_failed;        /* ... but the disk has not taken all: */
    struct err end_err;

    atomic_bool command_done; /* since the loop was told last */
    bool command_waits;       /* the thread's: it could not be done for now */

    /* loop thread */
    void (*commanded)(void *arg); /* NULL: nobody */
    void *commanded_arg;
    size_t open; /* submitted and not yet answered */
    bool closing;
    void (*closed)(void *arg);
    void *arg;
};

/* Start the thread. Takes db in every case. On failure closed(arg) runs too, perhaps later from the
 * loop: the memory of the worker is in use until then. Errors: ERR_SYSTEM "store.thread". */
bool worker_init(struct worker *worker, uv_loop_t *loop, struct database *db,
                 void (*closed)(void *arg), void *arg, struct err *err) MUST_CHECK;

/* Takes the task. Its answer runs later, from the loop. After worker_close() it fails with
 * "store.closed". Thread: loop. */
void worker_submit(struct worker *worker, struct task *task);

/* Run and answer what was submitted, end the thread, then call closed(arg) from the loop. */
void worker_close(struct worker *worker);

/* Turns of the thread so far: at least two a second while it is healthy. */
uint64_t worker_turns(const struct worker *worker);
