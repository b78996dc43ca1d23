/* Result clauses: a value against a limit, or against an earlier value. */
#include "core/eval_impl.h"

void measure_tell(struct eval *eval, struct trace *t, const struct measure *measure)
{
    if (!t) return;
    trace_say(eval, t, "%s", measure->text);
    for (size_t i = 0; i < measure->source_count; i++)
        trace_fact(eval, t, TRACE_EVIDENCE, measure->sources[i]);
    if (measure->known == TRUTH_TRUE) t->assumption = measure->note;
}

/* Is it missing because no code could bring it? */
static bool lacks_code(const struct eval *eval, unsigned analyte, const struct measure *measure)
{
    return measure->doubts & DOUBT_MISSING && !is_mapped(eval, analyte);
}

struct answer measure_unknown(struct eval *eval, unsigned analyte, const struct measure *measure,
                              struct trace *t)
{
    if (lacks_code(eval, analyte, measure))
        return no_code_answer(eval, concept_words(eval->knowledge, analyte), t);
    measure_tell(eval, t, measure);
    trace_say(eval, t, ".");
    trace_change(eval, t, "%s", measure->why);
    return answer_unknown(measure->doubts);
}

/* ---- what a value is compared with */

static bool is_reference(const struct chart_result *result)
{
    return result->state == RESULT_FINAL && result->kind == VALUE_QUANTITY &&
           result->at_ms != INSTANT_UNSET;
}

/* The last value before an instant. */
static const struct chart_result *last_before(const struct eval *eval, unsigned analyte, int64_t ms)
{
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, analyte, &results);

    for (size_t i = 0; i < count; i++)
        if (is_reference(&results[i]) && results[i].at_ms < ms) return &results[i];
    return NULL;
}

/* Can a be lower than b? */
static bool is_lower(const struct interval *a, const struct interval *b)
{
    if (a->low_none || b->low_none) return !b->low_none;
    return decimal_compare(a->low, b->low) < 0;
}

/* The value that can be the lowest in the span before the newest one. */
static const struct chart_result *lowest_find(const struct eval *eval,
                                              const struct result_clause *clause,
                                              const struct chart_result *newest)
{
    int64_t from = instant_add(newest->at_ms, clause->lowest_in, -1);
    const struct chart_result *results, *lowest = NULL;
    size_t count = chart_results(eval->chart, clause->analyte, &results);

    for (size_t i = 0; i < count; i++) {
        const struct chart_result *at = &results[i];
        if (!is_reference(at) || at->at_ms < from || at->at_ms >= newest->at_ms) continue;
        if (!lowest || is_lower(&at->value, &lowest->value)) lowest = at;
    }
    return lowest;
}

static const struct chart_result *reference_find(const struct eval *eval,
                                                 const struct result_clause *clause,
                                                 const struct chart_result *newest)
{
    switch (clause->relation) {
    case RESULT_TIMES_BASELINE:
    case RESULT_RISE_BASELINE:
    case RESULT_FALL_BASELINE:
        return last_before(eval, clause->analyte, course_find(eval, &clause->course).start_ms);
    case RESULT_TIMES_LOWEST:
    case RESULT_RISE_LOWEST:
        return lowest_find(eval, clause, newest);
    case RESULT_TIMES_PREVIOUS:
    case RESULT_RISE_PREVIOUS:
    case RESULT_FALL_PREVIOUS:
        return last_before(eval, clause->analyte, newest->at_ms);
    case RESULT_ABSOLUTE:
    case RESULT_TIMES_UPPER:
        break;
    }
    return NULL;
}

/* The limit in the analyte's unit that stands for a relative threshold, from an exact reference. */
static struct threshold relative_limit(const struct result_clause *clause, struct decimal reference)
{
    struct threshold limit = clause->threshold;

