#include "fhir/observation.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "fhir/answer.h"
#include "fhir/datatype.h"

#define SHOWN_MAX 80 /* bytes kept of a value as sent */

/* ---- which analyte */

/* The one analyte that the codings mean; CONCEPT_NONE when no mapping knows any of them. Fails when
 * they mean different ones. */
static bool analyte_of(const struct node *concept, const struct knowledge *knowledge, unsigned *ret,
                       struct err *err)
{
    size_t count = datatype_coding_count(concept);

    *ret = CONCEPT_NONE;
    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        unsigned analyte = knowledge_analyte(knowledge, coding.system, coding.code);
        if (analyte == CONCEPT_NONE || analyte == *ret) continue;
        if (*ret != CONCEPT_NONE)
            return apply_error(concept, err, "fhir.value", "the codes mean different analytes");
        *ret = analyte;
    }
    return true;
}

/* ---- numbers */

static void unreadable(struct chart_result *result, enum doubt doubt)
{
    result->kind = VALUE_UNREADABLE;
    result->doubt = doubt;
}

static bool is_dimensionless(const char *unit)
{
    return strcmp(unit, "1") == 0 || (unit[0] == '{' && unit[strlen(unit) - 1] == '}');
}

/* Do two conversions of one number meet? (A factor may be a range.) */
static bool meet(const struct interval *a, const struct interval *b)
{
    return decimal_compare(a->low, b->high) <= 0 && decimal_compare(b->low, a->high) <= 0;
}

/* A value in the analyte's unit. No unit is one only for what has none. */
static bool convert(const struct knowledge *knowledge, unsigned analyte, const char *unit,
                    struct interval value, struct interval *ret)
{
    if (!*unit && is_dimensionless(analyte_unit(knowledge, analyte))) {
        *ret = value;
        return true;
    }
    return *unit && analyte_convert(knowledge, analyte, unit, value, ret);
}

/* Code and text of a unit may both be convertible; when they then disagree, one is wrong. */
static bool units_agree(const struct knowledge *knowledge, unsigned analyte,
                        const struct datatype_quantity *quantity)
{
    struct interval value = interval_exactly(quantity->value), code, text;

    if (!*quantity->code || !*quantity->unit) return true;
    if (!analyte_convert(knowledge, analyte, quantity->code, value, &code)) return true;
    if (!analyte_convert(knowledge, analyte, quantity->unit, value, &text)) return true;
    return meet(&code, &text);
}

static bool convert_quantity(const struct knowledge *knowledge, unsigned analyte,
                             const struct datatype_quantity *quantity, struct interval value,
                             struct interval *ret)
{
    return convert(knowledge, analyte, datatype_unit(quantity), value, ret) &&
           units_agree(knowledge, analyte, quantity);
}

static bool is_comparator(const char *text)
{
    static const char *const known[] = { "", "<", "<=", ">", ">=" };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(known[i], text) == 0) return true;
    return false;
}

/* Nothing that we read is below zero. */
static bool makes_sense(const struct datatype_quantity *quantity)
{
    return quantity->has_value && is_comparator(quantity->comparator) &&
           decimal_compare(quantity->value, DECIMAL_ZERO) >= 0;
}

static void set_quantity(const struct knowledge *knowledge,
                         const struct datatype_quantity *quantity, struct chart_result *result)
{
    struct interval value;

    if (!makes_sense(quantity) || analyte_is_coded(knowledge, result->analyte)) {
        unreadable(result, DOUBT_UNREADABLE);
        return;
    }
    value = interval_from(quantity->value, *quantity->comparator ? quantity->comparator : NULL);
    result->kind = VALUE_QUANTITY;
    if (!convert_quantity(knowledge, result->analyte, quantity, value, &result->value))
        unreadable(result, DOUBT_UNIT);
}

/* ---- numbers in text */

/* "<", "<=", and the signs for at most and at least. *ret_len is how much of text they take. */
static const char *comparator_in(const char *text, size_t *ret_len)
{
    static const struct {
        const char *text, *means;
    } signs[] = { { "<=", "<=" }, { ">=", ">=" },     { "<", "<" },
                  { ">", ">" },   { "\u2264", "<=" }, { "\u2265", ">=" } };

    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        *ret_len = strlen(signs[i].text);
        if (strncmp(text, signs[i].text, *ret_len) == 0) return signs[i].means;
    }
    *ret_len = 0;
    return "";
}

