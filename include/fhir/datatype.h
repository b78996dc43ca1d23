/* FHIR data types as several resources use them: lists, codings, quantities, dates. Strings are
 * borrowed from the document unless an arena is given. Private to fhir/. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/decimal.h"
#include "base/instant.h"
#include "base/node.h"

#define DATATYPE_WORDS_MAX 200 /* bytes kept of a label or another text of theirs */

/* A member that may repeat. A single value where a list should be counts as a list of one. */
size_t datatype_count(const struct node *list);
struct node datatype_item(const struct node *list, size_t index);

/* Is there anything at this member but null? */
bool datatype_has(const struct node *at, const char *key);

/* Does the member hold something that may mean "true": true itself, or anything that is neither
 * false nor null nor the text "false"? For modifiers, where a doubt must not pass as "no". */
bool datatype_maybe_true(const struct node *at, const char *key);

struct datatype_coding {
    const char *system, *code, *display; /* "" when absent */
};

/* The codings of a CodeableConcept. */
size_t datatype_coding_count(const struct node *concept);
struct datatype_coding datatype_coding_at(const struct node *concept, size_t index);

/* One Coding. */
struct datatype_coding datatype_coding(const struct node *coding);

/* The code of the first coding that has one, of a CodeableConcept or a plain code (as STU3 has in
 * places); NULL when there is none. */
const char *datatype_code(const struct node *concept);

/* Does a CodeableConcept or a plain code have that code, in whatever system? */
bool datatype_has_code(const struct node *concept, const char *code);

/* "SYSTEM|CODE" of the first coding that has a code, "text only" when none has. */
const char *datatype_unmapped(const struct node *concept, struct arena *arena);

/* What people call it: a display of its codings, else its text, else "". */
const char *datatype_words(const struct node *concept, struct arena *arena);

struct datatype_quantity {
    bool has_value;
    struct decimal value;
    const char *number;     /* as sent */
    const char *comparator; /* "" for none */
    const char *unit, *code, *system;
};

/* A Quantity; a number sent as a string is read as well. */
struct datatype_quantity datatype_quantity(const struct node *at);

/* The unit of a quantity: the code when it is UCUM, else the unit text, else the code; "" */
const char *datatype_unit(const struct datatype_quantity *quantity);

bool datatype_is_ucum(const char *system);

/* A decimal member, sent as a number or as a string that is one. */
bool datatype_decimal(const struct node *at, const char *key, struct decimal *ret) MUST_CHECK;

/* Start and end of the span of a date, dateTime or instant member; the value given when absent or
 * not legal. */
int64_t datatype_start(const struct node *at, const char *key, int64_t without);
/* How long that span is where the member is a date (a day, a month, a year); 0 for a time of day. */
int64_t datatype_vague(const struct node *at, const char *key);
int64_t datatype_end(const struct node *at, const char *key, int64_t without);

/* A Duration (value, UCUM unit of time) as far as whole milliseconds or months can hold it. */
bool datatype_duration(const struct node *at, struct duration *ret) MUST_CHECK;

/* A copy of at most max bytes, cut between characters; control characters become spaces. */
const char *datatype_keep(struct arena *arena, const char *text, size_t max);
