/* Rows of codes/: systems, dose forms, routes, drugs, results, conditions. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

/* ---- shared by the rows */

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

unsigned reader_system(struct knowledge_reader *reader, size_t column, const char *name)
{
    unsigned system = table_value(&reader->knowledge->systems, 0, name);

    if (!system)
        reader_unknown(reader, column, "code system", name, near_system(reader->knowledge, name),
                       "add its URI to codes/systems.csv");
    return system;
}

/* The code as the tables have it; reported when it is empty or too long. */
bool reader_code(struct knowledge_reader *reader, unsigned system, size_t column, const char *code,
                 char ret[CODE_SIZE])
{
    if (code_normal(reader->knowledge, system, code, ret)) return true;
    reader_problem(reader, column, "knowledge.code", "write the code alone",
                   *code ? "this code is too long" : "there is no code");
    return false;
}

bool reader_use(struct knowledge_reader *reader, size_t column, const char *word,
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

    good &= reader_use(reader, use_column, use, &parsed_use);
    *ret = route_pack(parsed_route, parsed_use);
    return good;
}

/* ---- systems.csv, dose-forms.csv, routes.csv */

unsigned system_add(struct knowledge *knowledge, const char *name)
{
    struct table_entry *entry = table_add(&knowledge->systems, &knowledge->arena, 0, name);

    if (entry->value) return entry->value;
    entry->value = (uint32_t)knowledge->system_count;
    knowledge->system_names =
        knowledge_push(knowledge->system_names, &knowledge->system_count, sizeof(const char *));
    knowledge->system_names[entry->value] = entry->text;
    return entry->value;
}

bool system_add_uri(struct knowledge_reader *reader, size_t column, const char *uri,
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
    system_add_uri(reader, 1, field[1], system_add(reader->knowledge, field[0]));
}

/* system, also, note: a sender of the one may mean a code of the other. */
void row_related_system(struct knowledge_reader *reader, const char *const *field)
{
    struct table *related = &reader->knowledge->related_systems;
    unsigned system = reader_system(reader, 0, field[0]), also = reader_system(reader, 1, field[1]);

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
    unsigned system = reader_system(reader, 0, field[0]);
    char code[CODE_SIZE];
    uint32_t pack;

    if (!find_pack(reader, 2, field[2], 3, field[3], &pack) || !system) return;
    if (!reader_code(reader, system, 1, field[1], code)) return;
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
    uint32_t entry = drug_entry_alone(reader, concept);
    drug_name_add(reader, field[0], entry, USE_SYSTEMIC);
    if (*field[1]) drug_name_add(reader, field[1], entry, USE_SYSTEMIC);
    drug_words_add(reader, field[0]);
    drug_words_add(reader, field[1]);
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
    if (!reader_code(reader, reader->system, 0, field[0], code) || !concept) return;
    reader_claim(reader, &knowledge->analytes, reader->system, code, concept, 0);
}

/* A code may say several things at once (multiple myeloma is an immunocompromised state). */
void condition_code_add(struct knowledge_reader *reader, struct table *table, unsigned system,
                        const char *code, unsigned concept, size_t column)
{
    struct knowledge *knowledge = reader->knowledge;
    struct table_entry *entry = table_add(table, &knowledge->arena, system, code);

    if (!entry->value) reader_mark(reader, entry, column);
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
    unsigned system = reader_system(reader, 0, field[0]);
    unsigned concept = condition_concept(reader, 3, field[3]);
    bool prefix = strcmp(field[2], "prefix") == 0, exact = strcmp(field[2], "exact") == 0;
    char code[CODE_SIZE];

    if (!prefix && !exact)
        reader_unknown(reader, 2, "match", field[2], nearest(field[2], matches),
                       "write exact or prefix");
    if (!system || !reader_code(reader, system, 1, field[1], code)) return;
    if (!concept || (!prefix && !exact)) return;
    condition_code_add(reader, prefix ? &knowledge->prefixes : &knowledge->conditions, system, code,
                       concept, 1);
    if (prefix && strlen(code) > knowledge->prefix_max) knowledge->prefix_max = strlen(code);
}
