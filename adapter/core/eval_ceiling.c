/* Dose ceilings that depend on a result: "10 mg daily for 30 to 60 mL/min". */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"
#include "core/span.h"

/* ---- one order against one row of the table */

static enum truth above(bool known, const struct interval *dose, struct decimal maximum)
{
    return known ? interval_compare(dose, COMPARE_ABOVE, maximum) : TRUTH_UNKNOWN;
}

static struct answer dose_over(const struct ceiling_row *row, const char *unit,
                               const struct dose *dose)
{
    enum truth over = TRUTH_FALSE;

    if (strcmp(dose->unit, unit) != 0) return answer_unknown(DOUBT_DOSE);
    if (row->has_single) over = above(dose->single_known, &dose->single, row->single);
    if (row->has_daily) over = truth_or(over, above(dose->daily_known, &dose->daily, row->daily));
    return over == TRUTH_UNKNOWN ? answer_unknown(DOUBT_DOSE)
                                 : (struct answer){ over, 0, INSTANT_NEVER };
}

static bool may_be_taken(const struct eval *eval, const struct chart_order *order)
{
    enum exposure_state state = exposure_of(eval, order).state;

    return state == EXPOSURE_ACTIVE || state == EXPOSURE_UNCLEAR;
}

/* Is it one of the orders that the rule is about: by that route, of such a dose? */
static struct answer is_meant(const struct eval *eval, const struct drug_place *place)
{
    if (!eval->subject || !concept_set_has(&eval->subject->drugs, place->concept))
        return ANSWER_TRUE;
    return order_match(eval, eval->subject, place);
}

static struct answer place_answer(const struct eval *eval, const struct ceiling_clause *ceiling,
                                  const struct ceiling_row *row, const struct drug_place *place)
{
    struct exposure at = exposure_of(eval, place->order);
    const struct dose *dose = &place->drug->dose;
    struct answer answer = ANSWER_FALSE;
    struct dose room;

    if (may_be_taken(eval, place->order)) {
        answer = dose_over(row, ceiling->unit, dose_as(eval, dose, ceiling->unit, &room));
        answer_until(eval, &answer, dose_as_until(eval, dose, ceiling->unit));
        answer = answer_both(is_meant(eval, place), answer);
    }
    if (at.state == EXPOSURE_UNCLEAR && answer.truth != TRUTH_FALSE)
        answer = answer_unknown(answer.doubts | DOUBT_STATUS);
    answer_until(eval, &answer, at.next_ms);
    return answer;
}

/* ---- the orders of one drug */

/* Orders that are each within the maximum, and together are not: they may replace each other, or
 * add up. Their number; 0 where that is not so. */
static unsigned may_add_up(const struct eval *eval, const struct ceiling_clause *ceiling,
                           const struct ceiling_row *row, const struct drug_place *places,
                           size_t count)
{
    struct decimal sum = DECIMAL_ZERO;
    unsigned summands = 0;

    for (size_t i = 0; row->has_daily && i < count; i++) {
        struct dose room;
        const struct dose *dose = dose_as(eval, &places[i].drug->dose, ceiling->unit, &room);
        if (places[i].drug->use == USE_LOCAL || !may_be_taken(eval, places[i].order)) continue;
        if (is_meant(eval, &places[i]).truth == TRUTH_FALSE) continue;
        if (!dose->daily_known || dose->daily.high_none || strcmp(dose->unit, ceiling->unit) != 0)
            continue;
        sum = decimal_add(sum, dose->daily.high);
        summands++;
    }
    return row->has_daily && decimal_compare(sum, row->daily) > 0 ? summands : 0;
}

/* Each of them alone. */
static struct answer places_answer(const struct eval *eval, const struct ceiling_clause *ceiling,
                                   const struct ceiling_row *row, const struct drug_place *places,
                                   size_t count, bool *ret_any)
{
    struct answer answer = ANSWER_FALSE;

    for (size_t i = 0; i < count; i++) {
        if (places[i].drug->use == USE_LOCAL) continue;
        *ret_any |= may_be_taken(eval, places[i].order);
        answer = answer_either(answer, place_answer(eval, ceiling, row, &places[i]));
    }
    return answer;
}

static struct answer drug_answer(const struct eval *eval, const struct ceiling_clause *ceiling,
                                 const struct ceiling_row *row, const struct drug_place *places,
                                 size_t count, bool *ret_any)
{
    struct answer answer = places_answer(eval, ceiling, row, places, count, ret_any);

    if (answer.truth == TRUTH_FALSE && may_add_up(eval, ceiling, row, places, count)) {
        answer.truth = TRUTH_UNKNOWN;
        answer.doubts = DOUBT_DOSE;
    }
    return answer;
}

/* ---- all orders against one row */

/* Is the ceiling about this drug: the one that the rule is bound to, if it is one of the table's? */
static bool is_asked(const struct eval *eval, const struct ceiling_clause *ceiling, unsigned drug)
{
    return !concept_set_has(&ceiling->drugs, eval->bound[0]) || eval->bound[0] == drug;
}

