#include "test.h"

#include <dirent.h>
#include <inttypes.h>

#include "fhir/notification.h"
#include "fhir_fixture.h"
#include "golden.h"

#define STATUS(type, more)                                                                         \
    "{'resource':{'resourceType':'SubscriptionStatus','status':'active','type':'" type             \
    "','eventsSinceSubscriptionStart':'12','subscription':{'reference':"                           \
    "'https://ehr/fhir/Subscription/77'}" more "}}"
#define PARAMETERS(type, more)                                                                     \
    "{'resource':{'resourceType':'Parameters','parameter':[{'name':'subscription',"                \
    "'valueReference':{'reference':'Subscription/77'}},{'name':'status','valueCode':'active'},"    \
    "{'name':'type','valueCode':'" type "'},{'name':'events-since-subscription-start',"            \
    "'valueString':'12'}" more "]}}"
#define EVENT                                                                                      \
    ",'notificationEvent':[{'eventNumber':'12','focus':{'reference':'https://ehr/Observation/"     \
    "5'}}]"
#define EVENT_PART                                                                                 \
    ",{'name':'notification-event','part':[{'name':'focus','valueReference':{'reference':"         \
    "'https://ehr/Observation/5'}}]}"
#define BUNDLE(type, entries) "{'resourceType':'Bundle','type':'" type "','entry':[" entries "]}"
#define OBSERVATION                                                                                \
    "{'resourceType':'Observation','id':'5','meta':{'versionId':'2','lastUpdated':"                \
    "'2026-05-04T10:00:00Z'},'subject':{'reference':'Patient/1'}}"

