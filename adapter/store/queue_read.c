#include "store/queue_read.h"

#include <string.h>

#include "base/instant.h"

/* ---- one row */

static const enum queue_state event_states[] = { QUEUE_WAITING, QUEUE_DONE, QUEUE_DONE, QUEUE_ASIDE,
                                                 QUEUE_DROPPED };
static const enum queue_state outbox_states[] = { QUEUE_OWED, QUEUE_PARKED, QUEUE_DELIVERED,
                                                  QUEUE_DROPPED };

static const struct queue_item nothing = { .key = "",
                                           .reason = "",
                                           .patient = "",
                                           .type = "",
                                           .id = "",
                                           .version = "",
                                           .rule = "",
                                           .server_id = "",
                                           .server_version = "",
                                           .alert = "",
                                           .ended_ms = INSTANT_UNSET };

static enum queue_state state_at(const enum queue_state *states, size_t count, int64_t at)
{
    return at >= 0 && (size_t)at < count ? states[at] : QUEUE_DONE;
}

/* Columns as in QUEUE_EVENT of statement.c. */
static struct queue_item event_read(const struct rows *rows, struct arena *arena)
{
    struct queue_item item = nothing;
    int64_t ended_ms = rows_int(rows, 10);

    item.seq = rows_int(rows, 0);
    item.state = state_at(event_states, ARRAY_SIZE(event_states), rows_int(rows, 1));
    item.outside = rows_int(rows, 1) == 2;
    item.reason = rows_text(rows, 2, arena);
    item.type = rows_text(rows, 3, arena);
    item.id = rows_text(rows, 4, arena);
    item.version = rows_text(rows, 5, arena);
    item.patient = rows_text(rows, 6, arena);
    item.via = (enum event_via)rows_int(rows, 7);
    item.change = (enum event_change)rows_int(rows, 8);
    item.accepted_ms = rows_int(rows, 9);
    item.since_ms = ended_ms ? ended_ms : item.accepted_ms;
    item.bytes = rows_int(rows, 11);
    return item;
}

/* Columns as in QUEUE_ALERT. */
static struct queue_item alert_read(const struct rows *rows, struct arena *arena)
{
    struct queue_item item = nothing;

    item.key = rows_text(rows, 0, arena);
    item.state = state_at(outbox_states, ARRAY_SIZE(outbox_states), rows_int(rows, 1));
    item.reason = rows_text(rows, 2, arena);
    item.rule = rows_text(rows, 3, arena);
    item.patient = rows_text(rows, 4, arena);
    item.attempts = rows_int(rows, 5);
    item.next_ms = rows_int(rows, 6);
    item.since_ms = rows_int(rows, 7);
    item.server_id = rows_text(rows, 8, arena);
    item.server_version = rows_text(rows, 9, arena);
    item.alert = rows_text(rows, 10, arena);
    item.episode = rows_int(rows, 11);
    item.opened_ms = rows_int(rows, 12);
    item.ended_ms = item.alert[0] ? rows_int(rows, 13) : INSTANT_UNSET;
    return item;
}

/* ---- lists */

struct part {
    enum queue_state state;
    enum statement id;
    int64_t number; /* outbox.state */
};

static bool part_read(struct database *db, const struct part *part, const char *reason,
                      int64_t limit, queue_item_fn *fn, void *arg, struct err *err)
{
    bool alerts = part->id == STATEMENT_QUEUE_ALERTS;
    struct value values[] = { value_text(reason), value_int(limit), value_int(part->number) };
    struct rows rows;

    rows_open(&rows, db, part->id, values, alerts ? 3 : 2);
    while (rows_next(&rows)) {
        struct arena arena = { 0 };
        struct queue_item item = alerts ? alert_read(&rows, &arena) : event_read(&rows, &arena);
        fn(&item, arg);
        arena_done(&arena);
    }
    return rows_close(&rows, err);
}

bool queue_read(struct database *db, const struct queue_which *which, int64_t limit,
                queue_item_fn *fn, void *arg, struct err *err)
{
    static const struct part parts[] = {
        { QUEUE_ASIDE, STATEMENT_QUEUE_EVENTS_ASIDE, 0 },
        { QUEUE_PARKED, STATEMENT_QUEUE_ALERTS, 1 },
        { QUEUE_OWED, STATEMENT_QUEUE_ALERTS, 0 },
        { QUEUE_WAITING, STATEMENT_QUEUE_EVENTS_WAITING, 0 },
        { QUEUE_DROPPED, STATEMENT_QUEUE_EVENTS_DROPPED, 0 },
        { QUEUE_DROPPED, STATEMENT_QUEUE_ALERTS, 3 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (which->states & parts[i].state &&
            !part_read(db, &parts[i], which->reason, limit, fn, arg, err))
            return false;
    return true;
}

/* ---- one */

static bool others_read(struct database *db, struct queue_item *item, struct err *err)
{
    struct value patient = value_text(item->patient);

    if (!item->patient[0]) return true;
    return database_number(db, STATEMENT_QUEUE_EVENTS_OF, VALUES(patient), 0,
                           &item->patient_waiting, err) &&
           database_number(db, STATEMENT_QUEUE_ALERTS_OF, VALUES(patient, value_int(0)), 0,
                           &item->patient_owed, err) &&
           database_number(db, STATEMENT_QUEUE_ALERTS_OF, VALUES(patient, value_int(1)), 0,
                           &item->patient_parked, err);
}

bool queue_read_one(struct database *db, const struct queue_which *which, queue_item_fn *fn,
                    void *arg, bool *ret_found, struct err *err)
{
    struct value key = which->seq ? value_int(which->seq) : value_text(which->key);
    struct queue_item item = nothing;
    struct arena arena = { 0 };
    struct rows rows;

    rows_open(&rows, db, which->seq ? STATEMENT_QUEUE_EVENT : STATEMENT_QUEUE_ALERT, VALUES(key));
    *ret_found = rows_next(&rows);
    if (*ret_found) item = which->seq ? event_read(&rows, &arena) : alert_read(&rows, &arena);
    bool good = rows_close(&rows, err) && (!*ret_found || others_read(db, &item, err));
    if (good && *ret_found) fn(&item, arg);
    arena_done(&arena);
    return good;
}