/* Copy the number at the start of text, with a point for a comma. A comma is a decimal one only
 * when it is the only mark and not followed by three digits: "1,200" may be either. 0 when it is
 * none; else how much of text it takes. */
static size_t number_in(const char *text, char ret[40])
{
    size_t len = strspn(text, "0123456789.,");
    const char *comma = memchr(text, ',', len);

    if (len == 0 || len >= 40) return 0;
    memcpy(ret, text, len);
    ret[len] = '\0';
    if (comma) {
        size_t after = len - (size_t)(comma - text) - 1;
        if (memchr(comma + 1, ',', after) || memchr(text, '.', len) || after == 3) return 0;
        ret[comma - text] = '.';
    }
    return len;
}

/* A string that is exactly a number, with a comparator and a unit at most. The unit is a single
 * word. buf holds it. */
static bool quantity_in(const char *text, struct datatype_quantity *ret, char buf[SHOWN_MAX])
{
    char number[40];
    size_t len;

    *ret = (struct datatype_quantity){ .number = "", .code = "", .system = "" };
    text += strspn(text, " ");
    ret->comparator = comparator_in(text, &len);
    text += len;
    text += strspn(text, " ");
    len = number_in(text, number);
    if (len == 0 || !decimal_parse(number, &ret->value)) return false;
    text += len;
    if (strchr("-+:^*(", *text) && *text) return false; /* a range, a ratio, a power */
    text += strspn(text, " ");
    len = strcspn(text, " ");
    if (len >= SHOWN_MAX || text[len + strspn(text + len, " ")] != '\0') return false;
    memcpy(buf, text, len);
    buf[len] = '\0';
    ret->unit = buf;
    ret->has_value = true;
    return true;
}

/* ---- coded values */

static void set_coded(const struct knowledge *knowledge, enum coded_value coded,
                      struct chart_result *result)
{
    result->kind = VALUE_CODED;
    result->coded = coded;
    if (!analyte_is_coded(knowledge, result->analyte)) unreadable(result, DOUBT_UNREADABLE);
}

/* ---- values, at the root or in a component */

static const char *shown(struct arena *arena, const char *comparator, const char *number,
                         const char *unit)
{
    AUTO(buf_done) struct buf text = { 0 };

    buf_printf(&text, "%s%s%s%s", comparator, number, *unit ? " " : "", unit);
    return datatype_keep(arena, buf_string(&text), SHOWN_MAX);
}

static void read_quantity(const struct node *value, const struct apply *apply,
                          struct chart_result *result)
{
    struct datatype_quantity quantity = datatype_quantity(value);

    result->shown = shown(&apply->chart->arena, quantity.comparator, quantity.number,
                          *quantity.unit ? quantity.unit : quantity.code);
    set_quantity(apply->knowledge, &quantity, result);
}

static void read_string(const struct node *value, const struct apply *apply,
                        struct chart_result *result)
{
    const char *text = node_scalar(value) ? node_scalar(value) : "";
    struct datatype_quantity quantity;
    char unit[SHOWN_MAX];

    result->shown = datatype_keep(&apply->chart->arena, text, SHOWN_MAX);
    if (analyte_is_coded(apply->knowledge, result->analyte))
        set_coded(apply->knowledge, answer_by_word(text), result);
    else if (quantity_in(text, &quantity, unit))
        set_quantity(apply->knowledge, &quantity, result);
    else
        unreadable(result, DOUBT_UNREADABLE);
}

static void read_integer(const struct node *value, const struct apply *apply,
                         struct chart_result *result)
{
    const char *text = node_scalar(value) ? node_scalar(value) : "";
    struct datatype_quantity quantity = { .comparator = "", .unit = "", .code = "", .system = "" };

    quantity.has_value = decimal_parse(text, &quantity.value);
    result->shown = datatype_keep(&apply->chart->arena, text, SHOWN_MAX);
    set_quantity(apply->knowledge, &quantity, result);
}

static void read_concept(const struct node *value, const struct apply *apply,
                         struct chart_result *result)
{
    const char *words = answer_words(apply->knowledge, result->analyte, value);
    const char *code = datatype_code(value);

    if (!*words) words = datatype_words(value, &apply->chart->arena);
    result->shown = datatype_keep(&apply->chart->arena, *words || !code ? words : code, SHOWN_MAX);
    set_coded(apply->knowledge, answer_by_concept(apply->knowledge, result->analyte, value),
              result);
}