static const struct notification_case {
    const char *name, *method, *tail, *expected, *deleted, *body;
    const char *want;
} cases[] = {
    /* rest-hook of HAPI */
    { "PUT of the resource", "PUT", "/Observation/5", "Observation", "", OBSERVATION,
      "changes: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "a query behind the URL", "PUT", "/Observation/5?_format=json", "Observation", "",
      OBSERVATION, "changes: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "PUT without an id in the resource", "PUT", "/Observation/5", "Observation", "",
      "{'resourceType':'Observation'}", "changes: Observation/5" },
    { "PUT of another id than the URL says", "PUT", "/Observation/6", "Observation", "",
      OBSERVATION, "notification.shape" },
    { "PUT of another type than the URL says", "PUT", "/Patient/5", "", "", OBSERVATION,
      "notification.shape" },
    { "PUT of another type than the endpoint is for", "PUT", "/Observation/5", "MedicationRequest",
      "", OBSERVATION, "notification.type" },
    { "PUT without a body", "PUT", "/Observation/5", "Observation", "", "",
      "changes: Observation/5" },
    { "DELETE", "DELETE", "/Observation/5", "Observation", "", "",
      "changes: Observation/5 deleted" },
    { "DELETE of nothing", "DELETE", "", "Observation", "", "", "notification.shape" },
    { "DELETE of another type", "DELETE", "/Patient/5", "Observation", "", "",
      "notification.type" },
    { "an empty POST is a hint", "POST", "", "Observation", "", "", "changes: Observation/" },
    { "so is white space", "POST", "/", "Observation", "", " \r\n", "changes: Observation/" },
    { "an empty POST where any type may come", "POST", "", "", "", "", "changes: /" },
    { "a path that is no resource", "PUT", "/a/b/c", "Observation", "", OBSERVATION,
      "notification.shape" },
    { "a path that is an absolute URL", "PUT", "/http://x/Observation/5", "Observation", "",
      OBSERVATION, "notification.shape" },
    /* Medplum */
    { "POST of the resource", "POST", "", "Observation", "", OBSERVATION,
      "changes: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "POST of an empty object with the deleted one named", "POST", "", "Observation",
      "Observation/5", "{}", "changes: Observation/5 deleted" },
    { "the deleted one of another type", "POST", "", "MedicationRequest", "Observation/5", "{}",
      "notification.type" },
    { "POST of an empty object alone is a hint", "POST", "", "Observation", "", "{}",
      "changes: Observation/" },
    { "the deleted one not to be read", "POST", "", "Observation", "nonsense", "{}",
      "changes: Observation/" },
    { "POST of another type", "POST", "", "MedicationRequest", "", OBSERVATION,
      "notification.type" },
    { "POST of any type where any may come", "POST", "", "", "",
      "{'resourceType':'Patient',"
      "'id':'1'}",
      "changes: Patient/1 of 1 with payload" },
    /* topics */
    { "R4: id only", "POST", "", "", "",
      BUNDLE(
          "history",
          PARAMETERS(
              "event-notification",
              EVENT_PART) ","
                          "{'fullUrl':'https://ehr/Observation/5','request':{'method':'PUT','url':"
                          "'Observation/5'}}"),
      "changes topic of 77 active 12: Observation/5" },
    { "R4: full resource", "POST", "", "", "",
      BUNDLE("history",
             PARAMETERS("event-notification",
                        EVENT_PART) ","
                                    "{'fullUrl':'https://ehr/Observation/5','resource':" OBSERVATION
                                    "}"),
      "changes topic of 77 active 12: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "R4: the subscription as a string", "POST", "", "", "",
      BUNDLE("history",
             "{'resource':{'resourceType':'Parameters','parameter':[{'name':"
             "'subscription','valueString':'Subscription/77'},{'name':'type','valueCode':"
             "'handshake'}]}}"),
      "handshake topic of 77  0:" },
    { "R4 with a SubscriptionStatus", "POST", "", "", "",
      BUNDLE("history", STATUS("event-notification", EVENT)),
      "changes topic of 77 active 12 (12-12): Observation/5" },
    { "R5: the counter as a number", "POST", "", "", "",
      BUNDLE("subscription-notification",
             "{'resource':{'resourceType':'SubscriptionStatus',"
             "'type':'heartbeat','eventsSinceSubscriptionStart':310}}"),
      "heartbeat topic of   310:" },
    { "a counter that is none", "POST", "", "", "",
      BUNDLE("subscription-notification",
             "{'resource':{'resourceType':'SubscriptionStatus',"
             "'type':'heartbeat','eventsSinceSubscriptionStart':'99999999999999999999'}}"),
      "heartbeat topic of   0:" },
    { "an old HAPI sends a transaction", "POST", "", "", "",
      BUNDLE("transaction", STATUS("event-notification",
                                   EVENT) ",{'resource':" OBSERVATION
                                          ",'request':{'method':'PUT','url':'Observation/5'}}"),
      "changes topic of 77 active 12 (12-12): Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with "
      "payload" },
    { "a handshake", "POST", "", "", "", BUNDLE("history", STATUS("handshake", "")),
      "handshake topic of 77 active 12:" },
    { "a heartbeat", "POST", "", "", "", BUNDLE("history", PARAMETERS("heartbeat", "")),
      "heartbeat topic of 77 active 12:" },
    { "the answer of $status", "POST", "", "", "", BUNDLE("searchset", STATUS("query-status", "")),
      "status topic of 77 active 12:" },
    { "a status on its own", "POST", "", "", "",
      "{'resourceType':'SubscriptionStatus','status':'error','type':'query-status'}",
      "status of  error 0:" },
    { "an event without a focus is a hint", "POST", "", "Observation", "",
      BUNDLE("history", STATUS("event-notification", ",'notificationEvent':[{'eventNumber':1}]")),
      "changes topic of 77 active 12 (1-1): Observation/" },
    { "numbers of events in any order, one of them none", "POST", "", "Observation", "",
      BUNDLE("history", STATUS("event-notification", ",'notificationEvent':[{'eventNumber':'12'},"
                                                     "{'eventNumber':'x'},{'eventNumber':10},{}]")),
      "changes topic of 77 active 12 (10-12): Observation/" },
    { "R4: the number of an event", "POST", "", "Observation", "",
      BUNDLE("history", PARAMETERS("query-event",
                                   ",{'name':'notification-event','part':[{'name':'event-number',"
                                   "'valueString':'18446744073709551615'},{'name':'focus',"
                                   "'valueReference':{'reference':'Observation/5'}}]}")),
      "changes topic of 77 active 12 (18446744073709551615-18446744073709551615): "
      "Observation/5" },
    { "a type of tomorrow is about changes", "POST", "", "Observation", "",
      BUNDLE("history", STATUS("surprise", EVENT)),
      "changes topic of 77 active 12 (12-12): Observation/5" },
    { "a deletion", "POST", "", "", "",
      BUNDLE("history", STATUS("event-notification", "") ",{'request':{'method':'DELETE','url':"
                                                         "'Observation/5'}}"),
      "changes topic of 77 active 12: Observation/5 deleted" },
    { "a focus and its deletion are one", "POST", "", "", "",
      BUNDLE("history", STATUS("event-notification", EVENT) ",{'request':{'method':'DELETE','url':"
                                                            "'Observation/5'}}"),
      "changes topic of 77 active 12 (12-12): Observation/5 deleted" },
    { "the newest of two versions", "POST", "", "", "",
      BUNDLE("history", "{'resource':" OBSERVATION "},{'resource':{'resourceType':'Observation',"
                        "'id':'5','meta':{'versionId':'1','lastUpdated':'2026-05-04T09:00:00Z'}}}"),
      "changes topic: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "a bad entry is a hint and costs no other", "POST", "", "Observation", "",
      BUNDLE("transaction",
             "{'resource':{'resourceType':'Observation','id':'a b'}},{'resource':" OBSERVATION
             "},5"),
      "changes topic: Observation/, Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload" },
    { "context comes along", "POST", "", "Observation", "",
      BUNDLE("history", "{'resource':" OBSERVATION "},{'resource':{'resourceType':'Patient','id':"
                        "'1'}}"),
      "changes topic: Observation/5 v2 of 1 at 2026-05-04T10:00:00Z with payload, "
      "Patient/1 of 1 with payload" },
    { "a Bundle within a message", "POST", "", "", "",
      BUNDLE("message",
             "{'resource':{'resourceType':'MessageHeader','id':'m'}},{'resource':" BUNDLE(
                 "subscription-notification", STATUS("event-notification", EVENT)) "}"),
      "changes topic of 77 active 12 (12-12): Observation/5" },
    { "a Bundle of nothing", "POST", "", "Observation", "", BUNDLE("transaction", ""),
      "changes topic:" },
    /* no notifications */
    { "no JSON", "POST", "", "Observation", "", "{'resourceType':", "notification.json" },
    { "no object", "POST", "", "Observation", "", "[1]", "notification.shape" },
    { "no resource", "POST", "", "Observation", "", "{'a':1}", "notification.shape" },
};

