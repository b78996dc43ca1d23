/* What the program knows of drugs, analytes, conditions, units and rules: read from the files of
 * mappings/, compiled once, immutable, named by a hash of its content (a generation). Nothing
 * clinical is compiled into the program. Pure: texts in, struct out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/instant.h"
#include "core/interval.h"

struct knowledge;
struct rule;   /* core/rule.h */
struct clause; /* the same */

/* A concept is a code-independent name ("lenalidomide"); in here a number. Numbers are good within
 * one generation only. */
enum concept_kind { CONCEPT_DRUG, CONCEPT_ANALYTE, CONCEPT_CONDITION };

#define CONCEPT_NONE 0u

struct concept_set {
    unsigned *items; /* owned; ascending */
    size_t count;
};

bool concept_set_has(const struct concept_set *set, unsigned concept);
bool concept_set_within(const struct concept_set *inner, const struct concept_set *outer);
void concept_set_add(struct concept_set *set, unsigned concept);
void concept_set_done(struct concept_set *set);

/* Whose labels a site follows where those of the US and of the EU differ. */
enum profile { PROFILE_UNSET, PROFILE_US, PROFILE_EU };

/* "us", "eu"; "" for PROFILE_UNSET. */
const char *profile_name(enum profile profile);
bool profile_parse(const char *name, enum profile *ret) MUST_CHECK;

struct knowledge_file {
    const char *name; /* relative to mappings/: "codes/rxnorm.csv", "rules/lenalidomide.json" */
    const char *text; /* borrowed until knowledge_load() returns */
    size_t len;
};

/* What a site lays over our files: their names are paths, and only the last part of a path tells
 * what is in the file. */
struct knowledge_layers {
    const struct knowledge_file *files; /* ours: mappings/ */
    size_t count;
    const struct knowledge_file
        *codes; /* of the site: *.csv like codes/local/, *.json ConceptMaps */
    size_t code_count;
    const struct knowledge_file *rules; /* of the site: rule files, definitions.json */
    size_t rule_count;
    enum profile profile; /* PROFILE_UNSET: that of policy.json */
    bool no_drug_names;   /* drugs are not matched by name, whatever policy.json says */
};

/* The rules and codes of a site count in the generation by the last part of their paths and by
 * their content. At most KNOWLEDGE_FILES_MAX files. Otherwise as knowledge_load(). */
bool knowledge_load_layers(const struct knowledge_layers *layers, struct knowledge **ret,
                           struct err_list *problems) MUST_CHECK;

#define KNOWLEDGE_FILES_MAX 4000

/* Compile all files. On success *ret is owned by the caller. Reads on after a problem, so that all
 * of them are reported: problems (where is "FILE:LINE:COLUMN") gets at least one when the result is
 * false. Thread: any. */
bool knowledge_load(const struct knowledge_file *files, size_t count, struct knowledge **ret,
                    struct err_list *problems) MUST_CHECK;

/* The same for a profile that counts instead of the one that policy.json names; PROFILE_UNSET: that
 * one. */
bool knowledge_load_as(const struct knowledge_file *files, size_t count, enum profile profile,
                       struct knowledge **ret, struct err_list *problems) MUST_CHECK;

/* Accepts NULL. */
void knowledge_free(struct knowledge *knowledge);
DEFINE_AUTO(struct knowledge *, knowledge_free)

/* The hash of everything that was loaded, and of the profile, 12 characters of [a-z2-7]. */
const char *knowledge_generation(const struct knowledge *knowledge);

/* CONCEPT_NONE when there is none of that name. Analytes include the derived ones ("crcl"). */
unsigned knowledge_concept(const struct knowledge *knowledge, enum concept_kind kind,
                           const char *name);

/* The name ("zoledronic-acid"), and the words shown to people ("zoledronic acid"). Borrowed. */
const char *concept_name(const struct knowledge *knowledge, unsigned concept);
const char *concept_words(const struct knowledge *knowledge, unsigned concept);

