/* Dose days: the 24 hours from each dose that a standing order plans. */
#include "core/eval_impl.h"

static struct duration repeated(struct duration every, int64_t times)
{
    return (struct duration){ .months = (int32_t)(every.months * times), .ms = every.ms * times };
}

/* The whole intervals between start and now. Months are no longer than 31 days: the first guess is
 * never too many. */
static int64_t intervals_since(int64_t start, struct duration every, int64_t now_ms)
{
    int64_t count = (now_ms - start) / (every.months * 31 * INSTANT_DAY + every.ms);

    while (instant_add(start, repeated(every, count + 1), 1) <= now_ms) count++;
    return count;
}

/* Does the order tell its dose days? */
static bool tells_days(const struct drug_place *place, const struct exposure *at)
{
    const struct chart_order *order = place->order;

    return instant_add(0, place->drug->dose.every, 1) > INSTANT_DAY && !order->as_needed &&
           at->start_ms != INSTANT_UNSET &&
           (order->start_ms == INSTANT_UNSET || order->start_span_ms <= INSTANT_DAY);
}

/* The doses of all orders: those that are due now, and what comes next. */
struct doses {
    struct answer answer;
    int64_t due_ms;  /* INSTANT_UNSET: none */
    int64_t over_ms; /* when the first of those that are due is no longer; INSTANT_NEVER: none */
    int64_t next_ms; /* INSTANT_NEVER: none */
};

static void doses_of_order(const struct eval *eval, const struct drug_place *place,
                           const struct exposure *at, struct doses *doses)
{
    struct duration every = place->drug->dose.every;
    int64_t count = intervals_since(at->start_ms, every, eval->now_ms);
    int64_t last = instant_add(at->start_ms, repeated(every, count), 1);
    int64_t next = instant_add(at->start_ms, repeated(every, count + 1), 1);

    if (eval->now_ms < last + INSTANT_DAY) {
        doses->answer.truth = TRUTH_TRUE;
        doses->due_ms = last;
        if (last + INSTANT_DAY < doses->over_ms) doses->over_ms = last + INSTANT_DAY;
    }
    if (next < doses->next_ms) doses->next_ms = next;
}

static struct doses doses_find(const struct eval *eval)
{
    struct doses doses = { ANSWER_FALSE, INSTANT_UNSET, INSTANT_NEVER, INSTANT_NEVER };
    const struct drug_place *places;
    size_t count = drug_index_find(&eval->index, eval->bound[0], &places), active = 0;
    bool told = true;

    for (size_t i = 0; i < count; i++) {
        struct exposure at = exposure_of(eval, places[i].order);
        if (places[i].drug->use == USE_LOCAL) continue;
        answer_until(eval, &doses.answer, at.next_ms);
        if (at.state != EXPOSURE_ACTIVE && at.state != EXPOSURE_UNCLEAR) continue;
        active++;
        if (!tells_days(&places[i], &at))
            told = false;
        else if (at.start_ms <= eval->now_ms)
            doses_of_order(eval, &places[i], &at, &doses);
        else if (at.start_ms < doses.next_ms)
            doses.next_ms = at.start_ms;
    }
    if (active && told) {
        answer_until(eval, &doses.answer, doses.over_ms);
        answer_until(eval, &doses.answer, doses.next_ms);
    } else {
        doses.answer.truth = TRUTH_TRUE;
    }
    return doses;
}

struct answer dose_day_answer(struct eval *eval, struct trace *t)
{
    struct doses doses = doses_find(eval);
    char date[16];

    if (doses.answer.truth == TRUTH_FALSE) {
        trace_say(eval, t, "By start and interval, no dose of %s is due before %s.",
                  concept_words(eval->knowledge, eval->bound[0]),
                  instant_date(doses.next_ms, date, sizeof date));
        trace_change(eval, t, "the day of the next dose");
    } else if (doses.due_ms != INSTANT_UNSET) {
        trace_say(eval, t, "By start and interval, a dose of %s is due on %s. ",
                  concept_words(eval->knowledge, eval->bound[0]),
                  instant_date(doses.due_ms, date, sizeof date));
    }
    return doses.answer;
}
