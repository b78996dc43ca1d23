#include "app/simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/recorded_index.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/explain.h"
#include "core/reconcile.h"

struct simulation {
    const struct knowledge *knowledge;
    struct arena arena;
    struct recorded *items; /* owned */
    size_t count, room;
    struct recorded_index index; /* of all items */
    struct alert *alerts;        /* owned: the results; what they point to is in the arena */
    size_t alert_room;
};

/* What one version says, read once: a range of each list of the patient's pool. */
struct fragment {
    const struct recorded *recorded;
    bool usable;
    size_t orders, order_count, results, result_count, conditions, condition_count, allergies,
        allergy_count;
};

struct patient_run {
    struct simulation *simulation;
    const struct simulation_options *options;
    struct simulated *ret;
    struct recorded **items; /* borrowed: of this patient, in the order of the clock */
    size_t count;
    struct chart *pool;         /* owned: what all versions say */
    struct fragment *fragments; /* owned: one for each item */
    size_t *current;            /* owned: for each id the fragment that stands, in order of ids */
    size_t current_count;
    struct alert *alerts; /* owned: all episodes so far, newest state */
    size_t alert_count;
    int64_t next_ms;
    bool was_ours;
};

struct simulation *simulation_new(const struct knowledge *knowledge)
{
    struct simulation *simulation = mem_new(struct simulation);

    simulation->knowledge = knowledge;
    return simulation;
}

void simulation_free(struct simulation *simulation)
{
    if (!simulation) return;
    for (size_t i = 0; i < simulation->count; i++) doc_free(simulation->items[i].doc);
    free(simulation->items);
    recorded_index_done(&simulation->index);
    free(simulation->alerts);
    arena_done(&simulation->arena);
    free(simulation);
}

struct arena *simulation_arena(struct simulation *simulation)
{
    return &simulation->arena;
}

void simulation_add(struct simulation *simulation, const struct recorded *recorded)
{
    if (simulation->count == simulation->room) {
        simulation->room = simulation->room ? simulation->room * 2 : 256;
        simulation->items =
            mem_resize(simulation->items, simulation->room * sizeof *simulation->items);
    }
    simulation->items[simulation->count] = *recorded;
    simulation->items[simulation->count].serial = simulation->count;
    simulation->count++;
}

/* ---- one patient */

/* Resources without an id of their own are known by the one that they were given in reading. */
static void ids_settle(struct patient_run *run, const struct fragment *fragment)
{
    const char *id = fragment->recorded->head.id;
    struct chart *pool = run->pool;

    for (size_t i = fragment->orders; i < pool->order_count; i++) pool->orders[i].source.id = id;
    for (size_t i = fragment->results; i < pool->result_count; i++) pool->results[i].source.id = id;
    for (size_t i = fragment->conditions; i < pool->condition_count; i++)
        pool->conditions[i].source.id = id;
    for (size_t i = fragment->allergies; i < pool->allergy_count; i++)
        pool->allergies[i].source.id = id;
}

static void note(const struct simulation_options *options, const struct recorded *recorded,
                 const char *what, const char *of)
{
    char text[200];

    if (!options->noted) return;
    snprintf(text, sizeof text, "%s%s%s", what, of[0] ? ": " : "", of);
    options->noted(recorded, text, options->arg);
}

/* Facts that make rules unknown are told, so that silence is not taken for health. */
static void fragment_notes(struct patient_run *run, const struct fragment *fragment)
{
    const struct chart *pool = run->pool;

    for (size_t i = fragment->results; i < pool->result_count; i++) {
        const struct chart_result *result = &pool->results[i];
        const char *of = concept_name(run->simulation->knowledge, result->analyte);
        if (result->state == RESULT_REMOVED) continue;
        if (result->kind == VALUE_UNREADABLE)
            note(run->options, fragment->recorded,
                 result->doubt == DOUBT_UNIT ? "no unit that can be converted"
                                             : "no value that can be read",
                 of);
        if (result->at_ms == INSTANT_UNSET)
            note(run->options, fragment->recorded, "no date that can be read", of);
    }
    for (size_t i = fragment->orders; i < pool->order_count; i++)
        if (pool->orders[i].state == ORDER_UNCLEAR)
            note(run->options, fragment->recorded, "an order that may or may not count",
                 pool->orders[i].why);
}

