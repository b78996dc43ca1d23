#include "test.h"

#include "fhir/capability.h"
#include "fhir_fixture.h"

#define CAPABILITY(rest)                                                                           \
    "{'resourceType':'CapabilityStatement','fhirVersion':'4.0.1','rest':[" rest "]}"
#define SERVER(resources) CAPABILITY("{'mode':'server','resource':[" resources "]}")
#define DOES(code)        "'interaction':[{'code':'" code "'}]"

static const struct capability_case {
    const char *name, *text, *want;
} cases[] = {
    { "a server that does everything",
      SERVER("{'type':'DetectedIssue','versioning':'versioned','updateCreate':true,"
             "'conditionalCreate':true},{'type':'Subscription'},"
             "{'type':'Device','updateCreate':true},{'type':'MedicationRequest'},"
             "{'type':'Observation'},{'type':'Condition'}"),
      "R4 4.0.1 issue update-create conditional-create versioned subscription device orders "
      "results "
      "conditions" },
    { "a server that does nothing", SERVER("{'type':'Patient'}"), "R4 4.0.1" },
    { "update-as-create needs update",
      SERVER("{'type':'DetectedIssue','updateCreate':true,'conditionalCreate':true," DOES(
          "create") "}"),
      "R4 4.0.1 issue conditional-create" },
    { "an issue that can only be read is not offered",
      SERVER("{'type':'DetectedIssue'," DOES("read") "}"), "R4 4.0.1" },
    { "a version-aware server is versioned",
      SERVER("{'type':'DetectedIssue','versioning':'versioned-update'}"),
      "R4 4.0.1 issue versioned" },
    { "no-version is not", SERVER("{'type':'DetectedIssue','versioning':'no-version'}"),
      "R4 4.0.1 issue" },
    { "a subscription that can only be read is not offered",
      SERVER("{'type':'Subscription'," DOES("read") "}"), "R4 4.0.1" },
    { "parameters without _lastUpdated",
      SERVER("{'type':'MedicationRequest','searchParam':[{'name':'patient'}]}"), "R4 4.0.1" },
    { "parameters with it",
      SERVER("{'type':'MedicationRequest','searchParam':[{'name':'patient'},"
             "{'name':'_lastUpdated'}]}"),
      "R4 4.0.1 orders" },
    { "it may stand once for all",
      CAPABILITY("{'mode':'server','searchParam':[{'name':'_lastUpdated'}],'resource':["
                 "{'type':'Observation','searchParam':[{'name':'patient'}]}]}"),
      "R4 4.0.1 results" },
    { "a type that cannot be searched", SERVER("{'type':'Observation'," DOES("read") "}"),
      "R4 4.0.1" },
    { "the rest of a client is passed over",
      CAPABILITY("{'mode':'client','resource':[{'type':'Subscription'}]},"
                 "{'mode':'server','resource':[]}"),
      "R4 4.0.1" },
    { "the history of a type counts where it is listed",
      SERVER("{'type':'MedicationRequest','interaction':[{'code':'search-type'},"
             "{'code':'history-type'}]},{'type':'Observation'," DOES(
                 "history-instance") "},"
                                     "{'type':'Procedure'," DOES("history-type") "}"),
      "R4 4.0.1 orders MedicationRequest/_history Procedure/_history" },
    { "no list of interactions is no history", SERVER("{'type':'Patient'}"), "R4 4.0.1" },
    { "the software",
      "{'resourceType':'CapabilityStatement','fhirVersion':'5.0.0','software':{'name':'HAPI',"
      "'version':'8.1'},'rest':[{'mode':'server'}]}",
      "R5 5.0.0 (HAPI 8.1)" },
    { "a name with a line break in it",
      "{'resourceType':'CapabilityStatement','fhirVersion':'4.3.0','software':{'name':'a\\nb'},"
      "'rest':[{'mode':'server'}]}",
      "R4B 4.3.0 (a?b)" },
    { "DSTU2 is not spoken",
      "{'resourceType':'CapabilityStatement','fhirVersion':'1.0.2','rest':[{'mode':'server'}]}",
      "capability.version" },
    { "STU3 is not spoken",
      "{'resourceType':'CapabilityStatement','fhirVersion':'3.0.2','rest':[{'mode':'server'}]}",
      "capability.version" },
    { "4.01 is no version of ours",
      "{'resourceType':'CapabilityStatement','fhirVersion':'4.01','rest':[{'mode':'server'}]}",
      "capability.version" },
    { "no version", "{'resourceType':'CapabilityStatement','rest':[{'mode':'server'}]}",
      "capability.shape" },
    { "no rest", "{'resourceType':'CapabilityStatement','fhirVersion':'4.0.1'}",
      "capability.shape" },
    { "another resource", "{'resourceType':'OperationOutcome'}", "capability.shape" },
    { "no object", "[]", "capability.shape" },
};

