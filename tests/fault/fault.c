/* Faults of the operating system, for the fault build (make fault): the objects of the release with
 * this file before libc, so that SQLite, curl, libmicrohttpd and libuv call these functions too.
 * Each step that leaves something behind on a disk or a line is a point: it can be written down,
 * fail, be done by half, or be the last thing that the process does.
 *
 *   FAULT_TRACE  file: a line for each point, "NUMBER KIND CLASS OFFSET LENGTH RESULT"
 *   FAULT_DO     kill-before, kill-half, kill-after, pause (until SIGCONT), short, ENOSPC, EIO or EROFS
 *   FAULT_AT     kinds, separated by commas; not set: all
 *   FAULT_ON     classes, separated by commas; not set: all
 *   FAULT_FROM   the first point of those kinds and classes that is concerned; not set: 1
 *   FAULT_TIMES  so many of them; not set: all that follow
 *   FAULT_WHILE  file: only while it exists
 *
 * RESULT is what the call returned, or the word of FAULT_DO that a kill obeyed. A connection is of
 * the class "hook" when it was accepted, "server" when we made it. What comes in is a point once it
 * has come. The log, the index of the write-ahead log (it is mapped) and wake-ups of the own
 * process are none. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FD_MAX 65536

enum kind {
    KIND_OPEN,
    KIND_WRITE,
    KIND_SYNC,
    KIND_TRUNCATE,
    KIND_RENAME,
    KIND_UNLINK,
    KIND_CONNECT,
    KIND_ACCEPT,
    KIND_SEND,
    KIND_RECEIVE,
    KIND_LAST
};

enum class {
    CLASS_NONE,
    CLASS_DATABASE,
    CLASS_WAL,
    CLASS_FOLDER,
    CLASS_FILE,
    CLASS_HOOK,
    CLASS_SERVER,
    CLASS_LAST
};

enum deed {
    DEED_NOTHING,
    DEED_KILL_BEFORE,
    DEED_KILL_HALF,
    DEED_KILL_AFTER,
    DEED_PAUSE,
    DEED_SHORT,
    DEED_FAIL
};

static const char *const kinds[] = { "open",   "write",   "sync",   "truncate", "rename",
                                     "unlink", "connect", "accept", "send",     "receive" };
static const char *const classes[] = {
    "none", "database", "wal", "folder", "file", "hook", "server"
};
static const struct {
    const char *name;
    enum deed deed;
    int code;
} deeds[] = { { "kill-before", DEED_KILL_BEFORE, 0 },
              { "kill-half", DEED_KILL_HALF, 0 },
              { "kill-after", DEED_KILL_AFTER, 0 },
              { "pause", DEED_PAUSE, 0 },
              { "short", DEED_SHORT, 0 },
              { "ENOSPC", DEED_FAIL, ENOSPC },
              { "EIO", DEED_FAIL, EIO },
              { "EROFS", DEED_FAIL, EROFS } };

/* What the environment says; written before main() alone. */
static struct {
    const char *name; /* of the deed */
    enum deed deed;
    int code;
    unsigned kinds, classes; /* bits */
    unsigned from, times;    /* times 0: for ever */
    const char *only_while;
} wanted;
static int trace_fd = -1;

static atomic_uint points, matches;
static _Atomic unsigned char class_of_fd[FD_MAX];

struct point {
    enum kind kind;
    enum class class;
    long at;
    size_t len;
    unsigned number; /* 0: this is none */
    enum deed deed;
};

/* ---- the environment */

static unsigned bits_of(const char *variable, const char *const *names, unsigned count)
{
    const char *text = getenv(variable);
    unsigned bits = 0;

    if (!text || !*text) return ~0u;
    for (size_t n; *text; text += n + (text[n] == ',')) {
        n = strcspn(text, ",");
        for (unsigned i = 0; i < count; i++)
            if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0) bits |= 1u << i;
    }
    return bits;
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text && *text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void deed_read(const char *name)
{
    for (size_t i = 0; name && i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, name) == 0) {
            wanted.name = deeds[i].name;
            wanted.deed = deeds[i].deed;
            wanted.code = deeds[i].code;
            return;
        }
    if (name && *name) abort();
}