static void fragment_read(struct patient_run *run, size_t index)
{
    struct simulation *simulation = run->simulation;
    struct fragment *fragment = &run->fragments[index];
    struct chart *pool = run->pool;
    struct resource_library library = { recorded_index_find, &simulation->index };
    struct node root;
    const char *unmapped = NULL;
    struct err err;

    *fragment = (struct fragment){ .recorded = run->items[index],
                                   .orders = pool->order_count,
                                   .results = pool->result_count,
                                   .conditions = pool->condition_count,
                                   .allergies = pool->allergy_count };
    if (!run->items[index]->doc) return;
    root = node_root(run->items[index]->doc);
    if (!resource_apply(&root, simulation->knowledge, &library, pool, &unmapped, &err)) {
        if (run->options->aside) run->options->aside(run->items[index], &err, run->options->arg);
        return;
    }
    ids_settle(run, fragment);
    fragment->usable = true;
    fragment_notes(run, fragment);
    fragment->order_count = pool->order_count - fragment->orders;
    fragment->result_count = pool->result_count - fragment->results;
    fragment->condition_count = pool->condition_count - fragment->conditions;
    fragment->allergy_count = pool->allergy_count - fragment->allergies;
    if (unmapped && strcmp(run->items[index]->head.type, "Observation") == 0 &&
        run->options->unmapped)
        run->options->unmapped("result", unmapped, run->options->arg);
    for (size_t i = fragment->orders; i < pool->order_count; i++)
        if (pool->orders[i].unmapped && run->options->unmapped)
            run->options->unmapped("drug", pool->orders[i].unmapped, run->options->arg);
}

/* From now on this version stands for its resource. */
static void current_set(struct patient_run *run, size_t index)
{
    const struct resource_head *head = &run->items[index]->head;

    for (size_t i = 0; i < run->current_count && head->id[0]; i++) {
        const struct resource_head *other = &run->items[run->current[i]]->head;
        if (strcmp(other->id, head->id) != 0 || strcmp(other->type, head->type) != 0) continue;
        run->current[i] = index;
        return;
    }
    run->current[run->current_count++] = index;
}

static void fragment_add(const struct patient_run *run, const struct fragment *fragment,
                         struct chart *chart)
{
    const struct chart *pool = run->pool;

    for (size_t i = 0; i < fragment->order_count; i++)
        chart_add_order(chart, &pool->orders[fragment->orders + i]);
    for (size_t i = 0; i < fragment->result_count; i++)
        chart_add_result(chart, &pool->results[fragment->results + i]);
    for (size_t i = 0; i < fragment->condition_count; i++)
        chart_add_condition(chart, &pool->conditions[fragment->conditions + i]);
    for (size_t i = 0; i < fragment->allergy_count; i++)
        chart_add_allergy(chart, &pool->allergies[fragment->allergies + i]);
}

/* The chart as it stands on the clock. Strings stay in the pool. */
static struct chart *chart_now(const struct patient_run *run)
{
    struct chart *chart = chart_new(run->pool->patient);

    chart->birth = run->pool->birth;
    chart->sex = run->pool->sex;
    chart->deceased = run->pool->deceased;
    for (size_t i = 0; i < run->current_count; i++)
        fragment_add(run, &run->fragments[run->current[i]], chart);
    chart_arrange(chart, run->simulation->knowledge);
    return chart;
}

static struct alert *alert_find(struct patient_run *run, const char *key)
{
    for (size_t i = 0; i < run->alert_count; i++)
        if (strcmp(run->alerts[i].key, key) == 0) return &run->alerts[i];
    run->alerts = mem_resize(run->alerts, (run->alert_count + 1) * sizeof *run->alerts);
    return &run->alerts[run->alert_count++];
}

