/* Codes that a site lays over ours: what they mean, and what is said of those that are wrong. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/knowledge_impl.h"
#include "golden.h"

#define BASE  "tests/golden/knowledge/base/"
#define HEAD  "system,code,concept,comment\n"
#define MORE  "system,code,concept,comment,overrides\n"
#define FORMS "system,code,concept,comment,overrides,strength,unit,form\n"
#define S     "urn:site"
#define RX    "http://www.nlm.nih.gov/research/umls/rxnorm"

#define MAP(target, elements)                                                                      \
    "{'resourceType':'ConceptMap','status':'active','group':[{'source':'" S "','target':'" target  \
    "',\n'element':[" elements "]}]}"
#define OURS "urn:x-myeloma-adapter:concepts"
#define TO(code, target)                                                                           \
    "{'code':'" code "','target':[{'code':'" target "','equivalence':'equivalent'}]}"
#define YES "'extension':[{'url':'urn:x-myeloma-adapter:overrides','valueBoolean':true}]"

static const struct local_case {
    const char *name;
    const char *a_name, *a, *b_name, *b; /* ' for " in JSON */
    const char *ask;                     /* "SYSTEM CODE" */
    const char
        *want; /* "drug lenalidomide 10 MG; analyte x; condition x; route x; ", or problems */
} locals[] = {
    /* CSV */
    { "a drug", "a.csv", HEAD S ",L,lenalidomide,our words\n", NULL, NULL, S " L",
      "drug lenalidomide; " },
    { "an analyte", "a.csv", HEAD S ",N,neutrophils,\n", NULL, NULL, S " N",
      "analyte neutrophils; " },
    { "a condition", "a.csv", HEAD S ",M,multiple-myeloma,\n", NULL, NULL, S " M",
      "condition multiple-myeloma; " },
    { "a route", "a.csv", HEAD S ",PO,oral,\n", NULL, NULL, S " PO", "route oral systemic; " },
    { "a route has the use of routes.csv", "a.csv", HEAD S ",EYE,route:ophthalmic,\n", NULL, NULL,
      S " EYE", "route ophthalmic local; " },
    { "a name of two kinds is both", "a.csv", HEAD S ",CA,calcium,\n", NULL, NULL, S " CA",
      "drug calcium; analyte calcium; " },
    { "unless the kind is said: a drug", "a.csv", HEAD S ",CA,drug:calcium,\n", NULL, NULL, S " CA",
      "drug calcium; " },
    { "unless the kind is said: an analyte", "a.csv", HEAD S ",CA,analyte:calcium,\n", NULL, NULL,
      S " CA", "analyte calcium; " },
    { "a combination on two lines", "a.csv",
      HEAD S ",CT,sulfamethoxazole,\n" S ",CT,trimethoprim,\n", NULL, NULL, S " CT",
      "drug sulfamethoxazole; drug trimethoprim; " },
    { "a code of no interest", "a.csv", HEAD S ",W,not-relevant,water\n", NULL, NULL, S " W",
      "drug not-relevant; " },
    { "a new code of a system of ours, by its OID", "a.csv",
      HEAD "urn:oid:2.16.840.1.113883.6.88,7,lenalidomide,\n", NULL, NULL, RX " 7",
      "drug lenalidomide; " },
    { "who agrees with us changes nothing: the strength stays", "a.csv",
      HEAD "rxnorm,602910,lenalidomide,\n", NULL, NULL, RX " 602910", "drug lenalidomide 10 MG; " },
    { "an ingredient of ours agrees", "a.csv", HEAD "rxnorm,198334,trimethoprim,\n", NULL, NULL,
      RX " 198334", "drug sulfamethoxazole 400 MG; drug trimethoprim 80 MG; " },
    { "two files may agree", "a.csv", HEAD S ",L,lenalidomide,\n", "b.csv",
      HEAD S ",L,drug:lenalidomide,\n", S " L", "drug lenalidomide; " },
    { "several conditions in one file", "a.csv",
      HEAD S ",M,smouldering-myeloma,\n" S ",M,immunocompromised,\n", NULL, NULL, S " M",
      "condition smouldering-myeloma; condition immunocompromised; " },
    { "capitals of the name of a file do not matter", "A.CSV", HEAD S ",L,lenalidomide,\n", NULL,
      NULL, S " L", "drug lenalidomide; " },

    /* strengths and forms */
    { "a product with strength and form", "a.csv", FORMS S ",L,lenalidomide,,,30,MG,Oral Capsule\n",
      NULL, NULL, S " L", "drug lenalidomide 30 MG; " },
    { "each drug of a combination has its own strength", "a.csv",
      FORMS S ",CT,sulfamethoxazole,,,100,MG,Oral Tablet\n" S ",CT,trimethoprim,,,20,MG,\n", NULL,
      NULL, S " CT", "drug sulfamethoxazole 100 MG; drug trimethoprim 20 MG; " },
    { "one drug of two strengths has none", "a.csv",
      FORMS S ",L,lenalidomide,,,30,MG,\n" S ",L,lenalidomide,,,5,MG,\n", NULL, NULL, S " L",
      "drug lenalidomide; " },
    { "an override has its own strength", "a.csv",
      FORMS "rxnorm,602910,lenalidomide,,yes,30,MG,Oral Capsule\n", NULL, NULL, RX " 602910",
      "drug lenalidomide 30 MG; " },
    { "who agrees with us does not change our strength", "a.csv",
      FORMS "rxnorm,602910,lenalidomide,,,30,MG,Oral Capsule\n", NULL, NULL, RX " 602910",
      "drug lenalidomide 10 MG; " },
    { "a strength without unit", "a.csv", FORMS S ",L,lenalidomide,,,30,,\n", NULL, NULL, NULL,
      "a.csv:2:27: a strength is a number above 0 and a unit; give both, or leave both empty\n" },
    { "a strength of zero", "a.csv", FORMS S ",L,lenalidomide,,,0,MG,\n", NULL, NULL, NULL,
      "a.csv:2:27: a strength is a number above 0 and a unit; give both, or leave both empty\n" },
    { "a strength that is no number", "a.csv", FORMS S ",L,lenalidomide,,,ten,MG,\n", NULL, NULL,
      NULL, "a.csv:2:27: \"ten\" is no number; write it like 0.5, 12 or 1e-9\n" },
    { "a form that our tables do not have", "a.csv", FORMS S ",L,lenalidomide,,,,,Cloud\n", NULL,
      NULL, NULL,
      "a.csv:2:29: \"Cloud\" is no dose form; correct it, or add it to codes/dose-forms.csv\n" },
    { "an analyte with a strength", "a.csv", FORMS S ",N,neutrophils,,,30,MG,\n", NULL, NULL, NULL,
      "a.csv:2:12: \"neutrophils\" is no drug: it has neither strength nor form; leave strength, "
      "unit and form empty\n" },

    /* overrides */
    { "an override takes the place of ours", "a.csv", MORE "rxnorm,602910,pomalidomide,,yes\n",
      NULL, NULL, RX " 602910", "drug pomalidomide; " },
    { "an override of a combination", "a.csv",
      MORE S ",L,lenalidomide,,\nrxnorm,602910,sulfamethoxazole,,yes\n"
             "rxnorm,602910,trimethoprim,,yes\n",
      NULL, NULL, RX " 602910", "drug sulfamethoxazole; drug trimethoprim; " },
    { "an override of another kind", "a.csv", MORE "loinc,751-8,lenalidomide,,yes\n", NULL, NULL,
      "http://loinc.org 751-8", "drug lenalidomide; " },
    { "an override holds whatever file is read first", "a.csv", MORE S ",L,lenalidomide,,yes\n",
      "b.csv", HEAD S ",L,pomalidomide,\n", S " L", "drug lenalidomide; " },
    { "a condition of ours by prefix is overridden too", "a.csv",
      MORE "icd-10-cm,C90.02,chronic-kidney-disease,,yes\n", NULL, NULL,
      "http://hl7.org/fhir/sid/icd-10-cm C90.02", "condition chronic-kidney-disease; " },
    { "its neighbours keep the prefix", "a.csv",
      MORE "icd-10-cm,C90.02,chronic-kidney-disease,,yes\n", NULL, NULL,
      "http://hl7.org/fhir/sid/icd-10-cm C90.03", "condition multiple-myeloma; " },
    { "an override of nothing", "a.csv", MORE S ",L,lenalidomide,,yes\n", NULL, NULL, NULL,
      "a.csv:2:10: \"L\" overrides nothing: no other line has this code; take the \"yes\" out\n" },
    { "a word that is none", "a.csv", MORE S ",L,lenalidomide,,no\n", NULL, NULL, NULL,
      "a.csv:2:26: \"no\" does not say whether this line overrides others; write yes, or leave it "
      "empty\n" },
    { "two overrides that differ", "a.csv", MORE "rxnorm,602910,pomalidomide,,yes\n", "b.csv",
      MORE "rxnorm,602910,dexamethasone,,yes\n", NULL,
      "b.csv:2:8: rxnorm 602910 is \"dexamethasone\" here and \"pomalidomide\" in a.csv:2:8; keep "
      "one of the two lines\n" },

    /* conflicts */
    { "our table says something else", "a.csv", HEAD "rxnorm,602910,pomalidomide,\n", NULL, NULL,
      NULL,
      "a.csv:2:8: rxnorm 602910 is \"pomalidomide\" here and \"lenalidomide\" in "
      "codes/rxnorm.csv:4:1; keep one of the two, or say yes under \"overrides\" in this line\n" },
    { "another file says something else", "a.csv", HEAD S ",L,lenalidomide,\n", "b.csv",
      HEAD "\n" S ",L,pomalidomide,\n", NULL,
      "b.csv:3:10: urn:site L is \"pomalidomide\" here and \"lenalidomide\" in a.csv:2:10; keep "
      "one of the two, or say yes under \"overrides\" in this line\n" },
    { "the same file says something else", "a.csv",
      HEAD S ",L,lenalidomide,\n" S ",P,pomalidomide,\n" S ",L,pomalidomide,\n", NULL, NULL, NULL,
      "a.csv:4:10: urn:site L is \"pomalidomide\" here and \"lenalidomide\" in a.csv:2:10; keep "
      "one of the two; lines of one combination stand together\n" },
    { "a code that is a drug here and an analyte there", "a.csv",
      HEAD S ",L,lenalidomide,\n" S ",L,neutrophils,\n", NULL, NULL, NULL,
      "a.csv:3:10: urn:site L is \"neutrophils\" here and \"lenalidomide\" in a.csv:2:10; keep one "
      "of the two, or say yes under \"overrides\" in this line\n" },
    { "a condition that ours is not", "a.csv", HEAD "snomed,109989006,chronic-kidney-disease,\n",
      NULL, NULL, NULL,
      "a.csv:2:8: snomed 109989006 is \"chronic-kidney-disease\" here and \"multiple-myeloma\" in "
      "codes/conditions.csv:5:8; keep one of the two, or say yes under \"overrides\" in this "
      "line\n" },
    { "a condition that ours is not by prefix", "a.csv",
      HEAD "icd-10-cm,C90.02,chronic-kidney-disease,\n", NULL, NULL, NULL,
      "a.csv:2:11: icd-10-cm C9002 is \"chronic-kidney-disease\" here and \"multiple-myeloma\" in "
      "codes/conditions.csv:2:11; keep one of the two, or say yes under \"overrides\" in this "
      "line\n" },

    /* wrong rows */
    { "a concept with a slip", "a.csv", HEAD S ",L,lenalidomid,\n", NULL, NULL, NULL,
      "a.csv:2:12: \"lenalidomid\" is no drug, analyte, condition or route; did you mean "
      "\"lenalidomide\"?\n" },
    { "a concept of another kind", "a.csv", HEAD S ",L,analyte:lenalidomide,\n", NULL, NULL, NULL,
      "a.csv:2:12: \"lenalidomide\" is no analyte; use a concept of codes/ or labs/, or "
      "not-relevant\n" },
    { "a route with a slip", "a.csv", HEAD S ",L,intravenus,\n", NULL, NULL, NULL,
      "a.csv:2:12: \"intravenus\" is no drug, analyte, condition or route; did you mean "
      "\"intravenous\"?\n" },
    { "a line that is not filled in", "a.csv", HEAD S ",L,,\n", NULL, NULL, NULL,
      "a.csv:2:12: there is no concept; fill it in, or take the line out\n" },
    { "a system with a slip", "a.csv", HEAD "rxnrm,1,lenalidomide,\n", NULL, NULL, NULL,
      "a.csv:2:1: \"rxnrm\" is no code system; did you mean \"rxnorm\"?\n" },
    { "another file than CSV or JSON", "a.txt", "x", NULL, NULL, NULL,
      "a.txt:1:1: nothing reads this file; there may be *.csv, *.json\n" },

    /* ConceptMaps */
    { "a map to our concepts", "m.json", MAP(OURS, TO("L", "lenalidomide")), NULL, NULL, S " L",
      "drug lenalidomide; " },
    { "a map to RxNorm has the strength of the product", "m.json", MAP(RX, TO("L", "602910")), NULL,
      NULL, S " L", "drug lenalidomide 10 MG; " },
    { "a map to a product of two ingredients", "m.json", MAP(RX, TO("CT", "198334")), NULL, NULL,
      S " CT", "drug sulfamethoxazole 400 MG; drug trimethoprim 80 MG; " },
    { "two targets are a combination", "m.json",
      MAP(OURS, "{'code':'CT','target':[{'code':'sulfamethoxazole','equivalence':'wider'},"
                "{'code':'trimethoprim','equivalence':'subsumes'}]}"),
      NULL, NULL, S " CT", "drug sulfamethoxazole; drug trimethoprim; " },
    { "a map to LOINC", "m.json", MAP("http://loinc.org", TO("N", "751-8")), NULL, NULL, S " N",
      "analyte neutrophils; " },
    { "a map to ICD-10-CM takes prefixes", "m.json",
      MAP("http://hl7.org/fhir/sid/icd-10-cm", TO("M", "C90.02")), NULL, NULL, S " M",
      "condition multiple-myeloma; " },
    { "a target that we do not have leaves the code unmapped", "m.json",
      MAP("http://loinc.org", TO("N", "9-9")), NULL, NULL, S " N", "" },
    { "what the map says not to match", "m.json",
      MAP(OURS, "{'code':'L','target':[{'code':'lenalidomide','equivalence':'unmatched'}]},"
                "{'code':'M','target':[{'equivalence':'disjoint'}]}"),
      NULL, NULL, S " L", "" },
    { "R5 calls it relationship", "m.json",
      MAP(OURS, "{'code':'L','target':[{'code':'lenalidomide',"
                "'relationship':'source-is-narrower-than-target'}]}"),
      NULL, NULL, S " L", "drug lenalidomide; " },
    { "a target that overrides", "m.json",
      MAP(OURS, "{'code':'L','target':[{'code':'lenalidomide','equivalence':'equal'," YES "}]}"),
      "a.csv", HEAD S ",L,pomalidomide,\n", S " L", "drug lenalidomide; " },
    { "a map and a table that differ", "m.json", MAP(OURS, TO("L", "lenalidomide")), "a.csv",
      HEAD S ",L,pomalidomide,\n", NULL,
      "m.json:2:42: urn:site L is \"lenalidomide\" here and \"pomalidomide\" in a.csv:2:10; keep "
      "one of the two, or say yes under \"overrides\" in this line\n" },
    { "a concept that is none", "m.json", MAP(OURS, TO("L", "lenalidomid")), NULL, NULL, NULL,
      "m.json:2:42: \"lenalidomid\" is no drug, analyte, condition or route; did you mean "
      "\"lenalidomide\"?\n" },
    { "a target that is narrower", "m.json",
      MAP(OURS, "{'code':'L','target':[{'code':'lenalidomide','equivalence':'narrower'}]}"), NULL,
      NULL, NULL,
      "m.json:2:34: this target is not what the local code is; write equal, equivalent, wider or "
      "subsumes where the local code is the target or a kind of it, else unmatched\n" },
    { "targets of a system that nobody knows", "m.json",
      MAP("http://nobody", TO("L", "lenalidomide")), NULL, NULL, NULL,
      "m.json:1:78: the targets are of a code system that no table has; use "
      "\"urn:x-myeloma-adapter:concepts\" or a system of codes/systems.csv\n" },
    { "another resource", "m.json", "{'resourceType':'ValueSet'}", NULL, NULL, NULL,
      "m.json:1:1: this is no ConceptMap; write a FHIR ConceptMap, or a CSV with "
      "system,code,concept,comment\n" },
    { "a map that is retired", "m.json", "{'resourceType':'ConceptMap','status':'retired'}", NULL,
      NULL, NULL, "m.json:1:1: this ConceptMap is retired; take the file away\n" },
    { "no JSON", "m.json", "{", NULL, NULL, NULL, "m.json:1:2: " },
};

