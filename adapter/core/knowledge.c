#include "core/knowledge.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"
#include "core/rule.h"

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
