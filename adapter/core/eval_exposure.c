/* What an order means at an instant. */
#include "core/eval_impl.h"

static int64_t order_start(const struct chart_order *order)
{
    return order->start_ms != INSTANT_UNSET ? order->start_ms : order->authored_ms;
}

/* An active order ends with the bounds of its dosage. One that has ended did so by now: an end that
 * lies ahead is the one that was planned, and when it really ended is not known. */
struct exposure order_exposure(const struct chart_order *order, int64_t now_ms)
{
    struct exposure at = { .start_ms = order_start(order),
                           .end_ms = order->end_ms,
                           .next_ms = INSTANT_NEVER };

    switch (order->state) {
    case ORDER_REMOVED:
    case ORDER_DRAFT:
        at.state = EXPOSURE_NONE;
        return at;
    case ORDER_UNCLEAR:
        at.state = EXPOSURE_UNCLEAR;
        return at;
    case ORDER_ENDED:
        at.state = EXPOSURE_ENDED;
        if (at.end_ms <= now_ms) return at;
        at.next_ms = at.end_ms; /* then it counts as ended by then */
        at.end_ms = INSTANT_UNSET;
        return at;
    case ORDER_ACTIVE:
    case ORDER_HELD:
        break;
    }
    if (at.end_ms != INSTANT_UNSET && at.end_ms <= now_ms) {
        at.state = EXPOSURE_ENDED;
        return at;
    }
    at.next_ms = at.end_ms == INSTANT_UNSET ? INSTANT_NEVER : at.end_ms;
    at.state = order->state == ORDER_HELD ? EXPOSURE_HELD : EXPOSURE_ACTIVE;
    if (at.start_ms <= now_ms) return at;
    at.state = EXPOSURE_PLANNED;
    if (at.start_ms < at.next_ms) at.next_ms = at.start_ms;
    return at;
}

bool order_is_over(const struct chart_order *order, int64_t now_ms)
{
    struct exposure at = order_exposure(order, now_ms);

    return at.state == EXPOSURE_ENDED && at.next_ms == INSTANT_NEVER;
}
