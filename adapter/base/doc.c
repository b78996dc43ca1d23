/* One pass over a private copy of the text: strings are unescaped where they stand and closed with
 * a NUL in place of their quote, so that no string is copied. The copy ends in NULs: a NUL is never
 * valid JSON, so that the end needs no test of its own, and 16 bytes may be read at once anywhere.
 * Items and members are collected on two stacks, since their number is known at the closing bracket
 * only, and move to the arena from there. */
#include "base/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/arena.h"
#include "base/mem.h"
#include "base/utf8.h"

#define PADDING     16 /* NULs behind the copy: the width of one read */
#define COMPARE_MAX 16 /* members compared in pairs; more are sorted */
#define REPLACEMENT 0xFFFDu
#define BAD_HEX     0xFFFFFFFFu

struct doc {
    struct doc_value root;
    struct arena arena; /* the items and members */
    char *text;         /* owned: the strings and numbers */
    bool duplicates;
};

/* What is still open: bytes, as struct doc_value or struct doc_member. */
struct stack {
    char *data; /* owned */
    size_t used, room;
};

struct parser {
    char *at, *end;
    struct doc *doc;
    struct stack items, members;
    unsigned depth;
    unsigned flags;
    const char *code, *wrong; /* of the first error, static storage */
    const char *wrong_at;
};

static bool value(struct parser *p, struct doc_value *ret);

__attribute__((cold, noinline)) static bool fail(struct parser *p, const char *at,
                                                 const char *wrong)
{
    p->code = "json.syntax";
    p->wrong = at >= p->end ? "the text ends too early" : wrong;
    p->wrong_at = at;
    return false;
}

static uint32_t offset_of(const struct parser *p, const char *at)
{
    return (uint32_t)(at - p->doc->text);
}

static void push(struct stack *stack, const void *bytes, size_t size)
{
    if (stack->room - stack->used < size) {
        stack->room = stack->room ? 2 * stack->room : 4096;
        stack->data = mem_resize(stack->data, stack->room);
    }
    memcpy(stack->data + stack->used, bytes, size);
    stack->used += size;
}

/* Move everything above base to the arena. */
static void *pop(struct parser *p, struct stack *stack, size_t base)
{
    size_t size = stack->used - base;
    void *kept = arena_alloc(&p->doc->arena, size);

    memcpy(kept, stack->data + base, size);
    stack->used = base;
    return kept;
}

/* ---- scanning */

#ifdef __SSE2__

/* The first byte that is not plain: a quote, a backslash, a control character, not ASCII. */
static char *plain_end(char *at)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'),
                  space = _mm_set1_epi8(' ');

    for (;; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* signed: bytes from 0x80 are less than a space as well */
        __m128i special =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)),
                         _mm_cmplt_epi8(x, space));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask) return at + __builtin_ctz(mask);
    }
}

/* The first byte that is not white space. */
static char *space_end(char *at)
{
    for (;; at += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i space = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(' ')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\n'))),
                                     _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('\r')),
                                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\t'))));
        unsigned mask = ~(unsigned)_mm_movemask_epi8(space) & 0xFFFF;
        if (mask) return at + __builtin_ctz(mask);
    }
}

#else

#define EACH_BYTE(c) (0x0101010101010101u * (c))
#define HIGH_BITS    EACH_BYTE(0x80u)

/* The high bit of some byte is set when a byte of x is zero. */
static uint64_t zero_bytes(uint64_t x)
{
    return (x - EACH_BYTE(1u)) & ~x & HIGH_BITS;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static char *plain_end(char *at)
{
    for (;; at += 8) {
        uint64_t x;
        memcpy(&x, at, sizeof x);
        uint64_t low = (x - EACH_BYTE(0x20u)) & ~x; /* below 0x20 */
        if (((x | low) & HIGH_BITS) || zero_bytes(x ^ EACH_BYTE((uint64_t)'"')) ||
            zero_bytes(x ^ EACH_BYTE((uint64_t)'\\')))
            break;
    }
    while (is_plain((unsigned char)*at)) at++;
    return at;
}

static char *space_end(char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') at++;
    return at;
}

#endif

static void skip_space(struct parser *p)
{
    if ((unsigned char)*p->at > ' ') return;
    if (*p->at == ' ' && (unsigned char)p->at[1] > ' ') {
        p->at++;
        return;
    }
    p->at = space_end(p->at);
}

/* ---- strings */

static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : BAD_HEX;
}

