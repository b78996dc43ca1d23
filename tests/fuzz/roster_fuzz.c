/* Any bytes as a text of ids, and as a Group or a List. */
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/roster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* Sorted, each once, all of them ids. */
static void look_at(struct roster *roster)
{
    require(roster->count <= ROSTER_MAX);
    for (size_t i = 0; i < roster->count; i++) {
        require(reference_id_ok(roster->ids[i]) && roster_has(roster, roster->ids[i]));
        require(!i || strcmp(roster->ids[i - 1], roster->ids[i]) < 0);
    }
    roster_done(roster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(doc_free) struct doc *doc = NULL;
    const char *text = (const char *)data;
    struct roster roster;
    struct err err;

    if (roster_of_text(text, size, &roster, &err))
        look_at(&roster);
    else
        require(err.offset <= size);
    if (!doc_parse(text, size, 0, &doc, &err)) return 0;
    struct node root = node_root(doc);
    if (roster_of_resource(&root, &roster, &err)) look_at(&roster);
    return 0;
}
