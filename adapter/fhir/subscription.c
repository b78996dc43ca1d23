#include "fhir/subscription.h"

#include <string.h>

#include "fhir/build.h"
#include "fhir/datatype.h"

#define PAYLOAD "application/fhir+json"

/* HAPI tells of deletions only when this stands inside the channel. */
#define SEND_DELETES "http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages"

static json_t *delete_extension(void)
{
    json_t *list = json_array(), *extension = json_object();

    build_text(extension, "url", SEND_DELETES);
    build_set(extension, "valueBoolean", json_true());
    build_append(list, extension);
    return list;
}

static json_t *channel_of(const struct subscription_want *want)
{
    json_t *channel = json_object(), *headers = json_array();

    build_set(channel, "extension", delete_extension());
    build_text(channel, "type", "rest-hook");
    build_text(channel, "endpoint", want->endpoint);
    if (want->payload) build_text(channel, "payload", PAYLOAD);
    if (want->header && *want->header) build_append(headers, json_string(want->header));
    build_set(channel, "header", headers);
    return channel;
}

char *subscription_build(const struct subscription_want *want)
{
    json_t *subscription = json_object();

    build_text(subscription, "resourceType", "Subscription");
    build_text(subscription, "status", want->start_active ? "active" : "requested");
    build_text(subscription, "reason", "Myeloma drug safety alerts (myeloma-adapter)");
    build_text(subscription, "criteria", want->criteria);
    build_set(subscription, "channel", channel_of(want));
    return build_dump(subscription);
}

static bool is_text(const struct node *at, const char *key, const char *wanted)
{
    const char *text = node_text(at, key);

    return text ? strcmp(text, wanted) == 0 : *wanted == '\0';
}

/* Our header is among them. A server may add its own. */
static bool has_header(const struct node *channel, const char *wanted)
{
    struct node list = node_get(channel, "header");
    size_t count = datatype_count(&list);

    if (!wanted || !*wanted) return true;
    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *text = node_scalar(&item);
        if (text && strcmp(text, wanted) == 0) return true;
    }
    return false;
}

/* The MIME type alone: "application/fhir+json; fhirVersion=4.0" is as good. */
static bool payload_fits(const struct node *channel, bool wanted)
{
    const char *payload = node_text(channel, "payload");
    size_t len = sizeof PAYLOAD - 1;

    if (!payload || !wanted) return !payload && !wanted;
    return strncmp(payload, PAYLOAD, len) == 0 && (!payload[len] || strchr("; ", payload[len]));
}

enum subscription_verdict subscription_judge(const struct node *at,
                                             const struct subscription_want *want)
{
    struct node channel = node_get(at, "channel");

    if (!is_text(at, "resourceType", "Subscription") ||
        !is_text(&channel, "endpoint", want->endpoint))
        return SUBSCRIPTION_FOREIGN;
    if (!is_text(at, "criteria", want->criteria) || !is_text(&channel, "type", "rest-hook") ||
        !has_header(&channel, want->header) || !payload_fits(&channel, want->payload))
        return SUBSCRIPTION_CHANGED;
    if (is_text(at, "status", "active")) return SUBSCRIPTION_GOOD;
    return is_text(at, "status", "requested") ? SUBSCRIPTION_REQUESTED : SUBSCRIPTION_STOPPED;
}