/* ---- */

static const char *const base_names[] = {
    "codes/systems.csv", "codes/drugs.csv", "codes/dose-forms.csv",    "codes/routes.csv",
    "codes/rxnorm.csv",  "codes/atc.csv",   "codes/loinc.csv",         "codes/conditions.csv",
    "labs/analytes.csv", "labs/units.csv",  "labs/unit-spellings.csv", "classes.json",
};

static struct knowledge_file ours[ARRAY_SIZE(base_names)];

static void read_ours(void)
{
    char path[200];

    for (size_t i = 0; i < ARRAY_SIZE(base_names); i++) {
        snprintf(path, sizeof path, BASE "%s", base_names[i]);
        char *text = file_text(path);
        ours[i] = (struct knowledge_file){ base_names[i], text, strlen(text) };
    }
}

static void free_ours(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(base_names); i++) free((char *)(uintptr_t)ours[i].text);
}

static struct knowledge_file file_of(const char *name, const char *text)
{
    char *copy = mem_strdup(text);

    if (strstr(name, ".json"))
        for (char *c = copy; *c; c++)
            if (*c == '\'') *c = '"';
    return (struct knowledge_file){ name, copy, strlen(copy) };
}

static bool load(const struct local_case *c, struct knowledge **ret, struct err_list *problems)
{
    struct knowledge_file site[2] = { file_of(c->a_name, c->a),
                                      file_of(c->b_name ? c->b_name : "", c->b ? c->b : "") };
    const struct knowledge_layers layers = {
        .files = ours, .count = ARRAY_SIZE(ours), .codes = site, .code_count = c->b ? 2 : 1
    };
    bool good = knowledge_load_layers(&layers, ret, problems);

    for (size_t i = 0; i < 2; i++) free((char *)(uintptr_t)site[i].text);
    return good;
}

