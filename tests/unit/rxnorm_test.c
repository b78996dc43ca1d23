/* An RxNorm release made by hand: what its codes mean. Real codes stand for ingredients alone; others
 * begin with 9. Which links there are, and their direction, is that of the RxNorm Technical
 * Documentation (section 12.7, appendix 1). */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/rxnorm_drugs.h"
#include "fhir_knowledge.h"

#define CO(code, type, name)                                                                       \
    code "|ENG||||||1|1|" code "||RXNORM|" type "|" code "|" name "||N|4096|\n"
/* "from" has the relation to "to": RXNREL has the second concept first in the sentence. */
#define RE(from, relation, to) to "||CUI|RO|" from "||CUI|" relation "|1||RXNORM||||||\n"
#define ND(code, ndc)          code "|||1|AUI|" code "|||NDC|RXNORM|" ndc "|N|4096|\n"

#define LEN  CO("342369", "IN", "lenalidomide")
#define DEX  CO("3264", "IN", "dexamethasone")
#define SMX  CO("10180", "IN", "sulfamethoxazole")
#define TMP  CO("10829", "IN", "trimethoprim")
#define CAPS CO("9001", "DF", "Oral Capsule")
/* lenalidomide 30 MG, as a component and as a capsule */
#define LEN30                                                                                      \
    LEN CAPS CO("9030", "SCDC", "lenalidomide 30 MG")                                              \
        CO("9031", "SCD", "lenalidomide 30 MG Oral Capsule")
#define LEN30_R                                                                                    \
    RE("9030", "has_ingredient", "342369")                                                         \
    RE("9031", "consists_of", "9030") RE("9031", "has_dose_form", "9001")

#define WHOLE RE("9055", "has_part", "10180") RE("9055", "has_part", "3264")

