/* Result clauses, gaps in results, dose ceilings that depend on a result. */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

static void measure_tell(struct eval *eval, struct trace *t, const struct measure *measure)
{
    for (size_t i = 0; t && i < measure->source_count; i++)
        trace_fact(eval, t, TRACE_EVIDENCE, measure->sources[i]);
    if (t && measure->note[0] && measure->known == TRUTH_TRUE) t->assumption = measure->note;
}

static struct answer threshold_answer(const struct interval *value, const struct threshold *limit)
{
    enum truth truth = interval_compare(value, limit->compare, limit->low);

    if (limit->range)
        truth = truth_and(interval_compare(value, COMPARE_AT_LEAST, limit->low),
                          interval_compare(value, COMPARE_AT_MOST, limit->high));
    if (truth == TRUTH_UNKNOWN) return answer_unknown(DOUBT_COMPARATOR);
    return (struct answer){ truth, 0, INSTANT_NEVER };
}

/* ---- what a value is compared with */

/* The last value before the course of a drug began. */
static const struct chart_result *baseline_find(struct eval *eval,
                                                const struct result_clause *clause)
{
    int64_t start = course_start(eval, &clause->course);
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, clause->analyte, &results);

    if (start == INSTANT_UNSET) return NULL;
    for (size_t i = 0; i < count; i++)
        if (results[i].state == RESULT_FINAL && results[i].kind == VALUE_QUANTITY &&
            results[i].at_ms != INSTANT_UNSET && results[i].at_ms < start)
            return &results[i];
    return NULL;
}

/* The final value next before the newest one. */
static const struct chart_result *previous_find(struct eval *eval, unsigned analyte,
                                                const struct chart_result *newest)
{
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, analyte, &results);

    for (size_t i = 0; i < count; i++)
        if (results[i].state == RESULT_FINAL && results[i].kind == VALUE_QUANTITY &&
            results[i].at_ms != INSTANT_UNSET && results[i].at_ms < newest->at_ms)
            return &results[i];
    return NULL;
}

/* The lowest exact value in the span before the newest one. */
static const struct chart_result *lowest_find(struct eval *eval, const struct result_clause *clause,
                                              const struct chart_result *newest)
{
    int64_t from = instant_add(newest->at_ms, clause->lowest_in, -1);
    const struct chart_result *results, *lowest = NULL;
    size_t count = chart_results(eval->chart, clause->analyte, &results);

    for (size_t i = 0; i < count; i++) {
        const struct chart_result *at = &results[i];
        if (at->state != RESULT_FINAL || at->kind != VALUE_QUANTITY) continue;
        if (at->at_ms == INSTANT_UNSET || at->at_ms < from || at->at_ms >= newest->at_ms) continue;
        if (!interval_is_exact(&at->value)) continue;
        if (!lowest || decimal_compare(at->value.low, lowest->value.low) < 0) lowest = at;
    }
    return lowest;
}

static const struct chart_result *reference_find(struct eval *eval,
                                                 const struct result_clause *clause,
                                                 const struct chart_result *newest)
{
    switch (clause->relation) {
    case RESULT_TIMES_BASELINE:
    case RESULT_RISE_BASELINE:
    case RESULT_FALL_BASELINE:
        return baseline_find(eval, clause);
    case RESULT_TIMES_LOWEST:
    case RESULT_RISE_LOWEST:
        return lowest_find(eval, clause, newest);
    case RESULT_TIMES_PREVIOUS:
    case RESULT_RISE_PREVIOUS:
    case RESULT_FALL_PREVIOUS:
        return previous_find(eval, clause->analyte, newest);
    case RESULT_ABSOLUTE:
    case RESULT_TIMES_UPPER:
        break;
    }
    return NULL;
}

static bool is_multiple(enum result_relation relation)
{
    return relation == RESULT_TIMES_BASELINE || relation == RESULT_TIMES_LOWEST ||
           relation == RESULT_TIMES_PREVIOUS;
}

static bool is_fall(enum result_relation relation)
{
    return relation == RESULT_FALL_BASELINE || relation == RESULT_FALL_PREVIOUS;
}

/* The limit in the analyte's unit that stands for a relative threshold, from an exact reference. */
static struct threshold relative_limit(const struct result_clause *clause, struct decimal reference)
{
    struct threshold limit = clause->threshold;

