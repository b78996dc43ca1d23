#include "flow/pace.h"

#include <string.h>

#include "base/instant.h"
#include "flow/flow_impl.h"

#define PACE_LONGEST_MS INT64_C(60000)

static uint64_t wait_ms(struct flow *flow)
{
    struct pace *pace = &flow->pace;
    uint64_t now = uv_now(flow->loop);
    uint64_t wait = (uint64_t)budget_wait_ms(&pace->budget, (int64_t)now);
    uint64_t pause = pace->pause_until_ms > now ? pace->pause_until_ms - now : 0;

    return wait > pause ? wait : pause;
}

static void pace_on_timer(uv_timer_t *timer);

static void line_move(struct flow *flow)
{
    struct pace *pace = &flow->pace;

    while (pace->first) {
        struct pace_wait *wait = pace->first;
        uint64_t ms = wait_ms(flow);
        if (ms) {
            uv_timer_start(&pace->timer, pace_on_timer, ms, 0);
            return;
        }
        pace->first = wait->next;
        wait->waiting = false;
        wait->go(wait->arg);
    }
    uv_timer_stop(&pace->timer);
}

static void pace_on_timer(uv_timer_t *timer)
{
    line_move(timer->data);
}

bool pace_may(struct flow *flow, struct pace_wait *wait, void (*go)(void *arg), void *arg)
{
    struct pace_wait **end = &flow->pace.first;

    if (!*end && !wait_ms(flow)) return true;
    while (*end) end = &(*end)->next;
    *wait = (struct pace_wait){ .go = go, .arg = arg, .waiting = true };
    *end = wait;
    if (flow->pace.first == wait)
        uv_timer_start(&flow->pace.timer, pace_on_timer, wait_ms(flow), 0);
    return false;
}

void pace_leave(struct flow *flow, struct pace_wait *wait)
{
    struct pace_wait **at = &flow->pace.first;

    if (!wait->waiting) return;
    while (*at != wait) at = &(*at)->next;
    *at = wait->next;
    wait->waiting = false;
}

void pace_spend(struct flow *flow)
{
    flow->pace.requests++;
    budget_spend(&flow->pace.budget, (int64_t)uv_now(flow->loop));
}

void pace_pause(struct flow *flow, int64_t ms)
{
    uint64_t until;

    if (ms <= 0) return;
    until = uv_now(flow->loop) + (uint64_t)(ms < INSTANT_HOUR ? ms : INSTANT_HOUR);
    if (until > flow->pace.pause_until_ms) flow->pace.pause_until_ms = until;
}

bool pace_again(struct flow *flow, const struct server_answer *answer, unsigned *times)
{
    bool busy = answer->err.code &&
                (strcmp(answer->err.code, "server.busy") == 0 || server_held(&answer->err));

    if (!busy) {
        *times = 0;
        return false;
    }
    if (++*times > PACE_BUSY_MAX) return false;
    pace_pause(flow, flow_backoff(flow, *times, PACE_LONGEST_MS, answer->reply->retry_after_ms));
    return true;
}

void pace_init(struct flow *flow)
{
    budget_init(&flow->pace.budget, flow->options.per_minute, (int64_t)uv_now(flow->loop));
    flow_add_timer(flow, &flow->pace.timer, flow);
}

void pace_retime(struct flow *flow)
{
    budget_set(&flow->pace.budget, flow->options.per_minute, (int64_t)uv_now(flow->loop));
    line_move(flow);
}
