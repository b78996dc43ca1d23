#include "test.h"

#include <jansson.h>

#include "fhir/detected_issue.h"
#include "fhir/issue_text.h"
#include "fhir_fixture.h"
#include "golden.h"

#define GOLDEN "tests/golden/issue/"
#define KEY    "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"
#define NOON   INT64_C(1777888800000) /* 2026-05-04T10:00:00Z */

static const struct issue_options options[] = {
    [FHIR_R4] = { "https://adapter.example", "Device/mm-adapter-x", "0.1.0", FHIR_R4 },
    [FHIR_R4B] = { "https://adapter.example", "Device/mm-adapter-x", "0.1.0", FHIR_R4B },
    [FHIR_R5] = { "https://adapter.example", "Device/mm-adapter-x", "0.1.0", FHIR_R5 },
};

static const char *implicated[] = { "MedicationRequest/5", "MedicationRequest/4" };
static const char *evidence[] = { "Observation/91", "Condition/7" };
static const char *assumptions[] = { "The weight is 40 days old." };
static const char *sources[] = { "REVLIMID (lenalidomide) US prescribing information, 2.1" };

/* The row that the others change: neutrophils 0.7 while lenalidomide is active. */
static struct alert sample(void)
{
    return (struct alert){
        .key = KEY,
        .identity = "1|lenalidomide-anc-hold|lenalidomide",
        .episode = 1,
        .patient = "1",
        .rule = "lenalidomide-anc-hold",
        .title = "Lenalidomide: hold, neutrophils below 1.0 G/L",
        .code = "LAB",
        .severity = SEVERITY_HIGH,
        .display = DISPLAY_INTERRUPTIVE,
        .state = ALERT_OPEN,
        .opened_ms = NOON,
        .ended_ms = INSTANT_UNSET,
        .ended_why = "",
        .implicated = implicated,
        .implicated_count = 2,
        .evidence = evidence,
        .evidence_count = 2,
        .assumptions = assumptions,
        .assumption_count = 1,
        .detail = "Lenalidomide: hold, neutrophils below 1.0 G/L. Lenalidomide 25 mg once daily is "
                  "active. Neutrophils were 0.7 10*9/L on 2026-05-04. What the source directs: "
                  "interrupt lenalidomide. Why: it suppresses the marrow. How sure: The weight is "
                  "40 days old. Source: REVLIMID (lenalidomide) US prescribing information, 2.1.",
        .recommendation = "interrupt lenalidomide",
        .sources = sources,
        .source_count = 1,
        .source_url = "https://example.org/revlimid",
        .generation = "a2b3c4d5e6f7",
    };
}

static void open_one(struct alert *alert)
{
    (void)alert;
}

static void bare(struct alert *alert)
{
    alert->code = "";
    alert->source_url = "";
    alert->generation = "";
    alert->evidence_count = 0;
    alert->implicated_count = 0;
    alert->detail = "";
    alert->severity = SEVERITY_LOW;
    alert->display = DISPLAY_PASSIVE;
}

static void order_ended(struct alert *alert)
{
    alert->state = ALERT_CLEARED;
    alert->ended_ms = NOON + INSTANT_DAY;
    alert->ended_why = "Lenalidomide was stopped.";
    alert->ended_by_order = true;
}

static void recovered(struct alert *alert)
{
    alert->state = ALERT_CLEARED;
    alert->ended_ms = NOON + INSTANT_DAY + 5;
    alert->ended_why = "It no longer holds: neutrophils 1.4 10*9/L";
}

static void retracted(struct alert *alert)
{
    alert->state = ALERT_RETRACTED;
    alert->ended_ms = NOON + INSTANT_DAY;
    alert->ended_why = "A fact it rested on was entered in error or removed.";
}

/* Text that would be markup, and bytes that FHIR strings must not hold. */
static void awkward(struct alert *alert)
{
    alert->title = "a <b>\"bold\"</b> & title\x01";
    alert->detail = "1 < 2\nthen \x7f\xC3\xA9 & more ]]> \xFF";
    alert->code = "NEWCODE";
}

#define MITIGATION                                                                                 \
    "{'id':'m1','action':{'text':'discussed'},'date':'2026-05-04','author':{'reference':"          \
    "'Practitioner/1'},'extension':[{'url':'x','valueDecimal':1.00}]}"
#define MITIGATION_R5                                                                              \
    "{'action':{'text':'discussed'},'date':'2026-05-04','note':[{'text':'*held*'}]}"
#define OWN                                                                                        \
    "{'action':{'coding':[{'system':'urn:x-myeloma-adapter:mitigation','code':'ended'}],'text':"   \
    "'It ended.'}}"

