#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/knowledge_impl.h"
#include "core/rule_read.h"
#include "golden.h"

#define GOLDEN "tests/golden/knowledge/"

/* What is tested here is what rules rest on, not their reader: it is replaced by one that notes the
 * names of the files. */
static struct buf rule_files;

__attribute__((weak)) bool rules_read(const struct knowledge_file *file, bool site,
                                      struct knowledge *knowledge, struct err_list *problems)
{
    (void)problems;
    buf_printf(&rule_files, "%s%s after %zu classes, ", site ? "site's " : "", file->name,
               knowledge->class_count);
    return true;
}

/* ---- files */

static const char *const base_names[] = {
    "codes/systems.csv",    "codes/related-systems.csv",
    "codes/drugs.csv",      "codes/dose-forms.csv",
    "codes/routes.csv",     "codes/rxnorm.csv",
    "codes/atc.csv",        "codes/snomed-drugs.csv",
    "codes/unii.csv",       "codes/cvx.csv",
    "codes/ndc.csv",        "codes/loinc.csv",
    "codes/conditions.csv", "labs/analytes.csv",
    "labs/units.csv",       "labs/unit-spellings.csv",
    "classes.json",         "codes/local/pharmacy.csv",
    "policy.json",
};

#define FILES_MAX (ARRAY_SIZE(base_names) + 4)

struct files {
    struct knowledge_file items[FILES_MAX];
    size_t count;
};

static void files_add(struct files *files, const char *name, char *text)
{
    assert_true(files->count < FILES_MAX);
    files->items[files->count++] = (struct knowledge_file){ name, text, strlen(text) };
}

static char *read_in(const char *folder, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "%s%s", folder, name);
    return file_text(path);
}

/* The files of GOLDEN/base, one of them replaced (or, with text NULL, left out; or added). */
static void files_base(struct files *files, const char *replaced, char *text)
{
    bool known = !replaced;

    *files = (struct files){ 0 };
    for (size_t i = 0; i < ARRAY_SIZE(base_names); i++) {
        bool this_one = replaced && strcmp(replaced, base_names[i]) == 0;
        known |= this_one;
        if (!this_one)
            files_add(files, base_names[i], read_in(GOLDEN "base/", base_names[i]));
        else if (text)
            files_add(files, replaced, text);
    }
    if (!known) files_add(files, replaced, text);
}

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) free((char *)(uintptr_t)files->items[i].text);
    *files = (struct files){ 0 };
}

/* ---- what the base files say */

static struct knowledge *base;

static int load_base(void)
{
    struct files files;
    struct err_list problems = { 0 };
    char text[800];

    files_base(&files, NULL, NULL);
    bool good = knowledge_load(files.items, files.count, &base, &problems);
    for (size_t i = 0; i < problems.count; i++)
        puts(err_text(&problems.items[i], text, sizeof text));
    err_list_done(&problems);
    files_done(&files);
    return good ? 0 : 1;
}

static const struct system_case {
    const char *name;
    const char *uri;
    const char *want; /* NULL: not known */
} systems[] = {
    { "a URI as it is listed", "http://loinc.org", "loinc" },
    { "with a slash at the end", "http://loinc.org/", "loinc" },
    { "https instead of http", "https://loinc.org", "loinc" },
    { "https and a slash", "https://loinc.org/", "loinc" },
    { "with a version", "http://snomed.info/sct|http://snomed.info/sct/731000124108", "snomed" },
    { "with a slash and a version", "http://snomed.info/sct/|2024", "snomed" },
    { "listed with https, asked with https", "https://dmd.nhs.uk", "dmd" },
    { "listed with https, asked with http", "http://dmd.nhs.uk", "dmd" },
    { "an OID", "urn:oid:2.16.840.1.113883.6.88", "rxnorm" },
    { "of a site's own map", "urn:oid:1.2.3.4", "urn:oid:1.2.3.4" },
    { "an edition sent as system", "http://snomed.info/sct/731000124108", "snomed" },
    { "an edition and a version sent as system",
      "https://snomed.info/sct/731000124108/version/20240901", "snomed" },
    { "the start of a longer word", "http://snomed.info/sctx/1", NULL },
    { "capitals are another URI", "http://LOINC.org", NULL },
    { "a longer URI is another one", "http://loinc.org/x", NULL },
    { "the short name is no URI", "loinc", NULL },
    { "nothing", "", NULL },
    { "no system at all", NULL, NULL },
    { "a version alone", "|1", NULL },
};

