/* Speed of the pure parts: evaluations of one chart, and recorded input against a plain jansson parse
 * of the same bytes in the same run. Prints NAME VALUE lines for bench.py. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/input.h"
#include "app/load.h"
#include "app/simulate.h"
#include "base/mem.h"
#include "core/chart.h"
#include "core/eval.h"
#include "fhir/bundle.h"

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- evaluations */

#define BENCH_NOW INT64_C(1781524800000) /* 2026-06-15T12:00:00Z */

static unsigned drug(const struct knowledge *knowledge, const char *name)
{
    return knowledge_concept(knowledge, CONCEPT_DRUG, name);
}

static void order_add(struct chart *chart, unsigned concept, size_t serial)
{
    struct chart_ingredient *ingredient = arena_alloc(&chart->arena, sizeof *ingredient);
    char id[24];

    snprintf(id, sizeof id, "m%zu", serial);
    *ingredient = (struct chart_ingredient){ .concept = concept,
                                             .dose = { .unit = "", .why = "not stated" } };
    chart_add_order(chart, &(struct chart_order){
                               .source = { "MedicationRequest",
                                           arena_copy(&chart->arena, id, strlen(id)), "1", 0 },
                               .why = "",
                               .label = "a drug",
                               .ingredients = ingredient,
                               .ingredient_count = 1,
                               .dosage = "",
                               .authored_ms = BENCH_NOW - 20 * INSTANT_DAY,
                               .start_ms = INSTANT_UNSET,
                               .end_ms = INSTANT_NEVER,
                               .expiry_ms = INSTANT_NEVER });
}

static void result_add(struct chart *chart, unsigned analyte, size_t serial, int64_t digits)
{
    char id[24];

    snprintf(id, sizeof id, "o%zu", serial);
    chart_add_result(
        chart, &(struct chart_result){
                   .source = { "Observation", arena_copy(&chart->arena, id, strlen(id)), "1", 0 },
                   .analyte = analyte,
                   .at_ms = BENCH_NOW - (int64_t)(serial % 200) * INSTANT_DAY / 4,
                   .issued_ms = INSTANT_UNSET,
                   .kind = VALUE_QUANTITY,
                   .value = interval_exactly((struct decimal){ digits, -1 }),
                   .shown = "1" });
}

/* 50 orders and 500 results of a patient on lenalidomide and dexamethasone. */
static struct chart *chart_make(const struct knowledge *knowledge)
{
    static const char *const drugs[] = { "lenalidomide", "dexamethasone", "aspirin",   "acyclovir",
                                         "omeprazole",   "metformin",     "lisinopril" };
    static const char *const analytes[] = { "neutrophils", "platelets", "creatinine", "hemoglobin",
                                            "potassium" };
    struct chart *chart = chart_new("bench");

    chart->birth = (struct span){ BENCH_NOW - 70 * 365 * INSTANT_DAY,
                                  BENCH_NOW - 70 * 365 * INSTANT_DAY + INSTANT_DAY };
    chart->sex = SEX_FEMALE;
    for (size_t i = 0; i < 50; i++) order_add(chart, drug(knowledge, drugs[i % 7]), i);
    for (size_t i = 0; i < 500; i++)
        result_add(chart, knowledge_concept(knowledge, CONCEPT_ANALYTE, analytes[i % 5]), i,
                   (int64_t)(10 + i % 30));
    result_add(chart, knowledge_concept(knowledge, CONCEPT_ANALYTE, "weight"), 500, 700);
    chart_arrange(chart, knowledge);
    return chart;
}

static void bench_evaluate(const struct knowledge *knowledge)
{
    AUTO(chart_free) struct chart *chart = chart_make(knowledge);
    double start = now_s(), end;
    long count = 0;

    do {
        for (int i = 0; i < 50; i++, count++)
            evaluation_free(evaluate(knowledge, chart, BENCH_NOW + i, NULL));
        end = now_s();
    } while (end - start < 1.0);
    printf("evaluations_per_s %.0f\nrules %zu\n", (double)count / (end - start),
           knowledge_rule_count(knowledge));
}

/* ---- recorded input */

static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct simulation *simulation = arg;
    struct recorded recorded = { .file = "", .index = entry->index };
    struct err err;

    if (!entry->text || !resource_is_used(entry->type)) return true;
    if (!doc_parse(entry->text, entry->len, 0, &recorded.doc, &err)) return true;
    struct node root = node_root(recorded.doc);
    if (resource_head_read(&root, simulation_arena(simulation), &recorded.head, &err))
        simulation_add(simulation, &recorded);
    else
        doc_free(recorded.doc);
    return true;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    (void)index;
    (void)err;
    (void)arg;
    return true;
}

static void replay_once(const struct knowledge *knowledge, const char *text, size_t len)
{
    AUTO(simulation_free) struct simulation *simulation = simulation_new(knowledge);
    const struct bundle_visitor visitor = { on_entry, on_bad, simulation };
    const struct simulation_options options = { .everybody = true };
    struct simulated result;

    bundle_walk(text, len, &visitor);
    simulation_run(simulation, &options, &result);
}

static double rate(double bytes, double start, int rounds)
{
    return bytes * rounds / 1e6 / (now_s() - start);
}

static void bench_replay(const struct knowledge *knowledge, const char *path)
{
    enum { ROUNDS = 10 };
    struct err err;
    size_t len;
    char *text;
    double start;

    if (!input_read(path, &text, &len, &err)) return;
    start = now_s();
    for (int i = 0; i < ROUNDS; i++) json_decref(json_loadb(text, len, 0, NULL));
    printf("jansson_parse_mb_s %.1f\n", rate((double)len, start, ROUNDS));
    start = now_s();
    for (int i = 0; i < ROUNDS; i++) {
        struct doc *doc;
        if (doc_parse(text, len, 0, &doc, &err)) doc_free(doc);
    }
    printf("doc_parse_mb_s %.1f\n", rate((double)len, start, ROUNDS));
    start = now_s();
    for (int i = 0; i < ROUNDS; i++) replay_once(knowledge, text, len);
    printf("replay_mb_s %.1f\nbundle_mb %.1f\n", rate((double)len, start, ROUNDS),
           (double)len / 1e6);
    free(text);
}

int main(int argc, char **argv)
{
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    double start = now_s();

    if (!load_mappings("mappings", PROFILE_UNSET, &knowledge, &problems)) return 1;
    printf("load_ms %.1f\n", (now_s() - start) * 1000);
    bench_evaluate(knowledge);
    for (int i = 1; i < argc; i++) bench_replay(knowledge, argv[i]);
    return 0;
}
