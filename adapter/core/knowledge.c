#include "core/knowledge.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"
#include "core/rule.h"

/* ---- sets */

/* Where concept stands or would stand. */
static size_t set_place(const struct concept_set *set, unsigned concept)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (set->items[mid] < concept)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

bool concept_set_has(const struct concept_set *set, unsigned concept)
{
    size_t at = set_place(set, concept);

    return at < set->count && set->items[at] == concept;
}

bool concept_set_within(const struct concept_set *inner, const struct concept_set *outer)
{
    for (size_t i = 0; i < inner->count; i++)
        if (!concept_set_has(outer, inner->items[i])) return false;
    return true;
}

void concept_set_add(struct concept_set *set, unsigned concept)
{
    size_t at = set_place(set, concept);

    if (at < set->count && set->items[at] == concept) return;
    set->items = mem_resize(set->items, (set->count + 1) * sizeof *set->items);
    memmove(&set->items[at + 1], &set->items[at], (set->count - at) * sizeof *set->items);
    set->items[at] = concept;
    set->count++;
}

void concept_set_done(struct concept_set *set)
{
    free(set->items);
    *set = (struct concept_set){ 0 };
}

/* ---- building */

const char *knowledge_intern(struct knowledge *knowledge, const char *text)
{
    return table_add(&knowledge->strings, &knowledge->arena, 0, text)->text;
}

void *knowledge_push(void *array, size_t *count, size_t size)
{
    size_t n = (*count)++;

    if ((n & (n - 1)) == 0)
        array = mem_resize(array, (n ? 2 * n : 1) * size); /* at 0, 1, 2, 4 ... */
    memset((char *)array + n * size, 0, size);
    return array;
}

unsigned knowledge_add_concept(struct knowledge *knowledge, enum concept_kind kind,
                               const char *name, const char *words)
{
    unsigned number = (unsigned)knowledge->concept_count;
    char *spaced = arena_copy(&knowledge->arena, name, strlen(name));

    for (char *c = spaced; *c; c++)
        if (*c == '-') *c = ' ';
    knowledge->concepts =
        knowledge_push(knowledge->concepts, &knowledge->concept_count, sizeof *knowledge->concepts);
    knowledge->concepts[number] = (struct concept){
        .kind = kind,
        .name = knowledge_intern(knowledge, name),
        .words = words ? knowledge_intern(knowledge, words) : spaced,
        .unit = "",
    };
    return number;
}

void knowledge_add_rule(struct knowledge *knowledge, struct rule *rule)
{
    size_t n = knowledge->rule_count;

    knowledge->rules =
        knowledge_push(knowledge->rules, &knowledge->rule_count, sizeof(struct rule *));
    knowledge->rules[n] = rule;
    table_add(&knowledge->rule_ids, &knowledge->arena, 0, rule->id)->value = (uint32_t)n + 1;
}

void knowledge_replace_rule(struct knowledge *knowledge, struct rule *rule)
{
    uint32_t number = table_value(&knowledge->rule_ids, 0, rule->id);

    rule_free(knowledge->rules[number - 1]);
    knowledge->rules[number - 1] = rule;
}

void knowledge_add_definition(struct knowledge *knowledge, const char *name, const char *file,
                              struct clause *clause)
{
    struct table_entry *entry = table_add(&knowledge->definition_names, &knowledge->arena, 0, name);
    size_t n = knowledge->definition_count;

    knowledge->definitions = knowledge_push(knowledge->definitions, &knowledge->definition_count,
                                            sizeof *knowledge->definitions);
    knowledge->definitions[n] = (struct definition){ clause, file };
    if (!entry->value) entry->value = (uint32_t)n + 1;
}

size_t knowledge_definition_count(const struct knowledge *knowledge)
{
    return knowledge->definition_count;
}

const struct clause *knowledge_definition_at(const struct knowledge *knowledge, size_t index,
                                             const char **ret_name)
{
    const struct table *names = &knowledge->definition_names;

    *ret_name = "";
    for (size_t i = 0; i < names->room; i++)
        if (names->entries[i].text && names->entries[i].value == index + 1)
            *ret_name = names->entries[i].text;
    return knowledge->definitions[index].clause;
}

const char *knowledge_definition_file(const struct knowledge *knowledge, size_t index)
{
    return knowledge->definitions[index].file;
}

const struct clause *knowledge_definition(const struct knowledge *knowledge, const char *name)
{
    uint32_t number = table_value(&knowledge->definition_names, 0, name);

    return number ? knowledge->definitions[number - 1].clause : NULL;
}

