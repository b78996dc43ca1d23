/* What we write has two marks of our own, whose systems do not depend on how a site names its
 * systems, so that they are found again after a change of that: a meta.tag by which our own writes
 * are known, and a coding in the action of the mitigation that ends an alert. */
#include "fhir/detected_issue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/instant.h"
#include "fhir/act_code.h"
#include "fhir/build.h"
#include "fhir/datatype.h"
#include "fhir/issue_text.h"
#include "fhir/raw.h"
#include "fhir/reference.h"

#define MITIGATION_SYSTEM ADAPTER_SYSTEM ":mitigation"
#define SYSTEM_MAX        300

/* "urn:x-myeloma-adapter:rule", "https://adapter.example/rule" */
static json_t *own_coding(const struct issue_options *options, const char *name, const char *code,
                          const char *display)
{
    char system[SYSTEM_MAX];
    bool urn = strncmp(options->system, "urn:", 4) == 0;

    snprintf(system, sizeof system, "%s%s%s", options->system, urn ? ":" : "/", name);
    return build_coding(system, code, display);
}

void issue_id(const struct alert *alert, char *ret)
{
    snprintf(ret, 64, "mm-%s", alert->key);
}

/* ---- text */

static json_t *narrative_of(const struct alert *alert)
{
    AUTO(buf_done) struct buf div = { 0 };
    json_t *text = json_object();

    issue_text_narrative(alert, &div);
    build_text(text, "status", "generated");
    build_text(text, "div", buf_string(&div));
    return text;
}

/* A string in R4, markdown in R5. */
static void set_detail(json_t *issue, const struct alert *alert, enum fhir_release release)
{
    AUTO(buf_done) struct buf detail = { 0 };

    if (release == FHIR_R5)
        issue_text_markdown(alert, &detail);
    else
        issue_text_detail(alert, &detail);
    build_text(issue, "detail", buf_string(&detail));
}

/* ---- parts */

static json_t *meta_of(const struct alert *alert, const struct issue_options *options)
{
    json_t *meta = json_object(), *tags = json_array();

    build_append(tags, build_coding(ADAPTER_SYSTEM, "alert", ""));
    build_append(tags, own_coding(options, "rule", alert->rule, ""));
    if (*alert->generation)
        build_append(tags, own_coding(options, "generation", alert->generation, ""));
    build_append(tags, own_coding(options, "display", display_name(alert->display), ""));
    build_set(meta, "tag", tags);
    return meta;
}

static json_t *identifier_of(const struct issue_options *options, const char *name,
                             const char *value)
{
    json_t *list = json_array(), *identifier = own_coding(options, name, "", "");

    build_text(identifier, "value", value);
    build_append(list, identifier);
    return list;
}

static json_t *code_of(const struct alert *alert, const struct issue_options *options)
{
    json_t *code = json_object(), *codings = json_array();

    if (*alert->code) build_append(codings, act_code_coding(alert->code));
    build_append(codings, own_coding(options, "rule", alert->rule, alert->title));
    build_set(code, "coding", codings);
    build_text(code, "text", alert->title);
    return code;
}

/* R5 keeps the general kind in a member of its own; it stays in the code as well, where readers of
 * every release look. */
static json_t *categories_of(const struct alert *alert)
{
    json_t *list = json_array(), *category = json_object(), *codings = json_array();

    if (*alert->code) build_append(codings, act_code_coding(alert->code));
    build_set(category, "coding", codings);
    build_append(list, category);
    return list;
}

static json_t *period_of(const struct alert *alert)
{
    json_t *period = json_object();
    char text[32];

    build_text(period, "start", instant_text(alert->opened_ms, text, sizeof text));
    if (alert->state != ALERT_OPEN)
        build_text(period, "end", instant_text(alert->ended_ms, text, sizeof text));
    return period;
}

static json_t *references_of(const char **list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) build_append(array, build_reference(list[i]));
    return array;
}

static json_t *evidence_of(const struct alert *alert)
{
    json_t *array = json_array(), *evidence = json_object();

    build_set(evidence, "detail", references_of(alert->evidence, alert->evidence_count));
    build_append(array, evidence);
    return array;
}

/* The patient of R4 is the subject of R5. */
static void set_patient(json_t *issue, const struct alert *alert, enum fhir_release release)
{
    AUTO(buf_done) struct buf reference = { 0 };

    if (!*alert->patient) return;
    buf_printf(&reference, "Patient/%s", alert->patient);
    build_set(issue, release == FHIR_R5 ? "subject" : "patient",
              build_reference(buf_string(&reference)));
}

