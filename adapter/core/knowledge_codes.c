/* Rows of codes/: systems, drugs, conditions, results, routes, and the maps of a site. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

#define ANY_KIND (1u << CONCEPT_DRUG | 1u << CONCEPT_ANALYTE | 1u << CONCEPT_CONDITION)

/* ---- shared by the rows */

static unsigned find_drug(struct knowledge_reader *reader, size_t column, const char *name)
{
    unsigned concept = knowledge_concept(reader->knowledge, CONCEPT_DRUG, name);

    if (!concept)
        reader_unknown(reader, column, "drug", name, reader_near(reader, 1u << CONCEPT_DRUG, name),
                       "add it to codes/drugs.csv");
    return concept;
}

static const char *near_system(const struct knowledge *knowledge, const char *word)
{
    const char **names = mem_zero(knowledge->system_count, sizeof *names);
    size_t n = 0;

    for (size_t i = SYSTEM_NONE + 1; i < knowledge->system_count; i++)
        names[n++] = knowledge->system_names[i];
    const char *near = nearest(word, names);
    free(names);
    return near;
}

static unsigned find_system(struct knowledge_reader *reader, size_t column, const char *name)
{
    unsigned system = table_value(&reader->knowledge->systems, 0, name);

    if (!system)
        reader_unknown(reader, column, "code system", name, near_system(reader->knowledge, name),
                       "add its URI to codes/systems.csv");
    return system;
}

/* The code as the tables have it; reported when it is empty or too long. */
static bool good_code(struct knowledge_reader *reader, unsigned system, size_t column,
                      const char *code, char ret[CODE_SIZE])
{
    if (code_normal(reader->knowledge, system, code, ret)) return true;
    reader_problem(reader, column, "knowledge.code", "write the code alone",
                   *code ? "this code is too long" : "there is no code");
    return false;
}

static bool find_use(struct knowledge_reader *reader, size_t column, const char *word,
                     enum drug_use *ret)
{
    static const char *const uses[] = { "systemic", "local", NULL };

    for (size_t i = 0; uses[i]; i++) {
        if (strcmp(word, uses[i]) != 0) continue;
        *ret = (enum drug_use)i; /* the words are in the order of the enum */
        return true;
    }
    reader_unknown(reader, column, "use", word, nearest(word, uses), "write systemic or local");
    return false;
}

static bool find_route(struct knowledge_reader *reader, size_t column, const char *word,
                       enum drug_route *ret)
{
    const char *names[ROUTE_OTHER + 2] = { NULL };

    if (drug_route_parse(word, ret)) return true;
    for (unsigned i = 0; i <= ROUTE_OTHER; i++) names[i] = drug_route_name((enum drug_route)i);
    reader_unknown(reader, column, "route", word, nearest(word, names), "write oral, topical ...");
    return false;
}

static bool find_pack(struct knowledge_reader *reader, size_t route_column, const char *route,
                      size_t use_column, const char *use, uint32_t *ret)
{
    enum drug_route parsed_route = ROUTE_UNKNOWN;
    enum drug_use parsed_use = USE_SYSTEMIC;
    bool good = find_route(reader, route_column, route, &parsed_route);

    good &= find_use(reader, use_column, use, &parsed_use);
    *ret = route_pack(parsed_route, parsed_use);
    return good;
}

/* ---- systems.csv, dose-forms.csv, routes.csv */

static unsigned add_system(struct knowledge *knowledge, const char *name)
{
    struct table_entry *entry = table_add(&knowledge->systems, &knowledge->arena, 0, name);

    if (entry->value) return entry->value;
    entry->value = (uint32_t)knowledge->system_count;
    knowledge->system_names =
        knowledge_push(knowledge->system_names, &knowledge->system_count, sizeof(const char *));
    knowledge->system_names[entry->value] = entry->text;
    return entry->value;
}

static bool add_uri(struct knowledge_reader *reader, size_t column, const char *uri,
                    unsigned system)
{
    char normal[URI_SIZE];

    if (*uri && uri_normal(uri, normal))
        return reader_claim(reader, &reader->knowledge->uris, 0, normal, system, column);
    reader_problem(reader, column, "knowledge.uri", "write the URI that senders use",
                   *uri ? "this URI is too long" : "there is no URI");
    return false;
}

/* system, uri, note */
void row_system(struct knowledge_reader *reader, const char *const *field)
{
    if (!reader_name(reader, 0, field[0])) return;
    add_uri(reader, 1, field[1], add_system(reader->knowledge, field[0]));
}

