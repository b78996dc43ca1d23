/* The one error type of the program: what went wrong, where, and how to fix it.
 *
 * A function that can fail returns bool and takes a struct err as its last parameter. On true the
 * err is untouched; on false it is filled. Nothing here allocates. Decisions are made on kind (in
 * tests and metrics, on code), never on the text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum err_kind {
    ERR_INPUT,     /* a peer sent something malformed: answer 4xx, keep nothing */
    ERR_CONFIG,    /* an operator must change a file */
    ERR_TRANSIENT, /* the peer did not take it (refused, 429, 503): safe to send again */
    ERR_AMBIGUOUS, /* the peer may have taken it (timeout): send again only what is idempotent */
    ERR_PERMANENT, /* the peer took it and said no (4xx): sending again cannot help */
    ERR_STORE,     /* durable storage failed: stop accepting */
    ERR_SYSTEM,    /* the operating system refused something we depend on */
};

struct err {
    enum err_kind kind;
    const char *code; /* stable, static storage: "json.type"; what tests and metrics look at */
    char where[192];  /* "rules/qt.json:14:17", "POST https://ehr/DetectedIssue" */
    char what[256];
    char fix[224];   /* "" when the reader can do nothing about it */
    uint32_t offset; /* place in the file, bytes; 0 when there is none */
};

/* Fill *err. Always returns false, so that a failing function can `return err_set(...)`. */
bool err_set(struct err *err, enum err_kind kind, const char *code, const char *fmt, ...)
    PRINTF(4, 5);

/* Put context in front of what is known of the place. Returns false. */
bool err_at(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Say what the reader can do. Returns false. */
bool err_fix(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Write "where: what; fix" to buf and return buf. */
const char *err_text(const struct err *err, char *buf, size_t size);

/* Every problem of one run, in the order found: for readers of our own files, which go on after an
 * error. A zeroed struct is an empty list. */
struct err_list {
    struct err *items; /* owned */
    size_t count;
};

#define ERR_LIST_MAX 1000 /* more are counted, not kept */

void err_list_add(struct err_list *list, const struct err *err);
void err_list_done(struct err_list *list);