static void answers(const struct knowledge *knowledge, const char *ask, struct buf *out)
{
    const char *code = strchr(ask, ' ') + 1;
    const struct drug_code *drugs;
    unsigned conditions[9], analyte;
    char system[100], number[64];
    enum drug_route route;
    enum drug_use use;

    snprintf(system, sizeof system, "%.*s", (int)(code - ask - 1), ask);
    for (size_t i = 0, n = knowledge_drug(knowledge, system, code, &drugs); i < n; i++) {
        buf_printf(out, "drug %s", concept_name(knowledge, drugs[i].concept));
        if (drugs[i].has_strength)
            buf_printf(out, " %s %s", decimal_text(drugs[i].strength, number, sizeof number),
                       drugs[i].strength_unit);
        buf_text(out, "; ");
    }
    analyte = knowledge_analyte(knowledge, system, code);
    if (analyte) buf_printf(out, "analyte %s; ", concept_name(knowledge, analyte));
    for (size_t i = 0, n = knowledge_condition(knowledge, system, code, conditions, 9); i < n; i++)
        buf_printf(out, "condition %s; ", concept_name(knowledge, conditions[i]));
    route = knowledge_route(knowledge, system, code, &use);
    if (route)
        buf_printf(out, "route %s %s; ", drug_route_name(route),
                   use == USE_LOCAL ? "local" : "systemic");
}

