/* A file that appears as a whole or not at all: written under another name beside it, then renamed. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct output {
    FILE *file;            /* where to write; owned */
    const char *path;      /* borrowed; NULL: the standard output */
    char beside[PATH_MAX]; /* the name until it is done; "" when there is none */
};

/* Error: ERR_SYSTEM "file.open". */
bool output_open(struct output *output, const char *path, struct err *err) MUST_CHECK;

/* Everything is written: put it in its place. On failure nothing is left. Error: ERR_SYSTEM
 * "file.write". */
bool output_close(struct output *output, struct err *err) MUST_CHECK;

/* Leave nothing behind; after output_close() it does nothing. */
void output_drop(struct output *output);
