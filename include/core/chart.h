/* The chart: what we know of one patient, in our words. Built from FHIR resources (fhir/), read by
 * the evaluator. Every fact keeps the resource and version it came from. Strings and arrays live in
 * the chart's arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/instant.h"
#include "core/day_time.h"
#include "core/interval.h"
#include "core/knowledge.h"

/* Where a fact stands. */
struct source {
    const char *type, *id; /* "Observation", "91" */
    const char *version;   /* "" when not known */
    int64_t updated_ms;    /* meta.lastUpdated, INSTANT_UNSET when not known */
};

/* Is it what the reference names, "Observation/91"? */
bool source_is(const struct source *source, const char *reference);

/* ---- orders */

enum order_state {
    ORDER_ACTIVE,
    ORDER_HELD,    /* on-hold */
    ORDER_ENDED,   /* stopped, completed, cancelled, ended */
    ORDER_DRAFT,   /* draft, or an intent that is no order (proposal, plan, option) */
    ORDER_REMOVED, /* entered-in-error, or deleted on the server */
    ORDER_UNCLEAR, /* unknown status, or a modifier that we do not understand: why says which */
};

/* A dose of one ingredient. Intervals, because orders say "1 to 2 tablets" and "every 4 to 6 h". */
struct dose {
    bool single_known, daily_known;
    struct interval single; /* per administration */
    struct interval daily;  /* per 24 h, averaged over the interval; 0 h when not known */
    struct interval hours;  /* between administrations */
    struct duration
        every;        /* from each administration to the next, all the time; 0: it is not so, or
                             * not known (an average, days of the week, a taper) */
    const char *unit; /* "mg", "mg/m2", "mg/kg", "[iU]" ...; "" when nothing is known */
    const char *why;  /* in our words, why something is not known; "" */
};

struct chart_ingredient {
    unsigned concept;
    enum drug_use use;
    struct dose dose;
};

struct chart_order {
    struct source source;
    enum order_state state;
    const char *why;   /* of ORDER_UNCLEAR, in our words; "" */
    const char *label; /* the drug as ordered: display of the code or text, else ours; for people */
    const struct chart_ingredient *ingredients;
    size_t ingredient_count; /* 0: no mapping knows the drug */
    bool by_name;            /* a weaker match: no code is known, the text names the drug */
    bool other;              /* no mapping knows the drug, and its name is of none of ours: no
                              * clause means it */
    const char *unmapped;    /* 0 ingredients: "SYSTEM|CODE", or "text only"; NULL when mapped */
    const char *dosage;      /* in words, "25 mg once daily"; "" when nothing can be said */
    enum drug_route route;
    int64_t authored_ms;
    int64_t start_ms;      /* INSTANT_UNSET: not said (then it counts from authored_ms) */
    int64_t start_span_ms; /* it began within so long after start_ms (a day, a month); 0: then */
    int64_t end_ms;    /* INSTANT_NEVER: open. From the bounds of the dosage; for ORDER_ENDED the
                        * moment it ended, as well as that is known */
    int64_t expiry_ms; /* end of dispenseRequest.validityPeriod, INSTANT_NEVER: none. The drug may
                        * still be taken: a doubt for the reader, not an end */
    bool as_needed;
    bool continuous;         /* daily without a stated pause: what maintenance looks like */
    bool pause_said;         /* in free text: then whether it is continuous is not known */
    struct day_times times;  /* at which it is taken, as far as that is stated */
    const unsigned *reasons; /* condition concepts of reasonCode and of category (phase tags) */
    size_t reason_count;
};

/* ---- results */

enum result_state { RESULT_FINAL, RESULT_PRELIMINARY, RESULT_REMOVED };
enum result_value { VALUE_QUANTITY, VALUE_CODED, VALUE_UNREADABLE };
enum coded_value { CODED_OTHER, CODED_POSITIVE, CODED_NEGATIVE };

struct derivation; /* core/derive.h */

struct chart_result {
    struct source source;
    unsigned analyte;
    enum result_state state; /* registered results are not in the chart */
    int64_t at_ms; /* when it was true for the patient: effective, else issued; INSTANT_UNSET */
    int64_t issued_ms;
    enum result_value kind;
    struct interval value;  /* VALUE_QUANTITY: in the analyte's unit */
    enum coded_value coded; /* VALUE_CODED */
    enum coded_value flag;  /* what the laboratory says beside the value (its interpretation) */
    enum doubt doubt;       /* VALUE_UNREADABLE: DOUBT_UNIT or DOUBT_UNREADABLE; DOUBT_INPUT where
                             * it could not be computed */
    const char *shown;      /* as sent, for people: "0.7 10*9/L", "<0.5 K/uL", "positive" */
    bool has_upper;
    struct decimal upper;             /* upper limit of normal, in the analyte's unit */
    const struct derivation *derived; /* how it was computed; NULL: it was reported */
};

