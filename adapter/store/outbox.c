#include "store/outbox.h"

bool outbox_put(struct database *db, const struct store_outbox *item, struct err *err)
{
    return database_run(db, STATEMENT_OUTBOX_PUT,
                        VALUES(value_text(item->key), value_text(item->patient),
                               value_text(item->rule), value_bytes(item->body, item->body_len),
                               value_int(database_now())),
                        NULL, err);
}

static struct store_outbox item_read(const struct rows *rows, struct arena *arena)
{
    struct store_outbox item = {
        .key = rows_text(rows, 0, arena),
        .patient = rows_text(rows, 1, arena),
        .rule = rows_text(rows, 2, arena),
        .revision = rows_int(rows, 4),
        .attempts = rows_int(rows, 5),
        .owed_ms = rows_int(rows, 6),
        .server_id = rows_text(rows, 7, arena),
        .server_version = rows_text(rows, 8, arena),
    };

    item.body = rows_bytes(rows, 3, arena, &item.body_len);
    return item;
}

static bool items_depart(struct database *db, const struct store_outbox *items, size_t count,
                         struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!database_run(db, STATEMENT_FLIGHT_PUT,
                          VALUES(value_text(items[i].key), value_int(items[i].revision)), NULL,
                          err))
            return false;
    return true;
}

bool outbox_owed(struct database *db, int64_t now_ms, size_t limit, struct arena *arena,
                 const struct store_outbox **ret, size_t *ret_count, struct err *err)
{
    struct buf list = { 0 };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_OUTBOX_OWED,
              VALUES(value_int(now_ms), value_int((int64_t)limit)));
    while (rows_next(&rows)) {
        struct store_outbox item = item_read(&rows, arena);
        buf_add(&list, &item, sizeof item);
    }
    *ret_count = list.len / sizeof(struct store_outbox);
    *ret = database_list(arena, &list);
    return rows_close(&rows, err) && items_depart(db, *ret, *ret_count, err);
}

/* Which revision came back: the one that is in flight, or else the present one. */
static bool flight_end(struct database *db, const char *key, int64_t *ret_revision, struct err *err)
{
    return database_number(db, STATEMENT_FLIGHT_GET, VALUES(value_text(key)), 0, ret_revision,
                           err) &&
           database_run(db, STATEMENT_FLIGHT_END, VALUES(value_text(key)), NULL, err);
}

bool outbox_created(struct database *db, const char *key, const char *server_id, struct err *err)
{
    return database_run(db, STATEMENT_OUTBOX_CREATED,
                        VALUES(value_text(key), value_text(server_id)), NULL, err);
}

bool outbox_delivered(struct database *db, const char *key, int64_t revision, const char *server_id,
                      const char *server_version, struct err *err)
{
    return database_run(db, STATEMENT_OUTBOX_DELIVERED,
                        VALUES(value_text(key), value_int(revision), value_text(server_id),
                               value_text(server_version)),
                        NULL, err) &&
           database_run(db, STATEMENT_FLIGHT_END, VALUES(value_text(key)), NULL, err);
}

bool outbox_retry(struct database *db, const char *key, int64_t retry_ms, const char *code,
                  struct err *err)
{
    int64_t revision;

    return flight_end(db, key, &revision, err) &&
           database_run(
               db, STATEMENT_OUTBOX_RETRY,
               VALUES(value_text(key), value_int(revision), value_int(retry_ms), value_text(code)),
               NULL, err);
}

bool outbox_park(struct database *db, const char *key, const char *reason, struct err *err)
{
    int64_t revision;

    return flight_end(db, key, &revision, err) &&
           database_run(db, STATEMENT_OUTBOX_PARK,
                        VALUES(value_text(key), value_int(revision), value_text(reason)), NULL,
                        err);
}

bool outbox_unpark(struct database *db, struct err *err)
{
    return database_run(db, STATEMENT_OUTBOX_UNPARK, NO_VALUES, NULL, err);
}

bool outbox_again(struct database *db, const char *key, bool *ret, struct err *err)
{
    int64_t changes = 0;
    bool good = database_run(db, STATEMENT_OUTBOX_AGAIN, VALUES(value_text(key)), &changes, err);

    *ret = good && changes > 0;
    return good;
}

bool outbox_give_up(struct database *db, const char *key, const char *because, bool *ret,
                    struct err *err)
{
    int64_t changes = 0;
    bool good = database_run(db, STATEMENT_OUTBOX_DROP,
                             VALUES(value_text(key), value_text(because)), &changes, err);

    *ret = good && changes > 0;
    return good;
}
