/* Files -> knowledge. The table of files says what may be there, in which order it is read, and who
 * reads a row of it; the other knowledge_*.c do the reading. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/knowledge_impl.h"
#include "core/rule_read.h"

#define COLUMNS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define LOCAL_COLUMNS                                                                              \
    COLUMNS("system", "code", "concept", "comment", "?overrides", "?strength", "?unit", "?form")

/* In the order of reading: later files rest on earlier ones. */
static const struct file_kind {
    const char *pattern; /* a name; a * stands for any part of it; of a site: the last part of it */
    enum { OPTIONAL, NEEDED, BASE } need; /* BASE: without it nothing else makes sense */
    const char *const *columns;           /* of a CSV file */
    knowledge_row_fn *row;
    void (*json)(struct knowledge_reader *reader, const struct node *root);
    const char *system; /* whose codes a CSV file has, by short name; NULL: it says that itself */
    bool rules;
    enum knowledge_layer layer;
} file_kinds[] = {
    { "codes/systems.csv", BASE, COLUMNS("system", "uri", "note"), .row = row_system },
    { "codes/name-words.csv", OPTIONAL, COLUMNS("word", "kind", "note"), .row = row_name_word },
    { "codes/related-systems.csv", OPTIONAL, COLUMNS("system", "also", "note"),
      .row = row_related_system },
    { "codes/dose-forms.csv", BASE, COLUMNS("form", "use", "route"), .row = row_dose_form },
    { "codes/routes.csv", NEEDED, COLUMNS("system", "code", "route", "use"), .row = row_route },
    { "codes/drugs.csv", BASE, COLUMNS("concept", "name", "note"), .row = row_drug },
    { "labs/analytes.csv", BASE, COLUMNS("analyte", "name", "unit", "kind", "note"),
      .row = row_analyte },
    { "codes/conditions.csv", BASE, COLUMNS("system", "code", "match", "concept", "name"),
      .row = row_condition },
    { "codes/uncoded-conditions.csv", OPTIONAL, COLUMNS("concept", "name", "note"),
      .row = row_uncoded_condition },
    { "codes/rxnorm.csv", NEEDED,
      COLUMNS("code", "type", "concept", "strength", "unit", "quantity", "form", "name"),
      .row = row_rxnorm, .system = "rxnorm" },
    { "codes/atc.csv", NEEDED, COLUMNS("code", "concept", "use", "note"), .row = row_atc,
      .system = "atc" },
    { "codes/snomed-drugs.csv", OPTIONAL, COLUMNS("code", "concept", "name"), .row = row_drug_code,
      .system = "snomed" },
    { "codes/unii.csv", OPTIONAL, COLUMNS("code", "concept", "name"), .row = row_drug_code,
      .system = "unii" },
    { "codes/cvx.csv", OPTIONAL, COLUMNS("code", "concept", "name"), .row = row_drug_code,
      .system = "cvx" },
    { "codes/ndc.csv", OPTIONAL, COLUMNS("code", "rxnorm"), .row = row_ndc, .system = "ndc" },
    { "codes/loinc.csv", NEEDED, COLUMNS("code", "concept", "name"), .row = row_loinc,
      .system = "loinc" },
    { "labs/units.csv", NEEDED, COLUMNS("analyte", "unit", "add", "factor", "then_add", "note"),
      .row = row_unit },
    { "labs/unit-spellings.csv", NEEDED, COLUMNS("seen", "unit"), .row = row_spelling },
    { "labs/answers.csv", OPTIONAL, COLUMNS("analyte", "condition", "answer", "note"),
      .row = row_answer },
    { "codes/local/*.csv", OPTIONAL, LOCAL_COLUMNS, .row = row_local },
    { "codes/local/*.json", OPTIONAL, .json = map_read },
    { "*.csv", OPTIONAL, LOCAL_COLUMNS, .row = row_local, .layer = LAYER_CODES },
    { "*.json", OPTIONAL, .json = map_read, .layer = LAYER_CODES },
    { "classes.json", BASE, .json = classes_read },
    { "policy.json", OPTIONAL, .json = policy_read },
    { "definitions.json", OPTIONAL, .rules = true },
    { "rules/*.json", OPTIONAL, .rules = true },
    { "definitions.json", OPTIONAL, .rules = true, .layer = LAYER_RULES },
    { "*.json", OPTIONAL, .rules = true, .layer = LAYER_RULES },
    { "schema/*.json", .need = OPTIONAL }, /* for editors */
    { "*.md", .need = OPTIONAL },
};

