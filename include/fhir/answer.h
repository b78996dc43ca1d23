/* Coded results: what says yes, what says no. Private to fhir/. Pure. */
#pragma once

#include "base/node.h"
#include "core/chart.h"
#include "core/knowledge.h"

/* A text that is exactly one of the words for it ("Negative"); NULL is CODED_OTHER. */
enum coded_value answer_by_word(const char *text);

/* A CodeableConcept that is a value of the analyte. A coding says yes or no by itself, or as a condition
 * that labs/answers.csv names for the analyte. Codings that contradict each other are CODED_OTHER; its
 * text counts only where there is no coding. */
enum coded_value answer_by_concept(const struct knowledge *knowledge, unsigned analyte,
                                   const struct node *concept);

/* The display of a coding that says yes or no; "" when none does, or none has one. Borrowed from the
 * document. */
const char *answer_words(const struct knowledge *knowledge, unsigned analyte,
                         const struct node *concept);
