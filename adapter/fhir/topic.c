#include "fhir/topic.h"

#include <ctype.h>
#include <string.h>

#include "fhir/datatype.h"

/* "Observation" or ".../StructureDefinition/Observation" */
static bool is_of_type(const struct node *trigger, const char *type)
{
    const char *resource = node_text(trigger, "resource"), *slash;

    if (!resource) return false;
    slash = strrchr(resource, '/');
    return strcmp(slash ? slash + 1 : resource, type) == 0;
}

/* A trigger that names no interaction is for all of them. */
static bool tells_of(const struct node *trigger, const char *interaction)
{
    struct node list = node_get(trigger, "supportedInteraction");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *text = node_scalar(&item);
        if (text && strcmp(text, interaction) == 0) return true;
    }
    return count == 0;
}

static enum topic_fit trigger_judge(const struct node *trigger, const char *type)
{
    if (!is_of_type(trigger, type)) return TOPIC_OTHER;
    if (datatype_has(trigger, "queryCriteria") || datatype_has(trigger, "fhirPathCriteria"))
        return TOPIC_NARROW;
    if (!tells_of(trigger, "create") || !tells_of(trigger, "update")) return TOPIC_NARROW;
    return tells_of(trigger, "delete") ? TOPIC_WHOLE : TOPIC_CHANGES;
}

enum topic_fit topic_judge(const struct node *at, const char *type)
{
    const char *resource = node_text(at, "resourceType"), *status = node_text(at, "status");
    struct node triggers = node_get(at, "resourceTrigger");
    size_t count = datatype_count(&triggers);
    enum topic_fit best = TOPIC_OTHER;

    if (!resource || strcmp(resource, "SubscriptionTopic") != 0) return TOPIC_OTHER;
    if (!status || strcmp(status, "active") != 0 || !node_text(at, "url")) return TOPIC_OTHER;
    for (size_t i = 0; i < count; i++) {
        struct node trigger = datatype_item(&triggers, i);
        enum topic_fit fit = trigger_judge(&trigger, type);
        if (fit > best) best = fit;
    }
    return best;
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
