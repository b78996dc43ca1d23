/* Keeps our Subscriptions on the server: one for each type, found again after a restart, put right
 * when changed, asked for again when stopped. Never deletes one. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/arena.h"
#include "base/err.h"
#include "fhir/subscription.h"
#include "fhir/topic.h"
#include "flow/watch.h"

struct flow;
struct server_call;
struct pages;

#define SUBSCRIBE_TYPES 3

enum subscribe_state {
    SUBSCRIBE_RESTING,   /* until the timer */
    SUBSCRIBE_CHOOSING,  /* a topic among those of the server */
    SUBSCRIBE_SEARCHING, /* for those at our endpoint */
    SUBSCRIBE_SCANNING,  /* all Subscriptions: the server cannot search by url */
    SUBSCRIBE_WRITING,   /* creating ours, or putting it right */
    SUBSCRIBE_PARTING,   /* switching off a second one */
    SUBSCRIBE_ENDED,
};

/* One found at our endpoint. */
struct subscribe_found {
    char id[72], version[72];
    enum subscription_verdict verdict;
    bool off;
    int64_t heartbeat_ms;
};

#define SUBSCRIBE_FOUND_MAX 50

struct subscribe {
    struct flow *flow;
    const char *type; /* static */
    enum subscribe_state state;
    uv_timer_t timer;
    struct server_call *call;
    struct pages *pages;
    char *endpoint, *criteria, *header; /* owned */
    enum subscription_form form;
    char *topic;              /* owned: the one that is subscribed to; NULL: none (yet) */
    char *listed;             /* owned: what the CapabilityStatement lists for this type; NULL */
    enum topic_fit topic_fit; /* while CHOOSING: of the best so far, which is in topic */
    bool topic_missed;        /* said so */
    struct subscribe_found found[SUBSCRIBE_FOUND_MAX];
    size_t found_count;
    size_t parting;         /* which of found is being switched off */
    bool active;            /* as of the last look */
    bool looked;            /* at least one look came to an end */
    bool stuck;             /* said so */
    const char *complained; /* code of the failure that was logged last; NULL */
    uint64_t requested_ms;  /* loop time since when it waits for the server; 0: it does not */
    unsigned failures;
    uint64_t look_ms; /* loop time of the last subscribe_look(); 0: none */
    struct watch watch;
};

/* Once, before anything; and when the flow is freed. */
void subscribe_init(struct flow *flow);
void subscribe_done(struct flow *flow);

/* What the CapabilityStatement says of topics. */
struct node;
void subscribe_learn(struct flow *flow, const struct node *statement);

/* subscribe_want.c: what ours should be, in this run; as the server's resources are judged by; as a
 * resource, under an id that the server has (or NULL), with another status if one is given. The last
 * is owned by the caller. */
void subscribe_want_prepare(struct subscribe *at);
struct subscription_want subscribe_want(const struct subscribe *at);
char *subscribe_body(const struct subscribe *at, const char *id, const char *status);

/* subscribe_topic.c: look for a topic that tells of every change of the type; then
 * subscribe_on_chosen(), with at->topic NULL when there is none. */
void subscribe_choose(struct subscribe *at);
void subscribe_on_chosen(struct subscribe *at, const struct err *err);

/* subscribe_find.c: look for those at our endpoint, by their url or among all that the server has; then
 * subscribe_on_found(), with at->found in order, the one that is ours first. status: of the answer
 * that failed, or 0. */
void subscribe_find(struct subscribe *at, bool by_url);
void subscribe_on_found(struct subscribe *at, const struct err *err, long status);

/* Begin to look; called when the capabilities and the secret are known. */
void subscribe_start(struct flow *flow);

/* For good: what runs is cancelled. */
void subscribe_stop(struct flow *flow);

/* Look at it now, but no more than once in a few seconds. */
void subscribe_look(struct subscribe *subscribe);

/* The intervals have changed. */
void subscribe_retime(struct flow *flow);

/* Does the configuration let us be told? */
bool subscribe_is_wanted(const struct flow *flow);

/* Has every type been looked at, and is there one (of this type) that delivers? */
bool subscribe_looked(const struct flow *flow);
bool subscribe_is_active(const struct flow *flow, const char *type);

/* The one for a type, NULL when we do not subscribe to it. */
struct subscribe *subscribe_of(struct flow *flow, const char *type);
