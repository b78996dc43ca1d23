/* How much: the quantity of one administration, and what it is in milligrams of an ingredient. A
 * dose that cannot be told is not known, with the reason; it is never guessed. Private to fhir/.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/node.h"
#include "core/interval.h"
#include "fhir/datatype.h"
#include "fhir/medication.h"

enum amount_kind {
    AMOUNT_MASS,   /* in mg */
    AMOUNT_UNITS,  /* international units */
    AMOUNT_PER_M2, /* mg per square metre of body surface */
    AMOUNT_PER_KG, /* mg per kilogram of body weight */
    AMOUNT_VOLUME, /* in mL */
    AMOUNT_COUNT,  /* tablets, capsules */
};

struct amount_unit {
    const char *text;
    enum amount_kind kind;
    const char *factor; /* to the unit of the kind, a decimal */
};

struct amount {
    const struct amount_unit *unit; /* NULL: the amount is not known, why says so */
    struct interval value;          /* in the unit of the kind */
    const char *why;                /* our words, static; "" */
    const char *low, *high;         /* numbers as sent, for people; "" */
    const char *shown;              /* unit as sent; "" */
};

/* One Dosage, of R4 and R5 (doseAndRate) or STU3 (doseQuantity right in the Dosage). */
struct amount amount_read(const struct node *dosage);

/* A Quantity in the unit of its kind; NULL when the unit is not known or contradicts itself. */
const struct amount_unit *amount_quantity(const struct datatype_quantity *quantity,
                                          struct decimal *ret);

/* The amount of one ingredient; alone: it is the only one of the drug. False when it cannot be
 * told, *ret_why says why (static). *ret_unit is "mg", "mg/m2", "mg/kg" or "[iU]". */
bool amount_of(const struct amount *amount, const struct medication_ingredient *ingredient,
               bool alone, struct interval *ret, const char **ret_unit,
               const char **ret_why) MUST_CHECK;

/* "25 mg", "1 to 2 tablets" as sent; nothing when nothing was sent. */
void amount_words(const struct amount *amount, struct buf *out);
