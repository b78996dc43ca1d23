/* Lines of RRF files, the form in which the National Library of Medicine releases RxNorm: no header,
 * UTF-8, fields that end in a | (RxNorm Technical Documentation, sections 11.2 and 12). Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define RRF_FIELDS_MAX 18
#define RRF_TEXT_MAX   3000 /* bytes of a name (RXNCONSO.STR) */

struct rrf_field {
    const char *text; /* borrowed: in the line, not ended by NUL */
    size_t len;
};

/* The fields of one line (without its LF; a CR before it is not part of it): exactly `columns`, at
 * most RRF_FIELDS_MAX. The | behind the last one may be missing. ret has RRF_FIELDS_MAX places. Error:
 * ERR_INPUT "rrf.fields". */
bool rrf_split(const char *line, size_t len, size_t columns, struct rrf_field *ret,
               struct err *err) MUST_CHECK;

bool rrf_is(const struct rrf_field *field, const char *word);

/* A code of RxNorm: 1 to 8 digits, not 0. Error: ERR_INPUT "rrf.code". */
bool rrf_code(const struct rrf_field *field, uint32_t *ret, struct err *err) MUST_CHECK;

/* Is the field a text that a CSV can hold: valid UTF-8 without control characters, neither empty nor
 * longer than RRF_TEXT_MAX? Error: ERR_INPUT "rrf.text". */
bool rrf_text(const struct rrf_field *field, struct err *err) MUST_CHECK;
