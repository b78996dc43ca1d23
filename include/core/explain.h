/* The trace of an evaluation in words: for pharmacists and testers. Pure. */
#pragma once

#include "base/buf.h"
#include "core/eval.h"

/* Append one block for each verdict: what the rule says and which fact from which resource made each
 * clause true, false or unknown, and what would change the answer. The evaluation was made with
 * trace_all. */
void explain_write(const struct evaluation *evaluation, const struct knowledge *knowledge,
                   struct buf *out);
