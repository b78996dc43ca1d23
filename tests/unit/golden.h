/* Files of the tests: read whole, and compared with what a reviewer has read. Paths are relative to
 * the root of the project. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

/* Adds the bytes of a file to text; false when it cannot be opened. */
static inline bool file_read(const char *path, struct buf *text)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t n;

    if (!file) return false;
    while ((n = fread(block, 1, sizeof block, file)) > 0) buf_add(text, block, n);
    fclose(file);
    return true;
}

/* A file that must be there, ended by NUL; the caller frees it. */
static inline char *file_text(const char *path)
{
    struct buf text = { 0 };

    if (!file_read(path, &text)) fail_msg("%s cannot be read", path);
    return buf_take(&text);
}

/* got is what the file holds; with GOLDEN_UPDATE in the environment the file is written first. */
static inline void assert_golden(const char *path, const char *got)
{
    char *want;

    if (getenv("GOLDEN_UPDATE")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(got, file);
        fclose(file);
    }
    want = file_text(path);
    assert_string_equal(got, want);
    free(want);
}
