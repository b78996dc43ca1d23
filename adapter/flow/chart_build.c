#include "flow/chart_build.h"

#include <string.h>

static const struct doc_value *library_find(void *arg, const char *type, const char *id)
{
    struct shelf *shelf = arg;
    struct shelf_item *item = shelf_find(shelf, type[0] ? type : "Medication", id);
    const struct doc *doc = item ? shelf_doc(item) : NULL;

    return doc ? doc_root(doc) : NULL;
}

static void tell_aside(const struct shelf_item *item, const struct err *err, chart_aside_fn *aside,
                       void *arg)
{
    if (aside) aside(item, err, arg);
}

struct chart *chart_build(struct shelf *shelf, const char *patient,
                          const struct knowledge *knowledge, chart_aside_fn *aside, void *arg)
{
    struct resource_library library = { library_find, shelf };
    struct chart *chart = chart_new(patient);
    struct err err;

    for (size_t i = 0; i < shelf->count; i++) {
        struct shelf_item *item = &shelf->items[i];
        if (item->gone || item->removed) continue;
        const struct doc *doc = shelf_doc(item);
        if (!doc) {
            err_set(&err, ERR_INPUT, "json.syntax", "the resource is no JSON");
            tell_aside(item, &err, aside, arg);
            continue;
        }
        struct node root = node_root(doc);
        if (!resource_apply(&root, knowledge, &library, chart, NULL, &err))
            tell_aside(item, &err, aside, arg);
    }
    chart_arrange(chart);
    return chart;
}
