/* SIGTERM, SIGINT and SIGHUP, as events of the loop. */
#pragma once

#include <uv.h>

typedef void signals_fn(int number, void *arg);

struct signals {
    uv_poll_t poll;
    int fd; /* owned: a signalfd */
    signals_fn *fn;
    void *arg;
};

/* From here on these signals end this process no more, whatever it does with them: they are blocked in
 * this thread and in those that it starts, until it ends. A thread of before must block them itself.
 * Each is told to fn, in the loop. Aborts without descriptors. */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_fn *fn, void *arg);

/* Nothing is told any more; the struct may go when the loop has run. */
void signals_close(struct signals *signals);