static void describe(const struct capability *c, struct buf *out)
{
    buf_printf(out, "%s %s", fhir_release_name(c->release), c->fhir_version);
    if (*c->software) buf_printf(out, " (%s)", c->software);
    if (c->issue_offered) buf_text(out, " issue");
    if (c->issue_update_create) buf_text(out, " update-create");
    if (c->issue_conditional_create) buf_text(out, " conditional-create");
    if (c->issue_versioned) buf_text(out, " versioned");
    if (c->subscription_offered) buf_text(out, " subscription");
    if (c->device_update_create) buf_text(out, " device");
    if (c->search_updated_orders) buf_text(out, " orders");
    if (c->search_updated_results) buf_text(out, " results");
    if (c->search_updated_conditions) buf_text(out, " conditions");
    for (int kind = 0; kind < CAPABILITY_KINDS; kind++)
        if (c->poll[kind].history)
            buf_printf(out, " %s/_history", capability_type((enum capability_kind)kind));
}

static void check(void **state)
{
    const struct capability_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    AUTO(buf_done) struct buf got = { 0 };
    struct node root = node_root(doc);
    struct capability capability;
    struct err err;

    if (capability_read(&root, &capability, &err)) {
        describe(&capability, &got);
    } else {
        assert_int_equal(err.kind, ERR_INPUT);
        buf_text(&got, err.code);
    }
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- topics that are listed */

#define EXTENSION                                                                                  \
    "'url':'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"                    \
    "capabilitystatement-subscriptiontopic-canonical'"
#define LISTED(url)       "{" EXTENSION ",'valueCanonical':'" url "'}"
#define LISTS(extensions) SERVER("{'type':'Subscription','extension':[" extensions "]}")

static const struct topic_case {
    const char *name, *text, *want;
} topics[] = {
    { "the one of that name",
      LISTS(LISTED("https://ehr/t/medication-request") "," LISTED("https://ehr/t/observation")),
      "https://ehr/t/observation" },
    { "as a uri", LISTS("{" EXTENSION ",'valueUri':'https://ehr/t/Observation'}"),
      "https://ehr/t/Observation" },
    { "another name", LISTS(LISTED("https://ehr/t/admission")), NULL },
    { "two of that name are one too many",
      LISTS(LISTED("https://ehr/t/observation") "," LISTED("https://ehr/u/observation")), NULL },
    { "another extension", LISTS("{'url':'x','valueCanonical':'https://ehr/t/observation'}"),
      NULL },
    { "no extension", SERVER("{'type':'Subscription'}"), NULL },
    { "no rest", "{'resourceType':'CapabilityStatement'}", NULL },
};

static void check_topic(void **state)
{
    const struct topic_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);
    const char *topic = capability_topic(&root, "Observation");

    if (c->want)
        assert_string_equal(topic, c->want);
    else
        assert_null(topic);
}

/* ---- where the WebSocket is */

#define SOCKET_AT(url)                                                                             \
    "'extension':[{'url':'x','valueUri':'ws://other/'},{'url':'http://hl7.org/fhir/"               \
    "StructureDefinition/capabilitystatement-websocket','valueUri':'" url "'}]"
#define STATEMENT(own, rest)                                                                       \
    "{'resourceType':'CapabilityStatement','fhirVersion':'4.0.1'," own ",'rest':[{" rest "}]}"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct socket_case {
    const char *name, *text, *want;
} sockets[] = {
    { "on the rest", STATEMENT("'a':1", SOCKET_AT("wss://ehr/ws")), "wss://ehr/ws" },
    { "on the statement", STATEMENT(SOCKET_AT("wss://ehr/ws"), "'mode':'server'"), "wss://ehr/ws" },
    { "nowhere", STATEMENT("'a':1", "'mode':'server'"), "" },
    { "half a URL is none",
      STATEMENT("'a':1", SOCKET_AT("wss://" LONG LONG LONG LONG LONG LONG LONG LONG)), "" },
};

static void check_socket(void **state)
{
    const struct socket_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);
    struct capability capability;
    struct err err;

    assert_true(capability_read(&root, &capability, &err));
    assert_string_equal(capability.websocket, c->want);
}

int main(void)
{
    return RUN_TABLE("capability", cases, check) + RUN_TABLE("topics", topics, check_topic) +
           RUN_TABLE("websockets", sockets, check_socket);
}