struct arena *knowledge_arena(struct knowledge *knowledge)
{
    return &knowledge->arena;
}

static void free_tables(struct knowledge *knowledge)
{
    struct table *tables[] = {
        &knowledge->names,      &knowledge->uris,        &knowledge->systems,
        &knowledge->strings,    &knowledge->drugs,       &knowledge->analytes,
        &knowledge->conditions, &knowledge->prefixes,    &knowledge->routes,
        &knowledge->forms,      &knowledge->units,       &knowledge->spellings,
        &knowledge->answers,    &knowledge->class_names, &knowledge->definition_names,
        &knowledge->rule_ids,   &knowledge->alone,       &knowledge->related_systems,
        &knowledge->drug_names, &knowledge->name_words,  &knowledge->drug_words,
    };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) table_done(tables[i]);
}

static void free_clauses(struct knowledge *knowledge)
{
    for (size_t i = 0; i < knowledge->rule_count; i++) rule_free(knowledge->rules[i]);
    for (size_t i = 0; i < knowledge->definition_count; i++) {
        clause_done(knowledge->definitions[i].clause);
        free(knowledge->definitions[i].clause);
    }
    free(knowledge->rules);
    free(knowledge->definitions);
}

void knowledge_free(struct knowledge *knowledge)
{
    if (!knowledge) return;
    free_clauses(knowledge);
    free_tables(knowledge);
    free(knowledge->concepts);
    free(knowledge->system_names);
    free(knowledge->drug_entries);
    free(knowledge->drug_codes);
    free(knowledge->named);
    free(knowledge->links);
    free(knowledge->ways);
    free(knowledge->spelled);
    free(knowledge->classes);
    concept_set_done(&knowledge->cohort_conditions);
    concept_set_done(&knowledge->cohort_drugs);
    arena_done(&knowledge->arena);
    free(knowledge);
}

/* ---- concepts and classes */

const char *knowledge_generation(const struct knowledge *knowledge)
{
    return knowledge->generation;
}

unsigned knowledge_concept(const struct knowledge *knowledge, enum concept_kind kind,
                           const char *name)
{
    return table_value(&knowledge->names, kind, name);
}

const char *concept_name(const struct knowledge *knowledge, unsigned concept)
{
    return knowledge->concepts[concept].name;
}

const char *concept_words(const struct knowledge *knowledge, unsigned concept)
{
    return knowledge->concepts[concept].words;
}

const char *knowledge_near(const struct knowledge *knowledge, unsigned kinds, const char *word)
{
    const char **names = mem_zero(knowledge->concept_count + 1, sizeof *names);
    size_t n = 0;

    for (size_t i = 1; i < knowledge->concept_count; i++) {
        const struct concept *concept = &knowledge->concepts[i];
        if (i != knowledge->not_relevant && (kinds & 1u << concept->kind))
        names[n++] = concept->name;
    }
    const char *near = nearest(word, names);
    free(names);
    return near;
}

static const char *near_class(const struct knowledge *knowledge, enum concept_kind kind,
                              const char *word)
{
    const char **words = mem_zero(knowledge->class_count + 1, sizeof *words);
    size_t n = 0;

    for (size_t i = 0; i < knowledge->class_count; i++) {
        const struct concept_class *class = &knowledge->classes[i];
        if (!class->has_kind || class->kind == kind) words[n++] = class->word;
    }
    const char *near = nearest(word, words);
    free(words);
    return near;
}

const char *knowledge_class_name(const struct knowledge *knowledge, const char *word)
{
    uint32_t number = table_value(&knowledge->class_names, 0, word);

    return number ? knowledge->classes[number - 1].name : NULL;
}

/* Classes have no cycles: classes_read() sees to that. */
static void add_members(const struct knowledge *knowledge, uint32_t number, struct concept_set *set)
{
    const struct concept_class *class = &knowledge->classes[number - 1];

    for (size_t i = 0; i < class->member_count; i++) {
        if (class->members[i].class)
            add_members(knowledge, class->members[i].class, set);
        else if (class->members[i].concept)
            concept_set_add(set, class->members[i].concept);
    }
}

static bool expand_class(const struct knowledge *knowledge, enum concept_kind kind,
                         const char *word, struct concept_set *set, const char **ret_near)
{
    uint32_t number = table_value(&knowledge->class_names, 0, word);
    const struct concept_class *class = number ? &knowledge->classes[number - 1] : NULL;

    if (!class || (class->has_kind && class->kind != kind)) {
        *ret_near = near_class(knowledge, kind, word);
        return false;
    }
    add_members(knowledge, number, set);
    return true;
}

