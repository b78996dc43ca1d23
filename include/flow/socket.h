/* A WebSocket for each of our Subscriptions whose channel is websocket: bound, kept alive, bound
 * anew after every break. What is told on it is a push like any other; and since nobody repeats what
 * was told in a gap, each binding asks the poll to look. Private to flow/.
 *
 *   RESTING -> ASKING -> CONNECTING -> BINDING -> BOUND -> RENEWING -> BOUND ...
 *
 * A server that gives no tokens (HAPI) is bound by the id of the Subscription; CONNECTING comes
 * first there. Every failure leads to RESTING, with a wait that grows. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "fhir/binding.h"
#include "flow/subscribe.h"

struct flow;
struct server_call;
struct websocket;

enum socket_state {
    SOCKET_RESTING,    /* until there is a Subscription that is active, or until the timer */
    SOCKET_ASKING,     /* for a token */
    SOCKET_CONNECTING, /* until the upgrade is done */
    SOCKET_BINDING,    /* it was said which Subscription; until the timer */
    SOCKET_BOUND,      /* until the timer: then the token is renewed */
    SOCKET_RENEWING,   /* bound, and asking for the next token */
    SOCKET_ENDED,
};

struct socket {
    struct flow *flow;
    const char *type; /* static */
    enum socket_state state;
    uv_timer_t timer;
    uv_timer_t pinged; /* runs for a while after a ping: those that come meanwhile are one */
    bool ping_again;
    struct server_call *call;
    struct websocket *web;
    char id[72]; /* of the active Subscription; "" there is none */
    enum binding_dialect dialect;
    bool tokenless;         /* the server gives no token for this Subscription */
    bool works;             /* it has bound in this dialect */
    char *token, *url;      /* owned: of the last answer; the token is a secret */
    uint64_t renew_ms;      /* from binding to renewal; 0: it does not end */
    unsigned failures;      /* in a row */
    const char *complained; /* code of the failure that was logged last; NULL */
};

/* Once, before anything; and when the flow is freed. */
void socket_init(struct flow *flow);
void socket_done(struct flow *flow);

/* The Subscription for that type is active, under that id: bind, unless that is so. */
void socket_bind(struct flow *flow, const char *type, const char *id);

/* It is not, or not any more. */
void socket_unbind(struct flow *flow, const char *type);

/* Does the server tell us of that type now? */
bool socket_is_bound(const struct flow *flow, const char *type);

/* For good. */
void socket_stop(struct flow *flow);
