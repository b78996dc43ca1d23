/* Members are found by doc_skip(), which goes over a value by brackets and quotes alone: an entry
 * with a mistake inside is still found whole, and is refused alone when somebody parses it. */
#include "fhir/bundle.h"

#include <stdio.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/reference.h"

#define NESTED_MAX 8 /* Bundles within Bundles */

struct slice {
    const char *at, *end;
};

struct walk {
    const struct bundle_visitor *visitor;
    bool stopped;
};

static void bad(struct walk *walk, size_t index, const char *code, const char *what)
{
    struct err err;

    err_set(&err, ERR_INPUT, code, "%s", what);
    err_at(&err, "entry %zu", index);
    if (!walk->visitor->bad(index, &err, walk->visitor->arg)) walk->stopped = true;
}

static void visit(struct walk *walk, const struct bundle_entry *entry)
{
    if (!walk->visitor->entry(entry, walk->visitor->arg)) walk->stopped = true;
}

/* ---- slices of JSON text */

static void skip_space(struct slice *text)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at) text->at++;
}

static bool next_is(struct slice *text, char c)
{
    skip_space(text);
    if (text->at == text->end || *text->at != c) return false;
    text->at++;
    return true;
}

/* Take the value that comes next. */
static bool take_value(struct slice *text, struct slice *ret)
{
    skip_space(text);
    const char *end = doc_skip(text->at, text->end);
    if (!end) return false;
    *ret = (struct slice){ text->at, end };
    text->at = end;
    return true;
}

/* The string in a slice, unescaped; "" when it is none or does not fit. */
static void string_of(struct slice value, char *buf, size_t size)
{
    AUTO(doc_free) struct doc *doc = NULL;
    size_t len = (size_t)(value.end - value.at);
    struct err err;

    buf[0] = '\0';
    if (len < 2 || value.at[0] != '"') return;
    if (!memchr(value.at, '\\', len)) {
        if (len - 2 >= size || memchr(value.at, '\0', len)) return;
        memcpy(buf, value.at + 1, len - 2);
        buf[len - 2] = '\0';
        return;
    }
    if (len > 6 * size || !doc_parse(value.at, len, 0, &doc, &err)) return;
    if (doc_root(doc)->count < size) snprintf(buf, size, "%s", doc_root(doc)->text);
}

enum step { STEP_MEMBER, STEP_END, STEP_BROKEN };

/* The next member of an object whose opening brace is behind. */
static enum step next_member(struct slice *text, char name[32], struct slice *ret)
{
    struct slice key;

    name[0] = '\0';
    next_is(text, ',');
    if (next_is(text, '}')) return STEP_END;
    if (text->at == text->end || *text->at != '"') return STEP_BROKEN;
    if (!take_value(text, &key) || !next_is(text, ':')) return STEP_BROKEN;
    string_of(key, name, 32);
    skip_space(text);
    ret->at = text->at; /* where the value starts, also when it breaks off */
    return take_value(text, ret) ? STEP_MEMBER : STEP_BROKEN;
}

/* The value of a member of an object; an empty slice when there is none. */
static struct slice member_of(struct slice object, const char *wanted)
{
    struct slice value;
    char name[32];

    if (!next_is(&object, '{')) return (struct slice){ NULL, NULL };
    while (next_member(&object, name, &value) == STEP_MEMBER)
        if (strcmp(name, wanted) == 0) return value;
    return (struct slice){ NULL, NULL };
}

static void member_string(struct slice object, const char *name, char *buf, size_t size)
{
    struct slice value = member_of(object, name);

    buf[0] = '\0';
    if (value.at) string_of(value, buf, size);
}

/* ---- entries */

static void walk_resource(struct walk *walk, struct slice text, struct bundle_entry *entry,
                          unsigned depth);

/* A deletion has no resource: the type is read off its URL. */
static void deletion(struct walk *walk, struct bundle_entry *entry)
{
    struct reference reference;

    if (reference_parse(entry->url, &reference) || reference_parse(entry->full_url, &reference))
        snprintf(entry->type, sizeof entry->type, "%s", reference.type);
    visit(walk, entry);
}

/* The members of an entry; *ret_resource is empty when there is none. */
static void read_entry(struct slice text, struct bundle_entry *entry, struct slice *ret_resource)
{
    struct slice value;
    char name[32];

    *ret_resource = (struct slice){ NULL, NULL };
    next_is(&text, '{');
    while (next_member(&text, name, &value) == STEP_MEMBER) {
        if (strcmp(name, "resource") == 0 && !ret_resource->at) {
            *ret_resource = value;
        } else if (strcmp(name, "fullUrl") == 0) {
            string_of(value, entry->full_url, sizeof entry->full_url);
        } else if (strcmp(name, "request") == 0) {
            member_string(value, "method", entry->method, sizeof entry->method);
            member_string(value, "url", entry->url, sizeof entry->url);
        } else if (strcmp(name, "response") == 0) {
            member_string(value, "lastModified", entry->modified, sizeof entry->modified);
        }
    }
}

static void walk_entry(struct walk *walk, struct slice text, size_t index, bool history,
                       unsigned depth)
{
    struct bundle_entry entry = { .index = index, .history = history };
    struct slice resource;

    if (*text.at != '{') {
        bad(walk, index, "bundle.entry", "the entry is no object");
        return;
    }
    read_entry(text, &entry, &resource);
    if (resource.at)
        walk_resource(walk, resource, &entry, depth);
    else if (strcmp(entry.method, "DELETE") == 0)
        deletion(walk, &entry);
}

/* The items of the array that starts at text, one by one, until one breaks off. Nested entries
 * keep the index of the outermost one. */
