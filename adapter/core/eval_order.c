/* Order clauses: who takes what, when. */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

static int64_t order_start(const struct chart_order *order)
{
    return order->start_ms != INSTANT_UNSET ? order->start_ms : order->authored_ms;
}

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
        return at;
    case ORDER_ACTIVE:
    case ORDER_HELD:
        break;
    }
    if (at.end_ms != INSTANT_UNSET && at.end_ms <= now_ms) {
        at.state = EXPOSURE_ENDED;
    } else if (at.start_ms != INSTANT_UNSET && at.start_ms > now_ms) {
        at.state = EXPOSURE_PLANNED;
        at.next_ms = at.start_ms;
    } else {
        at.state = order->state == ORDER_HELD ? EXPOSURE_HELD : EXPOSURE_ACTIVE;
        at.next_ms = at.end_ms == INSTANT_UNSET ? INSTANT_NEVER : at.end_ms;
    }
    return at;
}

const struct chart_ingredient *order_ingredient(const struct chart_order *order,
                                                const struct concept_set *drugs, unsigned bound,
                                                bool any_use)
{
    for (size_t i = 0; i < order->ingredient_count; i++) {
        const struct chart_ingredient *at = &order->ingredients[i];
        if (bound != CONCEPT_NONE && at->concept != bound) continue;
        if (!concept_set_has(drugs, at->concept)) continue;
        if (at->use == USE_LOCAL && !any_use) continue;
        return at;
    }
    return NULL;
}

/* ---- one order against one clause */

static const struct duration *linger_of(const struct order_clause *clause, unsigned concept)
{
    for (size_t i = 0; i < clause->linger_drugs.count; i++)
        if (clause->linger_drugs.items[i] == concept) return &clause->linger[i];
    return NULL;
}