static void check_local(void **state)
{
    const struct local_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    AUTO(buf_done) struct buf got = { 0 };
    struct err_list problems = { 0 };
    char text[800];

    bool good = load(c, &knowledge, &problems);

    assert_int_equal(good, problems.count == 0);
    if (good && c->ask) answers(knowledge, c->ask, &got);
    for (size_t i = 0; i < problems.count; i++)
        buf_printf(&got, "%s\n", err_text(&problems.items[i], text, sizeof text));
    err_list_done(&problems);
    if (strcmp(c->name, "no JSON") == 0) /* the words of the parser are tested elsewhere */
        assert_memory_equal(buf_string(&got), c->want, strlen(c->want));
    else
        assert_string_equal(buf_string(&got), c->want);
}

/* ---- the generation */

static void generation_of(const char *name, const char *text, char ret[13])
{
    const struct local_case c = { .a_name = name, .a = text };
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    assert_true(load(&c, &knowledge, &problems));
    snprintf(ret, 13, "%s", knowledge_generation(knowledge));
}

static void local_codes_count_in_the_generation_wherever_they_are_kept(void **state)
{
    char one[13], other[13], elsewhere[13];

    (void)state;
    generation_of("/etc/codes/a.csv", HEAD S ",L,lenalidomide,\n", one);
    generation_of("/etc/codes/a.csv", HEAD S ",L,pomalidomide,\n", other);
    generation_of("./site/a.csv", HEAD S ",L,lenalidomide,\n", elsewhere);
    assert_string_not_equal(one, other);
    assert_string_equal(one, elsewhere);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(local_codes_count_in_the_generation_wherever_they_are_kept),
    };

    read_ours();
    int failed = RUN_TABLE("codes of a site", locals, check_local) +
                 cmocka_run_group_tests_name("layers", others, NULL, NULL);
    free_ours();
    return failed;
}
