#include "base/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTER_SIZE 160 /* of a JSON pointer in an error */

static const char *type_name(const struct doc_value *value)
{
    static const char *const names[] = {
        [DOC_OBJECT] = "an object", [DOC_ARRAY] = "an array", [DOC_STRING] = "a string",
        [DOC_NUMBER] = "a number",  [DOC_TRUE] = "true",      [DOC_FALSE] = "false",
        [DOC_NULL] = "null",
    };
    return value ? names[value->kind] : "nothing";
}

/* ---- walking */

struct node node_root(const struct doc *doc)
{
    const struct doc_value *root = doc_root(doc);

    return (struct node){ .value = root, .offset = root->offset };
}

/* An object's member of that name, or NULL. */
static const struct doc_member *find(const struct doc_value *object, const char *key)
{
    size_t len = strlen(key);

    if (!object || object->kind != DOC_OBJECT) return NULL;
    for (uint32_t i = 0; i < object->count; i++) {
        const struct doc_member *member = &object->members[i];
        if (member->name_len == len && memcmp(member->name, key, len) == 0) return member;
    }
    return NULL;
}

struct node node_get(const struct node *at, const char *key)
{
    const struct doc_member *member = find(at->value, key);
    struct node node = { .up = at, .key = key, .offset = at->offset };

    if (member) {
        node.value = &member->value;
        node.offset = member->offset;
    }
    return node;
}

struct node node_item(const struct node *at, size_t index)
{
    struct node node = { .up = at, .index = index, .offset = at->offset };

    if (node_is(at, DOC_ARRAY) && index < at->value->count) {
        node.value = &at->value->items[index];
        node.offset = node.value->offset;
    }
    return node;
}

struct node node_member(const struct node *at, size_t index)
{
    struct node node = { .up = at, .index = index, .offset = at->offset };

    if (node_is(at, DOC_OBJECT) && index < at->value->count) {
        const struct doc_member *member = &at->value->members[index];
        node.value = &member->value;
        node.key = member->name;
        node.offset = member->offset;
    }
    return node;
}

size_t node_count(const struct node *at)
{
    return node_is(at, DOC_ARRAY) || node_is(at, DOC_OBJECT) ? at->value->count : 0;
}

bool node_is(const struct node *at, enum doc_kind kind)
{
    return at->value && at->value->kind == kind;
}

/* ---- our own files */

/* Add the place to an error. Returns false. */
static bool place(const struct node *at, struct err *err)
{
    char pointer[POINTER_SIZE];

    err->offset = at->offset;
    return err_at(err, "%s", node_pointer(at, pointer, sizeof pointer));
}

bool node_error(const struct node *at, struct err *err, const char *fmt, ...)
{
    char what[sizeof err->what];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(err, ERR_CONFIG, "json.value", "%s", what);
    return place(at, err);
}

/* How an error calls a node: "severity" in quotes, item 3, the document. */
static void name_of(const struct node *at, char *buf, size_t size)
{
    if (at->key)
        snprintf(buf, size, "\"%s\"", at->key);
    else if (at->up)
        snprintf(buf, size, "item %zu", at->index);
    else
        snprintf(buf, size, "the document");
}

static bool type_error(const struct node *at, const char *wanted, const char *got, struct err *err)
{
    char name[80];

    name_of(at, name, sizeof name);
    if (at->value) {
        err_set(err, ERR_CONFIG, "json.type", "%s must be %s, not %s", name, wanted, got);
    } else {
        err_set(err, ERR_CONFIG, "json.missing", "%s is missing", name);
        err_fix(err, "add it as %s", wanted);
    }
    return place(at, err);
}

static bool has_nul(const struct doc_value *string)
{
    return memchr(string->text, '\0', string->count) != NULL;
}

bool node_string(const struct node *at, const char *key, const char **ret, struct err *err)
{
    struct node node = node_get(at, key);

    if (!node_is(&node, DOC_STRING))
        return type_error(&node, "a string", type_name(node.value), err);
    if (has_nul(node.value)) return node_error(&node, err, "\"%s\" has a NUL in it", key);
    *ret = node.value->text;
    return true;
}

static bool is_integer(const struct doc_value *number)
{
    return strcspn(number->text, ".eE") == number->count;
}

