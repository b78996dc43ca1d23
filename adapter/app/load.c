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

static void loader_file(struct loader *loader, const char *name)
{
    char path[PATH_MAX + NAME_MAX + 64];
    struct err err;
    char *text;
    size_t len;

    snprintf(path, sizeof path, "%s/%s", loader->dir, name);
    if (!load_file(path, MAPPING_FILE_MAX, &text, &len, &err)) {
        err_list_add(loader->problems, &err);
        return;
    }
    loader->files = mem_resize(loader->files, (loader->count + 1) * sizeof *loader->files);
    loader->files[loader->count++] = (struct knowledge_file){ mem_strdup(name), text, len };
}

/* The files of one folder; a folder that is not there is no mistake. */
static void loader_folder(struct loader *loader, const char *folder)
{
    char path[PATH_MAX];
    struct dirent **entries;
    int count;

    snprintf(path, sizeof path, "%s/%s", loader->dir, folder);
    count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) return;
    for (int i = 0; i < count; i++) {
        char name[NAME_MAX + 32];
        snprintf(name, sizeof name, "%s%s%s", folder, folder[0] ? "/" : "", entries[i]->d_name);
        if (wanted(entries[i]->d_name) && loader->count < MAPPING_FILES_MAX)
            loader_file(loader, name);
        free(entries[i]);
    }
    free(entries);
}

static void loader_done(struct loader *loader)
{
    for (size_t i = 0; i < loader->count; i++) {
        free((void *)(uintptr_t)loader->files[i].name);
        free((void *)(uintptr_t)loader->files[i].text);
    }
    free(loader->files);
}

bool load_mappings(const char *dir, struct knowledge **ret, struct err_list *problems)
{
    struct loader loader = { .dir = dir, .problems = problems };
    size_t before = problems->count;
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
    good = problems->count == before && knowledge_load(loader.files, loader.count, ret, problems);
    for (size_t i = before; i < problems->count; i++) /* files are named as the reader finds them */
        if (strncmp(problems->items[i].where, dir, strlen(dir)) != 0)
            err_at(&problems->items[i], "%s/", dir);
    loader_done(&loader);
    return good;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
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