static json_t *issue_without_mitigation(const struct alert *alert,
                                        const struct issue_options *options, const char *id)
{
    json_t *issue = json_object();
    bool retracted = alert->state == ALERT_RETRACTED;

    build_text(issue, "resourceType", "DetectedIssue");
    if (id) build_text(issue, "id", id);
    build_set(issue, "meta", meta_of(alert, options));
    build_set(issue, "text", narrative_of(alert));
    build_set(issue, "identifier", identifier_of(options, "alert", alert->key));
    build_text(issue, "status", retracted ? "entered-in-error" : "final");
    if (options->release == FHIR_R5) build_set(issue, "category", categories_of(alert));
    build_set(issue, "code", code_of(alert, options));
    build_text(issue, "severity", severity_name(alert->severity));
    set_patient(issue, alert, options->release);
    build_set(issue, "identifiedPeriod", period_of(alert));
    build_set(issue, "author", build_reference(options->device));
    build_set(issue, "implicated", references_of(alert->implicated, alert->implicated_count));
    build_set(issue, "evidence", evidence_of(alert));
    set_detail(issue, alert, options->release);
    build_text(issue, "reference", alert->source_url);
    return issue;
}

/* ---- mitigation */

static bool is_ours(const struct node *mitigation)
{
    struct node action = node_get(mitigation, "action");
    size_t count = datatype_coding_count(&action);

    for (size_t i = 0; i < count; i++)
        if (strcmp(datatype_coding_at(&action, i).system, MITIGATION_SYSTEM) == 0) return true;
    return false;
}

/* The next mitigation from *index on that somebody else wrote; false when there is none. */
static bool next_foreign(const struct node *list, size_t *index, struct node *ret)
{
    size_t count = datatype_count(list);

    for (; *index < count; ++*index) {
        *ret = datatype_item(list, *index);
        if (node_is(ret, DOC_OBJECT) && ret->value->count > 0 && !is_ours(ret)) return true;
    }
    return false;
}

/* The end of an alert that was cleared: a fact without an author, since we are not a practitioner.
 * Code 7 says that the therapy is over, so it stands only where that was the end. */
static json_t *own_mitigation(const struct alert *alert)
{
    json_t *mitigation = json_object(), *action = json_object(), *codings = json_array();
    char when[32];

    if (alert->ended_by_order) build_append(codings, act_code_coding("7"));
    build_append(codings, build_coding(MITIGATION_SYSTEM, "ended", ""));
    build_set(action, "coding", codings);
    build_text(action, "text", alert->ended_why);
    build_set(mitigation, "action", action);
    build_text(mitigation, "date", instant_text(alert->ended_ms, when, sizeof when));
    return mitigation;
}

static void write_mitigation(const struct alert *alert, const struct node *server, struct buf *out)
{
    struct node list = server ? node_get(server, "mitigation") : (struct node){ .value = NULL };
    struct node item;

    for (size_t i = 0; next_foreign(&list, &i, &item); i++) {
        if (out->len) buf_char(out, ',');
        raw_write(item.value, out);
    }
    if (alert->state == ALERT_CLEARED) {
        char *own = build_dump(own_mitigation(alert));
        if (out->len) buf_char(out, ',');
        buf_text(out, own);
        free(own);
    }
}

char *issue_build(const struct alert *alert, const struct issue_options *options, const char *id,
                  const struct node *server)
{
    char *text = build_dump(issue_without_mitigation(alert, options, id));
    AUTO(buf_done) struct buf mitigation = { 0 };
    struct buf issue = { 0 };

    write_mitigation(alert, server, &mitigation);
    if (!mitigation.len) return text;
    buf_add(&issue, text, strlen(text) - 1); /* before the closing brace */
    buf_printf(&issue, ",\"mitigation\":[%s]}", buf_string(&mitigation));
    free(text);
    return buf_take(&issue);
}

/* ---- comparing */

static bool same(const struct node *ours, const struct node *theirs);

/* Servers write references absolute, or versioned; and times in another zone. */
static bool same_text(const char *key, const char *ours, const char *theirs)
{
    struct reference a, b;
    struct span s, t;

    if (strcmp(ours, theirs) == 0) return true;
    if (!key) return false;
    if (strcmp(key, "reference") == 0 && reference_parse(ours, &a) && reference_parse(theirs, &b))
        return strcmp(a.type, b.type) == 0 && strcmp(a.id, b.id) == 0;
    if (strcmp(key, "start") != 0 && strcmp(key, "end") != 0 && strcmp(key, "date") != 0)
        return false;
    return instant_parse(ours, &s) && instant_parse(theirs, &t) && s.start == t.start;
}

static bool same_members(const struct node *ours, const struct node *theirs)
{
    size_t count = node_count(ours);

    for (size_t i = 0; i < count; i++) {
        struct node a = node_member(ours, i), b = node_get(theirs, a.key);
        if (!same(&a, &b)) return false;
    }
    return true;
}

static bool same_items(const struct node *ours, const struct node *theirs)
{
    size_t count = node_count(ours);

    if (datatype_count(theirs) != count) return false;
    for (size_t i = 0; i < count; i++) {
        struct node a = node_item(ours, i), b = datatype_item(theirs, i);
        if (!same(&a, &b)) return false;
    }
    return true;
}

