/* Reconcile: findings of now x alerts of before -> what to do. Pure. */
#pragma once

#include "core/alert.h"
#include "core/chart.h"
#include "core/eval.h"

enum action_kind { ACTION_RAISE, ACTION_UPDATE, ACTION_CLEAR, ACTION_RETRACT };

struct action {
    enum action_kind kind;
    struct alert alert; /* as it should stand now; strings in the plan's arena */
};

struct plan {
    struct arena arena;
    struct action *actions; /* in the order of identity */
    size_t action_count;
};

/* before: open alerts and, for each identity, the newest ended one (for its episode number).
 * Raises what is new, updates what says something else, clears what no longer holds, retracts what
 * rested on a fact that was removed (entered in error, cancelled, deleted). An alert whose rule
 * became unknown stays as it is, unless it is unknown because its facts grew too old or are gone.
 * *ret is owned by the caller. Cannot fail. */
struct plan *reconcile(const struct evaluation *evaluation, const struct knowledge *knowledge,
                       const struct chart *chart, const struct alert *before, size_t before_count,
                       int64_t now_ms);
void plan_free(struct plan *plan);
DEFINE_AUTO(struct plan *, plan_free)
