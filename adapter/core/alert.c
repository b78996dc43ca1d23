#include "core/alert.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/doc.h"
#include "base/instant.h"
#include "base/utf8.h"

static const char *const severities[] = { "low", "moderate", "high", NULL };
static const char *const displays[] = { "suppressed", "passive", "interruptive", NULL };
static const char *const states[] = { "open", "cleared", "retracted", NULL };

const char *severity_name(enum severity severity)
{
    return severities[severity];
}

const char *display_name(enum display display)
{
    return displays[display];
}

const char *alert_state_name(enum alert_state state)
{
    return states[state];
}

void alert_key(const char *identity, int64_t episode, char *ret)
{
    struct digest digest;
    char number[24];

    snprintf(number, sizeof number, "%" PRId64, episode);
    digest_init(&digest);
    digest_string(&digest, identity);
    digest_string(&digest, number);
    digest_text(&digest, ret);
}

/* ---- the fields, once for writing, reading and comparing */

static const struct text_field {
    const char *name;
    size_t offset;
    bool says; /* part of what the alert says: alert_same() looks at it */
} texts[] = {
    { "key", offsetof(struct alert, key), false },
    { "identity", offsetof(struct alert, identity), true },
    { "patient", offsetof(struct alert, patient), true },
    { "rule", offsetof(struct alert, rule), true },
    { "title", offsetof(struct alert, title), true },
    { "code", offsetof(struct alert, code), true },
    { "endedWhy", offsetof(struct alert, ended_why), true },
    { "detail", offsetof(struct alert, detail), true },
    { "recommendation", offsetof(struct alert, recommendation), true },
    { "sourceUrl", offsetof(struct alert, source_url), true },
    { "generation", offsetof(struct alert, generation), false },
};

static const struct list_field {
    const char *name;
    size_t offset, count_offset;
} lists[] = {
    { "subjects", offsetof(struct alert, subjects), offsetof(struct alert, subject_count) },
    { "implicated", offsetof(struct alert, implicated), offsetof(struct alert, implicated_count) },
    { "evidence", offsetof(struct alert, evidence), offsetof(struct alert, evidence_count) },
    { "assumptions", offsetof(struct alert, assumptions),
      offsetof(struct alert, assumption_count) },
    { "sources", offsetof(struct alert, sources), offsetof(struct alert, source_count) },
    { "raised", offsetof(struct alert, raised), offsetof(struct alert, raised_count) },
};

static const char *text_of(const struct alert *alert, const struct text_field *field)
{
    const char *text;

    memcpy(&text, (const char *)alert + field->offset, sizeof text);
    return text;
}

struct list {
    const char **items;
    size_t count;
};

static struct list list_of(const struct alert *alert, const struct list_field *field)
{
    struct list list;

    memcpy(&list.items, (const char *)alert + field->offset, sizeof list.items);
    memcpy(&list.count, (const char *)alert + field->count_offset, sizeof list.count);
    return list;
}

static void text_set(struct alert *alert, const struct text_field *field, const char *text)
{
    memcpy((char *)alert + field->offset, &text, sizeof text);
}

static void list_set(struct alert *alert, const struct list_field *field, struct list list)
{
    memcpy((char *)alert + field->offset, &list.items, sizeof list.items);
    memcpy((char *)alert + field->count_offset, &list.count, sizeof list.count);
}

/* ---- comparing */

static bool same_list(struct list a, struct list b)
{
    if (a.count != b.count) return false;
    for (size_t i = 0; i < a.count; i++)
        if (strcmp(a.items[i], b.items[i]) != 0) return false;
    return true;
}

static bool same_also(const struct alert *a, const struct alert *b)
{
    if (a->also_count != b->also_count) return false;
    for (size_t i = 0; i < a->also_count; i++) {
        if (strcmp(a->also[i].rule, b->also[i].rule) != 0) return false;
        if (a->also[i].severity != b->also[i].severity) return false;
    }
    return true;
}

bool alert_same(const struct alert *a, const struct alert *b)
{
    if (a->episode != b->episode || a->opened_ms != b->opened_ms) return false;
    if (a->severity != b->severity || a->display != b->display || a->state != b->state)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i].says && strcmp(text_of(a, &texts[i]), text_of(b, &texts[i])) != 0)
            return false;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (!same_list(list_of(a, &lists[i]), list_of(b, &lists[i]))) return false;
    return same_also(a, b);
}

/* ---- writing */

/* jansson takes UTF-8 only. A text that was cut in the middle of a character must not make an alert
 * unreadable: what is no character becomes '?'. */
static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    AUTO(buf_done) struct buf clean = { 0 };

    if (json) return json;
    for (const char *at = text, *end = text + strlen(text); at < end;) {
        size_t len = utf8_len(at, end);
        if (len)
            buf_add(&clean, at, len);
        else
            buf_char(&clean, '?');
        at += len ? len : 1;
    }
    return json_string(buf_string(&clean));
}

static json_t *list_json(struct list list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list.count; i++) json_array_append_new(array, text_json(list.items[i]));
    return array;
}