/* Does theirs say what ours says? Members that they add do not matter, items do. */
static bool same(const struct node *ours, const struct node *theirs)
{
    const char *a = node_scalar(ours), *b = node_scalar(theirs);

    if (!theirs->value) return false;
    if (a || b) return a && b && same_text(ours->key, a, b);
    if (node_is(ours, DOC_ARRAY)) return same_items(ours, theirs);
    if (node_is(ours, DOC_OBJECT)) return same_members(ours, theirs);
    return ours->value->kind == theirs->value->kind;
}

static bool same_tag(const struct node *a, const struct node *b)
{
    struct datatype_coding ours = datatype_coding(a), theirs = datatype_coding(b);

    return strcmp(ours.system, theirs.system) == 0 && strcmp(ours.code, theirs.code) == 0;
}

/* Our tags are among theirs: servers carry old ones forward. The generation is left out, since new
 * knowledge that says the same is no reason to write. */
static bool has_tags(const struct node *ours, const struct node *theirs)
{
    struct node meta_a = node_get(ours, "meta"), a = node_get(&meta_a, "tag");
    struct node meta_b = node_get(theirs, "meta"), b = node_get(&meta_b, "tag");
    size_t count_a = node_count(&a), count_b = datatype_count(&b);

    for (size_t i = 0; i < count_a; i++) {
        struct node tag = node_item(&a, i);
        const char *system = node_text(&tag, "system");
        bool found = system && strstr(system, "generation") != NULL;
        for (size_t j = 0; j < count_b && !found; j++) {
            struct node other = datatype_item(&b, j);
            found = same_tag(&tag, &other);
        }
        if (!found) return false;
    }
    return true;
}

/* The next mitigation from *index on that is ours. */
static bool next_own(const struct node *list, size_t *index, struct node *ret)
{
    size_t count = datatype_count(list);

    for (; *index < count; ++*index) {
        *ret = datatype_item(list, *index);
        if (is_ours(ret)) return true;
    }
    return false;
}

/* Of the mitigation ours alone is compared: what others wrote we take over as it is. */
static bool same_end(const struct node *ours, const struct node *theirs)
{
    struct node a = node_get(ours, "mitigation"), b = node_get(theirs, "mitigation"), own, other;
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        bool more = next_own(&a, &i, &own);
        if (more != next_own(&b, &j, &other)) return false;
        if (!more) return true;
        if (!same(&own, &other)) return false;
    }
}

/* Everything that we say stands there, and nothing that we do not say. */
static bool says_same(const struct node *ours, const struct node *theirs)
{
    static const char *const keys[] = {
        "resourceType", "identifier", "status",  "category",  "code",
        "severity",     "patient",    "subject", "author",    "identifiedPeriod",
        "implicated",   "evidence",   "detail",  "reference",
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct node a = node_get(ours, keys[i]), b = node_get(theirs, keys[i]);
        if (a.value ? !same(&a, &b) : datatype_count(&b) > 0) return false;
    }
    return !datatype_has(theirs, "identifiedDateTime") && has_tags(ours, theirs) &&
           same_end(ours, theirs);
}

bool issue_matches(const struct alert *alert, const struct issue_options *options,
                   const struct node *server)
{
    char *text = issue_build(alert, options, NULL, server);
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;
    bool ok = doc_parse(text, strlen(text), 0, &doc, &err);

    free(text);
    if (!ok) return false; /* cannot be: we wrote it */
    struct node ours = node_root(doc);
    return says_same(&ours, server);
}

/* ---- the Device */

void device_id(const char *name, char *ret, size_t size)
{
    char text[DIGEST_TEXT_SIZE];
    struct digest digest;

    digest_init(&digest);
    digest_string(&digest, name);
    digest_text(&digest, text);
    snprintf(ret, size, "mm-adapter-%.12s", text);
}

static json_t *list_of(json_t *item)
{
    json_t *list = json_array();

    build_append(list, item);
    return list;
}

static json_t *named(const char *key, const char *value)
{
    json_t *object = json_object();

    build_text(object, key, value);
    return object;
}

/* R5 renamed the name, and lets a device have several types. */
char *device_build(const char *name, const struct issue_options *options)
{
    bool r5 = options->release == FHIR_R5;
    json_t *device = json_object(), *meta = json_object();
    json_t *called = named(r5 ? "value" : "name", name);
    json_t *type = named("text", "Myeloma drug safety adapter (software)");
    char id[64];

    device_id(name, id, sizeof id);
    build_text(device, "resourceType", "Device");
    build_text(device, "id", id);
    build_set(meta, "tag", list_of(build_coding(ADAPTER_SYSTEM, "device", "")));
    build_set(device, "meta", meta);
    build_set(device, "identifier", identifier_of(options, "device", id));
    build_text(device, "status", "active");
    build_text(called, "type", "user-friendly-name");
    build_set(device, r5 ? "name" : "deviceName", list_of(called));
    build_set(device, "type", r5 ? list_of(type) : type);
    build_set(device, "version", list_of(named("value", options->version)));
    return build_dump(device);
}
