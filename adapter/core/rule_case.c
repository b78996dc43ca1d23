#include "core/rule_case.h"

#include <string.h>

#include "core/eval.h"
#include "core/explain.h"
#include "core/knowledge_impl.h"
#include "core/rule_case_impl.h"

const char *case_outcome_name(enum case_outcome outcome)
{
    static const char *const names[] = { "fires", "silent", "cannot tell", "stays", "yields" };
    return names[outcome];
}

/* ---- what the rule says */

static enum case_outcome verdict_outcome(const struct verdict *verdict)
{
    if (verdict->answer.truth == TRUTH_TRUE) return verdict->merged_into ? CASE_YIELDS : CASE_FIRES;
    if (verdict->persists) return CASE_STAYS;
    if (verdict->answer.truth == TRUTH_UNKNOWN || verdict->lasting.truth == TRUTH_UNKNOWN)
        return CASE_CANNOT_TELL;
    return CASE_SILENT;
}

/* What an evaluation says of one rule: the strongest of its verdicts. */
static enum case_outcome outcome_of(const struct evaluation *evaluation, const struct rule *rule,
                                    enum display *ret_display)
{
    static const int strength[] = { [CASE_SILENT] = 0,
                                    [CASE_CANNOT_TELL] = 1,
                                    [CASE_STAYS] = 2,
                                    [CASE_YIELDS] = 3,
                                    [CASE_FIRES] = 4 };
    enum case_outcome outcome = CASE_SILENT;

    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        enum case_outcome one = verdict_outcome(verdict);
        if (verdict->rule != rule || strength[one] < strength[outcome]) continue;
        outcome = one;
        *ret_display = verdict->display;
    }
    return outcome;
}

/* ---- playing */

static struct concept_set unmapped_of(const struct rule_case *at, const struct knowledge *knowledge)
{
    static const enum concept_kind kinds[] = { CONCEPT_ANALYTE, CONCEPT_CONDITION };
    struct concept_set set = { 0 };

    for (size_t i = 0; i < at->unmapped_count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(kinds); j++) {
            unsigned concept = knowledge_concept(knowledge, kinds[j], at->unmapped[i]);
            if (concept != CONCEPT_NONE) concept_set_add(&set, concept);
        }
    return set;
}

/* The alerts that were open: of the rule itself where it can last, and of those the case names. */
static bool open_find(const struct rule_case *at, const struct rule *rule,
                      const struct knowledge *knowledge, const struct chart *chart,
                      struct open_alerts *ret, struct err *err)
{
    if (rule->persists) open_alerts_add(ret, rule, knowledge, chart);
    for (size_t i = 0; i < at->open_count; i++) {
        const struct rule *other = knowledge_rule_named(knowledge, at->open[i]);
        if (!other)
            return err_set(err, ERR_CONFIG, "case.words", "there is no rule \"%s\" to be open",
                           at->open[i]);
        open_alerts_add(ret, other, knowledge, chart);
    }
    return true;
}

bool rule_case_play(const struct rule_case *at, const struct rule *rule,
                    const struct knowledge *knowledge, struct case_said *ret, struct buf *trace,
                    struct err *err)
{
    AUTO(chart_free) struct chart *chart = NULL;
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    struct concept_set unmapped = unmapped_of(at, knowledge);
    struct eval_options options = { .suppressed_too = true,
                                    .only = rule,
                                    .trace_all = trace,
                                    .profile = at->profile,
                                    .unmapped = &unmapped };
    struct open_alerts open = { .count = 0 };
    bool built = rule_case_chart(at, knowledge, &chart, err) &&
                 open_find(at, rule, knowledge, chart, &open, err);

    options.open = open.items;
    options.open_count = open.count;
    if (built) evaluation = evaluate(knowledge, chart, CASE_NOW, &options);
    open_alerts_done(&open);
    concept_set_done(&unmapped);
    if (!built) return false;
    ret->display = rule->display;
    ret->outcome = outcome_of(evaluation, rule, &ret->display);
    if (trace) explain_write(evaluation, knowledge, trace);
    return true;
}

bool rule_case_agrees(const struct rule_case *at, const struct case_said *said)
{
    return said->outcome == at->then &&
           (!at->display[0] || strcmp(display_name(said->display), at->display) == 0);
}

bool rule_case_holds(const struct rule_case *at, const struct rule *rule,
                     const struct knowledge *knowledge, struct err *err)
{
    struct case_said said;

    if (!rule_case_play(at, rule, knowledge, &said, NULL, err)) return false;
    if (rule_case_agrees(at, &said)) return true;
    if (said.outcome != at->then)
        return err_set(err, ERR_CONFIG, "case.outcome", "expected \"%s\", the rule says \"%s\"",
                       case_outcome_name(at->then), case_outcome_name(said.outcome));
    return err_set(err, ERR_CONFIG, "case.display", "expected display \"%s\", got \"%s\"",
                   at->display, display_name(said.display));
}
