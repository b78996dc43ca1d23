/* The upper limits that a Dosage states: maxDosePerAdministration and maxDosePerPeriod. They bound a
 * dose from above and never say that it is reached. Private to fhir/. Pure. */
#pragma once

#include <stdbool.h>

#include "base/node.h"
#include "core/chart.h"
#include "fhir/medication.h"

/* One dose of an ingredient, as far as the instruction states it, within the limits of the same
 * instruction. A daily dose that nothing else tells lies between nothing and its limit; a limit that
 * the stated dose does not respect is no limit. alone as in amount_of(). */
void dose_limit_apply(const struct node *dosage, const struct medication_ingredient *ingredient,
                      bool alone, struct dose *dose);