    if (clause->relation == RESULT_TIMES_UPPER || is_multiple(clause->relation)) {
        limit.low = decimal_multiply(limit.low, reference);
        limit.high = decimal_multiply(limit.high, reference);
    } else if (is_fall(clause->relation)) {
        /* fallen by at least d  <=>  value <= reference - d */
        limit.low = decimal_subtract(reference, limit.low);
        limit.compare = limit.compare == COMPARE_AT_LEAST ? COMPARE_AT_MOST : COMPARE_BELOW;
    } else {
        limit.low = decimal_add(reference, limit.low);
    }
    return limit;
}

static struct answer relative_answer(struct eval *eval, const struct result_clause *clause,
                                     const struct measure *measure, struct trace *t)
{
    const struct chart_result *newest = measure->result, *reference;
    struct threshold limit;
    char date[16];

    if (!newest) return answer_unknown(DOUBT_INPUT);
    if (clause->relation == RESULT_TIMES_UPPER) {
        if (!newest->has_upper) {
            trace_say(eval, t, " (the report gives no upper limit of normal)");
            return answer_unknown(DOUBT_INPUT);
        }
        limit = relative_limit(clause, newest->upper);
        return threshold_answer(&measure->value, &limit);
    }
    reference = reference_find(eval, clause, newest);
    if (!reference || !interval_is_exact(&reference->value)) {
        trace_say(eval, t, " (there is no earlier value to compare with)");
        return answer_unknown(DOUBT_INPUT);
    }
    trace_say(eval, t, " (compared with %s on %s)", reference->shown,
              instant_date(reference->at_ms, date, sizeof date));
    trace_fact(eval, t, TRACE_EVIDENCE, &reference->source);
    limit = relative_limit(clause, reference->value.low);
    return threshold_answer(&measure->value, &limit);
}

static struct answer coded_answer(const struct result_clause *clause,
                                  const struct measure *measure)
{
    enum coded_value wanted =
        clause->coded_wanted == CODED_WANT_POSITIVE ? CODED_POSITIVE : CODED_NEGATIVE;

    if (!measure->is_coded || measure->coded == CODED_OTHER) return answer_unknown(DOUBT_UNREADABLE);
    return measure->coded == wanted ? ANSWER_TRUE : ANSWER_FALSE;
}

static struct answer measure_judge(struct eval *eval, const struct result_clause *clause,
                                   const struct measure *measure, struct trace *t)
{
    if (clause->coded) return coded_answer(clause, measure);
    if (measure->is_coded) return answer_unknown(DOUBT_UNREADABLE);
    if (clause->relation == RESULT_ABSOLUTE)
        return threshold_answer(&measure->value, &clause->threshold);
    return relative_answer(eval, clause, measure, t);
}

static struct measure clause_measure(struct eval *eval, const struct result_clause *clause)
{
    struct measure measure;

    if (!clause->baseline)
        return measure_newest(eval, clause->analyte, clause->any_age ? NULL : &clause->within);
    measure = (struct measure){ .known = TRUTH_UNKNOWN, .doubts = DOUBT_INPUT,
                                .until_ms = INSTANT_NEVER, .why = "a value before the first dose",
                                .text = "no baseline value is on record", .note = "" };
    measure.result = baseline_find(eval, clause);
    if (!measure.result) return measure;
    measure.known = TRUTH_TRUE;
    measure.value = measure.result->value;
    measure.text = measure.result->shown;
    measure.sources[measure.source_count++] = &measure.result->source;
    return measure;
}

static void limit_say(struct eval *eval, const struct result_clause *clause, struct answer answer,
                      struct trace *t)
{
    char length[32];

    if (!t) return;
    trace_say(eval, t, " (the rule asks: %s", clause->threshold.words);
    if (!clause->any_age)
        trace_say(eval, t, ", not older than %s",
                  duration_text(clause->within, length, sizeof length));
    trace_say(eval, t, ").");
    if (answer.truth == TRUTH_FALSE)
        trace_change(eval, t, "a %s result %s", concept_words(eval->knowledge, clause->analyte),
                     clause->threshold.words);
    else if (answer.truth == TRUTH_UNKNOWN)
        trace_change(eval, t, "a %s result that is surely on one side of the limit",
                     concept_words(eval->knowledge, clause->analyte));
}

struct answer result_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct result_clause *result = &clause->result;
    struct measure measure = clause_measure(eval, result);
    struct answer answer;

    trace_say(eval, t, "%s", measure.text);
    measure_tell(eval, t, &measure);
    if (measure.known != TRUTH_TRUE) {
        answer = answer_unknown(measure.doubts);
        trace_say(eval, t, ".");
        trace_change(eval, t, "%s", measure.why);
    } else {
        answer = measure_judge(eval, result, &measure, t);
        limit_say(eval, result, answer, t);
    }
    answer_until(eval, &answer, measure.until_ms);
    return answer;
}

