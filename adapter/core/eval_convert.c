/* Doses by body: mg where the rule counts mg/m2 or mg/kg, and the other way round. */
#include <string.h>

#include "core/body.h"
#include "core/eval_impl.h"

/* What turns the unit of a dose into the one that is asked for. */
struct way {
    const struct measure *by; /* NULL: there is none */
    bool divide;              /* by it; else multiply */
};

void eval_body_measure(struct eval *eval)
{
    const struct duration *within = &knowledge_policy(eval->knowledge)->weight_within;

    eval->body.surface = measure_newest(eval, eval->analytes.bsa, within);
    eval->body.weight = measure_newest(eval, eval->analytes.weight, within);
}

static bool is_good(const struct measure *by)
{
    const struct interval *value = &by->value;

    return by->known == TRUTH_TRUE && !by->is_coded && !value->low_none && !value->high_none &&
           value->low.digits > 0;
}

static struct way way_of(const struct eval *eval, const char *from, const char *to)
{
    const struct measure *surface = &eval->body.surface, *weight = &eval->body.weight;

    if (strcmp(from, "mg") == 0 && strcmp(to, "mg/m2") == 0) return (struct way){ surface, true };
    if (strcmp(from, "mg/m2") == 0 && strcmp(to, "mg") == 0) return (struct way){ surface, false };
    if (strcmp(from, "mg") == 0 && strcmp(to, "mg/kg") == 0) return (struct way){ weight, true };
    if (strcmp(from, "mg/kg") == 0 && strcmp(to, "mg") == 0) return (struct way){ weight, false };
    return (struct way){ NULL, false };
}

static bool can_go(const struct eval *eval, struct way way)
{
    if (!way.by || !is_good(way.by)) return false;
    return way.by != &eval->body.weight || body_weight_is_plausible(&way.by->value);
}

/* With what may have been rounded off or up: a dose near a limit is on neither side of it. */
static struct interval converted(const struct eval *eval, struct way way, struct interval dose)
{
    const struct interval *by = &way.by->value;
    int64_t percent = knowledge_policy(eval->knowledge)->dose_rounding;
    struct decimal less = { 100 - percent, -2 }, more = { 100 + percent, -2 };

    if (way.divide) {
        dose.low = decimal_divide(dose.low, by->high);
        dose.high = decimal_divide(dose.high, by->low);
    } else {
        dose.low = decimal_multiply(dose.low, by->low);
        dose.high = decimal_multiply(dose.high, by->high);
    }
    dose.low = decimal_multiply(dose.low, less);
    dose.high = decimal_multiply(dose.high, more);
    return dose;
}

const struct dose *dose_as(const struct eval *eval, const struct dose *dose, const char *unit,
                           struct dose *room)
{
    struct way way = way_of(eval, dose->unit, unit);

    if (!can_go(eval, way)) return dose;
    *room = *dose;
    room->unit = unit;
    if (dose->single_known) room->single = converted(eval, way, dose->single);
    if (dose->daily_known) room->daily = converted(eval, way, dose->daily);
    return room;
}

int64_t dose_as_until(const struct eval *eval, const struct dose *dose, const char *unit)
{
    struct way way = way_of(eval, dose->unit, unit);

    return way.by ? way.by->until_ms : INSTANT_NEVER;
}

static void span_say(struct eval *eval, struct trace *t, const struct interval *at)
{
    char low[64], high[64];

    decimal_text(decimal_round(at->low, 2), low, sizeof low);
    decimal_text(decimal_round(at->high, 2), high, sizeof high);
    trace_say(eval, t, strcmp(low, high) == 0 ? "%s" : "%s to %s", low, high);
}

void dose_as_say(struct eval *eval, struct trace *t, const struct dose *dose, const char *unit)
{
    const struct policy *policy = knowledge_policy(eval->knowledge);
    struct way way = way_of(eval, dose->unit, unit);
    struct measure by;
    struct dose room;

    if (!t || !way.by) return;
    by = measure_newest(eval,
                        way.by == &eval->body.surface ? eval->analytes.bsa : eval->analytes.weight,
                        &policy->weight_within); /* with its words */
    if (!can_go(eval, way)) {
        trace_say(eval, t, " A dose in %s cannot be compared in %s: %s.", dose->unit, unit,
                  by.known == TRUTH_TRUE ? "the weight is not plausible" : by.text);
        return;
    }
    dose_as(eval, dose, unit, &room);
    if (!dose->single_known && !dose->daily_known) return;
    trace_say(eval, t, " That is ");
    span_say(eval, t, dose->single_known ? &room.single : &room.daily);
    trace_say(eval, t, " %s%s by %s; doses are rounded, up to %d %%.", unit,
              dose->single_known ? "" : " daily", by.text, (int)policy->dose_rounding);
    for (size_t i = 0; i < by.source_count; i++) trace_fact(eval, t, TRACE_EVIDENCE, by.sources[i]);
}