/* Can a code become this concept (or, of an analyte, is it computed)? When not, only a local map of
 * the site can bring it into a chart, and nothing can be told from its absence. */
bool concept_is_mapped(const struct knowledge *knowledge, unsigned concept);

/* Add to set what one word of a rule means: a concept or "class:NAME" (with the classes in it).
 * False when there is no such name; then *ret_near is the nearest known one or NULL. */
bool knowledge_expand(const struct knowledge *knowledge, enum concept_kind kind, const char *word,
                      struct concept_set *set, const char **ret_near) MUST_CHECK;

/* ---- codes */

enum drug_use { USE_SYSTEMIC, USE_LOCAL }; /* local: on the skin, in the eye ... */

enum drug_route {
    ROUTE_UNKNOWN,
    ROUTE_ORAL,
    ROUTE_INTRAVENOUS,
    ROUTE_SUBCUTANEOUS,
    ROUTE_INTRAMUSCULAR,
    ROUTE_INTRATHECAL,
    ROUTE_PARENTERAL,
    ROUTE_TRANSDERMAL,
    ROUTE_SUBLINGUAL,
    ROUTE_BUCCAL,
    ROUTE_RECTAL,
    ROUTE_TOPICAL,
    ROUTE_OPHTHALMIC,
    ROUTE_OTIC,
    ROUTE_NASAL,
    ROUTE_INHALED,
    ROUTE_VAGINAL,
    ROUTE_INTRAVITREAL,
    ROUTE_INTRAARTICULAR,
    ROUTE_OTHER
};

/* "oral", "intravenous", ...; the words of codes/routes.csv and of rules. */
const char *drug_route_name(enum drug_route route);
bool drug_route_parse(const char *name, enum drug_route *ret) MUST_CHECK;

/* One ingredient that a drug code stands for. */
struct drug_code {
    unsigned concept;
    bool product; /* a clinical or branded drug: the strength is of one unit of it */
    bool has_strength;
    struct decimal strength;   /* in strength_unit */
    const char *strength_unit; /* "MG", "MG/ML", "UNT" ... as RxNorm writes them; "" without */
    enum drug_use use;
    enum drug_route route; /* of the dose form; ROUTE_UNKNOWN for ingredient codes */
};

/* The ingredients behind a drug code: *ret is borrowed, the result is their number, 0 when the code
 * is not known. system: any spelling of codes/systems.csv, NULL or "": none. */
size_t knowledge_drug(const struct knowledge *knowledge, const char *system, const char *code,
                      const struct drug_code **ret);

/* The ingredients of the one drug that a text names ("Revlimid 10 mg cap"): every word of it, but for
 * strengths and dose forms, must belong to a name of rxnorm.csv (IN, PIN, MIN, BN, SCD) or drugs.csv,
 * and all names must mean the same ingredients. 0 when that is not so, or when the policy does not
 * want it. The strengths of *ret (borrowed) are not those of the text; *ret_use is how it is used. */
size_t knowledge_drug_named(const struct knowledge *knowledge, const char *text,
                            const struct drug_code **ret, enum drug_use *ret_use);

enum drug_text {
    DRUG_TEXT_NOTHING, /* no word that names a drug; also when the policy wants no names */
    DRUG_TEXT_OTHER,   /* a drug that is none of ours */
    DRUG_TEXT_OURS,    /* perhaps one of ours, or any: "lenalidomid", "antibiotic per protocol" */
};

/* What a text says of the drug that no code tells. */
enum drug_text knowledge_drug_text(const struct knowledge *knowledge, const char *text);

/* CONCEPT_NONE when not known. */
unsigned knowledge_analyte(const struct knowledge *knowledge, const char *system, const char *code);

