#include "fhir/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fhir/build.h"
#include "fhir/datatype.h"

#define PAYLOAD "application/fhir+json"
#define REASON  "Myeloma drug safety alerts (myeloma-adapter)"

/* Wishes of a topic: how long one delivery may take, and events in one notification. */
#define TIMEOUT_S  30
#define EVENTS_MAX 100

#define HEARTBEAT_MAX_S 604800 /* a server's word of more than a week is none */

/* HAPI tells of deletions only when this stands inside the channel. */
#define SEND_DELETES "http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages"

#define SECRET   "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"
#define BACKPORT "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
#define CHANNELS "http://terminology.hl7.org/CodeSystem/subscription-channel-type"

const char *subscription_channel_name(enum subscription_channel channel)
{
    return channel == SUBSCRIPTION_WEBSOCKET ? "websocket" : "rest-hook";
}

const char *subscription_content_name(enum subscription_content content)
{
    static const char *const names[] = { "full-resource", "id-only", "empty" };

    return names[content];
}

/* ---- what we want, as a resource */

static json_t *extension_of(const char *url, const char *key, json_t *value)
{
    json_t *extension = json_object();

    build_text(extension, "url", url);
    build_set(extension, key, value);
    return extension;
}

/* The part of "Name: value" before the colon, and where the value begins. */
static const char *header_split(const char *header, char *name, size_t size)
{
    size_t len = strcspn(header, ":");
    const char *value = header + len + (header[len] == ':');

    snprintf(name, size, "%.*s", (int)len, header);
    return value + strspn(value, " ");
}

static bool has_secret_header(const struct subscription_want *want)
{
    return want->channel == SUBSCRIPTION_REST_HOOK && want->header && *want->header;
}

static json_t *header_list(const struct subscription_want *want)
{
    json_t *headers = json_array();

    if (has_secret_header(want)) build_append(headers, json_string(want->header));
    return headers;
}

static json_t *backport_extensions(const struct subscription_want *want)
{
    json_t *list = json_array();

    if (want->heartbeat_s)
        build_append(list, extension_of(BACKPORT "heartbeat-period", "valueUnsignedInt",
                                        json_integer(want->heartbeat_s)));
    build_append(list,
                 extension_of(BACKPORT "timeout", "valueUnsignedInt", json_integer(TIMEOUT_S)));
    build_append(list,
                 extension_of(BACKPORT "max-count", "valuePositiveInt", json_integer(EVENTS_MAX)));
    return list;
}

static json_t *content_extension(const struct subscription_want *want)
{
    json_t *list = json_array(), *holder = json_object();

    build_append(list, extension_of(BACKPORT "payload-content", "valueCode",
                                    json_string(subscription_content_name(want->content))));
    build_set(holder, "extension", list);
    return holder;
}

static json_t *delete_extension(void)
{
    json_t *list = json_array();

    build_append(list, extension_of(SEND_DELETES, "valueBoolean", json_true()));
    return list;
}

static json_t *channel_of(const struct subscription_want *want)
{
    json_t *channel = json_object();
    bool topic = want->form == SUBSCRIPTION_BACKPORT;

    build_set(channel, "extension", topic ? backport_extensions(want) : delete_extension());
    build_text(channel, "type", subscription_channel_name(want->channel));
    build_text(channel, "endpoint", want->endpoint);
    if (topic || want->payload) build_text(channel, "payload", PAYLOAD);
    if (topic) build_set(channel, "_payload", content_extension(want));
    build_set(channel, "header", header_list(want));
    return channel;
}

static void add_profile(json_t *subscription)
{
    json_t *meta = json_object(), *profiles = json_array();

    build_append(profiles, json_string(BACKPORT "subscription"));
    build_set(meta, "profile", profiles);
    build_set(subscription, "meta", meta);
}

static void add_r4(json_t *subscription, const struct subscription_want *want)
{
    build_text(subscription, "criteria",
               want->form == SUBSCRIPTION_BACKPORT ? want->topic : want->criteria);
    build_set(subscription, "channel", channel_of(want));
}

static json_t *parameter_list(const struct subscription_want *want)
{
    json_t *list = json_array(), *parameter = json_object();
    char name[64];

    if (has_secret_header(want)) {
        const char *value = header_split(want->header, name, sizeof name);
        build_text(parameter, "name", name);
        build_text(parameter, "value", value);
    }
    build_append(list, parameter);
    return list;
}

static void add_r5(json_t *subscription, const struct subscription_want *want)
{
    build_text(subscription, "topic", want->topic);
    build_set(subscription, "channelType",
              build_coding(CHANNELS, subscription_channel_name(want->channel), ""));
    build_text(subscription, "endpoint", want->endpoint);
    build_set(subscription, "parameter", parameter_list(want));
    if (want->heartbeat_s)
        build_set(subscription, "heartbeatPeriod", json_integer(want->heartbeat_s));
    build_set(subscription, "timeout", json_integer(TIMEOUT_S));
    build_text(subscription, "contentType", PAYLOAD);
    build_text(subscription, "content", subscription_content_name(want->content));
    build_set(subscription, "maxCount", json_integer(EVENTS_MAX));
}

static json_t *secret_extension(const struct subscription_want *want)
{
    json_t *list = json_array();

    if (want->signature)
        build_append(list, extension_of(SECRET, "valueString", json_string(want->signature)));
    return list;
}

char *subscription_build(const struct subscription_want *want)
{
    json_t *subscription = json_object();

    build_text(subscription, "resourceType", "Subscription");
    if (want->form == SUBSCRIPTION_BACKPORT) add_profile(subscription);
    build_set(subscription, "extension", secret_extension(want));
    build_text(subscription, "status", want->start_active ? "active" : "requested");
    build_text(subscription, "reason", REASON);
    if (want->form == SUBSCRIPTION_R5)
        add_r5(subscription, want);
    else
        add_r4(subscription, want);
    return build_dump(subscription);
}

