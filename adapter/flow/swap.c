#include "flow/swap.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow_impl.h"

#define SWAP_SETTING "generation" /* by which every chart was woken */

struct swap {
    struct flow *flow;
    void (*done)(void *arg);
    void *arg;
};

static void swap_on_woken(struct err *err, void *arg)
{
    struct swap *swap = arg;
    struct flow *flow = swap->flow;

    if (err) {
        flow_fail(flow, err);
        flow->wake_again = true;
    } else {
        flow_keep(flow, SWAP_SETTING, knowledge_generation(flow->knowledge));
    }
    if (swap->done) swap->done(swap->arg);
    free(swap);
    work_poke(flow);
    flow_release(flow);
}

void swap_start(struct flow *flow, void (*done)(void *arg), void *arg)
{
    struct swap *swap = mem_new(struct swap);

    *swap = (struct swap){ flow, done, arg };
    flow->wake_again = false;
    flow_hold(flow);
    store_wake_all(flow->store, clock_now(flow), swap_on_woken, swap);
}

void swap_again(struct flow *flow)
{
    if (flow->wake_again) swap_start(flow, NULL, NULL);
}

static void swap_on_setting(const char *value, void *arg)
{
    struct flow *flow = arg;

    if (!flow_is_stopping(flow) &&
        (!value || strcmp(value, knowledge_generation(flow->knowledge)) != 0))
        swap_start(flow, NULL, NULL);
    flow_release(flow);
}

/* The files may have changed while we were not running. */
void swap_check(struct flow *flow)
{
    flow_hold(flow);
    store_get(flow->store, SWAP_SETTING, swap_on_setting, flow);
}
