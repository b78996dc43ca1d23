/* What the flow as a whole sends to a server that is not well. */
#include "test.h"

#include "flow/flow_impl.h"
#include "flow_fixture.h"

static void start_ready(struct world *w)
{
    world_start(w);
    world_until(w, w->ready && w->flow->held == 0);
}

/* Patients "a", "b", ... are written and told of. */
static void admit(struct world *w, const char *names)
{
    for (; *names; names++) {
        char patient[2] = { *names, '\0' }, order[16];
        put_ill(w, patient);
        snprintf(order, sizeof order, "%s-order", patient);
        assert_int_equal(notify(w, "MedicationRequest", order), 200);
    }
}

static bool all_alerted(struct world *w, const char *names)
{
    for (; *names; names++) {
        char patient[2] = { *names, '\0' };
        if (!issues_are(w, patient, "1 open, 0 ended, 0 retracted")) return false;
    }
    return true;
}

static void every_request_fails(struct world *w, unsigned status)
{
    w->fault_count = 0;
    peer_fail(w, "GET", "", status, 100000, false);
    peer_fail(w, "PUT", "", status, 100000, false);
    peer_fail(w, "POST", "", status, 100000, false);
}

static unsigned requests(const struct world *w)
{
    return asked(w, "\n");
}

/* Everybody has something to ask: six new charts, six polls, an alert, the Subscriptions. */
static void everybody_wants_something(struct world *w)
{
    for (size_t i = 0; i < CATCHUP_TYPES; i++) catchup_now(w->flow, w->flow->catchup[i].type);
    work_poke(w->flow);
    deliver_poke(w->flow);
    clock_poke(w->flow, 0);
}

static void test_a_server_that_fails_is_asked_once_a_pause_whoever_asks(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    every_request_fails(w, 503);
    admit(w, "abcdef");
    world_until(w, logged("event=server-down code=server.busy") && !w->flow->work.running);
    assert_int_equal(w->metrics.value[METRIC_SERVER_DOWN], 1);
    assert_true(server_pause_ms(w->flow) > 0);
    buf_clear(&w->asked);
    everybody_wants_something(w);
    world_until(w, requests(w) > 0);
    assert_int_equal(server_pause_ms(w->flow), 0);
    everybody_wants_something(w);
    world_until(w, server_pause_ms(w->flow) > 0); /* that one has failed too */
    assert_int_equal(requests(w), 1);
    w->fault_count = 0;
    everybody_wants_something(w);
    world_until(w, requests(w) > 1);
    assert_int_equal(requests(w), 2);
    world_until(w, logged("event=server-up"));
    assert_int_equal(logged("event=server-down"), 1);
    world_until(w, all_alerted(w, "abcdef"));
    assert_int_equal(w->metrics.value[METRIC_SERVER_DOWN], 0);
    world_free(w);
}

static void test_a_wait_that_the_server_asks_for_is_kept_by_all(void **state)
{
    struct world *w = world_new();
    uint64_t began;

    (void)state;
    start_ready(w);
    peer_fail(w, "GET", "Observation", 429, 1, false);
    w->faults[0].retry_after_s = 2;
    admit(w, "a");
    world_until(w, logged("event=server-down code=server.busy") && !w->flow->work.running);
    began = uv_now(&w->loop);
    buf_clear(&w->asked);
    everybody_wants_something(w);
    world_until(w, requests(w) > 0);
    assert_true(uv_now(&w->loop) - began + 100 >= 2000); /* some of it was over */
    world_until(w, all_alerted(w, "a"));
    world_free(w);
}

static void test_wrong_credentials_are_no_dead_server(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    every_request_fails(w, 401);
    admit(w, "abcdef");
    world_until(w, requests(w) > 20 && logged("event=credentials-refused"));
    assert_int_equal(logged("event=server-down"), 0);
    assert_false(server_is_ill(w->flow));
    assert_int_equal(logged("event=credentials-refused code=server.credentials"), 1);
    w->fault_count = 0;
    world_until(w, all_alerted(w, "abcdef"));
    assert_int_equal(logged("event=credentials-taken"), 1);
    world_free(w);
}

static void test_what_one_resource_does_is_no_dead_server(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    peer_fail(w, "PUT", "DetectedIssue", 422, 100000, false);
    admit(w, "abcdef");
    world_until(w, logged("event=parked") == 6);
    assert_int_equal(logged("event=server-down"), 0);
    world_free(w);
}

