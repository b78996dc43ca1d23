#include "fhir/capability.h"

#include <stdio.h>
#include <string.h>

#include "fhir/datatype.h"
#include "fhir/topic.h"

#define TOPIC_CANONICAL                                                                            \
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"                           \
    "capabilitystatement-subscriptiontopic-canonical"

/* R4 and R4B: on the statement, or on its rest. */
#define WEBSOCKET "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket"

const char *capability_type(enum capability_kind kind)
{
    static const char *const types[CAPABILITY_KINDS] = {
        [CAPABILITY_ORDERS] = "MedicationRequest",     [CAPABILITY_RESULTS] = "Observation",
        [CAPABILITY_CONDITIONS] = "Condition",         [CAPABILITY_PROCEDURES] = "Procedure",
        [CAPABILITY_ALLERGIES] = "AllergyIntolerance", [CAPABILITY_PATIENTS] = "Patient",
    };

    return types[kind];
}

/* The rest of mode server; the first when no mode is stated. */
static struct node server_of(const struct node *list)
{
    size_t count = datatype_count(list);

    for (size_t i = 0; i < count; i++) {
        struct node rest = datatype_item(list, i);
        const char *mode = node_text(&rest, "mode");
        if (!mode || strcmp(mode, "server") == 0) return rest;
    }
    return (struct node){ .value = NULL };
}

static struct node resource_of(const struct node *list, const char *type)
{
    size_t count = datatype_count(list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(list, i);
        const char *own = node_text(&item, "type");
        if (own && strcmp(own, type) == 0) return item;
    }
    return (struct node){ .value = NULL };
}

/* Is there an item of the list whose member has that value? A list that is missing says yes. */
static bool lists(const struct node *at, const char *list_key, const char *key, const char *value)
{
    struct node list = node_get(at, list_key);
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *text = node_text(&item, key);
        if (text && strcmp(text, value) == 0) return true;
    }
    return count == 0;
}

static bool does(const struct node *resource, const char *interaction)
{
    return resource->value && lists(resource, "interaction", "code", interaction);
}

/* Can it be searched by _lastUpdated? The parameter may stand once for all types. */
static bool finds_updated(const struct node *resources, const struct node *rest, const char *type)
{
    struct node resource = resource_of(resources, type), common = node_get(rest, "searchParam");

    if (!does(&resource, "search-type")) return false;
    if (datatype_count(&common) && lists(rest, "searchParam", "name", "_lastUpdated")) return true;
    return lists(&resource, "searchParam", "name", "_lastUpdated");
}

static bool tells_history(const struct node *resource)
{
    struct node list = node_get(resource, "interaction");

    return datatype_count(&list) && does(resource, "history-type");
}

static void read_poll(const struct node *resources, const struct node *rest, struct capability *ret)
{
    for (int kind = 0; kind < CAPABILITY_KINDS; kind++) {
        const char *type = capability_type((enum capability_kind)kind);
        struct node resource = resource_of(resources, type);
        ret->poll[kind].updated = finds_updated(resources, rest, type);
        ret->poll[kind].history = tells_history(&resource);
    }
}

static void read_issue(const struct node *resources, struct capability *ret)
{
    struct node issue = resource_of(resources, "DetectedIssue");
    struct node subscription = resource_of(resources, "Subscription");
    struct node device = resource_of(resources, "Device");
    const char *versioning = node_text(&issue, "versioning");

    ret->issue_offered = does(&issue, "create") || does(&issue, "update");
    ret->issue_update_create = does(&issue, "update") && node_true(&issue, "updateCreate");
    ret->issue_conditional_create =
        does(&issue, "create") && node_true(&issue, "conditionalCreate");
    ret->issue_versioned = versioning && strcmp(versioning, "no-version") != 0;
    ret->subscription_offered = does(&subscription, "create");
    ret->device_update_create = does(&device, "update") && node_true(&device, "updateCreate");
}

static void read_software(const struct node *at, struct capability *ret)
{
    struct node software = node_get(at, "software");
    const char *name = node_text(&software, "name"), *version = node_text(&software, "version");

    snprintf(ret->software, sizeof ret->software, "%.50s%s%.28s", name ? name : "",
             name && version ? " " : "", version ? version : "");
    for (char *c = ret->software; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~') *c = '?';
}

const char *capability_topic(const struct node *at, const char *type)
{
    struct node list = node_get(at, "rest"), rest = server_of(&list);
    struct node resources = node_get(&rest, "resource");
    struct node subscription = resource_of(&resources, "Subscription");
    struct node extensions = node_get(&subscription, "extension");
    const char *found = NULL;

    for (size_t i = 0; i < datatype_count(&extensions); i++) {
        struct node item = datatype_item(&extensions, i);
        const char *url = node_text(&item, "url"), *topic = node_text(&item, "valueCanonical");
        if (!topic) topic = node_text(&item, "valueUri");
        if (!url || strcmp(url, TOPIC_CANONICAL) != 0 || !topic) continue;
        if (!topic_is_named(topic, type)) continue;
        if (found) return NULL;
        found = topic;
    }
    return found;
}

static void read_websocket(const struct node *at, struct capability *ret)
{
    struct node list = node_get(at, "extension");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *name = node_text(&item, "url"), *url = node_text(&item, "valueUri");
        if (!url) url = node_text(&item, "valueUrl");
        if (name && strcmp(name, WEBSOCKET) == 0 && url && strlen(url) < sizeof ret->websocket)
            snprintf(ret->websocket, sizeof ret->websocket, "%s", url);
    }
}

bool capability_read(const struct node *at, struct capability *ret, struct err *err)
{
    const char *type = node_text(at, "resourceType"), *version = node_text(at, "fhirVersion");
    struct node list = node_get(at, "rest"), rest = server_of(&list);
    struct node resources = node_get(&rest, "resource");
    enum fhir_release release;

    if (!type || strcmp(type, "CapabilityStatement") != 0 || !version || !rest.value)
        return err_set(err, ERR_INPUT, "capability.shape",
                       "the server's answer is no CapabilityStatement with a version and a rest");
    if (!fhir_release_parse(version, &release)) {
        err_set(err, ERR_INPUT, "capability.version", "the server does not speak R4, R4B or R5");
        return err_fix(err, "point the adapter at an endpoint of the server that does");
    }
    *ret = (struct capability){ .release = release };
    snprintf(ret->fhir_version, sizeof ret->fhir_version, "%.15s", version);
    read_software(at, ret);
    read_websocket(at, ret);
    read_websocket(&rest, ret);
    read_issue(&resources, ret);
    read_poll(&resources, &rest, ret);
    ret->search_updated_orders = ret->poll[CAPABILITY_ORDERS].updated;
    ret->search_updated_results = ret->poll[CAPABILITY_RESULTS].updated;
    ret->search_updated_conditions = ret->poll[CAPABILITY_CONDITIONS].updated;
    return true;
}
