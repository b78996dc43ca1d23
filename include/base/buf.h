/* A growing text buffer. Always ends in NUL, so that buf.data can be read as a string. Out of
 * memory ends the process: whoever fills a buffer with foreign bytes bounds them first. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct buf {
    char *data; /* owned; NULL while empty */
    size_t len, cap;
};

/* Append bytes, a string, a formatted text, one character. */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF(2, 3);
void buf_char(struct buf *buf, char c);

/* The text so far, "" when nothing was added; borrowed until the next call. */
const char *buf_string(const struct buf *buf);

/* Take the text out; owned by the caller (free()), never NULL; the buffer is empty again. */
char *buf_take(struct buf *buf);

/* Keep the memory, forget the text. */
void buf_clear(struct buf *buf);

/* Release the memory; the buffer is empty again and may be used again. */
void buf_done(struct buf *buf);

static inline void buf_done_at(struct buf *buf)
{
    buf_done(buf);
}
