/* From Condition and Procedure to conditions of the chart. Private to fhir/. Pure. */
#pragma once

#include "fhir/apply.h"

bool condition_apply(const struct node *at, const struct apply *apply, struct err *err) MUST_CHECK;

bool condition_apply_procedure(const struct node *at, const struct apply *apply,
                               struct err *err) MUST_CHECK;