/* Four digits, or BAD_HEX. Stops at the first that is none: the end is never passed. */
static unsigned hex4(const char *at)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        unsigned digit = hex_digit(at[i]);
        if (digit == BAD_HEX) return BAD_HEX;
        code = code << 4 | digit;
    }
    return code;
}

/* The character of the \u at `at`, with the low surrogate that belongs to it; *ret_len is what it
 * took from the text. BAD_HEX when there are no four digits. */
static unsigned unicode_escape(const char *at, size_t *ret_len)
{
    unsigned high = hex4(at + 2), low;

    *ret_len = 6;
    if (high == BAD_HEX || high < 0xD800 || high > 0xDFFF) return high;
    if (high >= 0xDC00 || at[6] != '\\' || at[7] != 'u') return REPLACEMENT;
    low = hex4(at + 8);
    if (low == BAD_HEX || low < 0xDC00 || low > 0xDFFF) return REPLACEMENT;
    *ret_len = 12;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Write the character of an escape to *out; returns what it took from the text, 0 on error. */
static size_t unescape(const char *at, char **out)
{
    static const char plain[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    char c = plain[(unsigned char)at[1]];
    size_t len = 2;

    if (c) {
        *(*out)++ = c;
        return len;
    }
    if (at[1] != 'u') return 0;
    unsigned code = unicode_escape(at, &len);
    if (code == BAD_HEX) return 0;
    *out += utf8_put(code, *out);
    return len;
}

/* The part of a string from its first byte that is not plain. Returns its end after unescaping,
 * NULL on error; p->at is left on the closing quote. */
static char *string_rest(struct parser *p, char *at)
{
    char *out = at;

    while (*at != '"') {
        size_t len;
        if (*at == '\\') {
            len = unescape(at, &out);
            if (!len) return fail(p, at, "unknown escape in a string"), NULL;
            at += len;
        } else if ((unsigned char)*at >= 0x80) {
            len = utf8_len(at, p->end);
            if (!len) return fail(p, at, "invalid UTF-8 in a string"), NULL;
            memmove(out, at, len);
            at += len;
            out += len;
        } else {
            return fail(p, at, "control character in a string"), NULL;
        }
        char *plain = at;
        at = plain_end(at);
        memmove(out, plain, (size_t)(at - plain));
        out += at - plain;
    }
    p->at = at;
    return out;
}

/* p->at is on the opening quote, and behind the closing one afterwards. */
static inline bool string(struct parser *p, const char **ret, uint32_t *ret_len)
{
    char *start = p->at + 1, *end = plain_end(start);

    p->at = end;
    if (*end != '"' && !(end = string_rest(p, end))) return false;
    *end = '\0';
    p->at++;
    *ret = start;
    *ret_len = (uint32_t)(end - start);
    return true;
}

/* ---- the other values */

static char *digits_end(char *at)
{
    while (*at >= '0' && *at <= '9') at++;
    return at;
}

/* The NUL behind a number is written by next_token(): the byte there is still to be read. */
static bool number(struct parser *p, struct doc_value *ret)
{
    static const char wrong[] = "malformed number";
    char *start = p->at, *at = start + (*start == '-'), *digits = at;

    at = digits_end(at);
    if (at == digits) return fail(p, at, wrong);
    if (*digits == '0' && at - digits > 1) return fail(p, digits, "number with a leading zero");
    if (*at == '.') {
        digits = at + 1;
        at = digits_end(digits);
        if (at == digits) return fail(p, at, wrong);
    }
    if (*at == 'e' || *at == 'E') {
        digits = at + 1;
        if (*digits == '+' || *digits == '-') digits++;
        at = digits_end(digits);
        if (at == digits) return fail(p, at, wrong);
    }
    ret->kind = DOC_NUMBER;
    ret->text = start;
    ret->count = (uint32_t)(at - start);
    p->at = at;
    return true;
}

static bool literal(struct parser *p, const char *word, enum doc_kind kind, struct doc_value *ret)
{
    size_t len = strlen(word);

    if (strncmp(p->at, word, len) != 0) return fail(p, p->at, "a value should stand here");
    p->at += len;
    ret->kind = kind;
    ret->text = NULL;
    return true;
}

/* The first byte after a value and white space. The value may be closed now. */
static char next_token(struct parser *p, const struct doc_value *before)
{
    skip_space(p);
    char c = *p->at;
    if (before->kind == DOC_NUMBER) p->doc->text[before->offset + before->count] = '\0';
    return c;
}

/* ---- containers */

static bool descend(struct parser *p)
{
    if (p->depth == DOC_DEPTH_MAX) {
        fail(p, p->at, "nested too deep");
        p->code = "json.depth";
        return false;
    }
    p->depth++;
    p->at++;
    skip_space(p);
    return true;
}

static bool array_items(struct parser *p)
{
    for (;;) {
        struct doc_value item = { 0 };
        if (!value(p, &item)) return false;
        push(&p->items, &item, sizeof item);
        char c = next_token(p, &item);
        if (c == ']') return true;
        if (c != ',') return fail(p, p->at, "',' or ']' should stand here");
        p->at++;
        skip_space(p);
    }
}

static bool array(struct parser *p, struct doc_value *ret)
{
    size_t base = p->items.used;

    ret->kind = DOC_ARRAY;
    ret->items = NULL;
    if (!descend(p)) return false;
    if (*p->at != ']') {
        if (!array_items(p)) return false;
        ret->count = (uint32_t)((p->items.used - base) / sizeof *ret->items);
        ret->items = pop(p, &p->items, base);
    }
    p->depth--;
    p->at++;
    return true;
}

static bool same_name(const struct doc_member *a, const struct doc_member *b)
{
    return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

/* Order by length, name, place. */
static int by_name(const void *left, const void *right)
{
    const struct doc_member *a = *(const struct doc_member *const *)left;
    const struct doc_member *b = *(const struct doc_member *const *)right;

    if (a->name_len != b->name_len) return a->name_len < b->name_len ? -1 : 1;
    int order = memcmp(a->name, b->name, a->name_len);
    return order ? order : a->offset < b->offset ? -1 : 1;
}

static const struct doc_member *duplicate_of_many(const struct doc_member *members, size_t count)
{
    const struct doc_member **sorted = mem_zero(count, sizeof *sorted), *found = NULL;

    for (size_t i = 0; i < count; i++) sorted[i] = &members[i];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++) {
        if (!same_name(sorted[i - 1], sorted[i])) continue;
        if (!found || sorted[i]->offset < found->offset) found = sorted[i];
    }
    free(sorted);
    return found;
}

/* The first member whose name has stood before, or NULL. */
static const struct doc_member *duplicate(const struct doc_member *members, size_t count)
{
    if (count > COMPARE_MAX) return duplicate_of_many(members, count);
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (same_name(&members[i], &members[j])) return &members[i];
    return NULL;
}

static bool check_names(struct parser *p, const struct doc_value *object)
{
    const struct doc_member *twice = duplicate(object->members, object->count);

    if (!twice) return true;
    p->doc->duplicates = true;
    if (!(p->flags & DOC_UNIQUE)) return true;
    fail(p, p->doc->text + twice->offset, "the name of this member stands twice in its object");
    p->code = "json.duplicate";
    return false;
}

static bool member(struct parser *p, struct doc_member *ret)
{
    if (*p->at != '"') return fail(p, p->at, "the name of a member should stand here");
    ret->offset = offset_of(p, p->at);
    if (!string(p, &ret->name, &ret->name_len)) return false;
    skip_space(p);
    if (*p->at != ':') return fail(p, p->at, "':' should stand here");
    p->at++;
    skip_space(p);
    return value(p, &ret->value);
}

static bool object_members(struct parser *p)
{
    for (;;) {
        struct doc_member next = { 0 };
        if (!member(p, &next)) return false;
        push(&p->members, &next, sizeof next);
        char c = next_token(p, &next.value);
        if (c == '}') return true;
        if (c != ',') return fail(p, p->at, "',' or '}' should stand here");
        p->at++;
        skip_space(p);
    }
}

static bool object(struct parser *p, struct doc_value *ret)
{
    size_t base = p->members.used;

    ret->kind = DOC_OBJECT;
    ret->members = NULL;
    if (!descend(p)) return false;
    if (*p->at != '}') {
        if (!object_members(p)) return false;
        ret->count = (uint32_t)((p->members.used - base) / sizeof *ret->members);
        ret->members = pop(p, &p->members, base);
        if (!check_names(p, ret)) return false;
    }
    p->depth--;
    p->at++;
    return true;
}

static bool value(struct parser *p, struct doc_value *ret)
{
    ret->offset = offset_of(p, p->at);
    switch (*p->at) {
    case '"':
        ret->kind = DOC_STRING;
        return string(p, &ret->text, &ret->count);
    case '{':
        return object(p, ret);
    case '[':
        return array(p, ret);
    case 't':
        return literal(p, "true", DOC_TRUE, ret);
    case 'f':
        return literal(p, "false", DOC_FALSE, ret);
    case 'n':
        return literal(p, "null", DOC_NULL, ret);
    default:
        if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9')) return number(p, ret);
        return fail(p, p->at, "a value should stand here");
    }
}

/* ---- documents */

/* Turn // comments into spaces; where strings end is known even in text that is not valid. */
static void blank_comments(char *at)
{
    for (bool quoted = false; *at; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (quoted && *at == '\\' && at[1]) {
            at++;
        } else if (!quoted && at[0] == '/' && at[1] == '/') {
            size_t len = strcspn(at, "\r\n");
            memset(at, ' ', len);
            at += len - 1;
        }
    }
}

static bool has_bom(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
}

static struct doc *doc_new(const char *text, size_t len)
{
    struct doc *doc = mem_new(struct doc);

    doc->text = mem_resize(NULL, len + PADDING);
    memcpy(doc->text, text, len);
    memset(doc->text + len, 0, PADDING);
    return doc;
}

static bool document(struct parser *p)
{
    struct doc_value *root = &p->doc->root;

    if (has_bom(p->at, (size_t)(p->end - p->at))) p->at += 3;
    if (p->flags & DOC_COMMENTS) blank_comments(p->at);
    skip_space(p);
    if (!value(p, root)) return false;
    next_token(p, root);
    if (p->at == p->end) return true;
    return fail(p, p->at, "nothing should follow the value");
}

/* The way out of the usual mistakes; "" for the rest. */
static const char *way_out(const char *wrong)
{
    static const struct {
        const char *wrong, *fix;
    } ways[] = {
        { "the text ends too early", "close what is open: a brace, a bracket or a quote" },
        { "a value should stand here",
          "write a text in double quotes, a number, true, false, [ or {" },
        { "the name of a member should stand here",
          "write it in double quotes, or remove the comma before" },
        { "the name of this member stands twice in its object", "keep one of them" },
        { "',' or '}' should stand here", "add the comma, or the quote that ends the text before" },
        { "',' or ']' should stand here", "add the comma, or the quote that ends the text before" },
        { "':' should stand here", "write \"name\": value" },
        { "control character in a string", "write \\n or \\t, or close the quote" },
        { "invalid UTF-8 in a string", "save the file as UTF-8" },
        { "nothing should follow the value", "remove what follows, or a brace too many" },
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].wrong, wrong) == 0) return ways[i].fix;
    return "";
}

