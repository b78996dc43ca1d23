#include "core/body.h"

#include <math.h>

static bool is_within(const struct interval *at, int min, int max)
{
    return !at->low_none && !at->high_none && decimal_compare(at->low, decimal_of(min)) >= 0 &&
           decimal_compare(at->high, decimal_of(max)) <= 0;
}

bool body_weight_is_plausible(const struct interval *kg)
{
    return is_within(kg, 20, 400);
}

bool body_height_is_plausible(const struct interval *cm)
{
    return is_within(cm, 100, 250);
}

static struct interval surface(struct decimal cm, struct decimal kg)
{
    struct decimal product = decimal_multiply(cm, kg);

    return interval_root(sqrt(decimal_double(product) / 3600), 2, 3600, product);
}

struct interval body_surface(struct interval cm, struct interval kg)
{
    return (struct interval){ .low = surface(cm.low, kg.low).low,
                              .high = surface(cm.high, kg.high).high,
                              .low_open = cm.low_open || kg.low_open,
                              .high_open = cm.high_open || kg.high_open };
}
