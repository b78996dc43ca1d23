#include "flow/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "fhir/detected_issue.h"
#include "flow/flow_impl.h"
#include "flow/setback.h"
#include "flow/twins.h"

#define DELIVERY_ROUNDS_MAX 5 /* of read and write against somebody who writes as well */

enum delivery_state {
    DELIVERY_READING,   /* what stands under the id */
    DELIVERY_SEARCHING, /* what stands under our identifier */
    DELIVERY_PUTTING,
    DELIVERY_POSTING,
    DELIVERY_PARTING, /* marking a twin as entered in error */
    DELIVERY_KEEPING, /* telling the store */
    DELIVERY_ENDED,
};

struct delivery {
    struct flow *flow;
    struct delivery *next, **link; /* place in flow->deliver.deliveries */
    enum delivery_state state;     /* written by delivery_enter() alone */
    struct arena arena;            /* owns item and alert */
    struct store_outbox item;
    struct alert alert;
    char id[72], version[96]; /* on the server; "" when not known */
    struct doc *server;       /* owned: what stands there; NULL: nothing, or not known */
    bool chosen;              /* id is one that we chose */
    bool posted;              /* a POST has succeeded */
    bool unseen;              /* ... in an attempt before, of which nothing else is known */
    unsigned rounds;
    struct twins twins;
    size_t parting; /* which of the twins is next */
    struct server_call *call;
};

static void delivery_enter(struct delivery *at, enum delivery_state next);

/* ---- ends */

static void delivery_free(struct delivery *at)
{
    if ((*at->link = at->next)) at->next->link = at->link;
    twins_done(&at->twins);
    doc_free(at->server);
    arena_done(&at->arena);
    free(at);
}

static void delivery_log(const struct delivery *at, const char *what)
{
    log_event(LOG_LEVEL_INFO, "delivered", LOG_RULE, at->item.rule, LOG_ALERT, at->item.key,
              LOG_STATUS, alert_state_name(at->alert.state), LOG_ID, at->id, LOG_VERSION,
              at->version[0] ? at->version : NULL, LOG_WHAT, what, LOG_END);
}

static void on_kept(struct err *err, void *arg)
{
    struct delivery *at = arg;
    struct flow *flow = at->flow;

    if (err) { /* the next attempt finds it standing there */
        flow_fail(flow, err);
        store_retry(flow->store, at->item.key, clock_now(flow) + 1000, err->code);
    } else {
        metric_add(flow->metrics, METRIC_DELIVERED, 1);
    }
    deliver_succeeded(flow);
    delivery_enter(at, DELIVERY_ENDED);
    flow_release(flow);
}

/* The server has it. what: for the log. */
static void delivery_succeed(struct delivery *at, const char *what)
{
    delivery_log(at, what);
    delivery_enter(at, DELIVERY_KEEPING);
}

static void delivery_park(struct delivery *at, const struct err *err)
{
    setback_park(at->flow, &at->item, err, "");
    delivery_enter(at, DELIVERY_ENDED);
}

static void delivery_fail(struct delivery *at, const struct server_answer *answer)
{
    char codes[120];

    server_codes(answer, codes, sizeof codes);
    setback(at->flow, &at->item, &answer->err, codes, answer->reply->retry_after_ms);
    delivery_enter(at, DELIVERY_ENDED);
}

static void delivery_fail_with(struct delivery *at, const struct err *err)
{
    setback(at->flow, &at->item, err, "", 0);
    delivery_enter(at, DELIVERY_ENDED);
}

/* Somebody else writes the same resource. */
static void delivery_again(struct delivery *at, enum delivery_state next)
{
    struct err err;

    if (++at->rounds < DELIVERY_ROUNDS_MAX) {
        delivery_enter(at, next);
    } else {
        err_set(&err, ERR_TRANSIENT, "server.conflict", "the resource changes all the time");
        delivery_fail_with(at, &err);
    }
}

/* ---- what stands there decides */

