/* A progress bar on the standard error, for what takes longer than a moment. Drawn only when it has
 * moved; nothing where the standard error is no terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct progress {
    bool on;
    const char *what; /* static storage: what was drawn last */
    int percent;
};

/* wanted: is there enough to do? */
void progress_start(struct progress *progress, bool wanted);

/* what: at most 12 characters, static storage. done of all; all may be 0. */
void progress_show(struct progress *progress, const char *what, long long done, long long all);

/* Take the bar away. */
void progress_end(struct progress *progress);
