/* A JSON document as it was sent: strict RFC 8259, numbers kept as text, every value with its
 * place. The one reader of foreign JSON and of our own files; jansson builds what we write.
 * (A reader of our own because a decimal must stay the decimal that the laboratory sent: jansson
 * turns 1.00 into a double. It is also several times faster, see `make bench`.) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

enum doc_kind { DOC_NULL, DOC_FALSE, DOC_TRUE, DOC_NUMBER, DOC_STRING, DOC_ARRAY, DOC_OBJECT };

struct doc_member;

struct doc_value {
    enum doc_kind kind;
    uint32_t offset; /* where it starts in the text, bytes; for members: see doc_member */
    uint32_t count;  /* string, number: bytes; array, object: items */
    union {
        const char *text; /* string (unescaped UTF-8) or number (as sent); NUL at the end */
        const struct doc_value *items;
        const struct doc_member *members; /* in the order sent */
    };
};

struct doc_member {
    const char *name;  /* unescaped UTF-8; NUL at the end */
    uint32_t offset;   /* where the name starts in the text */
    uint32_t name_len; /* bytes; more than strlen(name) when the name has a NUL in it */
    struct doc_value value;
};

struct doc; /* owns the values */

enum {
    DOC_COMMENTS = 1, /* blank // comments first: for our own files */
    DOC_UNIQUE = 2,   /* a member that stands twice in one object is an error */
};

#define DOC_DEPTH_MAX 128           /* nesting; FHIR stays below 30 */
#define DOC_TEXT_MAX  (1024u << 20) /* bytes of one document */

/* Read len bytes (no NUL needed; a UTF-8 byte order mark is skipped). On success *ret is owned by
 * the caller and independent of text. Lone surrogates become U+FFFD; invalid UTF-8 is an error.
 * Errors: ERR_INPUT, code "json.syntax", "json.depth", "json.size", "json.duplicate"; where is
 * "LINE:COLUMN", offset the same in bytes, what never repeats the text. Thread: any. */
bool doc_parse(const char *text, size_t len, unsigned flags, struct doc **ret,
               struct err *err) MUST_CHECK;

/* The root value; borrowed from doc. */
const struct doc_value *doc_root(const struct doc *doc);

/* Does a member stand twice in one object anywhere? (Only without DOC_UNIQUE.) */
bool doc_has_duplicates(const struct doc *doc);

/* Accepts NULL. */
void doc_free(struct doc *doc);
DEFINE_AUTO(struct doc *, doc_free)

/* Line and column, from 1, of a byte offset in text. Columns count bytes; a byte order mark takes
 * none. */
void doc_locate(const char *text, size_t len, size_t offset, unsigned *ret_line,
                unsigned *ret_column);

/* Set err->where to "FILE:LINE:COLUMN" of err->offset in the text of that file. */
void doc_place(const char *file, const char *text, size_t len, struct err *err);

/* The end of the JSON value that starts at `at` (leading space allowed), found by brackets and
 * quotes alone, without building anything; NULL when it does not end before `end` or when no value
 * starts there. A number or word also ends at `end`. The value is not checked: doc_parse() does
 * that. */
const char *doc_skip(const char *at, const char *end);
