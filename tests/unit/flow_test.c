/* The flow against a server that is played in the same loop: real store, real HTTP, one rule. */
#include "test.h"

#include <sys/socket.h>

#include "flow/flow_impl.h"
#include "flow_fixture.h"
#include "stride.h"

#include <sqlite3.h>

/* ---- from a change to an alert */

static void start_ready(struct world *w)
{
    world_start(w);
    world_until(w, w->ready);
}

/* Ready, and nothing is under way: the next call of the store is the test's. */
static void start_quiet(struct world *w)
{
    start_ready(w);
    world_until(w, w->flow->held == 0);
}

static void test_poll_finds_what_was_there_before(void **state)
{
    struct world *w = world_new();
    struct peer_item *issue;

    (void)state;
    w->options.hook = NULL;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    issue = issue_of(w);
    assert_memory_equal(issue->id, "mm-", 3);
    assert_int_equal(asked(w, "PUT /fhir/Device/"), 1);
    assert_int_equal(asked(w, "Subscription"), 0);
    assert_int_equal(logged("event=alert-raised rule=anc-hold"), 1);
    world_free(w);
}

static void test_push_is_answered_and_becomes_an_alert(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_ill(w, "p1");
    assert_int_equal(notify(w, "MedicationRequest", "p1-order"), 200);
    assert_non_null(strstr(w->answer, "OperationOutcome"));
    assert_int_equal(notify(w, "Observation", "p1-count"), 200);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    assert_int_equal(w->metrics.value[METRIC_EVENTS_BY_POLL], 0);
    world_free(w);
}

static void test_recovery_ends_the_alert(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    put_later_count(w, "p1-later", "p1", 2.5);
    assert_int_equal(notify(w, "Observation", "p1-later"), 200);
    world_until(w, issues_are(w, "p1", "0 open, 1 ended, 0 retracted"));
    world_free(w);
}

static void test_deletion_retracts(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    peer_delete(w, "Observation", "p1-count");
    assert_int_equal(notify(w, "Observation", "p1-count"), 200);
    world_until(w, issues_are(w, "p1", "0 open, 0 ended, 1 retracted"));
    world_free(w);
}

static void test_late_payload_of_a_deleted_resource_is_not_believed(void **state)
{
    struct world *w = world_new();
    char *late;

    (void)state;
    put_ill(w, "p1");
    peer_delete(w, "Observation", "p1-count");
    start_ready(w);
    world_until(w, logged("event=cohort-joined"));
    put_count(w, "p1-late", "p1", 0.5);
    late = peer_text(peer_at(w, "Observation", "p1-late"));
    peer_delete(w, "Observation", "p1-late");
    assert_int_equal(notify(w, "Observation", "p1-late"), 200);
    world_until(w, w->metrics.value[METRIC_EVENTS_DONE] >= 3);
    send_to_hook(w, "PUT", "/hook/Observation/Observation/p1-late", FIXTURE_KEY, late);
    world_until(w, asked(w, "GET /fhir/Observation/p1-late") == 1);
    world_until(w, w->metrics.value[METRIC_EVENTS_DONE] >= 4);
    assert_string_equal(issues(w, "p1"), "0 open, 0 ended, 0 retracted");
    free(late);
    world_free(w);
}

static void test_stale_payload_is_dropped(void **state)
{
    struct world *w = world_new();
    char *old;

    (void)state;
    put_ill(w, "p1");
    old = peer_text(peer_at(w, "Observation", "p1-count"));
    put_count(w, "p1-count", "p1", 2.5);
    start_ready(w);
    world_until(w, logged("event=cohort-joined"));
    send_to_hook(w, "PUT", "/hook/Observation/Observation/p1-count", FIXTURE_KEY, old);
    world_until(w, w->metrics.value[METRIC_EVENTS_DONE] >= 4);
    assert_string_equal(issues(w, "p1"), "0 open, 0 ended, 0 retracted");
    free(old);
    world_free(w);
}

static void test_outside_the_cohort_nothing_is_read(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_count(w, "c1", "p9", 0.1);
    assert_int_equal(notify(w, "Observation", "c1"), 200);
    world_until(w, w->metrics.value[METRIC_EVENTS_OUTSIDE] == 1);
    assert_int_equal(asked(w, "GET /fhir/Patient/p9"), 0);
    assert_int_equal(asked(w, "GET /fhir/Observation/c1"), 0);
    world_free(w);
}