/* Does the moment an order is in count for this clause? */
static struct answer state_answer(const struct eval *eval, const struct order_clause *clause,
                                  const struct exposure *at, unsigned concept)
{
    const struct duration *linger = linger_of(clause, concept);
    struct answer answer = ANSWER_FALSE;

    if (at->state == EXPOSURE_UNCLEAR) return answer_unknown(DOUBT_STATUS);
    answer_until(eval, &answer, at->next_ms);
    switch (clause->wanted) {
    case ORDER_WANT_ACTIVE:
        if (at->state == EXPOSURE_ACTIVE) answer.truth = TRUTH_TRUE;
        break;
    case ORDER_WANT_HELD:
        if (at->state == EXPOSURE_HELD) answer.truth = TRUTH_TRUE;
        break;
    case ORDER_WANT_ACTIVE_OR_HELD:
        if (at->state == EXPOSURE_ACTIVE || at->state == EXPOSURE_HELD) answer.truth = TRUTH_TRUE;
        break;
    case ORDER_WANT_PLANNED:
        if (at->state == EXPOSURE_PLANNED) answer.truth = TRUTH_TRUE;
        break;
    case ORDER_WANT_ENDED:
        if (at->state == EXPOSURE_ENDED) answer.truth = TRUTH_TRUE;
        break;
    }
    if (answer.truth == TRUTH_TRUE || !linger || at->state != EXPOSURE_ENDED) return answer;
    if (at->end_ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
    int64_t over = instant_add(at->end_ms, *linger, 1);
    if (over > eval->now_ms) answer.truth = TRUTH_TRUE;
    answer_until(eval, &answer, over);
    return answer;
}

/* Is ms later than now - length (within), or not (before)? */
static struct answer span_answer(const struct eval *eval, int64_t ms, struct duration length,
                                 bool within)
{
    struct answer answer = ANSWER_FALSE;
    int64_t over;

    if (ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
    over = instant_add(ms, length, 1);
    if ((eval->now_ms <= over) == within) answer.truth = TRUTH_TRUE;
    answer_until(eval, &answer, over == INSTANT_NEVER ? over : over + 1);
    return answer;
}

static struct answer both(struct answer a, struct answer b)
{
    struct answer answer = { truth_and(a.truth, b.truth), 0,
                             a.next_ms < b.next_ms ? a.next_ms : b.next_ms };

    if (answer.truth != TRUTH_UNKNOWN) return answer;
    answer.doubts = (a.truth == TRUTH_UNKNOWN ? a.doubts : 0) |
                    (b.truth == TRUTH_UNKNOWN ? b.doubts : 0);
    return answer;
}

static struct answer dose_answer(bool known, const struct interval *dose, const char *unit,
                                 const struct threshold *limit, const char *limit_unit)
{
    enum truth truth;

    if (!known || strcmp(unit, limit_unit) != 0) return answer_unknown(DOUBT_DOSE);
    truth = interval_compare(dose, limit->compare, limit->low);
    if (limit->range)
        truth = truth_and(interval_compare(dose, COMPARE_AT_LEAST, limit->low),
                          interval_compare(dose, COMPARE_AT_MOST, limit->high));
    return truth == TRUTH_UNKNOWN ? answer_unknown(DOUBT_DOSE)
                                  : (struct answer){ truth, 0, INSTANT_NEVER };
}

static struct answer route_answer(const struct order_clause *clause, enum drug_route route)
{
    if (!clause->routes || clause->routes & UINT32_C(1) << route) return ANSWER_TRUE;
    return route == ROUTE_UNKNOWN || route == ROUTE_PARENTERAL ? answer_unknown(DOUBT_DOSE)
                                                               : ANSWER_FALSE;
}

/* One order that has the drug: does it satisfy the clause? */
static struct answer match_answer(const struct eval *eval, const struct order_clause *clause,
                                  const struct chart_order *order,
                                  const struct chart_ingredient *drug)
{
    struct exposure at = order_exposure(order, eval->now_ms);
    struct answer answer = state_answer(eval, clause, &at, drug->concept);

    answer = both(answer, route_answer(clause, order->route));
    if (clause->has_single)
        answer = both(answer, dose_answer(drug->dose.single_known, &drug->dose.single,
                                          drug->dose.unit, &clause->single, clause->dose_unit));
    if (clause->has_daily)
        answer = both(answer, dose_answer(drug->dose.daily_known, &drug->dose.daily,
                                          drug->dose.unit, &clause->daily, clause->dose_unit));
    if (clause->continuous && !order->continuous)
        answer = both(answer, drug->dose.daily_known ? ANSWER_FALSE : answer_unknown(DOUBT_DOSE));
    if (clause->has_started_within)
        answer = both(answer, span_answer(eval, at.start_ms, clause->started_within, true));
    if (clause->has_started_before)
        answer = both(answer, span_answer(eval, at.start_ms, clause->started_before, false));
    if (clause->has_ended_within)
        answer = both(answer, span_answer(eval, at.end_ms, clause->ended_within, true));
    return answer;
}

/* An order that no mapping knows could be any drug, as long as it counts at all. */
static struct answer unmapped_answer(const struct eval *eval, const struct order_clause *clause,
                                     const struct chart_order *order)
{
    struct exposure at = order_exposure(order, eval->now_ms);
    struct answer answer = state_answer(eval, clause, &at, CONCEPT_NONE);

    if (answer.truth == TRUTH_FALSE) return answer;
    answer.truth = TRUTH_UNKNOWN;
    answer.doubts = DOUBT_UNMAPPED;
    return answer;
}

/* ---- words */

static void order_say(struct eval *eval, struct trace *t, const struct chart_order *order,
                      const struct chart_ingredient *drug)
{
    struct exposure at = order_exposure(order, eval->now_ms);
    AUTO(buf_done) struct buf text = { 0 };
    char date[16];

    if (!t) return;
    buf_printf(&text, "%s order: %s", at.state == EXPOSURE_HELD      ? "Held"
                                      : at.state == EXPOSURE_ENDED   ? "Ended"
                                      : at.state == EXPOSURE_PLANNED ? "Planned"
                                      : at.state == EXPOSURE_UNCLEAR ? "Unclear"
                                                                     : "Active",
               drug ? concept_words(eval->knowledge, drug->concept) : order->label);
    if (order->dosage[0]) buf_printf(&text, ", %s", order->dosage);
    if (at.start_ms != INSTANT_UNSET)
        buf_printf(&text, ", since %s", instant_date(at.start_ms, date, sizeof date));
    if (at.state == EXPOSURE_ENDED && at.end_ms != INSTANT_UNSET && at.end_ms != INSTANT_NEVER)
        buf_printf(&text, ", ended %s", instant_date(at.end_ms, date, sizeof date));
    if (at.state == EXPOSURE_UNCLEAR) buf_printf(&text, " (%s)", order->why);
    if (order->expiry_ms <= eval->now_ms && at.state == EXPOSURE_ACTIVE)
        buf_printf(&text, " (the prescription's validity ended %s, the order is still active)",
                   instant_date(order->expiry_ms, date, sizeof date));
    trace_say(eval, t, "%s%s.", t->text[0] ? " " : "", buf_string(&text));
    trace_fact(eval, t, TRACE_ORDER, &order->source);
}

static void unmapped_say(struct eval *eval, struct trace *t, const struct chart_order *order)
{
    if (!t) return;
    trace_say(eval, t, "%sThe drug of %s/%s is not known (%s): it could be one of these.",
              t->text[0] ? " " : "", order->source.type, order->source.id,
              order->unmapped ? order->unmapped : "no code");
}

/* ---- the clause */

struct found {
    struct answer answer;     /* of all orders together */
    unsigned drugs[64];       /* different drugs with a true order */
    size_t drug_count;
    unsigned maybe;           /* different further drugs (or unmapped orders) that may count */
};

static void found_drug(struct found *found, unsigned concept)
{
    for (size_t i = 0; i < found->drug_count; i++)
        if (found->drugs[i] == concept) return;
    if (found->drug_count < ARRAY_SIZE(found->drugs)) found->drugs[found->drug_count++] = concept;
}

static void found_add(struct found *found, struct answer answer, unsigned concept)
{
    if (answer.next_ms < found->answer.next_ms) found->answer.next_ms = answer.next_ms;
    if (answer.truth == TRUTH_TRUE) found_drug(found, concept);
    if (answer.truth == TRUTH_UNKNOWN) {
        found->maybe++;
        found->answer.doubts |= answer.doubts;
    }
}

static void orders_find(struct eval *eval, const struct order_clause *clause, unsigned bound,
                        struct found *found)
{
    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        const struct chart_ingredient *drug;
        if (!order->ingredient_count) {
            found_add(found, unmapped_answer(eval, clause, order), CONCEPT_NONE);
            continue;
        }
        drug = order_ingredient(order, &clause->drugs, bound, clause->any_use);
        if (drug) found_add(found, match_answer(eval, clause, order, drug), drug->concept);
    }
}

/* Tell the orders that made the answer: the true ones, else the doubtful ones. */
static void orders_tell(struct eval *eval, const struct order_clause *clause, unsigned bound,
                        enum truth truth, struct trace *t)
{
    for (size_t i = 0; t && truth != TRUTH_FALSE && i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        const struct chart_ingredient *drug =
            order_ingredient(order, &clause->drugs, bound, clause->any_use);
        if (!order->ingredient_count) {
            if (truth == TRUTH_UNKNOWN &&
                unmapped_answer(eval, clause, order).truth == TRUTH_UNKNOWN)
                unmapped_say(eval, t, order);
        } else if (drug && match_answer(eval, clause, order, drug).truth == truth) {
            order_say(eval, t, order, drug);
        }
    }
}

/* Several different drugs at once: have two of them overlapped for long enough? */
static struct answer overlap_answer(struct eval *eval, const struct order_clause *clause,
                                    const struct found *found)
{
    int64_t starts[64], nth;
    size_t count = 0;

    for (size_t d = 0; d < found->drug_count; d++) {
        int64_t first = INSTANT_NEVER;
        for (size_t i = 0; i < eval->chart->order_count; i++) {
            const struct chart_order *order = &eval->chart->orders[i];
            const struct chart_ingredient *drug =
                order_ingredient(order, &clause->drugs, found->drugs[d], clause->any_use);
            if (!drug || match_answer(eval, clause, order, drug).truth != TRUTH_TRUE) continue;
            if (order_start(order) == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
            if (order_start(order) < first) first = order_start(order);
        }
        /* ascending: the at_least-th start is when enough of them were active together */
        size_t at = count++;
        for (; at > 0 && starts[at - 1] > first; at--) starts[at] = starts[at - 1];
        starts[at] = first;
    }
    nth = instant_add(starts[clause->at_least - 1], clause->overlap, 1);
    struct answer answer = { eval->now_ms > nth ? TRUTH_TRUE : TRUTH_FALSE, 0, INSTANT_NEVER };
    answer_until(eval, &answer, nth == INSTANT_NEVER ? nth : nth + 1);
    return answer;
}

static struct answer found_judge(struct eval *eval, const struct order_clause *clause,
                                 struct found *found)
{
    struct answer answer = found->answer;

    if (found->drug_count >= clause->at_least) {
        answer.truth = TRUTH_TRUE;
        answer.doubts = 0;
        if (clause->has_overlap && clause->at_least > 1)
            answer = both(answer, overlap_answer(eval, clause, found));
    } else if (found->drug_count + found->maybe >= clause->at_least) {
        answer.truth = TRUTH_UNKNOWN;
    } else {
        answer.truth = TRUTH_FALSE;
        answer.doubts = 0;
    }
    return answer;
}

static void absence_say(struct eval *eval, const struct order_clause *clause,
                        const struct answer *answer, struct trace *t)
{
    if (!t || answer->truth != TRUTH_FALSE) return;
    trace_say(eval, t, "No active order for %s.", clause->words);
}

struct answer order_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct order_clause *order = &clause->order;
    unsigned bound = order->binding == BINDING_NONE ? CONCEPT_NONE : eval->bound[order->binding];
    struct found found = { .answer = ANSWER_FALSE };
    struct answer answer;

    orders_find(eval, order, bound, &found);
    answer = found_judge(eval, order, &found);
    orders_tell(eval, order, bound, answer.truth, t);
    absence_say(eval, order, &answer, t);
    if (order->absent) answer.truth = truth_not(answer.truth);
    if (answer.truth == TRUTH_FALSE)
        trace_change(eval, t, order->absent ? "the end of the order for %s" : "an order for %s",
                     order->words);
    else if (answer.truth == TRUTH_UNKNOWN)
        trace_change(eval, t, "a code, status, date or dose that can be read for the orders named");
    return answer;
}

size_t order_candidates(struct eval *eval, const struct order_clause *clause, unsigned *ret,
                        size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        for (size_t j = 0; j < order->ingredient_count; j++) {
            unsigned concept = order->ingredients[j].concept;
            const struct chart_ingredient *drug =
                order_ingredient(order, &clause->drugs, concept, clause->any_use);
            size_t at = 0;
            if (!drug || match_answer(eval, clause, order, drug).truth == TRUTH_FALSE) continue;
            while (at < count && ret[at] < concept) at++;
            if (at < count && ret[at] == concept) continue;
            if (count == max) return count;
            memmove(ret + at + 1, ret + at, (count - at) * sizeof *ret);
            ret[at] = concept;
            count++;
        }
    }
    return count;
}

