#include "app/load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define MAPPING_FILE_MAX  ((size_t)64 << 20)
#define MAPPING_FILES_MAX 1000
#define MAPPING_LAYER_MAX ((size_t)256 << 20) /* bytes of ours, of the codes, of the rules */

bool load_file(const char *path, size_t max, char **ret, size_t *ret_len, struct err *err)
{
    AUTO(buf_done) struct buf text = { 0 };
    char chunk[65536];
    FILE *file = fopen(path, "rbe");
    size_t n;
    bool failed;

    if (!file) {
        err_set(err, ERR_SYSTEM, "file.open", "%s", strerror(errno));
        return err_at(err, "%s", path);
    }
    while (text.len <= max && (n = fread(chunk, 1, sizeof chunk, file))) buf_add(&text, chunk, n);
    failed = ferror(file);
    fclose(file);
    if (failed) {
        err_set(err, ERR_SYSTEM, "file.read", "cannot be read");
        return err_at(err, "%s", path);
    }
    if (text.len > max) {
        err_set(err, ERR_INPUT, "file.size", "is longer than %zu bytes", max);
        return err_at(err, "%s", path);
    }
    *ret_len = text.len;
    *ret = buf_take(&text);
    return true;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The files of one layer. */
struct loader {
    const char *dir;              /* names are relative to it; NULL: names are paths */
    struct knowledge_file *files; /* owned */
    size_t count, bytes;
    struct err_list *problems;
};

static bool wanted(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot && (strcasecmp(dot, ".csv") == 0 || strcasecmp(dot, ".json") == 0);
}

static void loader_problem(struct loader *loader, const char *path, const char *code,
                           const char *fix, const char *what)
{
    struct err err;

    err_set(&err, ERR_CONFIG, code, "%s", what);
    err_at(&err, "%s", path);
    err_fix(&err, "%s", fix);
    err_list_add(loader->problems, &err);
}

/* Within the limits of a layer? The first file beyond them is told. */
static bool loader_room(struct loader *loader, const char *path)
{
    if (loader->count < MAPPING_FILES_MAX && loader->bytes <= MAPPING_LAYER_MAX) return true;
    if (loader->count == MAPPING_FILES_MAX || loader->bytes != SIZE_MAX)
        loader_problem(loader, path, "mappings.many", "put files together, or leave some out",
                       "more than 1000 files or 256 MiB are not read");
    loader->bytes = SIZE_MAX;
    return false;
}

static void loader_file(struct loader *loader, const char *name)
{
    char path[PATH_MAX + NAME_MAX + 64];
    struct err err;
    char *text;
    size_t len;

    snprintf(path, sizeof path, "%s%s%s", loader->dir ? loader->dir : "", loader->dir ? "/" : "",
             name);
    if (loader->bytes == SIZE_MAX || !loader_room(loader, path)) return;
    if (!load_file(path, MAPPING_FILE_MAX, &text, &len, &err)) {
        err_list_add(loader->problems, &err);
        return;
    }
    loader->files = mem_resize(loader->files, (loader->count + 1) * sizeof *loader->files);
    loader->files[loader->count++] = (struct knowledge_file){ mem_strdup(name), text, len };
    loader->bytes += len;
}

/* The files of one folder, each below that name. False when it is not there. */
static bool loader_folder(struct loader *loader, const char *folder)
{
    char path[PATH_MAX];
    struct dirent **entries;
    int count;

    snprintf(path, sizeof path, "%s%s%s", loader->dir ? loader->dir : "", loader->dir ? "/" : "",
             folder);
    count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) return false;
    for (int i = 0; i < count; i++) {
        char name[PATH_MAX + NAME_MAX + 32];
        snprintf(name, sizeof name, "%s%s%s", folder, folder[0] ? "/" : "", entries[i]->d_name);
        if (wanted(entries[i]->d_name)) loader_file(loader, name);
        free(entries[i]);
    }
    free(entries);
    return true;
}

static void loader_done(struct loader *loader)
{
    for (size_t i = 0; i < loader->count; i++) {
        free((void *)(uintptr_t)loader->files[i].name);
        free((void *)(uintptr_t)loader->files[i].text);
    }
    free(loader->files);
}

/* ---- ours */

static void load_ours(struct loader *loader)
{
    static const char *const folders[] = { "", "codes", "codes/local", "labs", "rules" };
    size_t before = loader->problems->count;

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) /* what is needed is asked for later */
        (void)loader_folder(loader, folders[i]);
    if (!loader->count && loader->problems->count == before)
        loader_problem(loader, loader->dir, "mappings.none",
                       "name the folder with codes/, labs/ and rules/ by --mappings",
                       "holds no mappings");
}

