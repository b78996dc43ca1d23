#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

static bool same(struct decimal a, struct decimal b)
{
    return a.digits == b.digits && a.exponent == b.exponent;
}

static struct decimal negative(struct decimal a)
{
    return decimal_subtract(DECIMAL_ZERO, a);
}

static void check_form(struct decimal a)
{
    require(a.digits > -1000000000000000000 && a.digits < 1000000000000000000);
    require(a.digits ? a.digits % 10 != 0 : a.exponent == 0);
}

static void check_text(struct decimal a)
{
    struct decimal again;
    char buf[64];

    check_form(a);
    require(decimal_parse(decimal_text(a, buf, sizeof buf), &again) && same(a, again));
    decimal_double(a);
}

static void check_pair(struct decimal a, struct decimal b)
{
    int order = decimal_compare(a, b);
    struct decimal sum = decimal_add(a, b), difference = decimal_subtract(a, b);

    check_form(sum);
    check_form(difference);
    check_form(decimal_multiply(a, b));
    require(decimal_compare(b, a) == -order);
    require((order == 0) == same(a, b));
    require(same(sum, decimal_add(b, a)));
    require(same(difference, negative(decimal_subtract(b, a))));
    require(decimal_compare(difference, DECIMAL_ZERO) == order);
    require(same(decimal_multiply(a, b), decimal_multiply(b, a)));
    if (b.digits == 0) return;
    check_form(decimal_divide(a, b));
    require(same(decimal_divide(b, b), decimal_of(1)));
}

static void check_round(struct decimal a, int places)
{
    struct decimal rounded = decimal_round(a, places);
    struct decimal off = decimal_subtract(rounded, a), half = { 5, -places - 1 };

    check_form(rounded);
    if (off.digits < 0) off = negative(off);
    require(decimal_compare(off, half) <= 0);
    require(rounded.digits == 0 || rounded.exponent >= -places);
}

/* Two numbers with a newline between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct decimal a, b;

    require(text);
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    char *second = strchr(text, '\n');
    if (second) *second++ = '\0';
    if (decimal_parse(text, &a)) {
        check_text(a);
        for (int places = -20; places <= 20; places += 4) check_round(a, places);
        if (second && decimal_parse(second, &b)) check_pair(a, b);
    }
    free(text);
    return 0;
}