/* Searches fail, as on a server that is short of memory; what is read and written by id works. */
static void test_alerts_are_written_while_the_poll_fails(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    peer_fail(w, "PUT", "Device", 500, 1, false);
    admit(w, "a");
    world_until(w, logged("event=alert-raised"));
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        peer_fail(w, "GET", w->flow->catchup[i].type, 503, 100000, false);
    for (size_t i = 0; i < CATCHUP_TYPES; i++) catchup_now(w->flow, w->flow->catchup[i].type);
    world_until(w, logged("event=server-down"));
    world_until(w, all_alerted(w, "a"));
    world_free(w);
}

/* The pause of the circuit is over, and that of the poll. */
static void pauses_end(struct world *w)
{
    struct circuit *circuit = &w->flow->health.circuit;

    circuit->failures = CIRCUIT_AFTER;
    circuit->pauses = 1;
    circuit->until_ms = (int64_t)uv_now(&w->loop);
    w->flow->pace.pause_until_ms = 0;
    pace_retime(w->flow);
}

static void on_other(const struct server_answer *answer, void *arg)
{
    bool *answered = arg;

    *answered = !answer->err.code;
}

static void test_a_poll_that_was_let_through_in_vain_leaves_the_next_turn_to_others(void **state)
{
    struct world *w = world_new();
    bool answered = false;

    (void)state;
    start_ready(w);
    peer_fail(w, "GET", "Observation", 503, 1, false);
    pauses_end(w);
    buf_clear(&w->asked);
    catchup_now(w->flow, "Observation");
    world_until(w, server_pause_ms(w->flow) > 0);
    assert_int_equal(asked(w, "GET /fhir/Observation\n"), 1);
    pauses_end(w);
    assert_non_null(w->flow->health.refused); /* the poll, at once */
    assert_false(w->flow->health.circuit.probing);
    server_start(w->flow, &(struct server_request){ .method = "GET", .path = "metadata" }, on_other,
                 &answered);
    assert_true(w->flow->health.circuit.probing);
    world_until(w, answered && logged("event=server-up"));
    assert_int_equal(w->metrics.value[METRIC_REQUESTS_HELD], 1);
    world_until(w, asked(w, "GET /fhir/Observation\n") == 2);
    world_free(w);
}

/* Stopped while requests are held back: nothing is left over. */
static void test_it_may_be_stopped_while_the_server_is_down(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    every_request_fails(w, 500);
    admit(w, "ab");
    world_until(w, logged("event=server-down code=server.error"));
    everybody_wants_something(w);
    world_stop(w);
    w->fault_count = 0;
    start_ready(w);
    world_until(w, all_alerted(w, "ab"));
    world_free(w);
}

static bool all_zeros(void *buf, size_t len)
{
    memset(buf, 0, len);
    return true;
}

static bool all_ones(void *buf, size_t len)
{
    memset(buf, 0xff, len);
    return true;
}

/* Many that were refused together must not come together again; Retry-After is never undercut. */
static void test_what_is_tried_again_is_spread_by_chance(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    w->flow->options.random_bytes = all_zeros;
    assert_int_equal(flow_backoff(w->flow, 1, 60000, 0), 1000);
    assert_int_equal(flow_backoff(w->flow, 4, 60000, 0), 8000);
    w->flow->options.random_bytes = all_ones;
    assert_in_range(flow_backoff(w->flow, 1, 60000, 0), 1240, 1250);
    assert_in_range(flow_backoff(w->flow, 4, 60000, 0), 9980, 10000);
    assert_int_equal(flow_backoff(w->flow, 1, 60000, 30000), 30000);
    world_free(w);
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_server_that_fails_is_asked_once_a_pause_whoever_asks),
        TEST(a_wait_that_the_server_asks_for_is_kept_by_all),
        TEST(wrong_credentials_are_no_dead_server),
        TEST(what_one_resource_does_is_no_dead_server),
        TEST(alerts_are_written_while_the_poll_fails),
        TEST(a_poll_that_was_let_through_in_vain_leaves_the_next_turn_to_others),
        TEST(it_may_be_stopped_while_the_server_is_down),
        TEST(what_is_tried_again_is_spread_by_chance),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