    switch (clause->relation) {
    case RESULT_TIMES_BASELINE:
    case RESULT_TIMES_LOWEST:
    case RESULT_TIMES_PREVIOUS:
        limit.low = decimal_multiply(limit.low, reference);
        limit.high = decimal_multiply(limit.high, reference);
        break;
    case RESULT_RISE_BASELINE:
    case RESULT_RISE_LOWEST:
    case RESULT_RISE_PREVIOUS:
        limit.low = decimal_add(reference, limit.low);
        break;
    case RESULT_FALL_BASELINE:
    case RESULT_FALL_PREVIOUS: /* fallen by at least d  <=>  value at most reference - d */
        limit.low = decimal_subtract(reference, limit.low);
        limit.compare = limit.compare == COMPARE_AT_LEAST ? COMPARE_AT_MOST : COMPARE_BELOW;
        break;
    case RESULT_ABSOLUTE:
    case RESULT_TIMES_UPPER:
        break;
    }
    return limit;
}

/* ---- judging */

bool has_upper(const struct measure *measure)
{
    return measure->result && measure->result->has_upper && measure->result->upper.digits > 0;
}

struct answer upper_multiple_answer(const struct measure *measure, const struct threshold *multiple)
{
    struct threshold limit = *multiple;

    if (!has_upper(measure)) return answer_unknown(DOUBT_INPUT);
    limit.low = decimal_multiply(limit.low, measure->result->upper);
    limit.high = decimal_multiply(limit.high, measure->result->upper);
    return threshold_answer(&measure->value, &limit, DOUBT_COMPARATOR);
}

static struct answer upper_answer(struct eval *eval, const struct result_clause *clause,
                                  const struct measure *measure, struct trace *t)
{
    if (!has_upper(measure)) trace_say(eval, t, " (the report gives no upper limit of normal)");
    return upper_multiple_answer(measure, &clause->threshold);
}

/* A limit rises with its reference: what holds for both bounds holds for all between them. */
static struct answer bounds_answer(const struct result_clause *clause,
                                   const struct measure *measure, const struct interval *reference)
{
    struct threshold least = relative_limit(clause, reference->low);
    struct threshold most = relative_limit(clause, reference->high);
    struct answer answer = threshold_answer(&measure->value, &least, DOUBT_COMPARATOR);

    if (threshold_answer(&measure->value, &most, DOUBT_COMPARATOR).truth == answer.truth)
        return answer;
    return answer_unknown(DOUBT_COMPARATOR);
}

static struct answer reference_answer(const struct result_clause *clause,
                                      const struct measure *measure,
                                      const struct interval *reference)
{
    struct result_clause from = *clause, to = *clause;

    if (reference->low_none || reference->high_none) return answer_unknown(DOUBT_COMPARATOR);
    if (!clause->threshold.range) return bounds_answer(clause, measure, reference);
    from.threshold.range = to.threshold.range = false;
    from.threshold.compare = COMPARE_AT_LEAST;
    to.threshold.compare = COMPARE_AT_MOST;
    to.threshold.low = clause->threshold.high;
    return answer_both(bounds_answer(&from, measure, reference),
                       bounds_answer(&to, measure, reference));
}

static struct answer relative_answer(struct eval *eval, const struct result_clause *clause,
                                     const struct measure *measure, struct trace *t)
{
    const struct chart_result *reference;
    char date[16];

    if (!measure->result) return answer_unknown(DOUBT_INPUT);
    if (clause->relation == RESULT_TIMES_UPPER) return upper_answer(eval, clause, measure, t);
    reference = reference_find(eval, clause, measure->result);
    if (!reference) {
        trace_say(eval, t, " (there is no earlier value to compare with)");
        return answer_unknown(DOUBT_INPUT);
    }
    trace_say(eval, t, " (compared with %s on %s)", reference->shown,
              instant_date(reference->at_ms, date, sizeof date));
    trace_result(eval, t, reference);
    return reference_answer(clause, measure, &reference->value);
}

static struct answer coded_answer(const struct result_clause *clause, const struct measure *measure)
{
    enum coded_value wanted =
        clause->coded_wanted == CODED_WANT_POSITIVE ? CODED_POSITIVE : CODED_NEGATIVE;

