/* Answers, the traces that tell how they came about, and the clauses that are made of clauses. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/eval_impl.h"

/* ---- answers */

void answer_until(const struct eval *eval, struct answer *answer, int64_t ms)
{
    if (ms > eval->now_ms && ms < answer->next_ms) answer->next_ms = ms;
}

void answer_past(const struct eval *eval, struct answer *answer, int64_t ms)
{
    if (ms != INSTANT_NEVER) answer_until(eval, answer, ms + 1);
}

/* When a false answer that rests on two may change: when the last of those that are false does. */
static int64_t false_until(struct answer a, struct answer b)
{
    if (a.truth != TRUTH_FALSE) return b.next_ms;
    if (b.truth != TRUTH_FALSE) return a.next_ms;
    return a.next_ms > b.next_ms ? a.next_ms : b.next_ms;
}

struct answer answer_both(struct answer a, struct answer b)
{
    struct answer answer = { truth_and(a.truth, b.truth), 0,
                             a.next_ms < b.next_ms ? a.next_ms : b.next_ms };

    if (answer.truth == TRUTH_FALSE) answer.next_ms = false_until(a, b);
    if (answer.truth == TRUTH_UNKNOWN)
        answer.doubts =
            (a.truth == TRUTH_UNKNOWN ? a.doubts : 0) | (b.truth == TRUTH_UNKNOWN ? b.doubts : 0);
    return answer;
}

struct answer answer_either(struct answer a, struct answer b)
{
    struct answer answer = { truth_or(a.truth, b.truth), 0,
                             a.next_ms < b.next_ms ? a.next_ms : b.next_ms };

    if (answer.truth == TRUTH_UNKNOWN) answer.doubts = a.doubts | b.doubts;
    return answer;
}

bool unknown_but_for_age(struct answer answer)
{
    return answer.truth == TRUTH_UNKNOWN &&
           answer.doubts & ~(unsigned)(DOUBT_STALE | DOUBT_MISSING);
}

struct answer threshold_answer(const struct interval *value, const struct threshold *limit,
                               enum doubt doubt)
{
    enum truth truth = interval_compare(value, limit->compare, limit->low);

    if (limit->range)
        truth = truth_and(interval_compare(value, COMPARE_AT_LEAST, limit->low),
                          interval_compare(value, COMPARE_AT_MOST, limit->high));
    return truth == TRUTH_UNKNOWN ? answer_unknown(doubt)
                                  : (struct answer){ truth, 0, INSTANT_NEVER };
}

/* ---- traces */

#define TEXT_ROOM 192 /* bytes that most texts of a clause need */

/* Texts are written piece by piece, often one for each of many orders: there is room behind them, so
 * that a piece costs no more than itself. */
static void text_grow(struct eval *eval, struct trace *t, size_t needed)
{
    size_t room = t->text_room ? t->text_room : TEXT_ROOM;
    char *text;

    while (room < needed) room *= 2;
    text = arena_alloc(eval->arena, room);
    memcpy(text, t->text, t->text_len + 1);
    t->text = text;
    t->text_room = room;
}

void trace_say(struct eval *eval, struct trace *t, const char *fmt, ...)
{
    va_list args, again;
    size_t left;
    int more;

    if (!t) return;
    if (!t->text_room) text_grow(eval, t, 1);
    left = t->text_room - t->text_len;
    va_start(args, fmt);
    va_copy(again, args);
    more = vsnprintf(t->text + t->text_len, left, fmt, args);
    if ((size_t)more >= left) {
        t->text[t->text_len] = '\0';
        text_grow(eval, t, t->text_len + (size_t)more + 1);
        vsnprintf(t->text + t->text_len, (size_t)more + 1, fmt, again);
    }
    t->text_len += (size_t)more;
    va_end(again);
    va_end(args);
}

void trace_change(struct eval *eval, struct trace *t, const char *fmt, ...)
{
    va_list args, again;
    char text[256];
    int len;

    if (!t) return;
    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(text, sizeof text, fmt, args);
    if ((size_t)len < sizeof text) {
        t->change = arena_copy(eval->arena, text, (size_t)len);
    } else {
        char *longer = arena_alloc(eval->arena, (size_t)len + 1);
        vsnprintf(longer, (size_t)len + 1, fmt, again);
        t->change = longer;
    }
    va_end(again);
    va_end(args);
}

void trace_fact(struct eval *eval, struct trace *t, enum trace_role role,
                const struct source *source)
{
    size_t count;

    if (!t) return;
    count = t->fact_count;
    for (size_t i = 0; i < count; i++)
        if (t->facts[i].source == source) return;
    if ((count & (count - 1)) == 0) { /* full: there is room for 1, 2, 4, 8 ... */
        struct trace_fact *facts =
            arena_alloc(eval->arena, (count ? 2 * count : 1) * sizeof *facts);
        if (count) memcpy(facts, t->facts, count * sizeof *facts);
        t->facts = facts;
    }
    t->facts[t->fact_count++] = (struct trace_fact){ role, source };
}

void trace_result(struct eval *eval, struct trace *t, const struct chart_result *result)
{
    for (size_t i = 0; i < result_source_count(result); i++)
        trace_fact(eval, t, TRACE_EVIDENCE, result_source(result, i));
}

void trace_init(struct trace *t, const struct clause *clause)
{
    static char nothing[] = ""; /* never written to: it has no room */

    *t = (struct trace){ .clause = clause, .text = nothing, .change = "", .assumption = "" };
}

static struct trace *trace_parts(struct eval *eval, struct trace *t, const struct clause *parts,
                                 size_t count)
{
    if (!t) return NULL;
    t->parts = arena_alloc(eval->arena, count * sizeof *t->parts);
    t->part_count = count;
    for (size_t i = 0; i < count; i++) trace_init(&t->parts[i], &parts[i]);
    return t->parts;
}

