/* Order clauses: who takes what, when. */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

/* ---- one order against one clause */

/* Can an order that is over be one of the clause, now or later? */
static bool asks_over(const struct order_clause *clause)
{
    return clause->wanted == ORDER_WANT_ENDED || clause->linger_drugs.count;
}

static bool is_longer(struct duration a, struct duration b)
{
    return instant_add(0, a, 1) > instant_add(0, b, 1);
}

/* How long a drug that ended still counts; of one that is not known, the longest that it could be. */
static const struct duration *linger_of(const struct order_clause *clause, unsigned concept)
{
    const struct duration *longest = NULL;

    for (size_t i = 0; i < clause->linger_drugs.count; i++) {
        if (clause->linger_drugs.items[i] == concept) return &clause->linger[i];
        if (!longest || is_longer(clause->linger[i], *longest)) longest = &clause->linger[i];
    }
    return concept == CONCEPT_NONE ? longest : NULL;
}

static bool is_wanted(enum order_wanted wanted, enum exposure_state state)
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
    const struct duration *linger = linger_of(clause, concept);
    struct answer answer = ANSWER_FALSE;
    int64_t over;

    if (at->state == EXPOSURE_UNCLEAR) return answer_unknown(DOUBT_STATUS);
    answer_until(eval, &answer, at->next_ms);
    if (is_wanted(clause->wanted, at->state)) {
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

/* Is ms at most that long ago (within), or longer (not within)? */
static struct answer span_answer(const struct eval *eval, int64_t ms, struct duration length,
                                 bool within)
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
        answer = answer_both(answer, span_answer(eval, at->start_ms, clause->started_within, true));
    if (clause->has_started_before)
        answer =
            answer_both(answer, span_answer(eval, at->start_ms, clause->started_before, false));
    if (clause->has_ended_within)
        answer = answer_both(answer, span_answer(eval, at->end_ms, clause->ended_within, true));
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
    if (!place->over || asks_over(clause)) answer = wishes_answer(eval, clause, place);
    if (clause->dose_unit)
        answer_until(eval, &answer, dose_as_until(eval, &place->drug->dose, clause->dose_unit));
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

/* Orders that are each on one side of the limit, and together on the other: unknown. False where that
 * is not so; next_ms is when it may be. */
static struct answer sum_answer(const struct eval *eval, const struct order_clause *clause,
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
        if (place->over && !asks_over(clause)) continue;
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

/* Is the order one of those whose doses may add up? */
static bool may_add_up(const struct eval *eval, const struct order_clause *clause,
                       const struct drug_place *place)
{
    struct dose room;
    struct exposure at = exposure_of(eval, place->order);
    const struct drug_place *places;
    size_t count = drug_index_find(&eval->index, place->concept, &places);

    if (place->drug->use == USE_LOCAL && !clause->any_use) return false;
    if (sum_answer(eval, clause, places, count, NULL).truth != TRUTH_UNKNOWN) return false;
    return is_summand(clause, place, dose_asked(eval, clause, place, &room),
                      frame_answer(eval, clause, place->order, place->concept), &at);
}

/* An order that no mapping knows could be any drug, as long as it counts at all. */
static struct answer unmapped_answer(const struct eval *eval, const struct order_clause *clause,
                                     const struct chart_order *order)
{
    struct answer answer = frame_answer(eval, clause, order, CONCEPT_NONE);

    if (answer.truth == TRUTH_FALSE) return answer;
    answer.truth = TRUTH_UNKNOWN;
    answer.doubts = DOUBT_UNMAPPED;
    return answer;
}

/* ---- the orders of a clause */

/* The places of the chart that a clause asks about, one drug after the other. */
struct walk {
    const struct eval *eval;
    const struct concept_set *drugs;
    unsigned bound;
    size_t next; /* in drugs */
};

static unsigned bound_of(const struct eval *eval, const struct order_clause *clause)
{
    return clause->binding == BINDING_NONE ? CONCEPT_NONE : eval->bound[clause->binding];
}

/* The same from the side of the chart, which has fewer drugs than a long class. */
static size_t walk_chart(struct walk *walk, const struct drug_place **ret)
{
    const struct drug_index *index = &walk->eval->index;

    while (walk->next < index->count) {
        const struct drug_place *place = &index->places[walk->next];
        size_t count = 1;
        while (walk->next + count < index->count && place[count].concept == place->concept) count++;
        walk->next += count;
        if (walk->bound != CONCEPT_NONE && walk->bound != place->concept) continue;
        if (!concept_set_has(walk->drugs, place->concept)) continue;
        *ret = place;
        return count;
    }
    return 0;
}

/* The next drug that the chart has orders for: their number, 0 at the end. */
static size_t walk_next(struct walk *walk, const struct drug_place **ret)
{
    if (walk->drugs->count > walk->eval->index.count) return walk_chart(walk, ret);
    while (walk->next < walk->drugs->count) {
        unsigned concept = walk->drugs->items[walk->next++];
        size_t count;
        if (walk->bound != CONCEPT_NONE && walk->bound != concept) continue;
        count = drug_index_find(&walk->eval->index, concept, ret);
        if (count) return count;
    }
    return 0;
}

#define FOUND_MAX 64 /* more different drugs at once are not told apart: nobody counts that far */

struct found {
    struct answer answer;      /* next_ms and doubts of all orders together */
    unsigned drugs[FOUND_MAX]; /* with a true order */
    size_t drug_count;
    size_t maybe; /* further drugs, and orders of drugs that are not known, that may count */
};

static void found_drug(struct found *found, unsigned concept, enum truth truth)
{
    if (truth == TRUTH_UNKNOWN) found->maybe++;
    if (truth == TRUTH_TRUE && found->drug_count < FOUND_MAX)
    found->drugs[found->drug_count++] = concept;
}

static enum truth found_order(struct found *found, struct answer answer)
{
    if (answer.next_ms < found->answer.next_ms) found->answer.next_ms = answer.next_ms;
    if (answer.truth == TRUTH_UNKNOWN) found->answer.doubts |= answer.doubts;
    return answer.truth;
}

static void orders_find(const struct eval *eval, const struct order_clause *clause,
                        struct found *found)
{
    struct walk walk = { eval, &clause->drugs, bound_of(eval, clause), 0 };
    const struct drug_place *places;
    size_t count;

    while ((count = walk_next(&walk, &places))) {
        enum truth best = TRUTH_FALSE;
        for (size_t i = 0; i < count; i++)
            best = truth_or(best, found_order(found, order_match(eval, clause, &places[i])));
        if (found_order(found, sum_answer(eval, clause, places, count, NULL)) == TRUTH_UNKNOWN)
            best = TRUTH_UNKNOWN;
        found_drug(found, places->concept, best);
    }
    for (size_t i = 0; i < eval->index.unmapped_count; i++)
        found_drug(found, CONCEPT_NONE,
                   found_order(found, unmapped_answer(eval, clause, eval->index.unmapped[i])));
}

/* Several drugs at once, for longer than asked: the at_least-th of their courses is long enough. */
static struct answer overlap_answer(const struct eval *eval, const struct order_clause *clause,
                                    const struct found *found)
{
    int64_t starts[FOUND_MAX];
    struct answer answer = ANSWER_FALSE;

    for (size_t d = 0; d < found->drug_count; d++) {
        unsigned drug = found->drugs[d];
        struct course course = course_find(eval, &(struct concept_set){ &drug, 1 });
        size_t at = d;
        if (course.start_ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
        for (; at > 0 && starts[at - 1] > course.start_ms; at--) starts[at] = starts[at - 1];
        starts[at] = course.start_ms;
        answer_until(eval, &answer, course.next_ms);
    }
    return answer_both(ANSWER_TRUE,
                       span_answer(eval, starts[clause->at_least - 1], clause->overlap, false));
}

static struct answer found_judge(const struct eval *eval, const struct order_clause *clause,
                                 const struct found *found)
{
    struct answer answer = found->answer;

    if (found->drug_count >= clause->at_least) {
        answer.truth = TRUTH_TRUE;
        answer.doubts = 0;
        if (clause->has_overlap) answer = answer_both(answer, overlap_answer(eval, clause, found));
    } else if (found->drug_count + found->maybe >= clause->at_least) {
        answer.truth = TRUTH_UNKNOWN;
    } else {
        answer.doubts = 0;
    }
    return answer;
}

/* ---- words */

/* Why an order that is over counts. */
static void linger_say(struct eval *eval, const struct order_clause *clause, unsigned concept,
                       struct trace *t)
{
    const struct duration *linger = linger_of(clause, concept);
    char length[32];

    if (linger && !is_wanted(clause->wanted, EXPOSURE_ENDED))
        trace_say(eval, t, " (its effect counts for %s after the end)",
                  duration_text(*linger, length, sizeof length));
}

static void order_say(struct eval *eval, const struct order_clause *clause, struct trace *t,
                      const struct drug_place *place)
{
    static const char *const states[] = {
        [EXPOSURE_ACTIVE] = "Active",   [EXPOSURE_HELD] = "Held", [EXPOSURE_ENDED] = "Ended",
        [EXPOSURE_PLANNED] = "Planned", [EXPOSURE_NONE] = "No",   [EXPOSURE_UNCLEAR] = "Unclear",
    };
    const struct chart_order *order = place->order;
    struct exposure at = exposure_of(eval, order);
    char date[16];

    trace_say(eval, t, "%s%s order: %s", t->text[0] ? " " : "", states[at.state],
              concept_words(eval->knowledge, place->concept));
    if (order->by_name) trace_say(eval, t, " (matched by name, no code)");
    if (order->dosage[0]) trace_say(eval, t, ", %s", order->dosage);
    if (at.start_ms != INSTANT_UNSET)
        trace_say(eval, t, ", since %s", instant_date(at.start_ms, date, sizeof date));
    if (at.state == EXPOSURE_ENDED && at.end_ms != INSTANT_UNSET)
        trace_say(eval, t, ", ended %s", instant_date(at.end_ms, date, sizeof date));
    if (at.state == EXPOSURE_ENDED) linger_say(eval, clause, place->concept, t);
    if (at.state == EXPOSURE_UNCLEAR) trace_say(eval, t, " (%s)", order->why);
    if (order->expiry_ms <= eval->now_ms && at.state == EXPOSURE_ACTIVE)
        trace_say(eval, t, " (the prescription's validity ended %s, the order is still active)",
                  instant_date(order->expiry_ms, date, sizeof date));
    trace_say(eval, t, ".");
    if (clause->dose_unit) dose_as_say(eval, t, &place->drug->dose, clause->dose_unit);
    trace_fact(eval, t, TRACE_ORDER, &order->source);
    pairing_say(eval, &clause->starts, order, t);
    pairing_say(eval, &clause->times, order, t);
}

static void unmapped_say(struct eval *eval, struct trace *t, const struct chart_order *order)
{
    trace_say(eval, t, "%sThe drug of %s/%s is not known (%s): it could be one of these.",
              t->text[0] ? " " : "", order->source.type, order->source.id,
              order->unmapped ? order->unmapped : "no code");
}

static void order_tell(struct eval *eval, const struct order_clause *clause,
                       const struct chart_order *order, enum truth truth, struct trace *t)
{
    unsigned bound = bound_of(eval, clause);
    bool over = is_over(eval, order);

    if (over && !asks_over(clause)) return;
    for (size_t i = 0; i < order->ingredient_count; i++) {
        struct drug_place place = { order->ingredients[i].concept, order, &order->ingredients[i],
                                    over };
        if (bound != CONCEPT_NONE && bound != place.concept) continue;
        if (!concept_set_has(&clause->drugs, place.concept)) continue;
        if (order_match(eval, clause, &place).truth >= truth ||
            (truth == TRUTH_UNKNOWN && may_add_up(eval, clause, &place)))
            order_say(eval, clause, t, &place);
    }
    if (!order->ingredient_count && !order->other && truth == TRUTH_UNKNOWN &&
        unmapped_answer(eval, clause, order).truth == TRUTH_UNKNOWN)
        unmapped_say(eval, t, order);
}

/* The orders that made the answer: what is true, and what may be where that is not enough. */
static void orders_tell(struct eval *eval, const struct order_clause *clause, enum truth truth,
                        struct trace *t)
{
    for (size_t i = 0; i < eval->chart->order_count; i++)
        order_tell(eval, clause, &eval->chart->orders[i], truth, t);
}

void add_up_say(struct eval *eval, struct trace *t, unsigned count, unsigned concept)
{
    static const char *const words[] = { "No", "One", "Two", "Three", "Four", "Five" };
    const char *name = concept_words(eval->knowledge, concept);

    if (count < ARRAY_SIZE(words))
        trace_say(eval, t, " %s orders for %s", words[count], name);
    else
        trace_say(eval, t, " %u orders for %s", count, name);
    trace_say(eval, t, ": whether their doses add up is not known.");
}

/* False when there is no drug of the clause whose doses may add up. */
static bool sums_say(struct eval *eval, const struct order_clause *clause, struct trace *t)
{
    struct walk walk = { eval, &clause->drugs, bound_of(eval, clause), 0 };
    const struct drug_place *places;
    unsigned summands;
    bool any = false;
    size_t count;

    while ((count = walk_next(&walk, &places))) {
        if (sum_answer(eval, clause, places, count, &summands).truth != TRUTH_UNKNOWN) continue;
        add_up_say(eval, t, summands, places->concept);
        any = true;
    }
    return any;
}

static void length_add(struct buf *out, bool has, const char *words, struct duration length)
{
    char text[32];

    if (has) buf_printf(out, ", %s %s", words, duration_text(length, text, sizeof text));
}

/* What is asked of an order beside its drug: ", intravenous, single dose above 10 mg". */
static void wish_add(const struct order_clause *clause, struct buf *out)
{
    const char *between = ", ";

    for (unsigned route = 0; route < 32; route++) {
        if (!(clause->routes >> route & 1)) continue;
        buf_printf(out, "%s%s", between, drug_route_name((enum drug_route)route));
        between = " or ";
    }
    if (clause->has_single) buf_printf(out, ", single dose %s", clause->single.words);
    if (clause->has_daily) buf_printf(out, ", daily dose %s", clause->daily.words);
    if (clause->has_total) buf_printf(out, ", total dose %s", clause->total.words);
    if (clause->continuous) buf_text(out, ", daily without a pause");
    length_add(out, clause->has_started_within, "started within", clause->started_within);
    length_add(out, clause->has_started_before, "started more than", clause->started_before);
    if (clause->has_started_before) buf_text(out, " ago");
    length_add(out, clause->has_ended_within, "ended within", clause->ended_within);
    length_add(out, clause->starts.given, "with a start within", clause->starts.length);
    if (clause->starts.given) buf_printf(out, " of that of %s", clause->starts.words);
    if (clause->times.given) buf_printf(out, ", at the time of day of %s", clause->times.words);
}

static void absence_say(struct eval *eval, const struct order_clause *clause, struct trace *t)
{
    static const char *const states[] = {
        [ORDER_WANT_ACTIVE] = "active",
        [ORDER_WANT_HELD] = "held",
        [ORDER_WANT_ACTIVE_OR_HELD] = "active or held",
        [ORDER_WANT_ACTIVE_OR_PLANNED] = "active or planned",
        [ORDER_WANT_PLANNED] = "planned",
        [ORDER_WANT_ENDED] = "ended",
    };
    AUTO(buf_done) struct buf wish = { 0 };

    length_add(&wish, clause->has_overlap, "together for more than", clause->overlap);
    wish_add(clause, &wish);
    if (clause->at_least > 1)
        trace_say(eval, t, "Fewer than %u different drugs at once of %s%s.", clause->at_least,
                  clause->words, buf_string(&wish));
    else
        trace_say(eval, t, "No %s order for %s%s.", states[clause->wanted], clause->words,
                  buf_string(&wish));
}

/* The orders that would leave the absence unknown if their names did not tell that they are of other
 * drugs. */
static void others_say(struct eval *eval, const struct order_clause *clause, struct trace *t)
{
    const struct drug_index *index = &eval->index;
    size_t count = 0;

    for (size_t i = 0; i < index->other_count; i++)
        count += unmapped_answer(eval, clause, index->others[i]).truth != TRUTH_FALSE;
    if (count == 1) trace_say(eval, t, " 1 order names a drug that no rule knows.");
    if (count > 1) trace_say(eval, t, " %zu orders name drugs that no rule knows.", count);
}

static void change_say(struct eval *eval, const struct order_clause *clause, enum truth truth,
                       struct trace *t)
{
    if (truth == TRUTH_FALSE)
        trace_change(eval, t, clause->absent ? "the end of the order for %s" : "an order for %s",
                     clause->words);
    else if (truth == TRUTH_UNKNOWN)
        trace_change(eval, t, "a code, status, date or dose that can be read for the orders named");
}

/* ---- the clause */

struct answer order_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct order_clause *order = &clause->order;
    struct found found = { .answer = ANSWER_FALSE };
    struct answer answer;

    orders_find(eval, order, &found);
    answer = found_judge(eval, order, &found);
    if (t && answer.truth == TRUTH_FALSE) absence_say(eval, order, t);
    if (t && answer.truth == TRUTH_FALSE && order->absent) others_say(eval, order, t);
    if (t && answer.truth != TRUTH_FALSE) orders_tell(eval, order, answer.truth, t);
    if (order->absent) answer.truth = truth_not(answer.truth);
    if (t && answer.truth == TRUTH_UNKNOWN && sums_say(eval, order, t))
        trace_change(eval, t, "one order alone for the drug");
    else
        change_say(eval, order, answer.truth, t);
    return answer;
}

/* Can the clause be bound to the drug? When not, *next_ms is lowered to when it may be. */
static bool is_candidate(const struct eval *eval, const struct order_clause *clause,
                         const struct drug_place *places, size_t count, int64_t *next_ms)
{
    struct answer all = ANSWER_FALSE;

    for (size_t i = 0; i < count; i++)
        all = answer_either(all, order_match(eval, clause, &places[i]));
    all = answer_either(all, sum_answer(eval, clause, places, count, NULL));
    if (all.truth == TRUTH_FALSE && all.next_ms < *next_ms) *next_ms = all.next_ms;
    return all.truth != TRUTH_FALSE;
}

size_t order_candidates(struct eval *eval, const struct order_clause *clause, const unsigned **ret,
                        int64_t *ret_next_ms)
{
    struct walk walk = { eval, &clause->drugs, CONCEPT_NONE, 0 };
    const struct drug_place *places;
    unsigned *drugs = NULL;
    size_t found = 0, count;

    *ret_next_ms = INSTANT_NEVER;
    while ((count = walk_next(&walk, &places))) {
        if (!is_candidate(eval, clause, places, count, ret_next_ms)) continue;
        if (!drugs) drugs = arena_alloc(eval->arena, clause->drugs.count * sizeof *drugs);
        drugs[found++] = places->concept;
    }
    *ret = drugs;
    return found;
}
