/* What of a resource no mapping knows: never what is known, never a text of the resource. */
#include "test.h"

#include "fhir/unmapped.h"
#include "fhir_fixture.h"

#define SITE(code)    "{'system':'urn:site','code':'" code "'}"
#define CODED(coding) "{'coding':[" coding "]}"
#define ORDER(drug)   "{'resourceType':'MedicationRequest','medicationCodeableConcept':" drug "}"
#define ANC           "'code':{'coding':[{" LOINC ",'code':'751-8'}]}"
#define LEN           "{" RXNORM ",'code':'342369'}"

static struct knowledge *knowledge;

static const struct unmapped_case {
    const char *name, *text;
    const char *want; /* "KIND SYSTEM|CODE \"DISPLAY\" CONCEPT; " for each */
} cases[] = {
    /* drugs */
    { "a drug that is known", ORDER(CODED(LEN)), "" },
    { "a local code", ORDER(CODED(SITE("L"))), "drug urn:site|L \"\"; " },
    { "one known coding is enough", ORDER(CODED(SITE("L") "," LEN)), "" },
    { "of two unknown codings the first", ORDER(CODED(SITE("L") "," SITE("M"))),
      "drug urn:site|L \"\"; " },
    { "a coding without a code is passed over",
      ORDER(CODED("{'system':'urn:site','display':'x'}," SITE("M"))), "drug urn:site|M \"\"; " },
    { "a code without a system", ORDER(CODED("{'code':'L'}")), "drug |L \"\"; " },
    { "a display is told", ORDER(CODED("{'system':'urn:site','code':'L','display':'Ward drug'}")),
      "drug urn:site|L \"Ward drug\"; " },
    { "a display that names a drug of ours is a guess at it",
      ORDER(CODED("{'system':'urn:site','code':'L','display':'Lenalidomide 10 mg cap'}")),
      "drug urn:site|L \"Lenalidomide 10 mg cap\" lenalidomide; " },
    { "a text alone is not shown", ORDER("{'text':'secret'}"), "drug | \"\"; " },
    { "nothing at all is no code", ORDER("{}"), "" },
    { "an order that refers to its Medication has no code of its own",
      "{'resourceType':'MedicationRequest','medicationReference':{'reference':'Medication/1'}}",
      "" },
    { "R5: the drug is a concept",
      "{'resourceType':'MedicationRequest','medication':{'concept':" CODED(SITE("L")) "}}",
      "drug urn:site|L \"\"; " },
    { "R5: the drug is a reference",
      "{'resourceType':'MedicationRequest','medication':{'reference':{'reference':'Medication/"
      "1'}}}",
      "" },
    { "a Medication", "{'resourceType':'Medication','code':" CODED(SITE("L")) "}",
      "drug urn:site|L \"\"; " },
    { "a Medication with ingredients needs no code",
      "{'resourceType':'Medication','code':" CODED(SITE("L")) ",'ingredient':[{}]}", "" },
    { "an allergy", "{'resourceType':'AllergyIntolerance','code':" CODED(SITE("L")) "}",
      "drug urn:site|L \"\"; " },

    /* routes */
    { "a route that is known",
      "{'resourceType':'MedicationRequest','dosageInstruction':[{'route':{'coding':[{" SNOMED
      ",'code':'26643006'}]}}]}",
      "" },
    { "a route of the site, in each dosage",
      "{'resourceType':'MedicationRequest','dosageInstruction':[{'route':" CODED(
          SITE("PO")) "},{},{'route':" CODED(SITE("IV")) "}]}",
      "route urn:site|PO \"\"; route urn:site|IV \"\"; " },

    /* results and units */
    { "a result that is known, in a unit that is",
      "{'resourceType':'Observation'," ANC ",'valueQuantity':{'value':1,'unit':'K/uL'}}", "" },
    { "a result of the site", "{'resourceType':'Observation','code':" CODED(SITE("N")) "}",
      "result urn:site|N \"\"; " },
    { "a unit without a way",
      "{'resourceType':'Observation'," ANC ",'valueQuantity':{'value':1,'unit':'apples'}}",
      "unit |apples \"\" neutrophils; " },
    { "a number without a unit",
      "{'resourceType':'Observation'," ANC ",'valueQuantity':{'value':1}}",
      "unit | \"\" neutrophils; " },
    { "a unit without a number says nothing",
      "{'resourceType':'Observation'," ANC ",'valueQuantity':{'unit':'apples'}}", "" },
    { "a coded result has no unit",
      "{'resourceType':'Observation','code':{'coding':[{" LOINC
      ",'code':'5195-3'}]},'valueQuantity':{'value':1,'unit':'apples'}}",
      "" },
    { "the parts of a result count, not the whole",
      "{'resourceType':'Observation','code':" CODED(SITE("PANEL")) ",'component':[{'code':" CODED(
          SITE("N")) "},{" ANC ",'valueQuantity':{'value':1,'unit':'apples'}}]}",
      "result urn:site|N \"\"; unit |apples \"\" neutrophils; " },
    { "a panel of other results needs no code",
      "{'resourceType':'Observation','code':" CODED(
          SITE("PANEL")) ",'hasMember':[{'reference':'Observation/1'}]}",
      "" },
    { "an observation without a code", "{'resourceType':'Observation'}", "" },

    /* conditions */
    { "a condition that is known",
      "{'resourceType':'Condition','code':{'coding':[{" SNOMED ",'code':'109989006'}]}}", "" },
    { "a condition of the site", "{'resourceType':'Condition','code':" CODED(SITE("MM")) "}",
      "condition urn:site|MM \"\"; " },
    { "a procedure", "{'resourceType':'Procedure','code':" CODED(SITE("ASCT")) "}",
      "condition urn:site|ASCT \"\"; " },

    /* the rest */
    { "a type that no chart needs", "{'resourceType':'Encounter','code':" CODED(SITE("X")) "}",
      "" },
    { "no resource", "{'code':" CODED(SITE("X")) "}", "" },
    { "a code that is a number, not a text", ORDER("{'coding':[{'system':'urn:site','code':7}]}"),
      "" },
    { "a list where an object should be", ORDER("[]"), "" },
};

static void on_unmapped(const struct unmapped *found, void *arg)
{
    static const char *const kinds[] = { "drug", "result", "condition", "route", "unit" };
    struct buf *text = arg;

    buf_printf(text, "%s %s|%s \"%s\"", kinds[found->kind], found->system, found->code,
               found->display);
    if (found->concept) buf_printf(text, " %s", concept_name(knowledge, found->concept));
    buf_text(text, "; ");
}

static void check(void **state)
{
    const struct unmapped_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    AUTO(buf_done) struct buf text = { 0 };
    struct node root = node_root(doc);

    unmapped_find(&root, knowledge, on_unmapped, &text);
    assert_string_equal(buf_string(&text), c->want);
}

int main(void)
{
    int failed;

    knowledge = fixture_knowledge();
    failed = RUN_TABLE("unmapped", cases, check);
    knowledge_free(knowledge);
    return failed;
}