static json_t *also_json(const struct alert *alert)
{
    json_t *array = json_array();

    for (size_t i = 0; i < alert->also_count; i++) {
        const struct alert_also *also = &alert->also[i];
        json_array_append_new(array, json_pack("{s:s, s:s}", "rule", also->rule, "severity",
                                               severity_name(also->severity)));
    }
    return array;
}

char *alert_to_json(const struct alert *alert)
{
    json_t *root = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        json_object_set_new(root, texts[i].name, text_json(text_of(alert, &texts[i])));
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        json_object_set_new(root, lists[i].name, list_json(list_of(alert, &lists[i])));
    json_object_set_new(root, "also", also_json(alert));
    json_object_set_new(root, "severity", json_string(severity_name(alert->severity)));
    json_object_set_new(root, "display", json_string(display_name(alert->display)));
    json_object_set_new(root, "state", json_string(alert_state_name(alert->state)));
    json_object_set_new(root, "episode", json_integer(alert->episode));
    json_object_set_new(root, "openedMs", json_integer(alert->opened_ms));
    if (alert->ended_ms != INSTANT_UNSET)
        json_object_set_new(root, "endedMs", json_integer(alert->ended_ms));
    if (alert->ended_by_order) json_object_set_new(root, "endedByOrder", json_true());
    char *text = json_dumps(root, JSON_COMPACT);
    assert(text);
    json_decref(root);
    return text;
}

/* ---- reading */

static bool read_list(const struct node *root, const char *name, struct arena *arena,
                      struct list *ret, struct err *err)
{
    struct node at = node_get(root, name);

    if (!node_is(&at, DOC_ARRAY)) return node_error(root, err, "no list \"%s\"", name);
    ret->count = node_count(&at);
    ret->items = arena_alloc(arena, ret->count * sizeof *ret->items);
    for (size_t i = 0; i < ret->count; i++) {
        struct node item = node_item(&at, i);
        if (!node_is(&item, DOC_STRING)) return node_error(&item, err, "not a string");
        ret->items[i] = arena_copy(arena, item.value->text, strlen(item.value->text));
    }
    return true;
}

static bool read_also(const struct node *root, struct arena *arena, struct alert *ret,
                      struct err *err)
{
    struct node at = node_get(root, "also");

    if (!node_is(&at, DOC_ARRAY)) return node_error(root, err, "no list \"also\"");
    ret->also_count = node_count(&at);
    ret->also = arena_alloc(arena, ret->also_count * sizeof *ret->also);
    for (size_t i = 0; i < ret->also_count; i++) {
        struct node item = node_item(&at, i);
        const char *rule;
        size_t severity;
        if (!node_string(&item, "rule", &rule, err)) return false;
        if (!node_enum(&item, "severity", severities, &severity, err)) return false;
        ret->also[i].rule = arena_copy(arena, rule, strlen(rule));
        ret->also[i].severity = (enum severity)severity;
    }
    return true;
}

static bool read_enums(const struct node *root, struct alert *ret, struct err *err)
{
    size_t severity, display, state;

    if (!node_enum(root, "severity", severities, &severity, err)) return false;
    if (!node_enum(root, "display", displays, &display, err)) return false;
    if (!node_enum(root, "state", states, &state, err)) return false;
    ret->severity = (enum severity)severity; /* the names are in the order of the enums */
    ret->display = (enum display)display;
    ret->state = (enum alert_state)state;
    return true;
}

static bool read_numbers(const struct node *root, struct alert *ret, struct err *err)
{
    if (!node_int(root, "episode", 1, INT64_MAX, &ret->episode, err)) return false;
    if (!node_int(root, "openedMs", INT64_MIN, INT64_MAX, &ret->opened_ms, err)) return false;
    ret->ended_by_order = node_true(root, "endedByOrder");
    ret->ended_ms = INSTANT_UNSET;
    if (!node_get(root, "endedMs").value) return true;
    return node_int(root, "endedMs", INT64_MIN, INT64_MAX, &ret->ended_ms, err);
}

/* Alerts of a version before do not have it. */
static bool is_new(const struct list_field *field)
{
    return strcmp(field->name, "raised") == 0;
}

static bool read_alert(const struct node *root, struct arena *arena, struct alert *ret,
                       struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text;
        if (!node_string(root, texts[i].name, &text, err)) return false;
        text_set(ret, &texts[i], arena_copy(arena, text, strlen(text)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct list list = { 0 };
        if (is_new(&lists[i]) && !node_get(root, lists[i].name).value) continue;
        if (!read_list(root, lists[i].name, arena, &list, err)) return false;
        list_set(ret, &lists[i], list);
    }
    return read_also(root, arena, ret, err) && read_enums(root, ret, err) &&
           read_numbers(root, ret, err);
}

bool alert_from_json(const char *text, size_t len, struct arena *arena, struct alert *ret,
                     struct err *err)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct alert alert = { 0 };

    bool good = doc_parse(text, len, DOC_UNIQUE, &doc, err);
    if (good) {
        struct node root = node_root(doc);
        good = read_alert(&root, arena, &alert, err);
    }
    if (!good) {
        err->kind = ERR_STORE;
        err->code = "alert.content";
        return false;
    }
    *ret = alert;
    return true;
}
