/* A search of several pages, read to its end: next links are followed verbatim, within the origin,
 * with a cap and a watch for loops. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fhir/bundle.h"

struct flow;
struct pages;

struct pages_reader {
    /* One resource of the page; borrowed until it returns. OperationOutcomes do not come here. */
    void (*entry)(const struct bundle_entry *entry, void *arg);
    /* A part of the page that cannot be read. May be NULL. */
    void (*bad)(const struct err *err, void *arg);
    /* The page has been told. Call pages_next() now or later, or pages_cancel(). */
    void (*page)(void *arg);
    /* The end: err is NULL when every page was read. status: of the answer that failed, or 0.
     * *pages is gone when it returns. */
    void (*done)(const struct err *err, long status, void *arg);
};

/* Start. path as in struct server_request. reader is borrowed: static. */
struct pages *pages_start(struct flow *flow, const char *path, const struct pages_reader *reader,
                          void *arg);

/* The same for the poll, which can wait: each page asks the budget first, see pace.h. gone (NULL:
 * nobody) is told of the deletions that stand in a history. */
typedef void pages_gone_fn(const struct bundle_entry *entry, void *arg);
struct pages *pages_start_paced(struct flow *flow, const char *path,
                                const struct pages_reader *reader, pages_gone_fn *gone, void *arg);

/* Ask for the next page, or call done when that was the last one. */
void pages_next(struct pages *pages);

/* No callback runs any more. Accepts NULL. */
void pages_cancel(struct pages *pages);

/* The server's clock when it made the first page, as well as it says: meta.lastUpdated of the
 * Bundle (*ret_sure), else its Date header, else INSTANT_UNSET. */
int64_t pages_server_now(const struct pages *pages, bool *ret_sure);
