#include "app/listener.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

#define BODIES_AT_ONCE 16    /* notifications of the greatest length that are under way together */
#define TELL_MS        60000 /* between two log lines of one status */

static unsigned on_head(struct http_exchange *exchange, const char **ret_body, void *arg)
{
    const struct listener *listener = arg;

    return flow_on_head(exchange, ret_body, listener->flow);
}

static void on_body(struct http_exchange *exchange, void *arg)
{
    const struct listener *listener = arg;

    flow_on_body(exchange, listener->flow);
}

/* Strangers may do this as often as they like: it must not fill the log. */
static void on_refused(unsigned status, void *arg)
{
    struct listener *listener = arg;
    uint64_t now_ms = uv_now(listener->loop), *told_ms;
    char text[12];

    if (status == 413) metric_add(listener->metrics, METRIC_REFUSED_BIG, 1);
    if (status == 503) metric_add(listener->metrics, METRIC_REFUSED_BUSY, 1);
    told_ms = &listener->told_ms[status % LISTENER_STATUSES];
    if (*told_ms && now_ms - *told_ms < TELL_MS) return;
    *told_ms = now_ms;
    snprintf(text, sizeof text, "%u", status);
    log_event(LOG_LEVEL_WARN, "notification-refused", LOG_STATUS, text, LOG_END);
}

bool listener_start(struct listener *listener, uv_loop_t *loop, const struct config *config,
                    const struct material *material, struct flow *flow, struct metrics *metrics,
                    struct err *err)
{
    char address[64];
    struct http_server_options options = {
        .address = address,
        .cert_pem = material->certificate,
        .key_pem = material->key,
        .body_max = (size_t)config->hook.body_max,
        .bodies_max = BODIES_AT_ONCE * (size_t)config->hook.body_max,
        .connections_max = (unsigned)config->hook.connections,
        .connections_per_peer_max = (unsigned)config->hook.connections_per_peer,
        .request_ms = (uint64_t)config->hook.request_ms,
        .idle_ms = (uint64_t)config->hook.idle_ms,
        .refused = on_refused,
    };

    if (!config->hook.listen) return true;
    listener->loop = loop;
    listener->flow = flow;
    listener->metrics = metrics;
    if (!config_listen(config->hook.listen, address, sizeof address, &options.port)) abort();
    if (!http_server_start(loop, &options, on_head, on_body, listener, &listener->server, err))
        return false;
    log_event(LOG_LEVEL_INFO, "listening", LOG_NAME, config->hook.listen, LOG_COUNT,
              (int64_t)http_server_port(listener->server), LOG_END);
    return true;
}

void listener_quiesce(struct listener *listener)
{
    if (listener->server) http_server_quiesce(listener->server);
}

void listener_free(struct listener *listener)
{
    http_server_free(TAKE(listener->server));
}
