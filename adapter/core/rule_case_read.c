/* The cases of a rule, as they stand in its file. */
#include <string.h>

#include "core/knowledge_impl.h"
#include "core/rule_case.h"

static bool list_read(struct rule_reader *reader, const struct node *at, const char *key,
                      const char ***ret, size_t *ret_count)
{
    struct node list = node_get(at, key);

    if (!list.value) return true;
    if (!node_is(&list, DOC_ARRAY))
        return rule_problem(reader, &list, "", "\"%s\" must be a list", key);
    *ret_count = node_count(&list);
    *ret = arena_alloc(reader->arena, (*ret_count + 1) * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        struct node item = node_item(&list, i);
        const char *text = node_scalar(&item);
        if (!text) return rule_problem(reader, &item, "", "a text is expected here");
        (*ret)[i] = arena_copy(reader->arena, text, strlen(text));
    }
    return true;
}

/* "unmapped": analytes and conditions that no code maps to in this case. */
static bool unmapped_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    struct node list = node_get(at, "unmapped");

    if (!list_read(reader, at, "unmapped", &ret->unmapped, &ret->unmapped_count)) return false;
    for (size_t i = 0; i < ret->unmapped_count; i++) {
        struct node item = node_item(&list, i);
        const char *name = node_scalar(&item);
        if (!name || knowledge_concept(reader->knowledge, CONCEPT_ANALYTE, name) ||
            knowledge_concept(reader->knowledge, CONCEPT_CONDITION, name))
            continue;
        return word_unknown(reader, &item, name,
                            knowledge_near(reader->knowledge,
                                           1u << CONCEPT_ANALYTE | 1u << CONCEPT_CONDITION, name));
    }
    return true;
}

static bool profile_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    struct err err;
    size_t which;

    if (!key_has(at, "profile")) return true;
    if (!node_enum(at, "profile", profile_names, &which, &err))
        return rule_problem_err(reader, &err);
    ret->profile = profile_of_name(which);
    return true;
}

/* What a case, or the "given" of its rule, says; a case replaces what it names itself. */
static bool facts_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    const char *patient = node_text(at, "patient");

    if (patient) ret->patient = arena_copy(reader->arena, patient, strlen(patient));
    return list_read(reader, at, "orders", &ret->orders, &ret->order_count) &&
           list_read(reader, at, "results", &ret->results, &ret->result_count) &&
           list_read(reader, at, "conditions", &ret->conditions, &ret->condition_count) &&
           unmapped_read(reader, at, ret) && profile_read(reader, at, ret);
}

static bool case_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    static const char *const keys[] = { "name",       "patient",  "orders",  "results",
                                        "conditions", "unmapped", "profile", "open",
                                        "then",       "display",  NULL };
    static const char *const outcomes[] = { "fires", "silent", "cannot tell",
                                            "stays", "yields", NULL };
    const char *display = node_text(at, "display"), *name;
    struct err err;
    size_t then;

    if (!node_only(at, keys, &err)) return rule_problem_err(reader, &err);
    if (!node_string(at, "name", &name, &err)) return rule_problem_err(reader, &err);
    if (!node_enum(at, "then", outcomes, &then, &err)) return rule_problem_err(reader, &err);
    ret->name = arena_copy(reader->arena, name, strlen(name));
    ret->then = (enum case_outcome)then;
    ret->display = display ? arena_copy(reader->arena, display, strlen(display)) : "";
    if (!list_read(reader, at, "open", &ret->open, &ret->open_count)) return false;
    return facts_read(reader, at, ret);
}

bool rule_cases_read(struct rule_reader *reader, const struct node *rule, struct rule_case **ret,
                     size_t *ret_count)
{
    static const char *const given_keys[] = { "patient",  "orders",  "results", "conditions",
                                              "unmapped", "profile", NULL };
    struct node given = node_get(rule, "given"), list = node_get(rule, "cases");
    struct rule_case base = { .patient = "", .profile = PROFILE_US };
    struct err err;
    bool good = true;

    if (given.value && !node_only(&given, given_keys, &err)) good = rule_problem_err(reader, &err);
    if (given.value) good &= facts_read(reader, &given, &base);
    if (!node_is(&list, DOC_ARRAY) || !node_count(&list))
        return rule_problem(reader, rule, "add cases that fire, stay silent and cannot tell",
                            "a rule needs \"cases\"");
    *ret_count = node_count(&list);
    *ret = arena_alloc(reader->arena, *ret_count * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        struct node item = node_item(&list, i);
        (*ret)[i] = base;
        rule_locate(reader, &item, &(*ret)[i].line, &(*ret)[i].column);
        good &= case_read(reader, &item, &(*ret)[i]);
    }
    return good;
}
