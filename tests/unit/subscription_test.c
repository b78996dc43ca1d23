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

/* What we build is what we want, whatever we want. */
static const struct build_case {
    const char *name;
    bool payload, start_active;
    const char *header;
    enum subscription_verdict want;
} builds[] = {
    { "with a payload", true, false, "X-Key: a", SUBSCRIPTION_REQUESTED },
    { "without one", false, false, "X-Key: a", SUBSCRIPTION_REQUESTED },
    { "active from the start", true, true, "X-Key: a", SUBSCRIPTION_GOOD },
    { "without a header", true, true, "", SUBSCRIPTION_GOOD },
};

static void check_build(void **state)
{
    const struct build_case *c = *state;
    struct subscription_want other = want;

    other.payload = c->payload;
    other.start_active = c->start_active;
    other.header = c->header;
    char *text = subscription_build(&other);
    AUTO(doc_free) struct doc *doc = fixture_doc(text);
    struct node root = node_root(doc);
    assert_int_equal(subscription_judge(&root, &other), c->want);
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_resource_is_complete) };

    return RUN_TABLE("judge", cases, check) + RUN_TABLE("build", builds, check_build) +
           cmocka_run_group_tests_name("resource", tests, NULL, NULL);
}
