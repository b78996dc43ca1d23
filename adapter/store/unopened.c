#include "store/unopened.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/attr.h"

#define FIX_PLACE "make the file and its folder writable for the adapter's user"
#define FIX_ROOM  "free space on its file system"
#define FIX_DISK  "repair the disk, then start the program again"

static const struct {
    int code;
    const char *fix;
} ways_out[] = {
    { SQLITE_FULL, FIX_ROOM },
    { SQLITE_READONLY, FIX_PLACE },
    { SQLITE_CANTOPEN, FIX_PLACE },
    { SQLITE_PERM, FIX_PLACE },
    { SQLITE_IOERR, FIX_DISK },
    { SQLITE_BUSY, "end the program that has it open" },
    { SQLITE_LOCKED, "end the program that has it open" },
};

static const struct {
    int error;
    const char *fix;
} ways_out_errno[] = {
    { ENOSPC, FIX_ROOM },
    { EDQUOT, FIX_ROOM },
    { EROFS, FIX_PLACE },
    { EACCES, FIX_PLACE },
    { EPERM, FIX_PLACE },
    { EIO, FIX_DISK },
    { ENOENT, "make its folder, with mode 0700" },
};

bool unopened(int code, const char *text, struct err *err)
{
    code &= 0xff;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        err_set(err, ERR_STORE, "store.corrupt", "%s", text);
        return err_fix(err, "restore the file, or move it away to begin with an empty one");
    }
    err_set(err, ERR_STORE, "store.open", "%s", text);
    for (size_t i = 0; i < ARRAY_SIZE(ways_out); i++)
        if (ways_out[i].code == code) return err_fix(err, "%s", ways_out[i].fix);
    return false;
}

bool unopened_last(sqlite3 *sqlite, struct err *err)
{
    return unopened(sqlite3_errcode(sqlite), sqlite3_errmsg(sqlite), err);
}

bool unopened_errno(struct err *err)
{
    int error = errno;

    err_set(err, ERR_STORE, "store.open", "%s", strerror(error));
    for (size_t i = 0; i < ARRAY_SIZE(ways_out_errno); i++)
        if (ways_out_errno[i].error == error) return err_fix(err, "%s", ways_out_errno[i].fix);
    return false;
}