/* system, also, note: a sender of the one may mean a code of the other. */
void row_related_system(struct knowledge_reader *reader, const char *const *field)
{
    struct table *related = &reader->knowledge->related_systems;
    unsigned system = find_system(reader, 0, field[0]), also = find_system(reader, 1, field[1]);

    if (!system || !also) return;
    if (system == also || table_value(related, also, ""))
        reader_problem(reader, 1, "knowledge.related", "name a system that has no line of its own",
                       "\"%.80s\" leads no further", field[1]);
    else if (table_value(related, system, ""))
        reader_problem(reader, 0, "knowledge.twice", "keep one of the two lines",
                       "\"%.80s\" has a line already", field[0]);
    else
        reader_claim(reader, related, system, "", also, 0);
}

/* form, use, route */
void row_dose_form(struct knowledge_reader *reader, const char *const *field)
{
    uint32_t pack;

    if (!find_pack(reader, 2, field[2], 1, field[1], &pack)) return;
    reader_claim(reader, &reader->knowledge->forms, 0, field[0], pack, 0);
}

/* system, code, route, use */
void row_route(struct knowledge_reader *reader, const char *const *field)
{
    unsigned system = find_system(reader, 0, field[0]);
    char code[CODE_SIZE];
    uint32_t pack;

    if (!find_pack(reader, 2, field[2], 3, field[3], &pack) || !system) return;
    if (!good_code(reader, system, 1, field[1], code)) return;
    reader_claim(reader, &reader->knowledge->routes, system, code, pack, 1);
}

/* ---- drugs.csv */

/* concept, name, note */
void row_drug(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;

    if (!reader_name(reader, 0, field[0])) return;
    if (knowledge_concept(knowledge, CONCEPT_DRUG, field[0])) {
        reader_problem(reader, 0, "knowledge.twice", "keep one of the two lines",
                       "\"%.80s\" stands there already", field[0]);
        return;
    }
    unsigned concept =
        knowledge_add_concept(knowledge, CONCEPT_DRUG, field[0], *field[1] ? field[1] : NULL);
    reader_claim(reader, &knowledge->names, CONCEPT_DRUG, field[0], concept, 0);
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

static struct drug_code *find_row(struct knowledge_reader *reader, uint32_t entry, unsigned concept)
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
                          const struct drug_code *code)
{
    const struct knowledge *knowledge = reader->knowledge;
    const struct drug_code *first = &reader->rows[reader->entries[entry->value].first].code;
    const char *system = knowledge->system_names[entry->scope];
    char place[160];

    reader_problem(reader, 0, "knowledge.conflict", conflict_fix(reader, entry),
                   "%.60s %s is \"%s\" here and \"%s\" in %s", system ? system : "code",
                   entry->text, concept_name(knowledge, code->concept),
                   concept_name(knowledge, first->concept),
                   reader_place(reader, entry, place, sizeof place));
}

/* product: hash of what the rows of one product agree in, 0 when they just stand together */
static void add_drug_code(struct knowledge_reader *reader, unsigned system, const char *code,
                          const struct drug_code *row, uint32_t product, bool single)
{
    struct knowledge *knowledge = reader->knowledge;
    struct table_entry *entry = table_add(&knowledge->drugs, &knowledge->arena, system, code);
    struct drug_code *twin;

    if (!entry->value) {
        entry->value = new_entry(reader, product, single);
        entry->file = (uint32_t)reader->file;
        entry->line = reader->csv.line;
        append_row(reader, entry->value, row);
    } else if ((twin = find_row(reader, entry->value, row->concept))) {
        merge_row(twin, row);
    } else if (one_product(reader, entry->value, product, single)) {
        append_row(reader, entry->value, row);
    } else {
        drug_conflict(reader, entry, row);
    }
    reader->entry_now = entry->value;
}

void drug_rows_done(struct knowledge_reader *reader)
{
    struct knowledge *knowledge = reader->knowledge;
    uint32_t n = 0;

    knowledge->drug_codes = mem_zero(reader->row_count, sizeof *knowledge->drug_codes);
    knowledge->drug_entries = mem_zero(reader->entry_count, sizeof *knowledge->drug_entries);
    for (size_t i = 1; i < reader->entry_count; i++) {
        knowledge->drug_entries[i].first = n;
        for (uint32_t row = reader->entries[i].first; row; row = reader->rows[row].next)
            knowledge->drug_codes[n++] = reader->rows[row].code;
        knowledge->drug_entries[i].count = n - knowledge->drug_entries[i].first;
    }
}

