/* The listener for notifications, as configured: what comes goes to the flow; what the listener refuses
 * by itself is counted and logged here. */
#pragma once

#include <stdint.h>

#include "app/material.h"
#include "base/metric.h"
#include "net/http_server.h"

#define LISTENER_STATUSES 200 /* from 400 */

struct listener {
    struct http_server *server; /* owned; NULL: poll alone */
    uv_loop_t *loop;            /* borrowed, as are the next two */
    struct flow *flow;
    struct metrics *metrics;
    uint64_t told_ms[LISTENER_STATUSES]; /* on the loop's clock; by status, 0: never */
};

/* Nothing is started where the configuration names no address. The listener must not move
 * afterwards. Errors: those of http_server_start(). */
bool listener_start(struct listener *listener, uv_loop_t *loop, const struct config *config,
                    const struct material *material, struct flow *flow, struct metrics *metrics,
                    struct err *err) MUST_CHECK;

/* As http_server_quiesce() and http_server_free(); also where nothing was started. */
void listener_quiesce(struct listener *listener);
void listener_free(struct listener *listener);