static void check_system(void **state)
{
    const struct system_case *c = *state;
    const char *got = knowledge_system(base, c->uri);

    if (c->want)
        assert_string_equal(got, c->want);
    else
        assert_null(got);
}

#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define ATC    "http://www.whocc.no/atc"
#define LOINC  "http://loinc.org"
#define SNOMED "http://snomed.info/sct"
#define ICD    "http://hl7.org/fhir/sid/icd-10-cm"
#define WHO    "http://hl7.org/fhir/sid/icd-10"
#define NDC    "http://hl7.org/fhir/sid/ndc"
#define EDQM   "http://standardterms.edqm.eu"
#define SITE   "urn:oid:1.2.3.4"

static const struct drug_case {
    const char *name;
    const char *system, *code;
    const char *want; /* "concept strength unit product use route; " for each ingredient */
} drugs[] = {
    { "an ingredient has no strength", RXNORM, "342369", "lenalidomide systemic unknown; " },
    { "a product has strength, route and use", RXNORM, "602910",
      "lenalidomide 10 MG product systemic oral; " },
    { "a combination has all its ingredients, in the order of the file", RXNORM, "198334",
      "sulfamethoxazole 400 MG product systemic oral; trimethoprim 80 MG product systemic oral; " },
    { "a strength per volume stays one", RXNORM, "351114",
      "zoledronic-acid 0.8 MG/ML product systemic parenteral; " },
    { "a form of the eye is local", RXNORM, "94334", "dexamethasone local ophthalmic; " },
    { "a pack is a product without one strength", RXNORM, "900001",
      "dexamethasone product systemic oral; " },
    { "one ingredient in two strengths has none", RXNORM, "900002",
      "calcium product systemic oral; " },
    { "an ATC code", ATC, "L04AX04", "lenalidomide systemic unknown; " },
    { "a local ATC code", ATC, "S01BA01", "dexamethasone local unknown; " },
    { "an ATC code of a combination", ATC, "A04AA55",
      "netupitant systemic unknown; palonosetron systemic unknown; " },
    { "a SNOMED code", SNOMED, "421471009", "lenalidomide systemic unknown; " },
    { "a SNOMED code of an edition", SNOMED "/731000124108", "421471009",
      "lenalidomide systemic unknown; " },
    { "a UNII", "http://fdasis.nlm.nih.gov", "F0P408N6V4", "lenalidomide systemic unknown; " },
    { "a CVX code", "http://hl7.org/fhir/sid/cvx", "03", "calcium systemic unknown; " },
    { "an NDC is the product of its RxNorm code, with strength and form", NDC, "01234056701",
      "lenalidomide 10 MG product systemic oral; " },
    { "an NDC of 5-4-2 digits", NDC, "01234-0567-01",
      "lenalidomide 10 MG product systemic oral; " },
    { "an NDC of 4-4-2 digits", NDC, "1234-0567-01", "lenalidomide 10 MG product systemic oral; " },
    { "an NDC of 5-3-2 digits", NDC, "01234-567-01", "lenalidomide 10 MG product systemic oral; " },
    { "an NDC of 5-4-1 digits", NDC, "01234-0567-1", "lenalidomide 10 MG product systemic oral; " },
    { "an NDC of a combination", NDC, "0093-0123-01",
      "sulfamethoxazole 400 MG product systemic oral; trimethoprim 80 MG product systemic oral; " },
    { "an NDC of ten digits without hyphens can be two packages", NDC, "1234056701", "" },
    { "an NDC without a package", NDC, "1234-0567", "" },
    { "an NDC of another shape", NDC, "123-0567-01", "" },
    { "an NDC with something behind", NDC, "1234-0567-01-1", "" },
    { "a code of the site", SITE, "LEN10", "lenalidomide systemic unknown; " },
    { "a combination of the site", SITE, "COTRIM",
      "sulfamethoxazole systemic unknown; trimethoprim systemic unknown; " },
    { "a code of no interest", SITE, "WATER", "not-relevant systemic unknown; " },
    { "a code without system", NULL, "POM-4", "pomalidomide systemic unknown; " },
    { "an RxNorm code that the site added", RXNORM, "19478", "pomalidomide systemic unknown; " },
    { "a name that is drug and analyte", SITE, "CA", "calcium systemic unknown; " },
    { "another system has other codes", ATC, "342369", "" },
    { "a code without its system", NULL, "342369", "" },
    { "a system that is not known", "http://example.org", "342369", "" },
    { "a code that is not known", RXNORM, "1", "" },
    { "an empty code", RXNORM, "", "" },
    { "no code", RXNORM, NULL, "" },
    { "codes are not cut", RXNORM, "3423690", "" },
};

