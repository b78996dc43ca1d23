#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"

static struct decimal read(const char *text)
{
    struct decimal d;

    if (!decimal_parse(text, &d)) fail_msg("\"%s\" is not a decimal", text);
    return d;
}

/* ---- reading and writing */

static const struct parse_case {
    const char *name;
    const char *text;
    int64_t digits;
    int32_t exponent;
    const char *want; /* decimal_text() */
} parse_cases[] = {
    { "zero", "0", 0, 0, "0" },
    { "minus zero is zero", "-0", 0, 0, "0" },
    { "zero with places is zero", "0.000", 0, 0, "0" },
    { "zero with an exponent is zero", "0e1000", 0, 0, "0" },
    { "an integer", "12", 12, 0, "12" },
    { "a negative integer", "-12", -12, 0, "-12" },
    { "trailing zeros go into the exponent", "150000", 15, 4, "150000" },
    { "a fraction", "0.5", 5, -1, "0.5" },
    { "a negative fraction", "-0.05", -5, -2, "-0.05" },
    { "zeros behind a fraction are dropped", "1.500", 15, -1, "1.5" },
    { "a whole number with places", "1.00", 1, 0, "1" },
    { "digits on both sides", "12.34", 1234, -2, "12.34" },
    { "a positive exponent", "1.5e3", 15, 2, "1500" },
    { "a negative exponent", "15E-1", 15, -1, "1.5" },
    { "an exponent with a plus", "1e+2", 1, 2, "100" },
    { "an exponent with leading zeros", "1e0002", 1, 2, "100" },
    { "exponent zero", "1.5e0", 15, -1, "1.5" },
    { "eighteen digits are kept", "123456789012345678", 123456789012345678, 0,
      "123456789012345678" },
    { "eighteen digits behind the point", "0.123456789012345678", 123456789012345678, -18,
      "0.123456789012345678" },
    { "the nineteenth digit rounds down", "1234567890123456784", 123456789012345678, 1,
      "1234567890123456780" },
    { "the nineteenth digit rounds up", "1234567890123456786", 123456789012345679, 1,
      "1234567890123456790" },
    { "a half rounds to even: down", "1234567890123456785", 123456789012345678, 1,
      "1234567890123456780" },
    { "a half rounds to even: up", "1234567890123456775", 123456789012345678, 1,
      "1234567890123456780" },
    { "a little more than a half rounds up", "123456789012345678.50000000000000000000000000000001",
      123456789012345679, 0, "123456789012345679" },
    { "digits that are far behind still decide",
      "1234567890123456785000000000000000000000000000000000000000000000001", 123456789012345679, 49,
      "1234567890123456790000000000000000000000000000000000000000000000000" },
    { "nines round up to a power of ten", "0.9999999999999999995", 1, 0, "1" },
    { "negative halves round to even", "-1234567890123456785", -123456789012345678, 1,
      "-1234567890123456780" },
    { "many zeros in front", "0.00000000000000000000000000000000000000001", 1, -41,
      "0.00000000000000000000000000000000000000001" },
    { "the largest exponent", "1e1000", 1, 1000, "1e1000" },
    { "the smallest exponent", "-1e-1000", -1, -1000, "-1e-1000" },
    { "too long for the buffer", "123456789012345678e47", 123456789012345678, 47,
      "123456789012345678e47" },
};

static void check_parse(void **state)
{
    const struct parse_case *c = *state;
    struct decimal d = read(c->text);
    char buf[64];

    /* the text may be longer than 64 bytes; then it has an exponent */
    assert_int_equal(d.digits, c->digits);
    assert_int_equal(d.exponent, c->exponent);
    if (strlen(c->want) < sizeof buf)
        assert_string_equal(decimal_text(d, buf, sizeof buf), c->want);
    struct decimal again = read(decimal_text(d, buf, sizeof buf));
    assert_int_equal(again.digits, c->digits);
    assert_int_equal(again.exponent, c->exponent);
}