static void stand_set(struct delivery *at, struct doc *doc, const char *version)
{
    struct node root = node_root(doc), meta = node_get(&root, "meta");
    const char *stated = node_text(&meta, "versionId");

    doc_free(at->server);
    at->server = doc;
    if (!*version && stated) version = stated;
    snprintf(at->version, sizeof at->version, "%s",
             strlen(version) < sizeof at->version ? version : "");
}

static void stand_none(struct delivery *at)
{
    doc_free(TAKE(at->server));
    at->version[0] = '\0';
}

/* What a clinician answered is kept up to date as well: no second alert, and a count that got worse
 * still reaches the chart. */
static void delivery_decide(struct delivery *at)
{
    struct node root = node_root(at->server);

    if (issue_matches(&at->alert, &at->flow->deliver.issue, &root))
        delivery_succeed(at, "unchanged");
    else
        delivery_enter(at, DELIVERY_PUTTING);
}

static char *body_of(const struct delivery *at, const struct alert *alert, const char *id,
                     const struct doc *server)
{
    struct node root;

    if (server) root = node_root(server);
    return issue_build(alert, &at->flow->deliver.issue, id, server ? &root : NULL);
}

/* ---- reading by id */

/* Somebody has deleted it, or it was never there. What has ended needs no burial. */
static void nothing_stands(struct delivery *at)
{
    if (at->item.server_id[0] && at->alert.state != ALERT_OPEN)
        delivery_succeed(at, "deleted on the server");
    else
        delivery_enter(at, at->chosen ? DELIVERY_PUTTING : DELIVERY_SEARCHING);
}

static void on_read(const struct server_answer *answer, void *arg)
{
    struct delivery *at = arg;
    struct doc *doc;
    struct err err;

    at->call = NULL;
    if (answer->status == 404 || answer->status == 410) {
        stand_none(at);
        nothing_stands(at);
    } else if (answer->status == 409 || answer->status == 412) {
        delivery_again(at, DELIVERY_READING); /* an odd answer to a read: it cannot be final */
    } else if (answer->err.code) {
        delivery_fail(at, answer);
    } else if (!server_document(answer, &doc, &err)) {
        delivery_fail_with(at, &err);
    } else {
        stand_set(at, doc, answer->reply->etag);
        delivery_decide(at);
    }
}

static void path_of(const char *id, char *ret, size_t size)
{
    snprintf(ret, size, "DetectedIssue/%s", id);
}

static void read_start(struct delivery *at)
{
    char path[100];

    path_of(at->id, path, sizeof path);
    at->call = server_start(at->flow, &(struct server_request){ .method = "GET", .path = path },
                            on_read, at);
}

/* ---- writing under an id */

/* What its capability statement said is not so. */
static void correct_capability(struct delivery *at)
{
    at->flow->capability.issue_update_create = false;
    at->chosen = false;
    at->id[0] = '\0';
    log_event(LOG_LEVEL_WARN, "capability-corrected", LOG_TYPE, "DetectedIssue", LOG_WHAT,
              "the server does not let us choose ids", LOG_END);
}

/* Somebody has deleted it since we looked. */
static bool is_gone(const struct delivery *at, const struct server_answer *answer)
{
    return at->server && (answer->status == 404 || answer->status == 410);
}

static void on_put(const struct server_answer *answer, void *arg)
{
    struct delivery *at = arg;
    struct server_identity identity;

    at->call = NULL;
    if (answer->status == 409 || answer->status == 412 || is_gone(at, answer)) {
        delivery_again(at, DELIVERY_READING);
    } else if ((answer->status == 404 || answer->status == 405) && at->chosen && !at->server) {
        correct_capability(at);
        delivery_again(at, DELIVERY_SEARCHING);
    } else if (answer->err.code) {
        delivery_fail(at, answer);
    } else {
        server_identity(answer, "DetectedIssue", &identity);
        snprintf(at->version, sizeof at->version, "%s", identity.version);
        delivery_succeed(at, NULL);
    }
}

static void put_start(struct delivery *at)
{
    char *body = body_of(at, &at->alert, at->id, at->server), path[100];

    path_of(at->id, path, sizeof path);
    at->call = server_start(at->flow,
                            &(struct server_request){ .method = "PUT",
                                                      .path = path,
                                                      .if_match = at->server ? at->version : NULL,
                                                      .body = body },
                            on_put, at);
    free(body);
}

