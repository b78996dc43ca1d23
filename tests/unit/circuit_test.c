#include "test.h"

#include <string.h>

#include "core/circuit.h"

/* A story: what happens at which time, and what must come of it. jitter is 0: pauses last 1, 2, 4 ...
 * 60 s. */
enum what { END, ASK, ASK_BEHIND, FAIL, PROBE_FAILS, WELL, FORGET, LEFT };

struct step {
    enum what what;
    int64_t now_ms;
    int64_t asked_ms; /* FAIL, PROBE_FAILS: Retry-After; LEFT: what is wanted */
    int want;         /* ASK: the gate; FAIL, WELL: is it news? */
};

#define FIVE_FAIL                                                                                  \
    { FAIL, 0, 0, false }, { FAIL, 0, 0, false }, { FAIL, 0, 0, false }, { FAIL, 0, 0, false },    \
    {                                                                                              \
        FAIL, 0, 0, true                                                                           \
    }

static const struct circuit_case {
    const char *name;
    struct step steps[14];
} cases[] = {
    { "nothing is known: all pass", { { ASK, 0, 0, CIRCUIT_PASS }, { ASK, 0, 0, CIRCUIT_PASS } } },
    { "four failures change nothing",
      { { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { ASK, 0, 0, CIRCUIT_PASS } } },
    { "the fifth begins a pause of a second",
      { FIVE_FAIL, { ASK, 999, 0, CIRCUIT_REFUSE }, { LEFT, 999, 1, 0 }, { LEFT, 1000, 0, 0 } } },
    { "a good answer between them starts the count again",
      { { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { FAIL, 0, 0, false },
        { WELL, 0, 0, false },
        { FAIL, 0, 0, false },
        { ASK, 0, 0, CIRCUIT_PASS } } },
    { "after the pause one goes ahead, and no other",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { ASK, 1000, 0, CIRCUIT_REFUSE },
        { ASK, 99999, 0, CIRCUIT_REFUSE } } },
    { "its failure begins a pause twice as long",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { PROBE_FAILS, 1500, 0, false },
        { ASK, 3499, 0, CIRCUIT_REFUSE },
        { ASK, 3500, 0, CIRCUIT_PROBE } } },
    { "its success lets all through, and is news once",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { WELL, 1100, 0, true },
        { WELL, 1100, 0, false },
        { ASK, 1100, 0, CIRCUIT_PASS },
        { ASK, 1100, 0, CIRCUIT_PASS } } },
    { "so does the late success of a request that was under way",
      { FIVE_FAIL, { WELL, 10, 0, true }, { ASK, 10, 0, CIRCUIT_PASS } } },
    { "but not before the end of a wait that the server named",
      { { FAIL, 0, 30000, true },
        { WELL, 10, 0, false },
        { ASK, 29999, 0, CIRCUIT_REFUSE },
        { ASK, 30000, 0, CIRCUIT_PROBE },
        { WELL, 30010, 0, true },
        { ASK, 30010, 0, CIRCUIT_PASS } } },
    { "nor of the longest that it named",
      { { FAIL, 0, 30000, true },
        { FAIL, 0, 10000, false },
        { WELL, 20000, 0, false },
        { LEFT, 20000, 10000, 0 } } },
    { "failures of requests that were under way make no pause longer",
      { FIVE_FAIL,
        { FAIL, 500, 0, false },
        { FAIL, 600, 0, false },
        { ASK, 1000, 0, CIRCUIT_PROBE } } },
    { "nor end the probe",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { FAIL, 1001, 0, false },
        { ASK, 1002, 0, CIRCUIT_REFUSE } } },
    { "unless they name a longer wait",
      { FIVE_FAIL,
        { FAIL, 500, 10000, false },
        { ASK, 10499, 0, CIRCUIT_REFUSE },
        { ASK, 10500, 0, CIRCUIT_PROBE } } },
    { "a first failure that names a wait is enough",
      { { FAIL, 0, 30000, true },
        { ASK, 29999, 0, CIRCUIT_REFUSE },
        { ASK, 30000, 0, CIRCUIT_PROBE } } },
    { "a wait that is shorter than the pause does not shorten it",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { PROBE_FAILS, 1000, 500, false },
        { ASK, 2999, 0, CIRCUIT_REFUSE },
        { ASK, 3000, 0, CIRCUIT_PROBE } } },
    { "nobody makes us wait longer than an hour",
      { { FAIL, 0, INT64_C(1000000000000), true },
        { ASK, 3599999, 0, CIRCUIT_REFUSE },
        { ASK, 3600000, 0, CIRCUIT_PROBE } } },
    { "the background goes ahead when nobody else does",
      { FIVE_FAIL, { ASK_BEHIND, 1000, 0, CIRCUIT_PROBE } } },
    { "but not twice within a second of the end of the pause",
      { FIVE_FAIL,
        { ASK_BEHIND, 1000, 0, CIRCUIT_PROBE },
        { PROBE_FAILS, 1000, 0, false },
        { ASK_BEHIND, 3000, 0, CIRCUIT_REFUSE },
        { ASK_BEHIND, 3999, 0, CIRCUIT_REFUSE },
        { ASK_BEHIND, 4000, 0, CIRCUIT_PROBE } } },
    { "others may",
      { FIVE_FAIL,
        { ASK_BEHIND, 1000, 0, CIRCUIT_PROBE },
        { PROBE_FAILS, 1000, 0, false },
        { ASK_BEHIND, 3000, 0, CIRCUIT_REFUSE },
        { ASK, 3000, 0, CIRCUIT_PROBE },
        { PROBE_FAILS, 3000, 0, false },
        { ASK_BEHIND, 7000, 0, CIRCUIT_PROBE } } },
    { "a probe that was given up makes way for another",
      { FIVE_FAIL,
        { ASK, 1000, 0, CIRCUIT_PROBE },
        { FORGET, 1000, 0, 0 },
        { ASK, 1000, 0, CIRCUIT_PROBE } } },
};

