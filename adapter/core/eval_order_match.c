/* Which orders count for an order clause: one by itself, several of one drug together. */
#include <string.h>

#include "core/eval_order_impl.h"

/* ---- one order against one clause */

unsigned order_bound(const struct eval *eval, const struct order_clause *clause)
{
    return clause->binding == BINDING_NONE ? CONCEPT_NONE : eval->bound[clause->binding];
}

bool order_asks_over(const struct order_clause *clause)
{
    return clause->wanted == ORDER_WANT_ENDED || clause->linger_drugs.count;
}

static bool is_longer(struct duration a, struct duration b)
{
    return instant_add(0, a, 1) > instant_add(0, b, 1);
}

const struct duration *order_linger(const struct order_clause *clause, unsigned concept)
{
    const struct duration *longest = NULL;

    for (size_t i = 0; i < clause->linger_drugs.count; i++) {
        if (clause->linger_drugs.items[i] == concept) return &clause->linger[i];
        if (!longest || is_longer(clause->linger[i], *longest)) longest = &clause->linger[i];
    }
    return concept == CONCEPT_NONE ? longest : NULL;
}

bool order_is_wanted(enum order_wanted wanted, enum exposure_state state)
{
    switch (wanted) {
    case ORDER_WANT_ACTIVE:
        return state == EXPOSURE_ACTIVE;
    case ORDER_WANT_HELD:
        return state == EXPOSURE_HELD;
    case ORDER_WANT_ACTIVE_OR_HELD:
        return state == EXPOSURE_ACTIVE || state == EXPOSURE_HELD;
    case ORDER_WANT_ACTIVE_OR_PLANNED:
        return state == EXPOSURE_ACTIVE || state == EXPOSURE_PLANNED;
    case ORDER_WANT_PLANNED:
        return state == EXPOSURE_PLANNED;
    case ORDER_WANT_ENDED:
        return state == EXPOSURE_ENDED;
    }
    return false;
}

/* Does the moment an order is in count for this clause? */
static struct answer state_answer(const struct eval *eval, const struct order_clause *clause,
                                  const struct exposure *at, unsigned concept)
{
    const struct duration *linger = order_linger(clause, concept);
    struct answer answer = ANSWER_FALSE;
    int64_t over;

    if (at->state == EXPOSURE_UNCLEAR) return answer_unknown(DOUBT_STATUS);
    answer_until(eval, &answer, at->next_ms);
    if (order_is_wanted(clause->wanted, at->state)) {
        answer.truth = TRUTH_TRUE;
    } else if (linger && at->state == EXPOSURE_ENDED) {
        over = instant_add(at->end_ms, *linger, 1);
        if (over == INSTANT_UNSET)
            answer = (struct answer){ TRUTH_UNKNOWN, DOUBT_TIME, answer.next_ms };
        else if (over > eval->now_ms)
            answer.truth = TRUTH_TRUE;
        answer_until(eval, &answer, over);
    }
    return answer;
}

struct answer ago_answer(const struct eval *eval, int64_t ms, struct duration length, bool within)
{
    struct answer answer = ANSWER_FALSE;
    int64_t over;