static const struct release_case {
    const char *name, *concepts, *links, *packages;
    const char *ask;  /* code */
    const char *want; /* "verdict: drug strength unit form; ..." */
} releases[] = {
    { "a new capsule has the strength of its component, and its form", LEN30, LEN30_R, "", "9031",
      "new: lenalidomide 30 MG Oral Capsule; " },
    { "a component has a strength and no form", LEN30, LEN30_R, "", "9030",
      "new: lenalidomide 30 MG ; " },
    { "an ingredient of ours is known", LEN30, LEN30_R, "", "342369", "known: lenalidomide   ; " },
    { "a product of ours is known", LEN30 CO("602910", "SCD", "lenalidomide 10 MG Oral Capsule"),
      LEN30_R RE("602910", "consists_of", "9030"), "", "602910", "known: lenalidomide 30 MG ; " },
    { "a product of ours that has another drug now is different",
      DEX CO("602910", "SCD", "something") CO("9040", "SCDC", "dexamethasone 4 MG"),
      RE("9040", "has_ingredient", "3264") RE("602910", "consists_of", "9040"), "", "602910",
      "different: dexamethasone 4 MG ; " },
    { "a product of ours that has no drug of ours now is different",
      CO("602910", "SCD", "something") CO("9500", "IN", "water"),
      RE("602910", "has_ingredient", "9500"), "", "602910", "different, partly: " },
    { "an ingredient that we do not have is foreign", CO("9500", "IN", "water"), "", "", "9500",
      "foreign, partly: " },
    { "a code without links is foreign", CO("9501", "SCD", "water 1 MG"), "", "", "9501",
      "foreign: " },
    { "a salt is its base", DEX CO("9510", "PIN", "dexamethasone acetate"),
      RE("9510", "form_of", "3264"), "", "9510", "new: dexamethasone   ; " },
    { "a brand is its ingredient", LEN CO("9511", "BN", "Lenamax"),
      RE("9511", "tradename_of", "342369"), "", "9511", "new: lenalidomide   ; " },
    { "a branded component goes through the plain one",
      LEN30 CO("9033", "SBDC", "lenalidomide 30 MG [Lenamax]") CO("9511", "BN", "Lenamax"),
      LEN30_R RE("9033", "tradename_of", "9030") RE("9033", "has_ingredient", "9511"), "", "9033",
      "new: lenalidomide 30 MG ; " },
    { "a branded component without a plain one is its brand",
      LEN CO("9033", "SBDC", "lenalidomide 30 MG [Lenamax]") CO("9511", "BN", "Lenamax"),
      RE("9033", "has_ingredient", "9511") RE("9511", "tradename_of", "342369"), "", "9033",
      "new: lenalidomide   ; " },
    { "a branded capsule by both ways has one strength",
      LEN30 CO("9032", "SBD", "lenalidomide 30 MG Oral Capsule [Lenamax]")
          CO("9033", "SBDC", "lenalidomide 30 MG [Lenamax]"),
      LEN30_R RE("9033", "tradename_of", "9030") RE("9032", "consists_of", "9033")
          RE("9032", "tradename_of", "9031") RE("9032", "has_dose_form", "9001"),
      "", "9032", "new: lenalidomide 30 MG Oral Capsule; " },
    { "a drug form has a form and no strength",
      LEN CAPS CO("9034", "SCDF", "lenalidomide Oral Capsule"),
      RE("9034", "has_ingredient", "342369") RE("9034", "has_dose_form", "9001"), "", "9034",
      "new: lenalidomide   Oral Capsule; " },
    { "a capsule without component is its drug form",
      LEN CO("9034", "SCDF", "lenalidomide Oral Capsule") CO("9031", "SCD", "lenalidomide 30 MG"),
      RE("9034", "has_ingredient", "342369") RE("9031", "isa", "9034"), "", "9031",
      "new: lenalidomide   ; " },
    { "a combination has each of its ingredients",
      SMX TMP CO("9050", "SCDC", "sulfamethoxazole 800 MG")
          CO("9051", "SCDC", "trimethoprim 160 MG")
              CO("9052", "SCD", "sulfamethoxazole 800 MG / trimethoprim 160 MG Oral Tablet"),
      RE("9050", "has_ingredient", "10180") RE("9051", "has_ingredient", "10829")
          RE("9052", "consists_of", "9050") RE("9052", "consists_of", "9051"),
      "", "9052", "new: sulfamethoxazole 800 MG ; trimethoprim 160 MG ; " },
    { "a combination that is a drug of its own is that drug too, linked or not",
      SMX DEX CO("9055", "MIN", "a whole") CO("9056", "SCDF", "sulfamethoxazole / dexamethasone"),
      WHOLE RE("9056", "has_ingredient", "10180") RE("9056", "has_ingredient", "3264"), "", "9056",
      "new: dexamethasone   ; heparin   ; sulfamethoxazole   ; " },
    { "one with an ingredient beside is not",
      SMX DEX TMP CO("9055", "MIN", "a whole") CO("9056", "SCDF", "all three"),
      WHOLE RE("9056", "has_ingredient", "10180") RE("9056", "has_ingredient", "3264")
          RE("9056", "has_ingredient", "10829"),
      "", "9056", "new: dexamethasone   ; sulfamethoxazole   ; trimethoprim   ; " },
    { "one of its ingredients alone is not",
      SMX DEX CO("9055", "MIN", "a whole") CO("9056", "SCDF", "sulfamethoxazole"),
      WHOLE RE("9056", "has_ingredient", "10180"), "", "9056", "new: sulfamethoxazole   ; " },
    { "one whose parts the release does not name is not",
      SMX DEX CO("9055", "MIN", "a whole") CO("9056", "SCDF", "sulfamethoxazole / dexamethasone"),
      RE("9055", "has_part", "10180") RE("9056", "has_ingredient", "10180")
          RE("9056", "has_ingredient", "3264"),
      "", "9056", "new: dexamethasone   ; sulfamethoxazole   ; " },
    { "several ingredients by their parts",
      SMX TMP CO("9053", "MIN", "sulfamethoxazole / trimethoprim"),
      RE("9053", "has_part", "10180") RE("9053", "has_part", "10829"), "", "9053",
      "new: sulfamethoxazole   ; trimethoprim   ; " },
    { "an ingredient beside that is not ours is told",
      LEN CO("9500", "IN", "water") CO("9054", "SCDF", "lenalidomide / water Oral Capsule"),
      RE("9054", "has_ingredient", "342369") RE("9054", "has_ingredient", "9500"), "", "9054",
      "new, partly: lenalidomide   ; " },
    { "two strengths of one drug are no strength",
      LEN30 CO("9060", "SCDC", "lenalidomide 5 MG") CO("9061", "SCD", "lenalidomide twice"),
      LEN30_R RE("9060", "has_ingredient", "342369") RE("9061", "consists_of", "9030")
          RE("9061", "consists_of", "9060"),
      "", "9061", "new: lenalidomide   ; " },
    { "two salts of one drug are no strength",
      DEX CO("9510", "PIN", "dexamethasone acetate")
          CO("9070", "SCDC", "dexamethasone acetate 4 MG")
              CO("9071", "SCDC", "dexamethasone acetate 8 MG") CO("9072", "SCD", "both"),
      RE("9510", "form_of", "3264") RE("9070", "has_precise_ingredient", "9510")
          RE("9071", "has_precise_ingredient", "9510") RE("9072", "consists_of", "9070")
              RE("9072", "consists_of", "9071"),
      "", "9072", "new: dexamethasone   ; " },
    { "a pack has what it contains, without strength",
      LEN30 DEX CO("9080", "GPCK", "{ 21 (lenalidomide 30 MG) / 4 (dexamethasone) } Pack") CO(
          "9040", "SCDC", "dexamethasone 4 MG") CO("9041", "SCD", "dexamethasone 4 MG Oral Tablet"),
      LEN30_R RE("9040", "has_ingredient", "3264") RE("9041", "consists_of", "9040")
          RE("9080", "contains", "9031") RE("9080", "contains", "9041"),
      "", "9080", "new: dexamethasone   ; lenalidomide   ; " },
    { "a form that our tables do not have is left out",
      LEN CO("9002", "DF", "Oral Cloud") CO("9034", "SCDF", "lenalidomide Oral Cloud"),
      RE("9034", "has_ingredient", "342369") RE("9034", "has_dose_form", "9002"), "", "9034",
      "new: lenalidomide   ; " },
    { "two forms are no form",
      LEN CAPS CO("9003", "DF", "Oral Tablet") CO("9034", "SCDF", "lenalidomide"),
      RE("9034", "has_ingredient", "342369") RE("9034", "has_dose_form", "9001")
          RE("9034", "has_dose_form", "9003"),
      "", "9034", "new: lenalidomide   ; " },
    { "links that go round in a circle end", LEN CO("9031", "SCD", "a") CO("9032", "SBD", "b"),
      RE("9031", "tradename_of", "9032") RE("9032", "tradename_of", "9031"), "", "9032",
      "foreign: " },
    { "a link to what was not kept is not followed", LEN CO("9031", "SCD", "a"),
      RE("9031", "consists_of", "9999") RE("9031", "quantified_form_of", "342369"), "", "9031",
      "foreign: " },
    { "a link the other way round says nothing", LEN CO("9031", "SCD", "a"),
      RE("342369", "has_ingredient", "9031"), "", "9031", "foreign: " },

    { "an NDC is its product", LEN30, LEN30_R, ND("9031", "99999003001"), "99999003001",
      "new: lenalidomide 30 MG Oral Capsule; " },
    { "an NDC of the branded and the plain product, which agree",
      LEN30 CO("9032", "SBD", "lenalidomide 30 MG Oral Capsule [Lenamax]"),
      LEN30_R RE("9032", "tradename_of", "9031"),
      ND("9032", "99999003001") ND("9031", "99999003001"), "99999003001",
      "new: lenalidomide 30 MG Oral Capsule; " },
    { "an NDC of two products that differ is ambiguous", LEN30 DEX, LEN30_R,
      ND("9031", "99999003001") ND("3264", "99999003001"), "99999003001",
      "ambiguous: dexamethasone   ; " },
    { "an NDC of ours is known", LEN30, LEN30_R, ND("9031", "59572042025"), "59572042025",
      "known: lenalidomide 30 MG Oral Capsule; " },
    { "an NDC with hyphens is not RxNorm's", LEN30, LEN30_R, ND("9031", "9999-030-01"),
      "9999-030-01", "" },
};

