#include "fhir/roster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fhir/datatype.h"

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Sort, and keep one of each. */
static void order(struct roster *roster)
{
    size_t kept = 0;

    if (!roster->count) return;
    qsort(roster->ids, roster->count, sizeof *roster->ids, compare);
    for (size_t i = 1; i < roster->count; i++)
        if (strcmp(roster->ids[kept], roster->ids[i]) != 0 && ++kept != i)
            memcpy(roster->ids[kept], roster->ids[i], sizeof *roster->ids);
    roster->count = kept + 1;
}

/* id: legal. Room grows by doubling. */
static bool add(struct roster *roster, const char *id, enum err_kind kind, struct err *err)
{
    size_t n = roster->count;

    if (n == ROSTER_MAX)
        return err_set(err, kind, "roster.many", "more than %d patients", ROSTER_MAX);
    if ((n & (n - 1)) == 0)
        roster->ids = mem_resize(roster->ids, (n ? 2 * n : 1) * sizeof *roster->ids);
    snprintf(roster->ids[roster->count++], sizeof *roster->ids, "%s", id);
    return true;
}

/* The id of a patient that a reference names. */
static bool patient_of(const char *text, char ret[REFERENCE_ID_MAX + 1])
{
    struct reference reference;

    if (!text || !reference_parse(text, &reference)) return false;
    if (reference.urn || reference.contained || strcmp(reference.type, "Patient") != 0)
        return false;
    memcpy(ret, reference.id, sizeof reference.id);
    return true;
}

bool roster_is_resource(const char *source)
{
    struct reference reference;

    return reference_parse(source, &reference) && !reference.absolute && !reference.version[0] &&
           (strcmp(reference.type, "Group") == 0 || strcmp(reference.type, "List") == 0);
}

/* ---- a text */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One line, without its end. */
static bool line_add(struct roster *roster, const char *line, size_t len, struct err *err)
{
    const char *comment = memchr(line, '#', len);
    char text[sizeof "Patient/" + REFERENCE_ID_MAX], id[REFERENCE_ID_MAX + 1];

    if (comment) len = (size_t)(comment - line);
    while (len && is_space(*line)) line++, len--;
    while (len && is_space(line[len - 1])) len--;
    if (!len) return true;
    if (len < sizeof text && !memchr(line, '\0', len)) {
        memcpy(text, line, len);
        text[len] = '\0';
        if (reference_id_ok(text)) return add(roster, text, ERR_CONFIG, err);
        if (strncmp(text, "Patient/", 8) == 0 && patient_of(text, id))
            return add(roster, id, ERR_CONFIG, err);
    }
    err_set(err, ERR_CONFIG, "roster.id", "this line is no id of a patient");
    return err_fix(err, "write one id a line: letters, digits, - and . (64 at most)");
}

bool roster_of_text(const char *text, size_t len, struct roster *ret, struct err *err)
{
    struct roster roster = { .count = 0 };
    size_t at = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    while (at < len) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end ? (size_t)(end - text) - at : len - at;
        if (!line_add(&roster, text + at, line, err)) {
            err->offset = (uint32_t)at;
            roster_done(&roster);
            return false;
        }
        at += line + 1;
    }
    order(&roster);
    *ret = roster;
    return true;
}

/* ---- a resource */

struct shape {
    const char *list, *member, *left_out;
};

static const struct shape *shape_of(const struct node *at)
{
    static const struct shape group = { "member", "entity", "inactive" };
    static const struct shape list = { "entry", "item", "deleted" };
    const char *type = node_text(at, "resourceType");

    if (type && strcmp(type, "Group") == 0) return &group;
    return type && strcmp(type, "List") == 0 ? &list : NULL;
}

static bool member_add(struct roster *roster, const struct node *item, const struct shape *shape,
                       struct err *err)
{
    struct node reference = node_get(item, shape->member);
    char id[REFERENCE_ID_MAX + 1];

    if (node_true(item, shape->left_out)) return true;
    if (patient_of(node_text(&reference, "reference"), id)) return add(roster, id, ERR_INPUT, err);
    roster->passed_over++;
    return true;
}

bool roster_of_resource(const struct node *at, struct roster *ret, struct err *err)
{
    const struct shape *shape = shape_of(at);
    struct roster roster = { .count = 0 };
    struct node list;

    if (!shape)
        return err_set(err, ERR_INPUT, "roster.shape", "this is neither a Group nor a List");
    list = node_get(at, shape->list);
    for (size_t i = 0; i < datatype_count(&list); i++) {
        struct node item = datatype_item(&list, i);
        if (!member_add(&roster, &item, shape, err)) {
            roster_done(&roster);
            return false;
        }
    }
    order(&roster);
    *ret = roster;
    return true;
}

bool roster_has(const struct roster *roster, const char *id)
{
    return roster->count &&
           bsearch(id, roster->ids, roster->count, sizeof *roster->ids, compare) != NULL;
}

void roster_done(struct roster *roster)
{
    free(roster->ids);
    *roster = (struct roster){ .count = 0 };
}
