#include "core/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/eval_impl.h"
#include "core/trigger.h"

struct work {
    const struct evaluation *evaluation;
    const struct knowledge *knowledge;
    const struct chart *chart;
    const struct alert *before;
    size_t before_count;
    int64_t now_ms;
    struct plan *plan;
};

static const char *keep(struct work *work, const char *text)
{
    return arena_copy(&work->plan->arena, text, strlen(text));
}

static const char *join(struct work *work, const char *lead, const char *text, const char *end)
{
    AUTO(buf_done) struct buf out = { 0 };

    buf_printf(&out, "%s%s%s", lead, text, end);
    return keep(work, buf_string(&out));
}

static void plan_add(struct work *work, enum action_kind kind, const struct alert *alert)
{
    work->plan->actions[work->plan->action_count++] = (struct action){ kind, *alert };
}

/* ---- findings */

static bool same_knowledge(const struct work *work, const struct alert *alert)
{
    return strcmp(alert->generation, knowledge_generation(work->knowledge)) == 0;
}

/* What an open alert that is no more true lasts on. */
enum footing {
    FOOTING_FIRM,
    FOOTING_ERROR, /* what raised it was never so: the results were corrected or removed */
    FOOTING_ENDED, /* by results that came late, it had ended since it was raised */
};

/* When what raised it was so; where the chart has no result of that, it was so when the alert was
 * opened. */
static int64_t began_ms(const struct work *work, const struct alert *open)
{
    int64_t ms = trigger_ms(work->chart, open);

    return ms != INSTANT_UNSET ? ms : open->opened_ms;
}

/* Was it never so? Where no result is noted, the record alone knew what raised it. */
static bool was_never_so(const struct work *work, const struct verdict *verdict,
                         const struct alert *open)
{
    if (!same_knowledge(work, open)) return false;
    if (open->raised_count) return !trigger_stands(work->chart, open);
    return verdict->past.kind == PAST_ENDED && verdict->past.at_ms <= open->opened_ms;
}

/* The record speaks first: what it says is the same for everyone who looks. Where it is silent about
 * the trigger (the order was on hold before it was changed again), the alert remembers. Another
 * generation may read the same result in another way. */
static enum footing footing_of(const struct work *work, const struct verdict *verdict,
                               const struct alert *open)
{
    if (verdict->answer.truth == TRUTH_TRUE || !verdict->persists) return FOOTING_FIRM;
    if (verdict->past.kind == PAST_OPENED) return FOOTING_FIRM;
    if (was_never_so(work, verdict, open)) return FOOTING_ERROR;
    if (verdict->past.kind == PAST_ENDED && verdict->past.at_ms > began_ms(work, open))
        return FOOTING_ENDED;
    return FOOTING_FIRM;
}

static const struct alert *open_of(const struct work *work, const char *identity)
{
    for (size_t i = 0; i < work->before_count; i++)
        if (work->before[i].state == ALERT_OPEN && strcmp(work->before[i].identity, identity) == 0)
            return &work->before[i];
    return NULL;
}

static bool is_firm(const struct work *work, const struct verdict *verdict)
{
    const struct alert *open = open_of(work, verdict->identity);

    return !open || footing_of(work, verdict, open) == FOOTING_FIRM;
}

/* Does it stand for an alert by itself? One that a stronger finding took in does, when that has no
 * footing. */
static bool stands_alone(const struct work *work, const struct verdict *verdict)
{
    if (!is_firm(work, verdict)) return false;
    if (verdict->merged_into) return !is_firm(work, verdict->merged_into);
    return verdict_is_finding(verdict);
}

static void raised_copy(struct work *work, const struct alert *from, struct alert *to)
{
    to->raised = arena_alloc(&work->plan->arena, (from->raised_count + 1) * sizeof *to->raised);
    to->raised_count = from->raised_count;
    for (size_t i = 0; i < from->raised_count; i++) to->raised[i] = keep(work, from->raised[i]);
}

