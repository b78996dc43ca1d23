#include "app/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct output *output, const char *code, struct err *err)
{
    err_set(err, ERR_SYSTEM, code, "%s", strerror(errno));
    output_drop(output);
    return err_at(err, "%s", output->path ? output->path : "standard output");
}

bool output_open(struct output *output, const char *path, struct err *err)
{
    struct stat st;
    mode_t mask = umask(0);
    int fd;

    umask(mask);
    *output = (struct output){ .file = stdout, .path = path };
    if (!path) return true;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a pipe or device is not replaced */
        output->file = fopen(path, "we");
        return output->file || fail(output, "file.open", err);
    }
    output->file = NULL;
    if (snprintf(output->beside, sizeof output->beside, "%s.XXXXXX", path) >=
        (int)sizeof output->beside) {
        output->beside[0] = '\0';
        errno = ENAMETOOLONG;
        return fail(output, "file.open", err);
    }
    fd = mkstemp(output->beside);
    if (fd < 0) output->beside[0] = '\0';
    if (fd < 0 || fchmod(fd, 0666 & ~mask) < 0 || !(output->file = fdopen(fd, "w"))) {
        int error = errno;
        if (fd >= 0) close(fd);
        errno = error;
        return fail(output, "file.open", err);
    }
    return true;
}

bool output_close(struct output *output, struct err *err)
{
    FILE *file = output->file;
    bool good = fflush(file) == 0 && !ferror(file);

    if (!output->path) return good || fail(output, "file.write", err);
    if (good && output->beside[0]) good = fsync(fileno(file)) == 0;
    output->file = NULL;
    good = fclose(file) == 0 && good;
    if (good && output->beside[0]) good = rename(output->beside, output->path) == 0;
    if (!good) return fail(output, "file.write", err);
    output->beside[0] = '\0';
    return true;
}

void output_drop(struct output *output)
{
    int error = errno;

    if (output->file && output->path) fclose(output->file);
    output->file = NULL;
    if (output->beside[0]) unlink(output->beside);
    output->beside[0] = '\0';
    errno = error;
}
