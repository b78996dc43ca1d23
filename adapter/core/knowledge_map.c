/* FHIR R4 ConceptMaps of a site. A target is one of our concepts (group.target MAP_CONCEPTS), or a
 * code of a system that our tables have: then the local code means what that code means, with its
 * strength and dose form; a target that our tables do not have leaves the local code unmapped. */
#include <string.h>

#include "core/knowledge_impl.h"

#define MAP_CONCEPTS  "urn:x-myeloma-adapter:concepts"
#define MAP_OVERRIDES "urn:x-myeloma-adapter:overrides"

#define GROUPS_MAX     1000
#define TARGETS_MAX    32 /* of one code */
#define INGREDIENTS    32
#define CONDITIONS_MAX 16

struct map {
    struct knowledge_reader *reader;
    unsigned source, target; /* systems of the group */
    bool concepts;           /* the targets are concepts of ours */
    size_t offset;           /* where line and line_start hold */
    unsigned line;
    size_t line_start;
};

/* ---- places: mappings stand in the order of the text, so that it is counted through once */

static void place_at(struct map *map, size_t offset)
{
    struct knowledge_reader *reader = map->reader;
    const struct knowledge_file *file = reader->files[reader->file].file;

    if (offset < map->offset) {
        map->offset = map->line_start = 0;
        map->line = 1;
    }
    for (; map->offset < offset && map->offset < file->len; map->offset++)
        if (file->text[map->offset] == '\n') {
            map->line++;
            map->line_start = map->offset + 1;
        }
    reader->csv.line = map->line;
    for (size_t i = 0; i < CSV_COLUMNS_MAX; i++)
        reader->csv.column[i] = (unsigned)(offset - map->line_start) + 1;
}

static void problem(struct map *map, const struct node *at, const char *fix, const char *what)
{
    place_at(map, at->offset);
    reader_problem(map->reader, 0, "knowledge.map", fix, "%s", what);
}

/* ---- targets */

/* R4: equivalence, of the target to the source; R5: relationship, of the source to the target. A
 * target that is wider is what a drug is to its products. */
static const struct relation {
    const char *word;
    enum { RELATION_TAKEN, RELATION_NONE, RELATION_DOUBTFUL } holds;
} relations[] = {
    { "equal", RELATION_TAKEN },
    { "equivalent", RELATION_TAKEN },
    { "wider", RELATION_TAKEN },
    { "subsumes", RELATION_TAKEN },
    { "source-is-narrower-than-target", RELATION_TAKEN },
    { "unmatched", RELATION_NONE },
    { "disjoint", RELATION_NONE },
    { "not-related-to", RELATION_NONE },
};

static bool is_taken(struct map *map, const struct node *target)
{
    const char *word = node_text(target, "equivalence");

    if (!word) word = node_text(target, "relationship");
    for (size_t i = 0; word && i < ARRAY_SIZE(relations); i++)
        if (strcmp(word, relations[i].word) == 0) return relations[i].holds == RELATION_TAKEN;
    problem(
        map, target,
        "write equal, equivalent, wider or subsumes where the local code is the target or a kind "
        "of it, else unmatched",
        "this target is not what the local code is");
    return false;
}

static bool says_override(const struct node *target)
{
    struct node list = node_get(target, "extension");

    for (size_t i = 0; i < node_count(&list); i++) {
        struct node item = node_item(&list, i);
        const char *url = node_text(&item, "url");
        if (url && strcmp(url, MAP_OVERRIDES) == 0) return node_true(&item, "valueBoolean");
    }
    return false;
}

struct room {
    struct drug_code drugs[INGREDIENTS];
    unsigned conditions[CONDITIONS_MAX];
};

/* What a code of a system that we know means; nothing when we do not have it. */
static void meaning_of(const struct map *map, const char *code, struct room *room,
                       struct meaning *ret)
{
    const struct knowledge_reader *reader = map->reader;
    const struct knowledge *knowledge = reader->knowledge;
    uint32_t entry = table_value(&knowledge->drugs, map->target, code);

    *ret = (struct meaning){ .drugs = room->drugs, .conditions = room->conditions, .words = code };
    for (uint32_t i = entry ? reader->entries[entry].first : 0; i && ret->drug_count < INGREDIENTS;
         i = reader->rows[i].next)
        room->drugs[ret->drug_count++] = reader->rows[i].code;
    ret->product = ret->drug_count > 1;
    ret->analyte = table_value(&knowledge->analytes, map->target, code);
    ret->route = table_value(&knowledge->routes, map->target, code);
    ret->condition_count =
        condition_find(knowledge, map->target, code, room->conditions, CONDITIONS_MAX);
}