/* ---- files by name */

static bool fits(const char *pattern, const char *name)
{
    const char *star = strchr(pattern, '*');

    if (!star) return strcmp(pattern, name) == 0;
    size_t head = (size_t)(star - pattern), tail = strlen(star + 1), len = strlen(name);
    return len > head + tail && memcmp(name, pattern, head) == 0 &&
           strcasecmp(name + len - tail, star + 1) == 0; /* a site's A.CSV is a table too */
}

/* The last part of a path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The first kind that the file can be; NULL: none. */
static const struct file_kind *kind_of(const struct layer_file *file)
{
    const char *name = file->file->name;

    if (file->layer != LAYER_OURS) name = base_name(name);
    for (size_t i = 0; i < ARRAY_SIZE(file_kinds); i++)
        if (file_kinds[i].layer == file->layer && fits(file_kinds[i].pattern, name))
            return &file_kinds[i];
    return NULL;
}

/* Bytes of the first folder of a name with its slash, 0 at the top. */
static size_t folder_len(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash ? (size_t)(slash - name) + 1 : 0;
}

static bool in_folder(const struct file_kind *kind, const char *name, size_t folder)
{
    return folder && kind->layer == LAYER_OURS && strncmp(kind->pattern, name, folder) == 0;
}

static void list_add(struct buf *list, const char *name, size_t len)
{
    buf_text(list, list->len ? ", " : "");
    buf_add(list, name, len);
}

/* The folders (each once: told by their first file) and files at the top. */
static void list_top(enum knowledge_layer layer, struct buf *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(file_kinds); i++) {
        const char *pattern = file_kinds[i].pattern;
        size_t folder = folder_len(pattern), first = 0;
        while (!in_folder(&file_kinds[first], pattern, folder) && first < i) first++;
        if (first == i && file_kinds[i].layer == layer)
            list_add(ret, pattern, folder ? folder : strlen(pattern));
    }
}

static bool known_folder(const char *name)
{
    size_t folder = folder_len(name);

    for (size_t i = 0; i < ARRAY_SIZE(file_kinds); i++)
        if (in_folder(&file_kinds[i], name, folder)) return true;
    return false;
}

static const char *near_file(const struct layer_file *file)
{
    const char *names[ARRAY_SIZE(file_kinds) + 1] = { NULL };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(file_kinds); i++)
        if (file_kinds[i].layer == LAYER_OURS) names[n++] = file_kinds[i].pattern;
    return file->layer == LAYER_OURS ? nearest(file->file->name, names) : NULL;
}

static void unknown_file(struct knowledge_reader *reader, const struct layer_file *file)
{
    AUTO(buf_done) struct buf places = { 0 };
    const char *name = file->file->name, *near = near_file(file);
    struct err err;

    err_set(&err, ERR_CONFIG, "knowledge.file", "nothing reads this file");
    if (near) {
        err_fix(&err, "did you mean \"%s\"?", near);
    } else if (file->layer == LAYER_OURS && folder_len(name) && known_folder(name)) {
        err_fix(&err, "the table of mappings/README.md says what may be there");
    } else {
        list_top(file->layer, &places);
        err_fix(&err, "there may be %s", buf_string(&places));
    }
    err_at(&err, "%s:1:1", name);
    err_list_add(reader->problems, &err);
}

static void missing_file(struct knowledge_reader *reader, const struct file_kind *kind)
{
    struct err err;

    err_set(&err, ERR_CONFIG, "knowledge.missing", "the file is missing");
    err_fix(&err, "install it again; a table may be empty but for its header");
    err_at(&err, "%s:1:1", kind->pattern);
    err_list_add(reader->problems, &err);
    if (kind->need == BASE) reader->blind = true;
}

static int by_name(const void *a, const void *b)
{
    const struct layer_file *x = a, *y = b;

    if (x->layer != y->layer) return x->layer < y->layer ? -1 : 1;
    return strcmp(x->file->name, y->file->name);
}

