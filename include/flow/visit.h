/* One claimed piece of work, from claim to commit: the patient of an event is found, the chart
 * brought up to date, evaluated, and everything committed at once.
 *
 *   FINDING -> QUEUED -> READING -> ASKING -> ENDED   an event without patient: whose is it?
 *   SORTING -> QUEUED -> READING -> SORTING   whatever must be read from the server
 *           -> ASKING -> COMMITTING -> ENDED
 *
 * Anything that fails for now releases the claim; the work is then done again from the start.
 * Private to flow/. */
#pragma once

#include "store/store.h"

struct flow;
struct visit;

/* Take a claim on. work is copied. */
void visit_start(struct flow *flow, const struct store_work *work);

/* Its turn to read has come. */
void visit_on_turn(struct visit *visit);

/* Cancel what runs and give the claims back. */
void visit_stop_all(struct flow *flow);

/* The place of the one behind it in work.queue. */
struct visit **visit_next_queued(struct visit *visit);