/* All results of an analyte that is also computed: made when they are first asked for. */
struct chart_series {
    unsigned analyte;
    size_t formula; /* derive.c */
    bool made;
    const struct chart_result *results; /* reported and computed, newest first */
    size_t count;                       /* 0: nothing can be computed */
};

#define CHART_SERIES_MAX 10

/* ---- conditions, procedures, findings */

enum condition_state {
    CONDITION_ACTIVE,      /* active, recurrence, relapse; procedures: completed, in progress */
    CONDITION_PAST,        /* inactive, remission, resolved */
    CONDITION_UNCONFIRMED, /* provisional, differential, unconfirmed; preparation */
    CONDITION_REMOVED,     /* entered-in-error, refuted, not-done, deleted */
};

struct chart_condition {
    struct source source;
    bool procedure;
    enum condition_state state;
    const unsigned *concepts;
    size_t concept_count;
    bool uncoded; /* no coding at all: it could be anything */
    const char *label;
    int64_t start_ms; /* onset or performed; INSTANT_UNSET */
    int64_t end_ms;   /* abatement; INSTANT_NEVER */
};

struct chart_allergy {
    struct source source;
    const unsigned *drugs;
    size_t drug_count;
    bool removed;
};

enum sex { SEX_UNKNOWN, SEX_FEMALE, SEX_MALE, SEX_OTHER };

struct chart {
    struct arena arena;  /* owns everything below */
    const char *patient; /* id */
    struct span birth;   /* start INSTANT_UNSET: not known */
    enum sex sex;
    bool deceased;
    struct chart_order *orders;
    size_t order_count;
    struct chart_result *results; /* ordered by analyte, newest first: chart_arrange() */
    size_t result_count;
    struct chart_condition *conditions;
    size_t condition_count;
    struct chart_allergy *allergies;
    size_t allergy_count;
    struct chart_series series[CHART_SERIES_MAX]; /* chart_arrange() */
    size_t series_count;
    struct chart *own;                 /* itself: keeps what is computed when it is asked for */
    const struct knowledge *knowledge; /* ... with this; borrowed: outlives the chart's use */
    size_t order_room, result_room, condition_room, allergy_room; /* private */
};

/* An empty chart of a patient. */
struct chart *chart_new(const char *patient);
void chart_free(struct chart *chart); /* accepts NULL */
DEFINE_AUTO(struct chart *, chart_free)

/* Append; the struct is copied, what it points at must be in the chart's arena. */
void chart_add_order(struct chart *chart, const struct chart_order *order);
void chart_add_result(struct chart *chart, const struct chart_result *result);
void chart_add_condition(struct chart *chart, const struct chart_condition *condition);
void chart_add_allergy(struct chart *chart, const struct chart_allergy *allergy);

/* Bring everything into the order that does not depend on how it came: orders and conditions by
 * type and id, results by analyte and then newest first (at, issued, updated, id). What can be
 * computed from them (core/derive.h) is computed when it is first asked for, so that a chart is used
 * by one thread. Call once, before the chart is evaluated. */
void chart_arrange(struct chart *chart, const struct knowledge *knowledge);

/* The results of one analyte, reported and computed, newest first; 0 when there are none. */
size_t chart_results(const struct chart *chart, unsigned analyte, const struct chart_result **ret);

/* Only the reported ones. */
size_t chart_reported(const struct chart *chart, unsigned analyte, const struct chart_result **ret);

/* Let these be all results of the analyte; in any order, in the chart's arena. Private to core/. */
void chart_set_series(struct chart_series *series, struct chart_result *results, size_t count);

/* Does nothing say which of two results came later? */
bool result_same_moment(const struct chart_result *a, const struct chart_result *b);

/* The instant from which it counts: its own, or that of the latest input it was computed from. */
int64_t result_from(const struct chart_result *result);

/* The sources that a result rests on: its own, or those of its inputs. */
size_t result_source_count(const struct chart_result *result);
const struct source *result_source(const struct chart_result *result, size_t index);

/* Is this patient one of ours, and by which fact? *ret_why is borrowed; NULL when not. An order in
 * any state but removed or draft counts, by its drug or by the reason it gives; so does a condition
 * unless removed. Nobody looks after the dead. */
bool chart_in_cohort(const struct chart *chart, const struct knowledge *knowledge,
                     const struct source **ret_why);
