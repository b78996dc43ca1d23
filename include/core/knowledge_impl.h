/* Inside of the knowledge: the compiled struct, and what its readers share. Private to core/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/csv.h"
#include "base/node.h"
#include "core/knowledge.h"
#include "core/table.h"

struct clause; /* core/rule.h */

#define CODE_SIZE 64  /* bytes of a code with its NUL; longer ones are not known */
#define UNIT_SIZE 64  /* the same for a unit */
#define URI_SIZE  256 /* the same for a system */

#define SYSTEM_NONE 1u         /* the scope of codes without a system; real systems follow */
#define UNIT_ANY    UINT32_MAX /* the scope of units that some analyte has */

struct concept {
    enum concept_kind kind;
    bool coded;  /* analytes: a result is a code, not a quantity */
    bool mapped; /* analytes, conditions: a code becomes it, or it is computed */
    const char *name, *words;
    const char *unit; /* analytes: "" for coded ones */
};

/* canonical = (value + add) * factor / divide + then_add, with factor anywhere in low..high. */
struct unit_way {
    struct decimal add, low, high, divide, then_add;
};

struct drug_entry {
    uint32_t first, count; /* in drug_codes */
};

/* What a word of a drug's text is, where it is no name; in the order of row_name_word(). */
enum name_word {
    NAME_WORD_UNIT = 1, /* stands behind a number: of strengths, volumes and times */
    NAME_WORD_FORM,     /* a form or way of taking; says nothing of the drug. Not those of local
                         * products: a cream is found only where a table has it as a cream */
    NAME_WORD_ASIDE,    /* beside the names of many drugs: local forms, "pack", "with" */
    NAME_WORD_SALT,     /* "sodium chloride" is a name nonetheless, not one of ours */
    NAME_WORD_VAGUE,    /* may stand for a drug of ours without naming it; one or many of it */
};

/* What the words of a name stand for. */
struct drug_name {
    uint32_t entry; /* drug entry */
    bool ambiguous; /* other entries of that name have other ingredients */
    bool systemic;  /* not all products of that name are for local use */
};

/* One concept of a condition code; the next one of the same code, 0: none. */
struct condition_link {
    unsigned concept;
    uint32_t next;
};

struct member {
    uint32_t concept, class; /* one of them, the other is 0 */
    uint32_t offset;         /* in classes.json */
};

struct concept_class {
    const char *word;                                    /* "class:imid" */
    const char *name;                                    /* "IMiD"; NULL: none of its own */
    enum concept_kind kind;                              /* of its members */
    bool has_kind;                                       /* false: nobody is in it */
    enum { CLASS_NEW, CLASS_OPEN, CLASS_CHECKED } state; /* of the search for cycles */
    struct member *members;                              /* in the arena */
    size_t member_count;
};

struct definition {
    struct clause *clause; /* owned */
    const char *file;      /* "definitions.json" */
};

/* Numbers that tables give are indices from 1 into the arrays beside them. */
struct knowledge {
    struct arena arena;
    char generation[13];
    struct concept *concepts; /* owned; [0] is nobody */
    size_t concept_count;
    struct table names;        /* (kind, name) -> concept */
    unsigned not_relevant;     /* the drug that no name finds */
    struct table uris;         /* (0, uri) -> system */
    struct table systems;      /* (0, short name) -> system */
    const char **system_names; /* owned; by system; entries borrowed from systems */
    size_t system_count;
    struct table related_systems;    /* (system, "") -> the system whose codes it may carry too */
    struct table strings;            /* (0, text): every text once */
    struct table drugs;              /* (system, code) -> entry */
    struct drug_entry *drug_entries; /* owned */
    struct drug_code *drug_codes;    /* owned */
    struct table drug_names;         /* (0, words) -> 1 + drug_name */
    struct drug_name *named;         /* owned */
    size_t named_count;
    struct table name_words;      /* (0, word of a text) -> enum name_word */
    struct table drug_words;      /* (0, first letters of a word of a drug or brand) -> 1 */
    struct table analytes;        /* (system, code) -> concept */
    struct table conditions;      /* (system, code) -> link */
    struct table prefixes;        /* (system, start of codes) -> link */
    size_t prefix_max;            /* bytes of the longest one */
    struct table alone;           /* (system, code) -> 1: no prefix holds for this code */
    struct condition_link *links; /* owned */
    size_t link_count;
    struct table routes;   /* (system, code) -> route_pack() */
    struct table forms;    /* (0, form) -> route_pack() */
    struct table units;    /* (analyte, unit) -> way; (UNIT_ANY, unit) -> 1 */
    struct unit_way *ways; /* owned */
    size_t way_count;
    struct table spellings; /* (0, seen) -> spelled */
    const char **spelled;   /* owned; entries in strings */
    size_t spelled_count;
    struct table answers;          /* (analyte, condition) -> ANSWER_* (knowledge_labs.c) */
    struct table class_names;      /* (0, "class:imid") -> class */
    struct concept_class *classes; /* owned */
    size_t class_count;
    struct concept_set cohort_conditions, cohort_drugs;
    struct policy policy;
    struct table definition_names;  /* (0, name) -> definition */
    struct definition *definitions; /* owned */
    size_t definition_count;
    struct table rule_ids; /* (0, id) -> rule */
    struct rule **rules;   /* owned */
    size_t rule_count;
};

