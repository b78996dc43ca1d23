#include "flow/sweep.h"

#include "base/instant.h"
#include "base/log.h"
#include "flow/flow_impl.h"

#define SWEEP_EVENTS   500     /* looked at in one go: some milliseconds of a commit */
#define SWEEP_PAUSE_MS 100     /* then others have their turn */
#define SWEEP_ROUND_MS 3600000 /* between two rounds */

static void sweep_enter(struct sweep *at, enum sweep_state next);

static void round_end(struct sweep *at)
{
    if (at->removed) log_event(LOG_LEVEL_INFO, "journal-swept", LOG_COUNT, at->removed, LOG_END);
    at->after_seq = at->removed = 0;
}

static void on_swept(const struct store_swept *swept, void *arg)
{
    struct sweep *at = arg;
    struct flow *flow = at->flow;

    if (swept->err) {
        flow_fail(flow, swept->err);
        at->after_seq = 0;
    } else {
        metric_add(flow->metrics, METRIC_EVENTS_REMOVED, swept->removed);
        at->removed += swept->removed;
        at->after_seq = swept->next_seq;
        if (!swept->next_seq) round_end(at);
    }
    sweep_enter(at, SWEEP_RESTING);
    flow_release(flow);
}

/* A repeat must be known for as long as a poll can bring it: twice the overlap at least. */
static int64_t before_ms(const struct sweep *at)
{
    const struct flow_options *options = &at->flow->options;
    int64_t keep = options->keep_days * INSTANT_DAY;

    if (keep < 2 * options->overlap_ms) keep = 2 * options->overlap_ms;
    return options->wall_ms() - keep;
}

static void sweep_on_timer(uv_timer_t *timer)
{
    struct sweep *at = timer->data;

    if (at->flow->options.keep_days)
        sweep_enter(at, SWEEP_REMOVING);
    else
        sweep_enter(at, SWEEP_RESTING);
}

/* The only writer of at->state. */
static void sweep_enter(struct sweep *at, enum sweep_state next)
{
    if (flow_is_stopping(at->flow)) return;
    at->state = next;
    switch (next) {
    case SWEEP_RESTING:
        uv_timer_start(&at->timer, sweep_on_timer, at->after_seq ? SWEEP_PAUSE_MS : SWEEP_ROUND_MS,
                       0);
        break;
    case SWEEP_REMOVING:
        flow_hold(at->flow);
        store_sweep(at->flow->store, at->after_seq, before_ms(at), SWEEP_EVENTS, on_swept, at);
        break;
    }
}

void sweep_init(struct flow *flow)
{
    flow->sweep.flow = flow;
    flow_add_timer(flow, &flow->sweep.timer, &flow->sweep);
}

void sweep_start(struct flow *flow)
{
    uv_timer_start(&flow->sweep.timer, sweep_on_timer, 0, 0);
}
