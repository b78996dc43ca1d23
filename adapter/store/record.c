#include "store/record.h"

static bool load_standing(struct database *db, struct store_work *work, struct err *err)
{
    struct rows rows;

    rows_open(&rows, db, STATEMENT_PATIENT_GET, VALUES(value_text(work->patient)));
    while (rows_next(&rows)) {
        work->in_cohort = rows_int(&rows, 0);
        work->complete = rows_int(&rows, 1);
    }
    return rows_close(&rows, err);
}

static bool load_resources(struct database *db, struct store_work *work, struct arena *arena,
                           struct err *err)
{
    struct buf list = { 0 };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_RESOURCES_OF_PATIENT, VALUES(value_text(work->patient)));
    while (rows_next(&rows)) {
        struct store_resource resource = {
            .type = rows_text(&rows, 0, arena),
            .id = rows_text(&rows, 1, arena),
            .version = rows_text(&rows, 2, arena),
            .updated_ms = rows_int(&rows, 3),
        };
        resource.json = rows_bytes(&rows, 4, arena, &resource.json_len);
        buf_add(&list, &resource, sizeof resource);
    }
    work->resource_count = list.len / sizeof(struct store_resource);
    work->resources = database_list(arena, &list);
    return rows_close(&rows, err);
}

static bool load_alerts(struct database *db, struct store_work *work, struct arena *arena,
                        struct err *err)
{
    struct buf list = { 0 };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_ALERTS_OF_PATIENT, VALUES(value_text(work->patient)));
    while (rows_next(&rows)) {
        struct store_alert alert = {
            .key = rows_text(&rows, 0, arena),
            .identity = rows_text(&rows, 1, arena),
            .episode = rows_int(&rows, 2),
            .rule = rows_text(&rows, 3, arena),
            .state = rows_text(&rows, 4, arena),
            .content = rows_text(&rows, 5, arena),
            .opened_ms = rows_int(&rows, 6),
            .ended_ms = rows_int(&rows, 7),
        };
        buf_add(&list, &alert, sizeof alert);
    }
    work->alert_count = list.len / sizeof(struct store_alert);
    work->alerts = database_list(arena, &list);
    return rows_close(&rows, err);
}

bool record_load(struct database *db, struct store_work *work, struct arena *arena, struct err *err)
{
    return load_standing(db, work, err) && load_resources(db, work, arena, err) &&
           load_alerts(db, work, arena, err);
}

static bool put_resources(struct database *db, const struct store_result *result, struct err *err)
{
    for (size_t i = 0; i < result->written_count; i++) {
        const struct store_resource *r = &result->written[i];
        if (!database_run(db, STATEMENT_RESOURCE_PUT,
                          VALUES(value_text(result->patient), value_text(r->type),
                                 value_text(r->id), value_text(r->version),
                                 value_int(r->updated_ms), value_bytes(r->json, r->json_len)),
                          NULL, err))
            return false;
    }
    for (size_t i = 0; i < result->removed_count; i++) {
        const struct store_resource *r = &result->removed[i];
        if (!database_run(
                db, STATEMENT_RESOURCE_DROP,
                VALUES(value_text(result->patient), value_text(r->type), value_text(r->id)), NULL,
                err))
            return false;
    }
    return true;
}

static bool put_alerts(struct database *db, const struct store_result *result, struct err *err)
{
    for (size_t i = 0; i < result->alert_count; i++) {
        const struct store_alert *a = &result->alerts[i];
        if (!database_run(db, STATEMENT_ALERT_PUT,
                          VALUES(value_text(a->key), value_text(result->patient),
                                 value_text(a->identity), value_int(a->episode),
                                 value_text(a->rule), value_text(a->state), value_text(a->content),
                                 value_int(a->opened_ms), value_int(a->ended_ms)),
                          NULL, err))
            return false;
    }
    return true;
}

bool record_put(struct database *db, const struct store_result *result, int64_t due_ms,
                struct err *err)
{
    if (result->patient[0] &&
        !database_run(db, STATEMENT_PATIENT_PUT,
                      VALUES(value_text(result->patient), value_int(result->in_cohort),
                             value_int(result->complete), value_int(due_ms)),
                      NULL, err))
        return false;
    return put_resources(db, result, err) && put_alerts(db, result, err);
}

bool record_wake_all(struct database *db, int64_t now_ms, struct err *err)
{
    return database_run(db, STATEMENT_PATIENTS_WAKE, VALUES(value_int(now_ms)), NULL, err);
}