/* ---- what is there */

static bool is_text(const struct node *at, const char *key, const char *wanted)
{
    const char *text = node_text(at, key);

    return text ? strcmp(text, wanted) == 0 : *wanted == '\0';
}

/* The extension of that URL at a member (or its "_member"); value NULL: there is none. */
static struct node extension_at(const struct node *at, const char *url)
{
    struct node list = node_get(at, "extension");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        if (is_text(&item, "url", url)) return item;
    }
    return (struct node){ .value = NULL };
}

/* Our header is among them. A server may add its own. */
static bool has_header(const struct node *channel, const char *wanted)
{
    struct node list = node_get(channel, "header");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *text = node_scalar(&item);
        if (text && strcmp(text, wanted) == 0) return true;
    }
    return false;
}

static bool has_parameter(const struct node *at, const char *wanted)
{
    struct node list = node_get(at, "parameter");
    size_t count = datatype_count(&list);
    char name[64];
    const char *value = header_split(wanted, name, sizeof name);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        if (is_text(&item, "name", name) && is_text(&item, "value", value)) return true;
    }
    return false;
}

/* The MIME type alone: "application/fhir+json; fhirVersion=4.0" is as good. */
static bool is_json(const char *payload)
{
    size_t len = sizeof PAYLOAD - 1;

    return strncmp(payload, PAYLOAD, len) == 0 && (!payload[len] || strchr("; ", payload[len]));
}

static bool payload_fits(const struct node *channel, bool wanted)
{
    const char *payload = node_text(channel, "payload");

    return payload && wanted ? is_json(payload) : !payload && !wanted;
}

/* The URL, with or without a version behind it. */
static bool topic_fits(const char *topic, const char *wanted)
{
    size_t len = strlen(wanted);

    return topic && strncmp(topic, wanted, len) == 0 && (!topic[len] || topic[len] == '|');
}

/* Not said is as good: what is left open we can read all the same. */
static bool content_fits(const char *content, const struct subscription_want *want)
{
    return !content || strcmp(content, subscription_content_name(want->content)) == 0;
}

static bool criteria_is_ours(const struct node *at, const struct subscription_want *want)
{
    struct node channel = node_get(at, "channel");

    return is_text(at, "criteria", want->criteria) && payload_fits(&channel, want->payload);
}

static bool backport_is_ours(const struct node *at, const struct subscription_want *want)
{
    struct node channel = node_get(at, "channel"), holder = node_get(&channel, "_payload");
    struct node content = extension_at(&holder, BACKPORT "payload-content");

    return topic_fits(node_text(at, "criteria"), want->topic) && payload_fits(&channel, true) &&
           content_fits(node_text(&content, "valueCode"), want);
}

static bool r5_is_ours(const struct node *at, const struct subscription_want *want)
{
    const char *type = node_text(at, "contentType");

    return topic_fits(node_text(at, "topic"), want->topic) && (!type || is_json(type)) &&
           content_fits(node_text(at, "content"), want);
}

static bool channel_fits(const struct node *at, const struct subscription_want *want)
{
    struct node channel = node_get(at, "channel"), coding = node_get(at, "channelType");
    bool r5 = want->form == SUBSCRIPTION_R5;
    const char *name = subscription_channel_name(want->channel);

    if (r5 ? !is_text(&coding, "code", name) : !is_text(&channel, "type", name)) return false;
    if (!has_secret_header(want)) return true;
    return r5 ? has_parameter(at, want->header) : has_header(&channel, want->header);
}

static bool signature_fits(const struct node *at, const struct subscription_want *want)
{
    struct node extension = extension_at(at, SECRET);

    return !want->signature || is_text(&extension, "valueString", want->signature);
}

static bool is_ours(const struct node *at, const struct subscription_want *want)
{
    if (!channel_fits(at, want) || !signature_fits(at, want)) return false;
    switch (want->form) {
    case SUBSCRIPTION_CRITERIA:
        return criteria_is_ours(at, want);
    case SUBSCRIPTION_BACKPORT:
        return backport_is_ours(at, want);
    case SUBSCRIPTION_R5:
        return r5_is_ours(at, want);
    }
    return false;
}

enum subscription_verdict subscription_judge(const struct node *at,
                                             const struct subscription_want *want)
{
    struct node channel = node_get(at, "channel");
    const struct node *holder = want->form == SUBSCRIPTION_R5 ? at : &channel;

    if (!is_text(at, "resourceType", "Subscription") ||
        !is_text(holder, "endpoint", want->endpoint))
        return SUBSCRIPTION_FOREIGN;
    if (!is_ours(at, want)) return SUBSCRIPTION_CHANGED;
    if (is_text(at, "status", "active")) return SUBSCRIPTION_GOOD;
    return is_text(at, "status", "requested") ? SUBSCRIPTION_REQUESTED : SUBSCRIPTION_STOPPED;
}

unsigned subscription_heartbeat_s(const struct node *at)
{
    struct node channel = node_get(at, "channel");
    struct node extension = extension_at(&channel, BACKPORT "heartbeat-period");
    const struct node *holder = extension.value ? &extension : at;
    const char *key = extension.value ? "valueUnsignedInt" : "heartbeatPeriod";
    struct node value = node_get(holder, key);
    const char *digits = node_is(&value, DOC_NUMBER) ? node_scalar(&value) : "";
    size_t len = strspn(digits, "0123456789");
    unsigned long seconds = len && !digits[len] ? strtoul(digits, NULL, 10) : 0;

    return seconds <= HEARTBEAT_MAX_S ? (unsigned)seconds : 0;
}
