/* Recorded input: files, folders, standard input; plain or gzipped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/progress.h"
#include "base/err.h"

#define INPUT_FILE_MAX ((size_t)1 << 30) /* bytes of one file, unpacked */

struct input {
    char **paths;     /* owned; in the order of reading */
    long long *sizes; /* owned; bytes of each on disk, 0: not known */
    size_t count;
    size_t others;   /* files of folders that are neither JSON nor NDJSON */
    long long bytes; /* on disk, as far as it is known: for the progress bar */
};

/* Add a path: "-", a file, or a folder with all that is below it (.json .ndjson .jsonl, each also
 * .gz; in the order of names). Errors: ERR_SYSTEM "file.open". */
bool input_add(struct input *input, const char *path, struct err *err) MUST_CHECK;

/* Read and unpack one of the files. Owned by the caller. Errors: ERR_SYSTEM "file.open",
 * "file.read" (also a damaged gzip); ERR_INPUT "file.size". */
bool input_read(const char *path, char **ret, size_t *ret_len, struct err *err) MUST_CHECK;

void input_done(struct input *input);

/* How far the reading is, by bytes on disk: it moves within a file too. */
struct input_bar {
    struct progress progress;
    long long before, size, all; /* bytes: files read, this one, all of them */
    const char *text;            /* borrowed: this one, unpacked */
    size_t len;
};

/* Nothing is drawn below 4 MiB. End it by progress_end(). */
void input_bar_start(struct input_bar *bar, const struct input *input);

/* That file is unpacked, or done (text NULL). */
void input_bar_file(struct input_bar *bar, const struct input *input, size_t which,
                    const char *text, size_t len);

/* The reading has come to that place in it. */
void input_bar_at(struct input_bar *bar, const char *at);
