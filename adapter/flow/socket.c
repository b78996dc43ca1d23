#include "flow/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"
#include "flow/notice.h"
#include "net/websocket.h"

#define SOCKET_IDLE_MS     30000          /* then we ping */
#define SOCKET_MESSAGE_MAX (16u << 20)    /* bytes */
#define SOCKET_LONGEST_MS  INT64_C(60000) /* between attempts */
#define SOCKET_PING_MS     200            /* pings of that long are one event */
#define SOCKET_RENEW_MIN   INT64_C(1000)  /* between two tokens */
#define SOCKET_RENEW_MAX   INSTANT_DAY

static void socket_enter(struct socket *at, enum socket_state next);

static struct socket *socket_of(struct flow *flow, const char *type)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++)
        if (strcmp(flow->socket[i].type, type) == 0) return &flow->socket[i];
    return NULL;
}

static void text_wipe(char **text)
{
    if (*text) explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* ---- failures */

static bool is_bound(const struct socket *at)
{
    return at->state == SOCKET_BOUND || at->state == SOCKET_RENEWING;
}

/* The guide writes its word with and without a colon, Medplum in JSON: whoever did not answer to one
 * is tried with the next. */
static enum binding_dialect dialect_after(enum binding_dialect dialect)
{
    switch (dialect) {
    case BINDING_TOKEN:
        return BINDING_TOKEN_COLON;
    case BINDING_TOKEN_COLON:
        return BINDING_TOKEN_JSON;
    case BINDING_TOKEN_JSON:
        return BINDING_TOKEN;
    case BINDING_BY_ID:
    case BINDING_DIALECTS:
        break;
    }
    return BINDING_BY_ID;
}

static const char *way_out(const struct socket *at, const struct err *err)
{
    if (err->fix[0]) return err->fix;
    if (at->state == SOCKET_BINDING)
        return "the server opens the WebSocket and does not bind it to the Subscription: enable "
               "websocket subscriptions there; the poll goes on";
    if (err->kind == ERR_PERMANENT)
        return "set subscribe.webSocket to the URL of the server's WebSocket; the poll goes on";
    return NULL;
}

/* A server that closes on a binding may not know the Subscription any more; and one that does not bind
 * by the id may have refused a token for a while alone. */
static void socket_fail(struct socket *at, const struct err *err)
{
    bool binding = at->state == SOCKET_BINDING;

    at->failures++;
    if (!at->complained || strcmp(at->complained, err->code) != 0)
        log_event(LOG_LEVEL_WARN, is_bound(at) ? "socket-lost" : "socket-failed", LOG_TYPE,
                  at->type, LOG_CODE, err->code, LOG_FIX, way_out(at, err), LOG_END);
    at->complained = err->code;
    if (binding && !at->works) at->dialect = dialect_after(at->dialect);
    if (binding) at->tokenless = false;
    socket_enter(at, SOCKET_RESTING);
    if (binding) subscribe_look(subscribe_of(at->flow, at->type));
}

static void socket_fail_with(struct socket *at, const char *code, const char *what)
{
    struct err err;

    err_set(&err, ERR_TRANSIENT, code, "%s", what);
    socket_fail(at, &err);
}

/* ---- the token */

static bool is_medplum(const struct flow *flow)
{
    return strncasecmp(flow->capability.software, "medplum", 7) == 0;
}

/* The clock is the server's, where it says what it has; a quarter of the time is left to renew. */
static uint64_t renewal_of(const struct socket *at, const struct binding_token *token,
                           int64_t date_ms)
{
    int64_t now = date_ms != INSTANT_UNSET ? date_ms : at->flow->options.wall_ms(), left;

    if (token->ends_ms == INSTANT_UNSET) return 0;
    left = token->ends_ms > now ? (token->ends_ms - now) / 4 * 3 : 0;
    if (left < SOCKET_RENEW_MIN) left = SOCKET_RENEW_MIN;
    return (uint64_t)(left > SOCKET_RENEW_MAX ? SOCKET_RENEW_MAX : left);
}

static void token_keep(struct socket *at, const struct binding_token *token, int64_t date_ms)
{
    text_wipe(&at->token);
    free(at->url);
    at->token = mem_strdup(token->token);
    at->url = token->url ? mem_strdup(token->url) : NULL;
    at->renew_ms = renewal_of(at, token, date_ms);
    if (at->dialect == BINDING_BY_ID)
        at->dialect = is_medplum(at->flow) ? BINDING_TOKEN_JSON : BINDING_TOKEN;
}

static bool token_read(struct socket *at, const struct server_answer *answer, struct err *err)
{
    AUTO(doc_free) struct doc *doc = NULL;
    struct binding_token token;

    if (!server_document(answer, &doc, err)) return false;
    struct node root = node_root(doc);
    if (!binding_token_read(&root, &token, err)) return false;
    token_keep(at, &token, answer->reply->date_ms);
    return true;
}

static void bind_now(struct socket *at)
{
    char *text = binding_text(at->dialect, at->dialect == BINDING_BY_ID ? at->id : at->token);

    websocket_send(at->web, text);
    text_wipe(&text);
}

/* A token that is not to be had for now is asked for again, while the old one may still do. */
static void on_renewed(struct socket *at, const struct err *err)
{
    if (err && err->kind != ERR_TRANSIENT && err->kind != ERR_AMBIGUOUS) {
        socket_fail(at, err);
        return;
    }
    if (err) {
        at->renew_ms = (uint64_t)flow_backoff(at->flow, ++at->failures, SOCKET_LONGEST_MS, 0);
    } else {
        at->failures = 0;
        bind_now(at);
    }
    socket_enter(at, SOCKET_BOUND);
}

/* Has the server no tokens to give? What it answers then differs. */
static bool is_tokenless(const struct err *err)
{
    return err->kind == ERR_PERMANENT || strcmp(err->code, "binding.shape") == 0;
}

static void on_token(const struct server_answer *answer, void *arg)
{
    struct socket *at = arg;
    struct err err = answer->err;
    bool got = !err.code && token_read(at, answer, &err);

    at->call = NULL;
    if (at->state == SOCKET_RENEWING) {
        on_renewed(at, got ? NULL : &err);
    } else if (got) {
        socket_enter(at, SOCKET_CONNECTING);
    } else if (is_tokenless(&err)) {
        at->tokenless = true;
        if (at->dialect != BINDING_BY_ID) at->works = false;
        at->dialect = BINDING_BY_ID;
        socket_enter(at, SOCKET_CONNECTING);
    } else {
        socket_fail(at, &err);
    }
}

static void token_ask(struct socket *at)
{
    char path[128];

    snprintf(path, sizeof path, "Subscription/%s/$get-ws-binding-token", at->id);
    at->call = server_start(at->flow, &(struct server_request){ .method = "GET", .path = path },
                            on_token, at);
}

/* ---- what is told */

static void on_noticed(struct err *err, void *arg)
{
    struct socket *at = arg;

    if (err) catchup_now(at->flow, at->type); /* nobody will repeat it */
}

static void notice(struct socket *at, const struct notification *notification)
{
    metric_add(at->flow->metrics, METRIC_NOTIFICATIONS, 1);
    notice_take(at->flow, at->type, notification, VIA_SOCKET, on_noticed, at);
}

/* A ping says that something of the type has changed, and no more. */
static void ping_take(struct socket *at)
{
    struct notification_item item = {
        .type = at->type, .id = "", .version = "", .patient = "", .updated_ms = INSTANT_UNSET
    };
    struct notification notification = { .kind = NOTIFICATION_CHANGES,
                                         .subscription = at->id,
                                         .status = "",
                                         .items = &item,
                                         .item_count = 1 };

    notice(at, &notification);
}

static void on_pinged(uv_timer_t *timer);

static void ping_heard(struct socket *at)
{
    if (uv_is_active((uv_handle_t *)&at->pinged)) {
        at->ping_again = true;
        return;
    }
    at->ping_again = false;
    uv_timer_start(&at->pinged, on_pinged, SOCKET_PING_MS, 0);
    ping_take(at);
}

static void on_pinged(uv_timer_t *timer)
{
    struct socket *at = timer->data;

    if (at->ping_again) ping_heard(at);
}

static void refuse(struct socket *at, const char *code)
{
    metric_add(at->flow->metrics, METRIC_REFUSED_BAD, 1);
    log_event(LOG_LEVEL_WARN, "notification-refused", LOG_TYPE, at->type, LOG_CODE, code, LOG_END);
}

static void bundle_heard(struct socket *at, const char *text, size_t len)
{
    struct notification_request request = { .method = "POST",
                                            .tail = "",
                                            .expected = at->type,
                                            .deleted = "",
                                            .body = text,
                                            .body_len = len };
    struct notification notification;
    struct arena arena = { 0 };
    struct err err;

    if (!notification_read(&request, &arena, &notification, &err)) {
        refuse(at, err.code);
    } else if (!watch_is_ours(subscribe_of(at->flow, at->type), &notification)) {
        refuse(at, "socket.stranger");
    } else {
        if (at->state == SOCKET_BINDING && at->dialect != BINDING_BY_ID)
            socket_enter(at, SOCKET_BOUND);
        notice(at, &notification);
    }
    arena_done(&arena);
}

static void on_text(const char *text, size_t len, void *arg)
{
    struct socket *at = arg;

    switch (binding_read(text, len, at->id)) {
    case BINDING_BOUND:
        if (at->state == SOCKET_BINDING) socket_enter(at, SOCKET_BOUND);
        break;
    case BINDING_PING:
        if (is_bound(at)) ping_heard(at);
        break;
    case BINDING_BUNDLE:
        bundle_heard(at, text, len);
        break;
    case BINDING_REFUSED:
        socket_fail_with(at, "socket.binding", "the server refuses to bind");
        break;
    case BINDING_ASKED:
        websocket_send(at->web, BINDING_PONG);
        break;
    case BINDING_STRANGE:
        refuse(at, "socket.stranger");
        break;
    case BINDING_NOTHING:
        break;
    }
}

/* ---- the connection */

static void on_opened(void *arg)
{
    struct socket *at = arg;

    socket_enter(at, SOCKET_BINDING);
}

static void on_closed(const struct websocket_end *end, void *arg)
{
    struct socket *at = arg;

    at->web = NULL;
    socket_fail(at, &end->err);
}

static bool url_choose(const struct socket *at, struct buf *ret)
{
    const struct flow *flow = at->flow;
    const struct binding_places places = {
        .configured = flow->options.web_socket,
        .answered = at->dialect != BINDING_BY_ID ? at->url : NULL,
        .stated = flow->capability.websocket,
        .origin = flow->options.origin,
    };

    return binding_url(&places, ret);
}

static void socket_fail_plain(struct socket *at)
{
    struct err err;

    err_set(&err, ERR_PERMANENT, "socket.plain", "the server names a WebSocket without TLS");
    err_fix(&err, "nothing was sent there; let the server name wss:// as its base has https://, or "
                  "set subscribe.webSocket; the poll goes on");
    socket_fail(at, &err);
}

static void socket_connect(struct socket *at)
{
    static const struct websocket_events events = { on_opened, on_text, on_closed };
    AUTO(buf_done) struct buf url = { 0 };

    if (!url_choose(at, &url)) {
        socket_fail_plain(at);
        return;
    }
    at->web = websocket_start(at->flow->client,
                              &(struct websocket_request){
                                  .url = buf_string(&url),
                                  .open_ms = (uint64_t)at->flow->options.request_ms,
                                  .idle_ms = SOCKET_IDLE_MS,
                                  .message_max = SOCKET_MESSAGE_MAX,
                              },
                              &events, at);
}

/* ---- the life of one */

static void on_timer(uv_timer_t *timer)
{
    struct socket *at = timer->data;

    if (at->state == SOCKET_RESTING)
        socket_enter(at, SOCKET_ASKING);
    else if (at->state == SOCKET_BINDING)
        socket_fail_with(at, "socket.unbound", "the server does not answer to the binding");
    else if (at->state == SOCKET_BOUND)
        socket_enter(at, SOCKET_RENEWING);
}

static void let_go(struct socket *at)
{
    uv_timer_stop(&at->timer);
    server_cancel(TAKE(at->call));
    websocket_close(TAKE(at->web));
}

static void socket_rest(struct socket *at)
{
    int64_t wait = at->failures ? flow_backoff(at->flow, at->failures, SOCKET_LONGEST_MS, 0) : 0;

    let_go(at);
    text_wipe(&at->token);
    if (at->id[0]) uv_timer_start(&at->timer, on_timer, (uint64_t)wait, 0);
}

static void socket_bound(struct socket *at)
{
    bool fresh = !at->works || at->failures || at->complained;

    at->works = true;
    at->failures = 0;
    at->complained = NULL;
    if (fresh)
        log_event(LOG_LEVEL_INFO, "socket-bound", LOG_TYPE, at->type, LOG_ID, at->id, LOG_WHAT,
                  binding_name(at->dialect), LOG_END);
    catchup_now(at->flow, at->type); /* for what was told while nobody listened */
}

/* The only writer of at->state. */
static void socket_enter(struct socket *at, enum socket_state next)
{
    enum socket_state before = at->state;

    if (before == SOCKET_ENDED) return;
    at->state = next;
    switch (next) {
    case SOCKET_RESTING:
        socket_rest(at);
        break;
    case SOCKET_ASKING:
        if (at->tokenless)
            socket_enter(at, SOCKET_CONNECTING);
        else
            token_ask(at);
        break;
    case SOCKET_CONNECTING:
        socket_connect(at);
        break;
    case SOCKET_BINDING:
        uv_timer_start(&at->timer, on_timer, (uint64_t)at->flow->options.request_ms, 0);
        bind_now(at);
        break;
    case SOCKET_BOUND:
        uv_timer_stop(&at->timer);
        if (at->renew_ms) uv_timer_start(&at->timer, on_timer, at->renew_ms, 0);
        if (before == SOCKET_BINDING) socket_bound(at);
        break;
    case SOCKET_RENEWING:
        token_ask(at);
        break;
    case SOCKET_ENDED:
        uv_timer_stop(&at->pinged);
        let_go(at);
        break;
    }
}

/* ---- from outside */

void socket_init(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        struct socket *at = &flow->socket[i];
        at->flow = flow;
        at->type = flow->subscribe[i].type;
        flow_add_timer(flow, &at->timer, at);
        flow_add_timer(flow, &at->pinged, at);
    }
}

void socket_done(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) {
        text_wipe(&flow->socket[i].token);
        free(flow->socket[i].url);
    }
}

void socket_bind(struct flow *flow, const char *type, const char *id)
{
    struct socket *at = socket_of(flow, type);

    if (!at || strcmp(at->id, id) == 0 || strlen(id) >= sizeof at->id) return;
    snprintf(at->id, sizeof at->id, "%s", id);
    at->tokenless = at->works = false;
    at->failures = 0;
    at->renew_ms = 0;
    at->dialect = BINDING_BY_ID;
    socket_enter(at, SOCKET_RESTING);
}

void socket_unbind(struct flow *flow, const char *type)
{
    struct socket *at = socket_of(flow, type);

    if (!at || !at->id[0]) return;
    at->id[0] = '\0';
    socket_enter(at, SOCKET_RESTING);
}

bool socket_is_bound(const struct flow *flow, const char *type)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++)
        if (strcmp(flow->socket[i].type, type) == 0) return is_bound(&flow->socket[i]);
    return false;
}

void socket_stop(struct flow *flow)
{
    for (size_t i = 0; i < SUBSCRIBE_TYPES; i++) socket_enter(&flow->socket[i], SOCKET_ENDED);
}