static const struct refuse_case {
    const char *name;
    const char *text;
} refuse_cases[] = {
    { "nothing", "" },
    { "a sign alone", "-" },
    { "a plus sign", "+1" },
    { "leading zeros", "012" },
    { "leading zeros of a negative number", "-00" },
    { "a point in front", ".5" },
    { "a point at the end", "5." },
    { "a point before the exponent", "5.e1" },
    { "two points", "1.2.3" },
    { "a comma", "1,5" },
    { "an exponent without digits", "1e" },
    { "an exponent with a sign only", "1e-" },
    { "two signs in the exponent", "1e+-1" },
    { "a fraction in the exponent", "1e1.5" },
    { "a leading space", " 1" },
    { "a trailing space", "1 " },
    { "a unit", "1mg" },
    { "hexadecimal", "0x10" },
    { "infinity", "Infinity" },
    { "not a number", "NaN" },
    { "two minus signs", "--1" },
    { "an exponent beyond the largest", "1e1001" },
    { "an exponent beyond the smallest", "1e-1001" },
    { "an exponent beyond 64 bits", "1e99999999999999999999" },
    { "beyond the smallest with its places", "1.5e-1000" },
    { "beyond the largest with its zeros", "10e1000" },
};

static void check_refuse(void **state)
{
    const struct refuse_case *c = *state;
    struct decimal d = { 4711, 42 };

    assert_false(decimal_parse(c->text, &d));
    assert_int_equal(d.digits, 4711);
    assert_int_equal(d.exponent, 42);
}

/* ---- order */

static const struct compare_case {
    const char *name;
    const char *a, *b;
    int want;
} compare_cases[] = {
    { "equal", "1.5", "1.50", 0 },
    { "equal with exponents", "1500", "1.5e3", 0 },
    { "zero is zero", "0", "-0.0", 0 },
    { "less", "1", "2", -1 },
    { "a negative number is less", "-2", "1", -1 },
    { "negative numbers turn the order", "-2", "-1", -1 },
    { "zero and a positive number", "0", "1e-1000", -1 },
    { "zero and a negative number", "0", "-1e-1000", 1 },
    { "orders of magnitude", "9e2", "1e3", -1 },
    { "orders of magnitude, negative", "-9e2", "-1e3", 1 },
    { "far apart", "1e-1000", "1e1000", -1 },
    { "far apart, negative", "-1e-1000", "-1e1000", 1 },
    { "the last of eighteen digits", "1", "1.00000000000000001", -1 },
    { "the last of eighteen digits, below", "1", "0.999999999999999999", 1 },
    { "what a double cannot tell apart", "0.3", "0.30000000000000001", -1 },
    { "one ten thousandth", "0.1", "0.1001", -1 },
};

static void check_compare(void **state)
{
    const struct compare_case *c = *state;

    assert_int_equal(decimal_compare(read(c->a), read(c->b)), c->want);
    assert_int_equal(decimal_compare(read(c->b), read(c->a)), -c->want);
}

/* ---- arithmetic */

