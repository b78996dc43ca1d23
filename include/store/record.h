/* What is kept of a patient: standing, resources, alerts. Private to adapter/store; store thread,
 * inside a transaction, errors of database.h. */
#pragma once

#include "base/arena.h"
#include "store/database.h"
#include "store/store.h"

/* Fill in_cohort, complete, resources and alerts of a patient's work; lists in the arena. A patient
 * who was never finished has none of it. */
bool record_load(struct database *db, struct store_work *work, struct arena *arena,
                 struct err *err) MUST_CHECK;

/* Write the chart part of a result. due_ms: the wake-up to keep. */
bool record_put(struct database *db, const struct store_result *result, int64_t due_ms,
                struct err *err) MUST_CHECK;

/* Every cohort patient that is due later is due now. */
bool record_wake_all(struct database *db, int64_t now_ms, struct err *err) MUST_CHECK;
