#include "store/journal.h"

#include "base/instant.h"

bool journal_is_alone(const struct store_event *event)
{
    return event->change == CHANGE_HINT || !event->patient[0];
}

static bool payload_put(struct database *db, int64_t seq, const struct store_event *event,
                        struct err *err)
{
    if (!event->payload) return true;
    return database_run(db, STATEMENT_PAYLOAD_PUT,
                        VALUES(value_int(seq), value_bytes(event->payload, event->payload_len)),
                        NULL, err);
}

static int64_t bytes_of(const struct store_event *event)
{
    return event->payload ? (int64_t)event->payload_len : 0;
}

/* The daily statement counts by the time of the change. */
static bool date(struct database *db, const struct store_event *event, struct err *err)
{
    if (event->updated_ms == INSTANT_UNSET) return true;
    return database_run(db, STATEMENT_EVENT_DATE,
                        VALUES(value_text(event->id), value_text(event->type),
                               value_text(event->version), value_int(event->change),
                               value_int(event->updated_ms)),
                        NULL, err);
}

bool journal_put(struct database *db, const struct store_event *event, int64_t *ret_seq,
                 struct err *err)
{
    int64_t fresh, seq;

    *ret_seq = 0;
    if (!database_run(db, STATEMENT_EVENT_PUT,
                      VALUES(value_int(event->accepted_ms), value_int(event->via),
                             value_int(event->change), value_text(event->type),
                             value_text(event->id), value_text(event->version),
                             value_text(event->patient), value_int(event->updated_ms),
                             value_int(journal_is_alone(event)), value_int(bytes_of(event))),
                      &fresh, err))
        return false;
    if (!fresh) return date(db, event, err);
    seq = database_inserted(db);
    if (!payload_put(db, seq, event, err)) return false;
    *ret_seq = seq;
    return true;
}

/* Columns as in EVENT_COLUMNS of statement.c. */
static struct store_event event_read(const struct rows *rows, struct arena *arena)
{
    struct store_event event = {
        .seq = rows_int(rows, 0),
        .accepted_ms = rows_int(rows, 1),
        .via = (enum event_via)rows_int(rows, 2),
        .change = (enum event_change)rows_int(rows, 3),
        .type = rows_text(rows, 4, arena),
        .id = rows_text(rows, 5, arena),
        .version = rows_text(rows, 6, arena),
        .patient = rows_text(rows, 7, arena),
        .updated_ms = rows_int(rows, 8),
    };

    event.payload = rows_bytes(rows, 9, arena, &event.payload_len);
    return event;
}

static bool events_read(struct database *db, enum statement id, struct value key,
                        struct arena *arena, const struct store_event **ret, size_t *ret_count,
                        struct err *err)
{
    struct buf events = { 0 };
    struct rows rows;

    rows_open(&rows, db, id, VALUES(key));
    while (rows_next(&rows)) {
        struct store_event event = event_read(&rows, arena);
        buf_add(&events, &event, sizeof event);
    }
    *ret_count = events.len / sizeof(struct store_event);
    *ret = database_list(arena, &events);
    return rows_close(&rows, err);
}

bool journal_waiting(struct database *db, const char *patient, struct arena *arena,
                     const struct store_event **ret, size_t *ret_count, struct err *err)
{
    return events_read(db, STATEMENT_EVENTS_OF_PATIENT, value_text(patient), arena, ret, ret_count,
                       err);
}

bool journal_get(struct database *db, int64_t seq, struct arena *arena,
                 const struct store_event **ret, size_t *ret_count, struct err *err)
{
    return events_read(db, STATEMENT_EVENT_GET, value_int(seq), arena, ret, ret_count, err);
}

/* event.state of a finished one: the order of enum event_fate after 0, waiting. */
static int64_t state_of(enum event_fate fate)
{
    return (int64_t)fate + 1;
}

bool journal_end(struct database *db, const struct store_fate *fate, struct arena *arena,
                 struct journal_owner *ret, struct err *err)
{
    struct journal_owner owner = { .patient = "" };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_EVENT_END,
              VALUES(value_int(fate->seq), value_int(state_of(fate->fate)),
                     value_text(fate->reason), value_int(database_now())));
    while (rows_next(&rows))
        owner = (struct journal_owner){ true, rows_int(&rows, 0), rows_text(&rows, 1, arena) };
    if (!rows_close(&rows, err)) return false;
    if (owner.found && fate->fate != FATE_ASIDE &&
        !database_run(db, STATEMENT_PAYLOAD_DROP, VALUES(value_int(fate->seq)), NULL, err))
        return false;
    *ret = owner;
    return true;
}

/* The version that was learned may be that of an event which came by another way: then this one
 * stays beside it, as one that came without version. */
bool journal_learn(struct database *db, const struct store_event *event, bool *ret_found,
                   struct err *err)
{
    static const enum statement ways[] = { STATEMENT_EVENT_LEARN, STATEMENT_EVENT_LEARN_TWIN };
    int64_t changes = 0;

    for (size_t i = 0; i < ARRAY_SIZE(ways) && !changes; i++)
        if (!database_run(db, ways[i],
                          VALUES(value_int(event->seq), value_int(event->change),
                                 value_text(event->version), value_text(event->patient),
                                 value_int(event->updated_ms), value_int(journal_is_alone(event)),
                                 event->payload ? value_int(bytes_of(event)) : value_text(NULL)),
                          &changes, err))
            return false;
    if (changes && !payload_put(db, event->seq, event, err)) return false;
    *ret_found = changes > 0;
    return true;
}

bool journal_again(struct database *db, int64_t seq, int64_t *ret_changes, struct err *err)
{
    return database_run(db, STATEMENT_EVENT_AGAIN,
                        VALUES(value_int(seq), value_int(database_now())), ret_changes, err);
}

bool journal_drop(struct database *db, int64_t seq, const char *because, int64_t *ret_changes,
                  struct err *err)
{
    return database_run(db, STATEMENT_EVENT_DROP,
                        VALUES(value_int(seq), value_text(because), value_int(database_now())),
                        ret_changes, err) &&
           (!*ret_changes ||
            database_run(db, STATEMENT_PAYLOAD_DROP, VALUES(value_int(seq)), NULL, err));
}

bool journal_sweep(struct database *db, int64_t after_seq, int64_t before_ms, size_t limit,
                   struct store_swept *ret, struct err *err)
{
    int64_t last = after_seq, oldest_ms = INSTANT_NEVER;
    size_t count = 0;
    struct rows rows;

    *ret = (struct store_swept){ .next_seq = 0 };
    rows_open(&rows, db, STATEMENT_EVENTS_AFTER,
              VALUES(value_int(after_seq), value_int((int64_t)limit)));
    for (; rows_next(&rows); count++) {
        last = rows_int(&rows, 0);
        if (rows_int(&rows, 1) < oldest_ms) oldest_ms = rows_int(&rows, 1);
    }
    if (!rows_close(&rows, err)) return false;
    if (oldest_ms >= before_ms) return true; /* from here on all are younger */
    if (count == limit) ret->next_seq = last;
    return database_run(db, STATEMENT_EVENTS_SWEEP,
                        VALUES(value_int(after_seq), value_int(last), value_int(before_ms)),
                        &ret->removed, err);
}

bool journal_changed(struct database *db, const char *type, int64_t from_ms, int64_t until_ms,
                     int64_t *ret, struct err *err)
{
    return database_number(db, STATEMENT_EVENTS_CHANGED,
                           VALUES(value_text(type), value_int(from_ms), value_int(until_ms)), 0,
                           ret, err);
}
