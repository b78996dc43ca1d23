#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/instant.h"
#include "core/alert.h"

static const char *subjects[] = { "lenalidomide", "rifampicin" };
static const char *implicated[] = { "MedicationRequest/5", "MedicationRequest/7" };
static const char *evidence[] = { "Observation/91" };
static const char *sources[] = { "REVLIMID label, 2.1" };
static const char *raised_by[] = { "Observation/91 0.7 10*9/L" };
static struct alert_also also[] = { { "weaker", SEVERITY_LOW } };

static struct alert sample(void)
{
    return (struct alert){
        .key = "k",
        .identity = "1|rule|lenalidomide,rifampicin",
        .episode = 2,
        .patient = "1",
        .rule = "rule",
        .title = "a \"title\"",
        .code = "DRG",
        .severity = SEVERITY_HIGH,
        .display = DISPLAY_PASSIVE,
        .state = ALERT_OPEN,
        .opened_ms = INT64_C(1780000000123),
        .ended_ms = INSTANT_UNSET,
        .ended_why = "",
        .subjects = subjects,
        .subject_count = 2,
        .implicated = implicated,
        .implicated_count = 2,
        .evidence = evidence,
        .evidence_count = 1,
        .also = also,
        .also_count = 1,
        .detail = "neutrophils 0.7 10*9/L \xE2\x80\x94 below 1.0",
        .recommendation = "hold",
        .sources = sources,
        .source_count = 1,
        .raised = raised_by,
        .raised_count = 1,
        .source_url = "https://example.org/label",
        .generation = "abcdefghijkl",
    };
}

/* ---- what makes two contents differ */

static void set_key(struct alert *alert)
{
    alert->key = "other";
}

static void set_end(struct alert *alert)
{
    alert->ended_ms = 5;
}

static void set_generation(struct alert *alert)
{
    alert->generation = "mmmmmmmmmmmm";
}

static void set_state(struct alert *alert)
{
    alert->state = ALERT_CLEARED;
}

static void set_episode(struct alert *alert)
{
    alert->episode++;
}

static void set_opened(struct alert *alert)
{
    alert->opened_ms++;
}

static void set_severity(struct alert *alert)
{
    alert->severity = SEVERITY_MODERATE;
}

static void set_display(struct alert *alert)
{
    alert->display = DISPLAY_INTERRUPTIVE;
}

static void set_detail(struct alert *alert)
{
    alert->detail = "neutrophils 0.8";
}

static void set_reason(struct alert *alert)
{
    alert->ended_why = "the drug was stopped";
}

static void drop_evidence(struct alert *alert)
{
    alert->evidence_count = 0;
}

static void swap_orders(struct alert *alert)
{
    static const char *swapped[] = { "MedicationRequest/7", "MedicationRequest/5" };

    alert->implicated = swapped;
}

static void drop_also(struct alert *alert)
{
    alert->also_count = 0;
}

static void raise_also(struct alert *alert)
{
    static struct alert_also raised[] = { { "weaker", SEVERITY_MODERATE } };

    alert->also = raised;
}

static void rename_also(struct alert *alert)
{
    static struct alert_also renamed[] = { { "another", SEVERITY_LOW } };

    alert->also = renamed;
}

static const struct same_case {
    const char *name;
    void (*change)(struct alert *alert);
    bool want;
} sames[] = {
    { "another key says the same", set_key, true },
    { "another time of the end says the same", set_end, true },
    { "another generation says the same", set_generation, true },
    { "another state says something else", set_state, false },
    { "another episode says something else", set_episode, false },
    { "another start says something else", set_opened, false },
    { "another severity says something else", set_severity, false },
    { "another display says something else", set_display, false },
    { "another detail says something else", set_detail, false },
    { "another reason of the end says something else", set_reason, false },
    { "less evidence says something else", drop_evidence, false },
    { "another first order says something else", swap_orders, false },
    { "a finding that is no longer merged says something else", drop_also, false },
    { "another severity of a merged finding says something else", raise_also, false },
    { "another merged finding says something else", rename_also, false },
};

static void check_same(void **state)
{
    const struct same_case *c = *state;
    struct alert a = sample(), b = sample();

    assert_true(alert_same(&a, &b));
    c->change(&b);
    assert_int_equal(alert_same(&a, &b), c->want);
}

/* ---- keys */

static const struct key_case {
    const char *name;
    const char *a;
    int64_t a_episode;
    const char *b;
    int64_t b_episode;
    bool want_same;
} keys[] = {
    { "the same episode has the same key", "1|r|x", 1, "1|r|x", 1, true },
    { "the next episode has another one", "1|r|x", 1, "1|r|x", 2, false },
    { "another identity has another one", "1|r|x", 1, "2|r|x", 1, false },
    { "a digit cannot move from the identity to the episode", "1|r|x1", 1, "1|r|x", 11, false },
};

static void check_key(void **state)
{
    const struct key_case *c = *state;
    char a[DIGEST_TEXT_SIZE], b[DIGEST_TEXT_SIZE];

    alert_key(c->a, c->a_episode, a);
    alert_key(c->b, c->b_episode, b);
    assert_int_equal(strlen(a), 52);
    assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), 52);
    assert_int_equal(strcmp(a, b) == 0, c->want_same);
}

/* ---- to JSON and back */