static void write_drug(const struct drug_code *code, struct buf *out)
{
    char number[64];

    buf_printf(out, "%s ", concept_name(base, code->concept));
    if (code->has_strength)
        buf_printf(out, "%s %s ", decimal_text(code->strength, number, sizeof number),
                   code->strength_unit);
    else
        assert_string_equal(code->strength_unit, "");
    buf_printf(out, "%s%s %s; ", code->product ? "product " : "",
               code->use == USE_LOCAL ? "local" : "systemic", drug_route_name(code->route));
}

static void check_drug(void **state)
{
    const struct drug_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    const struct drug_code *codes;
    size_t count = knowledge_drug(base, c->system, c->code, &codes);

    for (size_t i = 0; i < count; i++) write_drug(&codes[i], &got);
    assert_string_equal(buf_string(&got), c->want);
}

static const struct analyte_case {
    const char *name;
    const char *system, *code;
    const char *want; /* NULL: not known */
} analytes[] = {
    { "a LOINC code", LOINC, "751-8", "neutrophils" },
    { "another code of the same analyte", LOINC, "753-4", "neutrophils" },
    { "a name that is drug and analyte", SITE, "CA", "calcium" },
    { "a drug is no analyte", SITE, "LEN10", NULL },
    { "a code of no interest is none", SITE, "WATER", NULL },
    { "a code that is not known", LOINC, "1-8", NULL },
    { "no code", LOINC, NULL, NULL },
};

static void check_analyte(void **state)
{
    const struct analyte_case *c = *state;
    unsigned want = c->want ? knowledge_concept(base, CONCEPT_ANALYTE, c->want) : CONCEPT_NONE;

    assert_int_equal(want != CONCEPT_NONE, c->want != NULL);
    assert_int_equal(knowledge_analyte(base, c->system, c->code), want);
}

static const struct condition_case {
    const char *name;
    const char *system, *code;
    size_t max;
    const char *want; /* in the order of conditions.csv */
} conditions[] = {
    { "an exact code", SNOMED, "109989006", 9, "multiple-myeloma " },
    { "one code, two concepts", SNOMED, "441313008", 9, "smouldering-myeloma immunocompromised " },
    { "no more than asked for", SNOMED, "441313008", 1, "immunocompromised " },
    { "a prefix by itself", ICD, "C90.0", 9, "multiple-myeloma " },
    { "a longer code by its prefix", ICD, "C90.02", 9, "multiple-myeloma " },
    { "exact and by prefix", ICD, "C90.01", 9, "multiple-myeloma multiple-myeloma-in-remission " },
    { "ICD without the dot", ICD, "C9001", 9, "multiple-myeloma multiple-myeloma-in-remission " },
    { "ICD in small letters", ICD, "c90.02", 9, "multiple-myeloma " },
    { "shorter than the prefix is another code", ICD, "C90", 9, "" },
    { "beside the prefix is another code", ICD, "C90.1", 9, "" },
    { "a prefix without a dot", ICD, "N18.31", 9, "chronic-kidney-disease " },
    { "SNOMED codes have no prefixes", SNOMED, "1099890060", 9, "" },
    { "a code of the site", SITE, "MM", 9, "multiple-myeloma " },
    { "other codes stay as they are", SITE, "mm", 9, "" },
    { "an ICD code of another system", SNOMED, "C90.0", 9, "" },
    { "an ICD-10-CM code under the name of ICD-10", WHO, "C90.01", 9,
      "multiple-myeloma multiple-myeloma-in-remission " },
    { "a related system has its own codes only", ICD, "109989006", 9, "" },
    { "no code", ICD, NULL, 9, "" },
    { "a dot alone", ICD, ".", 9, "" },
};

static void check_condition(void **state)
{
    const struct condition_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    unsigned found[9];
    size_t count = knowledge_condition(base, c->system, c->code, found, c->max);

    for (size_t i = 0; i < count; i++) buf_printf(&got, "%s ", concept_name(base, found[i]));
    assert_string_equal(buf_string(&got), c->want);
}

