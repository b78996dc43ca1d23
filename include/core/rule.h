/* A rule as a pharmacist writes it, checked and compiled: concepts are numbers, quantities are
 * decimals in the unit of their analyte. Immutable once read; owned by its knowledge. The language is
 * described in mappings/schema/rules.schema.json and, with examples, in mappings/README.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/alert.h"
#include "core/interval.h"
#include "core/knowledge.h"
#include "core/lint_check.h"

enum clause_kind {
    CLAUSE_ALL,        /* {"all": [...]}: every one of them */
    CLAUSE_ANY,        /* {"any": [...]}: at least one */
    CLAUSE_NOT,        /* {"not": {...}} */
    CLAUSE_COUNT,      /* {"atLeast": 2, "of": [...]} */
    CLAUSE_UNLESS,     /* {"unless": {...}, "note": "..."}: true unless the clause is true, with an
                        * assumption that the alert shows; "whenUnknown" instead of "note": shown
                        * only where it could not be told */
    CLAUSE_MAYBE,      /* {"maybe": {...}, "note": "..."}: unknown when the clause is true, else
                        * false */
    CLAUSE_DEFINITION, /* {"definition": "name"}: a named clause of definitions.json */
    CLAUSE_ORDER,      /* {"order": ...} and {"noOrder": ...} */
    CLAUSE_RESULT,     /* {"result": ...} and {"baseline": ...} */
    CLAUSE_GAP,        /* {"noResult": ...} */
    CLAUSE_CONDITION,  /* {"condition": ...} and {"noCondition": ...} */
    CLAUSE_ALLERGY,    /* {"allergy": ...} */
    CLAUSE_AGE,        /* {"age": "above 60 a"} */
    CLAUSE_SEX,        /* {"sex": "female"} */
    CLAUSE_COURSE,     /* {"course": ..., "is": "above 28 d"} and {"cycleStart": ...} */
    CLAUSE_CEILING,    /* {"ceiling": ...}: the ordered dose is above its maximum */
    CLAUSE_COMPUTABLE, /* {"notComputable": "crcl", "within": "30 d"} */
    CLAUSE_PROFILE,    /* {"profile": "eu"}: whose labels the site follows */
};

#define CLAUSE_KINDS (CLAUSE_PROFILE + 1)

/* "below 1.0 10*9/L", "30 to 60 mL/min", "at least 3 x upper limit" */
struct threshold {
    bool range; /* low..high, both included; else compare with low */
    enum compare compare;
    struct decimal low, high;
    const char *words; /* as written, for people */
};

enum order_wanted {
    ORDER_WANT_ACTIVE,
    ORDER_WANT_HELD,
    ORDER_WANT_ACTIVE_OR_HELD,
    ORDER_WANT_ACTIVE_OR_PLANNED,
    ORDER_WANT_PLANNED,
    ORDER_WANT_ENDED
};

#define BINDING_NONE (-1)
#define BINDING_MAX  4 /* order clauses of one rule that name a subject */

/* Of another active or planned order: its start lies near, or a time of day is the same. */
struct pair_clause {
    bool given;
    bool same_time;
    struct concept_set drugs; /* owned: of the other order */
    const char *words;
    struct duration length; /* else: the starts are not further apart; in milliseconds alone */
};

struct order_clause {
    struct concept_set drugs; /* owned */
    const char *words;        /* the drugs as written: "lenalidomide", "class:nsaid" */
    const char *except_words; /* those taken out of them; NULL: none */
    bool absent;              /* noOrder */
    bool any_use;             /* local use counts too */
    enum order_wanted wanted;
    uint32_t routes; /* bit per enum drug_route; 0: any */
    bool has_single, has_daily, has_total;
    struct threshold single, daily;
    struct threshold total; /* of what is taken in total_span, on average */
    struct duration total_span;
    const char *dose_unit; /* "mg" */
    bool continuous;       /* must be daily without a pause */
    bool has_started_within, has_started_before, has_ended_within;
    struct duration started_within, started_before, ended_within;
    struct concept_set linger_drugs; /* owned: an ended order counts for this much longer */
    struct duration *linger;         /* owned; one for each of linger_drugs */
    unsigned at_least;               /* different drugs at the same time; 1 normally */
    bool has_overlap;
    struct duration overlap; /* at_least > 1: they must have overlapped for longer than this */
    bool together;           /* one finding for all of them, and none of them is its identity;
                               * the same holds where several are counted */
    struct pair_clause starts, times;
    int binding; /* which subject this clause names, or BINDING_NONE */
};

enum result_relation {
    RESULT_ABSOLUTE,
    RESULT_TIMES_UPPER, /* multiples of the report's upper limit of normal */
    RESULT_TIMES_BASELINE,
    RESULT_TIMES_LOWEST,
    RESULT_TIMES_PREVIOUS,
    RESULT_RISE_BASELINE,
    RESULT_RISE_LOWEST,
    RESULT_RISE_PREVIOUS, /* difference, upwards */
    RESULT_FALL_BASELINE,
    RESULT_FALL_PREVIOUS, /* difference, downwards */
};

struct result_clause {
    unsigned analyte;
    bool baseline; /* about the baseline value, not the newest one */
    bool coded;
    enum coded_wanted { CODED_WANT_POSITIVE, CODED_WANT_NEGATIVE } coded_wanted;
    enum result_relation relation;
    struct threshold threshold;
    struct duration within;
    bool any_age;              /* "within": "ever" */
    struct duration lowest_in; /* of RESULT_*_LOWEST */
    struct concept_set course; /* owned: whose course start makes the baseline; empty: the first
                                  * bound drug of the rule */
    const char *course_words;  /* NULL where course is empty */
};

