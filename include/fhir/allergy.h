/* From AllergyIntolerance to an allergy. Private to fhir/. Pure. */
#pragma once

#include "fhir/apply.h"

bool allergy_apply(const struct node *at, const struct apply *apply, struct err *err) MUST_CHECK;
