/* What the parts of the evaluator share. Private to core/. */
#pragma once

#include "core/eval.h"

struct eval {
    const struct knowledge *knowledge;
    const struct chart *chart;
    int64_t now_ms;
    unsigned bound[BINDING_MAX]; /* the drug each naming order clause is held to, or CONCEPT_NONE */
    struct arena *arena;         /* for traces and texts */
    bool telling;                /* a trace is written: texts are made */
};

/* ---- answers */

#define ANSWER_FALSE ((struct answer){ TRUTH_FALSE, 0, INSTANT_NEVER })
#define ANSWER_TRUE  ((struct answer){ TRUTH_TRUE, 0, INSTANT_NEVER })

static inline struct answer answer_unknown(unsigned doubts)
{
    return (struct answer){ TRUTH_UNKNOWN, doubts, INSTANT_NEVER };
}

/* The answer may change at ms: keeps the earliest that lies after now. */
void answer_until(const struct eval *eval, struct answer *answer, int64_t ms);

/* ---- traces: t may be NULL everywhere, then nothing is written */

void trace_say(struct eval *eval, struct trace *t, const char *fmt, ...) PRINTF(3, 4);
void trace_change(struct eval *eval, struct trace *t, const char *fmt, ...) PRINTF(3, 4);
void trace_fact(struct eval *eval, struct trace *t, enum trace_role role,
                const struct source *source);

/* ---- the kinds of clauses */

struct answer clause_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer order_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer result_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer gap_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer condition_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer allergy_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer age_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer sex_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer course_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer ceiling_answer(struct eval *eval, const struct clause *clause, struct trace *t);
struct answer computable_answer(struct eval *eval, const struct clause *clause, struct trace *t);

/* ---- orders in time */

enum exposure_state {
    EXPOSURE_ACTIVE, EXPOSURE_HELD, EXPOSURE_ENDED, EXPOSURE_PLANNED, EXPOSURE_NONE,
    EXPOSURE_UNCLEAR
};

/* What an order means at an instant. */
struct exposure {
    enum exposure_state state;
    int64_t start_ms, end_ms; /* INSTANT_UNSET, INSTANT_NEVER where not known or open */
    int64_t next_ms;          /* when the state changes by itself */
};
struct exposure order_exposure(const struct chart_order *order, int64_t now_ms);

/* The ingredient of an order that is in the set and, if bound is one, is that concept. NULL: none. */
const struct chart_ingredient *order_ingredient(const struct chart_order *order,
                                                const struct concept_set *drugs, unsigned bound,
                                                bool any_use);

/* The drugs of the chart to which a naming order clause can be bound; ret has room for max. */
size_t order_candidates(struct eval *eval, const struct order_clause *clause, unsigned *ret,
                        size_t max);

/* When the present course of a drug began: the earliest start in the chain of its orders without a
 * pause longer than COURSE_PAUSE. INSTANT_UNSET when there is no order or its start is not known.
 * drugs empty: the drug that the rule's first naming clause is bound to. */
int64_t course_start(const struct eval *eval, const struct concept_set *drugs);

/* A longer pause between two orders of a drug makes a new course: one 28-day cycle. A project choice
 * that no label states. */
#define COURSE_PAUSE (28 * INSTANT_DAY)

/* ---- measures: results, and what is computed from them */

struct measure {
    enum truth known;      /* TRUTH_TRUE: value holds; else TRUTH_UNKNOWN and doubts */
    unsigned doubts;
    struct interval value; /* in the analyte's unit */
    enum coded_value coded;
    bool is_coded;
    int64_t until_ms;      /* the instant at which it grows too old or a newer fact counts */
    const char *text;      /* "neutrophils 0.7 10*9/L on 2026-06-10", or why there is none */
    const char *why;       /* what is missing, for "what would change the answer" */
    const char *note;      /* an assumption to show ("actual weight, height unknown"); "" */
    const struct source *sources[4];
    size_t source_count;
    const struct chart_result *result; /* NULL for computed ones */
};

/* The newest value of an analyte not older than within (any age when within is NULL). Computed
 * analytes are computed. */
struct measure measure_newest(struct eval *eval, unsigned analyte, const struct duration *within);

/* Cockcroft-Gault creatinine clearance in mL/min: (140 - age) x kg / (72 x SCr mg/dL), x 0.85 if
 * female. Cockcroft DW, Gault MH. Nephron 1976;16:31-41. Weight: actual when BMI is below 30 or below
 * ideal weight, adjusted (IBW + 0.4 x (actual - IBW)) from BMI 30 on, IBW = 45.5 (F) or 50 (M) + 2.3 x
 * inches over 60 (project choice; labels do not say). All inputs are in range: age below 140, scr and
 * kg above 0. cm 0: height not known, actual weight is used. *ret_weight names the choice. */
struct decimal cockcroft_gault(int age_years, bool female, struct decimal kg, struct decimal cm,
                               struct decimal scr_mg_dl, const char **ret_weight,
                               struct decimal *ret_kg);
