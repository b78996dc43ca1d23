/* How a connection becomes a WebSocket (RFC 6455, 4.1): the request, and the answer as it comes in,
 * however it is cut. No I/O, no randomness. Thread: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/origin.h"

#define UPGRADE_HEAD_MAX   8192 /* bytes of the answer's head */
#define UPGRADE_NONCE_SIZE 16

struct upgrade {
    char accept[32];        /* Sec-WebSocket-Accept that proves that the peer has read our key */
    struct buf head;        /* owned: the answer so far */
    long status;            /* of the answer; 0: not known yet */
    int64_t retry_after_ms; /* of a refusal; 0: not said */
};

enum upgrade_state { UPGRADE_MORE, UPGRADE_DONE, UPGRADE_FAILED };

/* Begin: append the request to ret. at: where to, of http or https; nonce: random; agent and
 * authorization may be NULL and have no control characters. target is path and query. Ends with
 * upgrade_done(). */
void upgrade_start(struct upgrade *up, const struct origin *at, const char *target,
                   const char *agent, const char *authorization,
                   const uint8_t nonce[UPGRADE_NONCE_SIZE], struct buf *ret);

/* The next bytes from the peer. *ret_used of them belong to the head: what follows are frames.
 * Errors:
 *   socket.busy     429 or 503                                 transient, see retry_after_ms
 *   socket.refused  408 and 5xx: transient; any other status   permanent
 *   socket.upgrade  101 that proves nothing, or no HTTP        permanent
 *   socket.too-big  a head of more than UPGRADE_HEAD_MAX       permanent */
enum upgrade_state upgrade_feed(struct upgrade *up, const char *data, size_t len, size_t *ret_used,
                                struct err *err) MUST_CHECK;

void upgrade_done(struct upgrade *up);
