/* What the dosage instructions of an order say together. Several instructions of one sequence add
 * up; of different sequences, or with bounds that do not meet, they follow each other, and the dose
 * is the hull of them. Private to fhir/. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/node.h"
#include "core/chart.h"
#include "core/knowledge.h"
#include "fhir/medication.h"

struct dosage {
    struct dose doses[MEDICATION_INGREDIENTS_MAX]; /* in the order of medication.items */
    const char *words;                             /* chart_order.dosage */
    enum drug_route route;                         /* stated by an instruction, or ROUTE_UNKNOWN */
    enum drug_use use;                             /* of that route */
    int64_t start_ms, end_ms;                      /* as in chart_order, from the bounds alone */
    int64_t start_span_ms;                         /* as in chart_order */
    struct day_times times;                        /* as in chart_order */
    bool as_needed;                                /* every instruction is */
    bool continuous, pause_said;                   /* as in chart_order */
    bool modified; /* an instruction has a modifier that we do not understand */
};

/* order: a MedicationRequest. authored_ms: INSTANT_UNSET when not known. */
void dosage_read(const struct node *order, const struct medication *medication,
                 const struct knowledge *knowledge, int64_t authored_ms, struct arena *arena,
                 struct dosage *ret);
