/* The frames of a WebSocket, seen by its client (RFC 6455, 5): whole text messages out of them, and
 * frames of what we say. Pings are answered. Over wslay; no I/O of its own. Private to net/.
 * Thread: any, one at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"

struct frames;

enum { FRAMES_LATER = 0, FRAMES_GONE = -1 };

struct frames_io {
    /* Bytes read or written, FRAMES_LATER when none can be just now, FRAMES_GONE when the
     * connection is over. */
    ssize_t (*read)(void *buf, size_t len, void *arg);
    ssize_t (*write)(const void *data, size_t len, void *arg);
    bool (*random)(void *buf, size_t len, void *arg); /* for the masks; true on success */
    /* A message: UTF-8, a NUL after it; borrowed until it returns. May call everything but
     * frames_turn() and frames_free(). */
    void (*text)(const char *text, size_t len, void *arg);
};

enum frames_state {
    FRAMES_OPEN,
    FRAMES_CLOSED, /* by a close frame, theirs or (after an error of theirs) ours */
    FRAMES_LOST,   /* the connection ended without one */
};

enum {
    FRAMES_NORMAL = 1000,
    FRAMES_PROTOCOL = 1002, /* no frames, or a wrong order of them */
    FRAMES_BINARY = 1003,   /* a message that is not text */
    FRAMES_NO_CODE = 1005,  /* a close frame without a code */
    FRAMES_NOT_UTF8 = 1007,
    FRAMES_TOO_BIG = 1009,
};

/* io and arg are borrowed. A message of more than message_max bytes ends it. Owned by the caller:
 * frames_free(). */
struct frames *frames_new(const struct frames_io *io, size_t message_max, void *arg);
void frames_free(struct frames *at); /* accepts NULL */

/* Queue what is to be said; it leaves with the next frames_turn(). Nothing after a close frame. */
void frames_text(struct frames *at, const char *text);
void frames_ping(struct frames *at);
void frames_close(struct frames *at, unsigned code);

/* Read until there is nothing, then write until it is owed no more or can be no longer. */
enum frames_state frames_turn(struct frames *at) MUST_CHECK;

/* Write what is owed, as far as it goes, without reading. */
void frames_flush(struct frames *at);

/* What to wait for. A peer that does not take our answers is not read any more. */
bool frames_wants_read(const struct frames *at);
bool frames_wants_write(const struct frames *at);

/* Of FRAMES_CLOSED: the code of the peer's close frame, or, when it broke the rules, of ours
 * (*ret_ours). */
unsigned frames_code(const struct frames *at, bool *ret_ours);
