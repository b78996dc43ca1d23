/* classes.json, policy.json, and who is looked after. */
#include <stdio.h>
#include <string.h>

#include "core/knowledge_impl.h"

/* ---- classes.json */

static void add_class(struct knowledge_reader *reader, const struct node *at)
{
    struct knowledge *knowledge = reader->knowledge;
    char word[128] = "class:";
    size_t len = strlen(at->key);

    if (!len || at->key[strspn(at->key, "abcdefghijklmnopqrstuvwxyz0123456789-")] ||
        len >= sizeof word - 6) {
        reader_problem_at(reader, at->offset, "knowledge.name", "use a-z, 0-9 and -",
                          "this cannot be the name of a class");
        return;
    }
    memcpy(word + 6, at->key, len + 1);
    knowledge->classes =
        knowledge_push(knowledge->classes, &knowledge->class_count, sizeof *knowledge->classes);
    struct concept_class *class = &knowledge->classes[knowledge->class_count - 1];
    struct table_entry *entry = table_add(&knowledge->class_names, &knowledge->arena, 0, word);
    entry->value = (uint32_t)knowledge->class_count;
    class->word = entry->text;
}

static bool find_concept(const struct knowledge *knowledge, const char *word, struct member *ret)
{
    ret->concept = knowledge_concept(knowledge, CONCEPT_DRUG, word);
    if (!ret->concept) ret->concept = knowledge_concept(knowledge, CONCEPT_CONDITION, word);
    return ret->concept != CONCEPT_NONE;
}

static const char *near_member(const struct knowledge *knowledge, const char *word)
{
    const unsigned kinds = 1u << CONCEPT_DRUG | 1u << CONCEPT_CONDITION;
    struct concept_set none = { 0 };
    const char *near = NULL;

    if (strncmp(word, "class:", 6) != 0) return knowledge_near(knowledge, kinds, word);
    if (knowledge_expand(knowledge, CONCEPT_DRUG, word, &none, &near)) near = NULL;
    concept_set_done(&none);
    return near;
}

static bool find_member(struct knowledge_reader *reader, const struct node *at, struct member *ret)
{
    struct knowledge *knowledge = reader->knowledge;
    const char *word = node_is(at, DOC_STRING) ? at->value->text : "(no text)";
    char fix[128] = "use a concept of codes/ or \"class:NAME\"; others go to \"unmapped\"";

    *ret = (struct member){ .offset = at->offset };
    ret->class = table_value(&knowledge->class_names, 0, word);
    if (ret->class || find_concept(knowledge, word, ret)) return true;
    const char *near = near_member(knowledge, word);
    if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
    reader_problem_at(reader, at->offset, "knowledge.unknown", fix,
                      "\"%.80s\" is no drug, condition or class", word);
    return false;
}

static void read_members(struct knowledge_reader *reader, const struct node *at, uint32_t number)
{
    struct node list = node_get(at, "members");
    size_t count = node_count(&list), n = 0;
    struct member *members;

    if (!node_is(&list, DOC_ARRAY)) {
        reader_problem_at(reader, at->offset, "knowledge.class", "",
                          "a class needs a list of \"members\"");
        return;
    }
    members = arena_alloc(&reader->knowledge->arena, count * sizeof *members);
    for (size_t i = 0; i < count; i++) {
        struct node item = node_item(&list, i);
        if (find_member(reader, &item, &members[n])) n++;
    }
    reader->knowledge->classes[number - 1].members = members;
    reader->knowledge->classes[number - 1].member_count = n;
}

static void check_texts(struct knowledge_reader *reader, const struct node *at)
{
    struct node note = node_get(at, "note"), unmapped = node_get(at, "unmapped");

    if (note.value && !node_is(&note, DOC_STRING))
        reader_problem_at(reader, note.offset, "knowledge.class", "", "a note is a text");
    if (unmapped.value && !node_is(&unmapped, DOC_ARRAY))
        reader_problem_at(reader, unmapped.offset, "knowledge.class", "",
                          "\"unmapped\" is a list of names");
}