static void read_boolean(const struct node *value, const struct apply *apply,
                         struct chart_result *result)
{
    bool is_true = node_is(value, DOC_TRUE), is_false = node_is(value, DOC_FALSE);

    result->shown = is_true ? "true" : is_false ? "false" : "";
    if (is_true || is_false)
        set_coded(apply->knowledge, is_true ? CODED_POSITIVE : CODED_NEGATIVE, result);
    else
        unreadable(result, DOUBT_UNREADABLE);
}

typedef void value_fn(const struct node *value, const struct apply *apply,
                      struct chart_result *result);

static const struct value_type {
    const char *key;
    value_fn *read; /* NULL: a value that we cannot read */
} value_types[] = {
    { "valueQuantity", read_quantity },
    { "valueString", read_string },
    { "valueInteger", read_integer },
    { "valueCodeableConcept", read_concept },
    { "valueBoolean", read_boolean },
    { "valueRange", NULL },
    { "valueRatio", NULL },
    { "valueSampledData", NULL },
    { "valueTime", NULL },
    { "valueDateTime", NULL },
    { "valuePeriod", NULL },
    { "valueAttachment", NULL },
    { "valueReference", NULL },
};

static const struct value_type *value_type(const struct node *at)
{
    for (size_t i = 0; i < ARRAY_SIZE(value_types); i++)
        if (datatype_has(at, value_types[i].key)) return &value_types[i];
    return NULL;
}

static void read_value(const struct node *at, const struct apply *apply,
                       struct chart_result *result)
{
    const struct value_type *type = value_type(at);

    result->shown = "";
    if (!type || !type->read || datatype_has(at, "dataAbsentReason") ||
        datatype_has(at, "modifierExtension")) {
        unreadable(result, DOUBT_UNREADABLE);
        return;
    }
    struct node value = node_get(at, type->key);
    type->read(&value, apply, result);
}

/* ---- the upper limit of normal */

static bool is_normal_range(const struct node *range)
{
    struct node type = node_get(range, "type");

    return !datatype_code(&type) || datatype_has_code(&type, "normal");
}

/* Only when there is a single range that it can come from. */
static void read_upper(const struct node *at, const struct knowledge *knowledge,
                       struct chart_result *result)
{
    struct node list = node_get(at, "referenceRange"), high = { .value = NULL };
    size_t count = datatype_count(&list), found = 0;
    struct interval upper;

    for (size_t i = 0; i < count; i++) {
        struct node range = datatype_item(&list, i);
        if (is_normal_range(&range) && ++found == 1) high.value = node_get(&range, "high").value;
    }
    struct datatype_quantity quantity = datatype_quantity(&high);
    if (found != 1 || *quantity.comparator || !makes_sense(&quantity)) return;
    if (!convert_quantity(knowledge, result->analyte, &quantity, interval_exactly(quantity.value),
                          &upper) ||
        !interval_is_exact(&upper))
        return;
    result->has_upper = true;
    result->upper = upper.high;
}

/* ---- what the laboratory says of it */

/* Positive or negative, when all that it says of that agrees. A list in R4, one concept in STU3. */
static enum coded_value read_flag(const struct node *at, const struct knowledge *knowledge,
                                  unsigned analyte)
{
    struct node list = node_get(at, "interpretation");
    size_t count = datatype_count(&list);
    enum coded_value flag = CODED_OTHER;

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        enum coded_value one = answer_by_concept(knowledge, analyte, &item);
        if (one == CODED_OTHER) continue;
        if (flag != CODED_OTHER && flag != one) return CODED_OTHER;
        flag = one;
    }
    return flag;
}

/* ---- the whole */

static bool is_one_of(const char *text, const char *const *words)
{
    for (; text && *words; words++)
        if (strcmp(text, *words) == 0) return true;
    return false;
}

/* What is not stated to be final is preliminary: policy says whether it counts. */
static enum result_state state_of(const char *status)
{
    static const char *const final[] = { "final", "amended", "corrected", NULL };
    static const char *const removed[] = { "cancelled", "entered-in-error", NULL };

    if (is_one_of(status, final)) return RESULT_FINAL;
    return is_one_of(status, removed) ? RESULT_REMOVED : RESULT_PRELIMINARY;
}

