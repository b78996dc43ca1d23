/* Drug codes: rxnorm.csv, atc.csv ..., and what puts the rows of one code together. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

unsigned reader_drug(struct knowledge_reader *reader, size_t column, const char *name)
{
    unsigned concept = knowledge_concept(reader->knowledge, CONCEPT_DRUG, name);

    if (!concept)
        reader_unknown(reader, column, "drug", name, reader_near(reader, 1u << CONCEPT_DRUG, name),
                       "add it to codes/drugs.csv");
    return concept;
}

/* ---- drug codes
 *
 * A code has one row for each ingredient. Two concepts of one code are one product only when the
 * rows agree in type and name (RxNorm) or stand together (other files); else it is a conflict. */

/* FNV-1a without regard to case: sources write the names of one product differently. */
static uint32_t hash_more(uint32_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)(*text | ('A' <= *text && *text <= 'Z' ? 0x20 : 0))) * 16777619u;
    return h;
}

static uint32_t new_entry(struct knowledge_reader *reader, uint32_t product, bool single)
{
    uint32_t number = (uint32_t)reader->entry_count;

    reader->entries =
        knowledge_push(reader->entries, &reader->entry_count, sizeof *reader->entries);
    reader->entries[number].product = product;
    reader->entries[number].single = single;
    return number;
}

static void append_row(struct knowledge_reader *reader, uint32_t entry,
                       const struct drug_code *code)
{
    struct drug_rows *rows = &reader->entries[entry];
    uint32_t number = (uint32_t)reader->row_count;

    reader->rows = knowledge_push(reader->rows, &reader->row_count, sizeof *reader->rows);
    reader->rows[number].code = *code;
    if (rows->last)
        reader->rows[rows->last].next = number;
    else
        rows->first = number;
    rows->last = number;
}

struct drug_code *drug_row_find(struct knowledge_reader *reader, uint32_t entry, unsigned concept)
{
    for (uint32_t i = reader->entries[entry].first; i; i = reader->rows[i].next)
        if (reader->rows[i].code.concept == concept) return &reader->rows[i].code;
    return NULL;
}

static void forget_strength(struct drug_code *code)
{
    code->has_strength = false;
    code->strength = DECIMAL_ZERO;
    code->strength_unit = "";
}

/* The same ingredient again: where the two strengths differ it has none. */
static void merge_row(struct drug_code *code, const struct drug_code *other)
{
    bool same = code->has_strength && other->has_strength &&
                decimal_compare(code->strength, other->strength) == 0 &&
                code->strength_unit == other->strength_unit; /* interned */

    if (!same) forget_strength(code);
}

static bool one_product(const struct knowledge_reader *reader, uint32_t entry, uint32_t product,
                        bool single)
{
    const struct drug_rows *rows = &reader->entries[entry];

    if (single || rows->single || rows->product != product) return false;
    return product || entry == reader->entry_before;
}

static const char *conflict_fix(const struct knowledge_reader *reader,
                                const struct table_entry *entry)
{
    if (entry->file != reader->file) return "keep one of the two lines";
    return reader->entries[entry->value].product
               ? "keep one of the two; lines of one product have the same type and name"
               : "keep one of the two; lines of one combination stand together";
}

static void drug_conflict(struct knowledge_reader *reader, const struct table_entry *entry,
                          const struct drug_code *code, size_t column)
{
    const struct knowledge *knowledge = reader->knowledge;
    const struct drug_code *first = &reader->rows[reader->entries[entry->value].first].code;
    const char *system = knowledge->system_names[entry->scope];
    char place[160];

    reader_problem(reader, column, "knowledge.conflict", conflict_fix(reader, entry),
                   "%.60s %s is \"%s\" here and \"%s\" in %s", system ? system : "code",
                   entry->text, concept_name(knowledge, code->concept),
                   concept_name(knowledge, first->concept),
                   reader_place(reader, entry, place, sizeof place));
}

void drug_code_add(struct knowledge_reader *reader, unsigned system, const char *code,
                   const struct drug_code *row, uint32_t product, bool single, size_t column)
{
    struct knowledge *knowledge = reader->knowledge;
    struct table_entry *entry = table_add(&knowledge->drugs, &knowledge->arena, system, code);
    struct drug_code *twin;

    if (!entry->value) {
        entry->value = new_entry(reader, product, single);
        reader_mark(reader, entry, column);
        append_row(reader, entry->value, row);
    } else if ((twin = drug_row_find(reader, entry->value, row->concept))) {
        merge_row(twin, row);
    } else if (one_product(reader, entry->value, product, single)) {
        append_row(reader, entry->value, row);
    } else {
        drug_conflict(reader, entry, row, column);
    }
    reader->entry_now = entry->value;
}

uint32_t drug_entry_alone(struct knowledge_reader *reader, unsigned concept)
{
    const struct drug_code row = { .concept = concept, .strength_unit = "" };
    uint32_t entry = new_entry(reader, 0, true);

    append_row(reader, entry, &row);
    return entry;
}

void drug_rows_done(struct knowledge_reader *reader)
{
    struct knowledge *knowledge = reader->knowledge;
    uint32_t n = 0;

    knowledge->drug_codes = mem_zero(reader->row_count, sizeof *knowledge->drug_codes);
    knowledge->drug_entries = mem_zero(reader->entry_count, sizeof *knowledge->drug_entries);
    for (size_t i = 1; i < reader->entry_count; i++) {
        knowledge->drug_entries[i].first = n;
        for (uint32_t row = reader->entries[i].first; row; row = reader->rows[row].next) {
            knowledge->drug_codes[n++] = reader->rows[row].code;
            knowledge->concepts[reader->rows[row].code.concept].mapped = true;
        }
        knowledge->drug_entries[i].count = n - knowledge->drug_entries[i].first;
    }
    drug_names_done(reader);
}

