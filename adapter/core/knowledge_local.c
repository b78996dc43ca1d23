/* Codes of a site: CSV rows and what ConceptMaps say, laid over our tables. A code stands for one
 * thing: who says something else is reported with both places, unless he says that he overrides. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

#define CONDITIONS_MAX 16 /* concepts of one code */
#define ANY_KIND       (1u << CONCEPT_DRUG | 1u << CONCEPT_ANALYTE | 1u << CONCEPT_CONDITION)

/* ---- systems */

unsigned local_system(struct knowledge_reader *reader, size_t column, const char *text)
{
    struct knowledge *knowledge = reader->knowledge;
    unsigned system = table_value(&knowledge->systems, 0, text);

    if (!system) system = knowledge_system_number(knowledge, text);
    if (system || !strchr(text, ':')) return system ? system : reader_system(reader, column, text);
    system = system_add(knowledge, text);
    return system_add_uri(reader, column, text, system) ? system : 0;
}

/* ---- what a name means */

enum meaning_kind { MEANS_DRUG, MEANS_ANALYTE, MEANS_CONDITION, MEANS_ROUTE, MEANS_COUNT };

static const char *const kind_names[] = { "drug", "analyte", "condition", "route" };

/* "drug:x": x, and *ret_kinds is a set of 1 << kind; without a kind, all of them. */
static const char *kind_parse(const char *word, unsigned *ret_kinds)
{
    for (unsigned i = 0; i < MEANS_COUNT; i++) {
        size_t len = strlen(kind_names[i]);
        if (strncmp(word, kind_names[i], len) != 0 || word[len] != ':') continue;
        *ret_kinds = 1u << i;
        return word + len + 1;
    }
    *ret_kinds = (1u << MEANS_COUNT) - 1;
    return word;
}

/* A route with the use that routes.csv has for it. */
static uint32_t route_named(const struct knowledge *knowledge, const char *word)
{
    enum drug_route route;

    if (!drug_route_parse(word, &route) || route == ROUTE_UNKNOWN) return 0;
    for (size_t i = 0; i < knowledge->routes.room; i++) {
        const struct table_entry *entry = &knowledge->routes.entries[i];
        if (entry->text && route_of(entry->value) == route) return entry->value;
    }
    return route_pack(route, USE_SYSTEMIC);
}

static void unknown_name(struct knowledge_reader *reader, size_t column, const char *word,
                         unsigned kinds)
{
    const char *routes[ROUTE_OTHER + 1] = { NULL }, *near = NULL;
    unsigned concepts = kinds & ANY_KIND; /* MEANS_* begin like CONCEPT_* */
    char what[64];

    for (unsigned i = ROUTE_UNKNOWN + 1; i <= ROUTE_OTHER; i++)
        routes[i - 1] = drug_route_name((enum drug_route)i);
    if (!*word) {
        reader_problem(reader, column, "knowledge.unknown", "fill it in, or take the line out",
                       "there is no concept");
        return;
    }
    if (concepts) near = reader_near(reader, concepts, word);
    if (!near && kinds & 1u << MEANS_ROUTE) near = nearest(word, routes);
    snprintf(what, sizeof what, "drug, analyte, condition or route");
    for (unsigned i = 0; i < MEANS_COUNT; i++)
        if (kinds == 1u << i) snprintf(what, sizeof what, "%s", kind_names[i]);
    reader_unknown(reader, column, what, word, near,
                   "use a concept of codes/ or labs/, or not-relevant");
}

bool local_concept(struct knowledge_reader *reader, size_t column, const char *word,
                   struct meaning_room *room, struct meaning *ret)
{
    const struct knowledge *knowledge = reader->knowledge;
    unsigned kinds;
    const char *name = kind_parse(word, &kinds);

