/* From Patient to birth date, sex, and whether deceased. Private to fhir/. Pure. */
#pragma once

#include "fhir/apply.h"

bool patient_apply(const struct node *at, const struct apply *apply, struct err *err) MUST_CHECK;
