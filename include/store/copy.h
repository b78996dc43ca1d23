/* Copies of what a caller has only lent, in the arena of the call. Pure. Private to
 * adapter/store. */
#pragma once

#include "base/arena.h"
#include "store/store.h"

/* NULL becomes "". */
const char *copy_text(struct arena *arena, const char *text);

/* With every text in them. A payload, resource or body that is NULL stays NULL. */
struct store_event *copy_events(struct arena *arena, const struct store_event *events,
                                size_t count);
struct store_pulse *copy_pulses(struct arena *arena, const struct store_pulse *pulses,
                                size_t count);
struct store_result *copy_result(struct arena *arena, const struct store_result *result);