/* ---- gaps */

/* The newest result of any readability that shows the test was done; *ret_undated: one without a
 * date is there. */
static const struct chart_result *done_newest(struct eval *eval, unsigned analyte,
                                              bool *ret_undated)
{
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, analyte, &results);

    *ret_undated = false;
    for (size_t i = 0; i < count; i++) {
        if (results[i].state == RESULT_REMOVED) continue;
        if (results[i].at_ms == INSTANT_UNSET)
            *ret_undated = true;
        else if (results[i].at_ms <= eval->now_ms)
            return &results[i];
    }
    return NULL;
}

/* The step of the schedule for a course that has lasted since start, and when it ends. */
static const struct gap_step *step_find(const struct eval *eval, const struct gap_clause *gap,
                                        int64_t start, int64_t *ret_end)
{
    for (size_t i = 0; i < gap->step_count; i++) {
        *ret_end = gap->steps[i].last ? INSTANT_NEVER : instant_add(start, gap->steps[i].until, 1);
        if (gap->steps[i].last || eval->now_ms < *ret_end) return &gap->steps[i];
    }
    return &gap->steps[gap->step_count - 1];
}

static struct answer gap_ever(struct eval *eval, const struct gap_clause *gap, struct trace *t)
{
    bool undated;
    const struct chart_result *result = done_newest(eval, gap->analyte, &undated);
    const char *words = concept_words(eval->knowledge, gap->analyte);

    if (!result && !undated) {
        trace_say(eval, t, "No %s result has ever been recorded.", words);
        return ANSWER_TRUE;
    }
    trace_say(eval, t, "A %s result is on record.", words);
    if (result) trace_fact(eval, t, TRACE_EVIDENCE, &result->source);
    return ANSWER_FALSE;
}

static void gap_say(struct eval *eval, struct trace *t, unsigned analyte,
                    const struct chart_result *last, struct duration within, int64_t due)
{
    const char *words = concept_words(eval->knowledge, analyte);
    char length[32], date[16];

    if (!t) return;
    duration_text(within, length, sizeof length);
    if (due <= eval->now_ms)
        trace_say(eval, t, "No %s result within %s", words, length);
    else
        trace_say(eval, t, "A %s result is not overdue before %s (%s)", words,
                  instant_date(due, date, sizeof date), length);
    if (last) {
        trace_say(eval, t, "; the last one is of %s", instant_date(last->at_ms, date, sizeof date));
        trace_fact(eval, t, TRACE_EVIDENCE, &last->source);
    }
    trace_say(eval, t, ".");
    trace_change(eval, t, due <= eval->now_ms ? "a new %s result" : "time passing without a new %s result",
                 words);
}

struct answer gap_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    static const struct concept_set bound_drug = { 0 };
    const struct gap_clause *gap = &clause->gap;
    const struct chart_result *last;
    const struct gap_step *step;
    int64_t start, step_end = INSTANT_NEVER, due;
    struct answer answer = ANSWER_FALSE;
    bool undated;

    if (gap->ever) return gap_ever(eval, gap, t);
    last = done_newest(eval, gap->analyte, &undated);
    if (undated && !last) {
        trace_say(eval, t, "A %s result is on record without a date.",
                  concept_words(eval->knowledge, gap->analyte));
        return answer_unknown(DOUBT_TIME);
    }
    start = course_start(eval, &bound_drug);
    if (start == INSTANT_UNSET && (gap->step_count > 1 || (!gap->at_once && !last))) {
        trace_say(eval, t, "It is not known when the treatment began.");
        return answer_unknown(DOUBT_TIME);
    }
    step = step_find(eval, gap, start, &step_end);
    due = gap->at_once || start == INSTANT_UNSET ? INSTANT_UNSET : start;
    if (last && last->at_ms > due) due = last->at_ms;
    if (due != INSTANT_UNSET) due = instant_add(due, step->within, 1);
    /* exactly `within` old still counts */
    answer.truth = due == INSTANT_UNSET || due < eval->now_ms ? TRUTH_TRUE : TRUTH_FALSE;
    if (due != INSTANT_UNSET) answer_until(eval, &answer, due + 1);
    answer_until(eval, &answer, step_end);
    gap_say(eval, t, gap->analyte, last, step->within, answer.truth == TRUTH_TRUE ? INSTANT_UNSET : due);
    return answer;
}

