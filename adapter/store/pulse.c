#include "store/pulse.h"

bool pulse_list(struct database *db, struct arena *arena, const struct store_pulse **ret,
                size_t *ret_count, struct err *err)
{
    struct buf list = { 0 };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_PULSES, NO_VALUES);
    while (rows_next(&rows)) {
        struct store_pulse pulse = {
            .kind = rows_text(&rows, 0, arena),
            .name = rows_text(&rows, 1, arena),
            .first_ms = rows_int(&rows, 2),
            .last_ms = rows_int(&rows, 3),
            .longest_ms = rows_int(&rows, 4),
            .missed_ms = rows_int(&rows, 5),
            .warned = rows_int(&rows, 6),
        };
        buf_add(&list, &pulse, sizeof pulse);
    }
    *ret_count = list.len / sizeof(struct store_pulse);
    *ret = database_list(arena, &list);
    return rows_close(&rows, err);
}

bool pulse_put(struct database *db, const struct store_pulse *pulses, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct store_pulse *p = &pulses[i];
        if (!database_run(db, STATEMENT_PULSE_PUT,
                          VALUES(value_text(p->kind), value_text(p->name), value_int(p->first_ms),
                                 value_int(p->last_ms), value_int(p->longest_ms),
                                 value_int(p->missed_ms), value_int(p->warned)),
                          NULL, err))
            return false;
    }
    return true;
}
