#include "fhir/allergy.h"

#include "fhir/datatype.h"

static void add_drugs(const struct apply *apply, const struct node *concept,
                      struct concept_set *set)
{
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        const struct drug_code *drugs;
        size_t n = knowledge_drug(apply->knowledge, coding.system, coding.code, &drugs);
        for (size_t j = 0; j < n; j++) concept_set_add(set, drugs[j].concept);
    }
}

static bool has_code(const struct node *at, const char *key, const char *const *codes)
{
    struct node concept = node_get(at, key);

    for (; *codes; codes++)
        if (datatype_has_code(&concept, *codes)) return true;
    return false;
}

/* Refuted and mistaken ones, and those that the patient no longer has. */
static bool is_removed(const struct node *at)
{
    static const char *const unverified[] = { "refuted", "entered-in-error", NULL };
    static const char *const past[] = { "inactive", "resolved", NULL };

    return has_code(at, "verificationStatus", unverified) || has_code(at, "clinicalStatus", past);
}

bool allergy_apply(const struct node *at, const struct apply *apply, struct err *err)
{
    struct chart_allergy allergy = { .source = apply->source, .removed = is_removed(at) };
    struct node code = node_get(at, "code"), reactions = node_get(at, "reaction");
    struct concept_set drugs = { 0 };
    size_t count = datatype_count(&reactions);

    (void)err;
    add_drugs(apply, &code, &drugs);
    for (size_t i = 0; i < count; i++) {
        struct node reaction = datatype_item(&reactions, i);
        struct node substance = node_get(&reaction, "substance");
        add_drugs(apply, &substance, &drugs);
    }
    allergy.drugs = apply_keep_set(apply, &drugs, &allergy.drug_count);
    chart_add_allergy(apply->chart, &allergy);
    return true;
}
