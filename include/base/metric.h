/* Counters and gauges of the daemon: a table, and a writer of the Prometheus text format. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* name, type, help. Names get the prefix "myeloma_adapter_". */
#define METRIC_TABLE(XX)                                                                           \
    XX(NOTIFICATIONS, "notifications_total", "counter", "notifications received")                  \
    XX(REFUSED_SECRET, "notifications_refused_secret_total", "counter",                            \
       "notifications with a wrong secret (401)")                                                  \
    XX(REFUSED_BAD, "notifications_refused_malformed_total", "counter",                            \
       "malformed notifications (400)")                                                            \
    XX(REFUSED_BIG, "notifications_refused_size_total", "counter",                                 \
       "notifications over the size limit (413)")                                                  \
    XX(REFUSED_BUSY, "notifications_refused_busy_total", "counter",                                \
       "notifications refused because the journal is full or failing (503)")                       \
    XX(EVENTS_ACCEPTED, "events_accepted_total", "counter", "events committed to the journal")     \
    XX(EVENTS_DUPLICATE, "events_duplicate_total", "counter",                                      \
       "events that the journal already had")                                                      \
    XX(JOURNAL_BYTES, "journal_bytes", "gauge", "payloads of events in the journal not yet done")  \
    XX(JOURNAL_AGE, "journal_age_seconds", "gauge",                                                \
       "age of the oldest event that waits for its turn")                                          \
    XX(JOURNAL_FULL, "journal_full", "gauge",                                                      \
       "1 while a bound is met: notifications get 503, polls pause")                               \
    XX(NOTIFICATION_GAPS, "notification_gaps_total", "counter",                                    \
       "gaps in the counters of topic notifications")                                              \
    XX(EVENTS_BY_POLL, "events_found_by_poll_total", "counter",                                    \
       "events found by poll, not by push")                                                        \
    XX(EVENTS_DONE, "events_done_total", "counter", "events evaluated")                            \
    XX(EVENTS_OUTSIDE, "events_outside_cohort_total", "counter",                                   \
       "events of patients outside the cohort")                                                    \
    XX(EVENTS_ASIDE, "events_set_aside_total", "counter", "events set aside with a reason")        \
    XX(EVENTS_WAITING, "events_waiting", "gauge", "events in the journal not yet done")            \
    XX(EVENTS_REMOVED, "events_removed_total", "counter",                                          \
       "finished events removed because of their age; they stay counted")                          \
    XX(EVALUATIONS, "evaluations_total", "counter", "evaluations of a chart")                      \
    XX(RULES_UNKNOWN, "rules_unknown_total", "counter", "rules that could not be evaluated")       \
    XX(RULES_SILENT, "rules_silent", "gauge",                                                      \
       "rules that could be evaluated and for long no longer can")                                 \
    XX(ANALYTES_SILENT, "analytes_silent", "gauge",                                                \
       "kinds of results that used to come and for long no longer do")                             \
    XX(ORDERS_BY_NAME, "orders_matched_by_name_total", "counter",                                  \
       "orders evaluated whose drug was matched by its name, without a code")                      \
    XX(ALERTS_RAISED, "alerts_raised_total", "counter", "alerts raised")                           \
    XX(ALERTS_UPDATED, "alerts_updated_total", "counter", "alerts updated")                        \
    XX(ALERTS_ENDED, "alerts_ended_total", "counter", "alerts ended")                              \
    XX(ALERTS_RETRACTED, "alerts_retracted_total", "counter", "alerts retracted")                  \
    XX(DELIVERED, "deliveries_done_total", "counter", "alerts written to the server")              \
    XX(DELIVERY_RETRIES, "delivery_retries_total", "counter", "deliveries tried again")            \
    XX(DELIVERIES_PARKED, "deliveries_parked", "gauge", "deliveries the server refused for good")  \
    XX(DELIVERIES_WAITING, "deliveries_waiting", "gauge", "deliveries owed")                       \
    XX(DELIVERIES_DROPPED, "deliveries_dropped", "gauge", "deliveries an operator gave up")        \
    XX(OUTBOX_BYTES, "outbox_bytes", "gauge", "deliveries owed")                                   \
    XX(OUTBOX_FULL, "outbox_full", "gauge", "1 while a bound is met: no chart is evaluated")       \
    XX(SERVER_DOWN, "server_down", "gauge",                                                        \
       "1 while the server fails and only one request at a time is sent after a pause")            \
    XX(REQUESTS_HELD, "requests_held_back_total", "counter",                                       \
       "requests not sent because the server was down")                                            \
    XX(LOOKS, "looks_total", "counter", "looks at a listed patient (poll.by patient)")             \
    XX(COHORT_LISTED, "cohort_listed", "gauge", "patients that poll.cohort lists")                 \
    XX(LOOK_OLDEST, "look_oldest_age_seconds", "gauge", "age of the oldest look at a patient")     \
    XX(RELOADS, "reloads_total", "counter", "successful reloads")                                  \
    XX(RELOADS_REFUSED, "reloads_refused_total", "counter",                                        \
       "reloads refused because of a problem in a file")

#define METRIC_ENUM(id, name, type, help) METRIC_##id,
enum metric { METRIC_TABLE(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

struct metrics {
    int64_t value[METRIC_COUNT]; /* written by the loop thread alone */
};

static inline void metric_add(struct metrics *metrics, enum metric which, int64_t n)
{
    metrics->value[which] += n;
}

static inline void metric_set(struct metrics *metrics, enum metric which, int64_t n)
{
    metrics->value[which] = n;
}

/* Append the exposition text of all metrics. */
void metric_write(const struct metrics *metrics, struct buf *out);

struct metric_label {
    const char *name, *value; /* the value may be any text */
};

/* One that has labels is written by whoever has the numbers: first its head, then a sample for each
 * set of labels. name is without the prefix. */
void metric_family(struct buf *out, const char *name, const char *type, const char *help);
void metric_sample(struct buf *out, const char *name, const struct metric_label *labels,
                   size_t count, int64_t value);

/* Labels and their number, as two arguments: METRIC_LABELS({ "source", "hook" }) */
#define METRIC_LABELS(...)                                                                         \
    ((const struct metric_label[]){ __VA_ARGS__ }),                                                \
        ARRAY_SIZE(((const struct metric_label[]){ __VA_ARGS__ }))
