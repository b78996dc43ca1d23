#include "flow/clock.h"

#include "base/instant.h"
#include "flow/flow_impl.h"

#define CLOCK_LONGEST_MS  30000
#define CLOCK_SHORTEST_MS 100
#define CLOCK_PAUSED_MS   1000 /* shortest while deliveries are held back */

static void clock_on_timer(uv_timer_t *timer);

void clock_start(struct flow *flow)
{
    flow->clock.flow = flow;
    flow_add_timer(flow, &flow->clock.timer, &flow->clock);
    clock_poke(flow, 0);
}

void clock_poke(struct flow *flow, uint64_t wait_ms)
{
    uv_timer_t *timer = &flow->clock.timer;

    if (flow_is_stopping(flow) || flow->clock.asking) return;
    if (uv_is_active((uv_handle_t *)timer) && uv_timer_get_due_in(timer) <= wait_ms) return;
    uv_timer_start(timer, clock_on_timer, wait_ms, 0);
}

int64_t clock_waiting(const struct flow *flow)
{
    return flow->clock.counts.events_waiting + flow->clock.accepted;
}

void clock_counted(struct flow *flow, const struct store_counts *counts)
{
    flow->clock.counts = *counts;
    flow->clock.accepted = 0;
    ledger_counted(flow);
}

/* Until the first thing that is due; never long, since the wall clock may step. */
static uint64_t next_wait(const struct flow *flow, const struct store_counts *counts)
{
    int64_t at =
        counts->next_due_ms < counts->next_retry_ms ? counts->next_due_ms : counts->next_retry_ms;
    int64_t now = flow->options.wall_ms(), wait;
    int64_t shortest = deliver_pause_ms(flow) ? CLOCK_PAUSED_MS : CLOCK_SHORTEST_MS;

    if (at == INSTANT_NEVER) return CLOCK_LONGEST_MS;
    wait = at > now ? at - now : 0;
    if (wait < shortest) wait = shortest;
    return wait > CLOCK_LONGEST_MS ? CLOCK_LONGEST_MS : (uint64_t)wait;
}

static void clock_on_counts(const struct store_counts *counts, void *arg)
{
    struct clock *at = arg;
    struct flow *flow = at->flow;

    at->asking = false;
    flow->turns++;
    if (counts) {
        clock_counted(flow, counts);
        if (!flow_is_stopping(flow)) flow_wake_again(flow);
    }
    clock_poke(flow, counts ? next_wait(flow, counts) : CLOCK_PAUSED_MS);
    work_poke(flow);
    deliver_poke(flow);
    flow_release(flow);
}

static void clock_on_timer(uv_timer_t *timer)
{
    struct clock *at = timer->data;

    if (flow_is_stopping(at->flow) || at->asking) return;
    at->asking = true;
    flow_hold(at->flow);
    store_count(at->flow->store, clock_on_counts, at);
}
