#include "store/mark.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC UINT64_C(0x6d796d61726b0001)

/* As it stands in the file. */
struct record {
    uint64_t magic;
    unsigned char salts[MARK_SALTS_SIZE];
    uint64_t frames;
    uint64_t sum;
};
_Static_assert(sizeof(struct record) == 32, "no gaps: all of it is written");

static uint64_t sum_of(const struct record *record)
{
    const unsigned char *at = (const unsigned char *)record;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < offsetof(struct record, sum); i++)
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    return sum;
}

int mark_open(const char *path)
{
    char name[PATH_MAX];

    if (snprintf(name, sizeof name, "%s" MARK_SUFFIX, path) >= (int)sizeof name) return -1;
    return open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
}

void mark_write(int fd, const struct mark *mark)
{
    struct record record = { .magic = MAGIC, .frames = mark->frames };

    if (fd < 0) return;
    memcpy(record.salts, mark->salts, sizeof record.salts);
    record.sum = sum_of(&record);
    ssize_t written = pwrite(fd, &record, sizeof record, 0);
    (void)written; /* half of one has another sum */
}

bool mark_read(int fd, struct mark *ret)
{
    struct record record;

    if (fd < 0 || pread(fd, &record, sizeof record, 0) != (ssize_t)sizeof record) return false;
    if (record.magic != MAGIC || record.sum != sum_of(&record)) return false;
    memcpy(ret->salts, record.salts, sizeof ret->salts);
    ret->frames = record.frames;
    return true;
}
