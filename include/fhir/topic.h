/* SubscriptionTopics: which of a server's tells of every change of a type. Pure. */
#pragma once

#include "base/buf.h"
#include "base/node.h"
#include "fhir/release.h"

enum topic_fit {
    TOPIC_OTHER,   /* not of this type, or not in use */
    TOPIC_NARROW,  /* of this type, but of some changes only: by query, by expression, new ones */
    TOPIC_CHANGES, /* what is created and updated */
    TOPIC_WHOLE,   /* deletions as well */
};

/* How well a topic fits a type: a SubscriptionTopic (R4B, R5), or a Basic in which one is wrapped as
 * the Backport guide does for R4. */
enum topic_fit topic_judge(const struct node *at, const char *type);

/* Its canonical URL; NULL when it has none. Borrowed from the document. */
const char *topic_url(const struct node *at);

/* The search that finds a server's topics, page_count to a page; appended. */
void topic_search(enum fhir_release release, unsigned page_count, struct buf *ret);

/* Does the last part of a topic's URL name that type, "https://ehr/topics/medication-request"?
 * Where a statement lists topics, there may be no resource to read. */
bool topic_is_named(const char *url, const char *type);