typedef bool line_fn(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err);

static void lines(struct rxnorm_graph *graph, const char *text, line_fn *take)
{
    struct err err;

    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        assert_true(take(graph, text, (size_t)(end - text), &err));
}

struct answer {
    const struct knowledge *knowledge;
    const char *ask;
    struct buf text;
};

static void on_code(const struct rxnorm_code *code, void *arg)
{
    static const char *const verdicts[] = { "new", "known", "different", "ambiguous", "foreign" };
    struct answer *answer = arg;

    if (strcmp(code->code, answer->ask) != 0) return;
    buf_printf(&answer->text, "%s%s: ", verdicts[code->verdict], code->partly ? ", partly" : "");
    for (size_t i = 0; i < code->drug_count; i++)
        buf_printf(&answer->text, "%s %s %s %s; ",
                   concept_name(answer->knowledge, code->drugs[i].concept), code->drugs[i].strength,
                   code->drugs[i].unit, code->drugs[i].form);
}

#define SMALL_RXNORM                                                                               \
    "code,type,concept,strength,unit,quantity,form,name\n"                                         \
    "342369,IN,lenalidomide,,,,,lenalidomide\n"                                                    \
    "602910,SCD,lenalidomide,10,MG,,Oral Capsule,lenalidomide 10 MG Oral Capsule\n"                \
    "10180,IN,sulfamethoxazole,,,,,sulfamethoxazole\n"                                             \
    "10829,IN,trimethoprim,,,,,trimethoprim\n"                                                     \
    "3264,IN,dexamethasone,,,,,dexamethasone\n"                                                    \
    "9201,SCD,dexamethasone,1,MG,,Gel (systemic),one gel\n"                                        \
    "9202,SCD,lenalidomide,1,MG,,Gel,another gel\n"                                                \
    "9055,MIN,sulfamethoxazole,,,,,a whole\n9055,MIN,dexamethasone,,,,,a whole\n"                  \
    "9055,MIN,heparin,,,,,a whole\n"