struct answer computable_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct measure measure =
        measure_newest(eval, clause->computable.measure, &clause->computable.within);
    struct answer answer = measure.known == TRUTH_TRUE ? ANSWER_FALSE : ANSWER_TRUE;

    trace_say(eval, t, "%s.", measure.text);
    measure_tell(eval, t, &measure);
    answer_until(eval, &answer, measure.until_ms);
    return answer;
}

/* ---- ceilings */

/* The first row that fits; *ret says whether it surely does. */
static const struct ceiling_row *row_find(struct eval *eval, const struct ceiling_clause *ceiling,
                                          const struct measure *measure, struct answer *ret)
{
    for (size_t i = 0; i < ceiling->row_count; i++) {
        const struct ceiling_row *row = &ceiling->rows[i];
        struct answer answer = ANSWER_TRUE, also = ANSWER_TRUE;
        if (row->has_when) answer = threshold_answer(&measure->value, &row->when);
        if (row->also && answer.truth != TRUTH_FALSE)
            also = clause_answer(eval, row->also, NULL);
        if (truth_and(answer.truth, also.truth) == TRUTH_FALSE) continue;
        *ret = answer.truth == TRUTH_UNKNOWN ? answer : also;
        return row;
    }
    *ret = ANSWER_FALSE; /* no row: the table sets no limit there */
    return NULL;
}

static struct answer dose_over(const struct ceiling_row *row, const char *unit,
                               const struct dose *dose)
{
    enum truth over = TRUTH_FALSE;

    if (strcmp(dose->unit, unit) != 0) return answer_unknown(DOUBT_DOSE);
    if (row->has_single)
        over = dose->single_known
                   ? interval_compare(&dose->single, COMPARE_ABOVE, row->single)
                   : TRUTH_UNKNOWN;
    if (row->has_daily)
        over = truth_or(over, dose->daily_known
                                  ? interval_compare(&dose->daily, COMPARE_ABOVE, row->daily)
                                  : TRUTH_UNKNOWN);
    return over == TRUTH_UNKNOWN ? answer_unknown(DOUBT_DOSE)
                                 : (struct answer){ over, 0, INSTANT_NEVER };
}

/* Each active order of the drug against the row; the worst counts. */
static struct answer orders_over(struct eval *eval, const struct ceiling_clause *ceiling,
                                 const struct ceiling_row *row, struct trace *t)
{
    struct answer answer = ANSWER_FALSE;
    unsigned bound = eval->bound[0];

    if (bound != CONCEPT_NONE && !concept_set_has(&ceiling->drugs, bound)) bound = CONCEPT_NONE;
    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        const struct chart_ingredient *drug =
            order_ingredient(order, &ceiling->drugs, bound, false);
        struct answer one;
        if (!drug || order_exposure(order, eval->now_ms).state != EXPOSURE_ACTIVE) continue;
        one = dose_over(row, ceiling->unit, &drug->dose);
        if (one.truth == TRUTH_UNKNOWN)
            trace_say(eval, t, " The dose of %s/%s is not known (%s).", order->source.type,
                      order->source.id, drug->dose.why[0] ? drug->dose.why : "no single dose");
        if (one.truth > answer.truth) answer = one;
    }
    return answer;
}

struct answer ceiling_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct ceiling_clause *ceiling = &clause->ceiling;
    struct measure measure = measure_newest(eval, ceiling->measure, &ceiling->within);
    const struct ceiling_row *row;
    struct answer answer, fits;

    trace_say(eval, t, "%s", measure.text);
    measure_tell(eval, t, &measure);
    if (measure.known != TRUTH_TRUE) {
        answer = answer_unknown(measure.doubts);
        trace_say(eval, t, ".");
        trace_change(eval, t, "%s", measure.why);
    } else {
        row = row_find(eval, ceiling, &measure, &fits);
        answer = fits;
        if (row) {
            trace_say(eval, t, ": the maximum is %s%s%s.", row->words,
                      row->has_when ? " for " : "", row->has_when ? row->when.words : "");
            answer = orders_over(eval, ceiling, row, t);
            if (answer.truth == TRUTH_TRUE && fits.truth == TRUTH_UNKNOWN) answer = fits;
        }
        trace_change(eval, t, answer.truth == TRUTH_TRUE ? "a dose within the maximum"
                                                         : "a dose above the maximum, or a new value");
    }
    answer_until(eval, &answer, measure.until_ms);
    return answer;
}