static void test_who_leaves_the_cohort_has_no_open_alert(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    put_order(w, "p1-order", "p1", "entered-in-error");
    notify(w, "MedicationRequest", "p1-order");
    world_until(w, issues_are(w, "p1", "0 open, 0 ended, 1 retracted"));
    world_until(w, logged("event=cohort-left"));
    world_free(w);
}

static void test_a_resource_that_moves_leaves_the_chart_it_was_in(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    put_ill(w, "p2");
    put_count(w, "p2-count", "p2", 3);
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_until(w, logged("event=cohort-joined") == 2);
    put_count(w, "p1-count", "p2", 0.4); /* the wrong patient was named before */
    notify(w, "Observation", "p1-count");
    world_until(w, issues_are(w, "p1", "0 open, 0 ended, 1 retracted"));
    world_free(w);
}

static void test_a_resource_that_moves_outside_leaves_the_chart_it_was_in(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    put_count(w, "p1-count", "p9", 0.4);
    notify(w, "Observation", "p1-count");
    world_until(w, issues_are(w, "p1", "0 open, 0 ended, 1 retracted"));
    world_free(w);
}

static void test_a_resource_that_moves_there_and_back_is_held_once(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    put_ill(w, "p2");
    put_count(w, "p2-count", "p2", 3);
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_until(w, logged("event=cohort-joined") == 2);
    put_count(w, "p1-count", "p2", 0.4);
    notify(w, "Observation", "p1-count");
    put_count(w, "p1-count", "p1", 0.4);
    notify(w, "Observation", "p1-count");
    world_until(w, w->metrics.value[METRIC_EVENTS_DONE] >= 10);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted") ||
                       issues_are(w, "p1", "1 open, 0 ended, 1 retracted"));
    world_until(w, issues_are(w, "p2", "0 open, 0 ended, 0 retracted") ||
                       issues_are(w, "p2", "0 open, 0 ended, 1 retracted"));
    world_free(w);
}

static void test_medications_are_read_on_demand(void **state)
{
    struct world *w = world_new();

    (void)state;
    peer_put(w, "Medication", "m1", "{'code':{'coding':[{" RXNORM ",'code':'342369'}]}}");
    peer_put(w, "MedicationRequest", "r1",
             "{'status':'active','intent':'order','subject':{'reference':'Patient/p1'},"
             "'authoredOn':'2020-01-01T00:00:00Z','medicationReference':"
             "{'reference':'Medication/m1'}}");
    put_count(w, "c1", "p1", 0.5);
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    assert_int_equal(asked(w, "GET /fhir/Medication/m1"), 1);
    world_free(w);
}

static void test_what_cannot_be_used_does_not_stop_its_neighbours(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_put(w, "Observation", "bad",
             "{'status':'final','subject':{'reference':'Patient/p1'},'code':{'coding':[{" LOINC
             ",'code':'751-8'},{" LOINC ",'code':'777-3'}]}}");
    peer_put(w, "Observation", "worse", "{'subject':{'reference':'Patient/p1'}}");
    json_object_set_new(peer_at(w, "Observation", "worse")->resource, "id", json_string("?!"));
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_until(w, w->metrics.value[METRIC_EVENTS_ASIDE] >= 2);
    assert_true(logged("event=set-aside type=Observation id=bad") >= 1);
    world_free(w);
}

/* ---- time */

static void test_an_alert_ends_by_the_clock(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    wall_shift_ms = 15 * INSTANT_DAY;
    flow_options(w->flow, &w->options); /* the clock looks at once */
    world_until(w, issues_are(w, "p1", "0 open, 1 ended, 0 retracted"));
    world_free(w);
}

static void test_a_deletion_that_nobody_told_of_is_found_by_the_daily_reading(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    peer_delete(w, "Observation", "p1-count");
    wall_shift_ms = 25 * INSTANT_HOUR;
    flow_options(w->flow, &w->options);
    world_until(w, issues_are(w, "p1", "0 open, 0 ended, 1 retracted"));
    world_free(w);
}

/* ---- knowledge */

static void test_on_swapped(void *arg)
{
    bool *swapped = arg;

    *swapped = true;
}

