/* The secret by which notifications are known to come from the server: that of the configuration, the
 * one that is kept in the store, or a new one. Private to flow/. */
#pragma once

struct flow;

/* Set flow->secret, if there is to be one; then flow_loaded(), now or from the loop. */
void hook_secret_load(struct flow *flow);
