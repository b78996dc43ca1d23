#include "fhir/resource.h"

#include <string.h>

#include "fhir/allergy.h"
#include "fhir/apply.h"
#include "fhir/condition.h"
#include "fhir/datatype.h"
#include "fhir/detected_issue.h"
#include "fhir/medication_request.h"
#include "fhir/observation.h"
#include "fhir/patient.h"
#include "fhir/reference.h"

typedef bool apply_fn(const struct node *at, const struct apply *apply, struct err *err);

static const struct used_type {
    const char *name;
    apply_fn *apply; /* NULL: adds nothing by itself */
} used_types[] = {
    { "MedicationRequest", medication_request_apply },
    { "Observation", observation_apply },
    { "Condition", condition_apply },
    { "Procedure", condition_apply_procedure },
    { "AllergyIntolerance", allergy_apply },
    { "Patient", patient_apply },
    { "Medication", NULL },
};

static const struct used_type *used_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(used_types); i++)
        if (strcmp(used_types[i].name, name) == 0) return &used_types[i];
    return NULL;
}

bool resource_is_used(const char *type)
{
    return used_type(type) != NULL;
}

int resource_id_compare(const char *one, const char *other)
{
    size_t m = strlen(one), n = strlen(other);

    if (m != n) return m < n ? -1 : 1;
    return strcmp(one, other);
}

/* ---- heads */

static const char *keep(struct arena *arena, const char *text)
{
    return text ? arena_copy(arena, text, strlen(text)) : "";
}

/* The id in a literal reference to a Patient; a urn:uuid may be one. */
static const char *patient_in(const struct node *at, const char *key, struct arena *arena)
{
    struct node subject = node_get(at, key);
    const char *text = node_text(&subject, "reference");
    struct reference reference;

    if (!text || !reference_parse(text, &reference) || reference.contained) return "";
    if (!reference.urn && strcmp(reference.type, "Patient") != 0) return "";
    return keep(arena, reference.id);
}

static const char *patient_of(const struct node *at, const struct resource_head *head,
                              struct arena *arena)
{
    if (strcmp(head->type, "Patient") == 0) return head->id;
    const char *subject = patient_in(at, "subject", arena);
    return *subject ? subject : patient_in(at, "patient", arena);
}

/* When the fact came to be known, for replay in that order: the first of these that is there. */
static int64_t clinical_time(const struct node *at)
{
    static const char *const plain[] = { "authoredOn",        "issued",
                                         "effectiveDateTime", "effectiveInstant",
                                         "recordedDate",      "recorded",
                                         "performedDateTime", "occurrenceDateTime",
                                         "onsetDateTime",     NULL };
    static const char *const periods[] = { "effectivePeriod", "performedPeriod", "occurrencePeriod",
                                           "onsetPeriod", NULL };
    int64_t ms;

    for (size_t i = 0; plain[i]; i++)
        if ((ms = datatype_start(at, plain[i], INSTANT_UNSET)) != INSTANT_UNSET) return ms;
    for (size_t i = 0; periods[i]; i++) {
        struct node period = node_get(at, periods[i]);
        ms = datatype_start(&period, "start", INSTANT_UNSET);
        ms = datatype_start(&period, "end", ms);
        if (ms != INSTANT_UNSET) return ms;
    }
    return INSTANT_UNSET;
}

/* Own writes carry a tag whose system is ADAPTER_SYSTEM, whatever systems a site configures. */
static bool has_own_tag(const struct node *meta)
{
    struct node tags = node_get(meta, "tag");
    size_t count = datatype_count(&tags), len = sizeof ADAPTER_SYSTEM - 1;

    for (size_t i = 0; i < count; i++) {
        struct node tag = datatype_item(&tags, i);
        const char *system = node_text(&tag, "system");
        if (system && strncmp(system, ADAPTER_SYSTEM, len) == 0 &&
            (system[len] == '\0' || system[len] == ':'))
            return true;
    }
    return false;
}

bool resource_head_read(const struct node *at, struct arena *arena, struct resource_head *ret,
                        struct err *err)
{
    const char *type = node_text(at, "resourceType");
    struct node meta = node_get(at, "meta"), id = node_get(at, "id");
    struct resource_head head = { .id = "" };

    if (!type) return apply_error(at, err, "fhir.not-a-resource", "no resource: no resourceType");
    if (datatype_has(at, "id")) {
        if (!node_is(&id, DOC_STRING) || !reference_id_ok(id.value->text))
            return apply_error(&id, err, "fhir.id", "the id is not a legal FHIR id");
        head.id = keep(arena, id.value->text);
    }
    head.type = keep(arena, type);
    head.version = keep(arena, node_text(&meta, "versionId"));
    head.updated_ms = datatype_start(&meta, "lastUpdated", INSTANT_UNSET);
    head.patient = patient_of(at, &head, arena);
    head.clinical_ms = clinical_time(at);
    head.ours = has_own_tag(&meta);
    *ret = head;
    return true;
}

/* ---- references to a Medication */

bool resource_needs_medication(const struct node *at, struct reference *ret)
{
    const char *type = node_text(at, "resourceType");
    struct node r4 = node_get(at, "medicationReference"), r5 = node_get(at, "medication");
    struct node r5_reference = node_get(&r5, "reference");
    const char *text = node_text(&r4, "reference");

    if (!type || strcmp(type, "MedicationRequest") != 0) return false;
    if (!text) text = node_text(&r5_reference, "reference");
    if (!text || !reference_parse(text, ret) || ret->contained) return false;
    return ret->urn || strcmp(ret->type, "Medication") == 0;
}

/* ---- dispatch */

bool resource_apply(const struct node *at, const struct knowledge *knowledge,
                    const struct resource_library *library, struct chart *chart,
                    const char **ret_unmapped, struct err *err)
{
    const struct used_type *type;
    struct resource_head head;

    if (ret_unmapped) *ret_unmapped = NULL;
    if (!resource_head_read(at, &chart->arena, &head, err)) return false;
    if (!(type = used_type(head.type)) || !type->apply) return true;
    struct apply apply = {
        .knowledge = knowledge,
        .library = library,
        .chart = chart,
        .source = { head.type, head.id, head.version, head.updated_ms },
        .ret_unmapped = ret_unmapped,
    };
    return type->apply(at, &apply, err);
}

bool resource_has_identifier(const struct node *root, const char *value)
{
    struct node list = node_get(root, "identifier");
    size_t count = node_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = node_item(&list, i);
        const char *text = node_text(&item, "value");
        if (text && strcmp(text, value) == 0) return true;
    }
    return false;
}
