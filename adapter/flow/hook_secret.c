#include "flow/hook_secret.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"

#define HOOK_SECRET_SETTING "hook-secret"
#define HOOK_SECRET_BYTES   32

static void secret_set(struct flow *flow, const char *secret)
{
    flow->secret = mem_strdup(secret);
    flow_loaded(flow);
}

/* Without random numbers there is no secret, and without a secret nobody gets in: poll alone. */
static void secret_make(struct flow *flow)
{
    unsigned char bytes[HOOK_SECRET_BYTES];
    char text[2 * HOOK_SECRET_BYTES + 1];

    if (!flow->options.random_bytes(bytes, sizeof bytes)) {
        log_event(LOG_LEVEL_ERROR, "no-random", LOG_WHAT, "no secret can be made for the hook",
                  LOG_FIX, "set the secret in the configuration", LOG_END);
        flow_loaded(flow);
        return;
    }
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    flow_keep(flow, HOOK_SECRET_SETTING, text);
    secret_set(flow, text);
}

static void secret_on_setting(const char *value, void *arg)
{
    struct flow *flow = arg;

    if (!flow_is_stopping(flow)) {
        if (value)
            secret_set(flow, value);
        else
            secret_make(flow);
    }
    flow_release(flow);
}

void hook_secret_load(struct flow *flow)
{
    if (flow->options.hook_secret) {
        secret_set(flow, flow->options.hook_secret);
    } else if (!flow->options.hook) {
        flow_loaded(flow);
    } else {
        flow_hold(flow);
        store_get(flow->store, HOOK_SECRET_SETTING, secret_on_setting, flow);
    }
}
