/* New knowledge meets old charts: every chart of the cohort is woken, and the store remembers for which
 * generation of the knowledge that was done. Private to flow/. */
#pragma once

struct flow;

/* Wake every chart for flow->knowledge. done (NULL: nobody) runs once, from the loop, whether it went
 * well or not; what failed for now is done again by swap_again(). */
void swap_start(struct flow *flow, void (*done)(void *arg), void *arg);

/* Try again what could not be done for now, or what somebody else asked for by flow->wake_again. */
void swap_again(struct flow *flow);

/* The files may have changed while we were not running: wake every chart if they did. */
void swap_check(struct flow *flow);
