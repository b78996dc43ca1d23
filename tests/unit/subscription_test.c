#include "test.h"

#include "fhir/subscription.h"
#include "fhir_fixture.h"

static const struct subscription_want want = {
    .type = "Observation",
    .criteria = "Observation?category=laboratory",
    .endpoint = "https://adapter:8443/hook/Observation",
    .header = "X-Myeloma-Adapter-Key: s3cret",
    .payload = true,
};

#define CHANNEL(more)                                                                              \
    "'channel':{'type':'rest-hook','endpoint':'https://adapter:8443/hook/Observation'" more "}"
#define PAYLOAD    ",'payload':'application/fhir+json'"
#define HEADER     ",'header':['X-Myeloma-Adapter-Key: s3cret']"
#define CRITERIA   "'criteria':'Observation?category=laboratory'"
#define OF(status) "{'resourceType':'Subscription','status':'" status "'," CRITERIA ","
#define GOOD       OF("active") CHANNEL(PAYLOAD HEADER) "}"

static const struct judge_case {
    const char *name, *text;
    enum subscription_verdict want;
} cases[] = {
    { "active and as we want it", GOOD, SUBSCRIPTION_GOOD },
    { "waiting for the server", OF("requested") CHANNEL(PAYLOAD HEADER) "}",
      SUBSCRIPTION_REQUESTED },
    { "in error", OF("error") CHANNEL(PAYLOAD HEADER) "}", SUBSCRIPTION_STOPPED },
    { "switched off", OF("off") CHANNEL(PAYLOAD HEADER) "}", SUBSCRIPTION_STOPPED },
    { "of a status that we do not know", OF("entered-in-error") CHANNEL(PAYLOAD HEADER) "}",
      SUBSCRIPTION_STOPPED },
    { "without a status",
      "{'resourceType':'Subscription'," CRITERIA "," CHANNEL(PAYLOAD HEADER) "}",
      SUBSCRIPTION_STOPPED },
    { "other criteria",
      "{'resourceType':'Subscription','status':'active','criteria':'Observation?'," CHANNEL(
          PAYLOAD HEADER) "}",
      SUBSCRIPTION_CHANGED },
    { "another secret",
      OF("active") CHANNEL(PAYLOAD ",'header':['X-Myeloma-Adapter-Key: old']") "}",
      SUBSCRIPTION_CHANGED },
    { "no header", OF("active") CHANNEL(PAYLOAD) "}", SUBSCRIPTION_CHANGED },
    { "a header of the server beside ours",
      OF("active") CHANNEL(PAYLOAD ",'header':['X-A: b','X-Myeloma-Adapter-Key: s3cret']") "}",
      SUBSCRIPTION_GOOD },
    { "no payload", OF("active") CHANNEL(HEADER) "}", SUBSCRIPTION_CHANGED },
    { "the payload with its version",
      OF("active") CHANNEL(",'payload':'application/fhir+json; fhirVersion=4.0'" HEADER) "}",
      SUBSCRIPTION_GOOD },
    { "XML", OF("active") CHANNEL(",'payload':'application/fhir+xml'" HEADER) "}",
      SUBSCRIPTION_CHANGED },
    { "changed and off is changed", OF("off") CHANNEL(PAYLOAD) "}", SUBSCRIPTION_CHANGED },
    { "another endpoint",
      OF("active") "'channel':{'type':'rest-hook','endpoint':'https://other/hook'}}",
      SUBSCRIPTION_FOREIGN },
    { "a websocket", OF("active") "'channel':{'type':'websocket'}}", SUBSCRIPTION_FOREIGN },
    { "another resource", "{'resourceType':'Patient'}", SUBSCRIPTION_FOREIGN },
    { "no object", "null", SUBSCRIPTION_FOREIGN },
};

static void check(void **state)
{
    const struct judge_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);

    assert_int_equal(subscription_judge(&root, &want), c->want);
}

/* ---- topics */

#define TOPIC    "https://ehr.example/topics/result"
#define ENDPOINT "https://adapter:8443/hook/Observation"
#define BACKPORT "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
#define CONTENT(of)                                                                                \
    ",'_payload':{'extension':[{'url':'" BACKPORT "payload-content','valueCode':'" of "'}]}"