static void describe_item(const struct notification_item *item, struct buf *out)
{
    buf_printf(out, " %s/%s", item->type, item->id);
    if (*item->version) buf_printf(out, " v%s", item->version);
    if (*item->patient) buf_printf(out, " of %s", item->patient);
    if (item->updated_ms != INSTANT_UNSET) fixture_instant(" at", item->updated_ms, out);
    if (item->deleted) buf_text(out, " deleted");
    if (item->payload) buf_text(out, " with payload");
}

static void describe(const struct notification *n, struct buf *out)
{
    static const char *const kinds[] = { "changes", "handshake", "heartbeat", "status" };

    buf_text(out, kinds[n->kind]);
    if (n->topic) buf_text(out, " topic");
    if (*n->subscription || *n->status || n->events_since_start || n->kind != NOTIFICATION_CHANGES)
        buf_printf(out, " of %s %s %" PRIu64, n->subscription, n->status, n->events_since_start);
    if (n->first_event)
        buf_printf(out, " (%" PRIu64 "-%" PRIu64 ")", n->first_event, n->last_event);
    buf_char(out, ':');
    for (size_t i = 0; i < n->item_count; i++) {
        if (i) buf_char(out, ',');
        describe_item(&n->items[i], out);
    }
}

/* The payload is the JSON of one resource, as it stands in the body. */
static void check_payloads(const struct notification *n)
{
    for (size_t i = 0; i < n->item_count; i++) {
        AUTO(doc_free) struct doc *doc = NULL;
        struct err err;
        if (!n->items[i].payload) continue;
        assert_true(doc_parse(n->items[i].payload, n->items[i].payload_len, 0, &doc, &err));
        struct node root = node_root(doc);
        assert_string_equal(node_text(&root, "id"), n->items[i].id);
    }
}

static void check(void **state)
{
    const struct notification_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    AUTO(buf_done) struct buf body = { 0 };
    struct arena arena = { 0 };
    struct notification notification;
    struct err err;

    for (const char *at = c->body; *at; at++) buf_char(&body, *at == '\'' ? '"' : *at);
    struct notification_request request = { c->method,  c->tail,           c->expected,
                                            c->deleted, buf_string(&body), body.len };
    if (notification_read(&request, &arena, &notification, &err)) {
        describe(&notification, &got);
        check_payloads(&notification);
    } else {
        assert_int_equal(err.kind, ERR_INPUT);
        buf_text(&got, err.code);
    }
    arena_done(&arena);
    assert_string_equal(buf_string(&got), c->want);
}

static void more_events_than_we_keep_are_one_hint(void **state)
{
    AUTO(buf_done) struct buf body = { 0 };
    struct arena arena = { 0 };
    struct notification notification;
    struct err err;

    (void)state;
    buf_text(&body, "{\"resourceType\":\"Bundle\",\"entry\":[0");
    for (int i = 0; i < NOTIFICATION_ITEMS_MAX + 1; i++)
        buf_printf(&body, ",{\"fullUrl\":\"https://ehr/Observation/%d\"}", i);
    buf_text(&body, "]}");
    struct notification_request request = { "POST", "", "Observation", "", body.data, body.len };
    assert_true(notification_read(&request, &arena, &notification, &err));
    assert_int_equal(notification.item_count, 1);
    assert_string_equal(notification.items[0].type, "Observation");
    assert_string_equal(notification.items[0].id, "");
    arena_done(&arena);
}