static const struct calculation {
    const char *name;
    const char *a;
    char op;
    const char *b, *want;
} calculations[] = {
    { "one tenth and two tenths", "0.1", '+', "0.2", "0.3" },
    { "carrying", "0.95", '+', "0.05", "1" },
    { "zero changes nothing", "1.5", '+', "0", "1.5" },
    { "to zero", "0", '+', "-1.5", "-1.5" },
    { "opposite numbers", "1.5", '+', "-1.5", "0" },
    { "the smaller one is negative", "10", '+', "-0.5", "9.5" },
    { "the larger one is negative", "0.5", '+', "-10", "-9.5" },
    { "two negative numbers", "-1.5", '+', "-2", "-3.5" },
    { "exponents apart", "1e18", '+', "1e-5", "1e18" },
    { "exponents far apart", "1e1000", '+', "1e-1000", "1e1000" },
    { "eighteen digits and the nineteenth", "123456789012345678", '+', "0.4",
      "123456789012345678" },
    { "a half rounds to even", "123456789012345678", '+', "0.5", "123456789012345678" },
    { "a half rounds to even, up", "123456789012345677", '+', "0.5", "123456789012345678" },
    { "more than a half, far behind", "1e17", '+', "0.500000000000000001", "100000000000000001" },
    { "half and very little more", "100000000000000000.5", '+', "1e-100", "1e17" },
    { "an exact sum of 36 digits rounds once", "1e35", '+', "1", "1e35" },
    { "very little takes the last digit", "1", '-', "1e-18", "0.999999999999999999" },
    { "too little takes nothing", "1", '-', "1e-19", "1" },
    { "far too little takes nothing", "1", '-', "1e-900", "1" },
    { "nines carry over", "999999999999999999", '+', "1", "1e18" },
    { "less", "3", '-', "5", "-2" },
    { "minus a negative", "3", '-', "-5", "8" },
    { "from zero", "0", '-', "5", "-5" },
    { "cancellation is exact", "1.00000000000000001", '-', "1", "0.00000000000000001" },
    { "a product", "1.5", '*', "0.2", "0.3" },
    { "a product with a negative", "-1.5", '*', "2", "-3" },
    { "two negatives", "-1.5", '*', "-2", "3" },
    { "with zero", "-1.5", '*', "0", "0" },
    { "exponents add up", "1e600", '*', "1e400", "1e1000" },
    { "a product of 36 digits is rounded", "999999999999999999", '*', "999999999999999999",
      "999999999999999998e18" },
    { "a product that ends in a half, even", "100000000000000001", '*', "1.5",
      "150000000000000002" }, /* ...001.5 */
    { "milligrams to grams", "125", '*', "0.001", "0.125" },
    { "micromoles to milligrams", "88.42", '/', "88.42", "1" },
    { "an exact quotient", "1", '/', "8", "0.125" },
    { "an exact quotient of a large number", "1e100", '/', "8e50", "125e47" },
    { "a third", "1", '/', "3", "0.333333333333333333" },
    { "two thirds round up", "2", '/', "3", "0.666666666666666667" },
    { "a negative third", "-1", '/', "3", "-0.333333333333333333" },
    { "zero by something", "0", '/', "-3", "0" },
    { "by itself", "-0.7", '/', "-0.7", "1" },
    { "by eighteen digits", "1", '/', "999999999999999999", "1.00000000000000000e-18" },
    { "a quotient that ends in a half", "200000000000000001", '/', "2e17", "1" },
    { "a quotient on a half rounds to even", "1000000000000000005e-1", '/', "1", "1e17" },
};

static void check_calculation(void **state)
{
    const struct calculation *c = *state;
    struct decimal a = read(c->a), b = read(c->b), got = DECIMAL_ZERO, want = read(c->want);

    if (c->op == '+') got = decimal_add(a, b);
    if (c->op == '-') got = decimal_subtract(a, b);
    if (c->op == '*') got = decimal_multiply(a, b);
    if (c->op == '/') got = decimal_divide(a, b);
    assert_int_equal(got.digits, want.digits);
    assert_int_equal(got.exponent, want.exponent);
    if (c->op != '+') return;
    got = decimal_add(b, a);
    assert_int_equal(got.digits, want.digits);
    assert_int_equal(got.exponent, want.exponent);
}

