#include "test.h"

#include "core/patience.h"

/* Looks that begin as soon as they may, each of 10 ms. */
static const struct patience_case {
    const char *name;
    int fruitless;   /* so many that find nothing */
    bool found;      /* then one that finds something */
    int64_t idle_ms; /* then nobody says anything */
    int64_t want_ms; /* the wait of the next */
} cases[] = {
    { "the first look comes soon", 0, false, 0, 200 },
    { "the second comes later when the first found nothing", 1, false, 0, 400 },
    { "each doubles the wait", 3, false, 0, 1600 },
    { "up to five seconds", 5, false, 0, 5000 },
    { "and no more", 50, false, 0, 5000 },
    { "what is found brings back the first wait", 50, true, 0, 200 },
    { "the time that has passed counts", 3, false, 600, 1000 },
    { "after a pause the next look comes soon", 50, false, 4801, 200 },
    { "a clock far behind does not stop it", 3, false, -100000, 5000 },
};

static void check(void **state)
{
    const struct patience_case *c = *state;
    struct patience patience = { 0 };
    int64_t now = 1000000;

    for (int i = 0; i < c->fruitless + c->found; i++) {
        int64_t began = now + patience_wait_ms(&patience, now);
        now = began + 10;
        patience_learn(&patience, i == c->fruitless, began, now);
    }
    assert_int_equal(patience_wait_ms(&patience, now + c->idle_ms), c->want_ms);
}

static void a_look_long_after_the_last_begins_anew(void **state)
{
    struct patience patience = { .wait_ms = PATIENCE_LAST_MS, .looked_ms = 0 };

    (void)state;
    patience_learn(&patience, false, PATIENCE_LAST_MS, PATIENCE_LAST_MS + 10);
    assert_int_equal(patience.wait_ms, PATIENCE_LAST_MS);
    patience = (struct patience){ .wait_ms = PATIENCE_LAST_MS, .looked_ms = 0 };
    patience_learn(&patience, false, PATIENCE_LAST_MS + 1, PATIENCE_LAST_MS + 10);
    assert_int_equal(patience.wait_ms, 2 * PATIENCE_FIRST_MS);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(a_look_long_after_the_last_begins_anew),
    };

    return RUN_TABLE("patience", cases, check) +
           cmocka_run_group_tests_name("pause", rest, NULL, NULL);
}
