/* What used to come and no longer does: a rule that could be evaluated and is only unknown by now, a
 * kind of result that is mapped no more. The operator is warned once. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "core/chart.h"
#include "core/knowledge.h"
#include "core/pulse.h"
#include "core/table.h"
#include "store/store.h"

struct flow;
struct assessment;

enum heartbeat_kind { HEARTBEAT_RULE, HEARTBEAT_ANALYTE };

struct heartbeat_item {
    enum heartbeat_kind kind;
    const char *name; /* in the arena */
    struct pulse pulse;
    bool changed; /* since it was put into the store */
};

struct heartbeat {
    struct arena arena;           /* owned: names */
    struct table names;           /* owned: (kind, name) to 1 + its place */
    struct heartbeat_item *items; /* owned */
    size_t count, room;
    bool loaded, keeping;
    uint64_t kept_ms, looked_ms; /* loop time; 0: not yet */
};

/* Once, before anything; and when the flow is freed. */
void heartbeat_init(struct flow *flow);
void heartbeat_done(struct flow *flow);

/* A chart was evaluated. */
void heartbeat_results(struct flow *flow, const struct chart *chart);
void heartbeat_rules(struct flow *flow, const struct assessment *assessment);

/* For the clock: write down what has changed, and look for silence. */
void heartbeat_look(struct flow *flow);