static struct answer unmapped_answer(const struct eval *eval)
{
    struct answer answer = ANSWER_FALSE;

    for (size_t i = 0; i < eval->index.unmapped_count; i++) {
        const struct chart_order *order = eval->index.unmapped[i];
        struct answer one =
            may_be_taken(eval, order) ? answer_unknown(DOUBT_UNMAPPED) : ANSWER_FALSE;
        answer_until(eval, &one, exposure_of(eval, order).next_ms);
        answer = answer_either(answer, one);
    }
    return answer;
}

/* Where there is no order for the drug, one that no mapping knows could be it. */
static struct answer row_answer(const struct eval *eval, const struct ceiling_clause *ceiling,
                                const struct ceiling_row *row)
{
    struct answer answer = ANSWER_FALSE;
    const struct drug_place *places = NULL;
    bool any = false;

    for (size_t i = 0; i < ceiling->drugs.count; i++) {
        unsigned drug = ceiling->drugs.items[i];
        size_t count =
            is_asked(eval, ceiling, drug) ? drug_index_find(&eval->index, drug, &places) : 0;
        answer = answer_either(answer, drug_answer(eval, ceiling, row, places, count, &any));
    }
    return any ? answer : answer_either(answer, unmapped_answer(eval));
}

/* ---- the rows that may fit */

/* What holds whichever of two rows is the right one. */
static struct answer whichever(struct answer a, struct answer b, unsigned doubts)
{
    int64_t next_ms = a.next_ms < b.next_ms ? a.next_ms : b.next_ms;

    if (a.truth == b.truth && a.truth != TRUTH_UNKNOWN)
        return (struct answer){ a.truth, 0, next_ms };
    return (struct answer){ TRUTH_UNKNOWN, a.doubts | b.doubts | doubts, next_ms };
}

static struct answer limit_answer(const struct ceiling_limit *at, const struct measure *measure)
{
    if (!at->given) return ANSWER_TRUE;
    if (at->times_upper) return upper_multiple_answer(measure, &at->limit);
    return threshold_answer(&measure->value, &at->limit, DOUBT_COMPARATOR);
}

static struct answer row_fits(struct eval *eval, const struct ceiling_row *row,
                              const struct measure *measure)
{
    struct answer fits = limit_answer(&row->when, measure);

    if (row->also) fits = answer_both(fits, clause_answer(eval, row->also, NULL));
    return fits;
}

/* Is the row the right one wherever the value lies in its span? */
static bool fits_by_value(const struct ceiling_row *row)
{
    return row->when.given && !row->when.times_upper && !row->also;
}

static void row_say(struct eval *eval, const struct ceiling_row *row, bool first, struct trace *t)
{
    trace_say(eval, t, "%s%s%s%s", first ? ": the maximum is " : ", or ", row->words,
              row->when.given ? " for " : "", row->when.given ? row->when.limit.words : "");
}

/* The first row that fits is the ceiling; where that cannot be told, every row that may be it is
 * asked, and no limit at all where they leave a part of the value out. */
static struct answer table_answer(struct eval *eval, const struct ceiling_clause *ceiling,
                                  const struct measure *measure, struct trace *t)
{
    struct answer answer = ANSWER_FALSE, fits = ANSWER_FALSE;
    struct interval *spans = arena_alloc(eval->arena, ceiling->row_count * sizeof *spans);
    int64_t next_ms = INSTANT_NEVER;
    size_t span_count = 0;
    unsigned doubts = 0;
    bool first = true;

    for (size_t i = 0; i < ceiling->row_count && fits.truth != TRUTH_TRUE; i++) {
        const struct ceiling_row *row = &ceiling->rows[i];
        struct answer over;
        fits = row_fits(eval, row, measure);
        if (fits.next_ms < next_ms) next_ms = fits.next_ms;
        if (fits.truth == TRUTH_FALSE) continue;
        doubts |= fits.doubts;
        over = row_answer(eval, ceiling, row);
        answer = first ? over : whichever(answer, over, doubts);
        row_say(eval, row, first, t);
        if (fits_by_value(row)) spans[span_count++] = span_of(&row->when.limit);
        first = false;
    }
    if (!first && fits.truth != TRUTH_TRUE && !span_covered(&measure->value, spans, span_count))
        answer = whichever(answer, ANSWER_FALSE, doubts);
    answer_until(eval, &answer, next_ms);
    return answer;
}

/* ---- the clause */

/* Whether the orders for the drug add up is not known, in a row that may fit: their number. */
static unsigned summands_of(struct eval *eval, const struct ceiling_clause *ceiling,
                            const struct measure *measure, unsigned drug)
{
    const struct drug_place *places = NULL;
    size_t count = is_asked(eval, ceiling, drug) ? drug_index_find(&eval->index, drug, &places) : 0;
    enum truth fits = TRUTH_FALSE;
    unsigned summands = 0;

    for (size_t i = 0; !summands && i < ceiling->row_count && fits != TRUTH_TRUE; i++) {
        const struct ceiling_row *row = &ceiling->rows[i];
        bool any = false;
        fits = row_fits(eval, row, measure).truth;
        if (fits == TRUTH_FALSE) continue;
        if (places_answer(eval, ceiling, row, places, count, &any).truth == TRUTH_FALSE)
            summands = may_add_up(eval, ceiling, row, places, count);
    }
    return summands;
}