static const struct route_case {
    const char *name;
    const char *system, *code;
    enum drug_route want;
    enum drug_use want_use;
} routes[] = {
    { "a SNOMED route", SNOMED, "26643006", ROUTE_ORAL, USE_SYSTEMIC },
    { "a local route", EDQM, "20047000", ROUTE_OPHTHALMIC, USE_LOCAL },
    { "a route that is not known", SNOMED, "1", ROUTE_UNKNOWN, USE_SYSTEMIC },
    { "no system", NULL, "26643006", ROUTE_UNKNOWN, USE_SYSTEMIC },
};

static void check_route(void **state)
{
    const struct route_case *c = *state;
    enum drug_use use;

    assert_int_equal(knowledge_route(base, c->system, c->code, &use), c->want);
    assert_int_equal(use, c->want_use);
}

/* ---- units */

static const struct unit_case {
    const char *name;
    const char *analyte, *comparator, *value, *unit;
    const char *want; /* "0.7", "0.7..700", "<0.5"; NULL: no way */
} units[] = {
    { "the unit of the analyte", "neutrophils", NULL, "0.7", "10*9/L", "0.7" },
    { "0.7 K/uL", "neutrophils", NULL, "0.7", "K/uL", "0.7" },
    { "700 /uL", "neutrophils", NULL, "700", "/uL", "0.7" },
    { "7e8 /L", "neutrophils", NULL, "7e8", "/L", "0.7" },
    { "another spelling", "neutrophils", NULL, "0.7", "x10^9/L", "0.7" },
    { "another spelling with a micro sign", "neutrophils", NULL, "0.7", "Thousand/\xC2\xB5L",
      "0.7" },
    { "the litre may be small", "neutrophils", NULL, "0.7", "10*9/l", "0.7" },
    { "the microlitre may be small", "neutrophils", NULL, "700", "/ul", "0.7" },
    { "the litre may be small in a spelling", "neutrophils", NULL, "0.7", "x10^9/l", "0.7" },
    { "behind a micro sign too", "neutrophils", NULL, "0.7", "Thousand/\xC2\xB5l", "0.7" },
    { "a doubtful unit gives both ends", "neutrophils", NULL, "0.7", "10*6/uL", "0.7..700" },
    { "a doubtful unit below zero too", "neutrophils", NULL, "-1", "10*6/uL", "-1000..-1" },
    { "a doubtful unit of nothing is nothing", "neutrophils", NULL, "0", "10*6/uL", "0" },
    { "below a value in a doubtful unit", "neutrophils", "<", "0.5", "10*6/uL", "<500" },
    { "at least a value in a doubtful unit", "neutrophils", ">=", "0.5", "10*6/uL", ">=0.5" },
    { "a comparator stays", "neutrophils", "<", "500", "/uL", "<0.5" },
    { "a closed comparator stays", "neutrophils", ">=", "500", "/uL", ">=0.5" },
    { "creatinine in umol/L", "creatinine", NULL, "100", "umol/L", "1.13122" },
    { "creatinine in umol/l", "creatinine", NULL, "88.4", "umol/l", "0.99999848" },
    { "creatinine in \xC2\xB5mol/L", "creatinine", NULL, "100", "\xC2\xB5mol/L", "1.13122" },
    { "an empty factor is one", "creatinine", NULL, "1.5", "mg/dL", "1.5" },
    { "mg/dl is mg/dL", "creatinine", NULL, "1.5", "mg/dl", "1.5" },
    { "calcium in mmol/L", "calcium", NULL, "2.5", "mmol/L", "10.0195" },
    { "212 degrees Fahrenheit", "temperature", NULL, "212", "[degF]", "100" },
    { "100.4 degrees Fahrenheit", "temperature", NULL, "100.4", "[degF]", "38" },
    { "-40 degrees Fahrenheit", "temperature", NULL, "-40", "[degF]", "-40" },
    { "above 100.4 degrees Fahrenheit", "temperature", ">", "100.4", "[degF]", ">38" },
    { "310.15 kelvin", "temperature", NULL, "310.15", "K", "37" },
    { "an offset behind the factor", "hba1c", NULL, "50", "mmol/mol", "6.726" },
    { "a unit of the analyte that units.csv leaves out", "inr", NULL, "2.5", "{INR}", "2.5" },
    { "the computed clearance", "crcl", NULL, "30", "mL/min", "30" },
    { "the computed clearance in ml/min", "crcl", NULL, "30", "ml/min", "30" },

    { "no unit", "neutrophils", NULL, "0.7", NULL, NULL },
    { "an empty unit", "neutrophils", NULL, "0.7", "", NULL },
    { "a unit of another analyte", "neutrophils", NULL, "0.7", "mg/dL", NULL },
    { "a unit that is not listed", "creatinine", NULL, "1", "g/L", NULL },
    { "MG/DL is not mg/dL", "creatinine", NULL, "1", "MG/DL", NULL },
    { "k is not K", "neutrophils", NULL, "0.7", "k/uL", NULL },
    { "no number of moles", "creatinine", NULL, "1", "mmoL/L", NULL },
    { "the letter of Cel is no litre", "temperature", NULL, "37", "CeL", NULL },
    { "an annotation is taken as it is", "inr", NULL, "2.5", "{inr}", NULL },
    { "a unit beyond all length", "neutrophils", NULL, "1",
      "10*9/L................................................................", NULL },
    { "a coded analyte has no units", "hbsag", NULL, "1", "mg/dL", NULL },
};

