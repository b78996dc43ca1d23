/* Rows of labs/: analytes, their units, other spellings of units, what answers mean. */
#include <stdlib.h>
#include <string.h>

#include "core/knowledge_impl.h"

/* ---- analytes.csv */

static unsigned add_analyte(struct knowledge *knowledge, const char *name, const char *words,
                            const char *unit, bool coded)
{
    unsigned analyte = knowledge_add_concept(knowledge, CONCEPT_ANALYTE, name, words);

    knowledge->concepts[analyte].unit = knowledge_intern(knowledge, unit);
    knowledge->concepts[analyte].coded = coded;
    return analyte;
}

static uint32_t add_way(struct knowledge *knowledge, const struct unit_way *way)
{
    knowledge->ways =
        knowledge_push(knowledge->ways, &knowledge->way_count, sizeof *knowledge->ways);
    knowledge->ways[knowledge->way_count - 1] = *way;
    return (uint32_t)knowledge->way_count;
}

static bool same_way(const struct unit_way *a, const struct unit_way *b)
{
    return decimal_compare(a->add, b->add) == 0 && decimal_compare(a->low, b->low) == 0 &&
           decimal_compare(a->high, b->high) == 0 && decimal_compare(a->divide, b->divide) == 0 &&
           decimal_compare(a->then_add, b->then_add) == 0;
}

static bool is_own_unit(const struct knowledge *knowledge, unsigned analyte, const char *unit)
{
    char own[UNIT_SIZE];

    return unit_normal(analyte_unit(knowledge, analyte), own) && strcmp(own, unit) == 0;
}

/* Values in unit become values of the analyte this way. */
static void claim_way(struct knowledge_reader *reader, unsigned analyte, const char *unit,
                      const struct unit_way *way, size_t column)
{
    struct knowledge *knowledge = reader->knowledge;
    uint32_t known = table_value(&knowledge->units, analyte, unit);

    if (known && same_way(&knowledge->ways[known - 1], way)) return;
    if (known && is_own_unit(knowledge, analyte, unit)) {
        reader_problem(
            reader, column, "knowledge.unit", "remove the line, or keep the values in another unit",
            "\"%s\" is the unit of the analyte itself: its values stay as they are", unit);
        return;
    }
    uint32_t number = add_way(knowledge, way);
    if (reader_claim(reader, &knowledge->units, analyte, unit, number, column))
        table_add(&knowledge->units, &knowledge->arena, UNIT_ANY, unit)->value = 1;
}

static bool good_unit(struct knowledge_reader *reader, size_t column, const char *unit,
                      char ret[UNIT_SIZE])
{
    if (unit_normal(unit, ret)) return true;
    reader_problem(reader, column, "knowledge.unit", "write a UCUM code", "this unit is too long");
    return false;
}

static struct unit_way unchanged(void)
{
    const struct decimal one = decimal_of(1);

    return (struct unit_way){ DECIMAL_ZERO, one, one, one, DECIMAL_ZERO };
}

static bool find_kind(struct knowledge_reader *reader, const char *kind, const char *unit,
                      bool *ret_coded)
{
    static const char *const kinds[] = { "quantity", "coded", NULL };

    *ret_coded = strcmp(kind, "coded") == 0;
    if (!*ret_coded && strcmp(kind, "quantity") != 0) {
        reader_unknown(reader, 3, "kind", kind, nearest(kind, kinds), "write quantity or coded");
        return false;
    }
    if (*ret_coded != !*unit) {
        reader_problem(reader, 2, "knowledge.unit", "", "a quantity has a unit, a code has none");
        return false;
    }
    return true;
}

/* analyte, name, unit, kind, note */
void row_analyte(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;
    const struct unit_way way = unchanged();
    char unit[UNIT_SIZE];
    bool coded;

    if (!reader_name(reader, 0, field[0]) || !find_kind(reader, field[3], field[2], &coded)) return;
    if (!good_unit(reader, 2, field[2], unit)) return;
    if (knowledge_concept(knowledge, CONCEPT_ANALYTE, field[0])) {
        reader_problem(reader, 0, "knowledge.twice", "keep one of the two lines",
                       "\"%.80s\" stands there already", field[0]);
        return;
    }
    unsigned analyte =
        add_analyte(knowledge, field[0], *field[1] ? field[1] : NULL, field[2], coded);
    reader_claim(reader, &knowledge->names, CONCEPT_ANALYTE, field[0], analyte, 0);
    if (!coded) claim_way(reader, analyte, unit, &way, 2);
}

void analytes_derived(struct knowledge_reader *reader)
{
    struct knowledge *knowledge = reader->knowledge;
    const struct unit_way way = unchanged();

    if (knowledge_concept(knowledge, CONCEPT_ANALYTE, "crcl")) return;
    unsigned analyte = add_analyte(knowledge, "crcl", "creatinine clearance", "mL/min", false);
    knowledge->concepts[analyte].mapped = true;
    table_add(&knowledge->names, &knowledge->arena, CONCEPT_ANALYTE, "crcl")->value = analyte;
    table_add(&knowledge->units, &knowledge->arena, analyte, "mL/min")->value =
        add_way(knowledge, &way);
}

/* ---- units.csv */

/* "A/B": a fraction; the division comes last, so that 212 [degF] is exactly 100 Cel. */
static bool read_fraction(const char *text, const char *slash, struct unit_way *ret)
{
    char top[UNIT_SIZE];
    size_t len = (size_t)(slash - text);

    if (len >= sizeof top) return false;
    memcpy(top, text, len);
    top[len] = '\0';
    ret->high = DECIMAL_ZERO;
    if (!decimal_parse(top, &ret->low) || !decimal_parse(slash + 1, &ret->divide)) return false;
    ret->high = ret->low;
    return ret->low.digits > 0 && ret->divide.digits > 0;
}

