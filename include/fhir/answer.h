/* Coded results: what says yes, what says no. Private to fhir/. Pure. */
#pragma once

#include "base/node.h"
#include "core/chart.h"
#include "core/knowledge.h"

/* A text that is exactly one of the words for it ("Negative"); NULL is CODED_OTHER. */
enum coded_value answer_by_word(const char *text);

/* A CodeableConcept. Codings that contradict each other are CODED_OTHER; its text counts only where
 * there is no coding. */
enum coded_value answer_by_concept(const struct knowledge *knowledge, const struct node *concept);