/* name is the golden file; input: sample() and what change does to it. */
static const struct golden_case {
    const char *name;
    void (*change)(struct alert *alert);
    const char *id, *server;
    enum fhir_release release;
} goldens[] = {
    { "open", open_one, "mm-" KEY, NULL, FHIR_R4 },
    { "open", open_one, "mm-" KEY, NULL, FHIR_R4B },
    { "open-r5", open_one, "mm-" KEY, NULL, FHIR_R5 },
    { "bare", bare, NULL, NULL, FHIR_R4 },
    { "bare-r5", bare, NULL, NULL, FHIR_R5 },
    { "order-ended", order_ended, "mm-" KEY, NULL, FHIR_R4 },
    { "order-ended-r5", order_ended, "mm-" KEY, NULL, FHIR_R5 },
    { "recovered-after-mitigation", recovered, "mm-" KEY,
      "{'resourceType':'DetectedIssue','mitigation':[" MITIGATION "," OWN "]}", FHIR_R4 },
    { "recovered-after-mitigation-r5", recovered, "mm-" KEY,
      "{'resourceType':'DetectedIssue','mitigation':[" MITIGATION_R5 "," OWN "]}", FHIR_R5 },
    { "retracted", retracted, "mm-" KEY, NULL, FHIR_R4 },
    { "retracted-r5", retracted, "mm-" KEY, NULL, FHIR_R5 },
    { "awkward", awkward, NULL, NULL, FHIR_R4 },
    { "awkward-r5", awkward, NULL, NULL, FHIR_R5 },
};

/* Two spaces a level, a line break at the end: what a reviewer reads. */
static char *pretty(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    AUTO(buf_done) struct buf out = { 0 };

    assert_non_null(json);
    char *indented = json_dumps(json, JSON_INDENT(2));
    buf_printf(&out, "%s\n", indented);
    free(indented);
    json_decref(json);
    return buf_take(&out);
}

/* FHIR knows no empty string, array or object. */
static void assert_nothing_empty(const struct node *at)
{
    size_t count = node_count(at);

    if (at->value->kind == DOC_STRING || at->value->kind == DOC_ARRAY ||
        at->value->kind == DOC_OBJECT)
        assert_true(at->value->count > 0);
    assert_false(node_is(at, DOC_NULL));
    for (size_t i = 0; i < count; i++) {
        struct node below = node_is(at, DOC_ARRAY) ? node_item(at, i) : node_member(at, i);
        assert_nothing_empty(&below);
    }
}

static char *build(void (*change)(struct alert *), const char *id, const char *server,
                   enum fhir_release release)
{
    AUTO(doc_free) struct doc *doc = server ? fixture_doc(server) : NULL;
    struct alert alert = sample();
    struct node root;

    change(&alert);
    if (doc) root = node_root(doc);
    return issue_build(&alert, &options[release], id, doc ? &root : NULL);
}

static void check_golden(void **state)
{
    const struct golden_case *c = *state;
    char *text = build(c->change, c->id, c->server, c->release);
    char *again = build(c->change, c->id, c->server, c->release);
    AUTO(doc_free) struct doc *doc = NULL;
    char path[200];
    struct err err;

    assert_string_equal(text, again);
    assert_true(doc_parse(text, strlen(text), DOC_UNIQUE, &doc, &err));
    struct node root = node_root(doc);
    assert_nothing_empty(&root);
    char *shown = pretty(text);
    snprintf(path, sizeof path, GOLDEN "%s.json", c->name);
    assert_golden(path, shown);
    free(shown);
    free(again);
    free(text);
}

/* ---- mitigation */

static void what_others_wrote_is_kept_to_the_byte(void **state)
{
    char *text = build(open_one, NULL, "{'mitigation':[" MITIGATION "," OWN ",5,{}]}", FHIR_R4);
    AUTO(buf_done) struct buf want = { 0 };

    (void)state;
    for (const char *c = ",'mitigation':[" MITIGATION "]}"; *c; c++)
        buf_char(&want, *c == '\'' ? '"' : *c);
    assert_true(strlen(text) > want.len);
    assert_string_equal(text + strlen(text) - want.len, buf_string(&want));
    free(text);
}

static const struct kept_case {
    const char *name, *server;
    bool want;
} kept[] = {
    { "nobody wrote one", "{'resourceType':'DetectedIssue'}", false },
    { "somebody did", "{'mitigation':[" MITIGATION "]}", true },
    { "we did, at the end", "{'mitigation':[" OWN "]}", false },
    { "we and somebody else did", "{'mitigation':[" OWN "," MITIGATION "]}", true },
    { "a list of nothing", "{'mitigation':[null,{}]}", false },
};