#define SMALL_FORMS                                                                                \
    "form,use,route\nOral Capsule,systemic,oral\nOral Tablet,systemic,oral\n"                      \
    "Gel,local,topical\nGel (systemic),systemic,transdermal\n"

static struct knowledge *knowledge_small(void)
{
    struct knowledge_file files[ARRAY_SIZE(fixture_files)];
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    memcpy(files, fixture_files, sizeof files);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (strcmp(files[i].name, "codes/rxnorm.csv") == 0)
            files[i] = (struct knowledge_file)FILE_OF("codes/rxnorm.csv", SMALL_RXNORM);
        if (strcmp(files[i].name, "codes/dose-forms.csv") == 0)
            files[i] = (struct knowledge_file)FILE_OF("codes/dose-forms.csv", SMALL_FORMS);
    }
    assert_true(knowledge_load(files, ARRAY_SIZE(files), &knowledge, &problems));
    return knowledge;
}

static void ask(const struct release_case *c)
{
    AUTO(knowledge_free) struct knowledge *knowledge = knowledge_small();
    struct answer answer = { knowledge, c->ask, { 0 } };
    struct rxnorm_graph graph = { 0 };

    lines(&graph, c->concepts, rxnorm_concept_line);
    rxnorm_concepts_done(&graph);
    lines(&graph, c->links, rxnorm_link_line);
    rxnorm_links_done(&graph);
    lines(&graph, c->packages, rxnorm_package_line);
    rxnorm_packages_done(&graph);
    rxnorm_codes(&graph, knowledge, on_code, &answer);
    assert_string_equal(buf_string(&answer.text), c->want);
    buf_done(&answer.text);
    rxnorm_graph_done(&graph);
}

static void check(void **state)
{
    ask(*state);
}

/* ---- a form that can be either */

#define GEL           CO("9004", "DF", "Gel")
#define OF(gel, drug) RE(gel, "has_ingredient", drug) RE(gel, "has_dose_form", "9004")

