#include "core/chart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/derive.h"

struct chart *chart_new(const char *patient)
{
    struct chart *chart = mem_new(struct chart);

    chart->patient = arena_copy(&chart->arena, patient, strlen(patient));
    chart->birth = (struct span){ INSTANT_UNSET, INSTANT_UNSET };
    return chart;
}

void chart_free(struct chart *chart)
{
    if (!chart) return;
    free(chart->orders);
    free(chart->results);
    free(chart->conditions);
    free(chart->allergies);
    arena_done(&chart->arena);
    free(chart);
}

/* The array with room for one more after count items. */
static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) return items;
    *room = *room ? 2 * *room : 16;
    return mem_resize(items, *room * size);
}

void chart_add_order(struct chart *chart, const struct chart_order *order)
{
    chart->orders = grown(chart->orders, chart->order_count, &chart->order_room, sizeof *order);
    chart->orders[chart->order_count++] = *order;
}

void chart_add_result(struct chart *chart, const struct chart_result *result)
{
    chart->results =
        grown(chart->results, chart->result_count, &chart->result_room, sizeof *result);
    chart->results[chart->result_count++] = *result;
}

void chart_add_condition(struct chart *chart, const struct chart_condition *condition)
{
    chart->conditions =
        grown(chart->conditions, chart->condition_count, &chart->condition_room, sizeof *condition);
    chart->conditions[chart->condition_count++] = *condition;
}

void chart_add_allergy(struct chart *chart, const struct chart_allergy *allergy)
{
    chart->allergies =
        grown(chart->allergies, chart->allergy_count, &chart->allergy_room, sizeof *allergy);
    chart->allergies[chart->allergy_count++] = *allergy;
}

/* ---- order */

static int by_source(const struct source *a, const struct source *b)
{
    int order = strcmp(a->type, b->type);

    return order ? order : strcmp(a->id, b->id);
}

static int by_instant(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_before(const void *a, const void *b)
{
    return by_source(&((const struct chart_order *)a)->source,
                     &((const struct chart_order *)b)->source);
}

static int condition_before(const void *a, const void *b)
{
    return by_source(&((const struct chart_condition *)a)->source,
                     &((const struct chart_condition *)b)->source);
}

static int allergy_before(const void *a, const void *b)
{
    return by_source(&((const struct chart_allergy *)a)->source,
                     &((const struct chart_allergy *)b)->source);
}

/* Newest first. An unset instant is older than any. Two values of one analyte in one resource
 * (components) differ in what they show at most. */
static int newer_before(const struct chart_result *a, const struct chart_result *b)
{
    int order = by_instant(b->at_ms, a->at_ms);

    if (!order) order = by_instant(b->issued_ms, a->issued_ms);
    if (!order) order = by_instant(b->source.updated_ms, a->source.updated_ms);
    if (!order) order = by_source(&b->source, &a->source);
    if (!order) order = (int)a->kind - (int)b->kind;
    return order ? order : strcmp(b->shown ? b->shown : "", a->shown ? a->shown : "");
}

static int result_before(const void *a, const void *b)
{
    const struct chart_result *x = a, *y = b;

    if (x->analyte != y->analyte) return x->analyte < y->analyte ? -1 : 1;
    return newer_before(x, y);
}

static void sort(void *items, size_t count, size_t size, int (*before)(const void *, const void *))
{
    if (count > 1) qsort(items, count, size, before);
}

void chart_arrange(struct chart *chart, const struct knowledge *knowledge)
{
    sort(chart->orders, chart->order_count, sizeof *chart->orders, order_before);
    sort(chart->results, chart->result_count, sizeof *chart->results, result_before);
    sort(chart->conditions, chart->condition_count, sizeof *chart->conditions, condition_before);
    sort(chart->allergies, chart->allergy_count, sizeof *chart->allergies, allergy_before);
    chart->own = chart;
    derive_prepare(chart, knowledge);
}

void chart_set_series(struct chart_series *series, struct chart_result *results, size_t count)
{
    sort(results, count, sizeof *results, result_before);
    series->results = results;
    series->count = count;
}

/* ---- questions */

size_t chart_results(const struct chart *chart, unsigned analyte, const struct chart_result **ret)
{
    for (size_t i = 0; i < chart->series_count; i++) {
        struct chart_series *series = &chart->own->series[i];
        if (series->analyte != analyte) continue;
        if (!series->made) derive_series(chart->own, series);
        if (!series->count) break;
        *ret = series->results;
        return series->count;
    }
    return chart_reported(chart, analyte, ret);
}

/* The first result whose analyte is not before this one. */
static size_t results_from(const struct chart *chart, uint64_t analyte)
{
    size_t low = 0, high = chart->result_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (chart->results[mid].analyte < analyte)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t chart_reported(const struct chart *chart, unsigned analyte, const struct chart_result **ret)
{
    size_t first = results_from(chart, analyte);
    size_t next = results_from(chart, (uint64_t)analyte + 1);

    *ret = next > first ? &chart->results[first] : NULL;
    return next - first;
}

bool source_is(const struct source *source, const char *reference)
{
    size_t n = strlen(source->type);

    return strncmp(reference, source->type, n) == 0 && reference[n] == '/' &&
           strcmp(reference + n + 1, source->id) == 0;
}

bool result_same_moment(const struct chart_result *a, const struct chart_result *b)
{
    if (a->at_ms != b->at_ms) return false;
    return a->issued_ms == b->issued_ms || a->issued_ms == INSTANT_UNSET ||
           b->issued_ms == INSTANT_UNSET;
}

int64_t result_from(const struct chart_result *result)
{
    return result->derived ? result->derived->from_ms : result->at_ms;
}

size_t result_source_count(const struct chart_result *result)
{
    return result->derived ? result->derived->input_count : 1;
}

const struct source *result_source(const struct chart_result *result, size_t index)
{
    return result->derived ? &result->derived->inputs[index]->source : &result->source;
}

/* By its drug, or by the reason that it gives. */
static bool order_brings_in(const struct chart_order *order, const struct concept_set *drugs,
                            const struct concept_set *conditions)
{
    if (order->state == ORDER_REMOVED || order->state == ORDER_DRAFT) return false;
    for (size_t i = 0; i < order->ingredient_count; i++)
        if (concept_set_has(drugs, order->ingredients[i].concept)) return true;
    for (size_t i = 0; i < order->reason_count; i++)
        if (concept_set_has(conditions, order->reasons[i])) return true;
    return false;
}

static bool condition_brings_in(const struct chart_condition *condition,
                                const struct concept_set *conditions)
{
    if (condition->state == CONDITION_REMOVED) return false;
    for (size_t i = 0; i < condition->concept_count; i++)
        if (concept_set_has(conditions, condition->concepts[i])) return true;
    return false;
}

bool chart_in_cohort(const struct chart *chart, const struct knowledge *knowledge,
                     const struct source **ret_why)
{
    const struct concept_set *conditions = knowledge_cohort_conditions(knowledge);
    const struct concept_set *drugs = knowledge_cohort_drugs(knowledge);

    *ret_why = NULL;
    if (chart->deceased) return false;
    for (size_t i = 0; i < chart->condition_count && !*ret_why; i++)
        if (condition_brings_in(&chart->conditions[i], conditions))
            *ret_why = &chart->conditions[i].source;
    for (size_t i = 0; i < chart->order_count && !*ret_why; i++)
        if (order_brings_in(&chart->orders[i], drugs, conditions))
            *ret_why = &chart->orders[i].source;
    return *ret_why != NULL;
}