/* ---- rxnorm.csv */

/* What a term type of RxNorm says of the code. */
static const struct term_type {
    const char *name;
    bool product; /* one unit of it can be taken */
    bool pack;    /* of several products: no one strength */
    bool single;  /* one ingredient */
} term_types[] = {
    { "IN", false, false, true },    { "PIN", false, false, true },
    { "MIN", false, false, false },  { "IN/MIN", false, false, false },
    { "BN", false, false, false },   { "SCDC", false, false, false },
    { "SBDC", false, false, false }, { "SCDF", false, false, false },
    { "SBDF", false, false, false }, { "SCDG", false, false, false },
    { "SBDG", false, false, false }, { "SCD", true, false, false },
    { "SBD", true, false, false },   { "GPCK", true, true, false },
    { "BPCK", true, true, false },
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

static bool read_strength(struct knowledge_reader *reader, const char *const *field,
                          struct drug_code *ret)
{
    ret->strength_unit = "";
    if (!*field[3] && !*field[4]) return true;
    if (!reader_decimal(reader, 3, field[3], DECIMAL_ZERO, &ret->strength)) return false;
    ret->has_strength = *field[3] && *field[4] && ret->strength.digits > 0;
    ret->strength_unit = knowledge_intern(reader->knowledge, field[4]);
    if (!ret->has_strength)
        reader_problem(reader, 3, "knowledge.strength", "give both, or leave both empty",
                       "a strength is a number above 0 and a unit");
    return ret->has_strength;
}

/* Codes without a form (ingredients, brands) can be anything: systemic, and no route. */
static bool read_form(struct knowledge_reader *reader, const char *form, struct drug_code *ret)
{
    uint32_t pack = table_value(&reader->knowledge->forms, 0, form);

    ret->use = use_of(pack);
    ret->route = route_of(pack);
    if (pack || !*form) return true;
    reader_unknown(reader, 6, "dose form", form, NULL,
                   "correct it, or add it to codes/dose-forms.csv");
    return false;
}

/* code, type, concept, strength, unit, quantity, form, name */
void row_rxnorm(struct knowledge_reader *reader, const char *const *field)
{
    const struct term_type *type = find_type(reader, 1, field[1]);
    struct drug_code row = { .concept = find_drug(reader, 2, field[2]) };
    bool good = read_strength(reader, field, &row);
    char code[CODE_SIZE];

    good &= read_form(reader, field[6], &row);
    if (!good_code(reader, reader->system, 0, field[0], code)) return;
    if (!good || !type || !row.concept) return;
    row.product = type->product;
    if (type->pack) forget_strength(&row);
    uint32_t product = hash_more(hash_more(2166136261u, type->name), field[7]);
    add_drug_code(reader, reader->system, code, &row, product | 1, type->single);
}

/* ---- atc.csv, snomed-drugs.csv, unii.csv, cvx.csv, ndc.csv */

/* code, concept, use, note */
void row_atc(struct knowledge_reader *reader, const char *const *field)
{
    struct drug_code row = { .concept = find_drug(reader, 1, field[1]), .strength_unit = "" };
    bool good = find_use(reader, 2, field[2], &row.use);
    char code[CODE_SIZE];

    if (!good_code(reader, reader->system, 0, field[0], code) || !good || !row.concept) return;
    add_drug_code(reader, reader->system, code, &row, 0, false);
}

/* code, concept, name */
void row_drug_code(struct knowledge_reader *reader, const char *const *field)
{
    struct drug_code row = { .concept = find_drug(reader, 1, field[1]), .strength_unit = "" };
    char code[CODE_SIZE];

    if (!good_code(reader, reader->system, 0, field[0], code) || !row.concept) return;
    add_drug_code(reader, reader->system, code, &row, 0, false);
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
    if (!good_code(reader, reader->system, 0, field[0], code) || !product) return;
    reader_claim(reader, &knowledge->drugs, reader->system, code, product, 0);
}

/* ---- loinc.csv, conditions.csv */

/* code, concept, name */
void row_loinc(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned concept = knowledge_concept(knowledge, CONCEPT_ANALYTE, field[1]);
    char code[CODE_SIZE];

    if (!concept)
        reader_unknown(reader, 1, "analyte", field[1],
                       reader_near(reader, 1u << CONCEPT_ANALYTE, field[1]),
                       "add it to labs/analytes.csv");
    if (!good_code(reader, reader->system, 0, field[0], code) || !concept) return;
    reader_claim(reader, &knowledge->analytes, reader->system, code, concept, 0);
}

/* A code may say several things at once (multiple myeloma is an immunocompromised state). */
static void add_condition_code(struct knowledge *knowledge, struct table *table, unsigned system,
                               const char *code, unsigned concept)
{
    struct table_entry *entry = table_add(table, &knowledge->arena, system, code);

    for (uint32_t i = entry->value; i; i = knowledge->links[i].next)
        if (knowledge->links[i].concept == concept) return;
    uint32_t number = (uint32_t)knowledge->link_count;
    knowledge->links =
        knowledge_push(knowledge->links, &knowledge->link_count, sizeof *knowledge->links);
    knowledge->links[number] = (struct condition_link){ concept, entry->value };
    entry->value = number;
}

/* Condition concepts are those that conditions.csv names. */
static unsigned condition_concept(struct knowledge_reader *reader, size_t column, const char *name)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned concept = knowledge_concept(knowledge, CONCEPT_CONDITION, name);

    if (concept || !reader_name(reader, column, name)) return concept;
    concept = knowledge_add_concept(knowledge, CONCEPT_CONDITION, name, NULL);
    reader_claim(reader, &knowledge->names, CONCEPT_CONDITION, name, concept, column);
    return concept;
}