/* ---- for the rule reader */

/* Append a rule; takes it. Its id must be new (knowledge_rule_named()). */
void knowledge_add_rule(struct knowledge *knowledge, struct rule *rule);

/* Put a rule in the place of the one that has its id; takes it. */
void knowledge_replace_rule(struct knowledge *knowledge, struct rule *rule);

/* Name a clause of that file for {"definition": name}; takes it (heap), the file must last as long as
 * the knowledge. A name given before keeps its clause. */
void knowledge_add_definition(struct knowledge *knowledge, const char *name, const char *file,
                              struct clause *clause);

/* NULL when there is none; borrowed. */
const struct clause *knowledge_definition(const struct knowledge *knowledge, const char *name);

/* Where texts go that live as long as the knowledge. */
struct arena *knowledge_arena(struct knowledge *knowledge);

/* ---- concepts, systems, spellings (knowledge.c) */

/* The name for people of "class:imid"; NULL when it has none of its own. */
const char *knowledge_class_name(const struct knowledge *knowledge, const char *word);

/* The text, once; borrowed from the knowledge. */
const char *knowledge_intern(struct knowledge *knowledge, const char *text);

/* Append a zeroed element of that size to an owned array and count it. Returns the array. */
void *knowledge_push(void *array, size_t *count, size_t size);

/* Append a concept that has no name in the tables yet. words NULL: the name with spaces. */
unsigned knowledge_add_concept(struct knowledge *knowledge, enum concept_kind kind,
                               const char *name, const char *words);

/* The name of the concept of one of the kinds (a set of 1 << kind) that word is nearest to, or
 * NULL. */
const char *knowledge_near(const struct knowledge *knowledge, unsigned kinds, const char *word);

/* The number of a system from any spelling of its URI; SYSTEM_NONE for "" or NULL, 0: not known.
 * A URI of systems.csv that ends in a * stands for all that begin so. */
unsigned knowledge_system_number(const struct knowledge *knowledge, const char *uri);

/* Without version, trailing slash and https. False when it is too long. */
bool uri_normal(const char *uri, char ret[URI_SIZE]) MUST_CHECK;

/* ICD codes without dots and in capitals, NDC in 11 digits (5-4-2) without hyphens, others as they
 * are. Ten digits without hyphens stay as they are: which part is short cannot be told. False when
 * it is too long. */
bool code_normal(const struct knowledge *knowledge, unsigned system, const char *code,
                 char ret[CODE_SIZE]) MUST_CHECK;

/* knowledge_condition() of a code as the tables have it. */
size_t condition_find(const struct knowledge *knowledge, unsigned system, const char *code,
                      unsigned *ret, size_t max);

/* UCUM with the litre as L. False when it is too long. (analyte.c) */
bool unit_normal(const char *unit, char ret[UNIT_SIZE]) MUST_CHECK;

/* Route and use in one number that is not 0. (drug_route.c) */
uint32_t route_pack(enum drug_route route, enum drug_use use);
enum drug_route route_of(uint32_t pack);
enum drug_use use_of(uint32_t pack);

/* ---- reading (knowledge_read.c; problems, claims and fields: knowledge_report.c) */

/* A row of a drug file, before the rows of one code stand together. */
struct drug_row {
    struct drug_code code;
    uint32_t next; /* of the same entry, 0: none */
};

struct drug_rows {
    uint32_t first, last; /* in rows */
    uint32_t product;     /* hash of type and name: ingredients of one product agree in it */
    bool single;          /* an ingredient code: nothing to combine */
};

/* Ours, or one of what a site adds. */
enum knowledge_layer { LAYER_OURS, LAYER_CODES, LAYER_RULES };

struct layer_file {
    const struct knowledge_file *file;
    enum knowledge_layer layer;
};

