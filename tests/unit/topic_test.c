#include "test.h"

#include "fhir/topic.h"
#include "fhir_fixture.h"

#define TOPIC(more)                                                                                \
    "{'resourceType':'SubscriptionTopic','url':'https://ehr/"                                      \
    "t','status':'active','resourceTrigger':[" more "]}"
#define OF "'resource':'http://hl7.org/fhir/StructureDefinition/Observation'"

/* As the Backport guide wraps one for R4. */
#define EXT(release, name) "{'url':'http://hl7.org/fhir/" release "/StructureDefinition/" name "',"
#define URL_OF             EXT("5.0", "extension-SubscriptionTopic.url") "'valueUri':'https://ehr/t'}"
#define CODED                                                                                      \
    "'code':{'coding':[{'system':'http://hl7.org/fhir/fhir-types','code':'SubscriptionTopic'}]}"
#define TRIGGER    EXT("4.3", "extension-SubscriptionTopic.resourceTrigger") "'extension':["
#define WHAT       "{'url':'resource','valueUri':'http://hl7.org/fhir/StructureDefinition/Observation'}"
#define TOLD(word) ",{'url':'supportedInteraction','valueCode':'" word "'}"
#define STATUS(word)                                                                               \
    "'modifierExtension':[" EXT("5.0", "extension-SubscriptionTopic.status") "'valueCode':'" word  \
                                                                             "'}],"
#define WRAPPED(status, extensions)                                                                \
    "{'resourceType':'Basic'," CODED "," status "'extension':[" extensions "]}"

static const struct judge_case {
    const char *name, *text;
    enum topic_fit want;
} cases[] = {
    { "without interactions it is for all", TOPIC("{" OF "}"), TOPIC_WHOLE },
    { "the type alone", TOPIC("{'resource':'Observation'}"), TOPIC_WHOLE },
    { "all three by name", TOPIC("{" OF ",'supportedInteraction':['create','update','delete']}"),
      TOPIC_WHOLE },
    { "without deletions", TOPIC("{" OF ",'supportedInteraction':['create','update']}"),
      TOPIC_CHANGES },
    { "new ones only", TOPIC("{" OF ",'supportedInteraction':['create']}"), TOPIC_NARROW },
    { "by a query", TOPIC("{" OF ",'queryCriteria':{'current':'status=final'}}"), TOPIC_NARROW },
    { "by an expression", TOPIC("{" OF ",'fhirPathCriteria':'true'}"), TOPIC_NARROW },
    { "the best of its triggers counts",
      TOPIC("{'resource':'Patient'},{" OF ",'fhirPathCriteria':'true'},{" OF "}"), TOPIC_WHOLE },
    { "of another type", TOPIC("{'resource':'Patient'}"), TOPIC_OTHER },
    { "of a type whose name is longer", TOPIC("{'resource':'ObservationDefinition'}"),
      TOPIC_OTHER },
    { "without triggers", TOPIC(""), TOPIC_OTHER },
    { "without URL",
      "{'resourceType':'SubscriptionTopic','status':'active','resourceTrigger':[{" OF "}]}",
      TOPIC_OTHER },
    { "a draft",
      "{'resourceType':'SubscriptionTopic','url':'https://ehr/t','status':'draft',"
      "'resourceTrigger':[{" OF "}]}",
      TOPIC_OTHER },
    { "another resource", "{'resourceType':'Basic'}", TOPIC_OTHER },
    { "wrapped in a Basic, for all", WRAPPED(STATUS("active"), URL_OF "," TRIGGER WHAT "]}"),
      TOPIC_WHOLE },
    { "wrapped, by the extensions of another release",
      WRAPPED("",
              EXT("4.3", "extension-SubscriptionTopic.url") "'valueUri':'https://ehr/t'}," EXT(
                  "5.0", "extension-SubscriptionTopic.resourceTrigger") "'extension':[" WHAT "]}"),
      TOPIC_WHOLE },
    { "wrapped, without deletions",
      WRAPPED(STATUS("active"), URL_OF "," TRIGGER WHAT TOLD("create") TOLD("update") "]}"),
      TOPIC_CHANGES },
    { "wrapped, all three by name",
      WRAPPED("", TRIGGER WHAT TOLD("create") TOLD("update") TOLD("delete") "]}," URL_OF),
      TOPIC_WHOLE },
    { "wrapped, new ones only", WRAPPED("", URL_OF "," TRIGGER WHAT TOLD("create") "]}"),
      TOPIC_NARROW },
    { "wrapped, by a query",
      WRAPPED("",
              URL_OF "," TRIGGER WHAT ",{'url':'queryCriteria','extension':[{'url':'current'}]}]}"),
      TOPIC_NARROW },
    { "wrapped, by an expression",
      WRAPPED("", URL_OF "," TRIGGER WHAT ",{'url':'fhirPathCriteria','valueString':'true'}]}"),
      TOPIC_NARROW },
    { "wrapped, the best of its triggers counts",
      WRAPPED("", URL_OF "," TRIGGER WHAT TOLD("create") "]}," TRIGGER WHAT "]}"), TOPIC_WHOLE },
    { "wrapped, a draft", WRAPPED(STATUS("draft"), URL_OF "," TRIGGER WHAT "]}"), TOPIC_OTHER },
    { "wrapped, without URL", WRAPPED(STATUS("active"), TRIGGER WHAT "]}"), TOPIC_OTHER },
    { "wrapped, of another type",
      WRAPPED("", URL_OF "," TRIGGER "{'url':'resource','valueUri':'Patient'}]}"), TOPIC_OTHER },
    { "an extension of somebody else is no trigger",
      WRAPPED("", URL_OF ",{'url':'http://ehr/StructureDefinition/extension-SubscriptionTopic."
                         "resourceTrigger','extension':[" WHAT "]}"),
      TOPIC_OTHER },
    { "a Basic of another kind",
      "{'resourceType':'Basic','code':{'coding':[{'code':'referral'}]},'extension':[" URL_OF
      "," TRIGGER WHAT "]}]}",
      TOPIC_OTHER },
    { "no object", "[]", TOPIC_OTHER },
};