static void target_read(struct map *map, const char *code, const struct node *target)
{
    struct knowledge_reader *reader = map->reader;
    struct node at = node_get(target, "code");
    const char *word = node_text(target, "code");
    struct meaning_room one;
    struct meaning meaning;
    struct room room;
    char normal[CODE_SIZE];

    reader->entry_before = reader->entry_now;
    reader->entry_now = 0;
    if (!word || !is_taken(map, target)) return;
    place_at(map, at.value->offset);
    if (node_get(target, "dependsOn").value || node_get(target, "product").value) {
        problem(map, target, "map the code by itself, or take the target out",
                "a target with \"dependsOn\" or \"product\" cannot be used");
        return;
    }
    if (map->concepts) {
        if (!local_concept(reader, 0, word, &one, &meaning)) return;
    } else {
        if (!code_normal(reader->knowledge, map->target, word, normal)) return;
        meaning_of(map, normal, &room, &meaning);
    }
    local_claim(reader, map->source, code, &meaning, says_override(target));
}

/* ---- elements, groups */

static void element_read(struct map *map, const struct node *element)
{
    struct knowledge_reader *reader = map->reader;
    struct node list = node_get(element, "target");
    const char *word = node_text(element, "code");
    size_t count = node_count(&list);
    char code[CODE_SIZE];

    reader->entry_now = 0;
    if (!count) return;
    place_at(map, element->offset);
    if (!reader_code(reader, map->source, 1, word ? word : "", code)) return;
    if (count > TARGETS_MAX) {
        problem(map, element, "split the map", "a code has more targets than can be read");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct node target = node_item(&list, i);
        target_read(map, code, &target);
    }
}

static bool group_systems(struct map *map, const struct node *group)
{
    struct knowledge_reader *reader = map->reader;
    const char *source = node_text(group, "source"), *target = node_text(group, "target");
    struct node at = node_get(group, "target");

    if (!source || !target) {
        problem(map, group, "add the URIs of both code systems",
                "a group needs \"source\" and \"target\"");
        return false;
    }
    map->concepts = strcmp(target, MAP_CONCEPTS) == 0;
    map->target = map->concepts ? SYSTEM_NONE : knowledge_system_number(reader->knowledge, target);
    if (!map->target) {
        problem(map, &at, "use \"" MAP_CONCEPTS "\" or a system of codes/systems.csv",
                "the targets are of a code system that no table has");
        return false;
    }
    place_at(map, node_get(group, "source").value->offset);
    map->source = local_system(reader, 0, source);
    return map->source != 0;
}

static void group_read(struct map *map, const struct node *group)
{
    struct node list = node_get(group, "element"), others = node_get(group, "unmapped");
    const char *mode = node_text(&others, "mode");

    if (mode && strcmp(mode, "provided") != 0)
        problem(map, &others, "take it out; what is not mapped is reported as unmapped",
                "codes that are not listed cannot be mapped all to one");
    if (!group_systems(map, group)) return;
    for (size_t i = 0; i < node_count(&list); i++) {
        struct node element = node_item(&list, i);
        element_read(map, &element);
    }
}

void map_read(struct knowledge_reader *reader, const struct node *root)
{
    struct map map = { .reader = reader, .line = 1 };
    struct node list = node_get(root, "group");
    const char *type = node_text(root, "resourceType"), *status = node_text(root, "status");

    reader->entry_now = 0;
    if (!type || strcmp(type, "ConceptMap") != 0) {
        problem(&map, root, "write a FHIR ConceptMap, or a CSV with system,code,concept,comment",
                "this is no ConceptMap");
    } else if (status && strcmp(status, "retired") == 0) {
        problem(&map, root, "take the file away", "this ConceptMap is retired");
    } else if (node_get(root, "modifierExtension").value) {
        problem(&map, root, "", "this ConceptMap has a modifier that is not understood");
    } else if (node_count(&list) > GROUPS_MAX) {
        problem(&map, root, "split the map", "this ConceptMap has too many groups");
    } else {
        for (size_t i = 0; i < node_count(&list); i++) {
            struct node group = node_item(&list, i);
            group_read(&map, &group);
        }
    }
}
