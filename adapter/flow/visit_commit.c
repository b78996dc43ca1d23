/* The end of a visit: the chart is built and evaluated, and all goes to the store at once. */
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "flow/chart_build.h"
#include "flow/visit_impl.h"

/* ---- telling, when it is committed */

static void tell_aside(struct visit *visit)
{
    for (size_t i = 0; i < visit->work.event_count; i++) {
        const struct store_event *event = &visit->work.events[i];
        if (visit->fates[i].fate != FATE_ASIDE) continue;
        log_event(LOG_LEVEL_WARN, "set-aside", LOG_TYPE, event->type, LOG_ID,
                  event->id[0] ? event->id : NULL, LOG_CODE, visit->fates[i].reason, LOG_END);
    }
}

static void tell_fates(struct visit *visit)
{
    static const enum metric metrics[] = { [FATE_DONE] = METRIC_EVENTS_DONE,
                                           [FATE_OUTSIDE] = METRIC_EVENTS_OUTSIDE,
                                           [FATE_ASIDE] = METRIC_EVENTS_ASIDE };

    for (size_t i = 0; i < visit->work.event_count; i++)
        metric_add(visit->flow->metrics, metrics[visit->fates[i].fate], 1);
    tell_aside(visit);
}

static const struct {
    const char *event;
    enum metric metric;
} action_words[] = {
    [ACTION_RAISE] = { "alert-raised", METRIC_ALERTS_RAISED },
    [ACTION_UPDATE] = { "alert-updated", METRIC_ALERTS_UPDATED },
    [ACTION_CLEAR] = { "alert-ended", METRIC_ALERTS_ENDED },
    [ACTION_RETRACT] = { "alert-retracted", METRIC_ALERTS_RETRACTED },
};

static void tell_actions(struct visit *visit)
{
    const struct plan *plan = visit->assessment.plan;

    for (size_t i = 0; plan && i < plan->action_count; i++) {
        const struct action *action = &plan->actions[i];
        metric_add(visit->flow->metrics, action_words[action->kind].metric, 1);
        log_event(LOG_LEVEL_INFO, action_words[action->kind].event, LOG_RULE, action->alert.rule,
                  LOG_ALERT, action->alert.key, LOG_VERSION,
                  knowledge_generation(visit->flow->knowledge), LOG_END);
    }
    if (visit->in_cohort != visit->work.in_cohort)
        log_event(LOG_LEVEL_INFO, visit->in_cohort ? "cohort-joined" : "cohort-left", LOG_TYPE,
                  "Patient", LOG_ID, visit->work.patient, LOG_END);
}

static void on_finished(struct err *err, void *arg)
{
    struct visit *visit = arg;

    if (!err) {
        tell_fates(visit);
        tell_actions(visit);
        ledger_owes(visit->flow, visit->assessment.outbox, visit->assessment.outbox_count);
        if (visit->assessment.outbox_count) deliver_poke(visit->flow);
    }
    visit_stored(visit, err);
}

/* ---- what is committed */

static void set_fates(struct visit *visit, struct store_result *result)
{
    size_t count = visit->work.event_count;
    struct store_fate *fates = arena_alloc(&visit->arena, (count + 1) * sizeof *fates);

    visit_decide_all(visit, NULL, NULL, visit->outside ? FATE_OUTSIDE : FATE_DONE, "");
    for (size_t i = 0; i < count; i++)
        fates[i] = (struct store_fate){ visit->work.events[i].seq, visit->fates[i].fate,
                                        visit->fates[i].reason };
    result->fates = fates;
    result->fate_count = count;
}

/* Resources that cannot be used: their events go aside; what came with the whole chart is told of
 * right here. */
