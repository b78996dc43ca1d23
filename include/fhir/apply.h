/* What the reader of each resource type gets. A reader puts facts into the chart, or fails with
 * ERR_INPUT and puts nothing there. Private to fhir/. Pure. */
#pragma once

#include "base/err.h"
#include "base/node.h"
#include "core/chart.h"
#include "core/knowledge.h"

struct resource_library;

struct apply {
    const struct knowledge *knowledge;
    const struct resource_library *library; /* may be NULL */
    struct chart *chart;                    /* what is added lives in its arena */
    struct source source;
    const char **ret_unmapped; /* see resource_apply() */
};

/* The condition concepts of all codings of a CodeableConcept; see concept_set. */
void apply_conditions(const struct apply *apply, const struct node *concept,
                      struct concept_set *set);

/* Move a set into the chart's arena; the set is empty afterwards. */
const unsigned *apply_keep_set(const struct apply *apply, struct concept_set *set,
                               size_t *ret_count);

/* ERR_INPUT with the JSON pointer of the place. Returns false. what is our own text. */
bool apply_error(const struct node *at, struct err *err, const char *code, const char *what);