static void check_back(const struct alert *alert)
{
    struct arena arena = { 0 };
    struct alert back;
    struct err err;
    char *text = alert_to_json(alert);

    assert_true(alert_from_json(text, strlen(text), &arena, &back, &err));
    assert_true(alert_same(alert, &back));
    assert_string_equal(back.key, alert->key);
    assert_string_equal(back.generation, alert->generation);
    assert_true(back.ended_ms == alert->ended_ms);
    free(text);
    arena_done(&arena);
}

/* What an earlier version wrote has no "raised". */
static void an_alert_of_before_is_read(void **state)
{
    static const char member[] = "\"raised\":[\"Observation/91 0.7 10*9/L\"],";
    struct alert alert = sample(), back;
    struct arena arena = { 0 };
    struct err err;
    char *text = alert_to_json(&alert), *at = strstr(text, member);

    (void)state;
    assert_non_null(at);
    memmove(at, at + strlen(member), strlen(at + strlen(member)) + 1);
    assert_true(alert_from_json(text, strlen(text), &arena, &back, &err));
    assert_int_equal(back.raised_count, 0);
    assert_int_equal(back.evidence_count, alert.evidence_count);
    free(text);
    arena_done(&arena);
}

static void an_open_alert_comes_back(void **state)
{
    struct alert alert = sample();

    (void)state;
    check_back(&alert);
}

static void an_ended_alert_comes_back(void **state)
{
    struct alert alert = sample();

    (void)state;
    alert.state = ALERT_RETRACTED;
    alert.ended_ms = INT64_C(1790000000000);
    alert.ended_why = "entered in error";
    alert.evidence_count = 0;
    alert.also_count = 0;
    check_back(&alert);
}

static void a_character_cut_in_half_does_not_lose_the_alert(void **state)
{
    struct alert alert = sample(), back;
    struct arena arena = { 0 };
    struct err err;

    (void)state;
    alert.detail = "5 \xC2"; /* the first byte of a micro sign */
    char *text = alert_to_json(&alert);
    assert_true(alert_from_json(text, strlen(text), &arena, &back, &err));
    assert_string_equal(back.detail, "5 ?");
    free(text);
    arena_done(&arena);
}

static const struct bad_case {
    const char *name;
    const char *text;
} bads[] = {
    { "no JSON is refused", "" },
    { "half of a document is refused", "{\"key\":\"k\"" },
    { "a document without fields is refused", "{}" },
    { "a list is refused", "[]" },
    { "a key that is no text is refused", "{\"key\":1}" },
};

static void check_bad(void **state)
{
    const struct bad_case *c = *state;
    struct arena arena = { 0 };
    struct alert alert;
    struct err err;

    assert_false(alert_from_json(c->text, strlen(c->text), &arena, &alert, &err));
    assert_int_equal(err.kind, ERR_STORE);
    assert_string_equal(err.code, "alert.content");
    arena_done(&arena);
}

/* ---- a good document with one member exchanged for another text */

static const struct spoilt_case {
    const char *name;
    const char *old, *new;
} spoilts[] = {
    { "an unknown severity is refused", "\"severity\":\"high\"", "\"severity\":\"dire\"" },
    { "an unknown state is refused", "\"state\":\"open\"", "\"state\":\"none\"" },
    { "an unknown display is refused", "\"display\":\"passive\"", "\"display\":\"blinking\"" },
    { "episode 0 is refused", "\"episode\":2", "\"episode\":0" },
    { "a number among the subjects is refused", "\"rifampicin\"]", "7]" },
    { "subjects that are no list are refused", "[\"lenalidomide\",\"rifampicin\"]", "\"x\"" },
    { "a merged finding without rule is refused", "{\"rule\":\"weaker\",", "{" },
};

static void check_spoilt(void **state)
{
    const struct spoilt_case *c = *state;
    struct alert alert = sample(), back;
    struct arena arena = { 0 };
    struct buf text = { 0 };
    struct err err;
    char *good = alert_to_json(&alert), *at = strstr(good, c->old);

    assert_non_null(at);
    buf_add(&text, good, (size_t)(at - good));
    buf_text(&text, c->new);
    buf_text(&text, at + strlen(c->old));
    assert_false(alert_from_json(text.data, text.len, &arena, &back, &err));
    assert_string_equal(err.code, "alert.content");
    free(good);
    buf_done(&text);
    arena_done(&arena);
}

static void enums_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(severity_name(SEVERITY_LOW), "low");
    assert_string_equal(severity_name(SEVERITY_HIGH), "high");
    assert_string_equal(display_name(DISPLAY_SUPPRESSED), "suppressed");
    assert_string_equal(display_name(DISPLAY_INTERRUPTIVE), "interruptive");
    assert_string_equal(alert_state_name(ALERT_OPEN), "open");
    assert_string_equal(alert_state_name(ALERT_RETRACTED), "retracted");
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(an_open_alert_comes_back),
        cmocka_unit_test(an_alert_of_before_is_read),
        cmocka_unit_test(an_ended_alert_comes_back),
        cmocka_unit_test(a_character_cut_in_half_does_not_lose_the_alert),
        cmocka_unit_test(enums_have_their_names),
    };

    return RUN_TABLE("do two alerts say the same?", sames, check_same) +
           RUN_TABLE("keys of episodes", keys, check_key) +
           RUN_TABLE("content that is no alert", bads, check_bad) +
           RUN_TABLE("content that was spoilt", spoilts, check_spoilt) +
           cmocka_run_group_tests_name("alerts", others, NULL, NULL);
}
