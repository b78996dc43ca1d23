/* Writes what the outbox owes to the server, a few at a time, and holds everything back while the
 * server does not take it. Private to flow/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "fhir/detected_issue.h"
#include "flow/device.h"

struct flow;
struct delivery;

struct deliver {
    struct device device;
    struct issue_options issue;  /* of every DetectedIssue */
    struct delivery *deliveries; /* in flight */
    unsigned running;
    bool asking, again;
    unsigned failures;        /* transient, in a row */
    uint64_t paused_until_ms; /* loop time */
};

/* Begin; called when the capabilities are known. */
void deliver_start(struct flow *flow);

/* There may be something owed. */
void deliver_poke(struct flow *flow);

/* For deliveries and the device: the server did not take it for now; it asked for that wait. */
void deliver_failed(struct flow *flow, int64_t asked_ms);

/* For deliveries: the server answered; one is over, and gone. */
void deliver_succeeded(struct flow *flow);
void deliver_ended(struct flow *flow);

/* The server is well again. */
void deliver_hurry(struct flow *flow);

/* For the clock: how long deliveries are held back, milliseconds. */
uint64_t deliver_pause_ms(const struct flow *flow);