/* ---- several parts */

struct tally {
    size_t yes, maybe;
    unsigned doubts;
    int64_t next_ms;  /* the first change of a part */
    int64_t false_ms; /* the last change of a false part */
};

static void tally_add(struct tally *tally, struct answer answer)
{
    if (answer.next_ms < tally->next_ms) tally->next_ms = answer.next_ms;
    switch (answer.truth) {
    case TRUTH_TRUE:
        tally->yes++;
        break;
    case TRUTH_UNKNOWN:
        tally->maybe++;
        tally->doubts |= answer.doubts;
        break;
    case TRUTH_FALSE:
        if (answer.next_ms > tally->false_ms) tally->false_ms = answer.next_ms;
        break;
    }
}

/* At least n of the parts. */
static struct answer tally_judge(const struct tally *tally, size_t n)
{
    struct answer answer = { TRUTH_FALSE, 0, tally->next_ms };

    if (tally->yes >= n) {
        answer.truth = TRUTH_TRUE;
    } else if (tally->yes + tally->maybe >= n) {
        answer.truth = TRUTH_UNKNOWN;
        answer.doubts = tally->doubts;
    }
    return answer;
}

static struct answer at_least(struct eval *eval, const struct clause *clause, size_t n,
                              struct trace *t)
{
    struct trace *parts = trace_parts(eval, t, clause->parts, clause->part_count);
    struct tally tally = { .next_ms = INSTANT_NEVER };

    for (size_t i = 0; i < clause->part_count; i++)
        tally_add(&tally, clause_answer(eval, &clause->parts[i], parts ? &parts[i] : NULL));
    return tally_judge(&tally, n);
}

/* False for as long as one of its parts is. The first one that stays false for ever settles it, so
 * that most rules cost no more than the question whether the chart has their drug. Where a false
 * clause is told (below "not"), every change in it matters. */
static struct answer all_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct trace *parts = trace_parts(eval, t, clause->parts, clause->part_count);
    struct tally tally = { .next_ms = INSTANT_NEVER };
    struct answer answer;

    for (size_t i = 0; i < clause->part_count; i++) {
        answer = clause_answer(eval, &clause->parts[i], parts ? &parts[i] : NULL);
        if (answer.truth == TRUTH_FALSE && answer.next_ms == INSTANT_NEVER && !t &&
            !eval->below_not)
            return ANSWER_FALSE;
        tally_add(&tally, answer);
    }
    answer = tally_judge(&tally, clause->part_count);
    if (answer.truth == TRUTH_FALSE && !eval->below_not) answer.next_ms = tally.false_ms;
    return answer;
}

/* ---- one part */

static struct answer inner_answer(struct eval *eval, const struct clause *inner, struct trace *t)
{
    return clause_answer(eval, inner, trace_parts(eval, t, inner, 1));
}

static struct answer not_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    bool below_not = eval->below_not;
    struct answer answer;

    eval->below_not = true;
    answer = inner_answer(eval, clause->parts, t);
    eval->below_not = below_not;
    answer.truth = truth_not(answer.truth);
    return answer;
}

static struct answer unless_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = inner_answer(eval, clause->parts, t);

    if (answer.truth == TRUTH_TRUE) return (struct answer){ TRUTH_FALSE, 0, answer.next_ms };
    if (t && (answer.truth == TRUTH_UNKNOWN || !clause->note_if_unknown))
        t->assumption = clause->note;
    return (struct answer){ TRUTH_TRUE, 0, answer.next_ms };
}

static struct answer maybe_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = inner_answer(eval, clause->parts, t);

    if (answer.truth == TRUTH_FALSE) return answer;
    trace_say(eval, t, "%s", clause->note);
    return (struct answer){ TRUTH_UNKNOWN, DOUBT_INPUT | answer.doubts, answer.next_ms };
}

static struct answer kind_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    switch (clause->kind) {
    case CLAUSE_ALL:
        return all_answer(eval, clause, t);
    case CLAUSE_ANY:
        return at_least(eval, clause, 1, t);
    case CLAUSE_COUNT:
        return at_least(eval, clause, clause->at_least, t);
    case CLAUSE_NOT:
        return not_answer(eval, clause, t);
    case CLAUSE_UNLESS:
        return unless_answer(eval, clause, t);
    case CLAUSE_MAYBE:
        return maybe_answer(eval, clause, t);
    case CLAUSE_DEFINITION:
        return inner_answer(eval, clause->definition, t);
    case CLAUSE_ORDER:
        return order_answer(eval, clause, t);
    case CLAUSE_RESULT:
        return result_answer(eval, clause, t);
    case CLAUSE_GAP:
        return gap_answer(eval, clause, t);
    case CLAUSE_CONDITION:
        return condition_answer(eval, clause, t);
    case CLAUSE_ALLERGY:
        return allergy_answer(eval, clause, t);
    case CLAUSE_AGE:
        return age_answer(eval, clause, t);
    case CLAUSE_SEX:
        return sex_answer(eval, clause, t);
    case CLAUSE_COURSE:
        return course_answer(eval, clause, t);
    case CLAUSE_CEILING:
        return ceiling_answer(eval, clause, t);
    case CLAUSE_COMPUTABLE:
        return computable_answer(eval, clause, t);
    case CLAUSE_PROFILE:
        return profile_answer(eval, clause, t);
    }
    return ANSWER_FALSE;
}

struct answer clause_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = kind_answer(eval, clause, t);

    if (t) t->answer = answer;
    return answer;
}
