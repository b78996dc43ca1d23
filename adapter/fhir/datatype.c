#include "fhir/datatype.h"

#include <string.h>

#include "base/utf8.h"

size_t datatype_count(const struct node *list)
{
    if (!list->value || list->value->kind == DOC_NULL) return 0;
    return list->value->kind == DOC_ARRAY ? list->value->count : 1;
}

struct node datatype_item(const struct node *list, size_t index)
{
    return node_is(list, DOC_ARRAY) ? node_item(list, index) : *list;
}

bool datatype_has(const struct node *at, const char *key)
{
    struct node member = node_get(at, key);

    return member.value && member.value->kind != DOC_NULL;
}

bool datatype_maybe_true(const struct node *at, const char *key)
{
    struct node member = node_get(at, key);

    if (!member.value || member.value->kind == DOC_NULL) return false;
    if (member.value->kind == DOC_STRING) return strcmp(member.value->text, "false") != 0;
    return member.value->kind != DOC_FALSE;
}

/* ---- codings */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

size_t datatype_coding_count(const struct node *concept)
{
    struct node list = node_get(concept, "coding");

    return datatype_count(&list);
}

struct datatype_coding datatype_coding(const struct node *coding)
{
    return (struct datatype_coding){ or_empty(node_text(coding, "system")),
                                     or_empty(node_text(coding, "code")),
                                     or_empty(node_text(coding, "display")) };
}

struct datatype_coding datatype_coding_at(const struct node *concept, size_t index)
{
    struct node list = node_get(concept, "coding"), item = datatype_item(&list, index);

    return datatype_coding(&item);
}

const char *datatype_code(const struct node *concept)
{
    size_t count = datatype_coding_count(concept);

    if (node_is(concept, DOC_STRING)) return node_scalar(concept);
    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        if (*coding.code) return coding.code;
    }
    return NULL;
}

bool datatype_has_code(const struct node *concept, const char *code)
{
    size_t count = datatype_coding_count(concept);

    if (node_is(concept, DOC_STRING)) return strcmp(concept->value->text, code) == 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(datatype_coding_at(concept, i).code, code) == 0) return true;
    return false;
}

const char *datatype_unmapped(const struct node *concept, struct arena *arena)
{
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        if (!*coding.code) continue;
        size_t system = strlen(coding.system), code = strlen(coding.code);
        if (system > DATATYPE_WORDS_MAX) system = 0;
        if (code > DATATYPE_WORDS_MAX) return "text only";
        char text[2 * DATATYPE_WORDS_MAX + 2];
        memcpy(text, coding.system, system);
        text[system] = '|';
        memcpy(text + system + 1, coding.code, code + 1);
        return datatype_keep(arena, text, sizeof text);
    }
    return "text only";
}

const char *datatype_words(const struct node *concept, struct arena *arena)
{
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        if (*coding.display) return datatype_keep(arena, coding.display, DATATYPE_WORDS_MAX);
    }
    return datatype_keep(arena, or_empty(node_text(concept, "text")), DATATYPE_WORDS_MAX);
}

/* ---- numbers and units */

bool datatype_decimal(const struct node *at, const char *key, struct decimal *ret)
{
    struct node member = node_get(at, key);
    const char *text = node_scalar(&member);

    return text && decimal_parse(text, ret);
}

struct datatype_quantity datatype_quantity(const struct node *at)
{
    struct node value = node_get(at, "value");
    struct datatype_quantity quantity = {
        .number = or_empty(node_scalar(&value)),
        .comparator = or_empty(node_text(at, "comparator")),
        .unit = or_empty(node_text(at, "unit")),
        .code = or_empty(node_text(at, "code")),
        .system = or_empty(node_text(at, "system")),
    };

    quantity.has_value = datatype_decimal(at, "value", &quantity.value);
    return quantity;
}

bool datatype_is_ucum(const char *system)
{
    static const char *const spellings[] = { "http://unitsofmeasure.org",
                                             "https://unitsofmeasure.org",
                                             "http://unitsofmeasure.org/",
                                             "urn:oid:2.16.840.1.113883.6.8" };

    for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
        if (strcmp(system, spellings[i]) == 0) return true;
    return false;
}

const char *datatype_unit(const struct datatype_quantity *quantity)
{
    if (*quantity->code && datatype_is_ucum(quantity->system)) return quantity->code;
    return *quantity->unit ? quantity->unit : quantity->code;
}

/* ---- time */

static bool span_of(const struct node *at, const char *key, struct span *ret)
{
    const char *text = node_text(at, key);

    return text && instant_parse(text, ret);
}

int64_t datatype_start(const struct node *at, const char *key, int64_t without)
{
    struct span span;

    return span_of(at, key, &span) ? span.start : without;
}

int64_t datatype_vague(const struct node *at, const char *key)
{
    struct span span;

    if (!span_of(at, key, &span) || span.end - span.start < INSTANT_DAY) return 0;
    return span.end - span.start;
}

int64_t datatype_end(const struct node *at, const char *key, int64_t without)
{
    struct span span;

    return span_of(at, key, &span) ? span.end : without;
}

static const struct time_unit {
    const char *code, *word;
    int64_t ms;
    int32_t months;
} time_units[] = {
    { "s", "second", INSTANT_SECOND, 0 },
    { "min", "minute", 60 * INSTANT_SECOND, 0 },
    { "h", "hour", INSTANT_HOUR, 0 },
    { "d", "day", INSTANT_DAY, 0 },
    { "wk", "week", 7 * INSTANT_DAY, 0 },
    { "mo", "month", 0, 1 },
    { "a", "year", 0, 12 },
};

/* "d", "day" or "days" */
static bool is_unit(const struct time_unit *unit, const char *text)
{
    size_t len = strlen(unit->word);

    if (strcmp(text, unit->code) == 0) return true;
    return strncmp(text, unit->word, len) == 0 && (!text[len] || strcmp(text + len, "s") == 0);
}

/* The whole number in a decimal, when it is one and not larger than max. */
static bool whole(struct decimal value, int64_t max, int64_t *ret)
{
    if (decimal_compare(value, DECIMAL_ZERO) < 0) return false;
    if (decimal_compare(value, decimal_of(max)) > 0) return false;
    *ret = (int64_t)decimal_double(value);
    return decimal_compare(decimal_of(*ret), value) == 0;
}

bool datatype_duration(const struct node *at, struct duration *ret)
{
    struct datatype_quantity quantity = datatype_quantity(at);
    const char *text = datatype_unit(&quantity);
    int64_t number;

    if (!quantity.has_value || *quantity.comparator) return false;
    for (size_t i = 0; i < ARRAY_SIZE(time_units); i++) {
        const struct time_unit *unit = &time_units[i];
        if (!is_unit(unit, text)) continue;
        struct decimal scale = decimal_of(unit->months ? unit->months : unit->ms);
        int64_t max = unit->months ? 12000 : 100000 * INSTANT_DAY;
        if (!whole(decimal_multiply(quantity.value, scale), max, &number)) return false;
        *ret = (struct duration){ 0, 0 };
        if (unit->months)
            ret->months = (int32_t)number;
        else
            ret->ms = number;
        return true;
    }
    return false;
}

/* ---- text */

const char *datatype_keep(struct arena *arena, const char *text, size_t max)
{
    const char *end = text + strlen(text), *cut = text;

    while (cut < end) {
        size_t len = utf8_len(cut, end);
        if (len == 0) len = 1;
        if ((size_t)(cut - text) + len > max) break;
        cut += len;
    }
    char *copy = arena_copy(arena, text, (size_t)(cut - text));
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F) *c = ' ';
    return copy;
}
