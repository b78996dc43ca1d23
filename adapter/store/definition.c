#include "store/definition.h"

#include <sqlite3.h>

#include "store/seal.h"
#include "store/unopened.h"

/* What the scripts make, in a database in memory. Owned by the caller, also after an error. */
static bool example_make(const char *const scripts[], size_t count, sqlite3 **ret, struct err *err)
{
    int code = sqlite3_open(":memory:", ret);

    if (code != SQLITE_OK || (code = seal_init(*ret)) != SQLITE_OK)
        return unopened(code, sqlite3_errstr(code), err);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = sqlite3_exec(*ret, scripts[i], NULL, NULL, NULL);
    return code == SQLITE_OK || unopened_last(*ret, err);
}

static bool definition_changed(const char *type, const char *name, struct err *err)
{
    err_set(err, ERR_STORE, "store.corrupt", "the %s \"%s\" is not as this program made it", type,
            name);
    return err_fix(err, "restore the file, or move it away to begin with an empty one");
}

/* Is everything that one defines defined by the other in the same words? */
static bool definitions_compare(sqlite3_stmt *example, sqlite3_stmt *found, sqlite3 *sqlite,
                                struct err *err)
{
    int made, code;

    while ((made = sqlite3_step(example)) == SQLITE_ROW) {
        for (int i = 0; i < 3; i++)
            sqlite3_bind_value(found, i + 1, sqlite3_column_value(example, i));
        code = sqlite3_step(found);
        if (code == SQLITE_DONE)
            return definition_changed((const char *)sqlite3_column_text(example, 0),
                                      (const char *)sqlite3_column_text(example, 1), err);
        if (code != SQLITE_ROW) return unopened_last(sqlite, err);
        sqlite3_reset(found);
    }
    return made == SQLITE_DONE || unopened(made, sqlite3_errstr(made), err);
}

bool definition_check(sqlite3 *sqlite, const char *const scripts[], size_t count, struct err *err)
{
    sqlite3 *example = NULL;
    sqlite3_stmt *made = NULL, *found = NULL;
    bool whole = example_make(scripts, count, &example, err);

    if (whole && (sqlite3_prepare_v2(example,
                                     "SELECT type, name, sql FROM sqlite_schema"
                                     " WHERE sql IS NOT NULL",
                                     -1, &made, NULL) != SQLITE_OK ||
                  sqlite3_prepare_v2(sqlite,
                                     "SELECT 1 FROM sqlite_schema"
                                     " WHERE type = ?1 AND name = ?2 AND sql = ?3",
                                     -1, &found, NULL) != SQLITE_OK))
        whole = unopened_last(sqlite, err);
    if (whole) whole = definitions_compare(made, found, sqlite, err);
    sqlite3_finalize(made);
    sqlite3_finalize(found);
    sqlite3_close(example);
    return whole;
}
