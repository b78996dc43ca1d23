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

/* Was it then as it is now? On hold it has been since its last change, as far as the record says. */
static bool was_so(const struct chart_order *order, int64_t then_ms)
{
    if (order->state == ORDER_HELD) return order->source.updated_ms <= then_ms;
    if (order->state == ORDER_ENDED)
        return order->end_ms != INSTANT_UNSET && order->end_ms <= then_ms;
    return true;
}

/* Looking back: what is on hold now, or over, ran before. When it ended, nobody may have said. */
static struct exposure exposure_then(const struct chart_order *order, int64_t then_ms)
{
    struct chart_order was = *order;
    struct exposure at;

    if (was_so(order, then_ms)) return order_exposure(order, then_ms);
    was.state = ORDER_ACTIVE;
    at = order_exposure(&was, then_ms);
    if (order->state == ORDER_HELD && order->source.updated_ms < at.next_ms)
        at.next_ms = order->source.updated_ms;
    if (at.state == EXPOSURE_ACTIVE && order->end_ms == INSTANT_UNSET) at.state = EXPOSURE_UNCLEAR;
    return at;
}

struct exposure exposure_of(const struct eval *eval, const struct chart_order *order)
{
    return eval->back ? exposure_then(order, eval->now_ms) : order_exposure(order, eval->now_ms);
}

bool is_over(const struct eval *eval, const struct chart_order *order)
{
    struct exposure at = exposure_of(eval, order);

    return at.state == EXPOSURE_ENDED && at.next_ms == INSTANT_NEVER;
}