#define BACK(criteria, channel)                                                                    \
    "{'resourceType':'Subscription','status':'active','criteria':'" criteria "','channel':{"       \
    "'type':'rest-hook','endpoint':'" ENDPOINT "'" HEADER channel "}}"
#define R5(topic, code, more)                                                                      \
    "{'resourceType':'Subscription','status':'active','topic':'" topic                             \
    "','channelType':{'code':'" code "'},'endpoint':'" ENDPOINT "'" more "}"
#define KEY ",'parameter':[{'name':'X-Myeloma-Adapter-Key','value':'s3cret'}]"

static struct subscription_want topic_want(enum subscription_form form)
{
    return (struct subscription_want){ .form = form,
                                       .content = SUBSCRIPTION_ID_ONLY,
                                       .type = "Observation",
                                       .topic = TOPIC,
                                       .endpoint = ENDPOINT,
                                       .header = "X-Myeloma-Adapter-Key: s3cret",
                                       .heartbeat_s = 60 };
}

static const struct topic_case {
    const char *name;
    enum subscription_form form;
    const char *text;
    enum subscription_verdict want;
    unsigned heartbeat_s;
} topics[] = {
    { "a guide's one without the wishes that a server need not keep", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD), SUBSCRIPTION_GOOD, 0 },
    { "a guide's one with a heartbeat that is no number", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD CONTENT("id-only") ",'extension':[{'url':'" BACKPORT
                                             "heartbeat-period','valueUnsignedInt':'60'}]"),
      SUBSCRIPTION_GOOD, 0 },
    { "a guide's one with a heartbeat of a week", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD CONTENT("id-only") ",'extension':[{'url':'" BACKPORT
                                             "heartbeat-period','valueUnsignedInt':604800}]"),
      SUBSCRIPTION_GOOD, 604800 },
    { "a guide's one with a heartbeat of more", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD CONTENT("id-only") ",'extension':[{'url':'" BACKPORT
                                             "heartbeat-period','valueUnsignedInt':604801}]"),
      SUBSCRIPTION_GOOD, 0 },
    { "a guide's one with another heartbeat", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD CONTENT("id-only") ",'extension':[{'url':'x'},{'url':'" BACKPORT
                                             "heartbeat-period','valueUnsignedInt':300}]"),
      SUBSCRIPTION_GOOD, 300 },
    { "a guide's one with more in its notifications than we asked for", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, PAYLOAD CONTENT("full-resource")), SUBSCRIPTION_CHANGED, 0 },
    { "a version behind the topic", SUBSCRIPTION_BACKPORT, BACK(TOPIC "|1.0.0", PAYLOAD),
      SUBSCRIPTION_GOOD, 0 },
    { "a longer topic", SUBSCRIPTION_BACKPORT, BACK(TOPIC "s", PAYLOAD), SUBSCRIPTION_CHANGED, 0 },
    { "a guide's one in XML", SUBSCRIPTION_BACKPORT,
      BACK(TOPIC, ",'payload':'application/fhir+xml'"), SUBSCRIPTION_CHANGED, 0 },
    { "criteria where a topic should be", SUBSCRIPTION_BACKPORT, BACK("Observation?", PAYLOAD),
      SUBSCRIPTION_CHANGED, 0 },
    { "R5 with what must be", SUBSCRIPTION_R5, R5(TOPIC, "rest-hook", KEY), SUBSCRIPTION_GOOD, 0 },
    { "R5 with parameters and batches of the server", SUBSCRIPTION_R5,
      R5(TOPIC "|2", "rest-hook",
         ",'parameter':[{'name':'a','value':'b'},{'name':'X-Myeloma-Adapter-Key','value':'s3cret'}]"
         ",'maxCount':7,'heartbeatPeriod':604800,'content':'id-only'"
         ",'contentType':'application/fhir+json; fhirVersion=5.0'"),
      SUBSCRIPTION_GOOD, 604800 },
    { "R5 with a heartbeat longer than a week", SUBSCRIPTION_R5,
      R5(TOPIC, "rest-hook", KEY ",'heartbeatPeriod':604801"), SUBSCRIPTION_GOOD, 0 },
    { "R5 without our key", SUBSCRIPTION_R5, R5(TOPIC, "rest-hook", ""), SUBSCRIPTION_CHANGED, 0 },
    { "R5 with another key", SUBSCRIPTION_R5,
      R5(TOPIC, "rest-hook", ",'parameter':[{'name':'X-Myeloma-Adapter-Key','value':'old'}]"),
      SUBSCRIPTION_CHANGED, 0 },
    { "R5 on another channel", SUBSCRIPTION_R5, R5(TOPIC, "websocket", KEY), SUBSCRIPTION_CHANGED,
      0 },
    { "R5 of another topic", SUBSCRIPTION_R5, R5("https://ehr.example/topics", "rest-hook", KEY),
      SUBSCRIPTION_CHANGED, 0 },
    { "R5 with other content", SUBSCRIPTION_R5, R5(TOPIC, "rest-hook", KEY ",'content':'empty'"),
      SUBSCRIPTION_CHANGED, 0 },
    { "R4 at our endpoint where R5 is spoken", SUBSCRIPTION_R5, BACK(TOPIC, PAYLOAD),
      SUBSCRIPTION_FOREIGN, 0 },
    { "R5 at our endpoint where R4 is spoken", SUBSCRIPTION_BACKPORT, R5(TOPIC, "rest-hook", KEY),
      SUBSCRIPTION_FOREIGN, 0 },
};

