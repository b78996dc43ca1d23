/* The flow's own copy of its options. Private to flow/. */
#pragma once

#include "flow/flow.h"

/* Texts are copied; options_done() frees them. */
void options_copy(struct flow_options *to, const struct flow_options *from);
void options_done(struct flow_options *options);

/* Take over what may change while the flow runs: intervals and limits. Texts stay: what hangs on them
 * (paths, Subscriptions, the Device) was made from them. */
void options_renew(struct flow_options *mine, const struct flow_options *from);
