#include "store/count.h"

#include <stdio.h>
#include <string.h>

#include "base/instant.h"

static bool count_ledger(struct database *db, struct store_counts *counts, struct err *err)
{
    int64_t *const sums[STORE_FATES] = { &counts->events_waiting, &counts->events_done,
                                         &counts->events_outside, &counts->events_aside,
                                         &counts->events_dropped, &counts->events_total };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_LEDGER, NO_VALUES);
    while (rows_next(&rows)) {
        int64_t via = rows_int(&rows, 0), fate = rows_int(&rows, 1), bytes = rows_int(&rows, 3);
        if (via < 0 || via >= VIA_COUNT || fate < 0 || fate >= STORE_FATES) continue;
        counts->ledger[via][fate] = rows_int(&rows, 2);
        *sums[fate] += counts->ledger[via][fate];
        if (fate == STORE_WAITING) counts->waiting_bytes += bytes;
        if (fate == STORE_ASIDE) counts->aside_bytes += bytes;
    }
    return rows_close(&rows, err);
}

static bool count_stock(struct database *db, struct store_counts *counts, struct err *err)
{
    int64_t delivered = 0, *const states[] = { &counts->outbox_waiting, &counts->outbox_parked,
                                               &delivered, &counts->outbox_dropped };
    struct rows rows;

    rows_open(&rows, db, STATEMENT_STOCK, NO_VALUES);
    while (rows_next(&rows)) {
        size_t state = (size_t)rows_int(&rows, 0);
        if (state >= ARRAY_SIZE(states)) continue;
        *states[state] = rows_int(&rows, 1);
        if (state == 0) counts->outbox_bytes = rows_int(&rows, 2);
    }
    return rows_close(&rows, err);
}

/* "server.refused: invalid" is one of "server.refused". */
static void reason_add(struct store_reason *list, size_t *count, const char *text, int64_t n)
{
    char code[sizeof list->code];
    size_t i = 0;

    snprintf(code, sizeof code, "%.*s", (int)strcspn(text, ": "), text);
    if (!code[0]) snprintf(code, sizeof code, "none");
    while (i < *count && strcmp(list[i].code, code) != 0) i++;
    if (i == *count && i + 1 >= STORE_REASONS_MAX) {
        i = STORE_REASONS_MAX - 1;
        snprintf(code, sizeof code, "other");
    }
    if (i >= *count) *count = i + 1;
    memcpy(list[i].code, code, sizeof code);
    list[i].count += n;
}

static bool count_reasons(struct database *db, enum statement id, struct store_reason *list,
                          size_t *count, struct err *err)
{
    struct arena arena = { 0 };
    struct rows rows;

    rows_open(&rows, db, id, NO_VALUES);
    while (rows_next(&rows))
        reason_add(list, count, rows_text(&rows, 0, &arena), rows_int(&rows, 1));
    arena_done(&arena);
    return rows_close(&rows, err);
}

static bool count_patients(struct database *db, struct store_counts *counts, struct err *err)
{
    int64_t *const tallies[] = { &counts->patients, &counts->cohort };

    for (size_t i = 0; i < ARRAY_SIZE(tallies); i++)
        if (!database_number(db, STATEMENT_TALLY,
                             VALUES(value_text("patient"), value_int((int64_t)i)), 0, tallies[i],
                             err))
            return false;
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
        { STATEMENT_OLDEST, INSTANT_UNSET, &counts.oldest_ms },
        { STATEMENT_WORK_NEXT_DUE, INSTANT_NEVER, &counts.next_due_ms },
        { STATEMENT_WORK_NEXT_RETRY, INSTANT_NEVER, &work_ms },
        { STATEMENT_OUTBOX_NEXT_RETRY, INSTANT_NEVER, &outbox_ms },
    };

    if (!count_ledger(db, &counts, err) || !count_stock(db, &counts, err) ||
        !count_patients(db, &counts, err))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (!database_number(db, numbers[i].id, NO_VALUES, numbers[i].otherwise, numbers[i].n, err))
            return false;
    if (counts.events_aside &&
        !count_reasons(db, STATEMENT_COUNT_ASIDE_BY, counts.aside_by, &counts.aside_reasons, err))
        return false;
    if (counts.outbox_parked && !count_reasons(db, STATEMENT_COUNT_PARKED_BY, counts.parked_by,
                                               &counts.parked_reasons, err))
        return false;
    counts.next_retry_ms = work_ms < outbox_ms ? work_ms : outbox_ms;
    *ret = counts;
    return true;
}
