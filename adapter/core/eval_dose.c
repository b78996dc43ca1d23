/* What an order clause asks of the dose. */
#include <string.h>

#include "core/eval_impl.h"

static struct answer dose_answer(bool known, const struct interval *dose, const char *unit,
                                 const struct threshold *limit, const char *limit_unit)
{
    if (!known || strcmp(unit, limit_unit) != 0) return answer_unknown(DOUBT_DOSE);
    return threshold_answer(dose, limit, DOUBT_DOSE);
}

bool asks_average(const struct order_clause *clause)
{
    return clause->has_daily || clause->has_total;
}

/* For how much of the span an order gives its dose, in milliseconds; all of it where that is open. */
static int64_t length_in(const struct chart_order *order, int64_t span_ms)
{
    int64_t start = order->start_ms != INSTANT_UNSET ? order->start_ms : order->authored_ms;

    if (order->end_ms == INSTANT_NEVER || order->end_ms == INSTANT_UNSET) return span_ms;
    if (start == INSTANT_UNSET || order->end_ms - start >= span_ms) return span_ms;
    return order->end_ms > start ? order->end_ms - start : 0;
}

/* What a daily dose makes in so long. One such as 40 mg every 7 d has no last digit: of the 18 that
 * are kept, nine places behind the point bring back the total that it stands for. */
static struct decimal total_of(struct decimal daily, int64_t ms)
{
    struct decimal day = decimal_of(INSTANT_DAY);

    return decimal_round(decimal_divide(decimal_multiply(daily, decimal_of(ms)), day), 9);
}

/* What is taken in the span. Four days at the start of a cycle are not 28: with an order that ends
 * sooner it is what it gives at least, and at most that of the whole span, because another order may go
 * on where this one ends. order NULL: none ends. */
static struct answer total_answer(const struct order_clause *clause,
                                  const struct chart_order *order, const struct interval *daily)
{
    int64_t span_ms = instant_add(0, clause->total_span, 1);
    struct interval total = *daily;

    total.low = total_of(daily->low, order ? length_in(order, span_ms) : span_ms);
    total.high = total_of(daily->high, span_ms);
    return threshold_answer(&total, &clause->total, DOUBT_DOSE);
}

struct answer average_judge(const struct order_clause *clause, const struct chart_order *order,
                            const struct interval *daily)
{
    struct answer answer = ANSWER_TRUE;

    if (clause->has_daily) answer = threshold_answer(daily, &clause->daily, DOUBT_DOSE);
    if (!clause->has_total) return answer;
    return answer_both(answer, total_answer(clause, order, daily));
}

struct answer average_answer(const struct order_clause *clause, const struct chart_order *order,
                             const struct dose *dose)
{
    if (!asks_average(clause)) return ANSWER_TRUE;
    if (!dose->daily_known || strcmp(dose->unit, clause->dose_unit) != 0)
        return answer_unknown(DOUBT_DOSE);
    return average_judge(clause, order, &dose->daily);
}

struct answer intake_answer(const struct order_clause *clause, const struct chart_order *order,
                            const struct dose *dose)
{
    struct answer answer = ANSWER_TRUE;

    if (clause->has_single)
        answer = dose_answer(dose->single_known, &dose->single, dose->unit, &clause->single,
                             clause->dose_unit);
    if (clause->continuous && !order->continuous) {
        bool told = dose->daily_known && !order->pause_said;
        answer = answer_both(answer, told ? ANSWER_FALSE : answer_unknown(DOUBT_DOSE));
    }
    return answer;
}

struct answer doses_answer(const struct order_clause *clause, const struct chart_order *order,
                           const struct dose *dose)
{
    return answer_both(intake_answer(clause, order, dose), average_answer(clause, order, dose));
}
