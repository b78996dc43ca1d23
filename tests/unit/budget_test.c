#include "test.h"

#include "core/budget.h"

/* What is done, in order; the wait is asked for at the end. now: the caller's clock. */
enum step_kind { END, SPEND, ASK, SET };

struct step {
    enum step_kind kind;
    int64_t now_ms;
    int64_t n; /* SPEND: how often; SET: the new limit; ASK: the wait that is wanted */
};

static const struct budget_case {
    const char *name;
    int64_t per_minute;
    struct step steps[8];
} cases[] = {
    { "without a limit nobody waits", 0, { { SPEND, 0, 1000 }, { ASK, 0, 0 } } },
    { "a tenth of a minute's requests is there at once",
      60,
      { { SPEND, 0, 5 }, { ASK, 0, 0 }, { SPEND, 0, 1 }, { ASK, 0, 1000 } } },
    { "of a small budget one request is there at once",
      6,
      { { ASK, 0, 0 }, { SPEND, 0, 1 }, { ASK, 0, 10000 } } },
    { "one comes back in its part of a minute, and not a millisecond before",
      60,
      { { SPEND, 0, 6 }, { ASK, 999, 1 }, { ASK, 1000, 0 } } },
    { "a minute's requests that do not divide it are rounded up",
      7,
      { { SPEND, 0, 1 }, { ASK, 0, 8572 }, { ASK, 8571, 1 }, { ASK, 8572, 0 } } },
    { "asking often gains nothing",
      60,
      { { SPEND, 0, 6 },
        { ASK, 300, 700 },
        { ASK, 600, 400 },
        { ASK, 900, 100 },
        { ASK, 1000, 0 } } },
    { "a long rest saves no more than a tenth of a minute's",
      60,
      { { SPEND, 0, 6 }, { ASK, 86400000, 0 }, { SPEND, 86400000, 6 }, { ASK, 86400000, 1000 } } },
    { "what is urgent makes a debt", 60, { { SPEND, 0, 10 }, { ASK, 0, 5000 } } },
    { "the debt ends at a minute's requests",
      60,
      { { SPEND, 0, 100000 }, { ASK, 0, 61000 }, { ASK, 61000, 0 } } },
    { "a clock that steps back neither gives nor takes",
      60,
      { { SPEND, 50000, 6 }, { ASK, 0, 1000 }, { ASK, 500, 500 }, { ASK, 1000, 0 } } },
    { "a clock that leaps ahead fills it, no more",
      60,
      { { SPEND, 0, 6 }, { SPEND, INT64_MAX, 6 }, { ASK, INT64_MAX, 1000 } } },
    { "from one end of the clock to the other",
      100000,
      { { SPEND, INT64_MIN / 2, 1 }, { ASK, INT64_MAX / 2 - 1, 0 } } },
    { "a smaller limit takes what was saved",
      600,
      { { SET, 0, 60 }, { SPEND, 0, 6 }, { ASK, 0, 1000 } } },
    { "a debt stays when the limit changes",
      60,
      { { SPEND, 0, 16 }, { SET, 0, 600 }, { ASK, 0, 1100 } } },
    { "a limit that is taken away lets everybody go",
      60,
      { { SPEND, 0, 100 }, { SET, 0, 0 }, { ASK, 0, 0 } } },
    { "after a time without a limit the new one begins with one",
      0,
      { { SPEND, 0, 100 }, { SET, 0, 60 }, { ASK, 0, 0 }, { SPEND, 0, 1 }, { ASK, 0, 1000 } } },
};

static void check(void **state)
{
    const struct budget_case *c = *state;
    struct budget budget;

    budget_init(&budget, c->per_minute, c->steps[0].now_ms);
    for (const struct step *step = c->steps; step < c->steps + ARRAY_SIZE(c->steps); step++) {
        if (step->kind == SPEND)
            for (int64_t i = 0; i < step->n; i++) budget_spend(&budget, step->now_ms);
        if (step->kind == SET) budget_set(&budget, step->n, step->now_ms);
        if (step->kind == ASK) assert_int_equal(budget_wait_ms(&budget, step->now_ms), step->n);
    }
}

/* 60 requests a minute are 3600 an hour. */
static void test_per_hour(void **state)
{
    (void)state;
    assert_int_equal(budget_per_hour(60, 1000), 3600);
    assert_int_equal(budget_per_hour(60, 4000), 900);
    assert_int_equal(budget_per_hour(1, 7500), 8);
    assert_int_equal(budget_per_hour(1, 61000), 0);
    assert_int_equal(budget_per_hour(0, 4000), INT64_MAX);
    assert_int_equal(budget_per_hour(60, 0), INT64_MAX);
}

int main(void)
{
    static const struct CMUnitTest others[] = { cmocka_unit_test(test_per_hour) };

    return RUN_TABLE("budget", cases, check) +
           cmocka_run_group_tests_name("budget of an hour", others, NULL, NULL);
}