static void test_new_knowledge_meets_old_charts(void **state)
{
    struct world *w = world_new();
    struct knowledge *next = flow_knowledge_made("0.3"), *old = w->knowledge;
    bool swapped = false;

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    flow_knowledge(w->flow, next, test_on_swapped, &swapped);
    world_until(w, swapped);
    knowledge_free(old);
    w->knowledge = next;
    world_until(w, issues_are(w, "p1", "0 open, 1 ended, 0 retracted"));
    world_free(w);
}

static void test_knowledge_that_changed_while_we_were_away_meets_old_charts(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_stop(w);
    knowledge_free(w->knowledge);
    w->knowledge = flow_knowledge_made("0.3");
    start_ready(w);
    world_until(w, issues_are(w, "p1", "0 open, 1 ended, 0 retracted"));
    world_free(w);
}

/* ---- intake: who is let in, and what is answered */

static const struct door_case {
    const char *name, *method, *path, *key, *body;
    long want;
} doors[] = {
    { "a wrong key is refused", "PUT", "/hook/Observation/Observation/1", "wrong", "{}", 401 },
    { "an empty key is refused", "PUT", "/hook/Observation/Observation/1", "", "{}", 401 },
    { "an unknown path is not there", "POST", "/hook/Weather", FIXTURE_KEY, "", 404 },
    { "the hook itself is not there", "POST", "/hook", FIXTURE_KEY, "", 404 },
    { "a hook is not read", "GET", "/hook/Observation", FIXTURE_KEY, NULL, 405 },
    { "what is no JSON is malformed", "PUT", "/hook/Observation/Observation/1", FIXTURE_KEY, "{",
      400 },
    { "another type is malformed", "POST", "/hook/Observation", FIXTURE_KEY,
      "{\"resourceType\":\"Condition\",\"id\":\"1\"}", 400 },
    { "an empty POST is a hint", "POST", "/hook/Observation", FIXTURE_KEY, "", 200 },
    { "a deletion is taken", "DELETE", "/hook/Observation/Observation/77", FIXTURE_KEY, NULL, 200 },
    { "a status is taken", "POST", "/hook/Observation", FIXTURE_KEY,
      "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{\"resource\":"
      "{\"resourceType\":\"SubscriptionStatus\",\"type\":\"handshake\"}}]}",
      200 },
    { "health is told without a key", "GET", "/health", "", NULL, 200 },
    { "readiness too", "GET", "/ready", "", NULL, 200 },
    { "metrics too", "GET", "/metrics", "", NULL, 200 },
    { "health is not written", "POST", "/health", "", "", 405 },
};

static void test_door(void **state)
{
    const struct door_case *c = *state;
    struct world *w = world_new();
    int64_t refused;

    start_ready(w);
    assert_int_equal(send_to_hook(w, c->method, c->path, c->key, c->body), c->want);
    refused = w->metrics.value[METRIC_REFUSED_SECRET];
    assert_int_equal(refused, c->want == 401);
    assert_int_equal(w->metrics.value[METRIC_REFUSED_BAD], c->want == 400);
    if (c->want >= 400) assert_int_equal(w->metrics.value[METRIC_EVENTS_ACCEPTED], 0);
    world_free(w);
}

