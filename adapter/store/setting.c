#include "store/setting.h"

bool setting_get(struct database *db, const char *name, struct arena *arena, const char **ret,
                 struct err *err)
{
    struct rows rows;

    *ret = NULL;
    rows_open(&rows, db, STATEMENT_SETTING_GET, VALUES(value_text(name)));
    while (rows_next(&rows)) *ret = rows_text(&rows, 0, arena);
    return rows_close(&rows, err);
}

bool setting_set(struct database *db, const char *name, const char *value, struct err *err)
{
    if (!value)
        return database_run(db, STATEMENT_SETTING_DROP, VALUES(value_text(name)), NULL, err);
    return database_run(db, STATEMENT_SETTING_PUT, VALUES(value_text(name), value_text(value)),
                        NULL, err);
}
