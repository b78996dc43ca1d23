#include "flow/chart_build.h"

#include <string.h>

static const struct doc_value *library_find(void *arg, const char *type, const char *id)
{
    struct shelf *shelf = arg;
    struct shelf_item *item = shelf_find(shelf, type[0] ? type : "Medication", id);
    const struct doc *doc = item ? shelf_doc(item) : NULL;

    return doc ? doc_root(doc) : NULL;
}

static bool item_apply(struct shelf_item *item, const struct knowledge *knowledge,
                       const struct resource_library *library, struct chart *chart, struct err *err)
{
    const struct doc *doc = shelf_doc(item);

    if (!doc) return err_set(err, ERR_INPUT, "json.syntax", "the resource is no JSON");
    struct node root = node_root(doc);
    return resource_apply(&root, knowledge, library, chart, NULL, err);
}

struct chart *chart_build(struct shelf *shelf, const char *patient,
                          const struct knowledge *knowledge)
{
    struct resource_library library = { library_find, shelf };
    struct chart *chart = chart_new(patient);
    struct err err;

    for (size_t i = 0; i < shelf->count; i++) {
        struct shelf_item *item = &shelf->items[i];
        item->aside = NULL;
        if (item->gone || item->removed) continue;
        if (!item_apply(item, knowledge, &library, chart, &err)) item->aside = err.code;
    }
    chart_arrange(chart, knowledge);
    return chart;
}
