/* Clauses about the patient: conditions, allergies, age, sex. */
#include "core/eval_impl.h"

/* ---- conditions and procedures */

static bool shares(const struct concept_set *set, const unsigned *concepts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (concept_set_has(set, concepts[i])) return true;
    return false;
}

/* The instant from which it is past: INSTANT_UNSET at all times, INSTANT_NEVER at none. Looking back, what
 * is past without a date has been so since its last change, as far as the record says. */
static int64_t past_from(const struct eval *eval, const struct chart_condition *condition)
{
    if (condition->state != CONDITION_PAST) return condition->end_ms;
    if (!eval->back) return INSTANT_UNSET;
    return condition->end_ms != INSTANT_NEVER ? condition->end_ms : condition->source.updated_ms;
}

static bool is_past(const struct eval *eval, const struct chart_condition *condition)
{
    return past_from(eval, condition) <= eval->now_ms;
}

static struct answer recency_answer(const struct eval *eval, int64_t start_ms,
                                    struct duration within)
{
    int64_t over = instant_add(start_ms, within, 1);
    struct answer answer;

    if (start_ms == INSTANT_UNSET) return answer_unknown(DOUBT_TIME);
    answer = eval->now_ms <= over ? ANSWER_TRUE : ANSWER_FALSE;
    answer_past(eval, &answer, over);
    return answer;
}

static struct answer condition_match(const struct eval *eval, const struct condition_clause *clause,
                                     const struct chart_condition *condition)
{
    struct answer answer = ANSWER_FALSE;

    if (condition->state == CONDITION_REMOVED) return answer;
    if (condition->state == CONDITION_UNCONFIRMED) return answer_unknown(DOUBT_STATUS);
    if (condition->start_ms != INSTANT_UNSET && condition->start_ms > eval->now_ms) {
        answer_until(eval, &answer, condition->start_ms);
        return answer;
    }
    /* A procedure is done once: it is never "active", only recent. */
    if (!clause->ever && !condition->procedure && is_past(eval, condition)) return answer;
    answer.truth = TRUTH_TRUE;
    if (!clause->ever && !condition->procedure)
        answer_until(eval, &answer, past_from(eval, condition));
    if (!clause->has_within) return answer;
    return answer_both(answer, recency_answer(eval, condition->start_ms, clause->within));
}