static const struct round_case {
    const char *name;
    const char *number;
    int places;
    const char *want;
} round_cases[] = {
    { "fewer places stay", "1.5", 2, "1.5" },
    { "as many places stay", "1.25", 2, "1.25" },
    { "down", "1.24", 1, "1.2" },
    { "up", "1.26", 1, "1.3" },
    { "a half to even, down", "1.25", 1, "1.2" },
    { "a half to even, up", "1.35", 1, "1.4" },
    { "negative numbers alike", "-1.35", 1, "-1.4" },
    { "a half to even at zero", "0.5", 0, "0" },
    { "a half to even at one", "1.5", 0, "2" },
    { "more than a half of the first place", "0.51", 0, "1" },
    { "carrying", "9.96", 1, "10" },
    { "tens", "1250", -2, "1200" },
    { "a large number to its own size", "6", -1, "10" },
    { "far too small", "1e-500", 3, "0" },
    { "all eighteen digits dropped", "0.999999999999999999", 0, "1" },
    { "one place before the first digit", "0.0999999999999999999", 0, "0" },
    { "zero", "0", 0, "0" },
};

static void check_round(void **state)
{
    const struct round_case *c = *state;
    struct decimal got = decimal_round(read(c->number), c->places), want = read(c->want);

    assert_int_equal(got.digits, want.digits);
    assert_int_equal(got.exponent, want.exponent);
}

/* ---- from and to other numbers */

static const struct whole_case {
    const char *name;
    int64_t whole;
    int64_t digits;
    int32_t exponent;
} whole_cases[] = {
    { "zero", 0, 0, 0 },
    { "one", 1, 1, 0 },
    { "minus ten", -10, -1, 1 },
    { "eighteen nines", 999999999999999999, 999999999999999999, 0 },
    { "the largest integer is rounded", INT64_MAX, 922337203685477581, 1 },
    { "the smallest integer is rounded", INT64_MIN, -922337203685477581, 1 },
};

static void check_whole(void **state)
{
    const struct whole_case *c = *state;
    struct decimal d = decimal_of(c->whole);

    assert_int_equal(d.digits, c->digits);
    assert_int_equal(d.exponent, c->exponent);
}

static const struct double_case {
    const char *name;
    const char *text;
    double number;
} double_cases[] = {
    { "zero", "0", 0.0 },
    { "one tenth is the double nearest to it", "0.1", 0.1 },
    { "a negative number", "-2.5", -2.5 },
    { "a large number", "6.02214076e23", 6.02214076e23 },
    { "a small number", "1.5e-10", 1.5e-10 },
    { "fifteen digits go there and back", "1.23456789012345", 1.23456789012345 },
};

static void check_double(void **state)
{
    const struct double_case *c = *state;
    struct decimal want = read(c->text), got = decimal_from_double(c->number);

    assert_true(decimal_double(want) == c->number);
    assert_int_equal(got.digits, want.digits);
    assert_int_equal(got.exponent, want.exponent);
}

static void noise_of_doubles_is_rounded_away(void **state)
{
    struct decimal d = decimal_from_double(0.1 + 0.2); /* 0.30000000000000004 */

    (void)state;
    assert_int_equal(decimal_compare(d, read("0.3")), 0);
}

static void a_short_buffer_gets_the_short_form(void **state)
{
    char buf[32];

    (void)state;
    assert_string_equal(decimal_text(read("-1e30"), buf, 16), "-1e30");
    assert_string_equal(decimal_text(read("-123456789012345678e-1000"), buf, sizeof buf),
                        "-123456789012345678e-1000");
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(noise_of_doubles_is_rounded_away),
        cmocka_unit_test(a_short_buffer_gets_the_short_form),
    };

    return RUN_TABLE("decimal_parse", parse_cases, check_parse) +
           RUN_TABLE("decimal_parse refuses", refuse_cases, check_refuse) +
           RUN_TABLE("decimal_compare", compare_cases, check_compare) +
           RUN_TABLE("decimal arithmetic", calculations, check_calculation) +
           RUN_TABLE("decimal_round", round_cases, check_round) +
           RUN_TABLE("decimal_of", whole_cases, check_whole) +
           RUN_TABLE("decimal_double", double_cases, check_double) +
           cmocka_run_group_tests_name("decimal", rest, NULL, NULL);
}
