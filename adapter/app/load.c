#include "app/load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define MAPPING_FILE_MAX  ((size_t)64 << 20)
#define MAPPING_FILES_MAX 1000
#define SITE_PREFIX       "rules/" /* before the path of a file of the site */

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

struct loader {
    const char *dir;
    struct knowledge_file *files; /* owned */
    size_t count;
    struct err_list *problems;
};

static bool wanted(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot && (strcmp(dot, ".csv") == 0 || strcmp(dot, ".json") == 0);
}

static void loader_file(struct loader *loader, const char *path, const char *name)
{
    struct err err;
    char *text;
    size_t len;

    if (!load_file(path, MAPPING_FILE_MAX, &text, &len, &err)) {
        err_list_add(loader->problems, &err);
        return;
    }
    loader->files = mem_resize(loader->files, (loader->count + 1) * sizeof *loader->files);
    loader->files[loader->count++] = (struct knowledge_file){ mem_strdup(name), text, len };
}

/* The files of one folder; a folder that is not there is no mistake. */
static void loader_scan(struct loader *loader, const char *path, const char *folder)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);

    if (count < 0) return;
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX + NAME_MAX + 64], name[PATH_MAX + NAME_MAX + 64];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        snprintf(name, sizeof name, "%s%s%s", folder, folder[0] ? "/" : "", entries[i]->d_name);
        if (wanted(entries[i]->d_name) && loader->count < MAPPING_FILES_MAX)
            loader_file(loader, file, name);
        free(entries[i]);
    }
    free(entries);
}

static void loader_folder(struct loader *loader, const char *folder)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", loader->dir, folder);
    loader_scan(loader, path, folder);
}

/* The rules of a site are known as "rules/PATH", which load_rule_path() turns back. */
static void loader_site(struct loader *loader, const char *site)
{
    char path[PATH_MAX], folder[PATH_MAX + 32];
    size_t before = loader->count;
    struct err err;

    snprintf(path, sizeof path, "%s/rules", site);
    if (!is_folder(path)) snprintf(path, sizeof path, "%s", site);
    snprintf(folder, sizeof folder, SITE_PREFIX "%s", path);
    loader_scan(loader, path, folder);
    if (loader->count > before) return;
    err_set(&err, ERR_CONFIG, "mappings.none", "holds no rule files");
    err_at(&err, "%s", site);
    err_fix(&err, "name a folder with .json files of rules");
    err_list_add(loader->problems, &err);
}

/* "rules/PATH/FILE" is a file of the site, "rules/FILE" one of ours. */
static bool is_site(const char *name)
{
    return strncmp(name, SITE_PREFIX, strlen(SITE_PREFIX)) == 0 &&
           strchr(name + strlen(SITE_PREFIX), '/');
}

const char *load_rule_path(const char *dir, const char *file, char *buf, size_t size)
{
    if (is_site(file))
        snprintf(buf, size, "%s", file + strlen(SITE_PREFIX));
    else
        snprintf(buf, size, "%s/%s", dir, file);
    return buf;
}

/* The reader names files as it knows them: say where they are. */
static void place_problem(const char *dir, struct err *err)
{
    char place[sizeof err->where];

    if (!is_site(err->where)) {
        err_at(err, "%s/", dir);
        return;
    }
    memcpy(place, err->where, sizeof place);
    snprintf(err->where, sizeof err->where, "%s", place + strlen(SITE_PREFIX));
}

static void loader_done(struct loader *loader)
{
    for (size_t i = 0; i < loader->count; i++) {
        free((void *)(uintptr_t)loader->files[i].name);
        free((void *)(uintptr_t)loader->files[i].text);
    }
    free(loader->files);
}

bool load_mappings(const char *dir, enum profile profile, struct knowledge **ret,
                   struct err_list *problems)
{
    return load_mappings_with(dir, NULL, profile, ret, problems);
}

bool load_mappings_with(const char *dir, const char *site, enum profile profile,
                        struct knowledge **ret, struct err_list *problems)
{
    struct loader loader = { .dir = dir, .problems = problems };
    size_t before = problems->count, read;
    struct err err;
    bool good;

    loader_folder(&loader, "");
    loader_folder(&loader, "codes");
    loader_folder(&loader, "codes/local");
    loader_folder(&loader, "labs");
    loader_folder(&loader, "rules");
    if (!loader.count && problems->count == before) {
        err_set(&err, ERR_CONFIG, "mappings.none", "holds no mappings");
        err_at(&err, "%s", dir);
        err_fix(&err, "name the folder with codes/, labs/ and rules/ by --mappings");
        err_list_add(problems, &err);
    }
    if (site) loader_site(&loader, site);
    read = problems->count;
    good = read == before && knowledge_load_as(loader.files, loader.count, profile, ret, problems);
    for (size_t i = read; i < problems->count && i < ERR_LIST_MAX; i++)
        place_problem(dir, &problems->items[i]);
    loader_done(&loader);
    return good;
}

const char *load_default_dir(char *buf, size_t size)
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