static void check_topic(void **state)
{
    const struct topic_case *c = *state;
    struct subscription_want wanted = topic_want(c->form);
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);

    assert_int_equal(subscription_judge(&root, &wanted), c->want);
    assert_int_equal(subscription_heartbeat_s(&root), c->heartbeat_s);
}

/* ---- what we build is what we want, whatever we want */

static const struct build_case {
    const char *name;
    enum subscription_form form;
    enum subscription_channel channel;
    bool payload, start_active;
    const char *header, *signature;
    enum subscription_verdict want;
} builds[] = {
    { "with a payload", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_REST_HOOK, true, false, "X-Key: a",
      NULL, SUBSCRIPTION_REQUESTED },
    { "without one", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_REST_HOOK, false, false, "X-Key: a", NULL,
      SUBSCRIPTION_REQUESTED },
    { "active from the start", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_REST_HOOK, true, true,
      "X-Key: a", NULL, SUBSCRIPTION_GOOD },
    { "without a header", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_REST_HOOK, true, true, "", NULL,
      SUBSCRIPTION_GOOD },
    { "with a signature", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_REST_HOOK, true, true, "X-Key: a",
      "s1gned", SUBSCRIPTION_GOOD },
    { "a websocket", SUBSCRIPTION_CRITERIA, SUBSCRIPTION_WEBSOCKET, true, false, "X-Key: a", NULL,
      SUBSCRIPTION_REQUESTED },
    { "a topic of the guide", SUBSCRIPTION_BACKPORT, SUBSCRIPTION_REST_HOOK, false, false,
      "X-Key: a", "s1gned", SUBSCRIPTION_REQUESTED },
    { "a topic of the guide on a websocket", SUBSCRIPTION_BACKPORT, SUBSCRIPTION_WEBSOCKET, true,
      false, "X-Key: a", NULL, SUBSCRIPTION_REQUESTED },
    { "a topic of R5", SUBSCRIPTION_R5, SUBSCRIPTION_REST_HOOK, true, false, "X-Key: a", NULL,
      SUBSCRIPTION_REQUESTED },
    { "a topic of R5 on a websocket", SUBSCRIPTION_R5, SUBSCRIPTION_WEBSOCKET, true, true, "",
      "s1gned", SUBSCRIPTION_GOOD },
};

static void check_build(void **state)
{
    const struct build_case *c = *state;
    struct subscription_want other = want;

    other.form = c->form;
    other.channel = c->channel;
    other.topic = TOPIC;
    other.heartbeat_s = 60;
    other.signature = c->signature;
    other.payload = c->payload;
    other.start_active = c->start_active;
    other.header = c->header;
    char *text = subscription_build(&other);
    AUTO(doc_free) struct doc *doc = fixture_doc(text);
    struct node root = node_root(doc);
    assert_int_equal(subscription_judge(&root, &other), c->want);
    assert_int_equal(subscription_heartbeat_s(&root), c->form == SUBSCRIPTION_CRITERIA ? 0 : 60);
    assert_true(c->channel == SUBSCRIPTION_REST_HOOK || !strstr(text, "X-Key"));
    other.signature = "another";
    assert_int_equal(subscription_judge(&root, &other), SUBSCRIPTION_CHANGED);
    free(text);
}

