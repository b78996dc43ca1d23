/* What the parts of the evaluator share. Private to core/. */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "core/derive.h"
#include "core/eval.h"

/* ---- the orders of a chart by their drugs, so that a rule meets only those that can matter to it */

struct eval;

struct drug_place {
    unsigned concept;
    const struct chart_order *order;
    const struct chart_ingredient *drug; /* of the order */
    bool over;                           /* is_over(): most of a long history */
};

struct drug_index {
    struct drug_place *places; /* by concept, then in the order of the chart */
    size_t count;
    const struct chart_order **unmapped; /* that could be any drug, and that are not removed */
    size_t unmapped_count;
    const struct chart_order **others; /* of drugs that no rule knows, by their names */
    size_t other_count;
    uint64_t *present; /* a bit for each concept below limit */
    unsigned limit;
};

/* Of eval->chart at eval->now_ms, in eval->arena. */
struct drug_index drug_index_make(const struct eval *eval);

/* The same at then->now_ms, in then->arena: what is over alone may differ. The rest is borrowed. */
struct drug_index drug_index_then(const struct drug_index *now, const struct eval *then);

/* The places of one drug; 0 when the chart has no order for it. */
size_t drug_index_find(const struct drug_index *index, unsigned concept,
                       const struct drug_place **ret);

/* A walk over the places of a set of drugs, one drug after the other. All borrowed. */
struct drug_walk {
    const struct drug_index *index;
    const struct concept_set *drugs;
    unsigned bound; /* this one alone; CONCEPT_NONE: all of them */
    size_t next;    /* in drugs, or in the places of the index; 0 at first */
};

/* The next drug that the chart has orders for: their number, *ret is the first (borrowed from the index);
 * 0 at the end, *ret is left alone then. Cannot fail. */
size_t drug_walk_next(struct drug_walk *walk, const struct drug_place **ret);

/* ---- the measures that were asked for already: many rules ask the same */

#define MEASURE_MEMOS_MAX 64

struct measure_memos {
    struct measure_memo *items; /* in the arena; NULL: none yet */
    size_t count;
};

/* ---- a value, measured or computed */

#define MEASURE_SOURCES_MAX 8

struct measure {
    enum truth known; /* TRUTH_TRUE: value holds; else TRUTH_UNKNOWN and doubts */
    unsigned doubts;
    struct interval value; /* in the analyte's unit */
    enum coded_value coded;
    bool is_coded;
    int64_t until_ms; /* the instant at which it grows too old or a newer fact counts */
    const char *text; /* "neutrophils 0.7 10*9/L on 2026-06-10", or why there is none */
    const char *why;  /* what is missing, for "what would change the answer" */
    const char *note; /* an assumption to show ("actual weight, height unknown"); "" */
    const struct source *sources[MEASURE_SOURCES_MAX];
    size_t source_count;
    const struct chart_result *result; /* NULL: none to compare with earlier ones */
};

/* ---- one evaluation */

#define CONCEPT_NOBODY UINT_MAX /* bound to a drug that the chart does not have */

struct eval {
    const struct knowledge *knowledge;
    const struct chart *chart;
    int64_t now_ms;
    bool back; /* now_ms lies back: what has been on hold or over since then ran */
    struct drug_index index;
    struct {
        unsigned crcl, creatinine, weight, height, bsa;
    } analytes;
    struct measure_memos memos;
    struct {
        struct measure surface, weight;
    } body; /* of now; without words */
    /* The drug each naming order clause is held to; CONCEPT_NONE: any of its drugs. */
    unsigned bound[BINDING_MAX];
    const struct order_clause *subject; /* the first naming clause of the rule; NULL: none */
    struct arena *arena;                /* for traces and texts */
    enum profile profile;
    const struct concept_set *unmapped; /* of the options */
    bool telling;                       /* a trace is written: texts are made */
    bool below_not;                     /* what is false is told here as well */
};

/* ---- answers */

#define ANSWER_FALSE ((struct answer){ TRUTH_FALSE, 0, INSTANT_NEVER })
#define ANSWER_TRUE  ((struct answer){ TRUTH_TRUE, 0, INSTANT_NEVER })

static inline struct answer answer_unknown(unsigned doubts)
{
    return (struct answer){ TRUTH_UNKNOWN, doubts, INSTANT_NEVER };
}

/* The answer may change at ms, or just after ms (a millisecond later): keeps the earliest that lies
 * after now. */
void answer_until(const struct eval *eval, struct answer *answer, int64_t ms);
void answer_past(const struct eval *eval, struct answer *answer, int64_t ms);

/* Both of them; one of them at least. */
struct answer answer_both(struct answer a, struct answer b);
struct answer answer_either(struct answer a, struct answer b);

/* Is the value on the side of the limit that is asked for? Unknown (doubt) when it may be on
 * either. */
struct answer threshold_answer(const struct interval *value, const struct threshold *limit,
                               enum doubt doubt);

/* ---- traces: t may be NULL everywhere, then nothing is written */