static void add_files(struct knowledge_reader *reader, const struct knowledge_file *files,
                      size_t count, enum knowledge_layer layer)
{
    for (size_t i = 0; i < count; i++)
        reader->files[reader->file_count++] = (struct layer_file){ &files[i], layer };
}

static bool sort_files(struct knowledge_reader *reader, const struct knowledge_layers *layers)
{
    size_t count = layers->count + layers->code_count + layers->rule_count;
    struct err err;

    if (count > KNOWLEDGE_FILES_MAX) {
        err_set(&err, ERR_CONFIG, "knowledge.files", "there are %zu files", count);
        err_fix(&err, "put them together: at most %d can be read", KNOWLEDGE_FILES_MAX);
        err_list_add(reader->problems, &err);
        return false;
    }
    reader->files = mem_zero(count + 1, sizeof *reader->files);
    add_files(reader, layers->files, layers->count, LAYER_OURS);
    add_files(reader, layers->codes, layers->code_count, LAYER_CODES);
    add_files(reader, layers->rules, layers->rule_count, LAYER_RULES);
    qsort(reader->files, count, sizeof *reader->files, by_name);
    for (size_t i = 0; i < count; i++)
        if (!kind_of(&reader->files[i])) unknown_file(reader, &reader->files[i]);
    return true;
}

/* Over all files, whether they are read or not, and the profile that counts. Where a site keeps its
 * files does not matter. */
static void name_generation(struct knowledge_reader *reader)
{
    static const char *const layers[] = { "", "codes of the site", "rules of the site" };
    struct digest digest;
    char text[DIGEST_TEXT_SIZE];
    const size_t len = sizeof reader->knowledge->generation - 1;

    digest_init(&digest);
    for (size_t i = 0; i < reader->file_count; i++) {
        const struct layer_file *at = &reader->files[i];
        if (at->layer != LAYER_OURS) digest_string(&digest, layers[at->layer]);
        digest_string(&digest,
                      at->layer == LAYER_OURS ? at->file->name : base_name(at->file->name));
        digest_field(&digest, at->file->text, at->file->len);
    }
    digest_string(&digest, profile_name(reader->knowledge->policy.profile));
    if (!reader->knowledge->policy.drug_names) digest_string(&digest, "no drug names");
    digest_text(&digest, text);
    memcpy(reader->knowledge->generation, text, len);
    reader->knowledge->generation[len] = '\0';
}

/* ---- reading one file */

static const struct knowledge_file *file_of(const struct knowledge_reader *reader)
{
    return reader->files[reader->file].file;
}

static bool find_system(struct knowledge_reader *reader, const struct file_kind *kind)
{
    if (!kind->system) return true;
    reader->system = table_value(&reader->knowledge->systems, 0, kind->system);
    if (reader->system || reader->blind) return true;
    reader_problem_at(reader, 0, "knowledge.unknown", "add its URIs to codes/systems.csv",
                      "the codes of this file are of a system \"%s\", which has no URI",
                      kind->system);
    return false;
}

static void read_rows(struct knowledge_reader *reader, const struct file_kind *kind)
{
    struct csv *csv = &reader->csv;
    struct err err;

    for (bool end = false; !end;) {
        reader->entry_before = reader->entry_now;
        reader->entry_now = 0;
        if (!csv_next(csv, &end, &err))
            reader_line_problem(reader, &err);
        else if (!end && (!reader->blind || kind->need == BASE))
            kind->row(reader, csv->field);
    }
}

static void read_csv(struct knowledge_reader *reader, const struct file_kind *kind)
{
    const struct knowledge_file *file = file_of(reader);
    struct err err;

    reader->entry_now = 0;
    reader->problems_before = reader->problems->count;
    if (!csv_init(&reader->csv, file->text, file->len, kind->columns, &err)) {
        reader_line_problem(reader, &err);
        if (kind->need == BASE) reader->blind = true;
        return;
    }
    if (find_system(reader, kind)) read_rows(reader, kind);
    csv_done(&reader->csv);
}

static void read_json(struct knowledge_reader *reader, const struct file_kind *kind)
{
    const struct knowledge_file *file = file_of(reader);
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    if (!doc_parse(file->text, file->len, DOC_COMMENTS | DOC_UNIQUE, &doc, &err)) {
        err.kind = ERR_CONFIG;
        reader_line_problem(reader, &err);
        if (kind->need == BASE) reader->blind = true;
        return;
    }
    if (reader->blind && (kind->need == BASE || kind->json == map_read)) return;
    struct node root = node_root(doc);
    kind->json(reader, &root);
}

