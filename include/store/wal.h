/* A look at a write-ahead log before SQLite takes it up. Private to adapter/store.
 *
 * SQLite takes the first frame that is not as it was written for the end of the log: so it must,
 * because a power cut leaves the last transaction in pieces. But each transaction is synced before
 * the next one begins, so that a power cut cannot leave whole transactions behind such a frame.
 * Where they are there, the disk has lost what was acknowledged. */
#pragma once

#include <stddef.h>

#include "store/mark.h"

/* How many transactions stand behind the frame where SQLite will stop reading the log at path; 0 also
 * when there is none or it cannot be read. A damaged last transaction looks like a cut one and is not
 * counted, nor is what it may have of a whole one: 0, or 2 and more. But when the mark (NULL: none) says
 * that more of this log was on disk than can be read: 1 at least. A transaction counts whose last frame
 * is as it was written, by the sum of the frame before it. Blocking. */
size_t wal_lost(const char *path, const struct mark *mark);