/* ---- courses */

/* Does the order belong to the course asked about? */
static bool of_course(const struct eval *eval, const struct chart_order *order,
                      const struct concept_set *drugs)
{
    if (order->state == ORDER_REMOVED || order->state == ORDER_DRAFT) return false;
    for (size_t i = 0; i < order->ingredient_count; i++) {
        unsigned concept = order->ingredients[i].concept;
        if (drugs->count ? concept_set_has(drugs, concept) : concept == eval->bound[0]) return true;
    }
    return false;
}

/* The earliest start of an order that reaches, but for a short pause, to the start given. */
static int64_t course_earlier(const struct eval *eval, const struct concept_set *drugs,
                              int64_t start)
{
    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        int64_t at = order_start(order);
        int64_t end = order->end_ms == INSTANT_UNSET ? at : order->end_ms;
        if (at == INSTANT_UNSET || at >= start || !of_course(eval, order, drugs)) continue;
        if (end == INSTANT_NEVER || end + COURSE_PAUSE >= start) return at;
    }
    return start;
}

int64_t course_start(const struct eval *eval, const struct concept_set *drugs)
{
    int64_t start = INSTANT_UNSET, earlier;

    for (size_t i = 0; i < eval->chart->order_count; i++) { /* the newest start reached */
        const struct chart_order *order = &eval->chart->orders[i];
        int64_t at = order_start(order);
        if (at == INSTANT_UNSET || at > eval->now_ms || !of_course(eval, order, drugs)) continue;
        if (at > start) start = at;
    }
    if (start == INSTANT_UNSET) return start;
    while ((earlier = course_earlier(eval, drugs, start)) < start) start = earlier;
    return start;
}
