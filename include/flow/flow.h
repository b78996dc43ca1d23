/* The asynchronous life of the daemon: what is notified, polled and read becomes events; events
 * become evaluations; evaluations become DetectedIssues on the server. Loop thread only.
 *
 * flow joins net and store; app gives it what it needs and is told how it stands. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/metric.h"
#include "core/backlog.h"
#include "core/knowledge.h"
#include "fhir/poll_plan.h"
#include "fhir/subscription.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "store/store.h"

/* How changes are asked for. */
enum flow_subscribe {
    FLOW_SUBSCRIBE_AUTO,     /* topics where the server speaks R5, else criteria */
    FLOW_SUBSCRIBE_CRITERIA, /* R4 and R4B */
    FLOW_SUBSCRIBE_TOPIC,    /* on R4 and R4B by the Backport guide */
    FLOW_SUBSCRIBE_NONE,     /* poll alone */
};

/* All times in milliseconds. Strings are copied by flow_start(). */
struct flow_options {
    const char *base;   /* "https://ehr.example/fhir", without trailing slash */
    const char *origin; /* of base: next links must stay there */
    const char *hook;   /* how the server reaches us: "https://adapter.example:8443/hook";
                                * NULL: no subscriptions, poll alone */
    bool hook_payload;  /* ask for resources in notifications */
    bool start_active;  /* create Subscriptions as active (Medplum) */
    enum flow_subscribe subscribe;
    enum subscription_channel channel; /* how the server is to tell; websocket needs no hook */
    const char *web_socket;            /* "wss://ehr.example/websocket"; NULL: the server says */
    enum subscription_content content; /* of topic notifications */
    const char *topics[3];             /* canonical URLs for MedicationRequest, Observation,
                                          Condition; NULL: one is found */
    int64_t heartbeat_ms;              /* asked of topic Subscriptions; 0: none */
    const char *signature;             /* secret of X-Signature; NULL: none is looked for */
    const char *name;        /* of this installation: makes the Device and the alert keys ours */
    const char *system;      /* base of our identifier and code systems */
    const char *version;     /* of the program */
    const char *hook_secret; /* for channel.header, at least 32 characters; NULL: one is made at
                                * random and kept in the store */
    int64_t poll_ms;         /* catch-up poll interval */
    enum poll_by poll_by;    /* how to ask what has changed */
    const char *cohort;      /* patients to look at one by one: "Group/5", "List/7" or the path of a
                              * file; NULL: none */
    int64_t per_minute;      /* requests that the poll may bring us to; 0: no limit */
    int64_t overlap_ms;      /* how far a poll reaches back behind its watermark */
    int64_t subscription_ms; /* how often Subscriptions are looked at */
    int64_t request_ms;      /* deadline of one request */
    int64_t first_poll_days; /* how far back the very first poll looks */
    int64_t history_days;    /* how far back results are read when a chart is first made */
    unsigned page_count;     /* _count */
    int64_t chart_max;       /* bytes read for the chart of one patient; 0: any */
    unsigned deliveries_max; /* DetectedIssue writes in flight */
    unsigned attempts_max;   /* of one delivery that the server refuses ambiguously or for now; 0:
                                * never give up */
    struct backlog journal;  /* how much may wait; 0: any */
    int64_t keep_days;       /* how long finished events are kept; 0: for ever */
    bool (*random_bytes)(void *into, size_t len); /* true on success */
    int64_t (*wall_ms)(void);                     /* the wall clock */
};

struct flow;

/* What app wants to know. */
struct flow_events {
    void (*ready)(void *arg); /* once: the capability statement is read, subscriptions are asked
                                  * for and the first poll has succeeded */
    void (*failed)(const struct err *err, void *arg); /* the store failed: the process must end */
    void *arg;
};

/* Start everything; nothing is sent before the loop runs. client, store, metrics and the first
 * knowledge are borrowed and outlive the flow. */
struct flow *flow_start(uv_loop_t *loop, const struct flow_options *options,
                        struct http_client *client, struct store *store, struct metrics *metrics,
                        const struct knowledge *knowledge, const struct flow_events *events);

/* For http_server_start(): the two callbacks, with the flow as arg. Paths: {hook path}/{Type}[/...]
 * for notifications; /health, /ready and /metrics, which hold counts and nothing of patients. */
unsigned flow_on_head(struct http_exchange *exchange, const char **ret_body, void *arg);
void flow_on_body(struct http_exchange *exchange, void *arg);

/* New knowledge from now on: every chart of the cohort is evaluated again. The old one may be freed
 * when done runs. */
void flow_knowledge(struct flow *flow, const struct knowledge *knowledge, void (*done)(void *arg),
                    void *arg);

/* New intervals and limits from now on; base, hook, name and secret must be unchanged (asserted by
 * the caller). */
void flow_options(struct flow *flow, const struct flow_options *options);

/* How many turns of its own work the flow has completed: a watchdog looks whether it still moves. */
uint64_t flow_turns(const struct flow *flow);

/* Accept nothing more, let running requests end (or be cancelled after grace_ms), then stopped runs
 * and the struct is gone. Work that is not finished stays in the store. */
void flow_stop(struct flow *flow, uint64_t grace_ms, void (*stopped)(void *arg), void *arg);
