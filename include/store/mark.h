/* How far the write-ahead log was on disk when that was last acknowledged, in a file beside the
 * database. A log whose last transaction is damaged looks like one that a power cut has torn: this
 * tells the two apart. Private to adapter/store.
 *
 * It is written behind each commit and never synced. What it says was on disk before it was written,
 * so that it is never ahead of the log, whatever a power cut leaves of it; it may be behind, and then
 * says less. One that is damaged or of another log says nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MARK_SUFFIX     "-mark"
#define MARK_SALTS_SIZE 8

struct mark {
    unsigned char salts[MARK_SALTS_SIZE]; /* of the head of the log: each log has others */
    uint64_t frames;                      /* of that log that were on disk */
};

/* Open or create the mark of the database at path, 0600. -1: there is none, and none is kept: it is
 * not worth failing for. Blocking. */
int mark_open(const char *path);

/* fd -1: does nothing. A mark that cannot be written stays as it was, and true. Blocking. */
void mark_write(int fd, const struct mark *mark);

/* False: there is none, or it is not as it was written. Blocking. */
bool mark_read(int fd, struct mark *ret);
