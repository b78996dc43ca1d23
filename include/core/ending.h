/* How an open alert that is no finding any more ends, and why, in words. Pure. */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "core/alert.h"
#include "core/chart.h"
#include "core/eval.h"
#include "core/knowledge.h"

/* What an open alert is held against. All borrowed. */
struct scene {
    const struct knowledge *knowledge;
    const struct chart *chart;
    int64_t now_ms;
    struct arena *arena; /* for the words */
};

/* Write how the alert ends: *ret is the alert, cleared or retracted, with when and why. False when it
 * stays open, because what would end it cannot be told; *ret is left alone then. Cannot fail.
 *
 * verdict  of the identity of the alert; NULL: the rule is gone, or off
 * open     borrowed; what it points to must outlive *ret, as must scene->arena */
bool ending_of(const struct scene *scene, const struct verdict *verdict, const struct alert *open,
               struct alert *ret) MUST_CHECK;
