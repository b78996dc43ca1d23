#include "test.h"

#include "fhir/topic.h"
#include "fhir_fixture.h"

#define TOPIC(more)                                                                                \
    "{'resourceType':'SubscriptionTopic','url':'https://ehr/"                                      \
    "t','status':'active','resourceTrigger':[" more "]}"
#define OF "'resource':'http://hl7.org/fhir/StructureDefinition/Observation'"

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
    { "no object", "[]", TOPIC_OTHER },
};

static void check(void **state)
{
    const struct judge_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);

    assert_int_equal(topic_judge(&root, "Observation"), c->want);
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
    return RUN_TABLE("judge", cases, check) + RUN_TABLE("name", names, check_name);
}