/* "strong CYP3A4 inducer": what stands behind "any" in what people read. */
static void read_name(struct knowledge_reader *reader, const struct node *at, uint32_t number)
{
    struct node name = node_get(at, "name");

    if (!name.value) return;
    if (!node_text(at, "name")) {
        reader_problem_at(reader, name.offset, "knowledge.class",
                          "write what follows \"any\": \"strong CYP3A4 inducer\"",
                          "a name is a text");
        return;
    }
    reader->knowledge->classes[number - 1].name =
        knowledge_intern(reader->knowledge, node_text(at, "name"));
}

static void read_class(struct knowledge_reader *reader, const struct node *at)
{
    static const char *const keys[] = { "name", "members", "note", "unmapped", NULL };
    char word[128];
    struct err err;

    if (strlen(at->key) >= sizeof word - 6) return; /* reported */
    snprintf(word, sizeof word, "class:%s", at->key);
    uint32_t number = table_value(&reader->knowledge->class_names, 0, word);
    if (!number) return; /* reported */
    if (!node_only(at, keys, &err)) reader_node_problem(reader, &err);
    if (!node_is(at, DOC_OBJECT)) return;
    check_texts(reader, at);
    read_name(reader, at, number);
    read_members(reader, at, number);
}

static bool check_class(struct knowledge_reader *reader, uint32_t number);

/* Follow a class in a class. A way back is reported and cut: what follows can expand classes. */
static bool check_inner(struct knowledge_reader *reader, const struct concept_class *class,
                        struct member *member)
{
    if (check_class(reader, member->class))
        return reader->knowledge->classes[member->class - 1].has_kind;
    reader_problem_at(reader, member->offset, "knowledge.cycle",
                      "take one of the classes out of the other", "\"%s\" contains itself",
                      class->word);
    *member = (struct member){ 0 };
    return false;
}

/* The class takes the kind of its first member; all others have the same. */
static void check_member(struct knowledge_reader *reader, struct concept_class *class,
                         struct member *member)
{
    const struct knowledge *knowledge = reader->knowledge;

    if (member->class && !check_inner(reader, class, member)) return;
    enum concept_kind kind = member->class ? knowledge->classes[member->class - 1].kind
                                           : knowledge->concepts[member->concept].kind;
    if (class->has_kind && class->kind != kind)
        reader_problem_at(reader, member->offset, "knowledge.kind", "make two classes",
                          "\"%s\" has drugs and conditions in it", class->word);
    class->has_kind = true;
    class->kind = kind;
}

/* False when the class is being checked already: the way led back to it. */
static bool check_class(struct knowledge_reader *reader, uint32_t number)
{
    struct concept_class *class = &reader->knowledge->classes[number - 1];

    if (class->state != CLASS_NEW) return class->state == CLASS_CHECKED;
    class->state = CLASS_OPEN;
    for (size_t i = 0; i < class->member_count; i++)
        check_member(reader, class, &class->members[i]);
    class->state = CLASS_CHECKED;
    return true;
}

/* ---- the cohort */

static void read_cohort(struct knowledge_reader *reader, enum concept_kind kind, const char *word,
                        struct concept_set *ret)
{
    const char *near = NULL;
    char fix[128] =
        "name the class and its members: patients who have one of them are looked after";

    if (knowledge_expand(reader->knowledge, kind, word, ret, &near) && ret->count) return;
    if (near && strcmp(near, word) != 0) snprintf(fix, sizeof fix, "is it \"%s\"?", near);
    reader_problem_at(reader, 0, "knowledge.cohort", fix, "there is nobody in \"%s\"", word);
}

static void cohort_read(struct knowledge_reader *reader)
{
    struct knowledge *knowledge = reader->knowledge;

    read_cohort(reader, CONCEPT_CONDITION, "class:any-multiple-myeloma",
                &knowledge->cohort_conditions);
    read_cohort(reader, CONCEPT_DRUG, "class:myeloma-specific", &knowledge->cohort_drugs);
}

/* ---- classes.json as a whole */