struct gap_step {
    struct duration until; /* of the course; the last step has none */
    bool last;
    struct duration within; /* a result must not be older than this */
};

struct gap_clause {
    unsigned analyte;
    bool ever;              /* no result at all */
    bool at_once;           /* due as soon as the drug is ordered; else only when the course has
                              * lasted as long as the step allows */
    bool dose_days;         /* at once, but asked only on the days on which a dose is due */
    struct gap_step *steps; /* owned */
    size_t step_count;
};

struct condition_clause {
    struct concept_set concepts; /* owned */
    const char *words;
    bool absent, ever;
    bool has_within;
    struct duration within;
};

struct course_clause {
    struct concept_set drugs; /* owned; empty: the first bound drug */
    const char *words;
    struct threshold length; /* in days */
    bool cycle;              /* cycleStart */
    struct duration cycle_length, cycle_window;
};

/* On the measure of a table, or on the age in years. */
struct ceiling_limit {
    bool given;
    bool times_upper; /* a multiple of the report's upper limit of normal */
    struct threshold limit;
};

/* "10 mg daily", "15 mg every 48 h", "3.5 mg" */
struct ceiling_row {
    struct ceiling_limit when;
    struct clause *also; /* owned; NULL: none */
    bool has_single, has_daily;
    struct decimal single, daily;
    const char *words; /* the maximum as written */
};

struct ceiling_clause {
    struct concept_set drugs; /* owned */
    const char *words;
    bool by_age;      /* by completed years; else by a measure: */
    unsigned measure; /* analyte or derived fact: crcl */
    struct duration within;
    struct ceiling_limit asked; /* the table is asked only where that is so */
    const char *unit;           /* of the doses: "mg" */
    struct ceiling_row *rows;   /* owned; the first that fits is the ceiling */
    size_t row_count;
};

struct clause {
    enum clause_kind kind;
    unsigned line, column; /* in the file of its rule or definition, from 1 */
    struct clause *parts;  /* owned: ALL ANY COUNT have several, NOT UNLESS MAYBE one */
    size_t part_count;
    unsigned at_least;               /* COUNT */
    const char *note;                /* UNLESS, MAYBE */
    bool note_if_unknown;            /* UNLESS */
    const char *name;                /* DEFINITION */
    const struct clause *definition; /* borrowed from the knowledge */
    union {
        struct order_clause order;
        struct result_clause result;
        struct gap_clause gap;
        struct condition_clause condition;
        struct condition_clause allergy; /* concepts are drugs */
        struct threshold age;            /* years */
        enum sex_wanted { SEX_WANT_FEMALE, SEX_WANT_MALE } sex;
        struct course_clause course;
        struct ceiling_clause ceiling;
        struct {
            unsigned measure;
            struct duration within;
        } computable;
        enum profile profile;
    };
};

enum rule_mode { RULE_LIVE, RULE_SHADOW, RULE_OFF };

struct rule_source {
    const char *document, *revision, *date, *section, *url; /* "" when not given */
};

/* A finding of lint that is there on purpose. */
struct rule_accepted {
    enum lint_check check;
    const char *reason;
    unsigned line, column; /* of its name in the file of the rule */
};

struct rule_case; /* core/rule_case.h */

struct rule {
    struct arena arena; /* owns the strings */
    const char *id, *kind, *title;
    enum severity severity;
    enum display display;                       /* where display_if is NULL or true */
    struct clause *display_if;                  /* owned; NULL: always */
    enum display display_unknown, display_else; /* where it cannot be told, or is false */
    enum rule_mode mode;
    const char *code; /* v3-ActCode or "" */
    const char *context, *mechanism, *recommendation, *severity_basis, *window_note, *choice;
    const char *verdict;            /* "checked-none-known", "conditional"; "" */
    bool checked;                   /* a "checked-..." verdict: it never alerts */
    const char *grade, *grade_note; /* of verification: "verified", "from-knowledge", "uncertain" */
    const char *owner, *review_by;
    struct rule_source *sources; /* in the arena */
    size_t source_count;
    struct clause *when;     /* owned */
    struct clause *persists; /* owned; NULL: an alert lasts as long as `when` is true */
    const char **yields_to;  /* ids of stronger rules that take this finding in */
    size_t yields_count;
    const char *yields_place;       /* "FILE:LINE:COLUMN" of "yieldsTo"; "" */
    struct rule_accepted *accepted; /* in the arena */
    size_t accepted_count;
    int bindings;                                   /* subjects that order clauses of `when` name */
    const struct order_clause *naming[BINDING_MAX]; /* those clauses; borrowed from `when` */
    const struct order_clause
        *lasting[BINDING_MAX]; /* the same of `persists`, of `when` where it has
                                                      * none; borrowed */
    struct rule_case *cases;   /* in the arena */
    size_t case_count;
    const char *theme;     /* of that file; "" */
    const char *file;      /* "rules/lenalidomide.json" */
    unsigned line, column; /* of its id in that file */
    bool site;             /* a rule of the site, which may override one of ours */
};

/* Accepts NULL. */
void rule_free(struct rule *rule);
DEFINE_AUTO(struct rule *, rule_free)

/* Release what a clause owns, not the clause itself. */
void clause_done(struct clause *clause);
