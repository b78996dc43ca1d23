/* Format: https://www.sqlite.org/fileformat2.html#walformat. A header of 32 bytes; frames of a header
 * of 24 bytes and a page. Numbers are big-endian; the words that are summed are so only if the magic
 * number is odd. */
#include "store/wal.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAGIC        0x377f0682u /* or one more */
#define HEAD_LEN     32
#define FRAME_HEAD   24
#define PAGE_MAX     65536
#define PAGE_MIN     512
#define LOST_MINIMUM 2 /* one may be the transaction that was cut */

struct wal {
    FILE *file;
    bool big_endian;
    size_t page_len;
    unsigned char salts[8];
    uint32_t sum[2];
    unsigned char *frame;     /* owned: head and page */
    uint64_t good, committed; /* frames that SQLite will read; up to the last commit */
};

static uint32_t number(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t word(const struct wal *wal, const unsigned char *at)
{
    uint32_t value = number(at);

    return wal->big_endian ? value : __builtin_bswap32(value);
}

/* len is a multiple of 8. */
static void sum_add(struct wal *wal, const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        wal->sum[0] += word(wal, data + i) + wal->sum[1];
        wal->sum[1] += word(wal, data + i + 4) + wal->sum[0];
    }
}

static bool sum_is(const struct wal *wal, const unsigned char *at)
{
    return wal->sum[0] == number(at) && wal->sum[1] == number(at + 4);
}

/* A head that is not as it was written was being written: nothing behind it was needed any more. */
static bool head_read(struct wal *wal)
{
    unsigned char head[HEAD_LEN];

    if (fread(head, 1, sizeof head, wal->file) != sizeof head) return false;
    memcpy(wal->salts, head + 16, sizeof wal->salts);
    if ((number(head) & ~1u) != MAGIC) return false;
    wal->big_endian = number(head) & 1;
    wal->page_len = number(head + 8);
    if (wal->page_len < PAGE_MIN || wal->page_len > PAGE_MAX || wal->page_len % 8) return false;
    sum_add(wal, head, 24);
    return sum_is(wal, head + 24);
}

static bool frame_read(struct wal *wal)
{
    size_t len = FRAME_HEAD + wal->page_len;

    return fread(wal->frame, 1, len, wal->file) == len;
}

static bool frame_is_of_this_log(const struct wal *wal)
{
    return number(wal->frame) && memcmp(wal->frame + 8, wal->salts, sizeof wal->salts) == 0;
}

/* The sum of a frame begins with that of the frame before it, as it was found there: behind a damaged
 * frame each vouches for the next one. */
static bool frame_is_good(struct wal *wal)
{
    sum_add(wal, wal->frame, 8);
    sum_add(wal, wal->frame + FRAME_HEAD, wal->page_len);
    bool good = frame_is_of_this_log(wal) && sum_is(wal, wal->frame + 16);
    wal->sum[0] = number(wal->frame + 16);
    wal->sum[1] = number(wal->frame + 20);
    return good;
}

static bool frame_commits(const struct wal *wal)
{
    return number(wal->frame + 4) != 0;
}

/* Up to the first frame that is not as it was written, and that one. */
static void good_frames_read(struct wal *wal)
{
    while (frame_read(wal) && frame_is_good(wal)) {
        wal->good++;
        if (frame_commits(wal)) wal->committed = wal->good;
    }
}

static size_t lost_behind(struct wal *wal)
{
    size_t lost = 0;

    wal->frame = mem_zero(1, FRAME_HEAD + wal->page_len);
    good_frames_read(wal);
    while (frame_read(wal))
        if (frame_is_good(wal) && frame_commits(wal)) lost++;
    free(wal->frame);
    return lost >= LOST_MINIMUM ? lost : 0;
}

/* A log that is begun anew gets its head, with other salts, before the first of its frames. */
static bool mark_is_missed(const struct wal *wal, const struct mark *mark)
{
    return mark && memcmp(mark->salts, wal->salts, sizeof wal->salts) == 0 &&
           wal->committed < mark->frames;
}

size_t wal_lost(const char *path, const struct mark *mark)
{
    struct wal wal = { .file = fopen(path, "re") };
    size_t lost = 0;

    if (!wal.file) return 0;
    if (head_read(&wal)) lost = lost_behind(&wal);
    fclose(wal.file);
    return !lost && mark_is_missed(&wal, mark) ? 1 : lost;
}
