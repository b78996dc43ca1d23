/* For the tests of fhir/: a small knowledge made by hand, resources written with ' for ", and what
 * a chart then holds as one line of text. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/mem.h"
#include "fhir/resource.h"
#include "fhir_knowledge.h"

static inline struct knowledge *fixture_knowledge(void)
{
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    char text[512];

    if (!knowledge_load(fixture_files, ARRAY_SIZE(fixture_files), &knowledge, &problems))
        for (size_t i = 0; i < problems.count; i++)
            puts(err_text(&problems.items[i], text, sizeof text));
    err_list_done(&problems);
    assert_non_null(knowledge);
    return knowledge;
}

/* A document written with ' for "; ends the test when it is not JSON. */
static inline struct doc *fixture_doc(const char *text)
{
    char *copy = mem_strdup(text);
    struct doc *doc = NULL;
    struct err err;

    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    if (!doc_parse(copy, strlen(copy), 0, &doc, &err)) fail_msg("%s: %s", err.where, copy);
    free(copy);
    return doc;
}

struct fixture_shelf {
    struct doc *const *docs;
    size_t count;
};

static inline const struct doc_value *fixture_find(void *arg, const char *type, const char *id)
{
    const struct fixture_shelf *shelf = arg;

    for (size_t i = 0; i < shelf->count; i++) {
        struct node root = node_root(shelf->docs[i]);
        const char *own_type = node_text(&root, "resourceType"), *own_id = node_text(&root, "id");
        if (strcmp(own_type, type) == 0 && strcmp(own_id, id) == 0) return root.value;
    }
    return NULL;
}

/* "0.5", "0.5..1", "<0.5", ">=3" */
static inline void fixture_interval(const struct interval *at, struct buf *out)
{
    char low[64], high[64];

    decimal_text(at->low, low, sizeof low);
    decimal_text(at->high, high, sizeof high);
    if (interval_is_exact(at))
        buf_text(out, low);
    else if (at->low_none || at->high_none)
        buf_printf(out, "%s%s%s", at->low_none ? "<" : ">",
                   (at->low_none ? at->high_open : at->low_open) ? "" : "=",
                   at->low_none ? high : low);
    else
        buf_printf(out, "%s..%s", low, high);
}

static inline void fixture_instant(const char *name, int64_t ms, struct buf *out)
{
    char text[32];

    if (ms == INSTANT_UNSET || ms == INSTANT_NEVER)
        buf_printf(out, "%s %s", name, ms == INSTANT_UNSET ? "unset" : "never");
    else
        buf_printf(out, "%s %s", name, instant_text(ms, text, sizeof text));
}
