/* From FHIR resources to chart facts: R4, R4B and R5 shapes. Foreign input: members that we do not
 * use are ignored, what we use is checked. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/node.h"
#include "core/chart.h"
#include "core/knowledge.h"

/* What every resource says of itself. Strings are in the arena given. */
struct resource_head {
    const char *type;
    const char *id;      /* "" when absent */
    const char *version; /* meta.versionId, "" */
    int64_t updated_ms;  /* meta.lastUpdated, INSTANT_UNSET */
    const char *patient; /* id of the Patient it is about (its own id for a Patient); "" */
    int64_t clinical_ms; /* authoredOn, issued, effective, recorded ...; INSTANT_UNSET */
    bool ours;           /* carries a tag of ours (adapter system): own writes */
};

/* Errors: ERR_INPUT "fhir.not-a-resource" (no object, no resourceType), "fhir.id" (illegal id). */
bool resource_head_read(const struct node *at, struct arena *arena, struct resource_head *ret,
                        struct err *err) MUST_CHECK;

/* Ids in the order of who came first where a server counts: numbers as numbers. As qsort() wants it. */
int resource_id_compare(const char *one, const char *other);

/* Types that a chart is made of: MedicationRequest Observation Condition Procedure
 * AllergyIntolerance Patient; and Medication, which orders refer to. */
bool resource_is_used(const char *type);

/* Finds a Medication for an order that refers to one; NULL when we do not have it. */
struct resource_library {
    const struct doc_value *(*find)(void *arg, const char *type, const char *id);
    void *arg;
};

/* The Medication that this MedicationRequest needs from elsewhere: true and the parsed reference
 * when it refers to one that is not contained in it. */
struct reference;
bool resource_needs_medication(const struct node *at, struct reference *ret);

/* Put what a resource says into the chart; nothing for types that no chart needs, and for
 * observations that no mapping knows (*ret_unmapped tells: "SYSTEM|CODE" or "text only", in the
 * chart's arena, else NULL). For an order it tells a drug that no mapping knows, also one of
 * several ingredients, or a Medication that the library does not have ("Medication/5"). A
 * Medication adds nothing by itself. Errors: those of resource_head_read(), and ERR_INPUT
 * "fhir.value": the resource cannot be used; where is a JSON pointer, what repeats nothing of the
 * patient's data. */
bool resource_apply(const struct node *at, const struct knowledge *knowledge,
                    const struct resource_library *library, struct chart *chart,
                    const char **ret_unmapped, struct err *err) MUST_CHECK;

/* Does it carry an identifier with that value, in whichever system? */
bool resource_has_identifier(const struct node *root, const char *value);
