/* The DetectedIssues that stand on the server under one identifier of ours: one, none yet, or several
 * where two creations met. Who looks decides the same: the lowest id stays. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/err.h"

struct flow;
struct pages;

#define TWINS_MAX 20

struct twin {
    char id[72], version[96]; /* version "": not known */
    bool retracted;           /* entered in error already */
    struct doc *doc;          /* owned */
};

/* err: NULL when all were read; then items are in order, the one that stays first. */
typedef void twins_found_fn(const struct err *err, void *arg);

struct twins {
    struct flow *flow;
    const char *key; /* of the alert; borrowed: outlives the search */
    struct twin items[TWINS_MAX];
    size_t count;
    struct pages *pages; /* while it looks */
    twins_found_fn *found;
    void *arg;
};

/* Append the search for that key: "identifier=SYSTEM%7CKEY". */
void twins_condition(const struct flow *flow, const char *key, struct buf *ret);

/* Look, from the beginning. found runs once, from the loop, and not after twins_cancel(). */
void twins_find(struct twins *twins, struct flow *flow, const char *key, twins_found_fn *found,
                void *arg);
void twins_cancel(struct twins *twins);

/* What was found is freed. The struct itself is the caller's; all zero is none. */
void twins_done(struct twins *twins);
