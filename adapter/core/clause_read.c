#include "core/clause_read.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

/* ---- conditions, age, sex, course */

static bool condition_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "condition", "noCondition", "is", "within", NULL };
    static const char *const names[] = { "active", "ever", NULL };
    struct condition_clause *condition = &ret->condition;
    size_t ever = 0;
    struct err err;
    bool good;

    ret->kind = CLAUSE_CONDITION;
    condition->absent = key_has(at, "noCondition");
    good = keys_only(reader, at, keys);
    good &= keys_exclude(reader, at, "condition", "noCondition");
    good &= words_read(reader, at, condition->absent ? "noCondition" : "condition",
                       CONCEPT_CONDITION, &condition->concepts, &condition->words);
    if (key_has(at, "is") && !node_enum(at, "is", names, &ever, &err))
        good = rule_problem_err(reader, &err);
    condition->ever = ever == 1;
    return duration_maybe(reader, at, "within", &condition->has_within, &condition->within) && good;
}

static bool allergy_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "allergy", NULL };

    ret->kind = CLAUSE_ALLERGY;
    return keys_only(reader, at, keys) && words_read(reader, at, "allergy", CONCEPT_DRUG,
                                                     &ret->allergy.concepts, &ret->allergy.words);
}

static bool age_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "age", NULL };
    static const char *const units[] = { "a", "years", NULL };

    ret->kind = CLAUSE_AGE;
    return keys_only(reader, at, keys) && threshold_in(reader, at, "age", units, &ret->age, NULL);
}

static bool sex_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "sex", NULL };
    static const char *const names[] = { "female", "male", NULL };
    struct err err;
    size_t which;

    ret->kind = CLAUSE_SEX;
    if (!keys_only(reader, at, keys)) return false;
    if (!node_enum(at, "sex", names, &which, &err)) return rule_problem_err(reader, &err);
    ret->sex = which ? SEX_WANT_MALE : SEX_WANT_FEMALE;
    return true;
}

static bool course_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "course", "is", NULL };
    static const char *const cycle_keys[] = { "cycleStart", "cycle", "within", NULL };
    static const char *const units[] = { "d", NULL };
    struct course_clause *course = &ret->course;
    bool good;

    ret->kind = CLAUSE_COURSE;
    course->cycle = key_has(at, "cycleStart");
    good = keys_only(reader, at, course->cycle ? cycle_keys : keys);
    good &= words_read(reader, at, course->cycle ? "cycleStart" : "course", CONCEPT_DRUG,
                       &course->drugs, &course->words);
    if (!course->cycle) return threshold_in(reader, at, "is", units, &course->length, NULL) && good;
    good &= duration_read(reader, at, "cycle", &course->cycle_length);
    good &= duration_read(reader, at, "within", &course->cycle_window);
    if (good && course->cycle_length.ms <= 0)
        return rule_problem(reader, at, "give it in days", "a cycle must have a fixed length");
    if (good && (course->cycle_window.ms <= 0 || course->cycle_window.ms > course->cycle_length.ms))
        return rule_problem(reader, at, "give it in days",
                            "the start of a cycle must be a part of it");
    return good;
}

static bool computable_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "notComputable", "within", NULL };

    ret->kind = CLAUSE_COMPUTABLE;
    return keys_only(reader, at, keys) &&
           analyte_read(reader, at, "notComputable", &ret->computable.measure) &&
           duration_read(reader, at, "within", &ret->computable.within);
}

static bool profile_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "profile", NULL };
    struct err err;
    size_t which;

    ret->kind = CLAUSE_PROFILE;
    if (!keys_only(reader, at, keys)) return false;
    if (!node_enum(at, "profile", profile_names, &which, &err))
        return rule_problem_err(reader, &err);
    ret->profile = profile_of_name(which);
    return true;
}

/* ---- the tree */

static bool parts_read(struct rule_reader *reader, const struct node *list, struct clause *ret)
{
    bool good = true;

    if (!node_is(list, DOC_ARRAY) || !node_count(list))
        return rule_problem(reader, list, "write a list of clauses", "clauses are expected here");
    ret->parts = mem_zero(node_count(list), sizeof *ret->parts);
    for (size_t i = 0; i < node_count(list); i++) {
        struct node item = node_item(list, i);
        struct clause *part = &ret->parts[ret->part_count];
        if (clause_read(reader, &item, part))
            ret->part_count++;
        else
            good = false;
    }
    return good;
}

