#include "store/work.h"

#include <string.h>

#include "base/instant.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/record.h"

bool work_init(struct database *db, struct err *err)
{
    return database_run(db, STATEMENT_WORK_FILL_EVENTS, NO_VALUES, NULL, err) &&
           database_run(db, STATEMENT_WORK_FILL_ALONE, NO_VALUES, NULL, err) &&
           database_run(db, STATEMENT_WORK_FILL_DUE, NO_VALUES, NULL, err);
}

/* ---- events come in */

/* A waiting event makes its patient a piece of work, or is one itself. */
static bool work_add(struct database *db, const struct store_event *event, int64_t seq,
                     struct err *err)
{
    bool alone = journal_is_alone(event);

    return database_run(
        db, STATEMENT_WORK_ADD,
        VALUES(value_text(alone ? "" : event->patient), value_int(alone ? seq : 0), value_int(seq)),
        NULL, err);
}

bool work_accept(struct database *db, const struct store_event *events, size_t count,
                 struct store_accepted *ret, struct err *err)
{
    struct store_accepted accepted = { 0 };

    for (size_t i = 0; i < count; i++) {
        int64_t seq;
        if (!journal_put(db, &events[i], &seq, err)) return false;
        if (seq && !work_add(db, &events[i], seq, err)) return false;
        if (seq)
            accepted.fresh++;
        else
            accepted.duplicates++;
    }
    *ret = accepted;
    return true;
}

static bool work_drop(struct database *db, int64_t seq, struct err *err)
{
    return database_run(db, STATEMENT_WORK_DROP, VALUES(value_text(""), value_int(seq)), NULL, err);
}

bool work_resolve(struct database *db, const struct store_event *event, struct err *err)
{
    bool found;

    return journal_learn(db, event, &found, err) && work_drop(db, event->seq, err) &&
           (!found || work_add(db, event, event->seq, err));
}

/* ---- claims */

struct piece {
    bool found;
    const char *patient;
    int64_t event, due_ms;
};

static bool piece_find(struct database *db, enum statement id, const struct value *values,
                       size_t count, struct arena *arena, struct piece *ret, struct err *err)
{
    struct rows rows;

    rows_open(&rows, db, id, values, count);
    if (rows_next(&rows))
        *ret = (struct piece){ true, rows_text(&rows, 0, arena), rows_int(&rows, 1),
                               rows_int(&rows, 2) };
    return rows_close(&rows, err);
}

/* Waiting events before wake-ups. What was released and may be tried again takes the place that its
 * age gives it. */
static bool piece_next(struct database *db, int64_t now_ms, struct arena *arena, struct piece *ret,
                       struct err *err)
{
    *ret = (struct piece){ .found = false };
    if (!database_run(db, STATEMENT_WORK_RIPEN, VALUES(value_int(now_ms)), NULL, err)) return false;
    if (!piece_find(db, STATEMENT_WORK_WAITING, NO_VALUES, arena, ret, err)) return false;
    return ret->found ||
           piece_find(db, STATEMENT_WORK_DUE, VALUES(value_int(now_ms)), arena, ret, err);
}

static bool piece_load(struct database *db, const struct piece *piece, struct arena *arena,
                       struct store_work *ret, struct err *err)
{
    *ret = (struct store_work){
        .patient = piece->patient,
        .due_ms = piece->due_ms == INSTANT_NEVER ? INSTANT_UNSET : piece->due_ms,
    };
    if (piece->event)
        return journal_get(db, piece->event, arena, &ret->events, &ret->event_count, err);
    return journal_waiting(db, piece->patient, arena, &ret->events, &ret->event_count, err) &&
           record_load(db, ret, arena, err);
}

bool work_claim(struct database *db, int64_t now_ms, struct arena *arena, struct store_work *ret,
                bool *ret_found, struct err *err)
{
    struct piece piece;

    if (!piece_next(db, now_ms, arena, &piece, err)) return false;
    *ret_found = piece.found;
    if (!piece.found) return true;
    return database_run(db, STATEMENT_WORK_CLAIM,
                        VALUES(value_text(piece.patient), value_int(piece.event)), NULL, err) &&
           piece_load(db, &piece, arena, ret, err);
}

