/* From MedicationRequest to an order. Private to fhir/. Pure. */
#pragma once

#include "fhir/apply.h"

bool medication_request_apply(const struct node *at, const struct apply *apply,
                              struct err *err) MUST_CHECK;