static void write_interval(const struct interval *at, struct buf *out)
{
    char low[64], high[64];

    decimal_text(at->low, low, sizeof low);
    decimal_text(at->high, high, sizeof high);
    if (at->low_none)
        buf_printf(out, "%s%s", at->high_open ? "<" : "<=", high);
    else if (at->high_none)
        buf_printf(out, "%s%s", at->low_open ? ">" : ">=", low);
    else if (interval_is_exact(at))
        buf_text(out, low);
    else
        buf_printf(out, "%s..%s", low, high);
}

static void check_unit(void **state)
{
    const struct unit_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    unsigned analyte = knowledge_concept(base, CONCEPT_ANALYTE, c->analyte);
    struct decimal value;
    struct interval at;

    assert_int_not_equal(analyte, CONCEPT_NONE);
    assert_true(decimal_parse(c->value, &value));
    bool way = analyte_convert(base, analyte, c->unit, interval_from(value, c->comparator), &at);
    assert_int_equal(way, c->want != NULL);
    if (!way) return;
    write_interval(&at, &got);
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- concepts and classes */

static const struct expand_case {
    const char *name;
    enum concept_kind kind;
    const char *word;
    const char *want; /* "a b " or "near: x" */
} expands[] = {
    { "a drug", CONCEPT_DRUG, "lenalidomide", "lenalidomide " },
    { "an analyte", CONCEPT_ANALYTE, "creatinine", "creatinine " },
    { "a condition", CONCEPT_CONDITION, "multiple-myeloma", "multiple-myeloma " },
    { "a class", CONCEPT_DRUG, "class:imid", "lenalidomide pomalidomide " },
    { "a class of a class", CONCEPT_DRUG, "class:myeloma-specific", "lenalidomide pomalidomide " },
    { "several classes, everyone once", CONCEPT_DRUG, "class:infection-risk",
      "lenalidomide pomalidomide dexamethasone " },
    { "a class of conditions", CONCEPT_CONDITION, "class:any-multiple-myeloma",
      "multiple-myeloma multiple-myeloma-in-remission " },
    { "an empty class", CONCEPT_DRUG, "class:empty", "" },
    { "an empty class is of any kind", CONCEPT_CONDITION, "class:empty", "" },
    { "a name with a slip", CONCEPT_DRUG, "lenalidomid", "near: lenalidomide" },
    { "a class with a slip", CONCEPT_DRUG, "class:imids", "near: class:imid" },
    { "a drug is no condition", CONCEPT_CONDITION, "lenalidomide", "near: nothing" },
    { "a class of drugs is none of conditions", CONCEPT_CONDITION, "class:steroid",
      "near: nothing" },
    { "a class needs its prefix", CONCEPT_DRUG, "imid", "near: nothing" },
    { "nobody can name what is of no interest", CONCEPT_DRUG, "not-relevant", "near: nothing" },
    { "not even by a slip", CONCEPT_DRUG, "not-relevan", "near: nothing" },
};

static void check_expand(void **state)
{
    const struct expand_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    struct concept_set set = { 0 };
    const char *near = NULL;

    if (!knowledge_expand(base, c->kind, c->word, &set, &near))
        buf_printf(&got, "near: %s", near ? near : "nothing");
    for (size_t i = 0; i < set.count; i++)
        buf_printf(&got, "%s ", concept_name(base, set.items[i]));
    assert_string_equal(buf_string(&got), c->want);
    concept_set_done(&set);
}

static void concepts_have_words(void **state)
{
    (void)state;
    unsigned zoledronic = knowledge_concept(base, CONCEPT_DRUG, "zoledronic-acid");
    unsigned remission =
        knowledge_concept(base, CONCEPT_CONDITION, "multiple-myeloma-in-remission");
    unsigned inr = knowledge_concept(base, CONCEPT_ANALYTE, "inr");

    assert_string_equal(concept_words(base, zoledronic), "zoledronic acid");
    assert_string_equal(concept_words(base, remission), "multiple myeloma in remission");
    assert_string_equal(concept_words(base, inr), "INR");
    assert_string_equal(analyte_unit(base, inr), "{INR}");
    assert_false(analyte_is_coded(base, inr));
}

static void coded_analytes_have_no_unit(void **state)
{
    unsigned hbsag = knowledge_concept(base, CONCEPT_ANALYTE, "hbsag");

    (void)state;
    assert_true(analyte_is_coded(base, hbsag));
    assert_string_equal(analyte_unit(base, hbsag), "");
}

static void the_cohort_is_named_by_classes(void **state)
{
    const struct concept_set *drugs_in = knowledge_cohort_drugs(base);
    const struct concept_set *conditions_in = knowledge_cohort_conditions(base);

    (void)state;
    assert_int_equal(drugs_in->count, 2);
    assert_true(concept_set_has(drugs_in, knowledge_concept(base, CONCEPT_DRUG, "lenalidomide")));
    assert_false(concept_set_has(drugs_in, knowledge_concept(base, CONCEPT_DRUG, "dexamethasone")));
    assert_int_equal(conditions_in->count, 2);
}

static void the_policy_is_the_sites(void **state)
{
    (void)state;
    assert_true(knowledge_policy(base)->preliminary_results);
}

static void every_route_has_a_name(void **state)
{
    enum drug_route route;

    (void)state;
    for (unsigned i = 0; i <= ROUTE_OTHER; i++) {
        assert_true(drug_route_parse(drug_route_name((enum drug_route)i), &route));
        assert_int_equal(route, i);
    }
    assert_string_equal(drug_route_name(ROUTE_INTRAVENOUS), "intravenous");
    assert_string_equal(drug_route_name(ROUTE_OTHER), "other");
    assert_false(drug_route_parse("Oral", &route));
}

static void sets_are_ascending(void **state)
{
    static const unsigned added[] = { 5, 1, 9, 5, 3, 1 }, want[] = { 1, 3, 5, 9 };
    struct concept_set set = { 0 };

    (void)state;
    assert_false(concept_set_has(&set, 1));
    for (size_t i = 0; i < ARRAY_SIZE(added); i++) concept_set_add(&set, added[i]);
    assert_int_equal(set.count, ARRAY_SIZE(want));
    for (size_t i = 0; i < set.count; i++) assert_int_equal(set.items[i], want[i]);
    assert_true(concept_set_has(&set, 9));
    assert_false(concept_set_has(&set, 4));
    concept_set_done(&set);
}

/* ---- loading */

static struct knowledge *load(const struct files *files)
{
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    assert_true(knowledge_load(files->items, files->count, &knowledge, &problems));
    assert_int_equal(problems.count, 0);
    return knowledge;
}

static void the_generation_does_not_depend_on_the_order(void **state)
{
    struct files files, turned = { 0 };

    (void)state;
    files_base(&files, NULL, NULL);
    for (size_t i = files.count; i-- > 0;) turned.items[turned.count++] = files.items[i];
    AUTO(knowledge_free) struct knowledge *other = load(&turned);
    assert_string_equal(knowledge_generation(other), knowledge_generation(base));
    assert_int_equal(strlen(knowledge_generation(base)), 12);
    files_done(&files);
}

static void the_generation_is_of_names_and_contents(void **state)
{
    static const char *const names[] = { "rules/a.json", "rules/b.json" }, *const texts[] = { "1",
                                                                                              "2" };
    char seen[4][13];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct files files;
        files_base(&files, names[i % 2], mem_strdup(texts[i / 2]));
        AUTO(knowledge_free) struct knowledge *other = load(&files);
        snprintf(seen[i], sizeof seen[i], "%s", knowledge_generation(other));
        for (size_t j = 0; j < i; j++) assert_string_not_equal(seen[i], seen[j]);
        files_done(&files);
    }
}