static void read_rules(struct knowledge_reader *reader)
{
    size_t before = reader->problems->count;

    if (reader->blind) return;
    bool site = reader->files[reader->file].layer == LAYER_RULES;
    if (!rules_read(file_of(reader), site, reader->knowledge, reader->problems) &&
        reader->problems->count == before)
        reader_problem_at(reader, 0, "knowledge.rules", "", "this file cannot be read");
}

static void read_file(struct knowledge_reader *reader, const struct file_kind *kind)
{
    if (kind->row)
        read_csv(reader, kind);
    else if (kind->json)
        read_json(reader, kind);
    else if (kind->rules)
        read_rules(reader);
}

static void read_kind(struct knowledge_reader *reader, const struct file_kind *kind)
{
    bool found = false;

    if (kind->json == classes_read) local_overrides(reader);
    if (kind->json == classes_read) drug_rows_done(reader);
    for (reader->file = 0; reader->file < reader->file_count; reader->file++) {
        if (kind_of(&reader->files[reader->file]) != kind) continue;
        read_file(reader, kind);
        found = true;
    }
    if (!found && kind->need != OPTIONAL) missing_file(reader, kind);
    if (kind->row == row_analyte) analytes_derived(reader);
}

/* ---- all of them */

static struct knowledge *knowledge_new(void)
{
    struct knowledge *knowledge = mem_new(struct knowledge);
    knowledge->policy = policy_default();

    knowledge->concepts =
        knowledge_push(NULL, &knowledge->concept_count, sizeof *knowledge->concepts);
    knowledge->links = knowledge_push(NULL, &knowledge->link_count, sizeof *knowledge->links);
    while (knowledge->system_count <= SYSTEM_NONE)
        knowledge->system_names =
            knowledge_push(knowledge->system_names, &knowledge->system_count, sizeof(const char *));
    knowledge->not_relevant = knowledge_add_concept(knowledge, CONCEPT_DRUG, "not-relevant", NULL);
    return knowledge;
}

static void reader_init(struct knowledge_reader *reader, struct knowledge *knowledge,
                        struct err_list *problems)
{
    *reader = (struct knowledge_reader){ .knowledge = knowledge, .problems = problems };
    reader->rows = knowledge_push(NULL, &reader->row_count, sizeof *reader->rows);
    reader->entries = knowledge_push(NULL, &reader->entry_count, sizeof *reader->entries);
}

static void reader_done(struct knowledge_reader *reader)
{
    free(reader->files);
    free(reader->rows);
    free(reader->entries);
    free(reader->late);
    free(reader->names);
}

bool knowledge_load_layers(const struct knowledge_layers *layers, struct knowledge **ret,
                           struct err_list *problems)
{
    AUTO(knowledge_free) struct knowledge *knowledge = knowledge_new();
    struct knowledge_reader reader;
    size_t before = problems->count;

    reader_init(&reader, knowledge, problems);
    if (sort_files(&reader, layers)) {
        for (size_t i = 0; i < ARRAY_SIZE(file_kinds); i++) read_kind(&reader, &file_kinds[i]);
        concepts_mark_mapped(knowledge);
        if (layers->profile != PROFILE_UNSET) knowledge->policy.profile = layers->profile;
        knowledge->policy.drug_names &= !layers->no_drug_names;
        name_generation(&reader);
    }
    reader_done(&reader);
    if (problems->count == before) rules_check(knowledge, problems);
    if (problems->count != before) return false;
    *ret = TAKE(knowledge);
    return true;
}

bool knowledge_load_as(const struct knowledge_file *files, size_t count, enum profile profile,
                       struct knowledge **ret, struct err_list *problems)
{
    const struct knowledge_layers layers = { .files = files, .count = count, .profile = profile };

    return knowledge_load_layers(&layers, ret, problems);
}

bool knowledge_load(const struct knowledge_file *files, size_t count, struct knowledge **ret,
                    struct err_list *problems)
{
    return knowledge_load_as(files, count, PROFILE_UNSET, ret, problems);
}
