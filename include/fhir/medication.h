/* The drug that an order names: by code, by reference to a Medication, by its ingredients. Private
 * to fhir/. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/node.h"
#include "core/knowledge.h"
#include "fhir/resource.h"

#define MEDICATION_INGREDIENTS_MAX 32

struct medication_ingredient {
    unsigned concept;
    enum drug_use use;
    enum drug_route route;
    bool has_strength;
    struct decimal strength;   /* of one unit of the product, in strength_unit */
    const char *strength_unit; /* "MG", "MG/ML", "UNT" ... as drug_code has them */
};

struct medication {
    struct medication_ingredient items[MEDICATION_INGREDIENTS_MAX];
    size_t count;
    const char *label;    /* for people; "" */
    bool by_name;         /* no code is known: the text names one drug */
    const char *unmapped; /* a drug or ingredient that no mapping knows; NULL: all are known */
    bool other;           /* no code is known, and its names are of none of our drugs */
    const char *doubt;    /* why it may not be what it seems, in our words; NULL */
};

/* order: a MedicationRequest. library may be NULL. Strings live in the arena or the knowledge. */
void medication_read(const struct node *order, const struct knowledge *knowledge,
                     const struct resource_library *library, struct arena *arena,
                     struct medication *ret);