static void test_topic_bundle_gets_a_transaction_response(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_ill(w, "p1");
    assert_int_equal(
        send_to_hook(w, "POST", "/hook/MedicationRequest", FIXTURE_KEY,
                     "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{\"resource\":"
                     "{\"resourceType\":\"SubscriptionStatus\",\"type\":\"event-notification\","
                     "\"notificationEvent\":[{\"focus\":{\"reference\":"
                     "\"MedicationRequest/p1-order\"}}]}}]}"),
        200);
    assert_non_null(strstr(w->answer, "transaction-response"));
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_hint_is_done_when_the_poll_is(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_ill(w, "p1");
    peer_fail(w, "GET", "MedicationRequest", 500, 1, false);
    assert_int_equal(send_to_hook(w, "POST", "/hook/MedicationRequest", FIXTURE_KEY, ""), 200);
    world_until(w, w->metrics.value[METRIC_EVENTS_DONE] >= 1);
    assert_true(asked(w, "GET /fhir/MedicationRequest\n") >= 3);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_store_that_is_full_answers_503_and_recovers(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_quiet(w);
    put_ill(w, "p1");
    store_fail_at(w->store, 2, SQLITE_FULL);
    assert_int_equal(notify(w, "MedicationRequest", "p1-order"), 503);
    assert_false(w->failed);
    store_fail_at(w->store, 0, 0);
    assert_int_equal(notify(w, "MedicationRequest", "p1-order"), 200);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_store_that_fails_ends_the_program(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_quiet(w);
    put_ill(w, "p1");
    store_fail_at(w->store, 1, SQLITE_IOERR);
    assert_int_equal(notify(w, "MedicationRequest", "p1-order"), 503);
    assert_int_equal(send_to_hook(w, "GET", "/health", "", NULL), 503);
    assert_true(w->failed);
    world_free(w);
}

/* ---- subscriptions */

static const char *subscription_status(struct world *w, const char *id)
{
    return json_string_value(json_object_get(peer_at(w, "Subscription", id)->resource, "status"));
}

static struct peer_item *subscription(struct world *w, const char *type)
{
    for (size_t i = 0; i < w->item_count; i++) {
        const char *criteria = json_string_value(json_object_get(w->items[i].resource, "criteria"));
        if (strcmp(w->items[i].type, "Subscription") == 0 && criteria &&
            strncmp(criteria, type, strlen(type)) == 0)
            return &w->items[i];
    }
    fail_msg("no Subscription of %s", type);
    abort();
}

static void test_three_subscriptions_with_our_key(void **state)
{
    struct world *w = world_new();
    char *text;

    (void)state;
    start_ready(w);
    assert_int_equal(asked(w, "POST /fhir/Subscription"), 3);
    text = peer_text(subscription(w, "Observation"));
    assert_non_null(strstr(text, "X-Myeloma-Adapter-Key: " FIXTURE_KEY));
    assert_non_null(strstr(text, "/hook/Observation\""));
    free(text);
    world_free(w);
}

/* An active Subscription at our endpoint, with what it says changed by one word. */
static void subscription_spoil(struct world *w, const char *status, const char *criteria)
{
    json_t *resource = subscription(w, "Observation")->resource;

    json_object_set_new(resource, "status", json_string(status));
    if (criteria) json_object_set_new(resource, "criteria", json_string(criteria));
}

static void test_a_subscription_is_put_right(void **state)
{
    static const struct {
        const char *status, *criteria;
    } wrongs[] = { { "error", NULL }, { "off", NULL }, { "active", "Observation?code=1" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrongs); i++) {
        struct world *w = world_new();
        start_ready(w);
        subscription_spoil(w, wrongs[i].status, wrongs[i].criteria);
        world_stop(w);
        start_ready(w);
        world_until(w, asked(w, "PUT /fhir/Subscription/") == 1);
        world_until(w, strcmp(subscription_status(w, subscription(w, "Observation")->id),
                              "requested") == 0);
        assert_int_equal(asked(w, "POST /fhir/Subscription"), 3);
        assert_int_equal(logged("event=subscription-repaired"), 1);
        world_free(w);
    }
}

static void test_of_two_subscriptions_one_is_switched_off(void **state)
{
    struct world *w = world_new();
    struct peer_item *ours;

    (void)state;
    start_ready(w);
    ours = subscription(w, "Observation");
    peer_store(w, "Subscription", "99999", json_deep_copy(ours->resource));
    world_stop(w);
    start_ready(w);
    world_until(w, strcmp(subscription_status(w, "99999"), "off") == 0);
    assert_int_equal(logged("event=subscription-doubled"), 1);
    world_stop(w);
    start_ready(w);
    assert_int_equal(logged("event=subscription-doubled"), 1);
    world_free(w);
}

static void test_after_activation_there_is_one_poll_more(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->options.start_active = true;
    start_ready(w);
    world_until(w, logged("event=subscription-active") == 3);
    world_until(w, asked(w, "GET /fhir/Condition\n") == 2);
    world_free(w);
}

static void test_without_subscriptions_it_polls(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->no_subscription = true;
    w->options.poll_ms = 50;
    start_ready(w);
    put_ill(w, "p1");
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    assert_int_equal(asked(w, "POST /fhir/Subscription"), 0);
    world_free(w);
}

/* ---- catch-up */

static void test_on_watermark(const char *value, void *arg)
{
    char *text = arg;

    snprintf(text, 32, "%s", value ? value : "none");
}

static void test_the_watermark_moves_after_the_last_page(void **state)
{
    struct world *w = world_new();
    char mark[32] = "";

    (void)state;
    w->options.hook = NULL;
    w->page_size = 2;
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "c%d", i);
        put_count(w, id, "p9", 1);
    }
    peer_fail(w, "GET", "_page/Observation/4", 500, 1, false);
    world_start(w);
    world_until(w, logged("event=poll-failed type=Observation code=server.error"));
    store_get(w->store, "watermark:Observation", test_on_watermark, mark);
    world_until(w, mark[0]);
    assert_string_equal(mark, "none");
    world_until(w, w->ready);
    mark[0] = '\0';
    store_get(w->store, "watermark:Observation", test_on_watermark, mark);
    world_until(w, mark[0]);
    assert_true(strtoll(mark, NULL, 10) > 0);
    assert_int_equal(w->metrics.value[METRIC_EVENTS_ACCEPTED], 5);
    assert_int_equal(w->metrics.value[METRIC_EVENTS_DUPLICATE], 4);
    world_free(w);
}

static const struct next_case {
    const char *name, *next, *code;
} nexts[] = {
    { "a next link that leads back fails the pass", "/fhir/_page/Observation/0", "pages.loop" },
    { "a next link to another origin is not followed", "http://127.0.0.1:1/fhir/x", "http.origin" },
};

static void test_next(void **state)
{
    const struct next_case *c = *state;
    struct world *w = world_new();
    char wanted[80];

    w->options.hook = NULL;
    w->next = c->next;
    put_count(w, "c1", "p9", 1);
    world_start(w);
    snprintf(wanted, sizeof wanted, "event=poll-failed type=Observation code=%s", c->code);
    world_until(w, logged(wanted));
    w->next = NULL;
    world_until(w, w->ready);
    world_free(w);
}

static void test_a_server_that_is_away_is_waited_for(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_fail(w, "GET", "metadata", 0, 1, false);
    peer_fail(w, "GET", "metadata", 503, 1, false);
    world_start(w);
    world_until(w, w->ready);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_chart_is_read_again_when_reading_failed(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_ill(w, "p1");
    peer_fail(w, "GET", "Condition", 502, 1, false);
    notify(w, "MedicationRequest", "p1-order");
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    assert_int_equal(asked(w, "PUT /fhir/DetectedIssue"), 1);
    world_free(w);
}

static void test_optional_types_may_be_missing(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_fail(w, "GET", "Procedure", 404, 1000, false);
    peer_fail(w, "GET", "AllergyIntolerance", 403, 1000, false);
    peer_fail(w, "GET", "Patient", 404, 1000, false);
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_chart_that_may_not_be_read_is_set_aside(void **state)
{
    struct world *w = world_new();

    (void)state;
    start_ready(w);
    put_ill(w, "p1");
    peer_fail(w, "GET", "Observation", 403, 1000, false);
    notify(w, "MedicationRequest", "p1-order");
    world_until(w, w->metrics.value[METRIC_EVENTS_ASIDE] == 1);
    assert_int_equal(logged("event=chart-part-refused type=Observation code=server.forbidden"), 1);
    world_free(w);
}

/* ---- delivery */

static const struct fault_case {
    const char *name, *method;
    unsigned status;
    bool done;    /* the server did it all the same */
    bool own_ids; /* the server chooses ids */
} faults[] = {
    { "500 before a PUT", "PUT", 500, false, false },
    { "500 after a PUT", "PUT", 500, true, false },
    { "503 before a PUT", "PUT", 503, false, false },
    { "a proxy's page for a PUT", "PUT", 0, false, false },
    { "401 for a PUT", "PUT", 401, false, false },
    { "409 for a PUT", "PUT", 409, false, false },
    { "409 for the read before it", "GET", 409, false, false },
    { "412 after a PUT", "PUT", 412, true, false },
    { "500 before a POST", "POST", 500, false, true },
    { "500 after a POST", "POST", 500, true, true },
    { "409 after a POST", "POST", 409, true, true },
    { "412 before a POST", "POST", 412, false, true },
    { "a proxy's page for a POST", "POST", 0, false, true },
};

static void test_fault(void **state)
{
    const struct fault_case *c = *state;
    struct world *w = world_new();

    w->no_update_create = c->own_ids;
    w->options.attempts_max = 100;
    put_ill(w, "p1");
    peer_fail(w, c->method, "DetectedIssue", c->status, 1, c->done);
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    put_later_count(w, "p1-later", "p1", 2.5);
    notify(w, "Observation", "p1-later");
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 2);
    assert_string_equal(issues(w, "p1"), "0 open, 1 ended, 0 retracted");
    assert_int_equal(logged("SECRET"), 0);
    world_free(w);
}

static void test_ids_of_the_server(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->no_update_create = w->no_conditional_create = true;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    assert_true(asked(w, "GET /fhir/DetectedIssue\n") >= 2); /* before and after */
    world_free(w);
}

static void test_twins_are_retracted(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->no_update_create = w->no_conditional_create = true;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    peer_store(w, "DetectedIssue", "99999", json_deep_copy(issue_of(w)->resource));
    world_stop(w);
    folder_forget_store(w->path); /* it no longer knows which one it wrote */
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 1 retracted"));
    assert_string_equal(json_string_value(json_object_get(
                            peer_at(w, "DetectedIssue", "99999")->resource, "status")),
                        "entered-in-error");
    world_free(w);
}

static void test_a_twin_that_is_deleted_meanwhile_is_looked_for_again(void **state)
{
    static const unsigned answers[] = { 404, 410 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct world *w = world_new();
        w->no_update_create = w->no_conditional_create = true;
        put_ill(w, "p1");
        start_ready(w);
        world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
        peer_store(w, "DetectedIssue", "99999", json_deep_copy(issue_of(w)->resource));
        peer_fail(w, "PUT", "DetectedIssue/99999", answers[i], 1, false);
        world_stop(w);
        folder_forget_store(w->path);
        start_ready(w);
        world_until(w, w->metrics.value[METRIC_DELIVERED] == 2 || logged("event=parked"));
        assert_int_equal(logged("event=parked"), 0);
        world_free(w);
    }
}

static bool stands_there(struct world *w)
{
    return peer_with_text(w, "DetectedIssue", "") != NULL;
}

/* The look after a create fails, and the next one finds nothing yet: in this life, and in the next. */
static void test_what_was_created_is_not_created_again_while_the_index_lags(void **state)
{
    (void)state;
    for (int lives = 1; lives <= 2; lives++) {
        struct world *w = world_new();
        w->no_update_create = w->no_conditional_create = w->index_lags = true;
        put_ill(w, "p1");
        start_ready(w);
        world_until(w, stands_there(w));
        peer_fail(w, "GET", "DetectedIssue", 500, 1, false);
        if (lives == 2) {
            world_until(w, logged("event=delivery-retry"));
            world_stop(w);
            start_ready(w);
        }
        world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
        assert_int_equal(logged("event=delivery-retry"), 1);
        assert_int_equal(asked(w, "POST /fhir/DetectedIssue"), 1);
        world_free(w);
    }
}

static void test_what_was_created_and_deleted_before_it_was_looked_at_is_created_again(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->no_update_create = w->no_conditional_create = true;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, stands_there(w));
    peer_fail(w, "GET", "DetectedIssue", 500, 1, false);
    world_until(w, logged("event=delivery-retry"));
    peer_delete(w, "DetectedIssue", peer_with_text(w, "DetectedIssue", "")->id);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    assert_int_equal(asked(w, "POST /fhir/DetectedIssue"), 2);
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    world_free(w);
}

static void test_a_server_that_does_not_let_us_choose_after_all(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_fail(w, "PUT", "DetectedIssue/mm-", 405, 1000, false);
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    assert_int_equal(logged("event=capability-corrected"), 1);
    world_free(w);
}

static void test_what_is_refused_is_parked_and_tried_again_after_a_reload(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_fail(w, "PUT", "DetectedIssue", 422, 1, false);
    start_ready(w);
    world_until(w, logged("event=parked rule=anc-hold"));
    assert_int_equal(logged("code=server.refused what=processing"), 1);
    flow_options(w->flow, &w->options);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    world_free(w);
}

static void test_a_delivery_is_given_up_after_so_many_attempts(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->options.attempts_max = 2;
    put_ill(w, "p1");
    peer_fail(w, "PUT", "DetectedIssue", 500, 2, false);
    start_ready(w);
    world_until(w, logged("event=parked rule=anc-hold"));
    world_free(w);
}

static void test_what_is_given_up_is_no_sign_that_the_server_is_well(void **state)
{
    struct world *w = world_new();

    (void)state;
    w->options.attempts_max = w->options.deliveries_max = 1;
    put_ill(w, "p1");
    put_ill(w, "p2");
    put_ill(w, "p3");
    peer_fail(w, "PUT", "DetectedIssue", 500, 1000, false);
    start_ready(w);
    world_until(w, logged("event=parked rule=anc-hold") == 3);
    assert_true(w->flow->deliver.paused_until_ms > uv_now(&w->loop));
    world_free(w);
}

static void test_what_a_clinician_answered_is_kept_up_to_date(void **state)
{
    struct world *w = world_new();
    json_t *answered;
    int version;
    char *text;

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    answered = json_deep_copy(issue_of(w)->resource);
    json_object_set_new(answered, "mitigation", json_pack("[{s:{s:s}}]", "action", "text", "seen"));
    version = peer_store(w, "DetectedIssue", issue_of(w)->id, answered)->version;
    put_count(w, "p1-count", "p1", 0.3);
    notify(w, "Observation", "p1-count");
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 2);
    assert_int_equal(issue_of(w)->version, version + 1);
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    text = peer_text(issue_of(w));
    assert_non_null(strstr(text, "0.3"));
    assert_non_null(strstr(text, "\"seen\""));
    free(text);
    put_later_count(w, "p1-later", "p1", 3);
    notify(w, "Observation", "p1-later");
    world_until(w, issues_are(w, "p1", "0 open, 1 ended, 0 retracted"));
    text = peer_text(issue_of(w));
    assert_non_null(strstr(text, "\"seen\""));
    free(text);
    world_free(w);
}

