#include "flow/deliver.h"

#include "flow/delivery.h"
#include "flow/flow_impl.h"

#define DELIVER_CIRCUIT    3 /* failures in a row; then everything is held back */
#define DELIVER_LONGEST_MS INT64_C(60000)

void deliver_start(struct flow *flow)
{
    flow->deliver.issue = (struct issue_options){ .system = flow->options.system,
                                                  .device = "",
                                                  .version = flow->options.version,
                                                  .release = flow->capability.release };
    deliver_poke(flow);
}

uint64_t deliver_pause_ms(const struct flow *flow)
{
    uint64_t now = uv_now(flow->loop), until = flow->deliver.paused_until_ms;
    uint64_t own = until > now ? until - now : 0, server = server_pause_ms(flow);

    return own > server ? own : server;
}

/* After a pause one goes ahead, to see how the server is. */
static unsigned room(const struct flow *flow)
{
    unsigned most = flow->options.deliveries_max;

    if (flow->deliver.failures >= DELIVER_CIRCUIT || server_is_ill(flow)) most = 1;
    if (!most) most = 1;
    return flow->deliver.running < most ? most - flow->deliver.running : 0;
}

static void item_take(struct flow *flow, const struct store_outbox *item)
{
    if (flow_is_stopping(flow)) {
        store_retry(flow->store, item->key, clock_now(flow), "flow.stopped");
        return;
    }
    flow->deliver.running++;
    delivery_start(flow, item);
}

static void deliver_on_owed(const struct store_owed *owed, void *arg)
{
    struct flow *flow = arg;

    flow->deliver.asking = false;
    if (owed->err) {
        flow_fail(flow, owed->err);
    } else {
        for (size_t i = 0; i < owed->count; i++) item_take(flow, &owed->items[i]);
        if (flow->deliver.again || owed->count) deliver_poke(flow);
    }
    flow_release(flow);
}

static bool may_ask(struct flow *flow)
{
    if (flow->state != FLOW_RUNNING || flow->failed || !room(flow)) return false;
    if (deliver_pause_ms(flow)) {
        clock_poke(flow, deliver_pause_ms(flow));
        return false;
    }
    if (device_is_settled(flow) || !flow->capability.issue_offered) return true;
    device_ensure(flow);
    return false;
}

void deliver_poke(struct flow *flow)
{
    struct deliver *deliver = &flow->deliver;

    if (deliver->asking) {
        deliver->again = true;
        return;
    }
    deliver->again = false;
    if (!may_ask(flow)) return;
    deliver->asking = true;
    flow_hold(flow);
    store_owed(flow->store, clock_now(flow), room(flow), deliver_on_owed, flow);
}

void deliver_failed(struct flow *flow, int64_t asked_ms)
{
    struct deliver *deliver = &flow->deliver;
    unsigned many = ++deliver->failures;
    bool hold_back = many >= DELIVER_CIRCUIT || !device_is_settled(flow) || asked_ms > 0;

    if (hold_back)
        deliver->paused_until_ms =
            uv_now(flow->loop) +
            (uint64_t)flow_backoff(flow, many < DELIVER_CIRCUIT ? 1 : many - DELIVER_CIRCUIT + 1,
                                   DELIVER_LONGEST_MS, asked_ms);
    clock_poke(flow, deliver_pause_ms(flow));
}

void deliver_hurry(struct flow *flow)
{
    flow->deliver.paused_until_ms = 0;
    deliver_poke(flow);
}

void deliver_succeeded(struct flow *flow)
{
    flow->deliver.failures = 0;
    flow->deliver.paused_until_ms = 0;
}

void deliver_ended(struct flow *flow)
{
    flow->deliver.running--;
    flow->turns++;
    clock_poke(flow, 50);
    deliver_poke(flow);
}
