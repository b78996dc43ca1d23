#include "core/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "core/eval_impl.h"

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

static void plan_add(struct work *work, enum action_kind kind, const struct alert *alert)
{
    struct plan *plan = work->plan;
    struct action *more = arena_alloc(&plan->arena, (plan->action_count + 1) * sizeof *more);

    if (plan->action_count) memcpy(more, plan->actions, plan->action_count * sizeof *more);
    more[plan->action_count++] = (struct action){ kind, *alert };
    plan->actions = more;
}

/* ---- findings */

static void finding_keep(struct work *work, const struct verdict *verdict)
{
    const struct alert *open = NULL;
    int64_t episode = 0;
    struct alert alert;

    for (size_t i = 0; i < work->before_count; i++) {
        const struct alert *at = &work->before[i];
        if (strcmp(at->identity, verdict->identity) != 0) continue;
        if (at->episode > episode) episode = at->episode;
        if (at->state == ALERT_OPEN) open = at;
    }
    verdict_alert(work->evaluation, verdict, work->knowledge, work->chart, &work->plan->arena,
                  &alert);
    if (open) {
        alert.key = keep(work, open->key);
        alert.episode = open->episode;
        alert.opened_ms = open->opened_ms;
        if (!alert_same(open, &alert)) plan_add(work, ACTION_UPDATE, &alert);
    } else {
        char key[DIGEST_TEXT_SIZE];
        alert.episode = episode + 1;
        alert.opened_ms = work->now_ms;
        alert_key(alert.identity, alert.episode, key);
        alert.key = keep(work, key);
        plan_add(work, ACTION_RAISE, &alert);
    }
}

/* ---- alerts without a finding */

static const struct verdict *verdict_of(const struct work *work, const char *identity)
{
    for (size_t i = 0; i < work->evaluation->verdict_count; i++)
        if (strcmp(work->evaluation->verdicts[i].identity, identity) == 0)
            return &work->evaluation->verdicts[i];
    return NULL;
}

static bool is(const struct source *source, const char *reference)
{
    size_t n = strlen(source->type);

    return strncmp(reference, source->type, n) == 0 && reference[n] == '/' &&
           strcmp(reference + n + 1, source->id) == 0;
}

/* Was the fact behind a reference removed: entered in error, cancelled, refuted, deleted? */
static bool removed(const struct work *work, const char *reference)
{
    const struct chart *chart = work->chart;
    bool found = false, standing = false;

    for (size_t i = 0; i < chart->order_count; i++)
        if (is(&chart->orders[i].source, reference)) {
            found = true;
            standing |= chart->orders[i].state != ORDER_REMOVED;
        }
    for (size_t i = 0; i < chart->result_count; i++) /* one Observation may hold several */
        if (is(&chart->results[i].source, reference)) {
            found = true;
            standing |= chart->results[i].state != RESULT_REMOVED;
        }
    for (size_t i = 0; i < chart->condition_count; i++)
        if (is(&chart->conditions[i].source, reference)) {
            found = true;
            standing |= chart->conditions[i].state != CONDITION_REMOVED;
        }
    return !found || !standing;
}

static bool rests_on_removed(const struct work *work, const struct alert *alert)
{
    for (size_t i = 0; i < alert->implicated_count; i++)
        if (removed(work, alert->implicated[i])) return true;
    for (size_t i = 0; i < alert->evidence_count; i++)
        if (removed(work, alert->evidence[i])) return true;
    return false;
}

/* The order that ended or is on hold, in words; NULL when they all run on. */
static const char *order_over(struct work *work, const struct alert *alert)
{
    for (size_t i = 0; i < alert->implicated_count; i++)
        for (size_t j = 0; j < work->chart->order_count; j++) {
            const struct chart_order *order = &work->chart->orders[j];
            struct exposure at = order_exposure(order, work->now_ms);
            AUTO(buf_done) struct buf text = { 0 };
            char date[16];
            if (!is(&order->source, alert->implicated[i])) continue;
            if (at.state != EXPOSURE_ENDED && at.state != EXPOSURE_HELD) continue;
            buf_printf(&text, "The order for %s ", order->label);
            if (at.state == EXPOSURE_HELD)
                buf_text(&text, "is on hold.");
            else if (at.end_ms == INSTANT_UNSET || at.end_ms == INSTANT_NEVER)
                buf_text(&text, "has ended.");
            else
                buf_printf(&text, "ended on %s.", instant_date(at.end_ms, date, sizeof date));
            return keep(work, buf_string(&text));
        }
    return NULL;
}

/* The first clause that is not true any more, in words. */
static const char *no_longer(const struct trace *t)
{
    if (t->answer.truth == TRUTH_TRUE) return NULL;
    for (size_t i = 0; i < t->part_count; i++) {
        const char *text = no_longer(&t->parts[i]);
        if (text) return text;
    }
    return t->text[0] ? t->text : NULL;
}

static const char *why_ended(struct work *work, const struct alert *alert,
                             const struct verdict *verdict, bool *ret_by_order)
{
    const struct rule *rule = knowledge_rule_named(work->knowledge, alert->rule);
    const char *over;
    AUTO(buf_done) struct buf text = { 0 };

    *ret_by_order = false;
    if (!rule || rule->mode != RULE_LIVE) return "The rule is no longer in force.";
    if (verdict && verdict->merged_into) {
        buf_printf(&text, "It is now part of the alert \"%s\".",
                   verdict->merged_into->rule->title);
        return keep(work, buf_string(&text));
    }
    over = order_over(work, alert);
    if (over) {
        *ret_by_order = true;
        return over;
    }
    if (!verdict || !verdict->trace) return "What it rested on no longer holds.";
    over = no_longer(verdict->trace);
    buf_printf(&text, "It no longer holds: %s", over ? over : "the facts have changed.");
    return keep(work, buf_string(&text));
}

/* A rule that cannot be told any more for a reason other than age: the alert stays until it can. */
static bool undecided(const struct verdict *verdict)
{
    return verdict && verdict->answer.truth == TRUTH_UNKNOWN && !verdict->quiet &&
           verdict->answer.doubts & ~(unsigned)(DOUBT_STALE | DOUBT_MISSING);
}

static void alert_end(struct work *work, const struct alert *open)
{
    const struct verdict *verdict = verdict_of(work, open->identity);
    struct alert ended = *open;

    if (verdict && verdict_is_finding(verdict)) return;
    if (rests_on_removed(work, open)) {
        ended.state = ALERT_RETRACTED;
        ended.ended_why = "A fact it rested on was entered in error or removed.";
    } else {
        if (undecided(verdict)) return;
        ended.state = ALERT_CLEARED;
        ended.ended_why = why_ended(work, open, verdict, &ended.ended_by_order);
    }
    ended.ended_ms = work->now_ms;
    plan_add(work, ended.state == ALERT_RETRACTED ? ACTION_RETRACT : ACTION_CLEAR, &ended);
}

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

    for (size_t i = 0; i < evaluation->verdict_count; i++)
        if (verdict_is_finding(&evaluation->verdicts[i]))
            finding_keep(&work, &evaluation->verdicts[i]);
    for (size_t i = 0; i < before_count; i++)
        if (before[i].state == ALERT_OPEN) alert_end(&work, &before[i]);
    qsort(plan->actions, plan->action_count, sizeof *plan->actions, action_compare);
    return plan;
}

void plan_free(struct plan *plan)
{
    if (!plan) return;
    arena_done(&plan->arena);
    free(plan);
}