static void test_without_a_device_alerts_go_without_an_author(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    peer_fail(w, "PUT", "Device", 403, 1000, false);
    start_ready(w);
    world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
    assert_null(json_object_get(issue_of(w)->resource, "author"));
    assert_int_equal(logged("event=device-refused"), 1);
    world_free(w);
}

/* ---- stopping and starting again */

static void test_a_restart_neither_loses_nor_doubles(void **state)
{
    struct world *w = world_new();

    (void)state;
    put_ill(w, "p1");
    start_ready(w);
    world_until(w, w->metrics.value[METRIC_DELIVERED] == 1);
    world_stop(w);
    put_ill(w, "p2");
    start_ready(w);
    world_until(w, issues_are(w, "p2", "1 open, 0 ended, 0 retracted"));
    assert_string_equal(issues(w, "p1"), "1 open, 0 ended, 0 retracted");
    assert_int_equal(asked(w, "POST /fhir/Subscription"), 3);
    world_free(w);
}

static bool is_idle(const struct world *w)
{
    return w->flow->held == 0 && w->metrics.value[METRIC_DELIVERED] == 2;
}

static void test_a_clock_that_was_set_back_is_noticed_by_the_first_life_that_can_work(void **state)
{
    struct world *w = world_new();

    (void)state;
    wall_shift_ms = 2 * INSTANT_DAY;
    start_ready(w);
    world_stop(w);
    wall_shift_ms = 0;
    peer_fail(w, "GET", "metadata", 500, 1, false);
    world_start(w);
    world_until(w, logged("event=capability-failed") && w->flow->turns);
    world_stop(w);
    start_ready(w);
    world_until(w, logged("event=clock-set-back"));
    world_free(w);
}

