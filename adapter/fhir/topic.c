#include "fhir/topic.h"

#include <ctype.h>
#include <string.h>

#include "fhir/datatype.h"

#define FHIR    "http://hl7.org/fhir/"
#define ELEMENT "/StructureDefinition/extension-SubscriptionTopic."

/* ---- a topic that is wrapped in a Basic, since R4 has no such resource: each element is an extension,
 * whose URL names it behind a release of FHIR; not all are of the same release */

static bool is_wrapped(const struct node *at)
{
    const char *resource = node_text(at, "resourceType");
    struct node code = node_get(at, "code");

    return resource && strcmp(resource, "Basic") == 0 &&
           datatype_has_code(&code, "SubscriptionTopic");
}

static bool is_element(const struct node *extension, const char *name)
{
    const char *url = node_text(extension, "url");
    const char *at = url && strncmp(url, FHIR, strlen(FHIR)) == 0 ? strstr(url, ELEMENT) : NULL;

    return at && strcmp(at + strlen(ELEMENT), name) == 0;
}

static const char *value_of(const struct node *extension)
{
    static const char *const keys[] = { "valueUri", "valueCode", "valueCanonical", "valueUrl",
                                        "valueString" };
    const char *text = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(keys) && !text; i++) text = node_text(extension, keys[i]);
    return text;
}

static const char *wrapped_text(const struct node *at, const char *list_name, const char *name)
{
    struct node list = node_get(at, list_name);
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node extension = datatype_item(&list, i);
        if (is_element(&extension, name)) return value_of(&extension);
    }
    return NULL;
}

/* ---- elements of both forms */

const char *topic_url(const struct node *at)
{
    return is_wrapped(at) ? wrapped_text(at, "extension", "url") : node_text(at, "url");
}

/* It changes the meaning of a Basic, and stands where such things stand; not everybody writes it. */
static bool is_active(const struct node *at)
{
    const char *status;

    if (!is_wrapped(at)) {
        status = node_text(at, "status");
        return status && strcmp(status, "active") == 0;
    }
    status = wrapped_text(at, "modifierExtension", "status");
    if (!status) status = wrapped_text(at, "extension", "status");
    return !status || strcmp(status, "active") == 0;
}

struct trigger {
    const char *resource; /* NULL: not said */
    bool narrow;          /* by query or expression */
    bool named, created, updated, deleted;
};

/* One that names no interaction is for all of them. */
static void trigger_tells(struct trigger *trigger, const char *interaction)
{
    if (!interaction) return;
    trigger->named = true;
    trigger->created |= strcmp(interaction, "create") == 0;
    trigger->updated |= strcmp(interaction, "update") == 0;
    trigger->deleted |= strcmp(interaction, "delete") == 0;
}

static struct trigger trigger_plain(const struct node *at)
{
    struct trigger trigger = { .resource = node_text(at, "resource") };
    struct node list = node_get(at, "supportedInteraction");
    size_t count = datatype_count(&list);

    trigger.narrow = datatype_has(at, "queryCriteria") || datatype_has(at, "fhirPathCriteria");
    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        trigger_tells(&trigger, node_scalar(&item));
    }
    return trigger;
}

static struct trigger trigger_wrapped(const struct node *at)
{
    struct trigger trigger = { .resource = NULL };
    struct node list = node_get(at, "extension");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node part = datatype_item(&list, i);
        const char *name = node_text(&part, "url");
        if (!name) continue;
        if (strcmp(name, "resource") == 0) trigger.resource = value_of(&part);
        if (strcmp(name, "supportedInteraction") == 0) trigger_tells(&trigger, value_of(&part));
        if (strcmp(name, "queryCriteria") == 0 || strcmp(name, "fhirPathCriteria") == 0)
            trigger.narrow = true;
    }
    return trigger;
}

/* ---- the judgement */

/* "Observation" or ".../StructureDefinition/Observation" */
static bool is_of_type(const struct trigger *trigger, const char *type)
{
    const char *slash = trigger->resource ? strrchr(trigger->resource, '/') : NULL;

    return trigger->resource && strcmp(slash ? slash + 1 : trigger->resource, type) == 0;
}

static enum topic_fit trigger_judge(const struct trigger *trigger, const char *type)
{
    if (!is_of_type(trigger, type)) return TOPIC_OTHER;
    if (trigger->narrow) return TOPIC_NARROW;
    if (!trigger->named) return TOPIC_WHOLE;
    if (!trigger->created || !trigger->updated) return TOPIC_NARROW;
    return trigger->deleted ? TOPIC_WHOLE : TOPIC_CHANGES;
}

static enum topic_fit triggers_judge(const struct node *list, bool wrapped, const char *type)
{
    size_t count = datatype_count(list);
    enum topic_fit best = TOPIC_OTHER;

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(list, i);
        if (wrapped && !is_element(&item, "resourceTrigger")) continue;
        struct trigger trigger = wrapped ? trigger_wrapped(&item) : trigger_plain(&item);
        enum topic_fit fit = trigger_judge(&trigger, type);
        if (fit > best) best = fit;
    }
    return best;
}

enum topic_fit topic_judge(const struct node *at, const char *type)
{
    const char *resource = node_text(at, "resourceType");
    bool wrapped = is_wrapped(at);
    struct node triggers = node_get(at, wrapped ? "extension" : "resourceTrigger");

    if (!wrapped && (!resource || strcmp(resource, "SubscriptionTopic") != 0)) return TOPIC_OTHER;
    if (!is_active(at) || !topic_url(at)) return TOPIC_OTHER;
    return triggers_judge(&triggers, wrapped, type);
}

void topic_search(enum fhir_release release, unsigned page_count, struct buf *ret)
{
    buf_printf(ret, "%s_count=%u",
               release == FHIR_R4 ? "Basic?code=SubscriptionTopic&" : "SubscriptionTopic?",
               page_count);
}

bool topic_is_named(const char *url, const char *type)
{
    const char *slash = strrchr(url, '/'), *at = slash ? slash + 1 : url;

    for (; *at && *at != '|'; at++) {
        if (!isalpha((unsigned char)*at)) continue;
        if (tolower((unsigned char)*at) != tolower((unsigned char)*type)) return false;
        type++;
    }
    return *type == '\0';
}
