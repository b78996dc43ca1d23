/* What the codes of an RxNorm release mean in concepts of ours: a code is followed through the links
 * of the release to ingredients that our tables know by their IN, PIN or MIN codes. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/knowledge.h"
#include "core/rxnorm_graph.h"

#define RXNORM_DRUGS_MAX    64 /* ingredients of one code */
#define RXNORM_STRENGTH_MAX 24 /* bytes of a number with its NUL */

struct rxnorm_drug {
    unsigned concept;
    char strength[RXNORM_STRENGTH_MAX]; /* "" where there is none, or not one */
    const char *unit;                   /* "MG"; "" without strength */
    const char *form;                   /* a dose form of codes/dose-forms.csv, or "" */
};

enum rxnorm_verdict {
    RXNORM_NEW,       /* our tables do not have the code */
    RXNORM_KNOWN,     /* they have it with the same drugs */
    RXNORM_DIFFERENT, /* they have it with other drugs */
    RXNORM_AMBIGUOUS, /* a package of two products that differ */
    RXNORM_FOREIGN    /* none of its ingredients is ours */
};

/* Everything is good during the call only. */
struct rxnorm_code {
    const char *system; /* "rxnorm", "ndc" */
    const char *code;
    enum rxnorm_type type; /* of the RxNorm concept */
    const char *name;
    enum rxnorm_verdict verdict;
    const struct rxnorm_drug *drugs; /* those with a strength first, then by name */
    size_t drug_count;
    bool partly; /* it has ingredients beside, which are none of ours */
    const struct drug_code *ours;
    size_t our_count;
};

typedef void rxnorm_code_fn(const struct rxnorm_code *code, void *arg);

/* Call fn for every code of the graph (which is done) but dose forms: RxNorm codes ascending, then
 * packages. */
void rxnorm_codes(const struct rxnorm_graph *graph, const struct knowledge *knowledge,
                  rxnorm_code_fn *fn, void *arg);
