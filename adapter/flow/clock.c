#include "flow/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/instant.h"
#include "base/log.h"
#include "flow/flow_impl.h"
#include "flow/swap.h"

#define CLOCK_LONGEST_MS  30000
#define CLOCK_SHORTEST_MS 100
#define CLOCK_PAUSED_MS   1000 /* shortest while deliveries are held back */
#define CLOCK_KEEP_MS     60000
#define CLOCK_SETTING     "clock"

static void clock_on_timer(uv_timer_t *timer);

void clock_start(struct flow *flow)
{
    flow->clock.flow = flow;
    wall_start(&flow->clock.wall, INSTANT_UNSET, 0);
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

/* ---- the time */

/* Retries and wake-ups were set by a clock that was far ahead: none of them would come. */
static void clock_on_back(struct flow *flow)
{
    log_event(LOG_LEVEL_WARN, "clock-set-back", LOG_FIX,
              "every chart is evaluated again; let the machine set its clock before the adapter "
              "starts",
              LOG_END);
    flow->wake_again = true;
    if (!flow_is_stopping(flow)) store_unpark(flow->store);
    clock_poke(flow, 0);
}

int64_t clock_now(struct flow *flow)
{
    int64_t now;

    if (wall_look(&flow->clock.wall, flow->options.wall_ms(), (int64_t)(uv_hrtime() / 1000000),
                  &now) == WALL_BACK)
        clock_on_back(flow);
    return now;
}

/* Not while a step back is not yet dealt with, or may not even be known: the next run must see it too. */
void clock_keep(struct flow *flow)
{
    char text[32];

    if (flow->wake_again || !flow->clock.recalled) return;
    flow->clock.kept_ms = flow->clock.wall.latest_ms;
    snprintf(text, sizeof text, "%" PRId64, flow->clock.kept_ms);
    flow_keep(flow, CLOCK_SETTING, text);
}

static bool keep_is_due(struct flow *flow)
{
    int64_t age = clock_now(flow) - flow->clock.kept_ms;

    return age < 0 || age >= CLOCK_KEEP_MS;
}

static void clock_on_recalled(const char *text, void *arg)
{
    struct flow *flow = arg;
    int64_t kept = text ? strtoll(text, NULL, 10) : INSTANT_UNSET;

    if (kept > flow->clock.wall.latest_ms)
        wall_start(&flow->clock.wall, kept, (int64_t)(uv_hrtime() / 1000000));
    flow->clock.recalled = true;
    clock_now(flow);
    flow_release(flow);
}

void clock_recall(struct flow *flow)
{
    flow_hold(flow);
    store_get(flow->store, CLOCK_SETTING, clock_on_recalled, flow);
}

/* ---- looking */

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
static uint64_t next_due(struct flow *flow, const struct store_counts *counts)
{
    int64_t at =
        counts->next_due_ms < counts->next_retry_ms ? counts->next_due_ms : counts->next_retry_ms;
    int64_t now = clock_now(flow), wait;
    int64_t shortest = deliver_pause_ms(flow) ? CLOCK_PAUSED_MS : CLOCK_SHORTEST_MS;

    if (at == INSTANT_NEVER) return CLOCK_LONGEST_MS;
    wait = at > now ? at - now : 0;
    if (wait < shortest) wait = shortest;
    return wait > CLOCK_LONGEST_MS ? CLOCK_LONGEST_MS : (uint64_t)wait;
}

/* When a pause is over, somebody must ask. */
static uint64_t next_wait(struct flow *flow, const struct store_counts *counts)
{
    uint64_t wait = next_due(flow, counts), pause = server_pause_ms(flow);

    return pause && pause < wait ? pause : wait;
}

static void clock_on_counts(const struct store_counts *counts, void *arg)
{
    struct clock *at = arg;
    struct flow *flow = at->flow;

    at->asking = false;
    flow->turns++;
    clock_now(flow);
    if (counts) {
        clock_counted(flow, counts);
        if (!flow_is_stopping(flow)) swap_again(flow);
        audit_look(flow);
        if (!flow_is_stopping(flow)) heartbeat_look(flow);
        if (flow->state == FLOW_RUNNING && keep_is_due(flow)) clock_keep(flow);
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
