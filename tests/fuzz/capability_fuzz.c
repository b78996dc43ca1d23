#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/capability.h"
#include "fhir/outcome.h"
#include "fhir/subscription.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* What a server answers: a CapabilityStatement, an OperationOutcome, a Subscription, anything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct subscription_want want = { "Observation", "Observation?", "https://a/hook",
                                                   "X-Key: a",    true,           false };
    struct doc *doc = NULL;
    struct capability capability;
    struct err err;
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
    require(subscription_judge(&root, &want) <= SUBSCRIPTION_FOREIGN);
    doc_free(doc);
    return 0;
}
