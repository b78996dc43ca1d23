#include "flow/ledger.h"

#include <inttypes.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/metric.h"
#include "flow/flow_impl.h"

/* ---- bounds */

static int64_t age_of(const struct flow *flow, int64_t since_ms)
{
    return since_ms == INSTANT_UNSET ? 0 : flow->options.wall_ms() - since_ms;
}

/* Told when it begins and when it is over. */
static bool is_full(enum backlog_room room, enum backlog_room *told, const char *name,
                    const char *fix)
{
    if (room != BACKLOG_ROOM && *told == BACKLOG_ROOM)
        log_event(LOG_LEVEL_WARN, "queue-full", LOG_NAME, name, LOG_CODE, backlog_room_name(room),
                  LOG_FIX, fix, LOG_END);
    else if (room == BACKLOG_ROOM && *told != BACKLOG_ROOM)
        log_event(LOG_LEVEL_INFO, "queue-has-room", LOG_NAME, name, LOG_END);
    *told = room;
    return room != BACKLOG_ROOM;
}

bool ledger_journal_is_full(struct flow *flow)
{
    const struct store_counts *counts = &flow->clock.counts;
    struct backlog have = { .items = clock_waiting(flow),
                            .bytes = counts->waiting_bytes + flow->ledger.bytes,
                            .age_ms =
                                counts->events_waiting ? age_of(flow, counts->oldest_ms) : 0 };

    return is_full(backlog_judge(&have, &flow->options.journal), &flow->ledger.told, "journal",
                   "notifications get 503 and polls pause until events are worked off: see whether "
                   "the server answers; the bounds are the settings journal.*");
}

/* The bounds of the journal, but for the age: an alert that the server does not take for days must
 * not keep us from evaluating. */
bool ledger_outbox_is_full(struct flow *flow)
{
    struct backlog limits = flow->options.journal;
    struct backlog have = { .items = flow->clock.counts.outbox_waiting + flow->ledger.owed,
                            .bytes = flow->clock.counts.outbox_bytes + flow->ledger.owed_bytes };

    limits.age_ms = 0;
    return is_full(backlog_judge(&have, &limits), &flow->ledger.outbox, "outbox",
                   "charts are evaluated again when the server takes the alerts that are owed");
}

/* ---- counting */

void ledger_accepted(struct flow *flow, enum event_via via, const struct store_accepted *accepted,
                     int64_t bytes)
{
    metric_add(flow->metrics, METRIC_EVENTS_ACCEPTED, (int64_t)accepted->fresh);
    metric_add(flow->metrics, METRIC_EVENTS_DUPLICATE, (int64_t)accepted->duplicates);
    flow->ledger.duplicates[via] += (int64_t)accepted->duplicates;
    flow->clock.accepted += (int64_t)accepted->fresh;
    if (accepted->fresh) flow->ledger.bytes += bytes;
}

void ledger_owes(struct flow *flow, const struct store_outbox *items, size_t count)
{
    flow->ledger.owed += (int64_t)count;
    for (size_t i = 0; i < count; i++) flow->ledger.owed_bytes += (int64_t)items[i].body_len;
}

void ledger_counted(struct flow *flow)
{
    const struct store_counts *counts = &flow->clock.counts;

    flow->ledger.bytes = flow->ledger.owed = flow->ledger.owed_bytes = 0;
    metric_set(flow->metrics, METRIC_EVENTS_WAITING, counts->events_waiting);
    metric_set(flow->metrics, METRIC_JOURNAL_BYTES, counts->waiting_bytes);
    metric_set(flow->metrics, METRIC_JOURNAL_AGE, age_of(flow, counts->oldest_ms) / INSTANT_SECOND);
    metric_set(flow->metrics, METRIC_DELIVERIES_WAITING, counts->outbox_waiting);
    metric_set(flow->metrics, METRIC_DELIVERIES_PARKED, counts->outbox_parked);
    metric_set(flow->metrics, METRIC_DELIVERIES_DROPPED, counts->outbox_dropped);
    metric_set(flow->metrics, METRIC_OUTBOX_BYTES, counts->outbox_bytes);
    metric_set(flow->metrics, METRIC_JOURNAL_FULL, ledger_journal_is_full(flow));
    metric_set(flow->metrics, METRIC_OUTBOX_FULL, ledger_outbox_is_full(flow));
}

/* ---- /metrics */

static const char *const sources[VIA_COUNT] = {
    [VIA_HOOK] = "hook",     [VIA_POLL] = "poll",     [VIA_READ] = "read",
    [VIA_REPLAY] = "replay", [VIA_SOCKET] = "socket", [VIA_QUERY] = "query",
};

static const char *const fates[STORE_RECEIVED] = {
    [STORE_WAITING] = "waiting", [STORE_DONE] = "done",       [STORE_OUTSIDE] = "outside",
    [STORE_ASIDE] = "aside",     [STORE_DROPPED] = "dropped",
};

static void write_received(const struct flow *flow, struct buf *out)
{
    static const char name[] = "journal_received_total";

    metric_family(out, name, "counter", "events ever put into the journal, by source");
    for (size_t via = 0; via < VIA_COUNT; via++)
        metric_sample(out, name, METRIC_LABELS({ "source", sources[via] }),
                      flow->clock.counts.ledger[via][STORE_RECEIVED]);
}

static void write_fates(const struct flow *flow, struct buf *out)
{
    static const char name[] = "journal_events";

    metric_family(
        out, name, "gauge",
        "the same events by what became of them: the sum of a source is what it received");
    for (size_t via = 0; via < VIA_COUNT; via++)
        for (size_t fate = 0; fate < STORE_RECEIVED; fate++)
            metric_sample(out, name,
                          METRIC_LABELS({ "source", sources[via] }, { "fate", fates[fate] }),
                          flow->clock.counts.ledger[via][fate]);
}

static void write_duplicates(const struct flow *flow, struct buf *out)
{
    static const char name[] = "journal_duplicates_total";

    metric_family(out, name, "counter", "events that the journal already had, by source");
    for (size_t via = 0; via < VIA_COUNT; via++)
        metric_sample(out, name, METRIC_LABELS({ "source", sources[via] }),
                      flow->ledger.duplicates[via]);
}

static void write_found(const struct flow *flow, struct buf *out)
{
    static const char name[] = "found_by_poll_total";

    metric_family(out, name, "counter",
                  "events of a type with an active subscription that a poll found, not a push");
    for (size_t i = 0; i < CATCHUP_TYPES; i++)
        metric_sample(out, name, METRIC_LABELS({ "type", flow->catchup[i].type }),
                      flow->catchup[i].found);
}

static void write_reasons(const struct store_reason *list, size_t count, const char *name,
                          const char *help, struct buf *out)
{
    metric_family(out, name, "gauge", help);
    for (size_t i = 0; i < count; i++)
        metric_sample(out, name, METRIC_LABELS({ "reason", list[i].code }), list[i].count);
}

void ledger_write(const struct flow *flow, struct buf *out)
{
    const struct store_counts *counts = &flow->clock.counts;

    write_received(flow, out);
    write_fates(flow, out);
    write_duplicates(flow, out);
    write_found(flow, out);
    write_reasons(counts->aside_by, counts->aside_reasons, "journal_aside",
                  "events set aside, by reason", out);
    write_reasons(counts->parked_by, counts->parked_reasons, "outbox_parked",
                  "deliveries parked, by reason", out);
    audit_write(flow, out);
}
