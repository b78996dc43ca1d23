/* What the knowledge costs: time and memory to load it, and an evaluation of all rules, for more rules
 * and for longer charts. Prints NAME VALUE lines for bench.py. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "app/load.h"
#include "core/chart.h"
#include "core/eval.h"
#include "core/knowledge_impl.h"

/* Of this program alone: the others on the machine are not measured. */
static double spent_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- a chart */

#define BENCH_NOW INT64_C(1781524800000) /* 2026-06-15T12:00:00Z */
#define PRESENT   50                     /* orders that are active */

static unsigned drug(const struct knowledge *knowledge, const char *name)
{
    return knowledge_concept(knowledge, CONCEPT_DRUG, name);
}

static void order_add(struct chart *chart, unsigned concept, size_t serial)
{
    struct chart_ingredient *ingredient = arena_alloc(&chart->arena, sizeof *ingredient);
    bool old = serial >= PRESENT;
    char id[24];

    snprintf(id, sizeof id, "m%zu", serial);
    *ingredient = (struct chart_ingredient){ .concept = concept,
                                             .dose = { .unit = "", .why = "not stated" } };
    chart_add_order(chart, &(struct chart_order){
                               .source = { "MedicationRequest",
                                           arena_copy(&chart->arena, id, strlen(id)), "1", 0 },
                               .state = old ? ORDER_ENDED : ORDER_ACTIVE,
                               .why = "",
                               .label = "a drug",
                               .ingredients = ingredient,
                               .ingredient_count = 1,
                               .dosage = "",
                               .authored_ms = BENCH_NOW - (old ? 400 : 20) * INSTANT_DAY,
                               .start_ms = INSTANT_UNSET,
                               .end_ms = old ? BENCH_NOW - 300 * INSTANT_DAY : INSTANT_NEVER,
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
                   .at_ms = BENCH_NOW - (int64_t)serial * INSTANT_DAY / 8,
                   .issued_ms = INSTANT_UNSET,
                   .kind = VALUE_QUANTITY,
                   .value = interval_exactly((struct decimal){ digits, -1 }),
                   .shown = "1" });
}

/* So many orders and ten times as many results, of a patient on lenalidomide and dexamethasone. What
 * is more than PRESENT orders is history. */
static struct chart *chart_make(const struct knowledge *knowledge, size_t orders)
{
    static const char *const drugs[] = { "lenalidomide", "dexamethasone", "aspirin",   "acyclovir",
                                         "omeprazole",   "metformin",     "lisinopril" };
    static const char *const analytes[] = { "neutrophils", "platelets", "creatinine", "hemoglobin",
                                            "potassium" };
    struct chart *chart = chart_new("bench");

    chart->birth = (struct span){ BENCH_NOW - 70 * 365 * INSTANT_DAY,
                                  BENCH_NOW - 70 * 365 * INSTANT_DAY + INSTANT_DAY };
    chart->sex = SEX_FEMALE;
    for (size_t i = 0; i < orders; i++) order_add(chart, drug(knowledge, drugs[i % 7]), i);
    for (size_t i = 0; i < 10 * orders; i++)
        result_add(chart, knowledge_concept(knowledge, CONCEPT_ANALYTE, analytes[i % 5]), i,
                   (int64_t)(10 + i % 30));
    result_add(chart, knowledge_concept(knowledge, CONCEPT_ANALYTE, "weight"), 10 * orders, 700);
    chart_arrange(chart, knowledge);
    return chart;
}

/* ---- evaluations */

/* The best of many short runs. */
static double evaluation_us(const struct knowledge *knowledge, size_t orders)
{
    enum { RUNS = 100, EACH = 20 };
    AUTO(chart_free) struct chart *chart = chart_make(knowledge, orders);
    double best = 0;

    for (int run = 0; run < RUNS; run++) {
        double start = spent_us(), took;
        for (int i = 0; i < EACH; i++)
            evaluation_free(evaluate(knowledge, chart, BENCH_NOW + i, NULL));
        took = (spent_us() - start) / EACH;
        if (run == 0 || took < best) best = took;
    }
    return best;
}

static void bench_charts(const struct knowledge *knowledge)
{
    static const size_t orders[] = { 0, 50, 100, 200 };

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        printf("orders_%zu_us %.1f\n", orders[i], evaluation_us(knowledge, orders[i]));
}

/* The first rules alone, as if there were no others. */
static void bench_rules(struct knowledge *knowledge)
{
    size_t all = knowledge->rule_count;

    for (size_t part = 4; part > 1; part /= 2) {
        knowledge->rule_count = all / part;
        printf("rules_%zuth_us %.1f\n", part, evaluation_us(knowledge, 50));
    }
    knowledge->rule_count = all;
}

/* ---- loading */

static double resident_mb(void)
{
    char line[128];
    double kb = 0;
    FILE *file = fopen("/proc/self/status", "re");

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmRSS: %lf", &kb) == 1) break;
    }
    if (file) fclose(file);
    return kb / 1024;
}

static struct knowledge *load_once(double *best_us)
{
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    double start = spent_us(), took;

    if (!load_mappings("mappings", PROFILE_UNSET, &knowledge, &problems)) return NULL;
    took = spent_us() - start;
    if (*best_us <= 0 || took < *best_us) *best_us = took;
    return knowledge;
}

/* The memory of the first load: later ones find room that was freed. The time of the best. */
static struct knowledge *bench_load(void)
{
    enum { RUNS = 5 };
    double before = resident_mb(), best_us = 0;
    struct knowledge *knowledge = load_once(&best_us);

    if (!knowledge) return NULL;
    printf("load_mb %.1f\n", resident_mb() - before);
    for (int run = 1; run < RUNS; run++) knowledge_free(load_once(&best_us));
    printf("load_ms %.1f\nrules %zu\n", best_us / 1000, knowledge_rule_count(knowledge));
    return knowledge;
}

int main(void)
{
    AUTO(knowledge_free) struct knowledge *knowledge = bench_load();

    if (!knowledge) return 1;
    bench_charts(knowledge);
    bench_rules(knowledge);
    return 0;
}