/* ---- rxnorm.csv */

/* What a term type of RxNorm says of the code. */
static const struct term_type {
    const char *name;
    bool product; /* one unit of it can be taken */
    bool pack;    /* of several products: no one strength */
    bool single;  /* one ingredient */
    bool named;   /* orders name it so */
    bool own;     /* by a name of its own, not by a list of what is in it */
} term_types[] = {
    { "IN", false, false, true, true, true },      { "PIN", false, false, true, true, true },
    { "MIN", false, false, false, true, false },   { "IN/MIN", false, false, false, true, false },
    { "BN", false, false, false, true, true },     { "SCDC", false, false, false, false, false },
    { "SBDC", false, false, false, false, false }, { "SCDF", false, false, false, false, false },
    { "SBDF", false, false, false, false, false }, { "SCDG", false, false, false, false, false },
    { "SBDG", false, false, false, false, false }, { "SCD", true, false, false, true, false },
    { "SBD", true, false, false, false, false },   { "GPCK", true, true, false, false, false },
    { "BPCK", true, true, false, false, false },
};

static const struct term_type *find_type(struct knowledge_reader *reader, size_t column,
                                         const char *name)
{
    const char *names[ARRAY_SIZE(term_types) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(term_types); i++) {
        if (strcmp(name, term_types[i].name) == 0) return &term_types[i];
        names[i] = term_types[i].name;
    }
    reader_unknown(reader, column, "RxNorm term type", name, nearest(name, names),
                   "write IN, SCD, SBD ...");
    return NULL;
}

bool reader_strength(struct knowledge_reader *reader, size_t column, const char *number,
                     const char *unit, struct drug_code *ret)
{
    ret->strength_unit = "";
    if (!*number && !*unit) return true;
    if (!reader_decimal(reader, column, number, DECIMAL_ZERO, &ret->strength)) return false;
    ret->has_strength = *number && *unit && ret->strength.digits > 0;
    ret->strength_unit = knowledge_intern(reader->knowledge, unit);
    if (!ret->has_strength)
        reader_problem(reader, column, "knowledge.strength", "give both, or leave both empty",
                       "a strength is a number above 0 and a unit");
    return ret->has_strength;
}

/* Codes without a form (ingredients, brands) can be anything: systemic, and no route. */
bool reader_form(struct knowledge_reader *reader, size_t column, const char *form,
                 struct drug_code *ret)
{
    uint32_t pack = table_value(&reader->knowledge->forms, 0, form);

    ret->use = use_of(pack);
    ret->route = route_of(pack);
    if (pack || !*form) return true;
    reader_unknown(reader, column, "dose form", form, NULL,
                   "correct it, or add it to codes/dose-forms.csv");
    return false;
}

/* code, type, concept, strength, unit, quantity, form, name */
void row_rxnorm(struct knowledge_reader *reader, const char *const *field)
{
    const struct term_type *type = find_type(reader, 1, field[1]);
    struct drug_code row = { .concept = reader_drug(reader, 2, field[2]) };
    bool good = reader_strength(reader, 3, field[3], field[4], &row);
    const char *brand = strchr(field[7], '['); /* "... Oral Tablet [Ecotrin]" */
    char code[CODE_SIZE];

    good &= reader_form(reader, 6, field[6], &row);
    if (!reader_code(reader, reader->system, 0, field[0], code)) return;
    if (!good || !type || !row.concept) return;
    row.product = type->product;
    if (type->pack) forget_strength(&row);
    uint32_t product = hash_more(hash_more(2166136261u, type->name), field[7]);
    drug_code_add(reader, reader->system, code, &row, product | 1, type->single, 0);
    if (type->named) drug_name_add(reader, field[7], reader->entry_now, row.use);
    if (type->own) drug_words_add(reader, field[7]);
    if (brand) drug_brand_add(reader, brand);
}

/* ---- atc.csv, snomed-drugs.csv, unii.csv, cvx.csv, ndc.csv */

/* code, concept, use, note */
void row_atc(struct knowledge_reader *reader, const char *const *field)
{
    struct drug_code row = { .concept = reader_drug(reader, 1, field[1]), .strength_unit = "" };
    bool good = reader_use(reader, 2, field[2], &row.use);
    char code[CODE_SIZE];

    if (!reader_code(reader, reader->system, 0, field[0], code) || !good || !row.concept) return;
    drug_code_add(reader, reader->system, code, &row, 0, false, 0);
}

/* code, concept, name */
void row_drug_code(struct knowledge_reader *reader, const char *const *field)
{
    struct drug_code row = { .concept = reader_drug(reader, 1, field[1]), .strength_unit = "" };
    char code[CODE_SIZE];

    if (!reader_code(reader, reader->system, 0, field[0], code) || !row.concept) return;
    drug_code_add(reader, reader->system, code, &row, 0, false, 0);
}

/* code, rxnorm: a package of that product */
void row_ndc(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned rxnorm = table_value(&knowledge->systems, 0, "rxnorm");
    uint32_t product = table_value(&knowledge->drugs, rxnorm, field[1]);
    char code[CODE_SIZE];

    if (!product && !reader->problems_before)
        reader_unknown(reader, 1, "RxNorm code", field[1], NULL, "add it to codes/rxnorm.csv");
    if (!reader_code(reader, reader->system, 0, field[0], code) || !product) return;
    reader_claim(reader, &knowledge->drugs, reader->system, code, product, 0);
}