    *ret = (struct meaning){ .words = word };
    *room = (struct meaning_room){ .drug.strength_unit = "" };
    if (kinds & 1u << MEANS_DRUG) {
        room->drug.concept = knowledge_concept(knowledge, CONCEPT_DRUG, name);
        if (strcmp(name, "not-relevant") == 0) room->drug.concept = knowledge->not_relevant;
        ret->drugs = &room->drug;
        ret->drug_count = room->drug.concept != CONCEPT_NONE;
    }
    if (kinds & 1u << MEANS_ANALYTE)
        ret->analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, name);
    if (kinds & 1u << MEANS_CONDITION) {
        room->condition = knowledge_concept(knowledge, CONCEPT_CONDITION, name);
        ret->conditions = &room->condition;
        ret->condition_count = room->condition != CONCEPT_NONE;
    }
    if (kinds & 1u << MEANS_ROUTE) ret->route = route_named(knowledge, name);
    if (ret->drug_count || ret->analyte || ret->condition_count || ret->route) return true;
    unknown_name(reader, column, name, kinds);
    return false;
}

/* ---- claims */

/* What is said of the code so far is something else. */
static void conflict(struct knowledge_reader *reader, unsigned system, const char *code,
                     const char *here, const char *there, const struct table_entry *entry)
{
    const char *name = reader->knowledge->system_names[system];
    char place[160];

    reader_problem(reader, 1, "knowledge.conflict",
                   table_value(&reader->knowledge->alone, system, code)
                       ? "keep one of the two lines"
                       : "keep one of the two, or say yes under \"overrides\" in this line",
                   "%.60s %s is \"%.50s\" here and \"%.50s\" in %s", name ? name : "code", code,
                   here, there, reader_place(reader, entry, place, sizeof place));
}

static const struct table_entry *found(const struct table *table, unsigned system, const char *code)
{
    const struct table_entry *entry = table_find(table, system, code, strlen(code));

    return entry && entry->value ? entry : NULL;
}

static bool from_here(const struct knowledge_reader *reader, const struct table_entry *entry)
{
    return entry->file == reader->file;
}

/* Where another file said it, agreement adds nothing: its strength is better than our name. */
static bool claim_drugs(struct knowledge_reader *reader, unsigned system, const char *code,
                        const struct meaning *meaning)
{
    struct knowledge *knowledge = reader->knowledge;
    uint32_t product =
        meaning->product ? (uint32_t)reader->csv.line << 8 | reader->csv.column[1] | 1 : 0;

    for (size_t i = 0; i < meaning->drug_count; i++) {
        const struct table_entry *entry = found(&knowledge->drugs, system, code);
        const struct drug_code *drug = &meaning->drugs[i];
        if (!entry || from_here(reader, entry)) {
            drug_code_add(reader, system, code, drug, product, false, 1);
        } else if (!drug_row_find(reader, entry->value, drug->concept)) {
            const struct drug_code *first = &reader->rows[reader->entries[entry->value].first].code;
            conflict(reader, system, code, concept_name(knowledge, drug->concept),
                     concept_name(knowledge, first->concept), entry);
            return false;
        }
    }
    return true;
}

static bool claim_value(struct knowledge_reader *reader, struct table *table, unsigned system,
                        const char *code, uint32_t value, const char *here)
{
    struct table_entry *entry = table_add(table, &reader->knowledge->arena, system, code);

    if (!entry->value) {
        entry->value = value;
        reader_mark(reader, entry, 1);
    }
    if (entry->value == value) return true;
    conflict(reader, system, code, here,
             table == &reader->knowledge->routes ? drug_route_name(route_of(entry->value))
                                                 : concept_name(reader->knowledge, entry->value),
             entry);
    return false;
}

/* The row that makes a condition of the code: an exact one, else the longest prefix. */
static const struct table_entry *condition_entry(const struct knowledge *knowledge, unsigned system,
                                                 const char *code)
{
    const struct table_entry *entry = found(&knowledge->conditions, system, code);

    if (table_value(&knowledge->alone, system, code)) return entry;
    for (size_t n = strlen(code); !entry && n > 0; n--) {
        entry = table_find(&knowledge->prefixes, system, code, n);
        if (entry && !entry->value) entry = NULL;
    }
    return entry;
}