static void the_resource_is_complete(void **state)
{
    char *text = subscription_build(&want);

    (void)state;
    assert_string_equal(
        text, "{\"resourceType\":\"Subscription\",\"status\":\"requested\",\"reason\":"
              "\"Myeloma drug safety alerts (myeloma-adapter)\",\"criteria\":"
              "\"Observation?category=laboratory\",\"channel\":{\"extension\":[{\"url\":"
              "\"http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages\","
              "\"valueBoolean\":true}],\"type\":\"rest-hook\",\"endpoint\":"
              "\"https://adapter:8443/hook/Observation\",\"payload\":\"application/fhir+json\","
              "\"header\":[\"X-Myeloma-Adapter-Key: s3cret\"]}}");
    free(text);
}

/* The members and URLs are those of the guide's profile (fhir-interop.md 2.2). */
static void a_topic_of_the_guide_stands_in_extensions(void **state)
{
    struct subscription_want wanted = topic_want(SUBSCRIPTION_BACKPORT);
    char *text = subscription_build(&wanted);

    (void)state;
    assert_string_equal(
        text,
        "{\"resourceType\":\"Subscription\",\"meta\":{\"profile\":[\"" BACKPORT
        "subscription\"]},\"status\":\"requested\",\"reason\":"
        "\"Myeloma drug safety alerts (myeloma-adapter)\",\"criteria\":\"" TOPIC
        "\",\"channel\":{\"extension\":[{\"url\":\"" BACKPORT
        "heartbeat-period\",\"valueUnsignedInt\":60},{\"url\":\"" BACKPORT
        "timeout\",\"valueUnsignedInt\":30},{\"url\":\"" BACKPORT
        "max-count\",\"valuePositiveInt\":100}],\"type\":\"rest-hook\",\"endpoint\":"
        "\"" ENDPOINT "\",\"payload\":\"application/fhir+json\",\"_payload\":{"
        "\"extension\":[{\"url\":\"" BACKPORT "payload-content\",\"valueCode\":\"id-only\"}]},"
        "\"header\":[\"X-Myeloma-Adapter-Key: s3cret\"]}}");
    free(text);
}

static void a_topic_of_r5_has_members_of_its_own(void **state)
{
    struct subscription_want wanted = topic_want(SUBSCRIPTION_R5);
    char *text = subscription_build(&wanted);

    (void)state;
    assert_string_equal(
        text, "{\"resourceType\":\"Subscription\",\"status\":\"requested\",\"reason\":"
              "\"Myeloma drug safety alerts (myeloma-adapter)\",\"topic\":\"" TOPIC
              "\",\"channelType\":{\"system\":"
              "\"http://terminology.hl7.org/CodeSystem/subscription-channel-type\",\"code\":"
              "\"rest-hook\"},\"endpoint\":\"" ENDPOINT "\",\"parameter\":[{\"name\":"
              "\"X-Myeloma-Adapter-Key\",\"value\":\"s3cret\"}],\"heartbeatPeriod\":60,"
              "\"timeout\":30,\"contentType\":\"application/fhir+json\",\"content\":"
              "\"id-only\",\"maxCount\":100}");
    free(text);
}

static void the_secret_of_signatures_stands_where_medplum_looks(void **state)
{
    struct subscription_want other = want;

    (void)state;
    other.signature = "s1gned";
    char *text = subscription_build(&other);
    assert_non_null(
        strstr(text, "\"extension\":[{\"url\":\"https://www.medplum.com/fhir/StructureDefinition/"
                     "subscription-secret\",\"valueString\":\"s1gned\"}],\"status\""));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_resource_is_complete),
        cmocka_unit_test(a_topic_of_the_guide_stands_in_extensions),
        cmocka_unit_test(a_topic_of_r5_has_members_of_its_own),
        cmocka_unit_test(the_secret_of_signatures_stands_where_medplum_looks),
    };

    return RUN_TABLE("judge", cases, check) + RUN_TABLE("build", builds, check_build) +
           RUN_TABLE("topics", topics, check_topic) +
           cmocka_run_group_tests_name("resource", tests, NULL, NULL);
}
