/* probe: what a FHIR server can really do, found out by harmless questions (nothing is written), what
 * follows from it, and a configuration to begin with. Private to adapter/app/probe*.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#include "base/err.h"
#include "fhir/capability.h"
#include "net/http_client.h"

enum probe_answer { PROBE_UNTOLD, PROBE_NO, PROBE_YES };

#define PROBE_TYPES  6
#define PROBE_NEEDED 3 /* the first so many: without them there is no chart */
#define PROBE_ID     72

/* What the server does for one type, each as asked live. */
struct probe_type {
    const char *type;             /* static */
    enum probe_answer search;     /* without a patient */
    enum probe_answer by_patient; /* ... of one patient */
    enum probe_answer updated;    /* _lastUpdated is understood and obeyed */
    enum probe_answer sorted;     /* _sort=_lastUpdated, oldest first */
    enum probe_answer history;    /* of the type */
    char id[PROBE_ID];            /* of one that was seen; "" */
    char patient[PROBE_ID];       /* its patient; "" */
    long status;                  /* of the first question */
};

struct probe_facts {
    const char *base; /* borrowed */
    struct capability capability;
    struct probe_type types[PROBE_TYPES];
    enum probe_answer issues;        /* DetectedIssue can be searched */
    enum probe_answer subscriptions; /* Subscription can be searched */
    enum probe_answer versions;      /* a read says which version it is */
    unsigned topics;                 /* bit i: a topic tells of types[i] */
    bool clock_known;
    int64_t clock_ms; /* how far the server's clock is ahead of ours */
    unsigned asked;   /* requests */
    bool elsewhere;   /* a next link led to another origin */
};

enum probe_poll { PROBE_POLL_NONE, PROBE_POLL_UPDATED, PROBE_POLL_HISTORY, PROBE_POLL_PATIENT };
enum probe_push { PROBE_PUSH_NONE, PROBE_PUSH_CRITERIA, PROBE_PUSH_TOPIC };
enum probe_write { PROBE_WRITE_NONE, PROBE_WRITE_PUT, PROBE_WRITE_CONDITIONAL, PROBE_WRITE_SEARCH };

#define PROBE_WARNINGS 12

/* What follows, and why. Texts are static. */
struct probe_choice {
    enum probe_poll poll;
    enum probe_push push;
    enum probe_write write;
    bool web_socket;   /* notifications come by a socket of ours: no listener is needed */
    bool start_active; /* Subscriptions are created as active */
    const char *poll_why, *push_why, *write_why;
    const char *warnings[PROBE_WARNINGS];
    size_t warning_count;
};

/* A patient to ask about: given, or the first one seen. hook: the URL of ours, NULL: none. */
struct probe_request {
    const char *base, *patient, *hook;
    struct http_client *client; /* borrowed */
    uv_loop_t *loop;            /* borrowed; runs inside */
    uint64_t timeout_ms;        /* of one question */
    void (*progress)(unsigned done, unsigned all);
};

/* Ask. False: the server is not there, does not let us in, or is no FHIR server. Blocking. */
bool probe_ask(const struct probe_request *request, struct probe_facts *ret,
               struct err *err) MUST_CHECK;

/* Pure. */
void probe_choose(const struct probe_facts *facts, const char *hook, struct probe_choice *ret);

/* The settings that a configuration begins with; texts are borrowed. */
struct probe_settings {
    const char *token_file, *basic_file, *ca_file, *hook, *cohort; /* NULL: not given */
};
void probe_config(const struct probe_facts *facts, const struct probe_choice *choice,
                  const struct probe_settings *settings, FILE *out);

/* For people; as JSON for programs. */
void probe_tell(const struct probe_facts *facts, const struct probe_choice *choice, FILE *out);
void probe_json(const struct probe_facts *facts, const struct probe_choice *choice, FILE *out);
