#include "test.h"

#include "core/interval.h"

static struct decimal number(const char *text)
{
    struct decimal value;

    assert_true(decimal_parse(text, &value));
    return value;
}

/* ---- a value with a comparator against a limit */

static const struct compare_case {
    const char *name;
    const char *comparator, *value;
    enum compare compare;
    const char *limit;
    enum truth want;
} compares[] = {
    { "0.9 is below 1.0", NULL, "0.9", COMPARE_BELOW, "1.0", TRUTH_TRUE },
    { "1.0 is not below 1.0", NULL, "1.0", COMPARE_BELOW, "1.0", TRUTH_FALSE },
    { "1.0 is at most 1.0", NULL, "1.0", COMPARE_AT_MOST, "1.0", TRUTH_TRUE },
    { "1.1 is not at most 1.0", NULL, "1.1", COMPARE_AT_MOST, "1.0", TRUTH_FALSE },
    { "1.0 is not above 1.0", NULL, "1.0", COMPARE_ABOVE, "1.0", TRUTH_FALSE },
    { "1.01 is above 1.0", NULL, "1.01", COMPARE_ABOVE, "1.0", TRUTH_TRUE },
    { "1.0 is at least 1.0", NULL, "1.0", COMPARE_AT_LEAST, "1.0", TRUTH_TRUE },
    { "0.99 is not at least 1.0", NULL, "0.99", COMPARE_AT_LEAST, "1.0", TRUTH_FALSE },

    { "<1 is below 1", "<", "1", COMPARE_BELOW, "1", TRUTH_TRUE },
    { "<1 is at most 1", "<", "1", COMPARE_AT_MOST, "1", TRUTH_TRUE },
    { "<1 is not at least 1", "<", "1", COMPARE_AT_LEAST, "1", TRUTH_FALSE },
    { "<1 is not above 1", "<", "1", COMPARE_ABOVE, "1", TRUTH_FALSE },
    { "<2 may be below 1", "<", "2", COMPARE_BELOW, "1", TRUTH_UNKNOWN },
    { "<2 may be above 1", "<", "2", COMPARE_ABOVE, "1", TRUTH_UNKNOWN },
    { "<0.5 is below 1", "<", "0.5", COMPARE_BELOW, "1", TRUTH_TRUE },

    { "<=1 may be below 1", "<=", "1", COMPARE_BELOW, "1", TRUTH_UNKNOWN },
    { "<=1 is at most 1", "<=", "1", COMPARE_AT_MOST, "1", TRUTH_TRUE },
    { "<=1 may be at least 1", "<=", "1", COMPARE_AT_LEAST, "1", TRUTH_UNKNOWN },
    { "<=1 is not above 1", "<=", "1", COMPARE_ABOVE, "1", TRUTH_FALSE },

    { ">1 is above 1", ">", "1", COMPARE_ABOVE, "1", TRUTH_TRUE },
    { ">1 is at least 1", ">", "1", COMPARE_AT_LEAST, "1", TRUTH_TRUE },
    { ">1 is not at most 1", ">", "1", COMPARE_AT_MOST, "1", TRUTH_FALSE },
    { ">1 is not below 1", ">", "1", COMPARE_BELOW, "1", TRUTH_FALSE },
    { ">1 may be above 2", ">", "1", COMPARE_ABOVE, "2", TRUTH_UNKNOWN },
    { ">1 may be at most 2", ">", "1", COMPARE_AT_MOST, "2", TRUTH_UNKNOWN },

    { ">=1 may be above 1", ">=", "1", COMPARE_ABOVE, "1", TRUTH_UNKNOWN },
    { ">=1 is at least 1", ">=", "1", COMPARE_AT_LEAST, "1", TRUTH_TRUE },
    { ">=1 may be at most 1", ">=", "1", COMPARE_AT_MOST, "1", TRUTH_UNKNOWN },
    { ">=1 is not below 1", ">=", "1", COMPARE_BELOW, "1", TRUTH_FALSE },

    { "ad says nothing", "ad", "1", COMPARE_BELOW, "5", TRUTH_UNKNOWN },
    { "~ says nothing", "~", "1", COMPARE_AT_LEAST, "0", TRUTH_UNKNOWN },
    { "an empty comparator says nothing", "", "1", COMPARE_ABOVE, "0", TRUTH_UNKNOWN },
    { "<< says nothing", "<<", "1", COMPARE_BELOW, "5", TRUTH_UNKNOWN },
};

static void check_compare(void **state)
{
    const struct compare_case *c = *state;
    struct interval at = interval_from(number(c->value), c->comparator);

    assert_int_equal(interval_compare(&at, c->compare, number(c->limit)), c->want);
}

/* ---- a span of values against a limit */