static const struct release_case uses[] = {
    { "a gel of a drug whose gels act in the body does so too",
      DEX GEL CO("9201", "SCD", "ours") CO("9203", "SCD", "new"),
      OF("9201", "3264") OF("9203", "3264"), "", "9203", "new: dexamethasone   Gel (systemic); " },
    { "a gel of a drug whose gels are local is local",
      LEN GEL CO("9202", "SCD", "ours") CO("9203", "SCD", "new"),
      OF("9202", "342369") OF("9203", "342369"), "", "9203", "new: lenalidomide   Gel; " },
    { "a gel of which nothing is known has no form", TMP GEL CO("9203", "SCD", "new"),
      OF("9203", "10829"), "", "9203", "new: trimethoprim   ; " },
};

/* ---- lines that are not kept, and lines that are wrong */

static const struct line_case {
    const char *name;
    line_fn *take;
    const char *line;
    const char *want; /* "kept", "skipped" or the code of the error */
} line_cases[] = {
    { "a concept", rxnorm_concept_line, CO("9031", "SCD", "a"), "kept" },
    { "a suppressed one", rxnorm_concept_line,
      "9031|ENG||||||1|1|9031||RXNORM|SCD|9031|a||O|4096|\n", "skipped" },
    { "one of another source", rxnorm_concept_line,
      "9031|ENG||||||1|1|9031||MMSL|SCD|9031|a||N|4096|\n", "skipped" },
    { "a synonym", rxnorm_concept_line, CO("9031", "SY", "a"), "skipped" },
    { "a concept that is cut off", rxnorm_concept_line, "9031|ENG|||||\n", "rrf.fields" },
    { "a concept whose code is none", rxnorm_concept_line, CO("C0001", "SCD", "a"), "rrf.code" },
    { "a concept of another source may have any code", rxnorm_concept_line,
      "C1|ENG||||||1|1|9031||MMSL|SCD|9031|a||N|4096|\n", "skipped" },
    { "a concept without a name", rxnorm_concept_line, CO("9031", "SCD", ""), "rrf.text" },
    { "a concept whose name is no UTF-8", rxnorm_concept_line, CO("9031", "SCD", "\xE4"),
      "rrf.text" },
    { "a link", rxnorm_link_line, RE("342369", "form_of", "342369"), "kept" },
    { "a link between atoms", rxnorm_link_line, "|1|AUI|RO||2|AUI|form_of|1||RXNORM||||||\n",
      "skipped" },
    { "a link of another source", rxnorm_link_line,
      "342369||CUI|RO|342369||CUI|form_of|1||MTHSPL||||||\n", "skipped" },
    { "a suppressed link", rxnorm_link_line,
      "342369||CUI|RO|342369||CUI|form_of|1||RXNORM||||O||\n", "skipped" },
    { "a link whose code is none", rxnorm_link_line, RE("x", "form_of", "342369"), "rrf.code" },
    { "a link that is cut off", rxnorm_link_line, "342369||CUI|RO|\n", "rrf.fields" },
    { "a package", rxnorm_package_line, ND("342369", "00000000001"), "kept" },
    { "another attribute", rxnorm_package_line,
      "342369|||1|AUI|342369|||RXN_STRENGTH|RXNORM|10 MG|N|4096|\n", "skipped" },
    { "a package of another source", rxnorm_package_line,
      "342369|||1|AUI|342369|||NDC|NDDF|00000000001|N|4096|\n", "skipped" },
    { "a package that is cut off", rxnorm_package_line, "342369|||1|AUI\n", "rrf.fields" },
};

static void check_line(void **state)
{
    const struct line_case *c = *state;
    struct rxnorm_graph graph = { 0 };
    struct err err = { 0 };

    if (c->take != rxnorm_concept_line) {
        lines(&graph, LEN, rxnorm_concept_line);
        rxnorm_concepts_done(&graph);
    }
    size_t before = graph.concept_count;
    bool good = c->take(&graph, c->line, strlen(c->line) - 1, &err);
    size_t kept = graph.concept_count - before + graph.link_count + graph.package_count;
    assert_string_equal(!good ? err.code : kept ? "kept" : "skipped", c->want);
    rxnorm_graph_done(&graph);
}

int main(void)
{
    return RUN_TABLE("lines of a release", line_cases, check_line) +
           RUN_TABLE("codes of a release", releases, check) +
           RUN_TABLE("forms that are systemic or local", uses, check);
}
