#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/unopened.h"

/* The log and its index take the mode of the file when SQLite makes them; older ones are brought
 * in line. */
static void file_make_private(const char *path, const char *suffix)
{
    char name[PATH_MAX];

    if (snprintf(name, sizeof name, "%s%s", path, suffix) >= (int)sizeof name) return;
    if (chmod(name, 0600) != 0 && errno != ENOENT)
        log_event(LOG_LEVEL_WARN, "store_mode", LOG_NAME, name, LOG_WHAT, "cannot be made 0600",
                  LOG_END);
}

/* SQLite's own locks do not meet flock(), and the claims are in memory: two processes on one file would
 * do all work twice. */
static bool lock_take(int fd, const char *path, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    err_set(err, ERR_STORE, "store.held", "another process has it open");
    err_fix(err, "end that one first");
    return err_at(err, "%s", path);
}

/* Made with the right mode before SQLite sees it. */
bool file_lock(const char *path, int *ret, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

    if (fd < 0) {
        unopened_errno(err);
        return err_at(err, "%s", path);
    }
    if (!lock_take(fd, path, err)) {
        close(fd);
        return false;
    }
    file_make_private(path, "");
    file_make_private(path, "-wal");
    file_make_private(path, "-shm");
    *ret = fd;
    return true;
}

int64_t file_size(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_size : INT64_MAX;
}

/* SQLite syncs the folder itself, and does not look whether that worked. */
bool file_sync_folder(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    int fd;

    snprintf(folder, sizeof folder, "%s", path);
    fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (!synced) {
        unopened_errno(err);
        err_at(err, "%s", path);
    }
    if (fd >= 0) close(fd);
    return synced;
}
