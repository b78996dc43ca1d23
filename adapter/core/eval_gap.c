/* Gaps: a test that should have been done and was not. */
#include "core/eval_impl.h"

/* What shows that the test was done: any result, readable or not. */
struct done {
    const struct chart_result *last; /* the newest that has a date up to now; NULL: none */
    bool undated;                    /* there is one without a date */
    int64_t next_ms;                 /* the next one that is dated after now */
};

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct done done_find(const struct eval *eval, unsigned analyte)
{
    struct done done = { .next_ms = INSTANT_NEVER };
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, analyte, &results);

    for (size_t i = 0; i < count && !done.last; i++) { /* newest first, undated ones last */
        if (results[i].state == RESULT_REMOVED) continue;
        if (results[i].at_ms == INSTANT_UNSET)
            done.undated = true;
        else if (result_from(&results[i]) > eval->now_ms)
            done.next_ms = earlier(done.next_ms, result_from(&results[i]));
        else
            done.last = &results[i];
    }
    return done;
}

static struct answer ever_answer(struct eval *eval, const struct gap_clause *gap,
                                 const struct done *done, struct trace *t)
{
    const char *words = concept_words(eval->knowledge, gap->analyte);

    if (!done->last && !done->undated) {
        trace_say(eval, t, "No result for %s has ever been recorded.", words);
        return ANSWER_TRUE;
    }
    trace_say(eval, t, "A result for %s is on record.", words);
    if (done->last) trace_result(eval, t, done->last);
    return ANSWER_FALSE;
}

/* ---- when the next test is due */

/* The step of the schedule for a course that has lasted since start, and when it ends. */
static const struct gap_step *step_find(const struct eval *eval, const struct gap_clause *gap,
                                        int64_t start, int64_t *ret_end)
{
    size_t i = 0;

    *ret_end = INSTANT_NEVER;
    for (; !gap->steps[i].last; i++) {
        int64_t end = instant_add(start, gap->steps[i].until, 1);
        if (eval->now_ms >= end) continue;
        *ret_end = end;
        break;
    }
    return &gap->steps[i];
}

/* INSTANT_UNSET: at once, nothing has been done yet. */
static int64_t due_ms(const struct gap_clause *gap, const struct gap_step *step, int64_t start,
                      const struct chart_result *last)
{
    int64_t from = gap->at_once ? INSTANT_UNSET : start;

    if (last && last->at_ms > from) from = last->at_ms;
    return instant_add(from, step->within, 1);
}

static void gap_say(struct eval *eval, struct trace *t, unsigned analyte,
                    const struct chart_result *last, struct duration within, bool overdue,
                    int64_t due)
{
    const char *words = concept_words(eval->knowledge, analyte);
    char length[32], date[16];

    if (!t) return;
    duration_text(within, length, sizeof length);
    if (overdue)
        trace_say(eval, t, "No result for %s within %s", words, length);
    else
        trace_say(eval, t, "A result for %s is not overdue before %s (%s)", words,
                  instant_date(due, date, sizeof date), length);
    if (last) {
        trace_say(eval, t, "; the last one is of %s", instant_date(last->at_ms, date, sizeof date));
        trace_result(eval, t, last);
    }
    trace_say(eval, t, ".");
    if (overdue)
        trace_change(eval, t, "a new result for %s", words);
    else
        trace_change(eval, t, "time passing without a new result for %s", words);
}

/* Exactly `within` old still counts. */
static struct answer due_answer(struct eval *eval, const struct gap_clause *gap, int64_t start,
                                const struct done *done, struct trace *t)
{
    int64_t step_end, due;
    const struct gap_step *step = step_find(eval, gap, start, &step_end);
    struct answer answer;

    due = due_ms(gap, step, start, done->last);
    answer = due == INSTANT_UNSET || due < eval->now_ms ? ANSWER_TRUE : ANSWER_FALSE;
    if (due != INSTANT_UNSET) answer_past(eval, &answer, due);
    answer_until(eval, &answer, step_end);
    gap_say(eval, t, gap->analyte, done->last, step->within, answer.truth == TRUTH_TRUE, due);
    return answer;
}

/* Does the answer need to know when the treatment began? */
static bool needs_start(const struct gap_clause *gap, const struct done *done)
{
    return gap->step_count > 1 || (!gap->at_once && !done->last);
}

static struct answer schedule_answer(struct eval *eval, const struct gap_clause *gap,
                                     const struct done *done, struct trace *t)
{
    static const struct concept_set bound_drug = { 0 };
    struct course course = course_find(eval, &bound_drug);
    struct answer answer;

    if (done->undated && !done->last) {
        trace_say(eval, t, "A result for %s is on record without a date.",
                  concept_words(eval->knowledge, gap->analyte));
        trace_change(eval, t, "a date of that result");
        return answer_unknown(DOUBT_TIME);
    }
    if (course.start_ms == INSTANT_UNSET && needs_start(gap, done)) {
        trace_say(eval, t, "It is not known when the treatment began.");
        trace_change(eval, t, "an order with a start date");
        answer = answer_unknown(DOUBT_TIME);
    } else {
        answer = due_answer(eval, gap, course.start_ms, done, t);
    }
    answer_until(eval, &answer, course.next_ms);
    return answer;
}

struct answer gap_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct gap_clause *gap = &clause->gap;
    struct answer day = gap->dose_days ? dose_day_answer(eval, t) : ANSWER_TRUE, answer;
    struct done done;

    if (day.truth == TRUTH_FALSE) return day;
    done = done_find(eval, gap->analyte);
    if (!done.last && !done.undated && !is_mapped(eval, gap->analyte))
        answer = no_code_answer(eval, concept_words(eval->knowledge, gap->analyte), t);
    else
        answer =
            gap->ever ? ever_answer(eval, gap, &done, t) : schedule_answer(eval, gap, &done, t);
    answer_until(eval, &answer, done.next_ms);
    answer_until(eval, &answer, day.next_ms);
    return answer;
}