/* A problem without any code could be the one asked for, where one with its code would be. */
static struct answer could_be(const struct eval *eval, const struct condition_clause *clause,
                              const struct chart_condition *condition)
{
    if (!condition->uncoded || condition->state == CONDITION_UNCONFIRMED) return ANSWER_FALSE;
    return condition_match(eval, clause, condition);
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

static struct answer conditions_find(struct eval *eval, const struct condition_clause *clause,
                                     bool *ret_uncoded, struct trace *t)
{
    struct answer answer = ANSWER_FALSE;

    for (size_t i = 0; i < eval->chart->condition_count; i++) {
        const struct chart_condition *condition = &eval->chart->conditions[i];
        struct answer one = could_be(eval, clause, condition);
        *ret_uncoded |= one.truth > TRUTH_FALSE;
        answer_until(eval, &answer, one.next_ms);
        if (!shares(&clause->concepts, condition->concepts, condition->concept_count)) continue;
        one = condition_match(eval, clause, condition);
        if (one.truth > TRUTH_FALSE) condition_tell(eval, t, condition);
        answer = answer_either(answer, one);
    }
    return answer;
}

/* The reason that an order gives is evidence of the condition as well, as long as the order runs. */
static struct answer reason_answer(const struct eval *eval, const struct condition_clause *clause,
                                   const struct chart_order *order)
{
    struct exposure at = exposure_of(eval, order);
    struct answer answer = ANSWER_FALSE;

    if (clause->has_within || at.state == EXPOSURE_NONE) return answer;
    if (!shares(&clause->concepts, order->reasons, order->reason_count)) return answer;
    if (clause->ever || at.state != EXPOSURE_ENDED) answer.truth = TRUTH_TRUE;
    if (!clause->ever) answer_until(eval, &answer, at.next_ms);
    return answer;
}

static struct answer reasons_find(struct eval *eval, const struct condition_clause *clause,
                                  struct trace *t)
{
    struct answer answer = ANSWER_FALSE;

    for (size_t i = 0; i < eval->chart->order_count; i++) {
        const struct chart_order *order = &eval->chart->orders[i];
        struct answer one;
        if (!order->reason_count) continue;
        one = reason_answer(eval, clause, order);
        answer = answer_either(answer, one);
        if (!t || one.truth != TRUTH_TRUE) continue;
        trace_say(eval, t, "%sThe order for %s names it as its reason.", t->text[0] ? " " : "",
                  order->label);
        trace_fact(eval, t, TRACE_EVIDENCE, &order->source);
    }
    return answer;
}

struct answer condition_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct condition_clause *condition = &clause->condition;
    bool uncoded = false;
    struct answer answer = answer_either(conditions_find(eval, condition, &uncoded, t),
                                         reasons_find(eval, condition, t));
    int64_t next_ms;

    if (answer.truth == TRUTH_FALSE && uncoded) {
        answer.truth = TRUTH_UNKNOWN;
        answer.doubts = DOUBT_UNMAPPED;
        trace_say(eval, t, "A problem without a code is on record: it could be %s.",
                  condition->words);
    } else if (answer.truth == TRUTH_FALSE && !any_is_mapped(eval, &condition->concepts)) {
        next_ms = answer.next_ms;
        answer = no_code_answer(eval, condition->words, t);
        answer_until(eval, &answer, next_ms);
        return answer;
    } else if (answer.truth == TRUTH_FALSE) {
        trace_say(eval, t, "Not on record: %s.", condition->words);
    }
    if (condition->absent) answer.truth = truth_not(answer.truth);
    if (answer.truth != TRUTH_TRUE)
        trace_change(eval, t, condition->absent ? "%s being over" : "a coded record of %s",
                     condition->words);
    return answer;
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

/* The start of the day on which somebody completes that many years; who was born on a leap day does
 * so on 1 March of other years, as instant_years() has it. */
static int64_t birthday(int64_t born_ms, int years)
{
    int64_t at = instant_add(born_ms, (struct duration){ .months = 12 * years }, 1);

    return instant_years(born_ms, at) < years ? at + INSTANT_DAY : at;
}

bool age_at(const struct span *birth, int64_t at_ms, struct age *ret)
{
    int64_t first = birth->start, last, next;

    if (first == INSTANT_UNSET || first > at_ms) return false;
    last = birth->end - INSTANT_DAY; /* the last day that it may be */
    if (last < first) last = first;
    ret->oldest = instant_years(first, at_ms);
    ret->youngest = last > at_ms ? 0 : instant_years(last, at_ms);
    ret->until_ms = birthday(first, ret->oldest + 1);
    next = birthday(last, last > at_ms ? 0 : ret->youngest + 1);
    if (next < ret->until_ms) ret->until_ms = next;
    return true;
}

bool age_of(const struct eval *eval, struct age *ret)
{
    return age_at(&eval->chart->birth, eval->now_ms, ret);
}

static struct answer years_answer(const struct threshold *limit, int years)
{
    struct interval age = interval_exactly(decimal_of(years));

    return threshold_answer(&age, limit, DOUBT_INPUT);
}

struct answer age_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer;
    struct age age;

    if (!age_of(eval, &age)) {
        trace_say(eval, t, "The birth date is not known.");
        trace_change(eval, t, "a birth date");
        return answer_unknown(DOUBT_INPUT);
    }
    trace_say(eval, t, "Age %d", age.youngest);
    if (age.oldest != age.youngest) trace_say(eval, t, " or %d", age.oldest);
    trace_say(eval, t, " years (the rule asks: %s).", clause->age.words);
    trace_change(eval, t, "a birthday");
    answer = years_answer(&clause->age, age.oldest);
    if (years_answer(&clause->age, age.youngest).truth != answer.truth)
        answer = answer_unknown(DOUBT_INPUT);
    answer_until(eval, &answer, age.until_ms);
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
