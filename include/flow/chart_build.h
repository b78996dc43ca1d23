/* From the resources on a shelf to the chart that rules are asked about. Private to flow/. Pure. */
#pragma once

#include "core/chart.h"
#include "core/knowledge.h"
#include "flow/shelf.h"

/* Owned by the caller: chart_free(). A resource that cannot be used is left out; its item says why
 * in aside. */
struct chart *chart_build(struct shelf *shelf, const char *patient,
                          const struct knowledge *knowledge);