static const struct span_case {
    const char *name;
    const char *low, *high;
    bool low_open, high_open;
    enum compare compare;
    const char *limit;
    enum truth want;
} spans[] = {
    { "1 to 2 is below 3", "1", "2", 0, 0, COMPARE_BELOW, "3", TRUTH_TRUE },
    { "1 to 2 may be below 2", "1", "2", 0, 0, COMPARE_BELOW, "2", TRUTH_UNKNOWN },
    { "1 to under 2 is below 2", "1", "2", 0, 1, COMPARE_BELOW, "2", TRUTH_TRUE },
    { "1 to 2 is not below 1", "1", "2", 0, 0, COMPARE_BELOW, "1", TRUTH_FALSE },
    { "1 to 2 is at least 1", "1", "2", 0, 0, COMPARE_AT_LEAST, "1", TRUTH_TRUE },
    { "1 to 2 may be above 1", "1", "2", 0, 0, COMPARE_ABOVE, "1", TRUTH_UNKNOWN },
    { "over 1 to 2 is above 1", "1", "2", 1, 0, COMPARE_ABOVE, "1", TRUTH_TRUE },
    { "1 to 2 is not above 2", "1", "2", 0, 0, COMPARE_ABOVE, "2", TRUTH_FALSE },
    { "1 to under 2 is not at least 2", "1", "2", 0, 1, COMPARE_AT_LEAST, "2", TRUTH_FALSE },
    { "1 to 2 may be at least 2", "1", "2", 0, 0, COMPARE_AT_LEAST, "2", TRUTH_UNKNOWN },
    { "over 1 to 2 is not at most 1", "1", "2", 1, 0, COMPARE_AT_MOST, "1", TRUTH_FALSE },
    { "1 to 2 may be at most 1", "1", "2", 0, 0, COMPARE_AT_MOST, "1", TRUTH_UNKNOWN },
    { "-2 to -1 is below 0", "-2", "-1", 0, 0, COMPARE_BELOW, "0", TRUTH_TRUE },
};

static void check_span(void **state)
{
    const struct span_case *c = *state;
    const struct interval at = { number(c->low), number(c->high), c->low_open,
                                 c->high_open,   false,           false };

    assert_int_equal(interval_compare(&at, c->compare, number(c->limit)), c->want);
}

/* ---- hulls: a comparator and a value, twice */

static const struct hull_case {
    const char *name;
    const char *a_comparator, *a, *b_comparator, *b;
    const char *low, *high; /* NULL: no bound */
    bool low_open, high_open;
} hulls[] = {
    { "of one value is that value", NULL, "1", NULL, "1", "1", "1", 0, 0 },
    { "of two values is from one to the other", NULL, "1", NULL, "2", "1", "2", 0, 0 },
    { "does not depend on the order", NULL, "2", NULL, "1", "1", "2", 0, 0 },
    { "with <3 has no lower bound", NULL, "1", "<", "3", NULL, "3", 0, 1 },
    { "with >3 has no upper bound", NULL, "1", ">", "3", "1", NULL, 0, 0 },
    { "of <3 and 3 includes 3", "<", "3", NULL, "3", NULL, "3", 0, 0 },
    { "of >3 and 3 includes 3", ">", "3", NULL, "3", "3", NULL, 0, 0 },
    { "of <3 and <3 does not include 3", "<", "3", "<", "3", NULL, "3", 0, 1 },
    { "of <3 and >3 has no bounds", "<", "3", ">", "3", NULL, NULL, 0, 0 },
};

static void check_bound(bool none, bool open, struct decimal bound, bool want_open,
                        const char *want)
{
    assert_int_equal(none, want == NULL);
    if (none) return;
    assert_int_equal(decimal_compare(bound, number(want)), 0);
    assert_int_equal(open, want_open);
}

static void check_hull(void **state)
{
    const struct hull_case *c = *state;
    struct interval got = interval_hull(interval_from(number(c->a), c->a_comparator),
                                        interval_from(number(c->b), c->b_comparator));

    check_bound(got.low_none, got.low_open, got.low, c->low_open, c->low);
    check_bound(got.high_none, got.high_open, got.high, c->high_open, c->high);
}

/* ---- the rest */

static void shift_moves_both_bounds(void **state)
{
    struct interval at = interval_shift(interval_from(number("212"), "<"), number("-32"));

    (void)state;
    check_bound(at.low_none, at.low_open, at.low, false, NULL);
    check_bound(at.high_none, at.high_open, at.high, true, "180");
}

static void scale_is_exact(void **state)
{
    struct interval at = interval_scale(interval_exactly(number("88.4")), number("0.0113122"));

    (void)state;
    check_bound(at.low_none, at.low_open, at.low, false, "0.99999848");
    assert_true(interval_is_exact(&at));
}

static void only_one_closed_value_is_exact(void **state)
{
    const struct interval span = { number("1"), number("2"), false, false, false, false };
    const struct interval below = interval_from(number("1"), "<");
    const struct interval at_most = interval_from(number("1"), "<=");
    const struct interval one = interval_from(number("1.0"), NULL);

    (void)state;
    assert_false(interval_is_exact(&span));
    assert_false(interval_is_exact(&below));
    assert_false(interval_is_exact(&at_most));
    assert_true(interval_is_exact(&one));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(shift_moves_both_bounds),
        cmocka_unit_test(scale_is_exact),
        cmocka_unit_test(only_one_closed_value_is_exact),
    };

    return RUN_TABLE("a value against a limit", compares, check_compare) +
           RUN_TABLE("a span against a limit", spans, check_span) +
           RUN_TABLE("the hull", hulls, check_hull) +
           cmocka_run_group_tests_name("intervals", others, NULL, NULL);
}