/* ---- writing under our identifier */

/* 200: one was there already, which may say something older. 201: others may have created theirs at
 * the same time, for If-None-Exist is a look and a write, and some servers ignore it. So we look who
 * stands there in either case. */
static void on_posted(const struct server_answer *answer, void *arg)
{
    struct delivery *at = arg;
    struct server_identity identity;

    at->call = NULL;
    if (answer->status == 409 || answer->status == 412) {
        delivery_again(at, DELIVERY_SEARCHING);
        return;
    }
    if (answer->err.code) {
        delivery_fail(at, answer);
        return;
    }
    at->posted = true;
    server_identity(answer, "DetectedIssue", &identity);
    snprintf(at->id, sizeof at->id, "%s", identity.id);
    snprintf(at->version, sizeof at->version, "%s", identity.version);
    if (at->id[0]) store_created(at->flow->store, at->item.key, at->id);
    delivery_enter(at, DELIVERY_SEARCHING);
}

static void post_start(struct delivery *at)
{
    AUTO(buf_done) struct buf condition = { 0 };
    char *body = body_of(at, &at->alert, NULL, NULL);

    twins_condition(at->flow, at->item.key, &condition);
    at->call = server_start(at->flow,
                            &(struct server_request){ .method = "POST",
                                                      .path = "DetectedIssue",
                                                      .if_none_exist = buf_string(&condition),
                                                      .body = body },
                            on_posted, at);
    free(body);
}

/* ---- searching by our identifier */

static void found_none(struct delivery *at)
{
    struct err err;

    if (at->unseen) { /* the index lags behind, or somebody has deleted it */
        at->unseen = false;
        delivery_enter(at, DELIVERY_READING);
    } else if (!at->posted) {
        delivery_enter(at, DELIVERY_POSTING);
    } else if (at->id[0]) { /* the index lags behind */
        delivery_succeed(at, NULL);
    } else {
        err_set(&err, ERR_TRANSIENT, "server.unfound", "what was created is not found");
        delivery_fail_with(at, &err);
    }
}

static void on_found(const struct err *err, void *arg)
{
    struct delivery *at = arg;
    struct twin *first = &at->twins.items[0];

    if (err) {
        delivery_fail_with(at, err);
    } else if (!at->twins.count) {
        found_none(at);
    } else {
        memcpy(at->id, first->id, sizeof at->id);
        stand_set(at, TAKE(first->doc), first->version);
        at->parting = 1;
        delivery_enter(at, DELIVERY_PARTING);
    }
}

/* ---- those that should not be there */

static void on_parted(const struct server_answer *answer, void *arg)
{
    struct delivery *at = arg;

    at->call = NULL;
    if (answer->status == 409 || answer->status == 412 || is_gone(at, answer))
        delivery_again(at, DELIVERY_SEARCHING);
    else if (answer->err.code)
        delivery_fail(at, answer);
    else
        delivery_enter(at, DELIVERY_PARTING);
}

static void part_next(struct delivery *at)
{
    struct alert wrong = at->alert;
    struct twin *twin;
    char path[100], *body;

    while (at->parting < at->twins.count && at->twins.items[at->parting].retracted) at->parting++;
    if (at->parting >= at->twins.count) {
        delivery_decide(at);
        return;
    }
    twin = &at->twins.items[at->parting++];
    wrong.state = ALERT_RETRACTED;
    wrong.ended_why = "It stands here twice.";
    if (wrong.ended_ms == INSTANT_UNSET) wrong.ended_ms = wrong.opened_ms;
    body = body_of(at, &wrong, twin->id, twin->doc);
    path_of(twin->id, path, sizeof path);
    log_event(LOG_LEVEL_WARN, "twin-retracted", LOG_RULE, at->item.rule, LOG_ALERT, at->item.key,
              LOG_ID, twin->id, LOG_END);
    at->call =
        server_start(at->flow,
                     &(struct server_request){
                         .method = "PUT", .path = path, .if_match = twin->version, .body = body },
                     on_parted, at);
    free(body);
}

