#include "fhir/apply.h"

#include <string.h>

#include "fhir/datatype.h"

#define CONCEPTS_MAX 32 /* that one code may stand for */

void apply_conditions(const struct apply *apply, const struct node *concept,
                      struct concept_set *set)
{
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        unsigned found[CONCEPTS_MAX];
        size_t n =
            knowledge_condition(apply->knowledge, coding.system, coding.code, found, CONCEPTS_MAX);
        for (size_t j = 0; j < n; j++) concept_set_add(set, found[j]);
    }
}

const unsigned *apply_keep_set(const struct apply *apply, struct concept_set *set,
                               size_t *ret_count)
{
    unsigned *items = NULL;

    *ret_count = set->count;
    if (set->count) {
        items = arena_alloc(&apply->chart->arena, set->count * sizeof *items);
        memcpy(items, set->items, set->count * sizeof *items);
    }
    concept_set_done(set);
    *set = (struct concept_set){ 0 };
    return items;
}

bool apply_error(const struct node *at, struct err *err, const char *code, const char *what)
{
    char pointer[sizeof err->where];

    err_set(err, ERR_INPUT, code, "%s", what);
    err->offset = at->offset;
    return err_at(err, "%s", node_pointer(at, pointer, sizeof pointer));
}
