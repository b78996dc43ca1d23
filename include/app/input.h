/* Recorded input: files, folders, standard input; plain or gzipped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define INPUT_FILE_MAX ((size_t)1 << 30) /* bytes of one file, unpacked */

struct input {
    char **paths; /* owned; in the order of reading */
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