/* One file may give a code several conditions; what another one says must be among them. */
static bool claim_conditions(struct knowledge_reader *reader, unsigned system, const char *code,
                             const struct meaning *meaning)
{
    struct knowledge *knowledge = reader->knowledge;
    const struct table_entry *entry = condition_entry(knowledge, system, code);
    unsigned known[CONDITIONS_MAX];
    size_t count = condition_find(knowledge, system, code, known, CONDITIONS_MAX);

    for (size_t i = 0; i < meaning->condition_count; i++) {
        unsigned concept = meaning->conditions[i];
        bool agreed = false;
        for (size_t j = 0; j < count; j++) agreed |= known[j] == concept;
        if (agreed) continue;
        if (entry && !from_here(reader, entry)) {
            conflict(reader, system, code, concept_name(knowledge, concept),
                     concept_name(knowledge, count ? known[0] : concept), entry);
            return false;
        }
        condition_code_add(reader, &knowledge->conditions, system, code, concept, 1);
    }
    return true;
}

/* A code that is one kind of thing elsewhere is no other kind here. Two things of one name (calcium:
 * drug and analyte) get along: the code is looked up as one of them only. */
static bool same_kind(struct knowledge_reader *reader, unsigned system, const char *code,
                      const struct meaning *meaning)
{
    struct knowledge *knowledge = reader->knowledge;
    const struct table_entry *drug = found(&knowledge->drugs, system, code);
    const struct table_entry *analyte = found(&knowledge->analytes, system, code);
    const struct table_entry *route = found(&knowledge->routes, system, code);
    const struct table_entry *other = NULL;
    unsigned kinds;
    const char *there = "", *name = kind_parse(meaning->words, &kinds);

    if (drug && !meaning->drug_count) {
        other = drug;
        there =
            concept_name(knowledge, reader->rows[reader->entries[drug->value].first].code.concept);
    } else if (analyte && !meaning->analyte) {
        other = analyte;
        there = concept_name(knowledge, analyte->value);
    } else if (route && !meaning->route) {
        other = route;
        there = drug_route_name(route_of(route->value));
    }
    if (!other || strcmp(name, there) == 0) return true;
    conflict(reader, system, code, name, there, other);
    return false;
}

static void claim(struct knowledge_reader *reader, unsigned system, const char *code,
                  const struct meaning *meaning)
{
    struct knowledge *knowledge = reader->knowledge;

    if (!same_kind(reader, system, code, meaning)) return;
    if (!claim_drugs(reader, system, code, meaning)) return;
    if (meaning->analyte &&
        !claim_value(reader, &knowledge->analytes, system, code, meaning->analyte,
                     concept_name(knowledge, meaning->analyte)))
        return;
    if (meaning->route && !claim_value(reader, &knowledge->routes, system, code, meaning->route,
                                       drug_route_name(route_of(meaning->route))))
        return;
    claim_conditions(reader, system, code, meaning);
}

/* ---- overrides */

static struct meaning meaning_keep(struct knowledge *knowledge, const struct meaning *meaning)
{
    struct arena *arena = &knowledge->arena;
    size_t drugs = meaning->drug_count * sizeof *meaning->drugs;
    size_t conditions = meaning->condition_count * sizeof *meaning->conditions;
    struct meaning kept = *meaning;

    kept.words = knowledge_intern(knowledge, meaning->words);
    kept.drugs = drugs ? memcpy(arena_alloc(arena, drugs), meaning->drugs, drugs) : NULL;
    kept.conditions =
        conditions ? memcpy(arena_alloc(arena, conditions), meaning->conditions, conditions) : NULL;
    return kept;
}

