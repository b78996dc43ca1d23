#include "store/count.h"

#include "base/instant.h"

static bool count_tallies(struct database *db, struct store_counts *counts, struct err *err)
{
    const struct {
        const char *kind;
        int64_t state;
        int64_t *n;
    } tallies[] = {
        { "event", 0, &counts->events_waiting }, { "event", 1, &counts->events_done },
        { "event", 2, &counts->events_outside }, { "event", 3, &counts->events_aside },
        { "patient", 0, &counts->patients },     { "patient", 1, &counts->cohort },
    };

    for (size_t i = 0; i < ARRAY_SIZE(tallies); i++)
        if (!database_number(db, STATEMENT_TALLY,
                             VALUES(value_text(tallies[i].kind), value_int(tallies[i].state)), 0,
                             tallies[i].n, err))
            return false;
    counts->events_total = counts->events_waiting + counts->events_done + counts->events_outside +
                           counts->events_aside;
    counts->patients += counts->cohort;
    return true;
}

bool count_all(struct database *db, struct store_counts *ret, struct err *err)
{
    struct store_counts counts = { 0 };
    int64_t work_ms = INSTANT_NEVER, outbox_ms = INSTANT_NEVER;
    const struct {
        enum statement id;
        int64_t otherwise, *n;
    } numbers[] = {
        { STATEMENT_COUNT_ALERTS, 0, &counts.alerts_open },
        { STATEMENT_COUNT_OUTBOX, 0, &counts.outbox_waiting },
        { STATEMENT_COUNT_PARKED, 0, &counts.outbox_parked },
        { STATEMENT_WORK_NEXT_DUE, INSTANT_NEVER, &counts.next_due_ms },
        { STATEMENT_WORK_NEXT_RETRY, INSTANT_NEVER, &work_ms },
        { STATEMENT_OUTBOX_NEXT_RETRY, INSTANT_NEVER, &outbox_ms },
    };

    if (!count_tallies(db, &counts, err)) return false;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (!database_number(db, numbers[i].id, NO_VALUES, numbers[i].otherwise, numbers[i].n, err))
            return false;
    counts.next_retry_ms = work_ms < outbox_ms ? work_ms : outbox_ms;
    *ret = counts;
    return true;
}
