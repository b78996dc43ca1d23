/* The codes and units of a resource that no mapping knows. Pure. */
#pragma once

#include "base/node.h"
#include "core/knowledge.h"

enum unmapped_kind {
    UNMAPPED_DRUG,
    UNMAPPED_RESULT,
    UNMAPPED_CONDITION,
    UNMAPPED_ROUTE,
    UNMAPPED_UNIT
};

/* Texts are borrowed from the document and good during the call only. */
struct unmapped {
    enum unmapped_kind kind;
    const char *system,
        *code;           /* of the first coding with a code; "" where there is a text alone. Of
                                * a unit: code is the unit as sent */
    const char *display; /* coding.display, never a text of the resource; "" */
    unsigned concept;    /* UNIT: the analyte. DRUG: the drug that the display names, or
                                * CONCEPT_NONE */
};

typedef void unmapped_fn(const struct unmapped *unmapped, void *arg);

/* Call fn for each of them: the drug and the routes of a MedicationRequest, the drug of a Medication or
 * AllergyIntolerance, the codes and units of an Observation and its components, the code of a
 * Condition or Procedure. A CodeableConcept with one known coding is known. */
void unmapped_find(const struct node *resource, const struct knowledge *knowledge, unmapped_fn *fn,
                   void *arg);
