#include "core/footing.h"

#include <string.h>

#include "core/trigger.h"

static bool same_knowledge(const struct knowledge *knowledge, const struct alert *alert)
{
    return strcmp(alert->generation, knowledge_generation(knowledge)) == 0;
}

/* ---- what raised it */

/* When what raised it was so; where the chart has no result of that, it was so when the alert was
 * opened. */
static int64_t began_ms(const struct chart *chart, const struct alert *open)
{
    int64_t ms = trigger_ms(chart, open);

    return ms != INSTANT_UNSET ? ms : open->opened_ms;
}

/* Was it never so? Where no result is noted, the record alone knew what raised it. */
static bool was_never_so(const struct knowledge *knowledge, const struct chart *chart,
                         const struct verdict *verdict, const struct alert *open)
{
    if (!same_knowledge(knowledge, open)) return false;
    if (open->raised_count) return !trigger_stands(chart, open);
    return verdict->past.kind == PAST_ENDED && verdict->past.at_ms <= open->opened_ms;
}

/* The record speaks first: what it says is the same for everyone who looks. Where it is silent about
 * the trigger (the order was on hold before it was changed again), the alert remembers. Another
 * generation may read the same result in another way. */
enum footing footing_of(const struct knowledge *knowledge, const struct chart *chart,
                        const struct verdict *verdict, const struct alert *open)
{
    if (!verdict || verdict->answer.truth == TRUTH_TRUE || !verdict->persists) return FOOTING_FIRM;
    if (verdict->past.kind == PAST_OPENED) return FOOTING_FIRM;
    if (was_never_so(knowledge, chart, verdict, open)) return FOOTING_ERROR;
    if (verdict->past.kind == PAST_ENDED && verdict->past.at_ms > began_ms(chart, open))
        return FOOTING_ENDED;
    return FOOTING_FIRM;
}

/* ---- the facts that it names */

/* What became of the fact behind a reference: it may be there no more (deleted, or no longer known to
 * the mappings), or be there and entered in error, cancelled, refuted. */
enum fate { FATE_ABSENT, FATE_REMOVED, FATE_STANDS };

static enum fate better(enum fate fate, bool stands)
{
    return stands ? FATE_STANDS : fate == FATE_STANDS ? fate : FATE_REMOVED;
}

/* One Observation may hold several results: one that stands is enough. */
static enum fate fate_of(const struct chart *chart, const char *reference)
{
    enum fate fate = FATE_ABSENT;

    for (size_t i = 0; i < chart->order_count; i++)
        if (source_is(&chart->orders[i].source, reference))
            fate = better(fate, chart->orders[i].state != ORDER_REMOVED);
    for (size_t i = 0; i < chart->result_count; i++)
        if (source_is(&chart->results[i].source, reference))
            fate = better(fate, chart->results[i].state != RESULT_REMOVED);
    for (size_t i = 0; i < chart->condition_count; i++)
        if (source_is(&chart->conditions[i].source, reference))
            fate = better(fate, chart->conditions[i].state != CONDITION_REMOVED);
    for (size_t i = 0; i < chart->allergy_count; i++)
        if (source_is(&chart->allergies[i].source, reference))
            fate = better(fate, !chart->allergies[i].removed);
    return fate;
}

/* Under other mappings a fact can be absent without having been deleted. */
static bool any_removed(const struct knowledge *knowledge, const struct chart *chart,
                        const struct alert *alert, const char *const *references, size_t count)
{
    bool same = same_knowledge(knowledge, alert);

    for (size_t i = 0; i < count; i++) {
        enum fate fate = fate_of(chart, references[i]);
        if (fate == FATE_REMOVED || (fate == FATE_ABSENT && same)) return true;
    }
    return false;
}

bool footing_is_removed(const struct knowledge *knowledge, const struct chart *chart,
                        const struct alert *alert)
{
    return any_removed(knowledge, chart, alert, alert->implicated, alert->implicated_count) ||
           any_removed(knowledge, chart, alert, alert->evidence, alert->evidence_count);
}

/* Is the source a result of the analyte (or what one was computed from), taken by that time? */
static bool is_result_by(const struct chart *chart, const struct source *source, unsigned analyte,
                         int64_t ms)
{
    const struct chart_result *results;
    size_t count = chart_results(chart, analyte, &results);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < result_source_count(&results[i]); k++)
            if (result_source(&results[i], k) == source) return result_from(&results[i]) <= ms;
    return false;
}

/* Results that say something else now were corrected; a recovery comes with a later result. Where an
 * alert lasts beyond its trigger, what raised it is not what it rests on now, and another generation may
 * read the same result in another way. */
bool footing_is_corrected(const struct knowledge *knowledge, const struct chart *chart,
                          const struct alert *alert, const struct trace *clause)
{
    const struct rule *rule = knowledge_rule_named(knowledge, alert->rule);

    if (!clause || clause->clause->kind != CLAUSE_RESULT || !clause->fact_count) return false;
    if (clause->answer.truth != TRUTH_FALSE || !rule || rule->persists) return false;
    if (!same_knowledge(knowledge, alert)) return false;
    for (size_t i = 0; i < clause->fact_count; i++) {
        const struct source *source = clause->facts[i].source;
        unsigned analyte = clause->clause->result.analyte;
        if (!is_evidence(alert, source)) return false;
        if (!is_result_by(chart, source, analyte, alert->opened_ms)) return false;
    }
    return true;
}