static bool doc_error(const struct parser *p, const char *text, size_t len, struct err *err)
{
    uint32_t offset = offset_of(p, p->wrong_at);
    unsigned line, column;

    doc_locate(text, len, offset, &line, &column);
    err_set(err, ERR_INPUT, p->code, "%s", p->wrong);
    err_fix(err, "%s", way_out(p->wrong));
    err->offset = offset;
    return err_at(err, "%u:%u", line, column);
}

bool doc_parse(const char *text, size_t len, unsigned flags, struct doc **ret, struct err *err)
{
    if (len > DOC_TEXT_MAX)
        return err_set(err, ERR_INPUT, "json.size", "more than %u bytes", DOC_TEXT_MAX);
    if (!len) text = ""; /* may have been NULL */
    AUTO(doc_free) struct doc *doc = doc_new(text, len);
    struct parser p = { .at = doc->text, .end = doc->text + len, .doc = doc, .flags = flags };
    bool done = document(&p);

    free(p.items.data);
    free(p.members.data);
    if (!done) return doc_error(&p, text, len, err);
    *ret = TAKE(doc);
    return true;
}

const struct doc_value *doc_root(const struct doc *doc)
{
    return &doc->root;
}

bool doc_has_duplicates(const struct doc *doc)
{
    return doc->duplicates;
}

void doc_free(struct doc *doc)
{
    if (!doc) return;
    arena_done(&doc->arena);
    free(doc->text);
    free(doc);
}

void doc_locate(const char *text, size_t len, size_t offset, unsigned *ret_line,
                unsigned *ret_column)
{
    const char *line = text, *end = text + (offset < len ? offset : len), *newline;

    if (has_bom(text, len) && offset >= 3) line += 3;
    for (*ret_line = 1; (newline = memchr(line, '\n', (size_t)(end - line))); line = newline + 1)
        ++*ret_line;
    *ret_column = (unsigned)(end - line) + 1;
}

void doc_place(const char *file, const char *text, size_t len, struct err *err)
{
    unsigned line, column;

    doc_locate(text, len, err->offset, &line, &column);
    snprintf(err->where, sizeof err->where, "%s:%u:%u", file, line, column);
}