/* What raised it first stays noted, as long as it stands. Where nobody saw that, the record knows. */
static void raised_note(struct work *work, const struct verdict *verdict, const struct alert *open,
                        struct alert *alert)
{
    bool holds = verdict->answer.truth == TRUTH_TRUE;

    if (!open && !holds) return;
    if (open && (!holds || (open->raised_count && trigger_stands(work->chart, open))))
        raised_copy(work, open, alert);
    else
        trigger_note(work->chart, &work->plan->arena, alert);
}

static int64_t last_episode(const struct work *work, const char *identity)
{
    int64_t last = 0;

    for (size_t i = 0; i < work->before_count; i++)
        if (work->before[i].episode > last && strcmp(work->before[i].identity, identity) == 0)
            last = work->before[i].episode;
    return last;
}

static void finding_keep(struct work *work, const struct verdict *verdict)
{
    const struct alert *open = open_of(work, verdict->identity);
    struct alert alert;

    verdict_alert(work->evaluation, verdict, work->knowledge, work->chart, &work->plan->arena,
                  &alert);
    raised_note(work, verdict, open, &alert);
    if (open) {
        alert.key = keep(work, open->key);
        alert.episode = open->episode;
        alert.opened_ms = open->opened_ms;
        if (!alert_same(open, &alert)) plan_add(work, ACTION_UPDATE, &alert);
    } else {
        char key[DIGEST_TEXT_SIZE];
        alert.episode = last_episode(work, alert.identity) + 1;
        alert.opened_ms = work->now_ms;
        alert_key(alert.identity, alert.episode, key);
        alert.key = keep(work, key);
        plan_add(work, ACTION_RAISE, &alert);
    }
}

/* ---- what became of the facts that an alert rested on */

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
static bool any_removed(const struct work *work, const struct alert *alert,
                        const char *const *references, size_t count)
{
    bool same = same_knowledge(work, alert);

    for (size_t i = 0; i < count; i++) {
        enum fate fate = fate_of(work->chart, references[i]);
        if (fate == FATE_REMOVED || (fate == FATE_ABSENT && same)) return true;
    }
    return false;
}

static bool rests_on_removed(const struct work *work, const struct alert *alert)
{
    return any_removed(work, alert, alert->implicated, alert->implicated_count) ||
           any_removed(work, alert, alert->evidence, alert->evidence_count);
}

/* The clause that makes the answer what it is; NULL when none of them says anything. */
static const struct trace *decisive(const struct trace *t)
{
    bool turns = t->clause->kind == CLAUSE_NOT || t->clause->kind == CLAUSE_UNLESS;
    enum truth truth = turns ? truth_not(t->answer.truth) : t->answer.truth;

    for (size_t i = 0; i < t->part_count; i++) {
        const struct trace *part =
            t->parts[i].answer.truth == truth ? decisive(&t->parts[i]) : NULL;
        if (part) return part;
    }
    return t->text[0] ? t : NULL;
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

/* Do the very results that raised the alert say something else now? Then they were corrected; a
 * recovery comes with a later result. Where an alert lasts beyond its trigger, what raised it is not
 * what it rests on now, and another generation may read the same result in another way. */
static bool was_corrected(const struct work *work, const struct alert *alert,
                          const struct trace *clause)
{
    const struct rule *rule = knowledge_rule_named(work->knowledge, alert->rule);

    if (!clause || clause->clause->kind != CLAUSE_RESULT || !clause->fact_count) return false;
    if (clause->answer.truth != TRUTH_FALSE || !rule || rule->persists) return false;
    if (!same_knowledge(work, alert)) return false;
    for (size_t i = 0; i < clause->fact_count; i++) {
        const struct source *source = clause->facts[i].source;
        unsigned analyte = clause->clause->result.analyte;
        if (!is_evidence(alert, source)) return false;
        if (!is_result_by(work->chart, source, analyte, alert->opened_ms)) return false;
    }
    return true;
}

/* ---- orders that are over */

static bool has_drug(const struct chart_order *order, unsigned drug)
{
    for (size_t i = 0; i < order->ingredient_count; i++)
        if (order->ingredients[i].concept == drug) return true;
    return false;
}

static bool is_implicated(const struct alert *alert, const struct chart_order *order)
{
    for (size_t i = 0; i < alert->implicated_count; i++)
        if (source_is(&order->source, alert->implicated[i])) return true;
    return false;
}

/* An order of the alert for this drug that ended or is on hold; NULL while another one may run. */
static const struct chart_order *over_for(const struct work *work, const struct alert *alert,
                                          const char *name)
{
    unsigned drug = knowledge_concept(work->knowledge, CONCEPT_DRUG, name);
    const struct chart_order *over = NULL;

    for (size_t i = 0; drug != CONCEPT_NONE && i < work->chart->order_count; i++) {
        const struct chart_order *order = &work->chart->orders[i];
        enum exposure_state state = order_exposure(order, work->now_ms).state;
        if (!has_drug(order, drug)) continue;
        if (state == EXPOSURE_ACTIVE || state == EXPOSURE_UNCLEAR) return NULL;
        if (state != EXPOSURE_ENDED && state != EXPOSURE_HELD) continue;
        if (!over && is_implicated(alert, order)) over = order;
    }
    return over;
}

/* Is the subject one of "a,b,c"? */
static bool names_subject(const char *subjects, const char *subject)
{
    size_t n = strlen(subject);

    for (const char *at = subjects; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, subject, n) == 0 && (at[n] == ',' || at[n] == '\0')) return true;
    return false;
}