static void connect_to_hook(struct world *w, int *ret)
{
    struct sockaddr_in address;

    *ret = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", http_server_port(w->hook), &address), 0);
    assert_int_equal(connect(*ret, (const struct sockaddr *)&address, sizeof address), 0);
}

/* Its last handles are being closed when the request is read. */
static void test_who_asks_for_metrics_at_the_very_end_is_told_so(void **state)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
    struct world *w = world_new();
    char answer[64] = "";
    int fd;

    (void)state;
    start_ready(w);
    world_until(w, !w->flow->held);
    connect_to_hook(w, &fd);
    send_to_hook(w, "GET", "/health", "", NULL); /* so it is accepted */
    world_until(w, !w->flow->held);
    assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
    world_stop(w);
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    assert_memory_equal(answer, "HTTP/1.1 503", 12);
    close(fd);
    world_free(w);
}

/* Stop after the 1st, 2nd, ... turn of the loop: whatever was under way, everything is let go, and
 * the next start finishes the work without a twin. */
static void test_it_may_be_stopped_at_any_moment(void **state)
{
    (void)state;
    for (unsigned turns = 0; turns < 60; turns += 3) {
        struct world *w = world_new();
        w->no_update_create = turns % 2;
        put_ill(w, "p1");
        put_ill(w, "p2");
        world_start(w);
        for (unsigned i = 0; i < turns && !(w->ready && is_idle(w)); i++)
            uv_run(&w->loop, UV_RUN_ONCE);
        world_stop(w);
        start_ready(w);
        world_until(w, issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
        world_until(w, issues_are(w, "p2", "1 open, 0 ended, 0 retracted"));
        world_free(w);
    }
}

/* The same with steps of the store that fail for now. */
static void test_any_step_of_the_store_may_fail_for_now(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 120; nth += 7 * stride()) {
        struct world *w = world_new();
        put_ill(w, "p1");
        world_start(w);
        store_fail_at(w->store, nth, SQLITE_FULL);
        world_until(w, w->ready && issues_are(w, "p1", "1 open, 0 ended, 0 retracted"));
        assert_false(w->failed);
        world_free(w);
    }
}