void trace_init(struct trace *t, const struct clause *clause);
void trace_say(struct eval *eval, struct trace *t, const char *fmt, ...) PRINTF(3, 4);
void trace_change(struct eval *eval, struct trace *t, const char *fmt, ...) PRINTF(3, 4);
void trace_fact(struct eval *eval, struct trace *t, enum trace_role role,
                const struct source *source);
void trace_result(struct eval *eval, struct trace *t, const struct chart_result *result);

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
struct answer profile_answer(struct eval *eval, const struct clause *clause, struct trace *t);

/* Can any code become one of these concepts; this one? (eval_mapped.c) */
bool any_is_mapped(const struct eval *eval, const struct concept_set *concepts);
bool is_mapped(const struct eval *eval, unsigned concept);

/* Unknown, because no code maps to it: nothing follows from its absence. */
struct answer no_code_answer(struct eval *eval, const char *words, struct trace *t);

/* Age in completed years: of the earliest and of the latest birth that the record allows. A birth
 * date to the day is exact: one turns a year older at the start of the day. */
struct age {
    int oldest, youngest;
    int64_t until_ms; /* the next birthday of either */
};

/* False when the birth date is not known. */
bool age_of(const struct eval *eval, struct age *ret) MUST_CHECK;
bool age_at(const struct span *birth, int64_t at_ms, struct age *ret) MUST_CHECK;

/* ---- subjects */

/* The drugs that each naming clause of a rule may be bound to. */
struct candidates {
    const unsigned *drugs[BINDING_MAX]; /* ascending; in the arena */
    size_t count[BINDING_MAX];
    int64_t next_ms; /* when a drug of the chart may join them */
};

/* From the orders of the chart, by the naming clauses of rule->naming or rule->lasting; from the subjects
 * of an identity ("lenalidomide,naproxen"). */
void candidates_of_chart(struct eval *eval, const struct order_clause *const *naming, int count,
                         struct candidates *ret);
void candidates_of_subjects(struct eval *eval, const struct rule *rule, const char *subjects,
                            struct candidates *ret);

/* "patient|rule|subject,subject" of the drugs bound now. The drugs of clauses that take them together
 * or count them are no part of it: one more of them changes the alert, it does not make another. */
const char *identity_of(struct eval *eval, const struct rule *rule);

/* ---- orders in time */

enum exposure_state {
    EXPOSURE_ACTIVE,
    EXPOSURE_HELD,
    EXPOSURE_ENDED,
    EXPOSURE_PLANNED,
    EXPOSURE_NONE,
    EXPOSURE_UNCLEAR
};

/* What an order means at an instant. */
struct exposure {
    enum exposure_state state;
    int64_t start_ms, end_ms; /* INSTANT_UNSET where not known; INSTANT_NEVER: open */
    int64_t next_ms;          /* when the state changes by itself */
};
struct exposure order_exposure(const struct chart_order *order, int64_t now_ms);

/* The same at eval->now_ms. Looking back, an order that was put on hold or ended later was active: from
 * when it is on hold is its last change; when that is not known it always was. An order that ended, and
 * nobody said when, may have run: it is unclear. */
struct exposure exposure_of(const struct eval *eval, const struct chart_order *order);

/* Has it ended, for good? */
bool is_over(const struct eval *eval, const struct chart_order *order);

/* Is there another active or planned order that the clause asks for beside this one; and which one, in
 * words and as facts. (eval_pair.c) */
struct answer pairing_answer(const struct eval *eval, const struct pair_clause *pair,
                             const struct chart_order *order);
void pairing_say(struct eval *eval, const struct pair_clause *pair, const struct chart_order *order,
                 struct trace *t);

/* Does the clause ask for a dose on average, a day or in a span; is that so for an average a day, for
 * the dose of an order? An order that ends within the span gives less than the whole of it, perhaps;
 * NULL: none does. (eval_dose.c) */
bool asks_average(const struct order_clause *clause);
struct answer average_judge(const struct order_clause *clause, const struct chart_order *order,
                            const struct interval *daily);
struct answer average_answer(const struct order_clause *clause, const struct chart_order *order,
                             const struct dose *dose);

/* What is asked of the dose beside its average; all of it. */
struct answer intake_answer(const struct order_clause *clause, const struct chart_order *order,
                            const struct dose *dose);
struct answer doses_answer(const struct order_clause *clause, const struct chart_order *order,
                           const struct dose *dose);

/* A dose in mg as mg/m2 or mg/kg, and the other way round, by the body surface and the weight of now
 * (policy: weightWithin). room is filled and returned; the dose itself where there is nothing to do, or
 * no way. Doses are rounded when they are prepared: what was converted is an interval of so many
 * percent to both sides (policy: doseRoundingPercent). (eval_convert.c) */
const struct dose *dose_as(const struct eval *eval, const struct dose *dose, const char *unit,
                           struct dose *room);

/* Until when that holds; how it was done, or why it cannot be. */
int64_t dose_as_until(const struct eval *eval, const struct dose *dose, const char *unit);
void dose_as_say(struct eval *eval, struct trace *t, const struct dose *dose, const char *unit);

/* Does this order of one of its drugs satisfy the clause by itself? (eval_order_match.c) */
struct answer order_match(const struct eval *eval, const struct order_clause *clause,
                          const struct drug_place *place);