static void check_kept(void **state)
{
    const struct kept_case *c = *state;
    char *text = build(open_one, NULL, c->server, FHIR_R4);

    assert_int_equal(strstr(text, "\"mitigation\"") != NULL, c->want);
    free(text);
}

/* ---- does the server say the same? Cuts `cut` out of what we wrote and puts `put` there. */

static const struct matches_case {
    const char *name;
    void (*change)(struct alert *alert);
    const char *cut, *put;
    bool want;
} matches[] = {
    { "what we wrote", open_one, "", "", true },
    { "with what servers add", open_one, "'meta':{",
      "'id':'x','language':'en','meta':{'versionId':'3','lastUpdated':'2026-05-04T10:00:01Z',",
      true },
    { "with another narrative", open_one, "<p>", "<p>Mr. ", true },
    { "with an old tag carried forward", open_one, "'tag':[",
      "'tag':[{'system':'https://adapter.example/rule','code':'old'},", true },
    { "with another generation", open_one, "a2b3c4d5e6f7", "zzzzzzzzzzzz", true },
    { "with absolute references", open_one, "'Patient/1'", "'https://ehr/fhir/Patient/1'", true },
    { "with versioned references", open_one, "'Observation/91'", "'Observation/91/_history/2'",
      true },
    { "with a display in a reference", open_one, "'reference':'Patient/1'",
      "'reference':'Patient/1','display':'x'", true },
    { "with times in another zone", open_one, "2026-05-04T10:00:00Z", "2026-05-04T12:00:00+02:00",
      true },
    { "with a time in another form", open_one, "2026-05-04T10:00:00Z", "2026-05-04T10:00:00.000Z",
      true },
    { "another time", open_one, "2026-05-04T10:00:00Z", "2026-05-04T10:00:01Z", false },
    { "another patient", open_one, "'Patient/1'", "'Patient/2'", false },
    { "another severity", open_one, "'high'", "'low'", false },
    { "another status", open_one, "'final'", "'preliminary'", false },
    { "another detail", open_one, "'detail':'Len", "'detail':'Thal", false },
    { "without our tag", open_one, "{'system':'urn:x-myeloma-adapter','code':'alert'},", "",
      false },
    { "with another display level", open_one, "'interruptive'", "'passive'", false },
    { "one order less", open_one, ",{'reference':'MedicationRequest/4'}", "", false },
    { "one more piece of evidence", open_one, "{'reference':'Condition/7'}",
      "{'reference':'Condition/7'},{'reference':'Condition/8'}", false },
    { "a date beside the period", open_one,
      "'identifiedPeriod':", "'identifiedDateTime':'2026-05-04','identifiedPeriod':", false },
    { "a mitigation of somebody else", open_one, "'reference':'https://example.org/revlimid'",
      "'reference':'https://example.org/revlimid','mitigation':[" MITIGATION "]", true },
    { "the end that is not there yet", order_ended, ",'mitigation':", ",'x':", false },
    { "the end as we wrote it", order_ended, "", "", true },
    { "the end with a time in another form", order_ended, "2026-05-05T10:00:00Z'}]",
      "2026-05-05T10:00:00+00:00'}]", true },
    { "our end where the alert is open", open_one, "'reference':'https://example.org/revlimid'",
      "'reference':'https://example.org/revlimid','mitigation':[" OWN "]", false },
    { "a source that is gone", bare,
      "'author':", "'reference':'https://example.org/revlimid','author':", false },
};

/* text with the first `cut` replaced; single quotes in both stand for double ones. */
static char *edited(const char *text, const char *cut, const char *put)
{
    AUTO(buf_done) struct buf from = { 0 };
    struct buf out = { 0 };

    for (; *cut; cut++) buf_char(&from, *cut == '\'' ? '"' : *cut);
    const char *at = strstr(text, buf_string(&from));
    assert_non_null(at);
    buf_add(&out, text, (size_t)(at - text));
    for (; *put; put++) buf_char(&out, *put == '\'' ? '"' : *put);
    buf_text(&out, at + from.len);
    return buf_take(&out);
}

static void check_matches_of(const struct matches_case *c, enum fhir_release release)
{
    char *text = build(c->change, "mm-" KEY, NULL, release);
    char *server = edited(text, c->cut, c->put);
    AUTO(doc_free) struct doc *doc = NULL;
    struct alert alert = sample();
    struct err err;

    c->change(&alert);
    assert_true(doc_parse(server, strlen(server), 0, &doc, &err));
    struct node root = node_root(doc);
    assert_int_equal(issue_matches(&alert, &options[release], &root), c->want);
    free(server);
    free(text);
}

/* The same holds whatever release the server speaks. */
static void check_matches(void **state)
{
    for (size_t release = FHIR_R4; release <= FHIR_R5; release++)
        check_matches_of(*state, (enum fhir_release)release);
}

