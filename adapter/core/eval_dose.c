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

/* What is taken in the span. A daily dose such as 40 mg every 7 d has no last digit: of the 18 that
 * are kept, nine places behind the point bring back the total that it stands for. */
static struct interval total_of(const struct interval *daily, struct duration span)
{
    struct decimal ms = decimal_of(span.ms), day = decimal_of(INSTANT_DAY);
    struct interval total = *daily;

    total.low = decimal_round(decimal_divide(decimal_multiply(daily->low, ms), day), 9);
    total.high = decimal_round(decimal_divide(decimal_multiply(daily->high, ms), day), 9);
    return total;
}

struct answer average_judge(const struct order_clause *clause, const struct interval *daily)
{
    struct answer answer = ANSWER_TRUE;
    struct interval total;

    if (clause->has_daily) answer = threshold_answer(daily, &clause->daily, DOUBT_DOSE);
    if (!clause->has_total) return answer;
    total = total_of(daily, clause->total_span);
    return answer_both(answer, threshold_answer(&total, &clause->total, DOUBT_DOSE));
}

struct answer average_answer(const struct order_clause *clause, const struct dose *dose)
{
    if (!asks_average(clause)) return ANSWER_TRUE;
    if (!dose->daily_known || strcmp(dose->unit, clause->dose_unit) != 0)
        return answer_unknown(DOUBT_DOSE);
    return average_judge(clause, &dose->daily);
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
    return answer_both(intake_answer(clause, order, dose), average_answer(clause, dose));
}