static void walk_entries(struct walk *walk, struct slice text, const size_t *outer, bool history,
                         unsigned depth)
{
    struct slice item;
    size_t index = 0;

    if (!next_is(&text, '[')) {
        bad(walk, outer ? *outer : 0, "bundle.entry", "the list of entries is no list");
        return;
    }
    for (; !walk->stopped; index++) {
        next_is(&text, ',');
        if (next_is(&text, ']')) return;
        if (!take_value(&text, &item)) break;
        walk_entry(walk, item, outer ? *outer : index, history, depth);
    }
    if (!walk->stopped)
        bad(walk, outer ? *outer : index, "bundle.syntax", "the list of entries breaks off");
}

/* A Bundle; its type may stand behind its entries. */
static void walk_bundle(struct walk *walk, struct slice text, const size_t *outer, unsigned depth)
{
    struct slice object = text, value, entries = { NULL, NULL };
    char name[32], type[32] = "";
    enum step step;

    next_is(&object, '{');
    while ((step = next_member(&object, name, &value)) == STEP_MEMBER) {
        if (strcmp(name, "type") == 0) string_of(value, type, sizeof type);
        if (strcmp(name, "entry") == 0 && !entries.at) entries = value;
    }
    if (step == STEP_BROKEN && strcmp(name, "entry") == 0 && !entries.at)
        entries = (struct slice){ value.at, text.end };
    else if (step == STEP_BROKEN)
        bad(walk, outer ? *outer : 0, "bundle.syntax", "the Bundle breaks off");
    if (entries.at && !walk->stopped)
        walk_entries(walk, entries, outer, strcmp(type, "history") == 0, depth);
}

static void walk_resource(struct walk *walk, struct slice text, struct bundle_entry *entry,
                          unsigned depth)
{
    if (*text.at != '{') {
        bad(walk, entry->index, "bundle.entry", "the resource is no object");
        return;
    }
    member_string(text, "resourceType", entry->type, sizeof entry->type);
    if (strcmp(entry->type, "Bundle") != 0) {
        entry->text = text.at;
        entry->len = (size_t)(text.end - text.at);
        visit(walk, entry);
    } else if (depth == NESTED_MAX) {
        bad(walk, entry->index, "bundle.depth", "too many Bundles within Bundles");
    } else {
        walk_bundle(walk, text, &entry->index, depth + 1);
    }
}

/* ---- files */

static void walk_one(struct walk *walk, struct slice text)
{
    struct slice rest = text, first = text;
    char type[40];

    if (take_value(&rest, &first)) skip_space(&rest);
    member_string(first, "resourceType", type, sizeof type);
    if (strcmp(type, "Bundle") == 0)
        walk_bundle(walk, first, NULL, 1);
    else
        walk_resource(walk, first, &(struct bundle_entry){ .index = 0 }, 0);
    if (rest.at > text.at && rest.at < rest.end && !walk->stopped)
        bad(walk, 0, "bundle.syntax", "there is something behind the end");
}

/* A list of resources, as some converters write them. */
static void walk_list(struct walk *walk, struct slice text)
{
    struct slice item;
    size_t index = 0;

    next_is(&text, '[');
    for (; !walk->stopped; index++) {
        next_is(&text, ',');
        if (next_is(&text, ']')) break;
        if (!take_value(&text, &item)) {
            bad(walk, index, "bundle.syntax", "the list breaks off");
            return;
        }
        walk_resource(walk, item, &(struct bundle_entry){ .index = index }, 0);
    }
    skip_space(&text);
    if (text.at < text.end && !walk->stopped)
        bad(walk, index, "bundle.syntax", "there is something behind the end");
    else if (!index)
        bad(walk, 0, "bundle.empty", "the list is empty");
}

/* The next line that is not blank, without the spaces around it. *index counts all lines. */
static bool next_line(struct slice *text, size_t *index, struct slice *ret)
{
    while (text->at < text->end) {
        const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
        *ret = (struct slice){ text->at, newline ? newline : text->end };
        text->at = newline ? newline + 1 : text->end;
        skip_space(ret);
        while (ret->end > ret->at && (unsigned char)ret->end[-1] <= ' ') ret->end--;
        if (ret->at < ret->end) return true;
        ++*index;
    }
    return false;
}

/* Is the text exactly one object? */
static bool is_object(struct slice text)
{
    struct slice value;

    if (text.at == text.end || *text.at != '{' || !take_value(&text, &value)) return false;
    skip_space(&text);
    return text.at == text.end;
}

/* Lines of one object each: one of the first lines is an object, and the whole is not. */
static bool is_ndjson(struct slice text)
{
    struct slice line;
    size_t index = 0;

    if (is_object(text)) return false;
    for (unsigned i = 0; i < 3 && next_line(&text, &index, &line); i++)
        if (is_object(line)) return true;
    return false;
}

static void walk_lines(struct walk *walk, struct slice text)
{
    struct slice line;

    for (size_t index = 0; !walk->stopped && next_line(&text, &index, &line); index++) {
        if (is_object(line))
            walk_resource(walk, line, &(struct bundle_entry){ .index = index, .line = true }, 0);
        else
            bad(walk, index, "bundle.syntax", "the line is not one JSON object");
    }
}

void bundle_walk(const char *text, size_t len, const struct bundle_visitor *visitor)
{
    struct slice all = { text, text + len };
    struct walk walk = { .visitor = visitor };

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) all.at += 3;
    skip_space(&all);
    if (all.at == all.end)
        bad(&walk, 0, "bundle.empty", "there is nothing in it");
    else if (is_ndjson(all))
        walk_lines(&walk, all);
    else if (*all.at == '{')
        walk_one(&walk, all);
    else if (*all.at == '[')
        walk_list(&walk, all);
    else
        bad(&walk, 0, "bundle.syntax", "neither a JSON object nor lines of them");
}