/* Alerts live longer than the plan they come from: copied by way of their JSON. */
static void alert_keep(struct patient_run *run, const struct alert *alert)
{
    struct alert *slot = alert_find(run, alert->key);
    char *text = alert_to_json(alert);
    struct err err;

    if (!alert_from_json(text, strlen(text), &run->simulation->arena, slot, &err)) abort();
    free(text);
}

static const char **open_identities(struct patient_run *run, size_t *ret_count)
{
    const char **open = mem_zero(run->alert_count + 1, sizeof *open);

    *ret_count = 0;
    for (size_t i = 0; i < run->alert_count; i++)
        if (run->alerts[i].state == ALERT_OPEN) open[(*ret_count)++] = run->alerts[i].identity;
    return open;
}

static void explain_patient(struct patient_run *run, const struct chart *chart, int64_t now_ms,
                            struct eval_options options)
{
    AUTO(buf_done) struct buf text = { 0 };

    options.trace_all = true;
    AUTO(evaluation_free)
    struct evaluation *evaluation = evaluate(run->simulation->knowledge, chart, now_ms, &options);
    explain_write(evaluation, run->simulation->knowledge, &text);
    run->options->explained(chart->patient, buf_string(&text), run->options->arg);
}

/* Who is not (or no longer) ours has no findings: open alerts end. */
static struct evaluation *evaluate_patient(struct patient_run *run, const struct chart *chart,
                                           int64_t now_ms, const struct eval_options *options)
{
    const struct source *why;
    struct evaluation *nothing;

    if (run->options->everybody || chart_in_cohort(chart, run->simulation->knowledge, &why)) {
        run->was_ours = true;
        run->ret->evaluations++;
        return evaluate(run->simulation->knowledge, chart, now_ms, options);
    }
    nothing = mem_new(struct evaluation);
    nothing->next_ms = INSTANT_NEVER;
    return nothing;
}

static void evaluate_at(struct patient_run *run, int64_t now_ms, bool explain)
{
    AUTO(chart_free) struct chart *chart = chart_now(run);
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    struct eval_options options = { .suppressed_too = run->options->suppressed_too };
    const char **open = open_identities(run, &options.open_count);

    options.open = open;
    evaluation = evaluate_patient(run, chart, now_ms, &options);
    plan = reconcile(evaluation, run->simulation->knowledge, chart, run->alerts, run->alert_count,
                     now_ms);
    for (size_t i = 0; i < plan->action_count; i++) alert_keep(run, &plan->actions[i].alert);
    run->next_ms = evaluation->next_ms;
    if (explain && run->options->explain && run->was_ours)
        explain_patient(run, chart, now_ms, options);
    free(open);
}

/* Let the clock run to (and not through) an instant, with every wake-up on the way. */
static void clock_run(struct patient_run *run, int64_t until_ms)
{
    while (run->next_ms < until_ms) evaluate_at(run, run->next_ms, false);
}

/* What has no time is there from the beginning. */
static void play_along(struct patient_run *run, int64_t end_ms)
{
    size_t i = 0;

    for (; i < run->count && run->items[i]->at_ms == INSTANT_UNSET; i++) current_set(run, i);
    if (i == run->count) evaluate_at(run, end_ms, false);
    while (i < run->count) {
        int64_t now_ms = run->items[i]->at_ms;
        clock_run(run, now_ms);
        for (; i < run->count && run->items[i]->at_ms == now_ms; i++) current_set(run, i);
        evaluate_at(run, now_ms, false);
    }
    clock_run(run, end_ms);
    if (run->options->explain) evaluate_at(run, end_ms, true);
}

static void play_patient(struct patient_run *run, int64_t end_ms)
{
    for (size_t i = 0; i < run->count; i++) fragment_read(run, i);
    if (run->options->at_once) {
        for (size_t i = 0; i < run->count; i++) current_set(run, i);
        evaluate_at(run, run->options->as_of_ms, true);
    } else {
        play_along(run, end_ms);
    }
}