/* system, code, match, concept, name */
void row_condition(struct knowledge_reader *reader, const char *const *field)
{
    static const char *const matches[] = { "exact", "prefix", NULL };
    struct knowledge *knowledge = reader->knowledge;
    unsigned system = find_system(reader, 0, field[0]);
    unsigned concept = condition_concept(reader, 3, field[3]);
    bool prefix = strcmp(field[2], "prefix") == 0, exact = strcmp(field[2], "exact") == 0;
    char code[CODE_SIZE];

    if (!prefix && !exact)
        reader_unknown(reader, 2, "match", field[2], nearest(field[2], matches),
                       "write exact or prefix");
    if (!system || !good_code(reader, system, 1, field[1], code)) return;
    if (!concept || (!prefix && !exact)) return;
    add_condition_code(knowledge, prefix ? &knowledge->prefixes : &knowledge->conditions, system,
                       code, concept);
    if (prefix && strlen(code) > knowledge->prefix_max) knowledge->prefix_max = strlen(code);
}

/* ---- local/ */

/* A short name of systems.csv, a URI (which need not be in systems.csv), or nothing. */
static unsigned local_system(struct knowledge_reader *reader, const char *text)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned system = table_value(&knowledge->systems, 0, text);

    if (!system) system = knowledge_system_number(knowledge, text);
    if (system || !strchr(text, ':')) return system ? system : find_system(reader, 0, text);
    system = add_system(knowledge, text);
    return add_uri(reader, 0, text, system) ? system : 0;
}

static void local_drug(struct knowledge_reader *reader, unsigned system, const char *code,
                       unsigned concept)
{
    const struct drug_code row = { .concept = concept, .strength_unit = "" };

    add_drug_code(reader, system, code, &row, 0, false);
}

/* A name may be drug and analyte at once (calcium): the code is looked up as one of them only. */
static void add_local(struct knowledge_reader *reader, unsigned system, const char *code,
                      const char *name)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned drug = knowledge_concept(knowledge, CONCEPT_DRUG, name);
    unsigned analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, name);
    unsigned condition = knowledge_concept(knowledge, CONCEPT_CONDITION, name);

    if (strcmp(name, "not-relevant") == 0) drug = knowledge->not_relevant;
    if (!drug && !analyte && !condition)
        reader_unknown(reader, 2, "drug, analyte or condition", name,
                       reader_near(reader, ANY_KIND, name),
                       "use a concept of codes/ or labs/, or not-relevant");
    if (drug) local_drug(reader, system, code, drug);
    if (analyte) reader_claim(reader, &knowledge->analytes, system, code, analyte, 1);
    if (condition) add_condition_code(knowledge, &knowledge->conditions, system, code, condition);
}

/* system, code, concept, comment */
void row_local(struct knowledge_reader *reader, const char *const *field)
{
    unsigned system = local_system(reader, field[0]);
    char code[CODE_SIZE];

    if (!system || !good_code(reader, system, 1, field[1], code)) return;
    add_local(reader, system, code, field[2]);
}