/* ---- the life of one */

static void keep_start(struct delivery *at)
{
    flow_hold(at->flow);
    store_delivered(at->flow->store, at->item.key, at->item.revision, at->id, at->version, on_kept,
                    at);
}

/* The only writer of at->state. */
static void delivery_enter(struct delivery *at, enum delivery_state next)
{
    struct flow *flow = at->flow;

    at->state = next;
    switch (next) {
    case DELIVERY_READING:
        read_start(at);
        break;
    case DELIVERY_SEARCHING:
        twins_find(&at->twins, at->flow, at->item.key, on_found, at);
        break;
    case DELIVERY_PUTTING:
        put_start(at);
        break;
    case DELIVERY_POSTING:
        post_start(at);
        break;
    case DELIVERY_PARTING:
        part_next(at);
        break;
    case DELIVERY_KEEPING:
        keep_start(at);
        break;
    case DELIVERY_ENDED:
        delivery_free(at);
        deliver_ended(flow);
        break;
    }
}

/* What stands under the id, or else under our identifier, is looked at first, also where If-None-Exist
 * is promised: the store may have been lost since it was written, or a life with the answer to its
 * create; not every server keeps that promise; and what clinicians wrote there must stay. An id without
 * a version is of a create after which nobody has looked for others (or of a server without versions). */
static void delivery_begin(struct delivery *at)
{
    const struct capability *capability = &at->flow->capability;
    char chosen[64];

    issue_id(&at->alert, chosen);
    if (at->item.server_id[0])
        snprintf(at->id, sizeof at->id, "%s", at->item.server_id);
    else if (capability->issue_update_create)
        snprintf(at->id, sizeof at->id, "%s", chosen);
    at->chosen = strcmp(at->id, chosen) == 0 && capability->issue_update_create;
    at->unseen = at->item.server_id[0] && !at->item.server_version[0] && !at->chosen;
    delivery_enter(at, at->id[0] && !at->unseen ? DELIVERY_READING : DELIVERY_SEARCHING);
}

static const char *keep(struct delivery *at, const char *text)
{
    return arena_copy(&at->arena, text, strlen(text));
}

static struct delivery *delivery_new(struct flow *flow, const struct store_outbox *item)
{
    struct delivery *at = mem_new(struct delivery);

    at->flow = flow;
    at->item = *item;
    at->item.key = keep(at, item->key);
    at->item.rule = keep(at, item->rule);
    at->item.patient = keep(at, item->patient);
    at->item.body = arena_copy(&at->arena, item->body, item->body_len);
    at->item.server_id = keep(at, item->server_id);
    at->item.server_version = keep(at, item->server_version);
    if ((at->next = flow->deliver.deliveries)) at->next->link = &at->next;
    at->link = &flow->deliver.deliveries;
    flow->deliver.deliveries = at;
    return at;
}

void delivery_start(struct flow *flow, const struct store_outbox *item)
{
    struct delivery *at = delivery_new(flow, item);
    struct err err;

    if (!alert_from_json(at->item.body, at->item.body_len, &at->arena, &at->alert, &err)) {
        delivery_park(at, &err);
    } else if (!flow->capability.issue_offered) {
        err_set(&err, ERR_PERMANENT, "server.not-offered", "the server takes no DetectedIssue");
        delivery_park(at, &err);
    } else {
        delivery_begin(at);
    }
}

static void delivery_stop(struct delivery *at)
{
    if (at->state == DELIVERY_KEEPING) return; /* the store answers, and that ends it */
    server_cancel(TAKE(at->call));
    twins_cancel(&at->twins);
    store_retry(at->flow->store, at->item.key, clock_now(at->flow), "flow.stopped");
    delivery_enter(at, DELIVERY_ENDED);
}

void delivery_stop_all(struct flow *flow)
{
    struct delivery *next;

    for (struct delivery *at = flow->deliver.deliveries; at; at = next) {
        next = at->next;
        delivery_stop(at);
    }
}
