/* What an order clause says. */
#include <string.h>

#include "core/rule_text_impl.h"

/* A switch, so that the compiler tells of a new one. */
static const char *state_words(enum order_wanted wanted)
{
    switch (wanted) {
    case ORDER_WANT_ACTIVE:
        return "active";
    case ORDER_WANT_HELD:
        return "held";
    case ORDER_WANT_ACTIVE_OR_HELD:
        return "active or held";
    case ORDER_WANT_ACTIVE_OR_PLANNED:
        return "active or planned";
    case ORDER_WANT_PLANNED:
        return "planned";
    case ORDER_WANT_ENDED:
        return "ended";
    }
    return "";
}

static void order_state_say(struct buf *out, const struct order_clause *order)
{
    const char *state = state_words(order->wanted);

    if (order->at_least > 1)
        buf_printf(out, "%s%s orders for at least %u different drugs of these: ",
                   order->absent ? "no " : "", state, order->at_least);
    else if (order->absent)
        buf_printf(out, "no %s order for ", state);
    else
        buf_printf(out, "%s %s order for ", strchr("aeiou", state[0]) ? "an" : "a", state);
}

static void dose_say(struct buf *out, const char *what, const struct threshold *limit)
{
    buf_printf(out, ", %s ", what);
    rule_quantity(limit->words, out);
}

static void routes_say(struct buf *out, uint32_t routes)
{
    const char *between = ", route ";

    for (int route = 0; route < 32; route++) {
        if (!(routes & UINT32_C(1) << route)) continue;
        buf_printf(out, "%s%s", between, drug_route_name((enum drug_route)route));
        between = " or ";
    }
}

static void order_limits_say(struct buf *out, const struct order_clause *order)
{
    routes_say(out, order->routes);
    if (order->has_single) dose_say(out, "single dose", &order->single);
    if (order->has_daily) dose_say(out, "daily dose", &order->daily);
    if (order->has_total) dose_say(out, "total dose", &order->total);
    if (order->continuous) buf_text(out, ", every day without a pause");
    if (order->has_started_within) {
        buf_text(out, ", started within the last ");
        duration_say(out, order->started_within);
    }
    if (order->has_started_before) {
        buf_text(out, ", started more than ");
        duration_say(out, order->started_before);
        buf_text(out, " ago");
    }
    if (order->has_ended_within) {
        buf_text(out, ", ended within the last ");
        duration_say(out, order->ended_within);
    }
    if (order->starts.given) {
        buf_text(out, ", with a start within ");
        duration_say(out, order->starts.length);
        buf_printf(out, " before or after that of another order for %s", order->starts.words);
    }
    if (order->times.given)
        buf_printf(out, ", taken at a time of day of another order for %s", order->times.words);
    if (order->has_overlap) {
        buf_text(out, ", together for more than ");
        duration_say(out, order->overlap);
    }
}

static bool same_length(struct duration a, struct duration b)
{
    return a.months == b.months && a.ms == b.ms;
}

/* Is this the first drug that lingers for so long? */
static bool is_first_lingering(const struct order_clause *order, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_length(order->linger[i], order->linger[at])) return false;
    return true;
}

/* The drugs that linger as long as this one, by name unless that is all of them. */
static void linger_say(struct buf *out, const struct order_clause *order, size_t at,
                       const struct knowledge *knowledge)
{
    const char *between = "";
    size_t count = 0;

    for (size_t i = 0; i < order->linger_drugs.count; i++)
        count += same_length(order->linger[i], order->linger[at]);
    for (size_t i = 0; i < order->linger_drugs.count && count < order->drugs.count; i++) {
        if (!same_length(order->linger[i], order->linger[at])) continue;
        buf_printf(out, "%s%s", between, concept_words(knowledge, order->linger_drugs.items[i]));
        between = ", ";
    }
    if (count == order->drugs.count) buf_text(out, "it");
    buf_text(out, " still counts for ");
    duration_say(out, order->linger[at]);
    buf_text(out, " after the order ended");
}

static void lingers_say(struct buf *out, const struct order_clause *order,
                        const struct knowledge *knowledge)
{
    const char *between = " (";

    for (size_t i = 0; i < order->linger_drugs.count; i++) {
        if (!is_first_lingering(order, i)) continue;
        buf_text(out, between);
        linger_say(out, order, i, knowledge);
        between = "; ";
    }
    if (order->linger_drugs.count) buf_char(out, ')');
}

void order_say(struct buf *out, const struct clause *clause, const struct knowledge *knowledge)
{
    const struct order_clause *order = &clause->order;

    order_state_say(out, order);
    buf_text(out, order->words);
    if (order->except_words) buf_printf(out, " (but not %s)", order->except_words);
    order_limits_say(out, order);
    if (order->any_use) buf_text(out, ", local use included");
    lingers_say(out, order, knowledge);
}
