/* The Device that stands as the author of our alerts: made once, before the first of them. Private
 * to flow/. */
#pragma once

#include <stdbool.h>

struct flow;
struct server_call;
struct pages;

enum device_state {
    DEVICE_UNKNOWN,
    DEVICE_PUTTING,   /* under an id of our choice */
    DEVICE_SEARCHING, /* by its identifier: the server chooses ids */
    DEVICE_POSTING,
    DEVICE_READY,
    DEVICE_REFUSED, /* alerts go without an author */
};

struct device {
    enum device_state state;
    struct server_call *call;
    struct pages *pages;
    char id[80];
    char reference[96]; /* "Device/{id}"; "" when refused */
};

/* Begin, unless it is under way; deliver_poke() follows. */
void device_ensure(struct flow *flow);

/* Is it there, or refused for good? */
bool device_is_settled(const struct flow *flow);

/* Cancel what runs. */
void device_stop(struct flow *flow);
