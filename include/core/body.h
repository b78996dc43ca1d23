/* What an adult's body measures. Pure. */
#pragma once

#include <stdbool.h>

#include "core/interval.h"

/* Can an adult weigh that many kg (20 to 400), be that many cm tall (100 to 250)? What lies outside, or
 * is open to one side, is not used: somebody mistook a unit. */
bool body_weight_is_plausible(const struct interval *kg);
bool body_height_is_plausible(const struct interval *cm);

/* Body surface in m2: the square root of cm x kg / 3600. Mosteller RD. N Engl J Med 1987;317:1098. Both
 * plausible. Exact where the root is, else an interval of a part in 10^11 around it. */
struct interval body_surface(struct interval cm, struct interval kg);
