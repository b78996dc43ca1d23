#include "flow/assess.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "core/eval.h"

/* The alerts of the store as the reconciler knows them. One that cannot be read is left alone. */
static size_t read_before(const struct store_alert *before, size_t count, struct arena *arena,
                          struct alert **ret)
{
    struct alert *list = arena_alloc(arena, (count + 1) * sizeof *list);
    size_t n = 0;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        const char *text = before[i].content;
        if (alert_from_json(text, strlen(text), arena, &list[n], &err))
            n++;
        else
            log_event(LOG_LEVEL_ERROR, "alert-unreadable", LOG_ALERT, before[i].key, LOG_CODE,
                      err.code, LOG_END);
    }
    *ret = list;
    return n;
}

static size_t open_identities(const struct alert *before, size_t count, struct arena *arena,
                              const char *const **ret)
{
    const char **list = arena_alloc(arena, (count + 1) * sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (before[i].state == ALERT_OPEN) list[n++] = before[i].identity;
    *ret = list;
    return n;
}

static const char *content_of(const struct alert *alert, struct arena *arena)
{
    char *text = alert_to_json(alert);
    const char *kept = arena_copy(arena, text, strlen(text));

    free(text);
    return kept;
}

static void write_down(const struct plan *plan, struct arena *arena, struct assessment *ret)
{
    size_t count = plan->action_count;
    struct store_alert *alerts = arena_alloc(arena, (count + 1) * sizeof *alerts);
    struct store_outbox *outbox = arena_alloc(arena, (count + 1) * sizeof *outbox);

    for (size_t i = 0; i < count; i++) {
        const struct alert *alert = &plan->actions[i].alert;
        const char *content = content_of(alert, arena);
        alerts[i] = (struct store_alert){ .key = alert->key,
                                          .identity = alert->identity,
                                          .episode = alert->episode,
                                          .rule = alert->rule,
                                          .state = alert_state_name(alert->state),
                                          .content = content,
                                          .opened_ms = alert->opened_ms,
                                          .ended_ms = alert->ended_ms };
        outbox[i] = (struct store_outbox){ .key = alert->key,
                                           .patient = alert->patient,
                                           .rule = alert->rule,
                                           .body = content,
                                           .body_len = strlen(content),
                                           .server_id = "",
                                           .server_version = "" };
    }
    ret->alerts = alerts;
    ret->outbox = outbox;
    ret->alert_count = ret->outbox_count = count;
}

/* What ended an alert in between may not have come yet, as little as what is missing. */
static bool rests_on_absence(const struct evaluation *evaluation, const char *identity)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        if (strcmp(verdict->identity, identity) == 0)
            return verdict->persists || verdict_rests_on_absence(verdict);
    }
    return false;
}

static bool raises_on_absence(const struct evaluation *evaluation, const struct plan *plan)
{
    for (size_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].kind == ACTION_RAISE &&
            rests_on_absence(evaluation, plan->actions[i].alert.identity))
            return true;
    return false;
}

/* Verdicts of a rule stand together: it is known if one of them is. */
static void hear(const struct evaluation *evaluation, struct arena *arena, struct assessment *ret)
{
    struct assessment_rule *heard =
        arena_alloc(arena, (evaluation->verdict_count + 1) * sizeof *heard);
    size_t count = 0;

    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        bool known = verdict->answer.truth != TRUTH_UNKNOWN;
        if (!verdict_is_bound(verdict)) continue;
        if (count && heard[count - 1].id == verdict->rule->id)
            heard[count - 1].known |= known;
        else
            heard[count++] = (struct assessment_rule){ verdict->rule->id, known };
    }
    ret->heard = heard;
    ret->heard_count = count;
}

void assess(const struct knowledge *knowledge, const struct chart *chart, bool in_cohort,
            const struct store_alert *before, size_t before_count, int64_t now_ms,
            struct arena *arena, struct assessment *ret)
{
    struct evaluation nothing = { .next_ms = INSTANT_NEVER };
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    struct eval_options options = { 0 };
    struct alert *alerts;
    size_t count = read_before(before, before_count, arena, &alerts);

    *ret = (struct assessment){ .next_ms = INSTANT_NEVER };
    if (in_cohort) {
        options.open_count = open_identities(alerts, count, arena, &options.open);
        evaluation = evaluate(knowledge, chart, now_ms, &options);
        ret->next_ms = evaluation->next_ms;
        ret->unknown = evaluation->unknown;
        hear(evaluation, arena, ret);
    }
    ret->plan =
        reconcile(evaluation ? evaluation : &nothing, knowledge, chart, alerts, count, now_ms);
    ret->new_on_absence = evaluation && raises_on_absence(evaluation, ret->plan);
    write_down(ret->plan, arena, ret);
}