bool node_int(const struct node *at, const char *key, int64_t min, int64_t max, int64_t *ret,
              struct err *err)
{
    struct node node = node_get(at, key);

    if (!node_is(&node, DOC_NUMBER))
        return type_error(&node, "an integer", type_name(node.value), err);
    if (!is_integer(node.value)) return type_error(&node, "an integer", "a decimal", err);
    errno = 0;
    int64_t number = strtoll(node.value->text, NULL, 10);
    if (errno == ERANGE || number < min || number > max) {
        err_set(err, ERR_CONFIG, "json.range", "\"%s\" is %.40s", key, node.value->text);
        err_fix(err, "use %" PRId64 " to %" PRId64, min, max);
        return place(&node, err);
    }
    *ret = number;
    return true;
}

bool node_enum(const struct node *at, const char *key, const char *const *names, size_t *ret,
               struct err *err)
{
    struct node node = node_get(at, key);
    const char *text, *guess;

    if (!node_string(at, key, &text, err)) return false;
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0) {
            *ret = i;
            return true;
        }
    err_set(err, ERR_CONFIG, "json.value", "\"%s\" is not a known %s", text, key);
    guess = nearest(text, names);
    if (guess) err_fix(err, "did you mean \"%s\"?", guess);
    return place(&node, err);
}

static bool listed(const struct doc_member *member, const char *const *list)
{
    if (strlen(member->name) != member->name_len) return false;
    while (*list && strcmp(*list, member->name) != 0) list++;
    return *list != NULL;
}

bool node_only(const struct node *at, const char *const *keys, struct err *err)
{
    if (!node_is(at, DOC_OBJECT)) return type_error(at, "an object", type_name(at->value), err);
    for (size_t i = 0; i < at->value->count; i++) {
        if (listed(&at->value->members[i], keys)) continue;
        struct node bad = node_member(at, i);
        err_set(err, ERR_CONFIG, "json.unknown-key", "unknown key \"%s\"", bad.key);
        const char *guess = nearest(bad.key, keys);
        if (guess) err_fix(err, "did you mean \"%s\"?", guess);
        return place(&bad, err);
    }
    return true;
}

/* ---- FHIR */

const char *node_text(const struct node *at, const char *key)
{
    const struct doc_member *member = find(at->value, key);

    if (!member || member->value.kind != DOC_STRING) return NULL;
    return member->value.count > 0 && !has_nul(&member->value) ? member->value.text : NULL;
}

const char *node_scalar(const struct node *at)
{
    if (node_is(at, DOC_NUMBER)) return at->value->text;
    return node_is(at, DOC_STRING) && !has_nul(at->value) ? at->value->text : NULL;
}

bool node_true(const struct node *at, const char *key)
{
    const struct doc_member *member = find(at->value, key);

    return member && member->value.kind == DOC_TRUE;
}

/* ---- */

static void put(char c, char *buf, size_t size, size_t *used)
{
    if (*used + 1 >= size) return;
    buf[(*used)++] = c;
    buf[*used] = '\0';
}

/* Append the step to a member, escaped; what does not fit is cut. */
static void pointer_key(const char *key, char *buf, size_t size, size_t used)
{
    put('/', buf, size, &used);
    for (const char *c = key; *c; c++) {
        if (*c == '~' || *c == '/') put('~', buf, size, &used);
        put(*c == '~' ? '0' : *c == '/' ? '1' : *c, buf, size, &used);
    }
}

const char *node_pointer(const struct node *at, char *buf, size_t size)
{
    if (!at->up) {
        buf[0] = '\0';
        return buf;
    }
    node_pointer(at->up, buf, size);
    size_t used = strlen(buf);
    if (at->key)
        pointer_key(at->key, buf, size, used);
    else
        snprintf(buf + used, size - used, "/%zu", at->index);
    return buf;
}

/* Edit distance with transpositions, cut off above 2: row by row, three rows kept. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX = 48 };
    unsigned rows[3][MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > MAX || m > MAX) return 3;
    for (size_t j = 0; j <= m; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best) best = above[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[n % 3][m];
}

const char *nearest(const char *word, const char *const *candidates)
{
    const char *found = NULL;
    unsigned best = 3;

    for (; *candidates; candidates++) {
        unsigned d = distance(word, *candidates);
        if (d < best) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}
