#include "flow/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/assess.h"
#include "flow/flow_impl.h"

#define HEARTBEAT_KEEP_MS 60000   /* so much may be forgotten by a crash */
#define HEARTBEAT_LOOK_MS 3600000 /* between looks for silence */

static const char *const kinds[] = { [HEARTBEAT_RULE] = "rule", [HEARTBEAT_ANALYTE] = "analyte" };

/* ---- the items */

static struct heartbeat_item *item_of(struct heartbeat *at, enum heartbeat_kind kind,
                                      const char *name)
{
    struct table_entry *entry = table_add(&at->names, &at->arena, (uint32_t)kind, name);

    if (entry->value) return &at->items[entry->value - 1];
    if (at->count == at->room) {
        at->room = at->room ? 2 * at->room : 256;
        at->items = mem_resize(at->items, at->room * sizeof *at->items);
    }
    entry->value = (uint32_t)++at->count;
    at->items[at->count - 1] =
        (struct heartbeat_item){ .kind = kind, .name = entry->text, .pulse = PULSE_NONE };
    return &at->items[at->count - 1];
}

static void item_beat(struct heartbeat_item *item, int64_t at_ms)
{
    if (pulse_beat(&item->pulse, at_ms))
        log_event(LOG_LEVEL_INFO, item->kind == HEARTBEAT_RULE ? "rule-heard" : "analyte-heard",
                  item->kind == HEARTBEAT_RULE ? LOG_RULE : LOG_NAME, item->name, LOG_END);
    item->changed = true;
}

/* ---- what is seen */

/* The newest result of each analyte: results are ordered by analyte, newest first. */
void heartbeat_results(struct flow *flow, const struct chart *chart)
{
    int64_t now = flow->options.wall_ms();
    unsigned last = CONCEPT_NONE;

    for (size_t i = 0; i < chart->result_count; i++) {
        const struct chart_result *result = &chart->results[i];
        bool counts = !result->derived && result->state == RESULT_FINAL &&
                      result->kind != VALUE_UNREADABLE && result->at_ms != INSTANT_UNSET;
        if (!counts || result->analyte == last || result->at_ms > now) continue;
        last = result->analyte;
        item_beat(item_of(&flow->heartbeat, HEARTBEAT_ANALYTE,
                          concept_name(flow->knowledge, result->analyte)),
                  result->at_ms);
    }
}

void heartbeat_rules(struct flow *flow, const struct assessment *assessment)
{
    int64_t now = flow->options.wall_ms();

    for (size_t i = 0; i < assessment->heard_count; i++) {
        const struct assessment_rule *heard = &assessment->heard[i];
        struct heartbeat_item *item = item_of(&flow->heartbeat, HEARTBEAT_RULE, heard->id);
        if (heard->known) {
            item_beat(item, now);
        } else {
            pulse_miss(&item->pulse, now);
            item->changed = true;
        }
    }
}

/* ---- silence */

static void warn(const struct heartbeat_item *item)
{
    if (item->kind == HEARTBEAT_RULE)
        log_event(
            LOG_LEVEL_WARN, "rule-silent", LOG_RULE, item->name, LOG_FIX,
            "it could be evaluated and no longer can: see replay --explain for a patient, and "
            "coverage for codes and units that no mapping knows",
            LOG_END);
    else
        log_event(LOG_LEVEL_WARN, "analyte-silent", LOG_NAME, item->name, LOG_FIX,
                  "no result is mapped to it any more: see coverage for codes that changed, add "
                  "them to the local codes and reload",
                  LOG_END);
}

/* A rule is silent only if it was asked in vain: often no patient has its drugs for long. */
static void silence_look(struct flow *flow)
{
    struct heartbeat *at = &flow->heartbeat;
    int64_t now = flow->options.wall_ms(), silent[] = { 0, 0 };

    for (size_t i = 0; i < at->count; i++) {
        struct heartbeat_item *item = &at->items[i];
        if (!pulse_is_silent(&item->pulse, now, item->kind == HEARTBEAT_RULE)) continue;
        silent[item->kind]++;
        if (item->pulse.warned) continue;
        warn(item);
        item->pulse.warned = item->changed = true;
    }
    metric_set(flow->metrics, METRIC_RULES_SILENT, silent[HEARTBEAT_RULE]);
    metric_set(flow->metrics, METRIC_ANALYTES_SILENT, silent[HEARTBEAT_ANALYTE]);
}

/* ---- the store */

static void on_kept(struct err *err, void *arg)
{
    struct flow *flow = arg;

    flow->heartbeat.keeping = false;
    if (err) flow_fail(flow, err);
    flow_release(flow);
}

static void keep(struct flow *flow)
{
    struct heartbeat *at = &flow->heartbeat;
    struct store_pulse *pulses = mem_zero(at->count + 1, sizeof *pulses);
    size_t count = 0;

    for (size_t i = 0; i < at->count; i++) {
        struct heartbeat_item *item = &at->items[i];
        if (!item->changed) continue;
        item->changed = false;
        pulses[count++] = (struct store_pulse){ kinds[item->kind],      item->name,
                                                item->pulse.first_ms,   item->pulse.last_ms,
                                                item->pulse.longest_ms, item->pulse.missed_ms,
                                                item->pulse.warned };
    }
    if (count) {
        at->kept_ms = uv_now(flow->loop);
        at->keeping = true;
        flow_hold(flow);
        store_put_pulses(flow->store, pulses, count, on_kept, flow);
    }
    free(pulses);
}

/* What was seen before this was read counts on top of it. */
static void item_load(struct heartbeat *at, const struct store_pulse *from)
{
    enum heartbeat_kind kind =
        strcmp(from->kind, kinds[HEARTBEAT_RULE]) == 0 ? HEARTBEAT_RULE : HEARTBEAT_ANALYTE;
    struct heartbeat_item *item = item_of(at, kind, from->name);
    struct pulse seen = item->pulse;

    item->pulse = (struct pulse){ from->first_ms, from->last_ms, from->longest_ms, from->missed_ms,
                                  from->warned };
    if (seen.last_ms != INSTANT_UNSET) item_beat(item, seen.last_ms);
    if (seen.missed_ms != INSTANT_UNSET) pulse_miss(&item->pulse, seen.missed_ms);
}

static void on_pulses(const struct store_pulses *pulses, void *arg)
{
    struct flow *flow = arg;

    if (pulses->err) flow_fail(flow, pulses->err);
    for (size_t i = 0; i < pulses->count; i++) item_load(&flow->heartbeat, &pulses->items[i]);
    flow->heartbeat.loaded = !pulses->err;
    flow_release(flow);
}

void heartbeat_init(struct flow *flow)
{
    flow_hold(flow);
    store_pulses(flow->store, on_pulses, flow);
}

void heartbeat_done(struct flow *flow)
{
    free(flow->heartbeat.items);
    table_done(&flow->heartbeat.names);
    arena_done(&flow->heartbeat.arena);
}

void heartbeat_look(struct flow *flow)
{
    struct heartbeat *at = &flow->heartbeat;
    uint64_t now = uv_now(flow->loop);

    if (!at->loaded || at->keeping || !flow->ready) return;
    if (!at->looked_ms || now - at->looked_ms >= HEARTBEAT_LOOK_MS) {
        at->looked_ms = now ? now : 1;
        silence_look(flow);
    }
    if (at->kept_ms && now - at->kept_ms < HEARTBEAT_KEEP_MS) return;
    keep(flow);
}