/* When it was true for the patient. Of a day without a time the start: an older result must not
 * pass for a newer one. */
static int64_t true_at(const struct node *at)
{
    static const char *const dates[] = { "effectiveDateTime", "effectiveInstant" };
    struct node period = node_get(at, "effectivePeriod");
    int64_t ms = INSTANT_UNSET;

    for (size_t i = 0; ms == INSTANT_UNSET && i < ARRAY_SIZE(dates); i++)
        ms = datatype_start(at, dates[i], ms);
    if (ms == INSTANT_UNSET) ms = datatype_start(&period, "end", ms);
    if (ms == INSTANT_UNSET) ms = datatype_start(&period, "start", ms);
    return ms == INSTANT_UNSET ? datatype_start(at, "issued", ms) : ms;
}

static void add(const struct node *at, const struct apply *apply, unsigned analyte,
                const struct chart_result *base)
{
    struct chart_result result = *base;

    result.analyte = analyte;
    read_value(at, apply, &result);
    result.flag = base->doubt ? CODED_OTHER : read_flag(at, apply->knowledge, analyte);
    if (base->doubt) unreadable(&result, base->doubt);
    if (result.state != RESULT_REMOVED) read_upper(at, apply->knowledge, &result);
    chart_add_result(apply->chart, &result);
}

/* Does a component have this analyte, and a value? */
static bool is_in_component(const struct node *components, const struct knowledge *knowledge,
                            unsigned analyte)
{
    size_t count = datatype_count(components);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(components, i), code = node_get(&item, "code");
        struct err ignored;
        unsigned one;
        if (analyte_of(&code, knowledge, &one, &ignored) && one == analyte && value_type(&item))
            return true;
    }
    return false;
}

/* A panel (no value, but parts) says nothing by itself. */
static bool root_speaks(const struct node *at, const struct node *components,
                        const struct knowledge *knowledge, unsigned analyte)
{
    if (analyte == CONCEPT_NONE) return false;
    if (value_type(at)) return true;
    if (is_in_component(components, knowledge, analyte)) return false;
    if (datatype_has(at, "dataAbsentReason")) return true;
    return datatype_count(components) == 0 && !datatype_has(at, "hasMember");
}

/* All codes are read before anything is added: a resource that contradicts itself adds nothing. */
static bool read_codes(const struct node *at, const struct node *components,
                       const struct knowledge *knowledge, unsigned *ret_root, bool *ret_any,
                       struct err *err)
{
    struct node code = node_get(at, "code");
    size_t count = datatype_count(components);
    unsigned one;

    if (!analyte_of(&code, knowledge, ret_root, err)) return false;
    *ret_any = *ret_root != CONCEPT_NONE;
    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(components, i), inner = node_get(&item, "code");
        if (!analyte_of(&inner, knowledge, &one, err)) return false;
        if (one != CONCEPT_NONE) *ret_any = true;
    }
    return true;
}

static void add_components(const struct node *components, const struct apply *apply,
                           const struct chart_result *base)
{
    size_t count = datatype_count(components);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(components, i), code = node_get(&item, "code");
        struct err ignored;
        unsigned analyte;
        if (analyte_of(&code, apply->knowledge, &analyte, &ignored) && analyte != CONCEPT_NONE)
            add(&item, apply, analyte, base);
    }
}

bool observation_apply(const struct node *at, const struct apply *apply, struct err *err)
{
    struct node components = node_get(at, "component"), code = node_get(at, "code");
    const char *status = node_text(at, "status");
    struct chart_result base = { .source = apply->source, .state = state_of(status) };
    unsigned root;
    bool any;

    if (status && strcmp(status, "registered") == 0) return true; /* no value yet */
    if (!read_codes(at, &components, apply->knowledge, &root, &any, err)) return false;
    if (!any) {
        if (apply->ret_unmapped)
            *apply->ret_unmapped = datatype_unmapped(&code, &apply->chart->arena);
        return true;
    }
    if (datatype_has(at, "modifierExtension")) base.doubt = DOUBT_UNREADABLE; /* of every value */
    base.at_ms = true_at(at);
    base.issued_ms = datatype_start(at, "issued", INSTANT_UNSET);
    if (root_speaks(at, &components, apply->knowledge, root)) add(at, apply, root, &base);
    add_components(&components, apply, &base);
    return true;
}
