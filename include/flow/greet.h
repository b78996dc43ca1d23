/* The first question to the server: its capability statement, asked for until it answers; and how we
 * shall poll, which follows from it. Private to flow/. */
#pragma once

struct flow;

/* Ask. Then flow_greeted(), from the loop, with flow->capability and flow->plan set. */
void greet_start(struct flow *flow);

/* What is asked is cancelled. The next question may come all the same as long as flow->timer runs. */
void greet_stop(struct flow *flow);
