/* One file of a small knowledge is replaced: the first byte says which, the rest is its text. It
 * loads, and every question has an answer; or there is a problem that names a file. */
#include <stdlib.h>
#include <string.h>

#include "core/knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }

static const struct knowledge_file base[] = {
    FILE_OF("codes/systems.csv", "system,uri,note\n"
                                 "rxnorm,http://rx,\n"
                                 "atc,http://atc,\n"
                                 "loinc,http://loinc.org,\n"
                                 "icd-10,http://icd,\n"),
    FILE_OF("codes/drugs.csv", "concept,name,note\na,A,\nb,B,\n"),
    FILE_OF("codes/dose-forms.csv", "form,use,route\nTablet,systemic,oral\n"),
    FILE_OF("codes/routes.csv", "system,code,route,use\nrxnorm,1,oral,systemic\n"),
    FILE_OF("codes/rxnorm.csv", "code,type,concept,strength,unit,quantity,form,name\n"
                                "1,SCD,a,5,MG,,Tablet,x\n"
                                "1,SCD,b,5,MG,,Tablet,x\n"),
    FILE_OF("codes/atc.csv", "code,concept,use,note\nL04,a,local,\nL04,b,systemic,\n"),
    FILE_OF("codes/loinc.csv", "code,concept,name\n1-8,n,\n"),
    FILE_OF("codes/conditions.csv", "system,code,match,concept,name\n"
                                    "icd-10,C90.0,prefix,mm,\n"
                                    "icd-10,C90.00,exact,mm,\n"),
    FILE_OF("labs/analytes.csv",
            "analyte,name,unit,kind,note\nn,N,10*9/L,quantity,\nh,H,,coded,\n"),
    FILE_OF("labs/units.csv", "analyte,unit,add,factor,then_add,note\n"
                              "n,/uL,,0.001,,\n"
                              "n,F,-32,5/9,1,\n"
                              "n,10*6/uL,,1..1000,,\n"),
    FILE_OF("labs/unit-spellings.csv", "seen,unit\nx/l,/uL\n"),
    FILE_OF("classes.json", "{\"classes\":{\"any-multiple-myeloma\":{\"members\":[\"mm\"]},"
                            "\"myeloma-specific\":{\"members\":[\"a\",\"class:c\"]},"
                            "\"c\":{\"members\":[\"b\"],\"note\":\"\",\"unmapped\":[]}}}"),
    FILE_OF("codes/local/site.csv", "system,code,concept,comment\nurn:x,1,a,\n,2,not-relevant,\n"),
    FILE_OF("policy.json", "{\"preliminaryResults\":\"use\"}"),
};

#define FILES (sizeof base / sizeof base[0])

static void require(bool claim)
{
    if (!claim) abort();
}

static void ask_codes(const struct knowledge *knowledge, const char *system, const char *code)
{
    const struct drug_code *codes;
    unsigned found[4];
    enum drug_use use;

    size_t count = knowledge_drug(knowledge, system, code, &codes);
    for (size_t i = 0; i < count; i++) {
        require(codes[i].strength_unit != NULL && codes[i].concept != CONCEPT_NONE);
        require(*concept_name(knowledge, codes[i].concept) != '\0');
    }
    unsigned analyte = knowledge_analyte(knowledge, system, code);
    if (analyte) require(*concept_words(knowledge, analyte) != '\0');
    require(knowledge_condition(knowledge, system, code, found, 4) <= 4);
    knowledge_route(knowledge, system, code, &use);
}

static void ask_units(const struct knowledge *knowledge, const char *unit)
{
    const unsigned analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, "n");
    const struct interval value = interval_from(decimal_of(7), "<=");
    struct interval got;

    if (analyte && analyte_convert(knowledge, analyte, unit, value, &got)) require(got.low_none);
}

/* A name that is found has ingredients, and is found again with a strength. */
static void ask_names(const struct knowledge *knowledge, const char *text)
{
    const struct drug_code *codes, *again;
    enum drug_use use;
    size_t count = knowledge_drug_named(knowledge, text, &codes, &use);
    char longer[300];

    for (size_t i = 0; i < count; i++) require(codes[i].concept != CONCEPT_NONE);
    require(!count || knowledge_drug_text(knowledge, text) != DRUG_TEXT_OTHER);
    if (!count || strlen(text) > 190) return;
    memcpy(longer, text, strlen(text));
    memcpy(longer + strlen(text), " 10 mg", 7);
    require(knowledge_drug_named(knowledge, longer, &again, &use) == count && again == codes);
}

static void ask(const struct knowledge *knowledge, const char *text)
{
    static const char *const systems[] = {
        "http://rx", "http://atc", "http://loinc.org", "https://icd/|2024", "urn:x", "", NULL
    };
    struct concept_set set = { 0 };
    const char *near = NULL;

    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        ask_codes(knowledge, systems[i], "1");
        ask_codes(knowledge, systems[i], text);
    }
    ask_codes(knowledge, text, "1");
    ask_units(knowledge, "10*6/ul");
    ask_names(knowledge, "A 5 mg tab");
    ask_names(knowledge, text);
    ask_units(knowledge, text);
    if (!knowledge_expand(knowledge, CONCEPT_DRUG, text, &set, &near)) require(set.count == 0);
    concept_set_done(&set);
    require(knowledge_cohort_drugs(knowledge)->count > 0);
    require(strlen(knowledge_generation(knowledge)) == 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct knowledge_file files[FILES];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    if (size < 1) return 0;
    char *text = calloc(1, size); /* the rest and its NUL */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    memcpy(files, base, sizeof files);
    files[data[0] % FILES].text = text;
    files[data[0] % FILES].len = size - 1;
    if (knowledge_load(files, FILES, &knowledge, &problems)) {
        require(problems.count == 0);
        ask(knowledge, text);
    } else {
        require(problems.count > 0 && strchr(problems.items[0].where, ':') != NULL);
    }
    knowledge_free(knowledge);
    err_list_done(&problems);
    free(text);
    return 0;
}
