/* Notifications from the server: who may send them, what they become, what is answered. Private to
 * flow/. */
#pragma once

#include "store/store.h"

struct flow;

struct intake {
    char *path; /* owned: of the hook, "/hook"; NULL: no hook */
    char *unauthorized, *unsigned_, *unknown, *bad_method, *busy; /* owned: answers made once */
    uint64_t complained_ms; /* loop time of the last word about a wrong key; 0: none */
};

/* Once, when the options are copied; and when the flow is freed. */
void intake_init(struct flow *flow);
void intake_done(struct flow *flow);

/* The part of an endpoint's path that stands for the key, where a server cannot send a header: made
 * of the secret, which does not follow from it. */
#define INTAKE_URL_KEY_SIZE 65
void intake_url_key(const char *secret, char ret[INTAKE_URL_KEY_SIZE]);

/* Put a resource that was found by poll or read into an event. Nothing is copied. */
struct resource_head;
struct store_event intake_event(const struct flow *flow, const struct resource_head *head,
                                const char *payload, size_t len, enum event_via via);

/* A version for the journal to know a repeat by, when the resource has none: "~" and a hash of its
 * text. ret needs INTAKE_MARK_SIZE bytes. */
#define INTAKE_MARK_SIZE 24
void intake_mark(const char *payload, size_t len, char *ret);