/* The concepts of a condition, procedure or finding code, exact and by prefix (at most max). */
size_t knowledge_condition(const struct knowledge *knowledge, const char *system, const char *code,
                           unsigned *ret, size_t max);

/* ROUTE_UNKNOWN when not known. */
enum drug_route knowledge_route(const struct knowledge *knowledge, const char *system,
                                const char *code, enum drug_use *ret_use);

/* Is that a dose form of codes/dose-forms.csv, and how is it used? */
bool knowledge_dose_form(const struct knowledge *knowledge, const char *form,
                         enum drug_use *ret_use) MUST_CHECK;

/* The short name of a code system ("rxnorm") for any of its spellings, NULL when not known. */
const char *knowledge_system(const struct knowledge *knowledge, const char *uri);

/* ---- analytes and units */

/* The UCUM code in which values of an analyte are kept ("10*9/L"), "" for coded ones. */
const char *analyte_unit(const struct knowledge *knowledge, unsigned analyte);
bool analyte_is_coded(const struct knowledge *knowledge, unsigned analyte);

/* Convert a value to the analyte's unit. False when the unit has no way there: then the value is
 * not known, never "normal". unit: a UCUM code or another spelling of labs/unit-spellings.csv. */
bool analyte_convert(const struct knowledge *knowledge, unsigned analyte, const char *unit,
                     struct interval value, struct interval *ret) MUST_CHECK;

/* Does a code of that condition, as the value of a coded analyte, say yes or no ("Smoker" of the
 * smoking status)? False when it says neither. */
bool knowledge_answer(const struct knowledge *knowledge, unsigned analyte, unsigned condition,
                      bool *ret_positive) MUST_CHECK;

/* ---- rules */

size_t knowledge_rule_count(const struct knowledge *knowledge);
const struct rule *knowledge_rule(const struct knowledge *knowledge, size_t index);
const struct rule *knowledge_rule_named(const struct knowledge *knowledge, const char *id);

/* The clauses of definitions.json, in its order; *ret_name is borrowed. */
size_t knowledge_definition_count(const struct knowledge *knowledge);
const struct clause *knowledge_definition_at(const struct knowledge *knowledge, size_t index,
                                             const char **ret_name);

/* The file that one of them stands in: "definitions.json", or a path of the site. Borrowed. */
const char *knowledge_definition_file(const struct knowledge *knowledge, size_t index);

/* Patients who have one of these are looked after: any myeloma condition; an order for a
 * myeloma-specific drug (classes "any-multiple-myeloma" and "myeloma-specific"). */
const struct concept_set *knowledge_cohort_conditions(const struct knowledge *knowledge);
const struct concept_set *knowledge_cohort_drugs(const struct knowledge *knowledge);

/* The weight of a creatinine clearance. An actual weight below the ideal one is always used as it is. */
enum clearance_weight {
    CLEARANCE_BY_BMI, /* adjusted from a BMI of 30 on, else actual */
    CLEARANCE_ACTUAL,
    CLEARANCE_IDEAL
};

/* Choices that a site may change: mappings/policy.json. */
struct policy {
    enum profile profile;          /* default: PROFILE_US */
    bool preliminary_results;      /* do preliminary results count? default: no */
    bool drug_names;               /* may an order without a known code be matched by its name?
                                    * default: yes */
    struct duration weight_within; /* how old a body weight may be; default: 12 mo */
    struct duration course_pause;  /* a longer pause between orders of a drug makes a new course;
                                    * default: 28 d */
    /* How far apart calcium and albumin may be taken; default: 7 d. */
    struct duration calcium_albumin_within;
    /* How long an ionised calcium stands against a total one taken after it; default: 24 h. */
    struct duration ionized_calcium_within;
    /* How far a dose may be rounded when it is prepared, in percent; default: 5. */
    int64_t dose_rounding;
    enum clearance_weight clearance_weight; /* default: by BMI */
};
const struct policy *knowledge_policy(const struct knowledge *knowledge);