/* ---- notifications as published: the specification, the backport guide, fhir-candle */

#define PUBLISHED "../shared/testdata/subscription-notifications/"

static const struct file_case {
    const char *name, *want;
} files[] = {
    { "r4-backport/Bundle-r4-notification-handshake.json",
      "handshake topic of admission requested 0:" },
    { "r4-backport/Bundle-r4-notification-heartbeat.json",
      "heartbeat topic of admission active 2:" },
    { "r4-backport/Bundle-r4-notification-error.json", "status topic of admission error 3:" },
    { "r4-backport/Bundle-r4-notification-empty.json",
      "changes topic of admission active 2 (2-2): Encounter/" },
    { "r4-backport/Bundle-r4-notification-empty-with-auth.json",
      "changes topic of admission active 2 (2-2): Encounter/" },
    { "r4-backport/Bundle-r4-notification-id-only.json",
      "changes topic of admission active 2 (2-2): Encounter/86009987-eabe-42bf-8c02-b112b18cb616" },
    { "r4-backport/Bundle-r4-notification-full-resource.json",
      "changes topic of admission active 2 (2-2): Encounter/86009987-eabe-42bf-8c02-b112b18cb616 "
      "of "
      "1599eb66-431a-447c-a3de-6897fe9ae9a1 with payload" },
    { "r4-backport/Bundle-r4-notification-multi-resource.json",
      "changes topic of admission active 2 (2-2): Encounter/86009987-eabe-42bf-8c02-b112b18cb616 "
      "of "
      "1599eb66-431a-447c-a3de-6897fe9ae9a1 with payload, "
      "Patient/1599eb66-431a-447c-a3de-6897fe9ae9a1 of 1599eb66-431a-447c-a3de-6897fe9ae9a1 with "
      "payload" },
    { "r4-backport/Parameters-r4-notification-status.json", "status of admission active 2 (2-2):" },
    { "r4b-spec/notification-empty.json", "changes topic of 123 active 2 (2-2): Encounter/" },
    { "r4b-spec/notification-heartbeat.json", "heartbeat topic of 123 active 310:" },
    { "r4b-spec/notification-message-full-resource.json", NULL },
    { "r5-spec/notification-handshake.json", "handshake topic of 123 requested 0:" },
    { "r5-spec/notification-query-status.json", "status topic of 123 active 310:" },
    { "r5-spec/notification-message-full-resource.json", NULL },
    { "fhir-candle/src__fhir-candle.Tests__data__r4b__Bundle-notification-handshake.json",
      "handshake topic of db4ce0bb-fa9c-4092-9f75-34772dc85590 active 0:" },
};

/* want: NULL for "it can be read". */
static void check_body(const char *path, const struct buf *body, const char *want)
{
    struct notification_request request = { "POST", "", "Encounter", "", body->data, body->len };
    AUTO(buf_done) struct buf got = { 0 };
    struct arena arena = { 0 };
    struct notification notification;
    struct err err;

    if (!notification_read(&request, &arena, &notification, &err)) {
        if (want || strcmp(err.code, "notification.type") != 0) fail_msg("%s: %s", path, err.code);
    } else {
        describe(&notification, &got);
        check_payloads(&notification);
    }
    arena_done(&arena);
    if (want) assert_string_equal(buf_string(&got), want);
}

static void check_file(void **state)
{
    const struct file_case *c = *state;
    AUTO(buf_done) struct buf body = { 0 };
    char path[200];

    snprintf(path, sizeof path, PUBLISHED "%s", c->name);
    if (!file_read(path, &body)) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    check_body(c->name, &body, c->want);
}

static void check_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (!dir) {
        print_message("skipped: %s is not there\n", folder);
        return;
    }
    while ((entry = readdir(dir))) {
        AUTO(buf_done) struct buf path = { 0 };
        AUTO(buf_done) struct buf body = { 0 };
        if (!strstr(entry->d_name, ".json")) continue;
        buf_printf(&path, "%s/%s", folder, entry->d_name);
        assert_true(file_read(buf_string(&path), &body));
        check_body(entry->d_name, &body, NULL);
    }
    closedir(dir);
}

static void every_published_file_is_read(void **state)
{
    static const char *const folders[] = { "r4-backport", "r4b-spec", "r5-spec", "fhir-candle" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        AUTO(buf_done) struct buf path = { 0 };
        buf_printf(&path, PUBLISHED "%s", folders[i]);
        check_folder(buf_string(&path));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_events_than_we_keep_are_one_hint),
        cmocka_unit_test(every_published_file_is_read),
    };

    return RUN_TABLE("notification", cases, check) + RUN_TABLE("published", files, check_file) +
           cmocka_run_group_tests_name("all", tests, NULL, NULL);
}
