/* The temporary folder of a test, which is empty in the end but for what the test knows of. */
#pragma once

#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER_MAX 200

/* A new one, where temporary files go. */
static inline bool folder_make(char dir[FOLDER_MAX])
{
    const char *tmp = getenv("TMPDIR");
    int len = snprintf(dir, FOLDER_MAX, "%s/unit-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");

    return len < FOLDER_MAX && mkdtemp(dir);
}

/* The files of a store, as far as they are there. */
static inline void folder_forget_store(const char *path)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-mark" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        char name[FOLDER_MAX + 60];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

static inline void folder_remove(const char *dir)
{
    if (rmdir(dir) != 0) fail_msg("something is left in %s", dir);
}
