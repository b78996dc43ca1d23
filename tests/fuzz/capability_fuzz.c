#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/capability.h"
#include "fhir/outcome.h"
#include "fhir/subscription.h"
#include "fhir/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* What a server answers: a CapabilityStatement, an OperationOutcome, a Subscription, anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum subscription_form forms[] = { SUBSCRIPTION_CRITERIA, SUBSCRIPTION_BACKPORT,
                                                    SUBSCRIPTION_R5 };
    struct subscription_want want = { .type = "Observation",
                                      .criteria = "Observation?",
                                      .topic = "https://a/topic",
                                      .endpoint = "https://a/hook",
                                      .header = "X-Key: a",
                                      .signature = "b",
                                      .payload = true };
    struct doc *doc = NULL;
    struct capability capability;
    struct err err;
    const char *topic;
    char codes[40];

    if (!doc_parse((const char *)data, size, 0, &doc, &err)) return 0;
    struct node root = node_root(doc);
    if (capability_read(&root, &capability, &err)) {
        require(strlen(capability.fhir_version) < sizeof capability.fhir_version);
        require(strlen(capability.software) < sizeof capability.software);
        require(!capability.issue_update_create || capability.issue_offered);
    } else {
        require(err.kind == ERR_INPUT);
    }
    outcome_codes(&root, codes, sizeof codes);
    require(strspn(codes, "abcdefghijklmnopqrstuvwxyz-,") == strlen(codes));
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        want.form = forms[i];
        require(subscription_judge(&root, &want) <= SUBSCRIPTION_FOREIGN);
    }
    require(topic_judge(&root, "Observation") == TOPIC_OTHER || topic_url(&root));
    if ((topic = capability_topic(&root, "Observation")))
        require(topic_is_named(topic, "Observation"));
    require(subscription_heartbeat_s(&root) <= 604800);
    doc_free(doc);
    return 0;
}