void classes_read(struct knowledge_reader *reader, const struct node *root)
{
    static const char *const keys[] = { "$schema", "note", "classes", NULL };
    struct node map = node_get(root, "classes");
    size_t count = node_count(&map);
    struct err err;

    if (!node_only(root, keys, &err)) reader_node_problem(reader, &err);
    if (!node_is(&map, DOC_OBJECT)) {
        reader_problem_at(reader, 0, "knowledge.class", "", "there are no \"classes\"");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct node item = node_member(&map, i);
        add_class(reader, &item);
    }
    for (size_t i = 0; i < count; i++) {
        struct node item = node_member(&map, i);
        read_class(reader, &item);
    }
    for (size_t i = 0; i < reader->knowledge->class_count; i++)
        check_class(reader, (uint32_t)i + 1);
    cohort_read(reader);
}

/* ---- policy.json */

/* No label states these lengths: they are choices of the project, printed or acted on with care (a
 * weight that is too old makes a clearance unknown, not normal). */
struct policy policy_default(void)
{
    return (struct policy){ .profile = PROFILE_US,
                            .drug_names = true,
                            .weight_within = { .months = 12 },
                            .course_pause = { .ms = 28 * INSTANT_DAY },
                            .calcium_albumin_within = { .ms = 7 * INSTANT_DAY },
                            .ionized_calcium_within = { .ms = INSTANT_DAY },
                            .dose_rounding = 5 };
}

static void length_read(struct knowledge_reader *reader, const struct node *root, const char *key,
                        struct duration *ret)
{
    struct node value = node_get(root, key);
    const char *text;
    struct err err;

    if (!value.value) return;
    if (!node_string(root, key, &text, &err))
        reader_node_problem(reader, &err);
    else if (!duration_parse(text, ret))
        reader_problem_at(reader, value.offset, "policy.length", "write \"28 d\" or \"12 mo\"",
                          "\"%.40s\" is not a length of time", text);
}

/* Is one of these words given? Its place goes to *ret. */
static bool word_read(struct knowledge_reader *reader, const struct node *root, const char *key,
                      const char *const *words, size_t *ret)
{
    struct err err;

    if (!node_get(root, key).value) return false;
    if (node_enum(root, key, words, ret, &err)) return true;
    reader_node_problem(reader, &err);
    return false;
}

void policy_read(struct knowledge_reader *reader, const struct node *root)
{
    static const char *const keys[] = { "$schema",
                                        "note",
                                        "preliminaryResults",
                                        "weightWithin",
                                        "coursePause",
                                        "profile",
                                        "calciumAlbuminWithin",
                                        "ionizedCalciumWithin",
                                        "doseRoundingPercent",
                                        "clearanceWeight",
                                        "drugNames",
                                        NULL };
    static const char *const uses[] = { "ignore", "use", NULL };
    static const char *const weights[] = { "by BMI", "actual", "ideal", NULL };
    struct policy *policy = &reader->knowledge->policy;
    struct err err;
    size_t word;

    if (!node_only(root, keys, &err)) reader_node_problem(reader, &err);
    if (word_read(reader, root, "profile", profile_names, &word))
        policy->profile = profile_of_name(word);
    policy->preliminary_results =
        word_read(reader, root, "preliminaryResults", uses, &word) && word == 1;
    if (word_read(reader, root, "clearanceWeight", weights, &word))
        policy->clearance_weight = (enum clearance_weight)word;
    if (node_get(root, "doseRoundingPercent").value &&
        !node_int(root, "doseRoundingPercent", 0, 20, &policy->dose_rounding, &err))
        reader_node_problem(reader, &err);
    if (word_read(reader, root, "drugNames", uses, &word)) policy->drug_names = word == 1;
    length_read(reader, root, "weightWithin", &policy->weight_within);
    length_read(reader, root, "coursePause", &policy->course_pause);
    length_read(reader, root, "calciumAlbuminWithin", &policy->calcium_albumin_within);
    length_read(reader, root, "ionizedCalciumWithin", &policy->ionized_calcium_within);
}
