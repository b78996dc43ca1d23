/* Order clauses: who takes what, when. */
#include "core/eval_order_impl.h"

/* ---- the drugs that have an order that counts */

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
    if (truth != TRUTH_TRUE || found->drug_count == FOUND_MAX) return;
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
    struct drug_walk walk = { &eval->index, &clause->drugs, order_bound(eval, clause), 0 };
    const struct drug_place *places;
    size_t count;

    while ((count = drug_walk_next(&walk, &places))) {
        enum truth best = TRUTH_FALSE;
        for (size_t i = 0; i < count; i++)
            best = truth_or(best, found_order(found, order_match(eval, clause, &places[i])));
        if (found_order(found, order_sum(eval, clause, places, count, NULL)) == TRUTH_UNKNOWN)
            best = TRUTH_UNKNOWN;
        found_drug(found, places->concept, best);
    }
    for (size_t i = 0; i < eval->index.unmapped_count; i++)
        found_drug(found, CONCEPT_NONE,
                   found_order(found, order_unmapped(eval, clause, eval->index.unmapped[i])));
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
                       ago_answer(eval, starts[clause->at_least - 1], clause->overlap, false));
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

/* ---- the clause */

struct answer order_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    const struct order_clause *order = &clause->order;
    struct found found = { .answer = ANSWER_FALSE };
    struct answer answer;

    orders_find(eval, order, &found);
    answer = found_judge(eval, order, &found);
    if (t) order_answer_say(eval, order, answer.truth, t);
    if (order->absent) answer.truth = truth_not(answer.truth);
    return answer;
}

/* Can the clause be bound to the drug? When not, *next_ms is lowered to when it may be. */
static bool is_candidate(const struct eval *eval, const struct order_clause *clause,
                         const struct drug_place *places, size_t count, int64_t *next_ms)
{
    struct answer all = ANSWER_FALSE;

    for (size_t i = 0; i < count; i++)
        all = answer_either(all, order_match(eval, clause, &places[i]));
    all = answer_either(all, order_sum(eval, clause, places, count, NULL));
    if (all.truth == TRUTH_FALSE && all.next_ms < *next_ms) *next_ms = all.next_ms;
    return all.truth != TRUTH_FALSE;
}

size_t order_candidates(struct eval *eval, const struct order_clause *clause, const unsigned **ret,
                        int64_t *ret_next_ms)
{
    struct drug_walk walk = { &eval->index, &clause->drugs, CONCEPT_NONE, 0 };
    const struct drug_place *places;
    unsigned *drugs = NULL;
    size_t found = 0, count;

    *ret_next_ms = INSTANT_NEVER;
    while ((count = drug_walk_next(&walk, &places))) {
        if (!is_candidate(eval, clause, places, count, ret_next_ms)) continue;
        if (!drugs) drugs = arena_alloc(eval->arena, clause->drugs.count * sizeof *drugs);
        drugs[found++] = places->concept;
    }
    *ret = drugs;
    return found;
}