static void rules_are_read_last_and_in_the_order_of_names(void **state)
{
    struct files files;

    (void)state;
    files_base(&files, "rules/b.json", mem_strdup(""));
    files_add(&files, "rules/a.json", mem_strdup(""));
    files_add(&files, "definitions.json", mem_strdup(""));
    files_add(&files, "schema/rules.schema.json", mem_strdup(""));
    buf_clear(&rule_files);
    knowledge_free(load(&files));
    assert_string_equal(buf_string(&rule_files), "definitions.json after 6 classes, "
                                                 "rules/a.json after 6 classes, "
                                                 "rules/b.json after 6 classes, ");
    files_done(&files);
}

static void preliminary_results_do_not_count_by_default(void **state)
{
    struct files files;

    (void)state;
    files_base(&files, "policy.json", NULL);
    AUTO(knowledge_free) struct knowledge *other = load(&files);
    assert_int_equal(knowledge_policy(other)->dose_rounding, 5);
    assert_int_equal(knowledge_policy(other)->clearance_weight, CLEARANCE_BY_BMI);
    assert_int_equal(knowledge_policy(other)->calcium_albumin_within.ms, 7 * INSTANT_DAY);
    assert_int_equal(knowledge_policy(other)->ionized_calcium_within.ms, INSTANT_DAY);
    assert_false(knowledge_policy(other)->preliminary_results);
    files_done(&files);
}