bool knowledge_expand(const struct knowledge *knowledge, enum concept_kind kind, const char *word,
                      struct concept_set *set, const char **ret_near)
{
    if (strncmp(word, "class:", 6) == 0) return expand_class(knowledge, kind, word, set, ret_near);
    unsigned concept = knowledge_concept(knowledge, kind, word);
    if (!concept) {
        *ret_near = knowledge_near(knowledge, 1u << kind, word);
        return false;
    }
    concept_set_add(set, concept);
    return true;
}

const struct concept_set *knowledge_cohort_conditions(const struct knowledge *knowledge)
{
    return &knowledge->cohort_conditions;
}

const struct concept_set *knowledge_cohort_drugs(const struct knowledge *knowledge)
{
    return &knowledge->cohort_drugs;
}

const struct policy *knowledge_policy(const struct knowledge *knowledge)
{
    return &knowledge->policy;
}

/* ---- systems and codes */

bool uri_normal(const char *uri, char ret[URI_SIZE])
{
    size_t len = strcspn(uri, "|");
    bool secure = strncmp(uri, "https://", 8) == 0;

    if (len && uri[len - 1] == '/') len--;
    if (len >= URI_SIZE) return false;
    memcpy(ret, uri, len);
    ret[len] = '\0';
    if (secure) memmove(ret + 4, ret + 5, len - 4); /* the NUL too */
    return true;
}

/* "http://x/sct/7/version/8" is looked up as "http://x/sct/7/version/" + "*", then with less. */
static unsigned system_by_start(const struct knowledge *knowledge, char uri[URI_SIZE])
{
    for (char *slash; (slash = strrchr(uri, '/')) != NULL; *slash = '\0') {
        if (slash + 2 >= uri + URI_SIZE) continue;
        memcpy(slash + 1, "*", 2);
        uint32_t system = table_value(&knowledge->uris, 0, uri);
        if (system) return system;
    }
    return 0;
}

unsigned knowledge_system_number(const struct knowledge *knowledge, const char *uri)
{
    char normal[URI_SIZE];

    if (!uri || !*uri) return SYSTEM_NONE;
    if (!uri_normal(uri, normal)) return 0;
    uint32_t system = table_value(&knowledge->uris, 0, normal);
    return system ? system : system_by_start(knowledge, normal);
}

const char *knowledge_system(const struct knowledge *knowledge, const char *uri)
{
    unsigned system = knowledge_system_number(knowledge, uri);

    return system > SYSTEM_NONE ? knowledge->system_names[system] : NULL;
}

/* An NDC of labeler-product-package in one of the four usual shapes becomes 5-4-2 digits. */
static bool ndc_normal(const char *code, char ret[CODE_SIZE])
{
    static const struct {
        size_t digits[3];
    } shapes[] = { { { 4, 4, 2 } }, { { 5, 3, 2 } }, { { 5, 4, 1 } }, { { 5, 4, 2 } } };
    size_t labeler = strspn(code, "0123456789");
    const char *rest = code[labeler] == '-' ? code + labeler + 1 : "";
    size_t product = strspn(rest, "0123456789");
    const char *last = rest[product] == '-' ? rest + product + 1 : "";
    size_t package = strspn(last, "0123456789");

    if (last[package]) return false;
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const size_t *digits = shapes[i].digits;
        if (labeler != digits[0] || product != digits[1] || package != digits[2]) continue;
        snprintf(ret, CODE_SIZE, "%s%.*s%s%.*s%s%.*s", labeler < 5 ? "0" : "", (int)labeler, code,
                 product < 4 ? "0" : "", (int)product, rest, package < 2 ? "0" : "", (int)package,
                 last);
        return true;
    }
    return false;
}

bool code_normal(const struct knowledge *knowledge, unsigned system, const char *code,
                 char ret[CODE_SIZE])
{
    const char *name = knowledge->system_names[system];
    bool icd = name && strncmp(name, "icd", 3) == 0;
    size_t n = 0;

    if (name && strcmp(name, "ndc") == 0 && ndc_normal(code, ret)) return true;

    for (; *code; code++) {
        if (icd && *code == '.') continue;
        if (n == CODE_SIZE - 1) return false;
        ret[n++] = icd ? (char)toupper((unsigned char)*code) : *code;
    }
    ret[n] = '\0';
    return n > 0;
}

