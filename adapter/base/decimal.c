#include "base/decimal.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE_DIGITS  37 /* an unsigned __int128 holds ten times as much */
#define EXPONENT_MAX 1000

__extension__ typedef unsigned __int128 wide;

#define POWERS 20 /* of ten that 64 bits hold: to 10^19 */

static const uint64_t powers[POWERS] = { UINT64_C(1),
                                         UINT64_C(10),
                                         UINT64_C(100),
                                         UINT64_C(1000),
                                         UINT64_C(10000),
                                         UINT64_C(100000),
                                         UINT64_C(1000000),
                                         UINT64_C(10000000),
                                         UINT64_C(100000000),
                                         UINT64_C(1000000000),
                                         UINT64_C(10000000000),
                                         UINT64_C(100000000000),
                                         UINT64_C(1000000000000),
                                         UINT64_C(10000000000000),
                                         UINT64_C(100000000000000),
                                         UINT64_C(1000000000000000),
                                         UINT64_C(10000000000000000),
                                         UINT64_C(100000000000000000),
                                         UINT64_C(1000000000000000000),
                                         UINT64_C(10000000000000000000) };

static wide power_of_ten(int n)
{
    wide power = 1;

    for (; n >= POWERS; n -= POWERS - 1) power *= powers[POWERS - 1];
    return n > 0 ? power * powers[n] : power;
}

/* Divisions of 128 bits are slow: as few as can be. */
static int count_digits(wide number)
{
    int n = 0, low = 0;

    for (; number > UINT64_MAX; number /= powers[18]) n += 18;
    while (low < POWERS && (uint64_t)number >= powers[low]) low++;
    return n + low;
}

static uint64_t magnitude(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

/* The decimal of any value, rounded half to even and in lowest terms. sticky: the true value is
 * a little further from zero; then number has more than DECIMAL_DIGITS digits. */
static struct decimal make(bool negative, wide number, int exponent, bool sticky)
{
    int extra = count_digits(number) - DECIMAL_DIGITS;

    if (number == 0) return DECIMAL_ZERO;
    if (extra > 0) {
        wide unit = power_of_ten(extra), rest = number % unit;
        number /= unit;
        exponent += extra;
        if (rest > unit / 2 || (rest == unit / 2 && (sticky || number % 2))) number++;
    }
    uint64_t digits = (uint64_t)number; /* at most 10^18 */
    for (; digits % 10 == 0; digits /= 10) exponent++;
    return (struct decimal){ negative ? -(int64_t)digits : (int64_t)digits, exponent };
}

/* ---- text */

/* The digits of a text so far. */
struct reading {
    wide number;
    int exponent;
    bool sticky; /* digits that did not fit were not all zero */
};

/* Returns the end of the digits; point is 1 behind the decimal point. */
static const char *read_digits(const char *at, int point, struct reading *r)
{
    static const wide full = (wide)1000000000000000000 * 1000000000000000000; /* 10^36 */

    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (r->number < full) {
            r->number = r->number * 10 + digit;
            r->exponent -= point;
        } else {
            r->sticky |= digit != 0;
            r->exponent += 1 - point;
        }
    }
    return at;
}

static bool read_exponent(const char *at, struct reading *r)
{
    bool negative = *at == '-';
    int exponent = 0;

    if (*at == '+' || *at == '-') at++;
    if (!*at) return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        exponent = exponent * 10 + (*at - '0');
        if (exponent > EXPONENT_MAX) return false;
    }
    r->exponent += negative ? -exponent : exponent;
    return *at == '\0';
}

bool decimal_parse(const char *text, struct decimal *ret)
{
    struct reading r = { 0 };
    bool negative = *text == '-';
    const char *at = text + negative, *digits = at;

    at = read_digits(digits, 0, &r);
    if (at == digits || (*digits == '0' && at - digits > 1)) return false;
    if (*at == '.') {
        digits = at + 1;
        at = read_digits(digits, 1, &r);
        if (at == digits) return false;
    }
    if (*at == 'e' || *at == 'E') {
        if (!read_exponent(at + 1, &r)) return false;
    } else if (*at) {
        return false;
    }
    struct decimal number = make(negative, r.number, r.exponent, r.sticky);
    if (abs(number.exponent) > EXPONENT_MAX) return false;
    *ret = number;
    return true;
}

/* Without a point and exponent: digits and zeros behind them. */
static int print_whole(struct decimal a, char *buf, size_t size)
{
    return snprintf(buf, size, "%" PRId64 "%.*s", a.digits, a.digits ? a.exponent : 0,
                    "000000000000000000000000000000000000000000000000000000000000000000000000");
}

