/* What is left of what an open alert stood on: what raised it, and the facts that it names. Both are held
 * against the chart of now and the record. Pure; nothing here can fail. */
#pragma once

#include "core/alert.h"
#include "core/chart.h"
#include "core/eval.h"
#include "core/knowledge.h"

/* What an open alert that is no more true lasts on. */
enum footing {
    FOOTING_FIRM,
    FOOTING_ERROR, /* what raised it was never so: the results were corrected or removed */
    FOOTING_ENDED, /* by results that came late, it had ended since it was raised */
};

/* The footing of an open alert by the verdict of its identity; firm where that is true, does not
 * persist, or is NULL. All borrowed. */
enum footing footing_of(const struct knowledge *knowledge, const struct chart *chart,
                        const struct verdict *verdict, const struct alert *open);

/* Was a fact that the alert names removed: entered in error, cancelled, refuted, deleted? Under other
 * mappings than those of the alert, a fact that is absent was not. All borrowed. */
bool footing_is_removed(const struct knowledge *knowledge, const struct chart *chart,
                        const struct alert *alert);

/* Do the very results that raised the alert say something else now? clause is the one that makes its
 * rule false; NULL: not known, and false. All borrowed. */
bool footing_is_corrected(const struct knowledge *knowledge, const struct chart *chart,
                          const struct alert *alert, const struct trace *clause);