__attribute__((constructor)) static void fault_init(void)
{
    const char *trace = getenv("FAULT_TRACE");

    deed_read(getenv("FAULT_DO"));
    wanted.kinds = bits_of("FAULT_AT", kinds, KIND_LAST);
    wanted.classes = bits_of("FAULT_ON", classes, CLASS_LAST);
    wanted.from = number_of("FAULT_FROM", 1);
    wanted.times = number_of("FAULT_TIMES", 0);
    wanted.only_while = getenv("FAULT_WHILE");
    if (trace)
        trace_fd = (int)syscall(SYS_openat, AT_FDCWD, trace,
                                O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- one point */

static void trace(const struct point *point, const char *result)
{
    char line[160];
    int n = snprintf(line, sizeof line, "%u %s %s %ld %zu %s\n", point->number, kinds[point->kind],
                     classes[point->class], point->at, point->len, result);

    if (trace_fd >= 0) syscall(SYS_write, trace_fd, line, (size_t)n);
}

static void die(const struct point *point)
{
    trace(point, wanted.name);
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) pause();
}

static enum deed deed_of(const struct point *point)
{
    unsigned match;

    if (!wanted.deed) return DEED_NOTHING;
    if (!(wanted.kinds & 1u << point->kind) || !(wanted.classes & 1u << point->class))
        return DEED_NOTHING;
    if (wanted.only_while && syscall(SYS_faccessat, AT_FDCWD, wanted.only_while, F_OK) != 0)
        return DEED_NOTHING;
    match = atomic_fetch_add(&matches, 1) + 1;
    if (match < wanted.from || (wanted.times && match >= wanted.from + wanted.times))
        return DEED_NOTHING;
    return wanted.deed;
}

static struct point point_begin(enum kind kind, enum class class, long at, size_t len)
{
    struct point point = { .kind = kind, .class = class, .at = at, .len = len };

    if (class == CLASS_NONE) return point;
    point.number = atomic_fetch_add(&points, 1) + 1;
    point.deed = deed_of(&point);
    if (point.deed == DEED_KILL_BEFORE) die(&point);
    if (point.deed == DEED_PAUSE) syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
    return point;
}

static bool point_fails(const struct point *point)
{
    return point->deed == DEED_FAIL;
}

/* How much of len is done. */
static size_t point_share(const struct point *point, size_t len)
{
    return point->deed == DEED_SHORT || point->deed == DEED_KILL_HALF ? (len + 1) / 2 : len;
}

static long point_end(const struct point *point, long result)
{
    int code = errno;
    char text[24];

    if (!point->number) return result;
    if (point->deed == DEED_KILL_HALF || point->deed == DEED_KILL_AFTER) die(point);
    if (point->deed == DEED_FAIL) {
        code = wanted.code;
        result = -1;
    }
    snprintf(text, sizeof text, "%ld", result);
    trace(point, text);
    errno = code;
    return result;
}

/* ---- what is behind a descriptor */

static enum class class_get(int fd) {
    return fd >= 0 && fd < FD_MAX ? (enum class)atomic_load(&class_of_fd[fd]) : CLASS_NONE;
}

static void class_set(long fd, enum class class)
{
    if (fd >= 0 && fd < FD_MAX) atomic_store(&class_of_fd[fd], (unsigned char)class);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static enum class class_of_path(const char *path) {
    if (strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0) return CLASS_NONE;
    if (ends_with(path, "-shm")) return CLASS_NONE;
    if (ends_with(path, "-wal")) return CLASS_WAL;
    return ends_with(path, ".db") ? CLASS_DATABASE : CLASS_FILE;
}

/* A folder is opened to be synced. */
static enum class class_of_opened(const char *path, long fd) {
    struct stat st;

    if (fd < 0 || fstat((int)fd, &st) != 0) return CLASS_NONE;
    return S_ISDIR(st.st_mode)   ? CLASS_FOLDER
           : S_ISREG(st.st_mode) ? class_of_path(path)
                                 : 0;
}

/* ---- files */

static int open_any(const char *path, int flags, mode_t mode)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
    struct point point = point_begin(KIND_OPEN, writes ? class_of_path(path) : CLASS_NONE, 0, 0);
    long fd = -1;

    if (!point_fails(&point)) fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    class_set(fd, class_of_opened(path, fd));
    return (int)point_end(&point, fd);
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;                                  \
        va_end(args);                                                                              \
        return open_any(path, flags, mode);                                                        \
    }
OPEN(open)
OPEN(open64)

int close(int fd)
{
    class_set(fd, CLASS_NONE);
    return (int)syscall(SYS_close, fd);
}

ssize_t write(int fd, const void *data, size_t len)
{
    enum class class = class_get(fd);
    struct point point = point_begin(class >= CLASS_HOOK ? KIND_SEND : KIND_WRITE, class, -1, len);

    if (point_fails(&point)) return point_end(&point, -1);
    return point_end(&point, syscall(SYS_write, fd, data, point_share(&point, len)));
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    struct point point = point_begin(KIND_WRITE, class_get(fd), at, len);

    if (point_fails(&point)) return point_end(&point, -1);
    return point_end(&point, syscall(SYS_pwrite64, fd, data, point_share(&point, len), at));
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return pwrite64(fd, data, len, at);
}

/* A file that stdio or mkstemp() opened is seen here for the first time. */
static int sync_any(int fd, long number)
{
    enum class class = class_get(fd);
    struct point point = point_begin(KIND_SYNC, class ? class : class_of_opened("", fd), 0, 0);

    return (int)point_end(&point, point_fails(&point) ? -1 : syscall(number, fd));
}

int fsync(int fd)
{
    return sync_any(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_any(fd, SYS_fdatasync);
}

int ftruncate64(int fd, off64_t len)
{
    struct point point = point_begin(KIND_TRUNCATE, class_get(fd), len, 0);

    return (int)point_end(&point, point_fails(&point) ? -1 : syscall(SYS_ftruncate, fd, len));
}

int ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int rename(const char *from, const char *to)
{
    struct point point = point_begin(KIND_RENAME, class_of_path(to), 0, 0);

    return (int)point_end(
        &point, point_fails(&point) ? -1 : syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

int unlink(const char *path)
{
    struct point point = point_begin(KIND_UNLINK, class_of_path(path), 0, 0);

    return (int)point_end(&point,
                          point_fails(&point) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

/* ---- connections */

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    bool far = to->sa_family == AF_INET || to->sa_family == AF_INET6;
    struct point point = point_begin(KIND_CONNECT, far ? CLASS_SERVER : CLASS_NONE, 0, 0);

    if (far) class_set(fd, CLASS_SERVER);
    return (int)point_end(&point, point_fails(&point) ? -1 : syscall(SYS_connect, fd, to, len));
}

int accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    long made = syscall(SYS_accept4, fd, from, len, flags);
    struct point point = point_begin(KIND_ACCEPT, made < 0 ? CLASS_NONE : CLASS_HOOK, 0, 0);

    class_set(made, CLASS_HOOK);
    return (int)point_end(&point, made);
}

int accept(int fd, struct sockaddr *from, socklen_t *len)
{
    return accept4(fd, from, len, 0);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
               socklen_t to_len)
{
    struct point point = point_begin(KIND_SEND, class_get(fd), 0, len);

    if (point_fails(&point)) return point_end(&point, -1);
    return point_end(&point,
                     syscall(SYS_sendto, fd, data, point_share(&point, len), flags, to, to_len));
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return sendto(fd, data, len, flags, NULL, 0);
}

static size_t parts_len(const struct iovec *parts, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) len += parts[i].iov_len;
    return len;
}

/* By half: the first part alone. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct point point =
        point_begin(KIND_SEND, class_get(fd), 0, parts_len(message->msg_iov, message->msg_iovlen));
    struct msghdr share = *message;

    if (point_fails(&point)) return point_end(&point, -1);
    if (point_share(&point, 2) == 1 && share.msg_iovlen > 1) share.msg_iovlen = 1;
    return point_end(&point, syscall(SYS_sendmsg, fd, &share, flags));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    enum class class = class_get(fd);
    struct point point = point_begin(class >= CLASS_HOOK ? KIND_SEND : KIND_WRITE, class, -1,
                                     parts_len(parts, (size_t)count));

    if (point_fails(&point)) return point_end(&point, -1);
    if (point_share(&point, 2) == 1 && count > 1) count = 1;
    return point_end(&point, syscall(SYS_writev, fd, parts, count));
}

ssize_t sendfile64(int out, int in, off64_t *at, size_t len)
{
    struct point point = point_begin(KIND_SEND, class_get(out), 0, len);

    if (point_fails(&point)) return point_end(&point, -1);
    return point_end(&point, syscall(SYS_sendfile, out, in, at, point_share(&point, len)));
}

static ssize_t received(int fd, long result)
{
    struct point point = point_begin(KIND_RECEIVE, result > 0 ? class_get(fd) : CLASS_NONE, 0,
                                     result > 0 ? (size_t)result : 0);

    return point_end(&point, result);
}

ssize_t recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *from,
                 socklen_t *from_len)
{
    return received(fd, syscall(SYS_recvfrom, fd, data, len, flags, from, from_len));
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    return recvfrom(fd, data, len, flags, NULL, NULL);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return received(fd, syscall(SYS_recvmsg, fd, message, flags));
}
