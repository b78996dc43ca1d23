/* One request to the FHIR server: headers, what an answer means, and whether the server is well. While
 * it is not, nothing is sent but one request at a time after a pause (core/circuit.h): the others
 * fail with server.circuit. Private to flow/. */
#pragma once

#include "base/buf.h"
#include "base/doc.h"
#include "core/circuit.h"
#include "net/http_client.h"

struct flow;
struct server_call;

struct server_request {
    const char *method;
    const char *path;          /* below base: "Patient/1"; or a whole URL that the server gave */
    const char *if_match;      /* version id; NULL or "": none */
    const char *if_none_exist; /* search string; NULL: none */
    const char *body;          /* a resource; NULL: none */
    bool background;           /* of the poll: others go first */
};

/* err.code is NULL for 2xx, else what to do about it is in err.kind:
 *   server.credentials  401: transient, since credentials may be renewed while we run
 *   server.forbidden    403                                      permanent
 *   server.gone         404, 410                                 permanent
 *   server.conflict     409, 412                                 permanent
 *   server.refused      other 4xx                                permanent
 *   server.circuit      nothing was sent, since the server is not well: transient; the answer says
 *                       how long that lasts, as if it were Retry-After
 *   server.busy, server.error and the codes of http_client.h     transient or ambiguous */
struct server_answer {
    long status; /* 0: none */
    const struct http_reply *reply;
    struct err err;
};

typedef void server_done_fn(const struct server_answer *answer, void *arg);

/* done runs exactly once, from the loop, and not after server_cancel(). */
struct server_call *server_start(struct flow *flow, const struct server_request *request,
                                 server_done_fn *done, void *arg);
void server_cancel(struct server_call *call); /* accepts NULL */

/* The body of an answer as a document; owned by the caller. Errors: ERR_TRANSIENT "server.garbage":
 * what came is no JSON (a proxy's page). */
bool server_document(const struct server_answer *answer, struct doc **ret,
                     struct err *err) MUST_CHECK;

/* The codes of the OperationOutcome in an answer, see outcome_codes(). */
const char *server_codes(const struct server_answer *answer, char *buf, size_t size);

/* What a successful write says of the resource of that type: Location, ETag, the resource in the
 * body. Ids of at most 64 characters; "" where nothing says it. */
struct server_identity {
    char id[72], version[96];
};
void server_identity(const struct server_answer *answer, const char *type,
                     struct server_identity *ret);

/* Append text as a value of a query: everything but letters, digits and -._~ as %XX. */
void server_escape(struct buf *out, const char *text);

/* How the server has answered lately. */
struct server_health {
    struct circuit circuit;
    bool unknown;                /* it said 401, and the log does; until it takes our credentials */
    struct server_call *refused; /* not sent, not yet answered */
    uv_timer_t timer;
};

/* Once. */
void server_init(struct flow *flow);

/* Was it not sent at all? */
bool server_held(const struct err *err);

/* When to come again with what was held back, milliseconds from now. */
int64_t server_again_ms(const struct flow *flow);

/* How long nothing will be sent, milliseconds. */
uint64_t server_pause_ms(const struct flow *flow);

/* Is it not known to be well? Then one thing at a time is enough. */
bool server_is_ill(const struct flow *flow);
