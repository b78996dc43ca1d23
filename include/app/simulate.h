/* Recorded resources on a virtual clock: what the daemon would have said, and when. No server, no
 * store; the same core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/recorded.h"
#include "base/arena.h"
#include "core/alert.h"
#include "core/chart.h"
#include "core/eval.h"
#include "core/knowledge.h"

struct simulation;

struct simulation *simulation_new(const struct knowledge *knowledge);
void simulation_free(struct simulation *simulation); /* accepts NULL */
DEFINE_AUTO(struct simulation *, simulation_free)

/* Where strings of recorded heads go. */
struct arena *simulation_arena(struct simulation *simulation);

/* Take in one version of a resource; doc changes hands. */
void simulation_add(struct simulation *simulation, const struct recorded *recorded);

struct simulation_options {
    bool at_once; /* evaluate once, at as_of_ms, with everything loaded */
    int64_t as_of_ms;
    bool suppressed_too;
    bool everybody; /* patients outside the cohort as well */
    bool explain;
    /* A resource that cannot be used. Called for each, in the order of patients. */
    void (*aside)(const struct recorded *recorded, const struct err *err, void *arg);
    /* What was read and cannot be used as it stands: no patient, no date, a value or a status that
     * says nothing. In our own words, without what the resource says. */
    void (*noted)(const struct recorded *recorded, const char *what, void *arg);
    /* A drug or result that no mapping knows: "drug" or "result", and its code. */
    void (*unmapped)(const char *what, const char *code, void *arg);
    /* The explanation of one patient, at the end of the clock. */
    void (*explained)(const char *patient, const char *text, void *arg);
    void (*progress)(size_t done, size_t all, void *arg); /* patients */
    void *arg;
};

struct simulated {
    struct alert *alerts; /* by patient, then time, then identity; borrowed from the simulation */
    size_t alert_count;
    size_t patients, cohort, resources, without_patient, evaluations;
    int64_t end_ms; /* the last instant of the clock */
};

/* Play everything. The result is good until the simulation is freed. Cannot fail. */
void simulation_run(struct simulation *simulation, const struct simulation_options *options,
                    struct simulated *ret);