static int print_fraction(struct decimal a, char *buf, size_t size)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, magnitude(a.digits));
    int whole = n + a.exponent; /* digits in front of the point */
    const char *sign = a.digits < 0 ? "-" : "";

    if (whole > 0) return snprintf(buf, size, "%s%.*s.%s", sign, whole, digits, digits + whole);
    return snprintf(buf, size, "%s0.%.*s%s", sign, -whole,
                    "000000000000000000000000000000000000000000000000000000000000000000000000",
                    digits);
}

const char *decimal_text(struct decimal a, char *buf, size_t size)
{
    int n = (int)size; /* too long */

    if (a.exponent > -64 && a.exponent < 64)
        n = a.exponent < 0 ? print_fraction(a, buf, size) : print_whole(a, buf, size);
    if ((size_t)n >= size) snprintf(buf, size, "%" PRId64 "e%d", a.digits, (int)a.exponent);
    return buf;
}

/* ---- arithmetic */

struct decimal decimal_of(int64_t whole)
{
    return make(whole < 0, magnitude(whole), 0, false);
}

static int sign_of(struct decimal a)
{
    return (a.digits > 0) - (a.digits < 0);
}

/* The place of the first digit. */
static int order_of(struct decimal a)
{
    return count_digits(magnitude(a.digits)) + a.exponent;
}

int decimal_compare(struct decimal a, struct decimal b)
{
    int sign = sign_of(a);

    if (sign != sign_of(b)) return sign < sign_of(b) ? -1 : 1;
    if (sign == 0) return 0;
    if (order_of(a) != order_of(b)) return order_of(a) < order_of(b) ? -sign : sign;
    int low = a.exponent < b.exponent ? a.exponent : b.exponent; /* at most 17 digits away */
    wide x = magnitude(a.digits) * power_of_ten(a.exponent - low);
    wide y = magnitude(b.digits) * power_of_ten(b.exponent - low);
    return x == y ? 0 : x < y ? -sign : sign;
}

/* a and b are not zero, and a.exponent >= b.exponent. */
static struct decimal add_ordered(struct decimal a, struct decimal b)
{
    bool negative = a.digits < 0;
    int apart = a.exponent - b.exponent;

    /* Beyond that b is less than half of the last digit that is kept, even after a borrow. */
    if (apart > WIDE_DIGITS - count_digits(magnitude(a.digits))) return a;
    wide x = magnitude(a.digits) * power_of_ten(apart), y = magnitude(b.digits);
    if ((b.digits < 0) == negative) return make(negative, x + y, b.exponent, false);
    if (x < y) return make(!negative, y - x, b.exponent, false);
    return make(negative, x - y, b.exponent, false);
}

struct decimal decimal_add(struct decimal a, struct decimal b)
{
    if (b.digits == 0) return a;
    if (a.digits == 0) return b;
    return a.exponent >= b.exponent ? add_ordered(a, b) : add_ordered(b, a);
}

struct decimal decimal_subtract(struct decimal a, struct decimal b)
{
    b.digits = -b.digits;
    return decimal_add(a, b);
}

struct decimal decimal_multiply(struct decimal a, struct decimal b)
{
    wide product = (wide)magnitude(a.digits) * magnitude(b.digits);

    return make((a.digits < 0) != (b.digits < 0), product, a.exponent + b.exponent, false);
}

struct decimal decimal_divide(struct decimal a, struct decimal b)
{
    assert(b.digits != 0);
    if (a.digits == 0) return DECIMAL_ZERO;
    /* 37 digits over at most 18: a quotient of at least 19 */
    int shift = WIDE_DIGITS - count_digits(magnitude(a.digits));
    wide x = magnitude(a.digits) * power_of_ten(shift), y = magnitude(b.digits);
    return make((a.digits < 0) != (b.digits < 0), x / y, a.exponent - shift - b.exponent,
                x % y != 0);
}

struct decimal decimal_round(struct decimal a, int places)
{
    int64_t drop = -(int64_t)a.exponent - places;

    if (drop <= 0) return a;
    if (drop > DECIMAL_DIGITS) return DECIMAL_ZERO; /* less than a tenth of the last place */
    wide unit = power_of_ten((int)drop), number = magnitude(a.digits), rest = number % unit;
    number /= unit;
    if (rest > unit / 2 || (rest == unit / 2 && number % 2)) number++;
    return make(a.digits < 0, number, -places, false);
}

double decimal_double(struct decimal a)
{
    char text[48];

    snprintf(text, sizeof text, "%" PRId64 "e%d", a.digits, (int)a.exponent);
    return strtod(text, NULL);
}

struct decimal decimal_from_double(double number)
{
    char text[40];
    wide digits = 0;

    assert(isfinite(number));
    snprintf(text, sizeof text, "%.14e", fabs(number)); /* d.dddddddddddddde+xx */
    const char *at = text;
    for (; *at != 'e'; at++) /* the point depends on the locale: whatever is not a digit */
        if (*at >= '0' && *at <= '9') digits = digits * 10 + (unsigned)(*at - '0');
    return make(number < 0, digits, atoi(at + 1) - 14, false);
}
