/* Typed access to a document that knows where it is.
 *
 * A node is a value plus the way that led to it. Nodes live on the stack and point up at their
 * parents, so reading costs no allocation and an error can still name the place, as a JSON pointer
 * ("/entry/3/resource/status") and as a byte offset. Pass nodes down the stack, never up: a node
 * is valid while its document and the nodes it came from are.
 *
 * Two attitudes: node_string() and friends are for our own files, where a member that is missing
 * or of the wrong type is an error; node_text() and friends are for FHIR, where we take what is
 * there and decide ourselves what a gap means. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/err.h"

struct node {
    const struct doc_value *value; /* borrowed; NULL: nothing at this place */
    const struct node *up;         /* NULL at the root */
    const char *key;               /* member name below an object, NULL below an array */
    size_t index;                  /* position below an array */
    uint32_t offset;               /* of the member's name, or of the value */
};

struct node node_root(const struct doc *doc);

/* The member or item below at; .value is NULL when there is none. The first member of that name. */
struct node node_get(const struct node *at, const char *key);
struct node node_item(const struct node *at, size_t index);

/* The i-th member of an object, for walking over all of them. */
struct node node_member(const struct node *at, size_t index);

/* Items of an array or members of an object, 0 for anything else. */
size_t node_count(const struct node *at);

bool node_is(const struct node *at, enum doc_kind kind);

/* ---- our own files: errors are ERR_CONFIG, where is the JSON pointer, offset says the place */

/* Fill err for the value at: "json.value" with the text given. Returns false. */
bool node_error(const struct node *at, struct err *err, const char *fmt, ...) PRINTF(3, 4);

/* Required members. *ret is set on success only; strings are borrowed from the document and never
 * contain NUL. */
bool node_string(const struct node *at, const char *key, const char **ret,
                 struct err *err) MUST_CHECK;
bool node_int(const struct node *at, const char *key, int64_t min, int64_t max, int64_t *ret,
              struct err *err) MUST_CHECK;

/* A required member that is one of names (ends in NULL); *ret is the index. */
bool node_enum(const struct node *at, const char *key, const char *const *names, size_t *ret,
               struct err *err) MUST_CHECK;

/* Fails unless at is an object all of whose members are among keys (ends in NULL); suggests the
 * nearest key. */
bool node_only(const struct node *at, const char *const *keys, struct err *err) MUST_CHECK;

/* ---- FHIR: NULL or false when there is nothing of that type */

/* A string member, or NULL when absent, of another type, empty, or with an embedded NUL. */
const char *node_text(const struct node *at, const char *key);

/* The string or number at this very node as text, NULL otherwise. */
const char *node_scalar(const struct node *at);

/* Is the member there and true? */
bool node_true(const struct node *at, const char *key);

/* ---- */

/* Write the JSON pointer (RFC 6901) of a node to buf and return buf; "" for the root. */
const char *node_pointer(const struct node *at, char *buf, size_t size);

/* The candidate (list ends in NULL) within two edits of word, or NULL. Swapped letters are one. */
const char *nearest(const char *word, const char *const *candidates);
