#include "flow/options.h"

#include <stdlib.h>

#include "base/mem.h"

static const char *copy(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

void options_copy(struct flow_options *to, const struct flow_options *from)
{
    *to = *from;
    to->base = copy(from->base);
    to->origin = copy(from->origin);
    to->hook = copy(from->hook);
    to->web_socket = copy(from->web_socket);
    to->name = copy(from->name);
    to->system = copy(from->system);
    to->version = copy(from->version);
    to->hook_secret = copy(from->hook_secret);
    to->cohort = copy(from->cohort);
    to->signature = copy(from->signature);
    for (size_t i = 0; i < ARRAY_SIZE(to->topics); i++) to->topics[i] = copy(from->topics[i]);
}

void options_done(struct flow_options *options)
{
    const char *const texts[] = { options->base,      options->origin,      options->hook,
                                  options->name,      options->system,      options->version,
                                  options->cohort,    options->hook_secret, options->signature,
                                  options->topics[0], options->topics[1],   options->topics[2],
                                  options->web_socket };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) free((void *)(uintptr_t)texts[i]);
}

void options_renew(struct flow_options *mine, const struct flow_options *from)
{
    mine->poll_ms = from->poll_ms;
    mine->overlap_ms = from->overlap_ms;
    mine->per_minute = from->per_minute;
    mine->subscription_ms = from->subscription_ms;
    mine->request_ms = from->request_ms;
    mine->first_poll_days = from->first_poll_days;
    mine->history_days = from->history_days;
    mine->page_count = from->page_count;
    mine->chart_max = from->chart_max;
    mine->deliveries_max = from->deliveries_max;
    mine->attempts_max = from->attempts_max;
    mine->journal = from->journal;
    mine->keep_days = from->keep_days;
}
