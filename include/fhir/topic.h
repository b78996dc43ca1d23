/* SubscriptionTopics: which of a server's tells of every change of a type. Pure. */
#pragma once

#include "base/node.h"

enum topic_fit {
    TOPIC_OTHER,   /* not of this type, or not in use */
    TOPIC_NARROW,  /* of this type, but of some changes only: by query, by expression, new ones */
    TOPIC_CHANGES, /* what is created and updated */
    TOPIC_WHOLE,   /* deletions as well */
};

/* How well a SubscriptionTopic resource (R4B, R5) fits a type. */
enum topic_fit topic_judge(const struct node *at, const char *type);

/* Does the last part of a topic's URL name that type, "https://ehr/topics/medication-request"?
 * All that R4 has to go by: there is no resource to read. */
bool topic_is_named(const char *url, const char *type);
