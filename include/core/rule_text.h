/* Rules in plain English: for the pharmacist who reads and signs them. UTF-8: "1.0 × 10⁹/L". Pure.
 *
 * A clause is told in one line ("an active order for lenalidomide; and the newest result for ...") or
 * as an outline, one line a clause, the clauses inside another indented below it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/rule.h"

struct rule_line {
    unsigned depth; /* 0 at the margin */
    const char *text;
    const char *definition; /* the name of the shared clause that this line tells of; NULL */
};

struct rule_outline {
    struct arena arena;
    struct rule_line *lines; /* in the arena */
    size_t count, room;
};

/* Lines of a clause. definitions: shared clauses are told in full below their name, else by their
 * name alone. *ret is owned by the caller: rule_outline_done(). */
void rule_outline_make(const struct clause *clause, const struct knowledge *knowledge,
                       bool definitions, struct rule_outline *ret);
void rule_outline_done(struct rule_outline *outline);

/* Append a line; it is borrowed until the next one. text is copied. */
struct rule_line *rule_outline_add(struct rule_outline *outline, unsigned depth, const char *text);

/* The same in one line; shared clauses by their name. */
void rule_sentence(const struct clause *clause, const struct knowledge *knowledge, struct buf *out);

/* "below 1.0 10*9/L" as "below 1.0 × 10⁹/L"; "at least 3 x upper limit" as "at least 3 × the upper
 * limit of normal"; "15 mg every 48 h" as "15 mg every 48 hours". */
void rule_quantity(const char *words, struct buf *out);

/* A UCUM code as people write it: "umol/L" as "µmol/L", "mL/min/{1.73_m2}" as "mL/min/1.73 m²". */
void rule_unit(const char *unit, struct buf *out);

/* "lenalidomide-combination" as "lenalidomide combination". */
void rule_name(const char *name, struct buf *out);

/* "REVLIMID US prescribing information (revision 2023-03), 2.1": a source without its address. */
void rule_source_say(const struct rule_source *source, struct buf *out);

/* What a grade of verification means; those that need a second look begin in capitals. */
const char *rule_grade_words(const char *grade);