static void sums_say(struct eval *eval, const struct ceiling_clause *ceiling,
                     const struct measure *measure, struct trace *t)
{
    for (size_t i = 0; i < ceiling->drugs.count; i++) {
        unsigned summands = summands_of(eval, ceiling, measure, ceiling->drugs.items[i]);
        if (summands) add_up_say(eval, t, summands, ceiling->drugs.items[i]);
    }
}

static void doses_say(struct eval *eval, const struct ceiling_clause *ceiling, struct trace *t)
{
    for (size_t i = 0; i < eval->index.count; i++) {
        const struct drug_place *place = &eval->index.places[i];
        const struct dose *dose = &place->drug->dose;
        struct dose room;
        if (!concept_set_has(&ceiling->drugs, place->concept)) continue;
        if (!is_asked(eval, ceiling, place->concept) || !may_be_taken(eval, place->order)) continue;
        if (dose->daily_known && strcmp(dose->unit, ceiling->unit) == 0) continue;
        if (dose_as(eval, dose, ceiling->unit, &room) != dose && dose->daily_known) continue;
        trace_say(eval, t, " The daily dose of %s/%s is not known in %s%s%s.",
                  place->order->source.type, place->order->source.id, ceiling->unit,
                  dose->why[0] ? ": " : "", dose->why);
    }
}

/* How the doses were brought into the unit of the table. */
static void converted_say(struct eval *eval, const struct ceiling_clause *ceiling, struct trace *t)
{
    for (size_t i = 0; i < eval->index.count; i++) {
        const struct drug_place *place = &eval->index.places[i];
        if (!concept_set_has(&ceiling->drugs, place->concept)) continue;
        if (!is_asked(eval, ceiling, place->concept) || !may_be_taken(eval, place->order)) continue;
        dose_as_say(eval, t, &place->drug->dose, ceiling->unit);
    }
}

/* The age as a measure: whichever the record allows. */
static struct measure age_measure(struct eval *eval)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct measure measure;
    struct age age;

    if (!age_of(eval, &age))
        return measure_lacking(DOUBT_INPUT, "a birth date", "The birth date is not known");
    buf_printf(&text, "Age %d", age.youngest);
    if (age.oldest != age.youngest) buf_printf(&text, " or %d", age.oldest);
    buf_text(&text, " years");
    measure = measure_lacking(
        0, "", eval->telling ? arena_copy(eval->arena, buf_string(&text), text.len) : "");
    measure.known = TRUTH_TRUE;
    measure.value = interval_hull(interval_exactly(decimal_of(age.youngest)),
                                  interval_exactly(decimal_of(age.oldest)));
    measure.until_ms = age.until_ms;
    return measure;
}

static bool asks_upper(const struct ceiling_clause *ceiling)
{
    bool asks = ceiling->asked.times_upper;

    for (size_t i = 0; i < ceiling->row_count; i++) asks |= ceiling->rows[i].when.times_upper;
    return asks;
}

static void upper_say(struct eval *eval, const struct ceiling_clause *ceiling,
                      const struct measure *measure, struct trace *t)
{
    if (asks_upper(ceiling) && !has_upper(measure))
        trace_say(eval, t, " The report gives no upper limit of normal.");
}

/* The table, where the rule asks it at all. */
static struct answer asked_answer(struct eval *eval, const struct ceiling_clause *ceiling,
                                  const struct measure *measure, struct trace *t)
{
    struct answer asked = limit_answer(&ceiling->asked, measure);

    if (asked.truth != TRUTH_FALSE)
        return answer_both(asked, table_answer(eval, ceiling, measure, t));
    trace_say(eval, t, ": the rule asks only where it is %s", ceiling->asked.limit.words);
    return asked;
}

struct answer ceiling_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct ceiling_clause *ceiling = &clause->ceiling;
    struct measure measure = ceiling->by_age
                                 ? age_measure(eval)
                                 : measure_newest(eval, ceiling->measure, &ceiling->within);
    struct answer answer;

    if (measure.known != TRUTH_TRUE) {
        answer = measure_unknown(eval, ceiling->measure, &measure, t);
    } else {
        measure_tell(eval, t, &measure);
        answer = asked_answer(eval, ceiling, &measure, t);
        trace_say(eval, t, ".");
        upper_say(eval, ceiling, &measure, t);
        converted_say(eval, ceiling, t);
        if (answer.truth == TRUTH_UNKNOWN) doses_say(eval, ceiling, t);
        if (t && answer.truth == TRUTH_UNKNOWN) sums_say(eval, ceiling, &measure, t);
        trace_change(eval, t,
                     answer.truth == TRUTH_TRUE ? "a dose within the maximum"
                                                : "a dose above the maximum, or a new value");
    }
    answer_until(eval, &answer, measure.until_ms);
    return answer;
}
