/* What an order clause asks of another order beside the order: starts near it, times of day in common. */
#include "core/eval_impl.h"

/* ---- two orders */

/* The first and the last moment at which an order may have begun. */
static bool start_of(const struct chart_order *order, int64_t *ret_first, int64_t *ret_last)
{
    if (order->start_ms == INSTANT_UNSET) return false; /* when it was written says nothing of it */
    *ret_first = order->start_ms;
    *ret_last = order->start_ms + (order->start_span_ms ? order->start_span_ms - 1 : 0);
    return true;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct answer starts_near(const struct chart_order *a, const struct chart_order *b,
                                 struct duration length)
{
    int64_t a_first, a_last, b_first, b_last;

    if (!start_of(a, &a_first, &a_last) || !start_of(b, &b_first, &b_last))
        return answer_unknown(DOUBT_TIME);
    if (larger(b_last - a_first, a_last - b_first) <= length.ms) return ANSWER_TRUE;
    if (larger(b_first - a_last, a_first - b_last) > length.ms) return ANSWER_FALSE;
    return answer_unknown(DOUBT_TIME);
}

static struct answer same_time(const struct chart_order *a, const struct chart_order *b)
{
    switch (day_times_meet(&a->times, &b->times)) {
    case TRUTH_TRUE:
        return ANSWER_TRUE;
    case TRUTH_FALSE:
        return ANSWER_FALSE;
    case TRUTH_UNKNOWN:
        break;
    }
    return answer_unknown(DOUBT_TIME);
}

static struct answer pair_answer(const struct pair_clause *pair, const struct chart_order *a,
                                 const struct chart_order *b)
{
    return pair->same_time ? same_time(a, b) : starts_near(a, b, pair->length);
}

/* ---- the other orders */

static struct answer is_there(const struct eval *eval, const struct chart_order *order)
{
    struct exposure at = exposure_of(eval, order);
    struct answer answer = ANSWER_FALSE;

    if (at.state == EXPOSURE_UNCLEAR) return answer_unknown(DOUBT_STATUS);
    if (at.state == EXPOSURE_ACTIVE || at.state == EXPOSURE_PLANNED) answer.truth = TRUTH_TRUE;
    answer_until(eval, &answer, at.next_ms);
    return answer;
}

static struct answer place_answer(const struct eval *eval, const struct pair_clause *pair,
                                  const struct chart_order *order, const struct drug_place *place)
{
    if (place->order == order || place->drug->use == USE_LOCAL) return ANSWER_FALSE;
    return answer_both(is_there(eval, place->order), pair_answer(pair, order, place->order));
}

static struct answer unmapped_answer(const struct eval *eval, const struct pair_clause *pair,
                                     const struct chart_order *order,
                                     const struct chart_order *other)
{
    struct answer answer;

    if (other == order) return ANSWER_FALSE;
    answer = answer_both(is_there(eval, other), pair_answer(pair, order, other));
    if (answer.truth == TRUTH_FALSE) return answer;
    return (struct answer){ TRUTH_UNKNOWN, DOUBT_UNMAPPED, answer.next_ms };
}

struct answer pairing_answer(const struct eval *eval, const struct pair_clause *pair,
                             const struct chart_order *order)
{
    struct answer answer = ANSWER_FALSE;
    const struct drug_place *places = NULL;

    for (size_t i = 0; i < pair->drugs.count; i++) {
        size_t count = drug_index_find(&eval->index, pair->drugs.items[i], &places);
        for (size_t j = 0; j < count; j++)
            answer = answer_either(answer, place_answer(eval, pair, order, &places[j]));
    }
    for (size_t i = 0; i < eval->index.unmapped_count; i++)
        answer = answer_either(answer, unmapped_answer(eval, pair, order, eval->index.unmapped[i]));
    return answer;
}

/* ---- words */

static void partner_say(struct eval *eval, const struct pair_clause *pair,
                        const struct drug_place *place, struct trace *t)
{
    const char *drug = concept_words(eval->knowledge, place->concept);
    char date[16], length[32];

    if (pair->same_time)
        trace_say(eval, t, " A time of day is that of the order for %s, too.", drug);
    else
        trace_say(eval, t, " It starts within %s of the order for %s (%s).",
                  duration_text(pair->length, length, sizeof length), drug,
                  instant_date(place->order->start_ms, date, sizeof date));
    trace_fact(eval, t, TRACE_ORDER, &place->order->source);
}

void pairing_say(struct eval *eval, const struct pair_clause *pair, const struct chart_order *order,
                 struct trace *t)
{
    const struct drug_place *places = NULL;

    for (size_t i = 0; i < pair->drugs.count; i++) {
        size_t count = drug_index_find(&eval->index, pair->drugs.items[i], &places);
        for (size_t j = 0; j < count; j++)
            if (place_answer(eval, pair, order, &places[j]).truth == TRUTH_TRUE)
                partner_say(eval, pair, &places[j], t);
    }
}
