/* What the formulas of derived results share. Private to core/. */
#pragma once

#include "core/derive.h"

struct deriver {
    struct chart *chart;
    const struct knowledge *knowledge;
    const struct policy *policy;
    unsigned analyte;             /* being computed */
    struct chart_result *results; /* of it so far; in the chart's arena */
    size_t count, room;
};

/* The analyte of that name; CONCEPT_NONE when no mapping has it. */
unsigned derive_analyte(const struct deriver *deriver, const char *name);

/* ---- what was measured of an analyte at one instant: all that can be read of the latest report, as
 * one interval. Only results that count (by policy) and have a date. */

#define MOMENT_RESULTS_MAX 2

struct moment {
    bool found, readable; /* readable: a quantity */
    enum result_state state;
    int64_t at_ms, issued_ms;
    struct interval value;
    const struct chart_result *results[MOMENT_RESULTS_MAX];
    size_t result_count;
};

/* Newest first: *at is 0 in the beginning. False at the end. */
bool moment_next(const struct deriver *deriver, unsigned analyte, size_t *at,
                 struct moment *ret) MUST_CHECK;

/* At that instant; the nearest one (the earlier of two) at most `before` earlier or `after` later.
 * found is false when there is none. */
struct moment moment_at(const struct deriver *deriver, unsigned analyte, int64_t at_ms);
struct moment moment_near(const struct deriver *deriver, unsigned analyte, int64_t at_ms,
                          struct duration before, struct duration after);

/* The nearest one, however far. */
struct moment moment_ever(const struct deriver *deriver, unsigned analyte, int64_t at_ms);

/* Can it be read, and is it above 0 where it has a bound? */
bool moment_is_positive(const struct moment *moment);

/* ---- one computed result */

struct derived {
    struct chart_result result;
    struct derivation derivation;
};

/* Of the instant of its main input. An input that cannot be read, or is below 0, is a lack; derived_of()
 * does not look. */
struct derived derived_of(const struct moment *main, const char *formula);
struct derived derived_start(const struct moment *main, const char *formula);
void derived_input(struct derived *derived, const struct moment *input);

/* Why there is no value; static. The first reason is kept. */
void derived_lacks(struct derived *derived, enum doubt doubt, const char *lack);

/* Put it beside the reported ones. */
void derived_keep(struct deriver *deriver, const struct derived *derived);

/* Is there a reported value that can be read at that instant? It is preferred. */
bool derive_is_reported(const struct deriver *deriver, int64_t at_ms);

/* ---- the formulas: each adds its results (derive_calcium.c, derive_egfr.c ...) */

typedef void derive_fn(struct deriver *deriver);
derive_fn derive_bun, derive_calcium, derive_egfr, derive_anc, derive_bsa, derive_qtcf, derive_qtc,
    derive_crcl, derive_hcg, derive_glucose;

/* What a person is at that instant, for a formula that asks: false and a lack when not known. */
bool derived_person(const struct deriver *deriver, struct derived *derived) MUST_CHECK;