static int alert_compare(const void *a, const void *b)
{
    const struct alert *one = a, *other = b;
    int order = strcmp(one->patient, other->patient);

    if (order) return order;
    if (one->opened_ms != other->opened_ms) return one->opened_ms < other->opened_ms ? -1 : 1;
    return strcmp(one->identity, other->identity);
}

static struct alert *alerts_reserve(struct simulation *simulation, size_t count)
{
    if (count > simulation->alert_room) {
        simulation->alert_room = 2 * count;
        simulation->alerts =
            mem_resize(simulation->alerts, simulation->alert_room * sizeof *simulation->alerts);
    }
    return simulation->alerts;
}

static void results_keep(struct patient_run *run)
{
    struct simulated *ret = run->ret;

    if (!run->alert_count) return;
    qsort(run->alerts, run->alert_count, sizeof *run->alerts, alert_compare);
    ret->alerts = alerts_reserve(run->simulation, ret->alert_count + run->alert_count);
    memcpy(ret->alerts + ret->alert_count, run->alerts, run->alert_count * sizeof *run->alerts);
    ret->alert_count += run->alert_count;
}

static void patient_play(struct simulation *simulation, const struct simulation_options *options,
                         struct recorded **items, size_t count, struct simulated *ret)
{
    struct patient_run run = { .simulation = simulation,
                               .options = options,
                               .ret = ret,
                               .items = items,
                               .count = count,
                               .next_ms = INSTANT_NEVER };

    run.pool = chart_new(items[0]->head.patient);
    run.fragments = mem_zero(count, sizeof *run.fragments);
    run.current = mem_zero(count, sizeof *run.current);
    recorded_by_clock(items, count);
    play_patient(&run, ret->end_ms);
    ret->patients++;
    ret->cohort += run.was_ours;
    results_keep(&run);
    chart_free(run.pool);
    free(run.fragments);
    free(run.current);
    free(run.alerts);
}

static size_t patient_end(struct recorded **items, size_t from, size_t count)
{
    size_t to = from + 1;

    while (to < count && strcmp(items[to]->head.patient, items[from]->head.patient) == 0) to++;
    return to;
}

/* Everything that is about a patient, in the order of patients; items has room for twice as many. */
static size_t items_collect(struct simulation *simulation, const struct simulation_options *options,
                            struct recorded **items, struct simulated *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < simulation->count; i++) {
        struct recorded *at = &simulation->items[i];
        if (strcmp(at->head.type, "Medication") == 0) continue;
        at->head.patient = recorded_index_id(&simulation->index, at->head.patient);
        if (at->head.patient[0] || at->deleted) {
            items[count++] = at;
            continue;
        }
        ret->without_patient++;
        note(options, at, "it names no patient", "");
    }
    return recorded_settle(items, count, &simulation->arena);
}

void simulation_run(struct simulation *simulation, const struct simulation_options *options,
                    struct simulated *ret)
{
    struct recorded **items = mem_zero(2 * simulation->count + 1, sizeof *items);
    size_t count, from = 0, to;

    *ret = (struct simulated){ .end_ms = options->at_once ? options->as_of_ms : 0,
                               .resources = simulation->count };
    recorded_index_build(&simulation->index, simulation->items, simulation->count);
    count = items_collect(simulation, options, items, ret);
    for (size_t i = 0; i < count && !options->at_once; i++)
        if (items[i]->at_ms > ret->end_ms) ret->end_ms = items[i]->at_ms;
    while (from < count && !items[from]->head.patient[0])
        from++; /* deletions of what is not here */
    for (; from < count; from = to) {
        to = patient_end(items, from, count);
        patient_play(simulation, options, items + from, to - from, ret);
        if (options->progress) options->progress(to, count, options->arg);
    }
    free(items);
}
