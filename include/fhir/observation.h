/* From Observation to results: one for each analyte in it. Private to fhir/. Pure. */
#pragma once

#include "fhir/apply.h"

bool observation_apply(const struct node *at, const struct apply *apply,
                       struct err *err) MUST_CHECK;
