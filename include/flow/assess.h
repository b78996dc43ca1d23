/* Chart, rules and open alerts to what must be stored: evaluate, reconcile, write down. Private to
 * flow/. Pure. */
#pragma once

#include "base/arena.h"
#include "core/chart.h"
#include "core/knowledge.h"
#include "core/reconcile.h"
#include "store/store.h"

/* A rule that is about this patient (the drugs it names are in the chart). */
struct assessment_rule {
    const char *id; /* borrowed from the knowledge */
    bool known;     /* true or false, not unknown */
};

struct assessment {
    struct plan *plan;   /* owned */
    int64_t next_ms;     /* INSTANT_NEVER */
    unsigned unknown;    /* rules that could not be evaluated */
    bool new_on_absence; /* a new alert rests on something that is not in the chart, or on
                                       * nothing having ended it in between */
    const struct store_alert *alerts; /* in the arena, as are the following */
    size_t alert_count;
    const struct store_outbox *outbox;
    size_t outbox_count;
    const struct assessment_rule *heard;
    size_t heard_count;
};

/* in_cohort false: nothing is evaluated, open alerts end. */
void assess(const struct knowledge *knowledge, const struct chart *chart, bool in_cohort,
            const struct store_alert *before, size_t before_count, int64_t now_ms,
            struct arena *arena, struct assessment *ret);
