/* The end of a value without a tree: 64 bytes at a time become bit masks of quotes, backslashes
 * and brackets (the method of Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019,
 * with the instructions that every x86-64 has). */
#include "base/doc.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bit i stands for byte i of a block. */
struct masks {
    uint64_t quote, slash, open, close;
};

/* What goes from one block to the next. */
struct skip {
    uint64_t quoted;  /* all ones: the block starts inside a string */
    uint64_t escaped; /* 1: the first byte is escaped */
    uint64_t depth;   /* brackets open */
};

#ifdef __SSE2__

static uint64_t bits(__m128i x)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(x);
}

/* Bit 0x20 is what keeps [ and { apart, and ] and }. */
static struct masks block_masks(const char *at)
{
    struct masks m = { 0, 0, 0, 0 };

    for (unsigned i = 0; i < 64; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));
        m.quote |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('"'))) << i;
        m.slash |= bits(_mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))) << i;
        m.open |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{'))) << i;
        m.close |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}'))) << i;
    }
    return m;
}

#else

static struct masks block_masks(const char *at)
{
    struct masks m = { 0, 0, 0, 0 };

    for (unsigned i = 0; i < 64; i++) {
        m.quote |= (uint64_t)(at[i] == '"') << i;
        m.slash |= (uint64_t)(at[i] == '\\') << i;
        m.open |= (uint64_t)((at[i] | 0x20) == '{') << i;
        m.close |= (uint64_t)((at[i] | 0x20) == '}') << i;
    }
    return m;
}

#endif

/* The bytes that follow a backslash which is not itself escaped. Backslashes are rare. */
static uint64_t escaped_bytes(uint64_t slash, uint64_t *escaped)
{
    uint64_t found = *escaped;

    slash &= ~found;
    *escaped = 0;
    while (slash) {
        uint64_t first = slash & -slash;
        if (first >> 63) *escaped = 1;
        found |= first << 1;
        slash &= ~(first | first << 1);
    }
    return found;
}

/* Bit i of the result: are there an odd number of ones in bits 0 to i? */
static uint64_t parity_so_far(uint64_t x)
{
    for (unsigned i = 1; i < 64; i *= 2) x ^= x << i;
    return x;
}

static unsigned ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F;
    return (unsigned)(x * 0x0101010101010101 >> 56);
}

/* The byte of a block that closes the last open bracket, or -1. */
static int closing_byte(struct skip *skip, uint64_t open, uint64_t close)
{
    if (ones(close) < skip->depth) { /* cannot reach zero in this block */
        skip->depth += ones(open);
        skip->depth -= ones(close);
        return -1;
    }
    for (uint64_t both = open | close; both; both &= both - 1) {
        uint64_t bit = both & -both;
        if (bit & open)
            skip->depth++;
        else if (--skip->depth == 0)
            return __builtin_ctzll(bit);
    }
    return -1;
}

static int scan_block(struct skip *skip, const char *at)
{
    struct masks m = block_masks(at);

    if (m.slash | skip->escaped) m.quote &= ~escaped_bytes(m.slash, &skip->escaped);
    uint64_t quoted = parity_so_far(m.quote) ^ skip->quoted;
    skip->quoted = quoted >> 63 ? ~UINT64_C(0) : 0;
    return closing_byte(skip, m.open & ~quoted, m.close & ~quoted);
}

/* From the byte behind an opening bracket. */
static const char *container_end(const char *at, const char *end)
{
    struct skip skip = { .depth = 1 };
    char last[64];
    int found;

    for (; end - at >= 64; at += 64)
        if ((found = scan_block(&skip, at)) >= 0) return at + found + 1;
    memset(last, ' ', sizeof last);
    if (end > at) memcpy(last, at, (size_t)(end - at));
    found = scan_block(&skip, last);
    return found >= 0 ? at + found + 1 : NULL;
}

/* From the byte behind an opening quote. */
static const char *string_end(const char *at, const char *end)
{
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    return at < end ? at + 1 : NULL;
}

static bool ends_scalar(char c)
{
    return (unsigned char)c <= ' ' || c == ',' || c == ':' || c == ']' || c == '}' || c == '[' ||
           c == '{' || c == '"';
}

const char *doc_skip(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
    if (at == end) return NULL;
    if (*at == '{' || *at == '[') return container_end(at + 1, end);
    if (*at == '"') return string_end(at + 1, end);
    const char *start = at;
    while (at < end && !ends_scalar(*at)) at++;
    return at > start ? at : NULL;
}