/* A clause inside another that does not name subjects: below any, not, unless ... */
static bool inner_read(struct rule_reader *reader, const struct node *at, const char *key,
                       bool list, struct clause *ret)
{
    struct node value = node_get(at, key);
    bool binding = reader->binding, good;

    reader->binding = false;
    if (list) {
        good = parts_read(reader, &value, ret);
    } else {
        ret->parts = mem_new(struct clause);
        good = clause_read(reader, &value, ret->parts);
        ret->part_count = good ? 1 : 0;
    }
    reader->binding = binding;
    return good;
}

static bool all_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "all", NULL };
    struct node list = node_get(at, "all");

    ret->kind = CLAUSE_ALL;
    return keys_only(reader, at, keys) && parts_read(reader, &list, ret);
}

static bool any_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "any", NULL };

    ret->kind = CLAUSE_ANY;
    return keys_only(reader, at, keys) && inner_read(reader, at, "any", true, ret);
}

static bool not_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "not", NULL };

    ret->kind = CLAUSE_NOT;
    return keys_only(reader, at, keys) && inner_read(reader, at, "not", false, ret);
}

static bool count_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "atLeast", "of", NULL };
    struct err err;
    int64_t at_least;

    ret->kind = CLAUSE_COUNT;
    if (!keys_only(reader, at, keys)) return false;
    if (!node_int(at, "atLeast", 1, 20, &at_least, &err)) return rule_problem_err(reader, &err);
    ret->at_least = (unsigned)at_least;
    if (!inner_read(reader, at, "of", true, ret)) return false;
    if (ret->at_least <= ret->part_count) return true;
    return rule_problem(reader, at, "", "%u of %zu clauses can never be true", ret->at_least,
                        ret->part_count);
}

static bool noted_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const unless_keys[] = { "unless", "note", "whenUnknown", NULL };
    static const char *const maybe_keys[] = { "maybe", "note", NULL };
    bool unless = key_has(at, "unless");
    const char *note;

    if (!keys_exclude(reader, at, "note", "whenUnknown")) return false;
    ret->note_if_unknown = unless && key_has(at, "whenUnknown");
    note = key_text(reader, at, ret->note_if_unknown ? "whenUnknown" : "note");
    ret->kind = unless ? CLAUSE_UNLESS : CLAUSE_MAYBE;
    if (!note || !keys_only(reader, at, unless ? unless_keys : maybe_keys)) return false;
    ret->note = word_keep(reader, note);
    return inner_read(reader, at, unless ? "unless" : "maybe", false, ret);
}

static bool definition_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "definition", NULL };
    struct node value = node_get(at, "definition");
    const char *name = key_text(reader, at, "definition");

    ret->kind = CLAUSE_DEFINITION;
    if (!name || !keys_only(reader, at, keys)) return false;
    ret->definition = knowledge_definition(reader->knowledge, name);
    if (!ret->definition)
        return rule_problem(reader, &value, "define it in definitions.json, above its first use",
                            "nothing is defined as \"%s\"", name);
    ret->name = word_keep(reader, name);
    return true;
}

static const struct {
    const char *key; /* by which it is known */
    bool (*read)(struct rule_reader *reader, const struct node *at, struct clause *ret);
} kinds[] = {
    { "all", all_read },
    { "any", any_read },
    { "not", not_read },
    { "atLeast", count_read },
    { "unless", noted_read },
    { "maybe", noted_read },
    { "definition", definition_read },
    { "order", order_clause_read },
    { "noOrder", order_clause_read },
    { "result", result_clause_read },
    { "baseline", result_clause_read },
    { "noResult", gap_clause_read },
    { "condition", condition_read },
    { "noCondition", condition_read },
    { "allergy", allergy_read },
    { "age", age_read },
    { "sex", sex_read },
    { "course", course_read },
    { "cycleStart", course_read },
    { "ceiling", ceiling_clause_read },
    { "notComputable", computable_read },
    { "profile", profile_read },
};

/* It may be a key with a slip of the pen. */
static bool no_clause(struct rule_reader *reader, const struct node *at)
{
    const char *names[ARRAY_SIZE(kinds) + 1] = { NULL }, *near = NULL;
    char fix[64] = "";

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) names[i] = kinds[i].key;
    if (node_count(at) && node_is(at, DOC_OBJECT)) near = nearest(node_member(at, 0).key, names);
    if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
    return rule_problem(reader, at, fix, "this is no clause that can be understood");
}

bool clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    memset(ret, 0, sizeof *ret);
    rule_locate(reader, at, &ret->line, &ret->column);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!key_has(at, kinds[i].key)) continue;
        if (kinds[i].read(reader, at, ret)) return true;
        clause_done(ret);
        memset(ret, 0, sizeof *ret);
        return false;
    }
    return no_clause(reader, at);
}