    if (!measure->is_coded || measure->coded == CODED_OTHER)
        return answer_unknown(DOUBT_UNREADABLE);
    return measure->coded == wanted ? ANSWER_TRUE : ANSWER_FALSE;
}

static struct answer measure_judge(struct eval *eval, const struct result_clause *clause,
                                   const struct measure *measure, struct trace *t)
{
    if (clause->coded) return coded_answer(clause, measure);
    if (measure->is_coded) return answer_unknown(DOUBT_UNREADABLE);
    if (clause->relation == RESULT_ABSOLUTE)
        return threshold_answer(&measure->value, &clause->threshold, DOUBT_COMPARATOR);
    return relative_answer(eval, clause, measure, t);
}

/* ---- the clause */

static struct measure baseline_measure(struct eval *eval, const struct result_clause *clause)
{
    int64_t start = course_find(eval, &clause->course).start_ms;
    const struct chart_result *result = last_before(eval, clause->analyte, start);

    if (result) return measure_of(eval, result);
    return measure_lacking(DOUBT_INPUT, "a value before the first dose",
                           "no value from before the treatment is on record");
}

/* The baseline is another one when another course begins. */
static int64_t baseline_until(const struct eval *eval, const struct result_clause *clause)
{
    bool of_course = clause->baseline || clause->relation == RESULT_TIMES_BASELINE ||
                     clause->relation == RESULT_RISE_BASELINE ||
                     clause->relation == RESULT_FALL_BASELINE;

    return of_course ? course_find(eval, &clause->course).next_ms : INSTANT_NEVER;
}

static bool is_change(const struct result_clause *clause)
{
    return clause->relation >= RESULT_RISE_BASELINE;
}

static void limit_say(struct eval *eval, const struct result_clause *clause, struct answer answer,
                      struct trace *t)
{
    const char *words = concept_words(eval->knowledge, clause->analyte);
    char length[32];

    if (!t) return;
    trace_say(eval, t, " (the rule asks: %s", clause->threshold.words);
    if (clause->baseline)
        trace_say(eval, t, ", before the treatment");
    else if (!clause->any_age)
        trace_say(eval, t, ", not older than %s",
                  duration_text(clause->within, length, sizeof length));
    trace_say(eval, t, ").");
    if (answer.truth == TRUTH_FALSE)
        trace_change(eval, t, "a result for %s %s%s", words, is_change(clause) ? "with " : "",
                     clause->threshold.words);
    else if (answer.truth == TRUTH_UNKNOWN)
        trace_change(eval, t, "a result for %s that is surely on one side of the limit", words);
}

struct answer result_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct result_clause *result = &clause->result;
    struct measure measure =
        result->baseline
            ? baseline_measure(eval, result)
            : measure_newest(eval, result->analyte, result->any_age ? NULL : &result->within);
    struct answer answer;

    if (measure.known != TRUTH_TRUE) {
        answer = measure_unknown(eval, result->analyte, &measure, t);
    } else {
        measure_tell(eval, t, &measure);
        answer = measure_judge(eval, result, &measure, t);
        limit_say(eval, result, answer, t);
    }
    answer_until(eval, &answer, measure.until_ms);
    answer_until(eval, &answer, baseline_until(eval, result));
    return answer;
}

struct answer computable_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct measure measure =
        measure_newest(eval, clause->computable.measure, &clause->computable.within);
    struct answer answer = measure.known == TRUTH_TRUE ? ANSWER_FALSE : ANSWER_TRUE;

    if (measure.known != TRUTH_TRUE && lacks_code(eval, clause->computable.measure, &measure)) {
        answer = measure_unknown(eval, clause->computable.measure, &measure, t);
    } else {
        measure_tell(eval, t, &measure);
        trace_say(eval, t, ".");
    }
    answer_until(eval, &answer, measure.until_ms);
    return answer;
}
