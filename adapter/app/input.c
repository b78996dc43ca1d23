#include "app/input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_recorded(const char *name)
{
    static const char *const ends[] = { ".json",    ".ndjson",    ".jsonl",
                                        ".json.gz", ".ndjson.gz", ".jsonl.gz" };

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (ends_in(name, ends[i])) return true;
    return false;
}

static void path_keep(struct input *input, const char *path, long long bytes)
{
    input->paths = mem_resize(input->paths, (input->count + 1) * sizeof *input->paths);
    input->sizes = mem_resize(input->sizes, (input->count + 1) * sizeof *input->sizes);
    input->sizes[input->count] = bytes;
    input->paths[input->count++] = mem_strdup(path);
    input->bytes += bytes;
}

static bool folder_add(struct input *input, const char *path, unsigned depth, struct err *err);

static bool entry_add(struct input *input, const char *path, const char *name, unsigned depth,
                      struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        st = (struct stat){ .st_mode = 0 }; /* a dangling link: reading tells */
    if (S_ISDIR(st.st_mode)) return folder_add(input, path, depth + 1, err);
    if (is_recorded(name))
        path_keep(input, path, st.st_size);
    else
        input->others++;
    return true;
}

static bool folder_add(struct input *input, const char *path, unsigned depth, struct err *err)
{
    struct dirent **entries;
    int count = depth > 32 ? (errno = ELOOP, -1) : scandir(path, &entries, NULL, alphasort);
    bool good = true;

    if (count < 0) {
        err_set(err, ERR_SYSTEM, "file.open", "%s", strerror(errno));
        return err_at(err, "%s", path);
    }
    for (int i = 0; i < count; i++) {
        char below[PATH_MAX];
        snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
        if (good && entries[i]->d_name[0] != '.')
            good = entry_add(input, below, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool input_add(struct input *input, const char *path, struct err *err)
{
    struct stat st;

    if (strcmp(path, "-") == 0) {
        path_keep(input, path, 0);
        return true;
    }
    if (stat(path, &st) < 0) {
        err_set(err, ERR_SYSTEM, "file.open", "%s", strerror(errno));
        return err_at(err, "%s", path);
    }
    if (S_ISDIR(st.st_mode)) return folder_add(input, path, 0, err);
    path_keep(input, path, st.st_size); /* a file that was named is read, whatever its name */
    return true;
}

bool input_read(const char *path, char **ret, size_t *ret_len, struct err *err)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");
    AUTO(buf_done) struct buf text = { 0 };
    char *chunk;
    int n = 0;

    if (!file) {
        err_set(err, ERR_SYSTEM, "file.open", "%s", strerror(errno));
        if (fd >= 0) close(fd);
        return err_at(err, "%s", path);
    }
    gzbuffer(file, 1 << 18);
    chunk = mem_zero(1, 1 << 18);
    while (text.len <= INPUT_FILE_MAX && (n = gzread(file, chunk, 1 << 18)) > 0)
        buf_add(&text, chunk, (size_t)n);
    free(chunk);
    if (gzclose(file) != Z_OK || n < 0) {
        err_set(err, ERR_SYSTEM, "file.read", "cannot be read, or its gzip data is damaged");
        return err_at(err, "%s", path);
    }
    if (text.len > INPUT_FILE_MAX) {
        err_set(err, ERR_INPUT, "file.size", "is longer than %zu bytes", INPUT_FILE_MAX);
        return err_at(err, "%s", path);
    }
    *ret_len = text.len;
    *ret = buf_take(&text);
    return true;
}

void input_done(struct input *input)
{
    for (size_t i = 0; i < input->count; i++) free(input->paths[i]);
    free(input->paths);
    free(input->sizes);
    *input = (struct input){ 0 };
}

/* ---- the bar */

#define BAR_BYTES_MIN (4 << 20)

void input_bar_start(struct input_bar *bar, const struct input *input)
{
    *bar = (struct input_bar){ .all = input->bytes };
    progress_start(&bar->progress, input->bytes > BAR_BYTES_MIN);
}

static void bar_show(struct input_bar *bar, double part)
{
    progress_show(&bar->progress, "reading", bar->before + (long long)((double)bar->size * part),
                  bar->all);
}

void input_bar_file(struct input_bar *bar, const struct input *input, size_t which,
                    const char *text, size_t len)
{
    bar->text = text;
    bar->len = len;
    bar->size = text ? input->sizes[which] : 0;
    if (!text) bar->before += input->sizes[which];
    bar_show(bar, 0);
}

void input_bar_at(struct input_bar *bar, const char *at)
{
    if (at && bar->progress.on && bar->len)
        bar_show(bar, (double)(at - bar->text) / (double)bar->len);
}
