/* Why an order clause is true, false or unknown, in words. */
#include "base/buf.h"
#include "core/eval_order_impl.h"

/* Why an order that is over counts. */
static void linger_say(struct eval *eval, const struct order_clause *clause, unsigned concept,
                       struct trace *t)
{
    const struct duration *linger = order_linger(clause, concept);
    char length[32];

    if (linger && !order_is_wanted(clause->wanted, EXPOSURE_ENDED))
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
    unsigned bound = order_bound(eval, clause);
    bool over = is_over(eval, order);

    if (over && !order_asks_over(clause)) return;
    for (size_t i = 0; i < order->ingredient_count; i++) {
        struct drug_place place = { order->ingredients[i].concept, order, &order->ingredients[i],
                                    over };
        if (bound != CONCEPT_NONE && bound != place.concept) continue;
        if (!concept_set_has(&clause->drugs, place.concept)) continue;
        if (order_match(eval, clause, &place).truth >= truth ||
            (truth == TRUTH_UNKNOWN && order_may_add_up(eval, clause, &place)))
            order_say(eval, clause, t, &place);
    }
    if (!order->ingredient_count && !order->other && truth == TRUTH_UNKNOWN &&
        order_unmapped(eval, clause, order).truth == TRUTH_UNKNOWN)
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
    struct drug_walk walk = { &eval->index, &clause->drugs, order_bound(eval, clause), 0 };
    const struct drug_place *places;
    unsigned summands;
    bool any = false;
    size_t count;

    while ((count = drug_walk_next(&walk, &places))) {
        if (order_sum(eval, clause, places, count, &summands).truth != TRUTH_UNKNOWN) continue;
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
        count += order_unmapped(eval, clause, index->others[i]).truth != TRUTH_FALSE;
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

/* ---- */

void order_answer_say(struct eval *eval, const struct order_clause *clause, enum truth found,
                      struct trace *t)
{
    enum truth truth = clause->absent ? truth_not(found) : found;

    if (found == TRUTH_FALSE) absence_say(eval, clause, t);
    if (found == TRUTH_FALSE && clause->absent) others_say(eval, clause, t);
    if (found != TRUTH_FALSE) orders_tell(eval, clause, found, t);
    if (truth == TRUTH_UNKNOWN && sums_say(eval, clause, t))
        trace_change(eval, t, "one order alone for the drug");
    else
        change_say(eval, clause, truth, t);
}
