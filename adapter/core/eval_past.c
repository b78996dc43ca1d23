/* Looking back: would an alert that lasts beyond its trigger be open, for all that the record says? What
 * raised it may have come and gone while nobody looked. */
#include <stdlib.h>

#include "core/eval_impl.h"

#define STEPS_MAX 1000

/* What an instant does to an alert of the rule. */
enum effect { EFFECT_NONE, EFFECT_OPENS, EFFECT_ENDS };

struct look {
    const struct eval *now;
    const struct rule *rule;
    struct arena arena; /* of one step */
    unsigned steps;
};

static enum effect effect_of(struct eval *then, const struct rule *rule, int64_t *ret_next_ms)
{
    struct answer when = clause_answer(then, rule->when, NULL), lasting;

    *ret_next_ms = when.next_ms;
    if (when.truth == TRUTH_TRUE) return EFFECT_OPENS;
    lasting = clause_answer(then, rule->persists, NULL);
    if (lasting.next_ms < *ret_next_ms) *ret_next_ms = lasting.next_ms;
    if (lasting.truth == TRUTH_TRUE) return EFFECT_NONE;
    return unknown_but_for_age(lasting) ? EFFECT_NONE : EFFECT_ENDS;
}

/* From an instant on, every change until another one; the last that had an effect is kept. */
static struct past stretch_look(struct look *look, int64_t from_ms, int64_t to_ms)
{
    static const enum past_kind kinds[] = {
        [EFFECT_OPENS] = PAST_OPENED, [EFFECT_ENDS] = PAST_ENDED
    };
    struct past past = { PAST_SILENT, INSTANT_UNSET };

    for (int64_t at = from_ms, next; at < to_ms; at = next) {
        struct eval then;
        enum effect effect;
        if (look->steps++ == STEPS_MAX) return (struct past){ PAST_TOO_LONG, INSTANT_UNSET };
        then = eval_at(look->now, at, &look->arena);
        effect = effect_of(&then, look->rule, &next);
        if (effect != EFFECT_NONE) past = (struct past){ kinds[effect], at };
        arena_done(&look->arena);
    }
    return past;
}

/* ---- the instants at which something came into the record */

static int newest_first(const void *a, const void *b)
{
    const int64_t *one = a, *other = b;

    return (*one < *other) - (*one > *other);
}

static int64_t beginning(const struct chart_order *order)
{
    return order->start_ms != INSTANT_UNSET ? order->start_ms : order->authored_ms;
}

/* Before now, newest first; one may stand there more than once. What changes by itself lies between. */
static size_t instants_find(const struct eval *eval, int64_t **ret)
{
    const struct chart *chart = eval->chart;
    size_t most = chart->result_count + chart->order_count, count = 0;
    int64_t *instants = arena_alloc(eval->arena, (most + 1) * sizeof *instants);

    for (size_t i = 0; i < chart->result_count; i++) instants[count++] = chart->results[i].at_ms;
    for (size_t i = 0; i < chart->order_count; i++)
        instants[count++] = beginning(&chart->orders[i]);
    most = count;
    count = 0;
    for (size_t i = 0; i < most; i++)
        if (instants[i] != INSTANT_UNSET && instants[i] < eval->now_ms)
            instants[count++] = instants[i];
    if (count > 1) qsort(instants, count, sizeof *instants, newest_first);
    *ret = instants;
    return count;
}

struct past past_find(const struct eval *eval, const struct rule *rule)
{
    struct look look = { .now = eval, .rule = rule };
    struct past past = { .kind = PAST_SILENT, .at_ms = INSTANT_UNSET };
    int64_t *instants, to_ms = eval->now_ms;
    size_t count = instants_find(eval, &instants);

    for (size_t i = 0; i < count && past.kind == PAST_SILENT; i++) {
        past = stretch_look(&look, instants[i], to_ms);
        to_ms = instants[i];
    }
    return past;
}
