/* What came in, what became of it, and how much may wait: the bounds of journal and outbox, and the
 * counts by source for /metrics. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/backlog.h"
#include "store/store.h"

struct flow;

struct ledger {
    int64_t bytes;                  /* of events that were accepted since the clock's last look */
    int64_t owed, owed_bytes;       /* alerts that came into the outbox since then */
    int64_t duplicates[VIA_COUNT];  /* since the start */
    enum backlog_room told, outbox; /* what the log spoke of last: journal, outbox */
};

/* The journal has taken events that came this way; bytes: of their payloads. Counts them. */
void ledger_accepted(struct flow *flow, enum event_via via, const struct store_accepted *accepted,
                     int64_t bytes);

/* A visit has put these into the outbox. */
void ledger_owes(struct flow *flow, const struct store_outbox *items, size_t count);

/* May nothing more be put into the journal for now? Then notifications get 503 and polls pause. */
bool ledger_journal_is_full(struct flow *flow);

/* Are so many alerts owed that nobody is to be evaluated for now? */
bool ledger_outbox_is_full(struct flow *flow);

/* For the clock: the store has counted. */
void ledger_counted(struct flow *flow);

/* Append what has labels to the text of /metrics. */
void ledger_write(const struct flow *flow, struct buf *out);
