#include "flow/work.h"

#include <string.h>

#include "base/instant.h"
#include "flow/flow_impl.h"
#include "flow/visit.h"

#define WORK_LONGEST_MS INT64_C(60000)

/* ---- claims */

static void claim(struct flow *flow);

/* A hint is no patient's work: the poll of its type answers it. */
static bool take_hint(struct flow *flow, const struct store_work *work)
{
    if (work->patient[0] || !work->event_count) return false;
    return work->events[0].change == CHANGE_HINT && catchup_hint(flow, &work->events[0]);
}

static void claim_give_back(struct flow *flow, const struct store_work *work)
{
    store_release(flow->store, work->patient, work->event_count ? work->events[0].seq : 0,
                  clock_now(flow));
}

static void claim_take(struct flow *flow, const struct store_work *work)
{
    if (flow_is_stopping(flow)) {
        claim_give_back(flow, work);
    } else if (!take_hint(flow, work)) {
        flow->work.running++;
        visit_start(flow, work);
    }
}

/* Where there is one piece there may be more: two claims follow each that found something. */
static void work_on_claim(const struct store_work *work, void *arg)
{
    struct flow *flow = arg;

    flow->work.claiming--;
    if (work && work->err) {
        flow_fail(flow, work->err);
    } else if (work) {
        claim_take(flow, work);
        claim(flow);
        claim(flow);
    } else if (flow->work.again) {
        claim(flow);
    }
    flow_release(flow);
}

/* While the server does not answer, one is enough to see how it is. */
static unsigned visits_max(const struct flow *flow)
{
    return server_is_ill(flow) ? 1 : WORK_VISITS_MAX;
}

static void claim(struct flow *flow)
{
    struct work *work = &flow->work;

    if (flow->state != FLOW_RUNNING || flow->failed) return;
    if (work->running + work->claiming >= visits_max(flow)) return;
    if (server_pause_ms(flow)) return;
    if (ledger_outbox_is_full(flow)) return; /* the clock looks again */
    work->again = false;
    work->claiming++;
    flow_hold(flow);
    store_claim(flow->store, clock_now(flow), work_on_claim, flow);
}

void work_poke(struct flow *flow)
{
    flow->work.again = true;
    if (!flow->work.claiming) claim(flow);
}

/* ---- visits */

bool work_may_read(struct flow *flow, struct visit *visit)
{
    struct work *work = &flow->work;

    if (work->readers < WORK_READERS_MAX) {
        work->readers++;
        return true;
    }
    struct visit **end = &work->queue;
    while (*end) end = visit_next_queued(*end);
    *end = visit;
    return false;
}

void work_leaves_queue(struct flow *flow, struct visit *visit)
{
    for (struct visit **at = &flow->work.queue; *at; at = visit_next_queued(*at))
        if (*at == visit) {
            *at = *visit_next_queued(visit);
            return;
        }
}

void work_has_read(struct flow *flow)
{
    struct work *work = &flow->work;
    struct visit *first = work->queue;

    work->readers--;
    if (!first) return;
    work->queue = *visit_next_queued(first);
    *visit_next_queued(first) = NULL;
    work->readers++;
    visit_on_turn(first);
}

void work_visit_ended(struct flow *flow, bool done)
{
    flow->work.running--;
    flow->turns++;
    if (done) {
        flow->work.failures = 0;
        flow->store_code = NULL;
    }
    clock_poke(flow, 100);
    work_poke(flow);
}

/* Those that were in hand when the server went away fail together: that counts as one. */
int64_t work_retry_ms(struct flow *flow)
{
    struct work *work = &flow->work;
    uint64_t now = uv_now(flow->loop);
    int64_t wait;

    if (server_is_ill(flow)) return server_again_ms(flow);
    if (now >= work->next_failure_ms) work->failures++;
    wait = flow_backoff(flow, work->failures, WORK_LONGEST_MS, 0);
    if (now >= work->next_failure_ms) work->next_failure_ms = now + (uint64_t)wait;
    return wait;
}

/* ---- deletions of what nobody holds */

static uint64_t hash(const char *type, const char *id)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *type; type++) h = (h ^ (unsigned char)*type) * UINT64_C(0x100000001b3);
    for (; *id; id++) h = (h ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    return h ? h : 1;
}

void work_gone_add(struct flow *flow, const char *type, const char *id)
{
    struct work *work = &flow->work;
    size_t at = work->gone_next++ % WORK_GONE_MAX;

    if (work->gone_at_ms[at] > work->gone_since_ms) work->gone_since_ms = work->gone_at_ms[at];
    work->gone[at] = hash(type, id);
    work->gone_at_ms[at] = flow->options.wall_ms();
}

void work_gone_init(struct flow *flow)
{
    flow->work.gone_since_ms = flow->options.wall_ms();
}

void work_gone_none(struct flow *flow)
{
    if (!flow->work.gone_next) flow->work.gone_since_ms = INT64_MIN;
}

bool work_gone_knows(const struct flow *flow, int64_t since_ms)
{
    return flow->work.gone_since_ms <= since_ms;
}

bool work_gone_has(const struct flow *flow, const char *type, const char *id)
{
    uint64_t wanted = hash(type, id);

    for (size_t i = 0; i < WORK_GONE_MAX; i++)
        if (flow->work.gone[i] == wanted) return true;
    return false;
}