/* What a site says of a code: its drugs (a product has several ingredients), its analyte, its
 * conditions, its route. Nothing: 0. */
struct meaning {
    const struct drug_code *drugs;
    size_t drug_count;
    bool product; /* the drugs are the ingredients of one product, not lines that stand together */
    unsigned analyte;
    const unsigned *conditions;
    size_t condition_count;
    uint32_t route;    /* route_pack() */
    const char *words; /* as written, for messages */
};

/* A row that overrides others: it is applied when all others are read. */
struct late_row {
    uint32_t file;
    unsigned line, column;
    unsigned system;
    const char *code; /* as the tables have it; in the arena */
    struct meaning meaning;
};

/* A further drug entry of a name. */
struct name_claim {
    size_t name; /* in named */
    uint32_t entry;
};

struct knowledge_reader {
    struct knowledge *knowledge; /* being built */
    struct layer_file *files;    /* owned; ours, codes, rules; each in the order of their names */
    size_t file_count, file;     /* file: the one being read */
    struct err_list *problems;
    struct csv csv;        /* of that file */
    bool blind;            /* what others rest on could not be read */
    unsigned system;       /* of a file whose codes are all of one system */
    struct drug_row *rows; /* owned; [0] is nobody */
    size_t row_count;
    struct drug_rows *entries; /* owned; by drug entry; [0] is nobody */
    size_t entry_count;
    size_t problems_before; /* of the CSV file: an earlier file may be the reason of its own ones */
    uint32_t entry_before, entry_now; /* drug entries of the row before and of this one, or 0 */
    struct name_claim *names;         /* owned */
    size_t name_count;
    struct late_row *late; /* owned */
    size_t late_count;
};

typedef void knowledge_row_fn(struct knowledge_reader *reader, const char *const *field);

/* Report a problem of the field in that column of the row being read, or at an offset of the file
 * being read. fix may be "". */
void reader_problem(struct knowledge_reader *reader, size_t column, const char *code,
                    const char *fix, const char *fmt, ...) PRINTF(5, 6);
void reader_problem_at(struct knowledge_reader *reader, uint32_t offset, const char *code,
                       const char *fix, const char *fmt, ...) PRINTF(5, 6);

/* Report an error whose where is "LINE:COLUMN" of the file being read; err is changed. */
void reader_line_problem(struct knowledge_reader *reader, struct err *err);

/* Report what node_*() found in the file being read. */
void reader_node_problem(struct knowledge_reader *reader, const struct err *err);

/* Report that word is no such thing; near (or NULL) is a guess, else fix says what to do. */
void reader_unknown(struct knowledge_reader *reader, size_t column, const char *what,
                    const char *word, const char *near, const char *fix);

/* knowledge_near(), but NULL once there are more problems than are kept: it costs time. */
const char *reader_near(const struct knowledge_reader *reader, unsigned kinds, const char *word);

/* Put a value behind (scope, text) of the table. False, and reported as a conflict, when another
 * one stands there already. */
bool reader_claim(struct knowledge_reader *reader, struct table *table, uint32_t scope,
                  const char *text, uint32_t value, size_t column);

/* Remember the row being read as the one that made the entry. */
void reader_mark(const struct knowledge_reader *reader, struct table_entry *entry, size_t column);

/* The first claim of an entry: "codes/loinc.csv:3:1". buf needs 160 bytes. Returns buf. */
const char *reader_place(const struct knowledge_reader *reader, const struct table_entry *entry,
                         char *buf, size_t size);

/* Is the word good as the name of a concept or class: [a-z0-9-]+? Reported when not. */
bool reader_name(struct knowledge_reader *reader, size_t column, const char *word);

/* A decimal field; "" gives the other one. Reported and false when it is no number. */
bool reader_decimal(struct knowledge_reader *reader, size_t column, const char *text,
                    struct decimal empty, struct decimal *ret) MUST_CHECK;

/* The concept or system of that name; reported when there is none. */
unsigned reader_drug(struct knowledge_reader *reader, size_t column, const char *name);
unsigned reader_system(struct knowledge_reader *reader, size_t column, const char *name);

/* The code as the tables have it; reported when it is empty or too long. */
bool reader_code(struct knowledge_reader *reader, unsigned system, size_t column, const char *code,
                 char ret[CODE_SIZE]) MUST_CHECK;

/* "systemic" or "local"; reported when it is neither. */
bool reader_use(struct knowledge_reader *reader, size_t column, const char *word,
                enum drug_use *ret) MUST_CHECK;

