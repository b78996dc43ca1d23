/* From the resources on a shelf to the chart that rules are asked about. Private to flow/. Pure. */
#pragma once

#include "core/chart.h"
#include "core/knowledge.h"
#include "flow/shelf.h"

/* A resource that cannot be used; err is ERR_INPUT. */
typedef void chart_aside_fn(const struct shelf_item *item, const struct err *err, void *arg);

/* Owned by the caller: chart_free(). aside may be NULL. */
struct chart *chart_build(struct shelf *shelf, const char *patient,
                          const struct knowledge *knowledge, chart_aside_fn *aside, void *arg);