#define TEST(name) cmocka_unit_test(test_##name)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(poll_finds_what_was_there_before),
        TEST(push_is_answered_and_becomes_an_alert),
        TEST(recovery_ends_the_alert),
        TEST(deletion_retracts),
        TEST(late_payload_of_a_deleted_resource_is_not_believed),
        TEST(stale_payload_is_dropped),
        TEST(outside_the_cohort_nothing_is_read),
        TEST(who_leaves_the_cohort_has_no_open_alert),
        TEST(a_resource_that_moves_leaves_the_chart_it_was_in),
        TEST(a_resource_that_moves_outside_leaves_the_chart_it_was_in),
        TEST(a_resource_that_moves_there_and_back_is_held_once),
        TEST(medications_are_read_on_demand),
        TEST(what_cannot_be_used_does_not_stop_its_neighbours),
        TEST(an_alert_ends_by_the_clock),
        TEST(a_deletion_that_nobody_told_of_is_found_by_the_daily_reading),
        TEST(new_knowledge_meets_old_charts),
        TEST(knowledge_that_changed_while_we_were_away_meets_old_charts),
        TEST(topic_bundle_gets_a_transaction_response),
        TEST(a_hint_is_done_when_the_poll_is),
        TEST(a_store_that_is_full_answers_503_and_recovers),
        TEST(a_store_that_fails_ends_the_program),
        TEST(three_subscriptions_with_our_key),
        TEST(a_subscription_is_put_right),
        TEST(of_two_subscriptions_one_is_switched_off),
        TEST(after_activation_there_is_one_poll_more),
        TEST(without_subscriptions_it_polls),
        TEST(the_watermark_moves_after_the_last_page),
        TEST(a_server_that_is_away_is_waited_for),
        TEST(a_chart_is_read_again_when_reading_failed),
        TEST(optional_types_may_be_missing),
        TEST(a_chart_that_may_not_be_read_is_set_aside),
        TEST(ids_of_the_server),
        TEST(twins_are_retracted),
        TEST(a_twin_that_is_deleted_meanwhile_is_looked_for_again),
        TEST(what_was_created_is_not_created_again_while_the_index_lags),
        TEST(what_was_created_and_deleted_before_it_was_looked_at_is_created_again),
        TEST(a_server_that_does_not_let_us_choose_after_all),
        TEST(what_is_refused_is_parked_and_tried_again_after_a_reload),
        TEST(a_delivery_is_given_up_after_so_many_attempts),
        TEST(what_is_given_up_is_no_sign_that_the_server_is_well),
        TEST(what_a_clinician_answered_is_kept_up_to_date),
        TEST(without_a_device_alerts_go_without_an_author),
        TEST(a_restart_neither_loses_nor_doubles),
        TEST(a_clock_that_was_set_back_is_noticed_by_the_first_life_that_can_work),
        TEST(who_asks_for_metrics_at_the_very_end_is_told_so),
        TEST(it_may_be_stopped_at_any_moment),
        TEST(any_step_of_the_store_may_fail_for_now),
    };
    int failed = cmocka_run_group_tests_name("flow", tests, NULL, NULL);

    failed += RUN_TABLE("who is let in", doors, test_door);
    failed += RUN_TABLE("next links", nexts, test_next);
    return failed + RUN_TABLE("faults of a delivery", faults, test_fault);
}
