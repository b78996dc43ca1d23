/* How a WebSocket is bound to a Subscription, and what is said on it. Two families, four dialects:
 *
 *   R4 (HAPI)       "bind ID" -> "bound ID", then "ping ID" for each match; for a topic the Bundle,
 *                   the resource or its id instead
 *   by token        $get-ws-binding-token -> token, its end, a URL. Backport guide: "bind-with-token
 *                   TOKEN" (its text has it with a colon too) -> the handshake Bundle, then Bundles.
 *                   Medplum: the same in JSON, {"type":"bind-with-token","payload":{"token":TOKEN}}
 *
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/node.h"

enum binding_dialect {
    BINDING_BY_ID,
    BINDING_TOKEN,
    BINDING_TOKEN_COLON,
    BINDING_TOKEN_JSON,
    BINDING_DIALECTS
};

const char *binding_name(enum binding_dialect dialect); /* for the log; static */

#define BINDING_TOKEN_MAX 4096 /* bytes */
#define BINDING_URL_MAX   1000

/* What $get-ws-binding-token gives. */
struct binding_token {
    const char *token; /* borrowed from the document, as is url */
    const char *url;   /* ws or wss; NULL: not said */
    int64_t ends_ms;   /* INSTANT_UNSET: not said */
};

/* Errors: ERR_INPUT "binding.shape" (no Parameters with a token), "binding.token" (too long, or a
 * character that could be taken for another frame's), "binding.url". */
bool binding_token_read(const struct node *at, struct binding_token *ret,
                        struct err *err) MUST_CHECK;

/* The message that binds, id_or_token as the dialect wants it; owned by the caller (free()). */
char *binding_text(enum binding_dialect dialect, const char *id_or_token);

/* What is said of where the WebSocket is. */
struct binding_places {
    const char *configured; /* by the operator; NULL: nothing */
    const char *answered;   /* with the token; NULL: nothing */
    const char *stated;     /* by the CapabilityStatement; "": nothing */
    const char *origin;     /* of the FHIR base: "https://ehr.example:8443" */
};

/* Append the URL to connect to: what the operator says, the answer, the CapabilityStatement, in this
 * order; where nobody says anything, HAPI's, /websocket beside the FHIR base. False: a server that is
 * reached by TLS would lead us out of it; the operator alone may. */
bool binding_url(const struct binding_places *places, struct buf *ret) MUST_CHECK;

/* What a message of the server is. */
enum binding_word {
    BINDING_BOUND,   /* to our Subscription */
    BINDING_PING,    /* something has changed: look */
    BINDING_BUNDLE,  /* a Bundle or a resource: a notification */
    BINDING_REFUSED, /* an OperationOutcome */
    BINDING_ASKED,   /* {"type":"ping"}: it wants BINDING_PONG */
    BINDING_STRANGE, /* bound or ping of another Subscription */
    BINDING_NOTHING, /* of no meaning to us */
};

#define BINDING_PONG "{\"type\":\"pong\"}"

/* id: of our Subscription. */
enum binding_word binding_read(const char *text, size_t len, const char *id);