/* ---- the knowledge that we ship, but for its rules */

static void load_shipped(struct files *files)
{
    const size_t site_files = 2; /* the last of base_names */

    *files = (struct files){ 0 };
    for (size_t i = 0; i < ARRAY_SIZE(base_names) - site_files; i++)
        files_add(files, base_names[i], read_in("mappings/", base_names[i]));
}

static void the_shipped_files_load(void **state)
{
    const struct drug_code *codes;
    struct files files;
    unsigned found[9];

    (void)state;
    load_shipped(&files);
    AUTO(knowledge_free) struct knowledge *shipped = load(&files);
    files_done(&files);
    /* one code of each kind, from the tables they were made of (643720: 25 MG Oral Capsule) */
    assert_int_equal(knowledge_drug(shipped, RXNORM, "643720", &codes), 1);
    assert_string_equal(concept_name(shipped, codes->concept), "lenalidomide");
    assert_int_equal(decimal_compare(codes->strength, decimal_of(25)), 0);
    assert_int_equal(knowledge_drug(shipped, ATC, "L04AX04", &codes), 1);
    unsigned neutrophils = knowledge_concept(shipped, CONCEPT_ANALYTE, "neutrophils");
    assert_int_equal(knowledge_analyte(shipped, LOINC, "751-8"), neutrophils);
    assert_string_equal(analyte_unit(shipped, neutrophils), "10*9/L");
    assert_int_not_equal(knowledge_condition(shipped, ICD, "C90.00", found, 9), 0);
    assert_int_not_equal(knowledge_cohort_drugs(shipped)->count, 0);
}

/* ---- problems: GOLDEN/INPUT in place of a file of the base; GOLDEN/NAME.out comes out */

