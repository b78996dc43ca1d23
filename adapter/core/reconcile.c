#include "core/reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/ending.h"
#include "core/footing.h"
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

static void plan_add(struct work *work, enum action_kind kind, const struct alert *alert)
{
    work->plan->actions[work->plan->action_count++] = (struct action){ kind, *alert };
}

/* ---- findings */

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

    return !open || footing_of(work->knowledge, work->chart, verdict, open) == FOOTING_FIRM;
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

/* ---- alerts without a finding */

/* NULL: the rule is gone, or off. */
static const struct verdict *verdict_of(const struct work *work, const char *identity)
{
    for (size_t i = 0; i < work->evaluation->verdict_count; i++)
        if (strcmp(work->evaluation->verdicts[i].identity, identity) == 0)
            return &work->evaluation->verdicts[i];
    return NULL;
}

static void alert_end(struct work *work, const struct alert *open)
{
    struct scene scene = { work->knowledge, work->chart, work->now_ms, &work->plan->arena };
    const struct verdict *verdict = verdict_of(work, open->identity);
    struct alert ended;

    if (verdict && stands_alone(work, verdict)) return;
    if (!ending_of(&scene, verdict, open, &ended)) return;
    plan_add(work, ended.state == ALERT_RETRACTED ? ACTION_RETRACT : ACTION_CLEAR, &ended);
}

/* ---- the plan */

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
