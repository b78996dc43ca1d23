/* Clauses about the patient: conditions, allergies, age, sex, course. */
#include <string.h>

#include "core/eval_impl.h"

/* ---- conditions and procedures */

static bool shares(const struct concept_set *set, const unsigned *concepts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (concept_set_has(set, concepts[i])) return true;
    return false;
}

static struct answer condition_match(const struct eval *eval, const struct condition_clause *clause,
                                     const struct chart_condition *condition)
{
    struct answer answer = ANSWER_FALSE;
    bool past = condition->state == CONDITION_PAST || condition->end_ms <= eval->now_ms;
    int64_t over;

    if (condition->state == CONDITION_REMOVED) return answer;
    if (condition->state == CONDITION_UNCONFIRMED) return answer_unknown(DOUBT_STATUS);
    if (condition->start_ms != INSTANT_UNSET && condition->start_ms > eval->now_ms) {
        answer_until(eval, &answer, condition->start_ms);
        return answer;
    }
    /* A procedure is done once: it is never "active", only recent. */
    if (past && !clause->ever && !condition->procedure) return answer;
    if (!clause->ever) answer_until(eval, &answer, condition->end_ms);
    answer.truth = TRUTH_TRUE;
    if (!clause->has_within) return answer;
    if (condition->start_ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
    over = instant_add(condition->start_ms, clause->within, 1);
    answer.truth = eval->now_ms <= over ? TRUTH_TRUE : TRUTH_FALSE;
    answer_until(eval, &answer, over + 1);
    return answer;
}

struct condition_found {
    struct answer answer;
    bool uncoded;
};

static void condition_merge(struct condition_found *found, struct answer one)
{
    if (one.next_ms < found->answer.next_ms) found->answer.next_ms = one.next_ms;
    if (one.truth == TRUTH_UNKNOWN) found->answer.doubts |= one.doubts;
    if (one.truth > found->answer.truth) found->answer.truth = one.truth;
}

static void condition_tell(struct eval *eval, struct trace *t,
                           const struct chart_condition *condition)
{
    char date[16];

    if (!t) return;
    trace_say(eval, t, "%sOn record: %s", t->text[0] ? " " : "", condition->label);
    if (condition->start_ms != INSTANT_UNSET)
        trace_say(eval, t, " (%s)", instant_date(condition->start_ms, date, sizeof date));
    if (condition->state == CONDITION_UNCONFIRMED) trace_say(eval, t, ", not confirmed");
    trace_say(eval, t, ".");
    trace_fact(eval, t, TRACE_EVIDENCE, &condition->source);
}

/* The reason that an order gives is evidence of the condition as well. */
static void reasons_find(struct eval *eval, const struct condition_clause *clause,
                         struct condition_found *found, struct trace *t)
{
    for (size_t i = 0; i < eval->chart->order_count && found->answer.truth != TRUTH_TRUE; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        if (order->state == ORDER_REMOVED || clause->has_within) continue;
        if (!shares(&clause->concepts, order->reasons, order->reason_count)) continue;
        found->answer.truth = TRUTH_TRUE;
        trace_say(eval, t, "The order for %s names it as its reason.", order->label);
        trace_fact(eval, t, TRACE_EVIDENCE, &order->source);
    }
}

static void conditions_find(struct eval *eval, const struct condition_clause *clause,
                            struct condition_found *found, struct trace *t)
{
    for (size_t i = 0; i < eval->chart->condition_count; i++) {
        const struct chart_condition *condition = &eval->chart->conditions[i];
        struct answer one;
        if (condition->uncoded && condition->state == CONDITION_ACTIVE) found->uncoded = true;
        if (!shares(&clause->concepts, condition->concepts, condition->concept_count)) continue;
        one = condition_match(eval, clause, condition);
        if (one.truth > TRUTH_FALSE) condition_tell(eval, t, condition);
        condition_merge(found, one);
    }
}

struct answer condition_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct condition_clause *condition = &clause->condition;
    struct condition_found found = { .answer = ANSWER_FALSE };

    conditions_find(eval, condition, &found, t);
    reasons_find(eval, condition, &found, t);
    if (found.answer.truth == TRUTH_FALSE && found.uncoded) {
        found.answer.truth = TRUTH_UNKNOWN;
        found.answer.doubts = DOUBT_UNMAPPED;
        trace_say(eval, t, "A problem without a code is on record: it could be %s.",
                  condition->words);
    } else if (found.answer.truth == TRUTH_FALSE) {
        trace_say(eval, t, "Not on record: %s.", condition->words);
    }
    if (found.answer.truth != TRUTH_UNKNOWN) found.answer.doubts = 0;
    if (condition->absent) found.answer.truth = truth_not(found.answer.truth);
    if (found.answer.truth != TRUTH_TRUE)
        trace_change(eval, t, condition->absent ? "%s being over" : "a coded record of %s",
                     condition->words);
    return found.answer;
}

