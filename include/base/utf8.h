/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The second byte of a sequence decides whether it is overlong, a surrogate or too large. */
static inline bool utf8_second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return (second & 0xC0) == 0x80;
    }
}

/* Bytes of the character at `at` (1 to 4), or 0 when the bytes before `end` are not one. */
static inline size_t utf8_len(const char *at, const char *end)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t room = (size_t)(end - at);

    if (room == 0) return 0;
    if (c[0] < 0x80) return 1;
    if (c[0] < 0xC2 || c[0] > 0xF4) return 0;
    size_t len = c[0] < 0xE0 ? 2 : c[0] < 0xF0 ? 3 : 4;
    if (room < len || !utf8_second_fits(c[0], c[1])) return 0;
    for (size_t i = 2; i < len; i++)
        if ((c[i] & 0xC0) != 0x80) return 0;
    return len;
}

/* Write a code point (a Unicode scalar value) to out; returns its bytes, 1 to 4. */
static inline size_t utf8_put(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6) out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)((0xF00u >> len & 0xF0u) | code);
    return len;
}
