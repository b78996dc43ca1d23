/* Exact decimals: digits x 10^exponent. Never a double: 0.1 is 0.1, and a comparison with a
 * threshold is exact. Values are kept in lowest terms (no trailing zero digits; zero has exponent
 * 0), so equal numbers are equal structs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define DECIMAL_DIGITS 18 /* significant digits kept; more are rounded half to even */

struct decimal {
    int64_t digits;
    int32_t exponent;
};

#define DECIMAL_ZERO ((struct decimal){ 0, 0 })

/* The JSON and FHIR form: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?  All of text must be
 * used. False for anything else and for exponents beyond +-1000, as written or in *ret. */
bool decimal_parse(const char *text, struct decimal *ret) MUST_CHECK;

struct decimal decimal_of(int64_t whole);

/* -1, 0, 1 */
int decimal_compare(struct decimal a, struct decimal b);

struct decimal decimal_add(struct decimal a, struct decimal b);
struct decimal decimal_subtract(struct decimal a, struct decimal b);
struct decimal decimal_multiply(struct decimal a, struct decimal b);

/* b must not be zero (asserted). Rounded half to even at DECIMAL_DIGITS. */
struct decimal decimal_divide(struct decimal a, struct decimal b);

/* Rounded half to even to that many places after the point. For showing, not for comparing. */
struct decimal decimal_round(struct decimal a, int places);

/* For formulas with roots and powers (CKD-EPI, Mosteller, QTc): the nearest double, and back with
 * 15 significant digits. number must be finite (asserted): ask isfinite() first. */
double decimal_double(struct decimal a);
struct decimal decimal_from_double(double number);

/* Plain notation without exponent ("0.5", "-12", "150000"); "15e80" where that does not fit into
 * buf, which should have 64 bytes and needs 32. decimal_parse() reads both. Returns buf. */
const char *decimal_text(struct decimal a, char *buf, size_t size);