static void set_aside(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        const struct shelf_item *item = &visit->shelf.items[i];
        const struct store_resource *r = &item->resource;
        bool told = false;
        if (!item->aside || !item->changed || item->removed) continue;
        for (size_t j = 0; j < visit->work.event_count && !told; j++)
            told = strcmp(visit->work.events[j].id, r->id) == 0 &&
                   strcmp(visit->work.events[j].type, r->type) == 0;
        visit_decide_all(visit, r->type, r->id, FATE_ASIDE, item->aside);
        if (told) continue;
        metric_add(visit->flow->metrics, METRIC_EVENTS_ASIDE, 1);
        log_event(LOG_LEVEL_WARN, "set-aside", LOG_TYPE, r->type, LOG_ID, r->id, LOG_CODE,
                  item->aside, LOG_END);
    }
}

static int64_t due_of(const struct visit *visit)
{
    int64_t audit = visit->shelf.read_ms + VISIT_AUDIT_MS, next = visit->assessment.next_ms;

    if (!visit->in_cohort) return INSTANT_NEVER;
    return next < audit ? next : audit;
}

static int64_t orders_by_name(const struct chart *chart)
{
    int64_t count = 0;

    for (size_t i = 0; i < chart->order_count; i++) count += chart->orders[i].by_name;
    return count;
}

/* Notifications of several Subscriptions overtake each other, and one may be lost: before we say that
 * something is missing, the server is asked for all that it has. False: that is to be done first. */
static bool is_believed(struct visit *visit)
{
    if (!visit->assessment.new_on_absence || visit->whole_asked) return true;
    plan_free(TAKE(visit->assessment.plan));
    return false;
}

static bool assess_chart(struct visit *visit)
{
    struct flow *flow = visit->flow;
    struct chart *chart = chart_build(&visit->shelf, visit->work.patient, flow->knowledge);
    int64_t by_name = orders_by_name(chart);
    const struct source *why;

    visit->in_cohort = chart_in_cohort(chart, flow->knowledge, &why);
    assess(flow->knowledge, chart, visit->in_cohort, visit->work.alerts, visit->work.alert_count,
           clock_now(flow), &visit->arena, &visit->assessment);
    if (visit->in_cohort) heartbeat_results(flow, chart);
    chart_free(chart);
    if (!is_believed(visit)) return false;
    heartbeat_rules(flow, &visit->assessment);
    if (visit->in_cohort) metric_add(flow->metrics, METRIC_ORDERS_BY_NAME, by_name);
    set_aside(visit);
    if (!visit->in_cohort) shelf_clear(&visit->shelf);
    metric_add(flow->metrics, METRIC_EVALUATIONS, 1);
    metric_add(flow->metrics, METRIC_RULES_UNKNOWN, visit->assessment.unknown);
    return true;
}

static void set_chart(struct visit *visit, struct store_result *result)
{
    visit_hold_write(visit);
    result->in_cohort = result->complete = visit->in_cohort;
    result->due_ms = due_of(visit);
    result->written_count = shelf_written(&visit->shelf, &result->written);
    result->removed_count = shelf_removed(&visit->shelf, &result->removed);
    result->alerts = visit->assessment.alerts;
    result->alert_count = visit->assessment.alert_count;
    result->outbox = visit->assessment.outbox;
    result->outbox_count = visit->assessment.outbox_count;
}

/* The chart could not be read at all: what we held stays, and a newcomer cannot be looked after. */
static bool is_unreadable(struct visit *visit)
{
    if (!visit->refused || visit->work.complete) return false;
    visit_decide_all(visit, NULL, NULL, FATE_ASIDE, visit->refused);
    return true;
}

void visit_commit(struct visit *visit)
{
    struct store_result result = { .patient = visit->work.patient, .due_ms = INSTANT_NEVER };

    if (visit->work.patient[0] && !visit->outside && !is_unreadable(visit)) {
        if (!assess_chart(visit)) {
            visit_read_whole(visit);
            return;
        }
        set_chart(visit, &result);
    } else if (visit->outside) {
        if (!visit->look) set_aside(visit);
        visit_hold_write(visit);
    }
    set_fates(visit, &result);
    flow_hold(visit->flow);
    store_finish(visit->flow->store, &result, on_finished, visit);
}