    if (ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
    over = instant_add(ms, length, 1);
    if ((eval->now_ms <= over) == within) answer.truth = TRUTH_TRUE;
    answer_past(eval, &answer, over);
    return answer;
}

static struct answer times_answer(const struct eval *eval, const struct order_clause *clause,
                                  const struct exposure *at)
{
    struct answer answer = ANSWER_TRUE;

    if (clause->has_started_within)
        answer = answer_both(answer, ago_answer(eval, at->start_ms, clause->started_within, true));
    if (clause->has_started_before)
        answer = answer_both(answer, ago_answer(eval, at->start_ms, clause->started_before, false));
    if (clause->has_ended_within)
        answer = answer_both(answer, ago_answer(eval, at->end_ms, clause->ended_within, true));
    return answer;
}

#define ROUTE_BIT(route) (UINT32_C(1) << (route))

/* What "parenteral", or a product for injection, may mean. */
static const uint32_t injected = ROUTE_BIT(ROUTE_INTRAVENOUS) | ROUTE_BIT(ROUTE_SUBCUTANEOUS) |
                                 ROUTE_BIT(ROUTE_INTRAMUSCULAR) | ROUTE_BIT(ROUTE_INTRATHECAL) |
                                 ROUTE_BIT(ROUTE_INTRAVITREAL) | ROUTE_BIT(ROUTE_INTRAARTICULAR) |
                                 ROUTE_BIT(ROUTE_OTHER);

static struct answer route_answer(const struct order_clause *clause, enum drug_route route)
{
    if (clause->routes & ROUTE_BIT(route)) return ANSWER_TRUE;
    if (route == ROUTE_UNKNOWN) return answer_unknown(DOUBT_DOSE);
    if (route == ROUTE_PARENTERAL && clause->routes & injected) return answer_unknown(DOUBT_DOSE);
    return ANSWER_FALSE;
}

/* What can be asked of an order whatever its drug is. */
static struct answer frame_answer(const struct eval *eval, const struct order_clause *clause,
                                  const struct chart_order *order, unsigned concept)
{
    struct exposure at = exposure_of(eval, order);
    struct answer answer = state_answer(eval, clause, &at, concept);

    if (answer.truth == TRUTH_FALSE) return answer;
    if (at.state == EXPOSURE_ACTIVE) /* then the order is told with other words */
        answer_until(eval, &answer, order->expiry_ms);
    if (clause->routes) answer = answer_both(answer, route_answer(clause, order->route));
    if (clause->starts.given)
        answer = answer_both(answer, pairing_answer(eval, &clause->starts, order));
    if (clause->times.given)
        answer = answer_both(answer, pairing_answer(eval, &clause->times, order));
    if (!clause->has_started_within && !clause->has_started_before && !clause->has_ended_within)
        return answer;
    return answer_both(answer, times_answer(eval, clause, &at));
}

/* The dose in the unit that the clause asks for, where there is a way. */
static const struct dose *dose_asked(const struct eval *eval, const struct order_clause *clause,
                                     const struct drug_place *place, struct dose *room)
{
    const struct dose *dose = &place->drug->dose;

    return clause->dose_unit ? dose_as(eval, dose, clause->dose_unit, room) : dose;
}

static struct answer wishes_answer(const struct eval *eval, const struct order_clause *clause,
                                   const struct drug_place *place)
{
    struct answer answer = frame_answer(eval, clause, place->order, place->concept);
    struct dose room;

    if (!clause->dose_unit && !clause->continuous) return answer;
    return answer_both(answer,
                       doses_answer(clause, place->order, dose_asked(eval, clause, place, &room)));
}

struct answer order_match(const struct eval *eval, const struct order_clause *clause,
                          const struct drug_place *place)
{
    struct answer answer = ANSWER_FALSE;

    if (place->drug->use == USE_LOCAL && !clause->any_use) return answer;
    if (!place->over || order_asks_over(clause)) answer = wishes_answer(eval, clause, place);
    if (clause->dose_unit)
        answer_until(eval, &answer, dose_as_until(eval, &place->drug->dose, clause->dose_unit));
    return answer;
}

struct answer order_unmapped(const struct eval *eval, const struct order_clause *clause,
                             const struct chart_order *order)
{
    struct answer answer = frame_answer(eval, clause, order, CONCEPT_NONE);

    if (answer.truth == TRUTH_FALSE) return answer;
    answer.truth = TRUTH_UNKNOWN;
    answer.doubts = DOUBT_UNMAPPED;
    return answer;
}

/* ---- orders for one drug that may replace each other, or add up */

/* The daily doses that may be taken together. */
struct sum {
    struct interval daily;
    enum truth alone; /* what the clause says of each; TRUTH_UNKNOWN where they differ */
    unsigned count;
};

/* Is the daily dose known, and all that keeps the order from being one of the clause? */
static bool is_summand(const struct order_clause *clause, const struct drug_place *place,
                       const struct dose *dose, struct answer frame, const struct exposure *at)
{
    if (at->state != EXPOSURE_ACTIVE && at->state != EXPOSURE_UNCLEAR) return false;
    if (frame.truth == TRUTH_FALSE) return false;
    if (intake_answer(clause, place->order, dose).truth == TRUTH_FALSE) return false;
    return dose->daily_known && strcmp(dose->unit, clause->dose_unit) == 0;
}

static void sum_add(struct sum *sum, const struct interval *daily, enum truth alone)
{
    if (!sum->count++) {
        sum->daily = *daily;
        sum->alone = alone;
        return;
    }
    if (alone != sum->alone) sum->alone = TRUTH_UNKNOWN;
    sum->daily.low = decimal_add(sum->daily.low, daily->low);
    sum->daily.high = decimal_add(sum->daily.high, daily->high);
    sum->daily.low_none |= daily->low_none;
    sum->daily.high_none |= daily->high_none;
    sum->daily.low_open |= daily->low_open;
    sum->daily.high_open |= daily->high_open;
}

struct answer order_sum(const struct eval *eval, const struct order_clause *clause,
                        const struct drug_place *places, size_t count, unsigned *ret_count)
{
    struct answer answer = ANSWER_FALSE;
    struct sum sum = { .alone = TRUTH_UNKNOWN };

    if (!asks_average(clause) || count < 2) return answer;
    for (size_t i = 0; i < count; i++) {
        const struct drug_place *place = &places[i];
        struct exposure at;
        const struct dose *dose;
        struct answer frame;
        struct dose room;
        if (place->drug->use == USE_LOCAL && !clause->any_use) continue;
        if (place->over && !order_asks_over(clause)) continue;
        at = exposure_of(eval, place->order);
        frame = frame_answer(eval, clause, place->order, place->concept);
        answer_until(eval, &answer, frame.next_ms);
        dose = dose_asked(eval, clause, place, &room);
        if (!is_summand(clause, place, dose, frame, &at)) continue;
        sum_add(&sum, &dose->daily, average_answer(clause, place->order, dose).truth);
    }
    if (sum.count < 2 || sum.alone == TRUTH_UNKNOWN) return answer;
    if (average_judge(clause, NULL, &sum.daily).truth == sum.alone) return answer;
    if (ret_count) *ret_count = sum.count;
    return (struct answer){ TRUTH_UNKNOWN, DOUBT_DOSE, answer.next_ms };
}

bool order_may_add_up(const struct eval *eval, const struct order_clause *clause,
                      const struct drug_place *place)
{
    struct dose room;
    struct exposure at = exposure_of(eval, place->order);
    const struct drug_place *places;
    size_t count = drug_index_find(&eval->index, place->concept, &places);

    if (place->drug->use == USE_LOCAL && !clause->any_use) return false;
    if (order_sum(eval, clause, places, count, NULL).truth != TRUTH_UNKNOWN) return false;
    return is_summand(clause, place, dose_asked(eval, clause, place, &room),
                      frame_answer(eval, clause, place->order, place->concept), &at);
}