static const struct matches_case matches_r5[] = {
    { "without its category", open_one, "'category'", "'x'", false },
    { "of another category", open_one,
      "'category':[{'coding':[{'system':'http://terminology.hl7.org/"
      "CodeSystem/v3-ActCode','code':'LAB'",
      "'category':[{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode',"
      "'code':'DRG'",
      false },
    { "with the patient where R4 had it", open_one, "'subject'", "'patient'", false },
    { "a mitigation of somebody else with a note", open_one,
      "'reference':'https://example.org/revlimid'",
      "'reference':'https://example.org/revlimid','mitigation':[" MITIGATION_R5 "]", true },
};

static void check_matches_r5(void **state)
{
    check_matches_of(*state, FHIR_R5);
}

/* ---- markdown */

static const struct markdown_case {
    const char *name, *plain, *want;
} markdowns[] = {
    { "words are words", "Hold it, 1.0 (or 2) is low.", "Hold it, 1.0 (or 2) is low." },
    { "stars of a unit stay", "0.7 10*9/L, not 1.0 10*9/L", "0.7 10\\*9/L, not 1.0 10\\*9/L" },
    { "a result below its limit is no element", "<b>0.5 & more", "\\<b>0.5 \\& more" },
    { "no emphasis, code, link or strike", "_a_ `b` [c](d) ~~e~~ \\",
      "\\_a\\_ \\`b\\` \\[c\\](d) \\~\\~e\\~\\~ \\\\" },
    { "a line begins no heading", "# one\n  ## two", "\\# one\n  \\## two" },
    { "nor a list", "- one\n+ two\n* three", "\\- one\n\\+ two\n\\* three" },
    { "nor a numbered one", "1. one\n12) two\n1.5 mg", "1\\. one\n12\\) two\n1.5 mg" },
    { "nor a quotation", "> one\na > b", "\\> one\na > b" },
    { "nor makes the one before a heading", "one\n===\n---", "one\n\\===\n\\---" },
};

static void check_markdown(void **state)
{
    const struct markdown_case *c = *state;
    AUTO(buf_done) struct buf out = { 0 };
    struct alert alert = sample();

    alert.detail = c->plain;
    issue_text_markdown(&alert, &out);
    assert_string_equal(buf_string(&out), c->want);
}

/* ---- ids, systems, the Device */

static void the_id_is_made_of_the_key(void **state)
{
    struct alert alert = sample();
    char id[64];

    (void)state;
    issue_id(&alert, id);
    assert_string_equal(id, "mm-" KEY);
}

static void a_urn_is_continued_by_colons(void **state)
{
    struct issue_options urn = { ADAPTER_SYSTEM, "Device/d", "1", FHIR_R4 };
    struct alert alert = sample();
    char *text = issue_build(&alert, &urn, NULL, NULL);

    (void)state;
    assert_non_null(strstr(text, "\"urn:x-myeloma-adapter:alert\""));
    assert_non_null(strstr(text, "\"urn:x-myeloma-adapter:rule\""));
    free(text);
}

static void the_device_is_stable(void **state)
{
    char *text = device_build("ward 5 <test>", &options[FHIR_R4]), *shown = pretty(text);
    AUTO(doc_free) struct doc *doc = fixture_doc(text);
    struct node root = node_root(doc);
    char id[64], other[64];

    (void)state;
    assert_nothing_empty(&root);
    device_id("ward 5 <test>", id, sizeof id);
    device_id("ward 6", other, sizeof other);
    assert_string_equal(node_text(&root, "id"), id);
    assert_string_not_equal(id, other);
    assert_int_equal(strlen(id), strlen("mm-adapter-") + 12);
    assert_golden(GOLDEN "device.json", shown);
    free(shown);
    free(text);
}

static void the_device_of_r5_has_the_names_of_r5(void **state)
{
    char *text = device_build("ward 5 <test>", &options[FHIR_R5]), *shown = pretty(text);

    (void)state;
    assert_golden(GOLDEN "device-r5.json", shown);
    free(shown);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_wrote_is_kept_to_the_byte),
        cmocka_unit_test(the_id_is_made_of_the_key),
        cmocka_unit_test(a_urn_is_continued_by_colons),
        cmocka_unit_test(the_device_is_stable),
        cmocka_unit_test(the_device_of_r5_has_the_names_of_r5),
    };

    return RUN_TABLE("golden", goldens, check_golden) + RUN_TABLE("kept", kept, check_kept) +
           RUN_TABLE("matches", matches, check_matches) +
           RUN_TABLE("matches-r5", matches_r5, check_matches_r5) +
           RUN_TABLE("markdown", markdowns, check_markdown) +
           cmocka_run_group_tests_name("issue", tests, NULL, NULL);
}