/* "A..B": a doubtful unit, the true factor is one of the two or between them. */
static bool read_range(const char *text, const char *dots, struct unit_way *ret)
{
    char low[UNIT_SIZE];
    size_t len = (size_t)(dots - text);

    if (len >= sizeof low) return false;
    memcpy(low, text, len);
    low[len] = '\0';
    if (!decimal_parse(low, &ret->low) || !decimal_parse(dots + 2, &ret->high)) return false;
    return ret->low.digits > 0 && decimal_compare(ret->low, ret->high) < 0;
}

static bool read_factor(struct knowledge_reader *reader, const char *text, struct unit_way *ret)
{
    const char *slash = strchr(text, '/'), *dots = strstr(text, "..");
    bool good = true;

    if (slash) {
        good = read_fraction(text, slash, ret);
    } else if (dots) {
        good = read_range(text, dots, ret);
    } else if (*text) {
        good = decimal_parse(text, &ret->low) && ret->low.digits > 0;
        ret->high = ret->low;
    }
    if (!good)
        reader_problem(reader, 3, "knowledge.number", "write it like 0.1, 5/9 or 1..1000",
                       "\"%.80s\" is no factor", text);
    return good;
}

static unsigned find_quantity(struct knowledge_reader *reader, const char *name)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, name);

    if (!analyte) {
        reader_unknown(reader, 0, "analyte", name, reader_near(reader, 1u << CONCEPT_ANALYTE, name),
                       "add it to labs/analytes.csv");
    } else if (analyte_is_coded(knowledge, analyte)) {
        reader_problem(reader, 0, "knowledge.unit", "remove the line",
                       "\"%.80s\" is coded: it has no unit", name);
        return CONCEPT_NONE;
    }
    return analyte;
}

/* analyte, unit, add, factor, then_add, note */
void row_unit(struct knowledge_reader *reader, const char *const *field)
{
    unsigned analyte = find_quantity(reader, field[0]);
    struct unit_way way = unchanged();
    bool good = reader_decimal(reader, 2, field[2], DECIMAL_ZERO, &way.add);
    char unit[UNIT_SIZE];

    good &= read_factor(reader, field[3], &way);
    good &= reader_decimal(reader, 4, field[4], DECIMAL_ZERO, &way.then_add);
    if (!good_unit(reader, 1, field[1], unit) || !good || !analyte) return;
    claim_way(reader, analyte, unit, &way, 1);
}

/* ---- unit-spellings.csv */

static uint32_t add_spelled(struct knowledge *knowledge, const char *unit)
{
    const char *text = knowledge_intern(knowledge, unit);

    for (size_t i = 0; i < knowledge->spelled_count; i++)
        if (knowledge->spelled[i] == text) return (uint32_t)i + 1;
    knowledge->spelled =
        knowledge_push(knowledge->spelled, &knowledge->spelled_count, sizeof *knowledge->spelled);
    knowledge->spelled[knowledge->spelled_count - 1] = text;
    return (uint32_t)knowledge->spelled_count;
}

/* seen, unit */
void row_spelling(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;
    char seen[UNIT_SIZE], unit[UNIT_SIZE];

    if (!good_unit(reader, 0, field[0], seen) || !good_unit(reader, 1, field[1], unit)) return;
    if (!table_value(&knowledge->units, UNIT_ANY, unit)) {
        reader_unknown(reader, 1, "unit of any analyte", field[1], NULL,
                       "add it to labs/units.csv");
        return;
    }
    reader_claim(reader, &knowledge->spellings, 0, seen, add_spelled(knowledge, unit), 0);
}

/* ---- answers.csv */

enum { ANSWER_POSITIVE = 1, ANSWER_NEGATIVE };

/* analyte, condition, answer, note: a value that is a code of the condition says yes or no. */
void row_answer(struct knowledge_reader *reader, const char *const *field)
{
    static const char *const answers[] = { "positive", "negative", NULL };
    struct knowledge *knowledge = reader->knowledge;
    unsigned analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, field[0]);
    bool positive = strcmp(field[2], "positive") == 0, negative = strcmp(field[2], "negative") == 0;

    if (!analyte)
        reader_unknown(reader, 0, "analyte", field[0],
                       reader_near(reader, 1u << CONCEPT_ANALYTE, field[0]),
                       "add it to labs/analytes.csv");
    else if (!analyte_is_coded(knowledge, analyte))
        reader_problem(reader, 0, "knowledge.unit", "remove the line",
                       "\"%.80s\" is a number: no code is its value", field[0]);
    else if (!knowledge_concept(knowledge, CONCEPT_CONDITION, field[1]))
        reader_unknown(reader, 1, "condition", field[1],
                       reader_near(reader, 1u << CONCEPT_CONDITION, field[1]),
                       "add it to codes/conditions.csv");
    else if (!positive && !negative)
        reader_unknown(reader, 2, "answer", field[2], nearest(field[2], answers),
                       "write positive or negative");
    else
        reader_claim(reader, &knowledge->answers, analyte, field[1],
                     positive ? ANSWER_POSITIVE : ANSWER_NEGATIVE, 1);
}

bool knowledge_answer(const struct knowledge *knowledge, unsigned analyte, unsigned condition,
                      bool *ret_positive)
{
    uint32_t answer = table_value(&knowledge->answers, analyte, concept_name(knowledge, condition));

    *ret_positive = answer == ANSWER_POSITIVE;
    return answer != 0;
}