/* The drugs of the chart to which a naming order clause can be bound: *ret is in the arena.
 * *ret_next_ms is when another one may be. */
size_t order_candidates(struct eval *eval, const struct order_clause *clause, const unsigned **ret,
                        int64_t *ret_next_ms);

/* " Two orders for lenalidomide: whether their doses add up is not known." (eval_order_say.c) */
void add_up_say(struct eval *eval, struct trace *t, unsigned count, unsigned concept);

/* The present course of some drugs: the chain of their orders (in systemic use) without a pause
 * longer than the policy allows. */
struct course {
    bool none;        /* no order for the drugs has begun, and no unmapped one could be it */
    int64_t start_ms; /* INSTANT_UNSET: not known, or none */
    int64_t next_ms;  /* when a planned order begins: the course may be another one then */
};

/* drugs empty: the drug that the rule's first naming clause is bound to. */
struct course course_find(const struct eval *eval, const struct concept_set *drugs);

/* Is a dose of the drug that the rule's first naming clause is bound to due: now in the 24 hours from
 * the start of an active order, or from a whole number of its intervals later? False until the next such
 * instant. Any of several orders will do; true at all times by one that is not known to be given at one
 * interval longer than a day, or whose start is not known to the day, and when no order is active.
 * (eval_dose_day.c) */
struct answer dose_day_answer(struct eval *eval, struct trace *t);

/* ---- looking back */

/* What the record says of an alert of the rule that lasts now: the last instant before now at which it
 * opened (`when` was true) or ended (neither that nor `persists`, and it could be told). The rule's
 * clauses are held to eval->bound. PAST_SILENT: there is no such instant. PAST_TOO_LONG: none in the
 * last thousand changes of the chart. Cannot fail. (eval_past.c) */
struct past past_find(const struct eval *eval, const struct rule *rule);

/* A clause of an open alert that cannot be told for a reason other than age does not end it. */
bool unknown_but_for_age(struct answer answer);

/* eval at another instant, everything it makes in another arena. */
struct eval eval_at(const struct eval *eval, int64_t then_ms, struct arena *arena);

/* ---- measures: results, and what is computed from them */

/* The newest value of an analyte not older than within (any age when within is NULL). Computed
 * analytes are computed.
 *
 * What the newest is: the latest instant up to now. Of one instant, the later report (issued). Of one
 * instant without two different times of report, all that can be read, as one interval: where they
 * fall on different sides of a threshold, the answer is unknown, so that none of them wins by
 * chance. A result dated after now does not count until then, one without a date never; a note says
 * so. */
struct measure measure_newest(struct eval *eval, unsigned analyte, const struct duration *within);

/* eval->body; once, before the first clause. (eval_convert.c) */
void eval_body_measure(struct eval *eval);

/* The same for a measured analyte, and for the creatinine clearance. */
struct measure measure_result(struct eval *eval, unsigned analyte, const struct duration *within);
struct measure measure_crcl(struct eval *eval, const struct duration *within);

/* " (calcium 9 mg/dL on 2026-06-10, albumin 3 g/dL on 2026-06-10; calcium + ...)": what a result was
 * computed from, or why it could not be. */
void derivation_say(const struct eval *eval, const struct derivation *derivation, struct buf *out);

/* A value that is one result, whenever it was. */
struct measure measure_of(struct eval *eval, const struct chart_result *result);

/* A value that is not known. The texts are in the arena or static. */
struct measure measure_lacking(unsigned doubts, const char *why, const char *text);
void measure_source(struct measure *measure, const struct source *source);

/* Does its report give an upper limit of normal; is it on the side of a multiple of that limit that is
 * asked for? Unknown without one. (eval_result.c) */
bool has_upper(const struct measure *measure);
struct answer upper_multiple_answer(const struct measure *measure,
                                    const struct threshold *multiple);

/* The answer of a clause about a measure that is not known, and why it is not. */
struct answer measure_unknown(struct eval *eval, unsigned analyte, const struct measure *measure,
                              struct trace *t);

/* Its text, sources and note into a trace. */
void measure_tell(struct eval *eval, struct trace *t, const struct measure *measure);

/* Cockcroft-Gault creatinine clearance in mL/min: (140 - age) x kg / (72 x SCr mg/dL), x 0.85 if
 * female. Cockcroft DW, Gault MH. Nephron 1976;16:31-41. Weight: actual when BMI is below 30 or below
 * ideal weight, adjusted (IBW + 0.4 x (actual - IBW)) from BMI 30 on, IBW = 45.5 (F) or 50 (M) + 2.3 x
 * inches over 60 (CLEARANCE_BY_BMI; a choice of the site, labels do not say). All inputs are in range: age below 140, scr and
 * kg above 0. cm 0: height not known, actual weight is used. *ret_weight names the choice. */
struct decimal cockcroft_gault(enum clearance_weight choice, int age_years, bool female,
                               struct decimal kg, struct decimal cm, struct decimal scr_mg_dl,
                               const char **ret_weight, struct decimal *ret_kg);
