#include "flow/setback.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "flow/flow_impl.h"

#define SETBACK_LONGEST_MS INT64_C(300000) /* between two attempts */

/* Nothing was sent, so it was no attempt: it goes on when somebody may ask again. */
static void item_wait(struct flow *flow, const struct store_outbox *item, const struct err *err)
{
    store_retry(flow->store, item->key, clock_now(flow) + server_again_ms(flow), err->code);
}

static void item_retry(struct flow *flow, const struct store_outbox *item, const struct err *err,
                       int64_t asked_ms)
{
    int64_t wait = flow_backoff(flow, (unsigned)item->attempts + 1, SETBACK_LONGEST_MS, asked_ms);

    metric_add(flow->metrics, METRIC_DELIVERY_RETRIES, 1);
    log_event(LOG_LEVEL_INFO, "delivery-retry", LOG_RULE, item->rule, LOG_ALERT, item->key,
              LOG_CODE, err->code, LOG_MS, wait, LOG_END);
    store_retry(flow->store, item->key, clock_now(flow) + wait, err->code);
}

static const char *way_out(const struct err *err)
{
    if (strcmp(err->code, "server.forbidden") == 0)
        return "give the adapter's account the right to create and update DetectedIssue, then "
               "unpark";
    if (strcmp(err->code, "server.gone") == 0 || strcmp(err->code, "server.not-offered") == 0)
        return "the server does not take DetectedIssue; see its capability statement";
    if (strcmp(err->code, "server.refused") == 0)
        return "look into the server's log for what it does not accept, then unpark";
    return "see the state of the FHIR server, then unpark";
}

void setback_park(struct flow *flow, const struct store_outbox *item, const struct err *err,
                  const char *codes)
{
    char reason[160];

    snprintf(reason, sizeof reason, "%s%s%.100s", err->code, *codes ? ": " : "", codes);
    log_event(LOG_LEVEL_ERROR, "parked", LOG_RULE, item->rule, LOG_ALERT, item->key, LOG_CODE,
              err->code, LOG_WHAT, *codes ? codes : NULL, LOG_FIX, way_out(err), LOG_END);
    store_park(flow->store, item->key, reason);
}

/* Whether credentials come back is up to people: it is waited for, however long. */
static bool gives_up(const struct flow *flow, const struct store_outbox *item,
                     const struct err *err)
{
    unsigned most = flow->options.attempts_max;

    return most && item->attempts + 1 >= most && strcmp(err->code, "server.credentials") != 0;
}

void setback(struct flow *flow, const struct store_outbox *item, const struct err *err,
             const char *codes, int64_t asked_ms)
{
    if (server_held(err)) {
        item_wait(flow, item, err);
    } else if (err->kind == ERR_PERMANENT) {
        setback_park(flow, item, err, codes);
        deliver_succeeded(flow); /* the server is well, it only says no */
    } else {
        if (gives_up(flow, item, err))
            setback_park(flow, item, err, codes);
        else
            item_retry(flow, item, err, asked_ms);
        deliver_failed(flow, asked_ms);
    }
}
