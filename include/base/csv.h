/* CSV files (RFC 4180, UTF-8, header line) as our mappings use them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define CSV_COLUMNS_MAX 16
#define CSV_FIELD_MAX   4096 /* bytes of one field */

struct csv {
    const char *at, *end; /* borrowed: the rest of the text */
    unsigned line;        /* of the row last read (where it starts), from 1 */
    unsigned next_line;   /* private */
    size_t columns;       /* of the header */
    size_t columns_min;   /* private: those that a row must have */
    bool header_read;     /* private */
    char *room;           /* owned: unquoted fields of the row last read */
    size_t room_size;
    const char *field[CSV_COLUMNS_MAX]; /* the row last read; valid until the next one */
    unsigned column[CSV_COLUMNS_MAX];   /* where each field starts, from 1 */
};

/* Start reading; the header must be exactly names (ends in NULL, at most CSV_COLUMNS_MAX). Last
 * names that begin with ? may be missing: then their fields are "". A byte order mark in front is
 * skipped. text is borrowed until csv_done(). Errors: ERR_CONFIG
 * "csv.header"; where is "LINE:COLUMN" (bytes, from 1); then there is nothing to release. */
bool csv_init(struct csv *csv, const char *text, size_t len, const char *const *names,
              struct err *err) MUST_CHECK;

/* Read the next row into csv->field; empty lines are skipped. *ret_end is true when there is none.
 * Errors: ERR_CONFIG "csv.row" (wrong number of fields, stray or open quote, NUL or control
 * character, invalid UTF-8, field too long); reading may go on with the line behind the error. Line
 * ends inside quotes belong to the field. */
bool csv_next(struct csv *csv, bool *ret_end, struct err *err) MUST_CHECK;

/* Release the memory; also after a csv_init() that failed. */
void csv_done(struct csv *csv);
