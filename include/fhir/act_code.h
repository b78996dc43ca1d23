/* Codes of v3-ActCode that alerts carry. Private to fhir/. Pure. */
#pragma once

#include <jansson.h>

/* A Coding, with the display that HL7 publishes where we know it. Owned by the caller. */
json_t *act_code_coding(const char *code);