static void check(void **state)
{
    const struct judge_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);

    assert_int_equal(topic_judge(&root, "Observation"), c->want);
}

static void check_urls(void **state)
{
    static const struct {
        const char *text, *want;
    } urls[] = { { TOPIC(""), "https://ehr/t" },
                 { WRAPPED("", TRIGGER WHAT "]}," URL_OF), "https://ehr/t" },
                 { WRAPPED("", TRIGGER WHAT "]}"), NULL },
                 { "[]", NULL } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        AUTO(doc_free) struct doc *doc = fixture_doc(urls[i].text);
        struct node root = node_root(doc);
        const char *url = topic_url(&root);
        assert_int_equal(!url, !urls[i].want);
        if (url) assert_string_equal(url, urls[i].want);
    }
}

static const struct name_case {
    const char *name, *url;
    bool want;
} names[] = {
    { "the type at the end", "https://ehr/topics/MedicationRequest", true },
    { "with a hyphen", "https://ehr/topics/medication-request", true },
    { "with a version", "https://ehr/topics/medication-request|1.0", true },
    { "a name alone", "MedicationRequest", true },
    { "half of it", "https://ehr/topics/medication", false },
    { "more than it", "https://ehr/topics/medicationrequest-dispense", false },
    { "in the middle", "https://ehr/MedicationRequest/created", false },
    { "nothing", "", false },
};

static void check_name(void **state)
{
    const struct name_case *c = *state;

    assert_int_equal(topic_is_named(c->url, "MedicationRequest"), c->want);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(check_urls) };

    return cmocka_run_group_tests_name("url", tests, NULL, NULL) +
           RUN_TABLE("judge", cases, check) + RUN_TABLE("name", names, check_name);
}
