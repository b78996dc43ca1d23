/* The releases of FHIR that we speak. They differ in a few members of resources and in how
 * Subscriptions look; everything behind fhir/ is the same for all three. Pure. */
#pragma once

#include <stdbool.h>

enum fhir_release { FHIR_R4, FHIR_R4B, FHIR_R5 };

/* "4.0.1" is R4, "4.3.0" R4B, "5.0.0" R5; a release candidate ("5.0.0-ballot") is as good. False:
 * none of the three. */
bool fhir_release_parse(const char *version, enum fhir_release *ret);

/* "R4" "R4B" "R5" */
const char *fhir_release_name(enum fhir_release release);