/* ---- of the site */

/* "codes/x.csv" is "./codes/x.csv": no name of ours begins so. */
static void site_path(const char *path, char *buf, size_t size)
{
    size_t len;

    snprintf(buf, size, "%s%s", path[0] == '/' || path[0] == '.' ? "" : "./", path);
    for (len = strlen(buf); len > 1 && buf[len - 1] == '/';) buf[--len] = '\0';
}

static void load_site(struct loader *loader, const struct load_paths *paths, const char *what,
                      const char *fix)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < paths->count; i++) {
        size_t before = loader->count + loader->problems->count;
        site_path(paths->items[i], path, sizeof path);
        if (!loader_folder(loader, path)) loader_file(loader, path);
        if (loader->count + loader->problems->count == before)
            loader_problem(loader, path, "mappings.none", fix, what);
    }
}

/* ---- all of them */

/* Files of ours are named as the reader finds them; a site's are paths. */
static void places_complete(struct err_list *problems, size_t from, const char *dir)
{
    for (size_t i = from; i < problems->count && i < ERR_LIST_MAX; i++) {
        struct err *err = &problems->items[i];
        if (strchr("/.", err->where[0]) || strncmp(err->where, dir, strlen(dir)) == 0) continue;
        err_at(err, "%s/", dir);
    }
}

bool load_layers(const struct load_layers *layers, struct knowledge **ret,
                 struct err_list *problems)
{
    struct loader ours = { .dir = layers->mappings, .problems = problems };
    struct loader codes = { .problems = problems }, rules = { .problems = problems };
    size_t before = problems->count;
    bool good;

    load_ours(&ours);
    load_site(&codes, &layers->codes, "holds no codes",
              "name a folder with .csv files or ConceptMaps (.json)");
    load_site(&rules, &layers->rules, "holds no rule files",
              "name a folder with .json files of rules");
    const struct knowledge_layers read = { .files = ours.files,
                                           .count = ours.count,
                                           .codes = codes.files,
                                           .code_count = codes.count,
                                           .rules = rules.files,
                                           .rule_count = rules.count,
                                           .profile = layers->profile,
                                           .no_drug_names = layers->no_drug_names };
    good = problems->count == before && knowledge_load_layers(&read, ret, problems);
    places_complete(problems, before, layers->mappings);
    loader_done(&ours);
    loader_done(&codes);
    loader_done(&rules);
    return good;
}

bool load_mappings(const char *dir, enum profile profile, struct knowledge **ret,
                   struct err_list *problems)
{
    const struct load_layers layers = { .mappings = dir, .profile = profile };

    return load_layers(&layers, ret, problems);
}

void load_paths_add_rules(struct load_paths *paths, const char *dir)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/rules", dir);
    load_paths_add(paths, is_folder(path) ? path : dir);
}

const char *load_rule_path(const char *dir, const char *file, char *buf, size_t size)
{
    if (file[0] == '/' || file[0] == '.') /* of the site: site_path() */
        snprintf(buf, size, "%s", file);
    else
        snprintf(buf, size, "%s/%s", dir, file);
    return buf;
}

void load_paths_add(struct load_paths *paths, const char *path)
{
    paths->items = mem_resize(paths->items, (paths->count + 1) * sizeof *paths->items);
    paths->items[paths->count++] = mem_strdup(path);
}

void load_paths_done(struct load_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) free(paths->items[i]);
    free(paths->items);
    *paths = (struct load_paths){ 0 };
}

static const char *default_dir(char *buf, size_t size)
{
    char program[PATH_MAX - 64];
    ssize_t n;

    snprintf(buf, size, "%s/mappings", ADAPTER_DATADIR);
    if (is_folder(buf)) return buf;
    n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return buf;
    program[n] = '\0';
    for (int up = 0; up < 3; up++) { /* TREE/build/MODE/myeloma-adapter */
        char *slash = strrchr(program, '/');
        if (!slash) return buf;
        *slash = '\0';
    }
    snprintf(buf, size, "%s/mappings", program);
    if (!is_folder(buf)) snprintf(buf, size, "%s/mappings", ADAPTER_DATADIR);
    return buf;
}

void load_find(struct load_layers *layers)
{
    if (!layers->mappings) layers->mappings = default_dir(layers->found, sizeof layers->found);
}
