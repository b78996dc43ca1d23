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
 * Raises what is new, updates what says something else, and ends what is no finding any more:
 *
 *   retracted  a fact it rested on was removed (entered in error, cancelled, refuted, deleted), or the
 *              very result that raised it was corrected and does not support it now; one that lasts
 *              beyond its trigger too, when the results that raised it were corrected or removed
 *   left open  the rule cannot be told for another reason than age (a status, a code, a value that
 *              cannot be read), and the drug that it is about is not surely over
 *   cleared    everything else: recovered, too old, ordered no more or on hold, part of a stronger
 *              alert now, the rule no longer in force; ended_why says which
 *
 * *ret is owned by the caller. Cannot fail. */
struct plan *reconcile(const struct evaluation *evaluation, const struct knowledge *knowledge,
                       const struct chart *chart, const struct alert *before, size_t before_count,
                       int64_t now_ms);
void plan_free(struct plan *plan);
DEFINE_AUTO(struct plan *, plan_free)