static void take(struct circuit *circuit, const struct step *step)
{
    switch (step->what) {
    case ASK:
    case ASK_BEHIND: /* in the background */
        assert_int_equal(circuit_ask(circuit, step->what == ASK_BEHIND, step->now_ms), step->want);
        break;
    case FAIL:
    case PROBE_FAILS:
        assert_int_equal(
            circuit_ill(circuit, step->what == PROBE_FAILS, step->now_ms, step->asked_ms, 0),
            step->want);
        break;
    case WELL:
        assert_int_equal(circuit_well(circuit, step->now_ms), step->want);
        break;
    case FORGET:
        circuit_forget(circuit);
        break;
    case LEFT:
        assert_int_equal(circuit_wait_ms(circuit, step->now_ms), step->asked_ms);
        break;
    case END:
        break;
    }
}

static void check(void **state)
{
    const struct circuit_case *c = *state;
    struct circuit circuit = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(c->steps); i++) take(&circuit, &c->steps[i]);
}

/* 1 + 2 + 4 + 8 + 16 + 32 s, then a minute each: an hour is 63 s and 59 minutes rounded down. */
static void a_dead_server_is_asked_once_a_pause(void **state)
{
    struct circuit circuit = { 0 };
    unsigned sent = 0;

    (void)state;
    for (int64_t now = 0; now < 3600000; now += 100) {
        enum circuit_gate gate = circuit_ask(&circuit, false, now);
        if (gate == CIRCUIT_REFUSE) continue;
        circuit_ill(&circuit, gate == CIRCUIT_PROBE, now, 0, 0);
        sent++;
    }
    /* five at 0.0 to 0.4 s; probes at 1.4, 3.4, 7.4, 15.4, 31.4, 63.4 s, then each minute up to
     * 58 * 60 + 63.4 = 3543.4 s */
    assert_int_equal(sent, 5 + 6 + 58);
}

/* Ten jitters, ten pauses between 100 and 125 %. */
static void pauses_are_spread(void **state)
{
    (void)state;
    for (uint32_t jitter = 0; jitter < 1024; jitter += 100) {
        struct circuit circuit = { 0 };
        for (unsigned i = 0; i < CIRCUIT_AFTER; i++) circuit_ill(&circuit, false, 0, 0, jitter);
        assert_true(circuit_wait_ms(&circuit, 0) == 1000 + 1000 * (int64_t)jitter / 4096);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_server_is_asked_once_a_pause),
        cmocka_unit_test(pauses_are_spread),
    };

    return RUN_TABLE("circuit", cases, check) +
           cmocka_run_group_tests_name("circuit over time", tests, NULL, NULL);
}
