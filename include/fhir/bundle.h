/* Walking over recorded input without building a tree of it: a Bundle of any type (also nested), a
 * list of resources, a single one, NDJSON. One bad entry costs that entry alone. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct bundle_entry {
    const char *text; /* the resource: slice of the input, not NUL-terminated, not yet parsed */
    size_t len;
    size_t index;       /* of the entry, or line of NDJSON, from 0; outermost, when nested */
    char type[40];      /* resourceType as far as it can be seen; "" */
    char full_url[256]; /* entry.fullUrl, "" */
    char method[8];     /* entry.request.method ("PUT", "DELETE"), "" */
    char url[256];      /* entry.request.url, "" */
    char modified[40];  /* entry.response.lastModified, "" */
    bool line;          /* of NDJSON, where logs of exports stand among the resources */
    bool history;       /* of a Bundle of type history: newest first */
};

/* entry: one entry that has a resource or is a deletion (then text is NULL).
 * bad: a part that cannot be read; err says what, index which one. Both may stop the walk by
 * returning false. */
struct bundle_visitor {
    bool (*entry)(const struct bundle_entry *entry, void *arg);
    bool (*bad)(size_t index, const struct err *err, void *arg);
    void *arg;
};

/* text is a whole file, unpacked. Never fails: what is wrong goes to bad(), e.g. "bundle.syntax"
 * (the structure breaks off), "bundle.entry" (an entry that is no object), "bundle.empty". */
void bundle_walk(const char *text, size_t len, const struct bundle_visitor *visitor);
