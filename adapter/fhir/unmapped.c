#include "fhir/unmapped.h"

#include <string.h>

#include "fhir/datatype.h"

struct finder {
    const struct knowledge *knowledge;
    unmapped_fn *fn;
    void *arg;
};

static bool is_known(const struct knowledge *knowledge, enum unmapped_kind kind,
                     const struct datatype_coding *coding)
{
    const struct drug_code *drugs;
    enum drug_use use;
    unsigned found;

    switch (kind) {
    case UNMAPPED_DRUG:
        return knowledge_drug(knowledge, coding->system, coding->code, &drugs) > 0;
    case UNMAPPED_RESULT:
        return knowledge_analyte(knowledge, coding->system, coding->code) != CONCEPT_NONE;
    case UNMAPPED_CONDITION:
        return knowledge_condition(knowledge, coding->system, coding->code, &found, 1) > 0;
    case UNMAPPED_ROUTE:
        return knowledge_route(knowledge, coding->system, coding->code, &use) != ROUTE_UNKNOWN;
    case UNMAPPED_UNIT:
        break;
    }
    return false;
}

static unsigned named(const struct finder *finder, enum unmapped_kind kind, const char *display)
{
    const struct drug_code *drugs;
    enum drug_use use;

    if (kind != UNMAPPED_DRUG || !knowledge_drug_named(finder->knowledge, display, &drugs, &use))
        return CONCEPT_NONE;
    return drugs[0].concept;
}

/* Nothing at all (no coding, no text) is no code that could be mapped. */
static void concept_find(const struct finder *finder, enum unmapped_kind kind,
                         const struct node *concept)
{
    size_t count = datatype_coding_count(concept);
    struct unmapped found = { .kind = kind, .system = "", .code = "", .display = "" };

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        if (is_known(finder->knowledge, kind, &coding)) return;
        if (*found.code || !*coding.code) continue;
        found.system = coding.system;
        found.code = coding.code;
        found.display = coding.display;
    }
    if (!*found.code && !node_text(concept, "text")) return;
    found.concept = named(finder, kind, found.display);
    finder->fn(&found, finder->arg);
}

static void member_find(const struct finder *finder, enum unmapped_kind kind, const struct node *at,
                        const char *key)
{
    struct node value = node_get(at, key), inner = node_get(&value, "concept"); /* R5 */
    struct node reference = node_get(&value, "reference");

    if (inner.value)
        concept_find(finder, kind, &inner);
    else if (value.value && !reference.value)
        concept_find(finder, kind, &value);
}

static unsigned analyte_of(const struct knowledge *knowledge, const struct node *code)
{
    unsigned analyte = CONCEPT_NONE;

    for (size_t i = 0; i < datatype_coding_count(code) && !analyte; i++) {
        struct datatype_coding coding = datatype_coding_at(code, i);
        analyte = knowledge_analyte(knowledge, coding.system, coding.code);
    }
    return analyte;
}

static void result_find(const struct finder *finder, const struct node *at)
{
    struct node code = node_get(at, "code"), value = node_get(at, "valueQuantity");
    struct datatype_quantity quantity = datatype_quantity(&value);
    unsigned analyte = analyte_of(finder->knowledge, &code);
    const char *unit = datatype_unit(&quantity);
    struct interval converted;

    if (!analyte) {
        if (code.value) concept_find(finder, UNMAPPED_RESULT, &code);
        return;
    }
    if (!quantity.has_value || analyte_is_coded(finder->knowledge, analyte)) return;
    if (analyte_convert(finder->knowledge, analyte, unit, interval_from(quantity.value, NULL),
                        &converted))
        return;
    const struct unmapped found = {
        .kind = UNMAPPED_UNIT, .system = "", .code = unit, .display = "", .concept = analyte
    };
    finder->fn(&found, finder->arg);
}

/* A panel has no value of its own: its code need not be known. */
static void observation_find(const struct finder *finder, const struct node *at)
{
    struct node parts = node_get(at, "component"), members = node_get(at, "hasMember");
    size_t count = datatype_count(&parts);

    if (!count && !datatype_count(&members)) result_find(finder, at);
    for (size_t i = 0; i < count; i++) {
        struct node part = datatype_item(&parts, i);
        result_find(finder, &part);
    }
}

static void order_find(const struct finder *finder, const struct node *at)
{
    struct node list = node_get(at, "dosageInstruction");

    member_find(finder, UNMAPPED_DRUG, at, "medicationCodeableConcept");
    member_find(finder, UNMAPPED_DRUG, at, "medication");
    for (size_t i = 0; i < datatype_count(&list); i++) {
        struct node dosage = datatype_item(&list, i);
        member_find(finder, UNMAPPED_ROUTE, &dosage, "route");
    }
}

void unmapped_find(const struct node *resource, const struct knowledge *knowledge, unmapped_fn *fn,
                   void *arg)
{
    const struct finder finder = { knowledge, fn, arg };
    const char *type = node_text(resource, "resourceType");
    struct node ingredients = node_get(resource, "ingredient");

    if (!type) return;
    if (strcmp(type, "MedicationRequest") == 0)
        order_find(&finder, resource);
    else if (strcmp(type, "Observation") == 0)
        observation_find(&finder, resource);
    else if (strcmp(type, "Medication") == 0 && !datatype_count(&ingredients))
        member_find(&finder, UNMAPPED_DRUG, resource, "code");
    else if (strcmp(type, "AllergyIntolerance") == 0)
        member_find(&finder, UNMAPPED_DRUG, resource, "code");
    else if (strcmp(type, "Condition") == 0 || strcmp(type, "Procedure") == 0)
        member_find(&finder, UNMAPPED_CONDITION, resource, "code");
}