struct answer allergy_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    for (size_t i = 0; i < eval->chart->allergy_count; i++) {
        const struct chart_allergy *allergy = &eval->chart->allergies[i];
        if (allergy->removed) continue;
        if (!shares(&clause->allergy.concepts, allergy->drugs, allergy->drug_count)) continue;
        trace_say(eval, t, "An allergy to %s is on record.", clause->allergy.words);
        trace_fact(eval, t, TRACE_EVIDENCE, &allergy->source);
        return ANSWER_TRUE;
    }
    trace_say(eval, t, "No allergy to %s is on record.", clause->allergy.words);
    trace_change(eval, t, "a record of an allergy to %s", clause->allergy.words);
    return ANSWER_FALSE;
}

/* ---- age, sex */

bool age_span(const struct eval *eval, int *ret_oldest, int *ret_youngest)
{
    const struct span *birth = &eval->chart->birth;
    int64_t latest = birth->end - 1;

    if (birth->start == INSTANT_UNSET || birth->start > eval->now_ms) return false;
    if (birth->end - birth->start <= INSTANT_DAY) latest = birth->start;
    if (latest > eval->now_ms) latest = eval->now_ms;
    *ret_oldest = instant_years(birth->start, eval->now_ms);
    *ret_youngest = instant_years(latest, eval->now_ms);
    return true;
}

static enum truth years_compare(const struct threshold *limit, int years)
{
    struct interval age = interval_exactly(decimal_of(years));

    if (!limit->range) return interval_compare(&age, limit->compare, limit->low);
    return truth_and(interval_compare(&age, COMPARE_AT_LEAST, limit->low),
                     interval_compare(&age, COMPARE_AT_MOST, limit->high));
}

struct answer age_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct span *birth = &eval->chart->birth;
    struct answer answer = ANSWER_FALSE;
    int oldest, youngest;
    enum truth first, last;

    if (!age_span(eval, &oldest, &youngest)) {
        trace_say(eval, t, "The birth date is not known.");
        trace_change(eval, t, "a birth date");
        return answer_unknown(DOUBT_INPUT);
    }
    first = years_compare(&clause->age, oldest);
    last = years_compare(&clause->age, youngest);
    trace_say(eval, t, "Age %d years (the rule asks: %s).", oldest, clause->age.words);
    trace_change(eval, t, "a birthday");
    if (first != last) return answer_unknown(DOUBT_INPUT);
    answer.truth = first;
    answer_until(eval, &answer,
                 instant_add(birth->start, (struct duration){ .months = (oldest + 1) * 12 }, 1));
    return answer;
}

struct answer sex_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    enum sex wanted = clause->sex == SEX_WANT_FEMALE ? SEX_FEMALE : SEX_MALE;

    if (eval->chart->sex != SEX_FEMALE && eval->chart->sex != SEX_MALE) {
        trace_say(eval, t, "The sex is not recorded as female or male.");
        trace_change(eval, t, "a recorded sex");
        return answer_unknown(DOUBT_INPUT);
    }
    trace_say(eval, t, "Sex: %s.", eval->chart->sex == SEX_FEMALE ? "female" : "male");
    return eval->chart->sex == wanted ? ANSWER_TRUE : ANSWER_FALSE;
}

/* ---- course */

static struct answer cycle_answer(struct eval *eval, const struct course_clause *course,
                                  int64_t start, struct trace *t)
{
    int64_t length = course->cycle_length.ms, into = (eval->now_ms - start) % length;
    struct answer answer = { into < course->cycle_window.ms ? TRUTH_TRUE : TRUTH_FALSE, 0,
                             INSTANT_NEVER };

    trace_say(eval, t, "Day %d of a cycle.", (int)(into / INSTANT_DAY) + 1);
    answer_until(eval, &answer,
                 eval->now_ms - into +
                     (answer.truth == TRUTH_TRUE ? course->cycle_window.ms : length));
    return answer;
}

struct answer course_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct course_clause *course = &clause->course;
    int64_t start = course_start(eval, &course->drugs);
    struct answer answer = ANSWER_FALSE;
    struct interval days;

    if (start == INSTANT_UNSET) {
        trace_say(eval, t, "It is not known when the treatment began.");
        trace_change(eval, t, "an order with a start date");
        return answer_unknown(DOUBT_TIME);
    }
    if (course->cycle) return cycle_answer(eval, course, start, t);
    days = interval_exactly(
        decimal_divide(decimal_of(eval->now_ms - start), decimal_of(INSTANT_DAY)));
    answer.truth = interval_compare(&days, course->length.compare, course->length.low);
    if (course->length.range)
        answer.truth = truth_and(interval_compare(&days, COMPARE_AT_LEAST, course->length.low),
                                 interval_compare(&days, COMPARE_AT_MOST, course->length.high));
    trace_say(eval, t, "The course of %s has lasted %d days (the rule asks: %s).", course->words,
              (int)((eval->now_ms - start) / INSTANT_DAY), course->length.words);
    trace_change(eval, t, "time");
    answer_until(eval, &answer, /* both sides of each limit: the exact instant and just after it */
                 start + (int64_t)(decimal_double(course->length.low) * (double)INSTANT_DAY));
    answer_until(eval, &answer,
                 start + (int64_t)(decimal_double(course->length.low) * (double)INSTANT_DAY) + 1);
    if (course->length.range)
        answer_until(eval, &answer,
                     start + (int64_t)(decimal_double(course->length.high) * (double)INSTANT_DAY) + 1);
    return answer;
}
