/* Building FHIR JSON with jansson: no empty string, array or object ever gets in. Private to fhir/.
 * Pure. */
#pragma once

#include <jansson.h>

/* Put a value in; takes it. NULL, empty arrays and empty objects are left out. */
void build_set(json_t *object, const char *key, json_t *value);
void build_append(json_t *array, json_t *value);

/* A string that FHIR allows: control characters (but line breaks) and bytes that are not UTF-8
 * become spaces, space around it goes; left out when nothing remains. */
void build_text(json_t *object, const char *key, const char *text);

/* {"system":...,"code":...,"display":...}; owned by the caller. */
json_t *build_coding(const char *system, const char *code, const char *display);

/* {"reference":"Type/id"}; owned by the caller. */
json_t *build_reference(const char *reference);

/* Compact, members in the order they were set; owned by the caller (free()). Takes object. */
char *build_dump(json_t *object);
