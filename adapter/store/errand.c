#include "store/errand.h"

#include <string.h>

#include "base/log.h"
#include "store/outbox.h"
#include "store/queue_read.h"
#include "store/work.h"

/* ---- one item */

static bool item_do(struct database *db, const struct errand *errand, int64_t seq, const char *key,
                    bool *ret, struct err *err)
{
    if (errand->verb == QUEUE_RETRY)
        return seq ? work_again(db, seq, ret, err) : outbox_again(db, key, ret, err);
    return seq ? work_give_up(db, seq, errand->because, ret, err)
               : outbox_give_up(db, key, errand->because, ret, err);
}

/* ---- all that are meant */

struct doing {
    struct database *db;
    const struct errand *errand;
    struct arena arena;
    struct buf found; /* owned: array of struct found */
};

struct found {
    int64_t seq;
    const char *key; /* in the arena */
};

static void on_item(const struct queue_item *item, void *arg)
{
    struct doing *doing = arg;
    struct found found = { item->seq, arena_copy(&doing->arena, item->key, strlen(item->key)) };

    buf_add(&doing->found, &found, sizeof found);
}

static bool found_do(struct doing *doing, int64_t *ret_items, struct err *err)
{
    const struct found *found = (const struct found *)(const void *)doing->found.data;
    size_t count = doing->found.len / sizeof *found;

    for (size_t i = 0; i < count; i++) {
        bool done;
        if (!item_do(doing->db, doing->errand, found[i].seq, found[i].key, &done, err))
            return false;
        *ret_items += done;
    }
    return true;
}

bool errand_run(struct database *db, const struct errand *errand, int64_t *ret_items,
                struct err *err)
{
    const struct queue_which *which = &errand->which;
    struct doing doing = { .db = db, .errand = errand };
    bool good, done;

    *ret_items = 0;
    if (which->seq || which->key[0]) {
        if (!item_do(db, errand, which->seq, which->key, &done, err)) return false;
        *ret_items = done;
        return true;
    }
    good =
        queue_read(db, which, INT64_MAX, on_item, &doing, err) && found_do(&doing, ret_items, err);
    buf_done(&doing.found);
    arena_done(&doing.arena);
    return good;
}

/* ---- by way of the file */

bool errand_put(struct database *db, const struct errand *errand, struct err *err)
{
    const struct queue_which *which = &errand->which;

    return database_run(db, STATEMENT_COMMAND_PUT,
                        VALUES(value_int(database_now()), value_int(errand->verb),
                               value_int(which->seq), value_text(which->key),
                               value_int(which->states), value_text(which->reason),
                               value_text(errand->because)),
                        NULL, err);
}

static bool next_read(struct database *db, struct arena *arena, struct errand *ret, int64_t *ret_id,
                      struct err *err)
{
    struct rows rows;

    *ret_id = 0;
    rows_open(&rows, db, STATEMENT_COMMAND_NEXT, NO_VALUES);
    if (rows_next(&rows)) {
        *ret_id = rows_int(&rows, 0);
        *ret = (struct errand){ .verb = rows_int(&rows, 1) == QUEUE_DROP ? QUEUE_DROP : QUEUE_RETRY,
                                .which = { .seq = rows_int(&rows, 2),
                                           .key = rows_text(&rows, 3, arena),
                                           .states = (unsigned)rows_int(&rows, 4),
                                           .reason = rows_text(&rows, 5, arena) },
                                .because = rows_text(&rows, 6, arena) };
    }
    return rows_close(&rows, err);
}

static void errand_log(const struct errand *errand, int64_t items)
{
    log_event(LOG_LEVEL_INFO, errand->verb == QUEUE_DROP ? "queue-drop" : "queue-retry", LOG_ALERT,
              errand->which.key[0] ? errand->which.key : NULL, LOG_CODE,
              errand->which.reason[0] ? errand->which.reason : NULL, LOG_COUNT, items, LOG_END);
}

/* *ret_any stays as it is when there is none. */
static bool one_take_up(struct database *db, bool *ret_any, struct err *err)
{
    struct arena arena = { 0 };
    struct errand errand;
    int64_t id = 0, items = 0;
    bool good =
        database_begin(db, true, err) && next_read(db, &arena, &errand, &id, err) &&
        (!id || (errand_run(db, &errand, &items, err) &&
                 database_run(db, STATEMENT_COMMAND_END,
                              VALUES(value_int(id), value_int(database_now()), value_int(items)),
                              NULL, err))) &&
        database_commit(db, err);

    if (!good) database_rollback(db);
    if (good && id) {
        errand_log(&errand, items);
        *ret_any = true;
    }
    arena_done(&arena);
    return good;
}

bool errand_take_up(struct database *db, bool *ret_any)
{
    bool more = true;
    struct err err;

    *ret_any = false;
    while (more) {
        more = false;
        if (!one_take_up(db, &more, &err)) return false;
        *ret_any |= more;
    }
    return true;
}
