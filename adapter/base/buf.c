#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Make room for more bytes and the NUL. */
static void reserve(struct buf *buf, size_t more)
{
    size_t need = buf->len + more + 1;

    if (need < buf->len) abort(); /* the sum overflowed */
    if (need <= buf->cap) return;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    buf->data = mem_resize(buf->data, cap);
    buf->cap = cap;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    reserve(buf, len);
    if (len) memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;

    reserve(buf, 0);
    va_start(args, fmt);
    int n = vsnprintf(buf->data + buf->len, buf->cap - buf->len, fmt, args);
    va_end(args);
    if (n < 0) abort(); /* longer than INT_MAX: a size that should have met a limit */
    if ((size_t)n >= buf->cap - buf->len) {
        reserve(buf, (size_t)n);
        va_start(args, fmt);
        vsnprintf(buf->data + buf->len, buf->cap - buf->len, fmt, args);
        va_end(args);
    }
    buf->len += (size_t)n;
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

const char *buf_string(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->data ? buf->data : mem_strdup("");

    *buf = (struct buf){ 0 };
    return text;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data) buf->data[0] = '\0';
}

void buf_done(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ 0 };
}