/* Strength and dose form of a drug row; "" for none. The columns are those of the number and of the
 * form. Reported and false when they are wrong. (knowledge_drugs.c) */
bool reader_strength(struct knowledge_reader *reader, size_t column, const char *number,
                     const char *unit, struct drug_code *ret) MUST_CHECK;
bool reader_form(struct knowledge_reader *reader, size_t column, const char *form,
                 struct drug_code *ret) MUST_CHECK;

/* Is it in the table by now (made when not), and by which URI? (knowledge_codes.c) */
unsigned system_add(struct knowledge *knowledge, const char *name);
bool system_add_uri(struct knowledge_reader *reader, size_t column, const char *uri,
                    unsigned system);

/* Add a concept of a condition code. (knowledge_codes.c) */
void condition_code_add(struct knowledge_reader *reader, struct table *table, unsigned system,
                        const char *code, unsigned concept, size_t column);

/* Add an ingredient of a drug code, or report a conflict. product: a hash of what the rows of one
 * product agree in, 0 when they just stand together. (knowledge_drugs.c) */
void drug_code_add(struct knowledge_reader *reader, unsigned system, const char *code,
                   const struct drug_code *row, uint32_t product, bool single, size_t column);

/* The row of an entry for that concept; NULL when there is none. */
struct drug_code *drug_row_find(struct knowledge_reader *reader, uint32_t entry, unsigned concept);

/* A drug entry of its own for a concept, without a code. (knowledge_drugs.c) */
uint32_t drug_entry_alone(struct knowledge_reader *reader, unsigned concept);

/* Remember the name of a drug entry; when all entries are complete, settle which names are of one
 * drug only. (drug_name.c) */
void drug_name_add(struct knowledge_reader *reader, const char *name, uint32_t entry,
                   enum drug_use use);
void drug_names_done(struct knowledge_reader *reader);

/* Remember the words of the name of one drug or brand: a text that has one of them may mean it. */
void drug_words_add(struct knowledge_reader *reader, const char *name);

/* The same for the brand of a product ("[Normosol-R in 5 % Dextrose]"): only its first telling word. */
void drug_brand_add(struct knowledge_reader *reader, const char *brand);

/* ---- codes of a site (knowledge_local.c, knowledge_map.c) */

/* The system in a site's file: a short name or a URI of systems.csv, any other absolute URI, or ""
 * for codes without one. 0 and reported when it is none of them. */
unsigned local_system(struct knowledge_reader *reader, size_t column, const char *text);

/* Take in what a site says of a code (as the tables have it); late: it says that it overrides. The
 * place is that of the code in the row being read. */
void local_claim(struct knowledge_reader *reader, unsigned system, const char *code,
                 const struct meaning *meaning, bool overrides);

/* What the concept of that name is: "drug:x", "analyte:x", "condition:x", "route:x"; without a kind,
 * whatever has the name. False and reported when nothing has. room: for what *ret points at. */
struct meaning_room {
    struct drug_code drug;
    unsigned condition;
};
bool local_concept(struct knowledge_reader *reader, size_t column, const char *word,
                   struct meaning_room *room, struct meaning *ret) MUST_CHECK;

/* The rows that override, when all others are read. */
void local_overrides(struct knowledge_reader *reader);

/* A FHIR R4 ConceptMap. */
void map_read(struct knowledge_reader *reader, const struct node *root);

/* ---- rows of the files (knowledge_codes.c, knowledge_drugs.c, knowledge_labs.c) */

knowledge_row_fn row_name_word, row_system, row_related_system, row_dose_form, row_route, row_drug,
    row_condition, row_rxnorm, row_atc, row_drug_code, row_ndc, row_loinc, row_local,
    row_uncoded_condition;
knowledge_row_fn row_analyte, row_unit, row_spelling, row_answer;

/* Put the rows of each drug code together, after the last of them. */
void drug_rows_done(struct knowledge_reader *reader);

/* Add the computed analytes that no file names. */
void analytes_derived(struct knowledge_reader *reader);

/* Note which analytes and conditions have a code, after the last row. (knowledge_mapped.c) */
void concepts_mark_mapped(struct knowledge *knowledge);

/* ---- classes.json (and the cohort that it names), policy.json (knowledge_classes.c) */

void classes_read(struct knowledge_reader *reader, const struct node *root);
void policy_read(struct knowledge_reader *reader, const struct node *root);

/* "us", "eu", NULL: and the profile of each of these names. (profile.c) */
extern const char *const profile_names[];
enum profile profile_of_name(size_t which);

/* What holds where policy.json says nothing. */
struct policy policy_default(void);
