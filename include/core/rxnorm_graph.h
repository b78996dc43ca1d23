/* The part of an RxNorm release that says what a code is made of: concepts of RXNCONSO.RRF, links of
 * RXNREL.RRF, packages of RXNSAT.RRF. Only what RxNorm itself says (SAB=RXNORM) and has not
 * suppressed is kept. Read in this order: all concepts, rxnorm_concepts_done(), all links,
 * rxnorm_links_done(), packages. Pure: lines in, struct out. Column numbers and the direction of links
 * are those of the RxNorm Technical Documentation, sections 12.4, 12.5 and 12.7. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Of one thing, at most; a release has less than a tenth. */
#define RXNORM_CONCEPTS_MAX ((size_t)1 << 22)
#define RXNORM_LINKS_MAX    ((size_t)1 << 24)
#define RXNORM_PACKAGES_MAX ((size_t)1 << 22)

/* Term types. Others (synonyms, dose form groups) are not kept. */
enum rxnorm_type {
    RXNORM_IN,
    RXNORM_PIN,
    RXNORM_MIN,
    RXNORM_BN,
    RXNORM_SCDC,
    RXNORM_SBDC,
    RXNORM_SCDF,
    RXNORM_SBDF,
    RXNORM_SCDG,
    RXNORM_SBDG,
    RXNORM_SCD,
    RXNORM_SBD,
    RXNORM_GPCK,
    RXNORM_BPCK,
    RXNORM_DF, /* a dose form: no drug */
    RXNORM_TYPES
};

struct rxnorm_concept {
    uint32_t code;
    enum rxnorm_type type;
    const char *name; /* in the arena */
};

enum rxnorm_relation {
    RXNORM_FORM_OF,
    RXNORM_HAS_PART,
    RXNORM_HAS_INGREDIENT,
    RXNORM_HAS_INGREDIENTS,
    RXNORM_HAS_PRECISE_INGREDIENT,
    RXNORM_TRADENAME_OF,
    RXNORM_CONSISTS_OF,
    RXNORM_CONTAINS,
    RXNORM_ISA,
    RXNORM_HAS_DOSE_FORM
};

/* `from` is `relation` of `to`: "SCD consists_of SCDC". Indices into concepts. */
struct rxnorm_link {
    uint32_t from, to;
    enum rxnorm_relation relation;
};

struct rxnorm_package {
    uint64_t ndc; /* 11 digits */
    uint32_t of;  /* index into concepts */
};

/* A zeroed struct is empty. */
struct rxnorm_graph {
    struct arena arena;
    struct rxnorm_concept *concepts; /* owned; by code once they are done */
    size_t concept_count, concept_room;
    struct rxnorm_link *links; /* owned; by `from` once they are done */
    size_t link_count, link_room;
    struct rxnorm_package *packages; /* owned; by ndc once they are done */
    size_t package_count, package_room;
};

/* Take in one line, without its LF. A line that is of no interest is skipped. Errors: ERR_INPUT
 * "rrf.fields", "rrf.code", "rrf.text", "rrf.size". */
bool rxnorm_concept_line(struct rxnorm_graph *graph, const char *line, size_t len,
                         struct err *err) MUST_CHECK;
bool rxnorm_link_line(struct rxnorm_graph *graph, const char *line, size_t len,
                      struct err *err) MUST_CHECK;
bool rxnorm_package_line(struct rxnorm_graph *graph, const char *line, size_t len,
                         struct err *err) MUST_CHECK;

/* Sort what was read, each thing once. */
void rxnorm_concepts_done(struct rxnorm_graph *graph);
void rxnorm_links_done(struct rxnorm_graph *graph);
void rxnorm_packages_done(struct rxnorm_graph *graph);

/* The links that go from a concept; borrowed. */
const struct rxnorm_link *rxnorm_links(const struct rxnorm_graph *graph, uint32_t from,
                                       size_t *ret_count);

/* "IN", "SCD" ... */
const char *rxnorm_type_name(enum rxnorm_type type);

void rxnorm_graph_done(struct rxnorm_graph *graph);