bool work_release(struct database *db, const char *patient, int64_t event_seq, int64_t retry_ms,
                  struct err *err)
{
    return database_run(
        db, STATEMENT_WORK_RELEASE,
        VALUES(value_text(patient), value_int(patient[0] ? 0 : event_seq), value_int(retry_ms)),
        NULL, err);
}

/* ---- the end of a claim */

/* Look again for the oldest waiting event of a patient. */
static bool work_look(struct database *db, const char *patient, struct err *err)
{
    return database_run(db, STATEMENT_WORK_FIRST, VALUES(value_text(patient)), NULL, err) &&
           database_run(db, STATEMENT_WORK_DROP_IDLE, VALUES(value_text(patient)), NULL, err);
}

static bool finish_event(struct database *db, const struct store_result *result,
                         const struct store_fate *fate, struct arena *arena, struct err *err)
{
    struct journal_owner owner;

    if (!journal_end(db, fate, arena, &owner, err)) return false;
    if (!owner.found) return true;
    if (owner.alone) return work_drop(db, fate->seq, err);
    return strcmp(owner.patient, result->patient) == 0 || work_look(db, owner.patient, err);
}

/* When to look at the patient again: as the evaluation says, but at once if everybody was woken
 * while it ran, because it may have run with the rules of before. */
static bool finish_due(struct database *db, const struct store_result *result, int64_t *ret_ms,
                       struct err *err)
{
    int64_t woken_ms;

    if (!database_number(db, STATEMENT_WORK_WOKEN, VALUES(value_text(result->patient)),
                         INSTANT_NEVER, &woken_ms, err))
        return false;
    *ret_ms = !result->in_cohort          ? INSTANT_NEVER
              : woken_ms < result->due_ms ? woken_ms
                                          : result->due_ms;
    return true;
}

static bool finish_patient(struct database *db, const struct store_result *result, struct err *err)
{
    int64_t due_ms = INSTANT_NEVER;

    if (!finish_due(db, result, &due_ms, err) || !record_put(db, result, due_ms, err)) return false;
    if (!result->patient[0]) return true;
    return database_run(db, STATEMENT_WORK_END,
                        VALUES(value_text(result->patient), value_int(due_ms)), NULL, err) &&
           work_look(db, result->patient, err);
}

bool work_finish(struct database *db, const struct store_result *result, struct arena *arena,
                 struct err *err)
{
    for (size_t i = 0; i < result->fate_count; i++)
        if (!finish_event(db, result, &result->fates[i], arena, err)) return false;
    for (size_t i = 0; i < result->outbox_count; i++)
        if (!outbox_put(db, &result->outbox[i], err)) return false;
    return finish_patient(db, result, err);
}

/* ---- by an operator's word */

bool work_again(struct database *db, int64_t seq, bool *ret, struct err *err)
{
    const struct store_event *event;
    struct arena arena = { 0 };
    int64_t changes = 0;
    size_t count;
    bool good =
        journal_again(db, seq, &changes, err) && journal_get(db, seq, &arena, &event, &count, err);

    if (good && changes) {
        good = work_add(db, event, seq, err);
    } else if (good && count) {
        bool alone = journal_is_alone(event);
        good = database_run(
            db, STATEMENT_WORK_NOW,
            VALUES(value_text(alone ? "" : event->patient), value_int(alone ? seq : 0)), &changes,
            err);
    }
    arena_done(&arena);
    *ret = good && changes > 0;
    return good;
}

bool work_give_up(struct database *db, int64_t seq, const char *because, bool *ret, struct err *err)
{
    const struct store_event *event;
    struct arena arena = { 0 };
    int64_t changes = 0;
    size_t count;
    bool good = journal_drop(db, seq, because, &changes, err) &&
                journal_get(db, seq, &arena, &event, &count, err);

    if (good && changes)
        good =
            journal_is_alone(event) ? work_drop(db, seq, err) : work_look(db, event->patient, err);
    arena_done(&arena);
    *ret = good && changes > 0;
    return good;
}

bool work_wake_all(struct database *db, int64_t now_ms, struct err *err)
{
    return record_wake_all(db, now_ms, err) &&
           database_run(db, STATEMENT_WORK_RIPEN, VALUES(value_int(INSTANT_NEVER)), NULL, err) &&
           database_run(db, STATEMENT_WORK_WAKE, NO_VALUES, NULL, err) &&
           database_run(db, STATEMENT_WORK_WAKE_CLAIMED, VALUES(value_int(now_ms)), NULL, err);
}
