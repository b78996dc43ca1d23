/* A WebSocket to a server, for text messages, on the libuv loop. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http_client.h"

struct websocket;

struct websocket_request {
    const char *url;  /* "wss://ehr.example/websocket"; borrowed until websocket_start() returns */
    uint64_t open_ms; /* from start to the end of the upgrade, whatever comes meanwhile */
    uint64_t idle_ms; /* nothing came for so long: we ping; the same again: it is over */
    size_t message_max; /* bytes; a longer message ends it */
};

/* Why it ended. err.where is scheme, host and port, never a path. err.code is one of
 *   socket.url       refused, nothing sent: neither ws nor wss, or a user name          permanent
 *   socket.timeout   not open after open_ms                                            transient
 *   socket.failed    no connection, or it ended without a close frame                  transient
 *   socket.silent    the ping was not answered                                         transient
 *   socket.closed    the peer said good-bye; code says how                             transient
 *   socket.protocol  what came are no frames of text, or too long ones; code is ours   transient
 *   http.tls         see http_client.h                                                 transient
 *   and those of upgrade_feed() in net/upgrade.h */
struct websocket_end {
    unsigned code;          /* of the close frame (RFC 6455, 7.4), 1005: one without; 0: none */
    long status;            /* of an upgrade that was refused; else 0 */
    int64_t retry_after_ms; /* the same; 0: not said */
    struct err err;
};

/* Called from the loop, never from inside a call to a function below. They may call those
 * functions, and not free the client. */
struct websocket_events {
    void (*opened)(void *arg);
    /* One message: UTF-8 with a NUL after it; borrowed until it returns. */
    void (*text)(const char *text, size_t len, void *arg);
    /* Exactly once, unless websocket_close() came first: the pointer is no good any more. */
    void (*closed)(const struct websocket_end *end, void *arg);
};

/* Never fails: what goes wrong reaches closed. It connects as the client's calls do (authorities,
 * proxy, User-Agent), beside its limit of connections; the client's Authorization is sent when url
 * is of the client's origin (ws for http, wss for https), and to nobody else. client, events and arg
 * are borrowed and outlive it. Redirects are not followed. */
struct websocket *websocket_start(struct http_client *client,
                                  const struct websocket_request *request,
                                  const struct websocket_events *events, void *arg);

/* Send a text message once it is open; copied. Before that, and after the end, it is dropped. */
void websocket_send(struct websocket *socket, const char *text);

/* End it, with a close frame when the peer takes it at once. No event comes any more; memory goes
 * when the loop has run its close callbacks. Accepts NULL. */
void websocket_close(struct websocket *socket);
