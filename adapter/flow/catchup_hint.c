/* Hints: notices that something of a type has changed. The next pass over that type answers them. */
#include <stdlib.h>

#include "base/instant.h"
#include "base/mem.h"
#include "flow/catchup_impl.h"

static void hints_add(struct catchup_hints *hints, int64_t seq)
{
    hints->seqs = mem_resize(hints->seqs, (hints->count + 1) * sizeof *hints->seqs);
    hints->seqs[hints->count++] = seq;
}

static void hints_move(struct catchup_hints *from, struct catchup_hints *to)
{
    for (size_t i = 0; i < from->count; i++) hints_add(to, from->seqs[i]);
    from->count = 0;
}

/* What catchup_hints_finish() told the store. */
struct answered {
    struct flow *flow;
    size_t count;
    struct store_fate fates[];
};

static void hints_on_finished(struct err *err, void *arg)
{
    struct answered *answered = arg;
    struct flow *flow = answered->flow;

    if (err) {
        flow_fail(flow, err);
        for (size_t i = 0; i < answered->count; i++)
            store_release(flow->store, "", answered->fates[i].seq, flow->options.wall_ms());
    } else {
        metric_add(flow->metrics, METRIC_EVENTS_DONE, (int64_t)answered->count);
    }
    free(answered);
    work_poke(flow);
    flow_release(flow);
}

void catchup_hints_finish(struct catchup *at)
{
    struct catchup_hints *hints = &at->answering;
    struct store_result result = { .patient = "", .due_ms = INSTANT_NEVER };
    struct answered *answered;

    if (!hints->count) return;
    answered = mem_zero(1, sizeof *answered + hints->count * sizeof *answered->fates);
    answered->flow = at->flow;
    answered->count = hints->count;
    for (size_t i = 0; i < hints->count; i++)
        answered->fates[i] = (struct store_fate){ hints->seqs[i], FATE_DONE, "" };
    result.fates = answered->fates;
    result.fate_count = answered->count;
    hints->count = 0;
    flow_hold(at->flow);
    store_finish(at->flow->store, &result, hints_on_finished, answered);
}

void catchup_hints_begin(struct catchup *at)
{
    hints_move(&at->hints, &at->answering);
}

bool catchup_has_hint(struct flow *flow, const char *type)
{
    const struct catchup *at = catchup_of(flow, type);

    return at && at->state != CATCHUP_ENDED && at->hints.count > 0;
}

bool catchup_hint(struct flow *flow, const struct store_event *event)
{
    struct catchup *at = catchup_of(flow, event->type);

    if (!at || at->state == CATCHUP_ENDED || flow->plan.patients) return false;
    hints_add(&at->hints, event->seq);
    catchup_now(flow, event->type);
    return true;
}