static const struct problem_case {
    const char *name;
    const char *file;  /* in mappings/ */
    const char *input; /* NULL: the file is left out */
} problems_of[] = {
    { "systems", "codes/systems.csv", "systems.csv" },
    { "header", "codes/drugs.csv", "drugs.csv" },
    { "drug-names", "codes/drugs.csv", "drug-names.csv" },
    { "rxnorm", "codes/rxnorm.csv", "rxnorm.csv" },
    { "atc", "codes/atc.csv", "atc.csv" },
    { "snomed-drugs", "codes/snomed-drugs.csv", "snomed-drugs.csv" },
    { "ndc", "codes/ndc.csv", "ndc.csv" },
    { "related-systems", "codes/related-systems.csv", "related-systems.csv" },
    { "name-words", "codes/name-words.csv", "name-words.csv" },
    { "loinc", "codes/loinc.csv", "loinc.csv" },
    { "conditions", "codes/conditions.csv", "conditions.csv" },
    { "routes", "codes/routes.csv", "routes.csv" },
    { "dose-forms", "codes/dose-forms.csv", "dose-forms.csv" },
    { "local", "codes/local/pharmacy.csv", "local.csv" },
    { "analytes", "labs/analytes.csv", "analytes.csv" },
    { "units", "labs/units.csv", "units.csv" },
    { "spellings", "labs/unit-spellings.csv", "spellings.csv" },
    { "answers", "labs/answers.csv", "answers.csv" },
    { "uncoded", "codes/uncoded-conditions.csv", "uncoded.csv" },
    { "classes", "classes.json", "classes.json" },
    { "cohort", "classes.json", "cohort.json" },
    { "syntax", "classes.json", "syntax.json" },
    { "policy", "policy.json", "policy.json" },
    { "missing", "codes/rxnorm.csv", NULL },
    { "missing-base", "codes/drugs.csv", NULL },
    { "stranger-below", "codes/rxnorm2.csv", "notes.txt" },
    { "stranger-folder-known", "codes/notes.txt", "notes.txt" },
    { "stranger-at-top", "notes.txt", "notes.txt" },
    { "stranger-folder", "rule/a.json", "notes.txt" },
};

static char *outcome(const struct files *files)
{
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    struct buf out = { 0 };
    char text[800];

    assert_false(knowledge_load(files->items, files->count, &knowledge, &problems));
    assert_null(knowledge);
    assert_true(problems.count > 0);
    for (size_t i = 0; i < problems.count; i++) {
        assert_int_equal(problems.items[i].kind, ERR_CONFIG);
        assert_non_null(problems.items[i].code);
        buf_printf(&out, "%s\n", err_text(&problems.items[i], text, sizeof text));
    }
    err_list_done(&problems);
    return buf_take(&out);
}

static void check_problem(void **state)
{
    const struct problem_case *c = *state;
    char path[200];
    struct files files;

    snprintf(path, sizeof path, GOLDEN "%s.out", c->name);
    files_base(&files, c->file, c->input ? read_in(GOLDEN, c->input) : NULL);
    char *got = outcome(&files);
    assert_golden(path, got);
    free(got);
    files_done(&files);
}

static void problems_beyond_the_limit_are_counted(void **state)
{
    struct buf rows = { 0 };
    struct files files;
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    (void)state;
    buf_text(&rows, "code,concept,name\n");
    for (unsigned i = 0; i < 2 * ERR_LIST_MAX; i++) buf_printf(&rows, "%u,nothing,\n", i);
    files_base(&files, "codes/loinc.csv", buf_take(&rows));
    assert_false(knowledge_load(files.items, files.count, &knowledge, &problems));
    assert_int_equal(problems.count, 2 * ERR_LIST_MAX);
    err_list_done(&problems);
    files_done(&files);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(concepts_have_words),
        cmocka_unit_test(coded_analytes_have_no_unit),
        cmocka_unit_test(the_cohort_is_named_by_classes),
        cmocka_unit_test(the_policy_is_the_sites),
        cmocka_unit_test(every_route_has_a_name),
        cmocka_unit_test(sets_are_ascending),
        cmocka_unit_test(the_generation_does_not_depend_on_the_order),
        cmocka_unit_test(the_generation_is_of_names_and_contents),
        cmocka_unit_test(rules_are_read_last_and_in_the_order_of_names),
        cmocka_unit_test(preliminary_results_do_not_count_by_default),
        cmocka_unit_test(problems_beyond_the_limit_are_counted),
        cmocka_unit_test(the_shipped_files_load),
    };

    if (load_base() != 0) return 1;
    int failed =
        RUN_TABLE("systems", systems, check_system) + RUN_TABLE("drug codes", drugs, check_drug) +
        RUN_TABLE("analyte codes", analytes, check_analyte) +
        RUN_TABLE("condition codes", conditions, check_condition) +
        RUN_TABLE("route codes", routes, check_route) + RUN_TABLE("units", units, check_unit) +
        RUN_TABLE("words of rules", expands, check_expand) +
        RUN_TABLE("problems", problems_of, check_problem) +
        cmocka_run_group_tests_name("knowledge", others, NULL, NULL);
    knowledge_free(base);
    buf_done(&rule_files);
    return failed;
}
