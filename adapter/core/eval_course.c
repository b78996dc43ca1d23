/* Courses: how long a treatment has gone on, over all its orders. */
#include "core/eval_impl.h"

/* ---- finding the present course */

struct spell {
    int64_t start_ms, end_ms; /* of one order; INSTANT_NEVER: open */
};

struct spells {
    struct spell *items; /* that have begun; in the arena */
    size_t count;
    bool undated;    /* one that is not over does not say when it began */
    bool past;       /* one that is over does not say it */
    int64_t next_ms; /* when the first planned one begins */
};

static void spell_add(const struct eval *eval, const struct drug_place *place,
                      struct spells *spells)
{
    struct exposure at = exposure_of(eval, place->order);

    if (place->drug->use == USE_LOCAL) return;
    if (at.start_ms == INSTANT_UNSET) {
        spells->undated |= at.state != EXPOSURE_ENDED;
        spells->past |= at.state == EXPOSURE_ENDED;
    } else if (at.start_ms > eval->now_ms) {
        if (at.start_ms < spells->next_ms) spells->next_ms = at.start_ms;
    } else {
        if (at.end_ms == INSTANT_UNSET) at.end_ms = at.start_ms; /* what is known of it */
        spells->items[spells->count++] = (struct spell){ at.start_ms, at.end_ms };
    }
}

static void spells_find(const struct eval *eval, const struct concept_set *drugs,
                        struct spells *ret)
{
    const struct drug_place *places = NULL;

    *ret =
        (struct spells){ .items = arena_alloc(eval->arena, eval->index.count * sizeof *ret->items),
                         .next_ms = INSTANT_NEVER };
    for (size_t i = 0; i < drugs->count; i++) {
        size_t count = drug_index_find(&eval->index, drugs->items[i], &places);
        for (size_t j = 0; j < count; j++) spell_add(eval, &places[j], ret);
    }
}

static bool reaches(const struct spell *spell, int64_t start_ms, struct duration pause)
{
    return spell->end_ms == INSTANT_NEVER || spell->end_ms >= instant_add(start_ms, pause, -1);
}

/* From the newest start back along all that reach it. */
static int64_t chain_start(const struct spells *spells, struct duration pause)
{
    int64_t start = INSTANT_UNSET, before;

    for (size_t i = 0; i < spells->count; i++)
        if (spells->items[i].start_ms > start) start = spells->items[i].start_ms;
    do {
        before = start;
        for (size_t i = 0; i < spells->count; i++)
            if (spells->items[i].start_ms < start && reaches(&spells->items[i], before, pause))
                start = spells->items[i].start_ms;
    } while (start < before);
    return start;
}

struct course course_find(const struct eval *eval, const struct concept_set *drugs)
{
    unsigned bound = eval->bound[0];
    struct concept_set first = { &bound, 1 };
    struct duration pause = knowledge_policy(eval->knowledge)->course_pause;
    struct spells spells;

    spells_find(eval, drugs->count ? drugs : &first, &spells);
    bool seen = spells.count || spells.undated || spells.past || eval->index.unmapped_count;
    return (struct course){ .none = !seen,
                            .start_ms =
                                spells.undated ? INSTANT_UNSET : chain_start(&spells, pause),
                            .next_ms = spells.next_ms };
}

/* ---- clauses */

/* The window at the start of each cycle; its end is the first instant outside. */
static struct answer cycle_answer(struct eval *eval, const struct course_clause *course,
                                  int64_t start, struct trace *t)
{
    int64_t length = course->cycle_length.ms, into = (eval->now_ms - start) % length;
    struct answer answer = into < course->cycle_window.ms ? ANSWER_TRUE : ANSWER_FALSE;
    char date[16];

    trace_say(eval, t, "A cycle of %s began on %s.", course->words,
              instant_date(eval->now_ms - into, date, sizeof date));
    trace_change(eval, t, "time");
    answer_until(eval, &answer,
                 eval->now_ms - into +
                     (answer.truth == TRUTH_TRUE ? course->cycle_window.ms : length));
    return answer;
}

#define DAYS_MAX 1000000 /* nobody gets that old */

/* A limit in days as milliseconds. */
static struct decimal days(struct decimal limit)
{
    return decimal_multiply(limit, decimal_of(INSTANT_DAY));
}

/* "at least" and "below" change at their limit, "above" and "at most" just after it. */
static void limit_until(const struct eval *eval, struct answer *answer, int64_t start,
                        enum compare compare, struct decimal limit)
{
    double length = decimal_double(days(limit));
    int64_t at;

    if (length > (double)DAYS_MAX * (double)INSTANT_DAY) return;
    at = start + (int64_t)length;
    if (compare == COMPARE_AT_LEAST || compare == COMPARE_BELOW)
        answer_until(eval, answer, at);
    else
        answer_past(eval, answer, at);
}

static struct answer length_answer(struct eval *eval, const struct course_clause *course,
                                   int64_t start, struct trace *t)
{
    struct interval lasted = interval_exactly(decimal_of(eval->now_ms - start));
    struct threshold limit = course->length;
    struct answer answer;
    char date[16];

    limit.low = days(limit.low);
    limit.high = days(limit.high);
    answer = threshold_answer(&lasted, &limit, DOUBT_TIME);
    trace_say(eval, t, "The course of %s began on %s (the rule asks for its length: %s).",
              course->words, instant_date(start, date, sizeof date), course->length.words);
    trace_change(eval, t, "time");
    if (limit.range) {
        limit_until(eval, &answer, start, COMPARE_AT_LEAST, course->length.low);
        limit_until(eval, &answer, start, COMPARE_AT_MOST, course->length.high);
    } else {
        limit_until(eval, &answer, start, limit.compare, course->length.low);
    }
    return answer;
}

struct answer course_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct course_clause *course = &clause->course;
    struct course found = course_find(eval, &course->drugs);
    struct answer answer;

    if (found.none) {
        trace_say(eval, t, "No treatment with %s has begun.", course->words);
        trace_change(eval, t, "an order for %s", course->words);
        answer = ANSWER_FALSE;
    } else if (found.start_ms == INSTANT_UNSET) {
        trace_say(eval, t, "It is not known when the treatment began.");
        trace_change(eval, t, "an order with a start date");
        answer = answer_unknown(DOUBT_TIME);
    } else if (course->cycle) {
        answer = cycle_answer(eval, course, found.start_ms, t);
    } else {
        answer = length_answer(eval, course, found.start_ms, t);
    }
    answer_until(eval, &answer, found.next_ms);
    return answer;
}
