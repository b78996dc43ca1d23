/* What raised an alert: the results that it rested on when its rule became true, as they read then. An
 * alert may last when these are history; it must not when they turn out never to have been so. Pure. */
#pragma once

#include "core/alert.h"
#include "core/chart.h"

/* Note in alert->raised the results of alert->evidence as the chart has them; strings in arena. */
void trigger_note(const struct chart *chart, struct arena *arena, struct alert *alert);

/* Does the chart still have each result of alert->raised, with the same value? True where none was
 * noted. Cannot fail. */
bool trigger_stands(const struct chart *chart, const struct alert *alert);

/* The instant of the latest result of alert->raised, wherever the chart still has it; INSTANT_UNSET where
 * none was noted, or none is there. Cannot fail. */
int64_t trigger_ms(const struct chart *chart, const struct alert *alert);

/* Is the source evidence of the alert? */
bool is_evidence(const struct alert *alert, const struct source *source);