/* System and code as the tables have them. */
static bool code_key(const struct knowledge *knowledge, const char *system, const char *code,
                     unsigned *ret_system, char ret[CODE_SIZE])
{
    *ret_system = knowledge_system_number(knowledge, system);
    return *ret_system && code && code_normal(knowledge, *ret_system, code, ret);
}

size_t knowledge_drug(const struct knowledge *knowledge, const char *system, const char *code,
                      const struct drug_code **ret)
{
    char normal[CODE_SIZE];
    unsigned scope;

    *ret = NULL;
    if (!code_key(knowledge, system, code, &scope, normal)) return 0;
    uint32_t number = table_value(&knowledge->drugs, scope, normal);
    if (!number) return 0;
    const struct drug_entry *entry = &knowledge->drug_entries[number];
    *ret = &knowledge->drug_codes[entry->first];
    return entry->count;
}

unsigned knowledge_analyte(const struct knowledge *knowledge, const char *system, const char *code)
{
    char normal[CODE_SIZE];
    unsigned scope;

    if (!code_key(knowledge, system, code, &scope, normal)) return CONCEPT_NONE;
    return table_value(&knowledge->analytes, scope, normal);
}

bool knowledge_dose_form(const struct knowledge *knowledge, const char *form,
                         enum drug_use *ret_use)
{
    uint32_t pack = table_value(&knowledge->forms, 0, form);

    if (pack) *ret_use = use_of(pack);
    return pack != 0;
}

enum drug_route knowledge_route(const struct knowledge *knowledge, const char *system,
                                const char *code, enum drug_use *ret_use)
{
    char normal[CODE_SIZE];
    unsigned scope;

    *ret_use = USE_SYSTEMIC;
    if (!code_key(knowledge, system, code, &scope, normal)) return ROUTE_UNKNOWN;
    uint32_t pack = table_value(&knowledge->routes, scope, normal);
    *ret_use = use_of(pack);
    return route_of(pack);
}

/* Concepts found so far, each once, ascending. */
struct found {
    unsigned *items;
    size_t count, max;
};

static void found_add(struct found *found, unsigned concept)
{
    size_t at = found->count;

    for (size_t i = 0; i < found->count; i++)
        if (found->items[i] == concept) return;
    if (found->count == found->max) return;
    for (; at > 0 && found->items[at - 1] > concept; at--) found->items[at] = found->items[at - 1];
    found->items[at] = concept;
    found->count++;
}

static void found_links(const struct knowledge *knowledge, const struct table_entry *entry,
                        struct found *found)
{
    for (uint32_t i = entry ? entry->value : 0; i; i = knowledge->links[i].next)
        found_add(found, knowledge->links[i].concept);
}

/* The conditions of the code in that system alone. */
static void found_code(const struct knowledge *knowledge, unsigned system, const char *code,
                       struct found *found)
{
    size_t len = strlen(code);

    found_links(knowledge, table_find(&knowledge->conditions, system, code, len), found);
    if (table_value(&knowledge->alone, system, code)) return;
    for (size_t n = 1; n <= len && n <= knowledge->prefix_max; n++)
        found_links(knowledge, table_find(&knowledge->prefixes, system, code, n), found);
}

size_t condition_find(const struct knowledge *knowledge, unsigned system, const char *code,
                      unsigned *ret, size_t max)
{
    struct found found = { .items = ret, .max = max };

    found_code(knowledge, system, code, &found);
    return found.count;
}

size_t knowledge_condition(const struct knowledge *knowledge, const char *system, const char *code,
                           unsigned *ret, size_t max)
{
    struct found found = { .items = ret, .max = max };
    char normal[CODE_SIZE];
    unsigned scope;

    if (!code_key(knowledge, system, code, &scope, normal)) return 0;
    for (; scope; scope = table_value(&knowledge->related_systems, scope, ""))
        found_code(knowledge, scope, normal, &found);
    return found.count;
}

/* ---- rules */

size_t knowledge_rule_count(const struct knowledge *knowledge)
{
    return knowledge->rule_count;
}

const struct rule *knowledge_rule(const struct knowledge *knowledge, size_t index)
{
    return knowledge->rules[index];
}

const struct rule *knowledge_rule_named(const struct knowledge *knowledge, const char *id)
{
    uint32_t number = table_value(&knowledge->rule_ids, 0, id);

    return number ? knowledge->rules[number - 1] : NULL;
}
