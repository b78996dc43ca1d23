#include <stdlib.h>
#include <string.h>

#include "base/node.h"
#include "fhir/bundle.h"
#include "fhir/bundle_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    const char *text;
    size_t size, entries, bad;
};

static void require(bool claim)
{
    if (!claim) abort();
}

/* An entry is a slice of the input that is an object, or a deletion. */
static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct seen *seen = arg;

    seen->entries++;
    require(strlen(entry->type) < sizeof entry->type);
    require(strlen(entry->full_url) < sizeof entry->full_url);
    if (!entry->text) {
        require(strcmp(entry->method, "DELETE") == 0 && entry->len == 0);
        return true;
    }
    require(entry->text >= seen->text && entry->len > 0);
    require(entry->text + entry->len <= seen->text + seen->size);
    require(*entry->text == '{');
    return true;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    struct seen *seen = arg;

    (void)index;
    seen->bad++;
    require(err->kind == ERR_INPUT && err->code != NULL);
    return true;
}

static bool stop_entry(const struct bundle_entry *entry, void *arg)
{
    (void)entry;
    ++*(size_t *)arg;
    return false;
}

static bool stop_bad(size_t index, const struct err *err, void *arg)
{
    (void)index;
    (void)err;
    ++*(size_t *)arg;
    return false;
}

/* Without its entries a Bundle is one still, and the next page has an address or there is none. */
static void head(const char *text, size_t size)
{
    AUTO(doc_free) struct doc *doc = NULL;

    if (!bundle_head_read(text, size, &doc)) return;
    struct node root = node_root(doc);
    const char *type = node_text(&root, "resourceType");
    require(type && strcmp(type, "Bundle") == 0);
    const char *next = bundle_head_next(doc);
    if (next) require(strlen(next) < size);
}

/* Any bytes: entries within the text or problems; a walk that is stopped makes one call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);
    size_t calls = 0;

    require(text);
    if (size) memcpy(text, data, size);
    struct seen seen = { text, size, 0, 0 };
    bundle_walk(text, size, &(struct bundle_visitor){ on_entry, on_bad, &seen });
    bundle_walk(text, size, &(struct bundle_visitor){ stop_entry, stop_bad, &calls });
    require(calls <= 1 && (calls == 1) == (seen.entries + seen.bad > 0));
    head(text, size);
    free(text);
    return 0;
}
