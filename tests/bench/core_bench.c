/* Speed of recorded input against a plain jansson parse of the same bytes in the same run. Prints NAME
 * VALUE lines for bench.py. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/input.h"
#include "app/load.h"
#include "app/simulate.h"
#include "base/mem.h"
#include "fhir/bundle.h"

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

    if (!load_mappings("mappings", PROFILE_UNSET, &knowledge, &problems)) return 1;
    for (int i = 1; i < argc; i++) bench_replay(knowledge, argv[i]);
    return 0;
}