/* A drug that the identity names is needed; of drugs taken together the last one is. */
static const struct chart_order *order_over(const struct work *work, const struct alert *alert)
{
    const char *named = strrchr(alert->identity, '|');
    const struct chart_order *over = NULL;

    for (size_t i = 0; i < alert->subject_count; i++) {
        over = over_for(work, alert, alert->subjects[i]);
        if (named && named[1]) {
            if (over && names_subject(named + 1, alert->subjects[i])) return over;
        } else if (!over) {
            return NULL;
        }
    }
    return named && named[1] ? NULL : over;
}

static const char *over_words(struct work *work, const struct chart_order *order)
{
    struct exposure at = order_exposure(order, work->now_ms);
    char date[16];

    if (at.state == EXPOSURE_HELD)
        return join(work, "The order for ", order->label, " is on hold.");
    if (at.end_ms == INSTANT_UNSET)
        return join(work, "The order for ", order->label, " has ended.");
    return join(work, join(work, "The order for ", order->label, " ended on "),
                instant_date(at.end_ms, date, sizeof date), ".");
}

/* ---- alerts without a finding */

static const struct verdict *verdict_of(const struct work *work, const char *identity)
{
    for (size_t i = 0; i < work->evaluation->verdict_count; i++)
        if (strcmp(work->evaluation->verdicts[i].identity, identity) == 0)
            return &work->evaluation->verdicts[i];
    return NULL;
}

/* What is known of an open alert that is no finding now. */
struct ending {
    const struct alert *alert;
    const struct verdict *verdict;   /* NULL: the rule is gone, or off */
    const struct trace *clause;      /* that ended it; NULL: not known */
    const struct chart_order *order; /* that is over, and ended it; NULL: none */
};

static struct ending ending_of(const struct work *work, const struct alert *alert)
{
    struct ending ending = { .alert = alert, .verdict = verdict_of(work, alert->identity) };

    if (ending.verdict && ending.verdict->trace) ending.clause = decisive(ending.verdict->trace);
    if (!ending.clause || ending.clause->clause->kind == CLAUSE_ORDER)
        ending.order = order_over(work, alert);
    return ending;
}

static bool still_holds(const struct ending *ending)
{
    return ending->verdict &&
           (ending->verdict->answer.truth == TRUTH_TRUE || ending->verdict->persists);
}

/* What would end the alert cannot be told any more, for a reason other than age: it stays until it can,
 * unless its drug is surely over. Where the rule says what ends it, that alone is asked. */
static bool undecided(const struct ending *ending)
{
    const struct verdict *verdict = ending->verdict;

    if (!verdict || verdict->quiet) return false;
    if (verdict->rule->persists) return unknown_but_for_age(verdict->lasting);
    return unknown_but_for_age(verdict->answer) && !ending->order;
}

