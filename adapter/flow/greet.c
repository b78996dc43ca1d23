#include "flow/greet.h"

#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"

#define GREET_LONGEST_MS 60000 /* between two questions */

static const char *way_of_writing(const struct capability *capability)
{
    if (!capability->issue_offered) return "DetectedIssue is not offered: nothing can be written";
    if (capability->issue_update_create) return "update-create";
    return capability->issue_conditional_create ? "conditional-create" : "search-and-create";
}

static void capability_log(const struct flow *flow)
{
    const struct capability *c = &flow->capability;

    log_event(LOG_LEVEL_INFO, "capability", LOG_VERSION, c->fhir_version, LOG_NAME, c->software,
              LOG_STATUS, subscribe_is_wanted(flow) && c->subscription_offered ? "push" : "poll",
              LOG_WHAT, way_of_writing(c), LOG_END);
    if (!c->issue_offered)
        log_event(
            LOG_LEVEL_ERROR, "capability-lacking", LOG_TYPE, "DetectedIssue", LOG_FIX,
            "this server takes no DetectedIssue: alerts are parked in the outbox and tried again "
            "at the next start or reload",
            LOG_END);
}

static void plan_make(struct flow *flow)
{
    poll_plan_make(flow->options.poll_by, flow->options.cohort != NULL, &flow->capability,
                   &flow->plan);
    log_event(LOG_LEVEL_INFO, "poll-plan", LOG_NAME, flow->plan.name, LOG_END);
    if (flow->plan.lack)
        log_event(LOG_LEVEL_WARN, "capability-lacking", LOG_NAME, "_lastUpdated", LOG_FIX,
                  flow->plan.lack, LOG_END);
}

static void greet_on_timer(uv_timer_t *timer)
{
    greet_start(timer->data);
}

/* The first failure is told, and then one in ten. */
static void greet_later(struct flow *flow, const struct err *err, int64_t asked_ms)
{
    if (flow->greet_failures++ % 10 == 0)
        log_event(LOG_LEVEL_WARN, "capability-failed", LOG_CODE, err->code, LOG_FIX,
                  err->fix[0] ? err->fix : "check the base URL and that the FHIR server runs",
                  LOG_END);
    uv_timer_start(&flow->timer, greet_on_timer,
                   (uint64_t)flow_backoff(flow, flow->greet_failures, GREET_LONGEST_MS, asked_ms),
                   0);
}

static void greet_on_answer(const struct server_answer *answer, void *arg)
{
    struct flow *flow = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    flow->greeting = NULL;
    if (answer->err.code) {
        greet_later(flow, &answer->err, answer->reply->retry_after_ms);
        return;
    }
    if (!server_document(answer, &doc, &err)) {
        greet_later(flow, &err, 0);
        return;
    }
    struct node root = node_root(doc);
    if (!capability_read(&root, &flow->capability, &err)) {
        greet_later(flow, &err, 0);
        return;
    }
    subscribe_learn(flow, &root);
    capability_log(flow);
    plan_make(flow);
    flow_greeted(flow);
}

void greet_start(struct flow *flow)
{
    flow->greeting =
        server_start(flow, &(struct server_request){ .method = "GET", .path = "metadata" },
                     greet_on_answer, flow);
}

void greet_stop(struct flow *flow)
{
    server_cancel(TAKE(flow->greeting));
}