void local_claim(struct knowledge_reader *reader, unsigned system, const char *code,
                 const struct meaning *meaning, bool overrides)
{
    struct knowledge *knowledge = reader->knowledge;

    if (!overrides) {
        claim(reader, system, code, meaning);
        return;
    }
    reader->late = knowledge_push(reader->late, &reader->late_count, sizeof *reader->late);
    reader->late[reader->late_count - 1] =
        (struct late_row){ .file = (uint32_t)reader->file,
                           .line = reader->csv.line,
                           .column = reader->csv.column[1],
                           .system = system,
                           .code = knowledge_intern(knowledge, code),
                           .meaning = meaning_keep(knowledge, meaning) };
}

/* Forget what was said of the code. False when nothing was. */
static bool wipe(struct knowledge *knowledge, unsigned system, const char *code)
{
    struct table *tables[] = { &knowledge->drugs, &knowledge->analytes, &knowledge->routes,
                               &knowledge->conditions };
    bool any = condition_entry(knowledge, system, code) != NULL;

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        if (!found(tables[i], system, code)) continue;
        table_add(tables[i], &knowledge->arena, system, code)->value = 0;
        any = true;
    }
    return any;
}

static bool same_code(const struct late_row *a, const struct late_row *b)
{
    return a->file == b->file && a->system == b->system && a->code == b->code; /* interned */
}

static void late_row(struct knowledge_reader *reader, const struct late_row *row, bool joins)
{
    struct knowledge *knowledge = reader->knowledge;
    struct table_entry *alone =
        table_add(&knowledge->alone, &knowledge->arena, row->system, row->code);

    reader->file = row->file;
    reader->csv.line = row->line;
    reader->csv.column[1] = row->column;
    reader->entry_before = joins ? reader->entry_now : 0;
    reader->entry_now = 0;
    if (!alone->value && !wipe(knowledge, row->system, row->code)) {
        reader_problem(reader, 1, "knowledge.override", "take the \"yes\" out",
                       "\"%.80s\" overrides nothing: no other line has this code", row->code);
        return;
    }
    alone->value = 1;
    claim(reader, row->system, row->code, &row->meaning);
}

void local_overrides(struct knowledge_reader *reader)
{
    for (size_t i = 0; i < reader->late_count; i++)
        late_row(reader, &reader->late[i], i && same_code(&reader->late[i - 1], &reader->late[i]));
    free(reader->late);
    reader->late = NULL;
    reader->late_count = 0;
}

/* ---- CSV */

static bool says_override(struct knowledge_reader *reader, const char *word, bool *ret)
{
    *ret = strcmp(word, "yes") == 0;
    if (*ret || !*word) return true;
    reader_problem(reader, 4, "knowledge.override", "write yes, or leave it empty",
                   "\"%.80s\" does not say whether this line overrides others", word);
    return false;
}

/* A form and a strength: one unit of a product can be taken. A strength alone is that of a component,
 * a form alone that of any strength. */
static bool local_product(struct knowledge_reader *reader, const char *const *field,
                          struct meaning *meaning, struct drug_code *drug)
{
    if (!*field[5] && !*field[6] && !*field[7]) return true;
    if (!meaning->drug_count) {
        reader_problem(reader, 2, "knowledge.strength", "leave strength, unit and form empty",
                       "\"%.80s\" is no drug: it has neither strength nor form", field[2]);
        return false;
    }
    bool good = reader_strength(reader, 5, field[5], field[6], drug);
    good &= reader_form(reader, 7, field[7], drug);
    drug->product = drug->has_strength && *field[7];
    return good;
}

/* system, code, concept, comment, overrides, strength, unit, form */
void row_local(struct knowledge_reader *reader, const char *const *field)
{
    unsigned system = local_system(reader, 0, field[0]);
    struct meaning_room room;
    struct meaning meaning;
    char code[CODE_SIZE];
    bool overrides;

    if (!system || !reader_code(reader, system, 1, field[1], code)) return;
    if (!says_override(reader, field[4], &overrides)) return;
    if (!local_concept(reader, 2, field[2], &room, &meaning)) return;
    if (!local_product(reader, field, &meaning, &room.drug)) return;
    local_claim(reader, system, code, &meaning, overrides);
}