static const char *why_cleared(struct work *work, const struct ending *ending)
{
    const struct rule *rule = knowledge_rule_named(work->knowledge, ending->alert->rule);

    if (!rule || rule->mode != RULE_LIVE || rule->checked) return "The rule is no longer in force.";
    if (still_holds(ending) && ending->verdict->merged_into)
        return join(work, "It is now part of the alert \"",
                    ending->verdict->merged_into->rule->title, "\".");
    if (still_holds(ending)) return "The rule is no longer shown here.";
    if (ending->order) return over_words(work, ending->order);
    if (!ending->clause) return "What it rested on no longer holds.";
    return join(work,
                ending->clause->answer.truth == TRUTH_UNKNOWN ? "It can no longer be confirmed: "
                                                              : "It no longer holds: ",
                ending->clause->text, "");
}

static const char *ended_before_words(struct work *work, const struct verdict *verdict)
{
    char date[16];

    return join(work, "By what is on record now, it had ended on ",
                instant_date(verdict->past.at_ms, date, sizeof date), ".");
}

static void alert_end(struct work *work, const struct alert *open)
{
    struct ending ending = ending_of(work, open);
    struct alert ended = *open;
    enum footing footing = ending.verdict ? footing_of(work, ending.verdict, open) : FOOTING_FIRM;

    if (ending.verdict && stands_alone(work, ending.verdict)) return;
    ended.state = ALERT_RETRACTED;
    /* The clock may have been set back since. */
    ended.ended_ms = work->now_ms > open->opened_ms ? work->now_ms : open->opened_ms;
    if (footing == FOOTING_ERROR) {
        ended.ended_why = open->raised_count ? "A result that raised it was corrected or removed."
                                             : "What raised it was corrected or removed.";
    } else if (footing == FOOTING_ENDED) {
        ended.state = ALERT_CLEARED;
        ended.ended_why = ended_before_words(work, ending.verdict);
    } else if (!still_holds(&ending) && rests_on_removed(work, open)) {
        ended.ended_why = "A fact it rested on was entered in error or removed.";
    } else if (was_corrected(work, open, ending.clause)) {
        ended.ended_why =
            join(work, "A result it rested on was corrected: ", ending.clause->text, "");
    } else if (undecided(&ending)) {
        return;
    } else {
        ended.state = ALERT_CLEARED;
        ended.ended_why = why_cleared(work, &ending);
        ended.ended_by_order = ending.order && !still_holds(&ending);
    }
    plan_add(work, ended.state == ALERT_RETRACTED ? ACTION_RETRACT : ACTION_CLEAR, &ended);
}

/* ---- */

static int action_compare(const void *a, const void *b)
{
    const struct action *one = a, *other = b;
    int order = strcmp(one->alert.identity, other->alert.identity);

    return order ? order : (int)one->kind - (int)other->kind;
}

struct plan *reconcile(const struct evaluation *evaluation, const struct knowledge *knowledge,
                       const struct chart *chart, const struct alert *before, size_t before_count,
                       int64_t now_ms)
{
    struct plan *plan = mem_new(struct plan);
    struct work work = { evaluation, knowledge, chart, before, before_count, now_ms, plan };
    size_t most = evaluation->verdict_count + before_count;

    plan->actions = arena_alloc(&plan->arena, most * sizeof *plan->actions);
    for (size_t i = 0; i < evaluation->verdict_count; i++)
        if (stands_alone(&work, &evaluation->verdicts[i]))
            finding_keep(&work, &evaluation->verdicts[i]);
    for (size_t i = 0; i < before_count; i++)
        if (before[i].state == ALERT_OPEN) alert_end(&work, &before[i]);
    if (plan->action_count > 1)
        qsort(plan->actions, plan->action_count, sizeof *plan->actions, action_compare);
    return plan;
}

void plan_free(struct plan *plan)
{
    if (!plan) return;
    arena_done(&plan->arena);
    free(plan);
}
