#include "test.h"

#include "fhir_fixture.h"

#define ANC            "'code':{'coding':[{" LOINC ",'code':'751-8'}]}"
#define PLT            "'code':{'coding':[{" LOINC ",'code':'777-3'}]}"
#define CREA           "'code':{'coding':[{" LOINC ",'code':'2160-0'}]}"
#define INR            "'code':{'coding':[{" LOINC ",'code':'6301-6'}]}"
#define HBS            "'code':{'coding':[{" LOINC ",'code':'5195-3'}]}"
#define SMOKING        "'code':{'coding':[{" LOINC ",'code':'72166-2'}]}"
#define FINAL          "'status':'final',"
#define G_PER_L(value) "'valueQuantity':{'value':" value "," UCUM ",'code':'10*9/L'}"
#define HIGH(value)    "{'high':{'value':" value "," UCUM ",'code':'10*9/L'}}"

static struct knowledge *knowledge;

static const char *const states[] = {
    [RESULT_FINAL] = "final", [RESULT_PRELIMINARY] = "preliminary", [RESULT_REMOVED] = "removed"
};

static void describe_value(const struct chart_result *result, struct buf *out)
{
    static const char *const coded[] = { "other", "positive", "negative" };

    if (result->kind == VALUE_QUANTITY)
        fixture_interval(&result->value, out);
    else if (result->kind == VALUE_CODED)
        buf_text(out, coded[result->coded]);
    else
        buf_text(out, result->doubt == DOUBT_UNIT ? "unit?" : "unreadable");
}

/* "neutrophils 0.7 final" of each result, "; " between; the code of an error; the unmapped code. */
static void apply(const char *members, struct chart *chart, struct buf *out)
{
    AUTO(buf_done) struct buf text = { 0 };
    const char *unmapped;
    struct err err;

    buf_printf(&text, "{'resourceType':'Observation','id':'91',%s}", members);
    AUTO(doc_free) struct doc *doc = fixture_doc(buf_string(&text));
    struct node root = node_root(doc);
    if (!resource_apply(&root, knowledge, NULL, chart, &unmapped, &err)) {
        assert_int_equal(err.kind, ERR_INPUT);
        buf_printf(out, "%s at %s", err.code, err.where);
        return;
    }
    for (size_t i = 0; i < chart->result_count; i++) {
        const struct chart_result *result = &chart->results[i];
        buf_printf(out, "%s%s ", i ? "; " : "", concept_name(knowledge, result->analyte));
        describe_value(result, out);
        buf_printf(out, " %s", states[result->state]);
    }
    if (unmapped) buf_printf(out, "unmapped %s", unmapped);
}

static const struct result_case {
    const char *name, *members, *want;
} results[] = {
    /* status */
    { "a final result", FINAL ANC "," G_PER_L("0.7"), "neutrophils 0.7 final" },
    { "a corrected one is final", "'status':'corrected'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 final" },
    { "an amended one is final", "'status':'amended'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 final" },
    { "a preliminary one", "'status':'preliminary'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 preliminary" },
    { "a registered one has no value yet", "'status':'registered'," ANC "," G_PER_L("0.7"), "" },
    { "a cancelled one is removed", "'status':'cancelled'," ANC, "neutrophils unreadable removed" },
    { "one entered in error is removed", "'status':'entered-in-error'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 removed" },
    { "of an unknown status it is not final", "'status':'unknown'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 preliminary" },
    { "nor of one of tomorrow", "'status':'released'," ANC "," G_PER_L("0.7"),
      "neutrophils 0.7 preliminary" },
    { "nor without one", ANC "," G_PER_L("0.7"), "neutrophils 0.7 preliminary" },
    /* codes */
    { "any coding that is known",
      FINAL
      "'code':{'coding':[{'code':'X'},{'system':'urn:oid:1.2.3','code':'ANC'}]}," G_PER_L("0.7"),
      "neutrophils 0.7 final" },
    { "two codes of one analyte",
      FINAL "'code':{'coding':[{" LOINC ",'code':'751-8'},{" LOINC
            ",'code':'753-4'}]}," G_PER_L("0.7"),
      "neutrophils 0.7 final" },
    { "two codes of two analytes are an error",
      FINAL "'code':{'coding':[{" LOINC ",'code':'751-8'},{" LOINC
            ",'code':'777-3'}]}," G_PER_L("0.7"),
      "fhir.value at /code" },
    { "also in a component, and then nothing is read",
      FINAL ANC "," G_PER_L("0.7") ",'component':[{'code':{'coding':[{" LOINC
                                   ",'code':'751-8'},{" LOINC ",'code':'777-3'}]}}]",
      "fhir.value at /component/0/code" },
    { "a code that is not known",
      FINAL "'code':{'coding':[{" LOINC ",'code':'1-1'}]},'valueString':'x'",
      "unmapped http://loinc.org|1-1" },
    { "text only", FINAL "'code':{'text':'ANC'}," G_PER_L("0.7"), "unmapped text only" },
    { "no code", FINAL G_PER_L("0.7"), "unmapped text only" },
    /* units */
    { "UCUM thousands per microlitre",
      FINAL ANC ",'valueQuantity':{'value':0.7," UCUM ",'code':'10*3/uL'}",
      "neutrophils 0.7 final" },
    { "cells per microlitre", FINAL ANC ",'valueQuantity':{'value':700," UCUM ",'code':'/uL'}",
      "neutrophils 0.7 final" },
    { "the UCUM code before the text",
      FINAL ANC ",'valueQuantity':{'value':700,'unit':'cells'," UCUM ",'code':'/uL'}",
      "neutrophils 0.7 final" },
    { "the text where the code is not UCUM",
      FINAL ANC ",'valueQuantity':{'value':0.7,'unit':'K/uL','system':'urn:x','code':'99'}",
      "neutrophils 0.7 final" },
    { "another spelling", FINAL ANC ",'valueQuantity':{'value':0.7,'unit':'x10^9/L'}",
      "neutrophils 0.7 final" },
    { "a code and a text that disagree",
      FINAL ANC ",'valueQuantity':{'value':0.7,'unit':'/uL'," UCUM ",'code':'10*9/L'}",
      "neutrophils unit? final" },
    { "micromoles of creatinine",
      FINAL CREA ",'valueQuantity':{'value':100," UCUM ",'code':'umol/L'}",
      "creatinine 1.13122 final" },
    { "no unit", FINAL ANC ",'valueQuantity':{'value':0.7}", "neutrophils unit? final" },
    { "a unit that has no way there",
      FINAL ANC ",'valueQuantity':{'value':0.7," UCUM ",'code':'mg/dL'}",
      "neutrophils unit? final" },
    { "a unit in the wrong case", FINAL ANC ",'valueQuantity':{'value':0.7,'unit':'k/UL'}",
      "neutrophils unit? final" },
    { "a ratio needs no unit", FINAL INR ",'valueQuantity':{'value':2.5}", "inr 2.5 final" },
    { "a decimal stays exact", FINAL ANC "," G_PER_L("1.00"), "neutrophils 1 final" },
    { "a number sent as text", FINAL ANC "," G_PER_L("'0.7'"), "neutrophils 0.7 final" },
    /* comparators */
    { "less than",
      FINAL ANC ",'valueQuantity':{'value':0.1,'comparator':'<'," UCUM ",'code':'10*9/L'}",
      "neutrophils <0.1 final" },
    { "at least",
      FINAL ANC ",'valueQuantity':{'value':10,'comparator':'>='," UCUM ",'code':'10*9/L'}",
      "neutrophils >=10 final" },
    { "a comparator of tomorrow",
      FINAL ANC ",'valueQuantity':{'value':10,'comparator':'ad'," UCUM ",'code':'10*9/L'}",
      "neutrophils unreadable final" },
    /* no value, no sense */
    { "a negative count", FINAL ANC "," G_PER_L("-0.7"), "neutrophils unreadable final" },
    { "zero is a value", FINAL ANC "," G_PER_L("0"), "neutrophils 0 final" },
    { "a quantity without a number", FINAL ANC ",'valueQuantity':{" UCUM ",'code':'10*9/L'}",
      "neutrophils unreadable final" },
    { "no value", FINAL ANC, "neutrophils unreadable final" },
    { "an absent value has a reason", FINAL ANC ",'dataAbsentReason':{'text':'clotted'}",
      "neutrophils unreadable final" },
    { "a value beside a reason for its absence",
      FINAL ANC "," G_PER_L("0.7") ",'dataAbsentReason':{'text':'clotted'}",
      "neutrophils unreadable final" },
    { "a range", FINAL ANC ",'valueRange':{'low':{'value':1},'high':{'value':2}}",
      "neutrophils unreadable final" },
    { "a modifier that we do not know",
      FINAL ANC ",'modifierExtension':[{'url':'x'}]," G_PER_L("0.7"),
      "neutrophils unreadable final" },
    /* text */
    { "a string with a unit", FINAL ANC ",'valueString':'0.7 10*9/L'", "neutrophils 0.7 final" },
    { "a string with a comparator", FINAL ANC ",'valueString':'<0.5 K/uL'",
      "neutrophils <0.5 final" },
    { "a string with the sign for at most", FINAL ANC ",'valueString':'\u2264 0.5 K/uL'",
      "neutrophils <=0.5 final" },
    { "a string with spaces", FINAL ANC ",'valueString':'  >= 0.5   10*9/L '",
      "neutrophils >=0.5 final" },
    { "a string without a unit", FINAL ANC ",'valueString':'0.7'", "neutrophils unit? final" },
    { "a ratio as a string", FINAL INR ",'valueString':'2.5'", "inr 2.5 final" },
    { "a decimal comma", FINAL INR ",'valueString':'1,2'", "inr 1.2 final" },
    { "a comma and four digits", FINAL INR ",'valueString':'1,2345'", "inr 1.2345 final" },
    { "a comma and three digits may be thousands", FINAL INR ",'valueString':'1,200'",
      "inr unreadable final" },
    { "a comma and a point", FINAL INR ",'valueString':'1.234,5'", "inr unreadable final" },
    { "two commas", FINAL INR ",'valueString':'1,2,3'", "inr unreadable final" },
    { "a comma at the end", FINAL INR ",'valueString':'1,'", "inr unreadable final" },
    { "words", FINAL ANC ",'valueString':'see note'", "neutrophils unreadable final" },
    { "a number and words", FINAL ANC ",'valueString':'0.7 K/uL (manual)'",
      "neutrophils unreadable final" },
    { "a range as a string", FINAL ANC ",'valueString':'5-10'", "neutrophils unreadable final" },
    { "a ratio of two as a string", FINAL INR ",'valueString':'1:128'", "inr unreadable final" },
    { "a power as a string", FINAL ANC ",'valueString':'10*9/L'", "neutrophils unreadable final" },
    { "a negative number as a string", FINAL INR ",'valueString':'-2'", "inr unreadable final" },
    { "a number of no end",
      FINAL INR ",'valueString':'11111111111111111111111111111111111111111111111111'",
      "inr unreadable final" },
    /* integers */
    { "an integer of a ratio", FINAL INR ",'valueInteger':2", "inr 2 final" },
    { "an integer of a count has no unit", FINAL ANC ",'valueInteger':2",
      "neutrophils unit? final" },
    /* coded */
    { "positive by SNOMED",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'10828004'}]}",
      "hbsag positive final" },
    { "by the OID of SNOMED",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{'system':'urn:oid:2.16.840.1.113883.6.96',"
                "'code':'260385009'}]}",
      "hbsag negative final" },
    { "not detected",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'260415000'}]}",
      "hbsag negative final" },
    { "a LOINC answer",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" LOINC ",'code':'LA6577-6'}]}",
      "hbsag negative final" },
    { "an interpretation as a value",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{'system':"
                "'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',"
                "'code':'POS'}]}",
      "hbsag positive final" },
    { "the code in another system is another code",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{'system':'urn:x','code':'POS'}]}",
      "hbsag other final" },
    { "another answer",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'42425007'}]}",
      "hbsag other final" },
    { "codes that contradict each other",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'10828004'},{" LOINC
                ",'code':'LA6577-6'}]}",
      "hbsag other final" },
    { "a smoker",
      FINAL SMOKING ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'77176002'}]}",
      "smoking-status positive final" },
    { "a former smoker",
      FINAL SMOKING ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'8517006'}]}",
      "smoking-status negative final" },
    { "what smokes or not is not said",
      FINAL SMOKING ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'266927001'}]}",
      "smoking-status other final" },
    { "a code that says both",
      FINAL SMOKING ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'999999990'}]}",
      "smoking-status other final" },
    { "a smoker is no answer to another question",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'77176002'}]}",
      "hbsag other final" },
    { "words of a concept", FINAL HBS ",'valueCodeableConcept':{'text':'Negative'}",
      "hbsag negative final" },
    { "words beside a code do not decide",
      FINAL HBS ",'valueCodeableConcept':{'coding':[{'code':'1'}],'text':'Negative'}",
      "hbsag other final" },
    { "a string that is the word", FINAL HBS ",'valueString':'POSITIVE'", "hbsag positive final" },
    { "a string that holds the word", FINAL HBS ",'valueString':'not positive'",
      "hbsag other final" },
    { "true is positive", FINAL HBS ",'valueBoolean':true", "hbsag positive final" },
    { "false is negative", FINAL HBS ",'valueBoolean':false", "hbsag negative final" },
    { "a number of a coded analyte", FINAL HBS ",'valueQuantity':{'value':0.1,'unit':'1'}",
      "hbsag unreadable final" },
    { "a code of a counted analyte",
      FINAL ANC ",'valueCodeableConcept':{'coding':[{" SNOMED ",'code':'260385009'}]}",
      "neutrophils unreadable final" },
    { "a boolean of a counted analyte", FINAL ANC ",'valueBoolean':true",
      "neutrophils unreadable final" },
    /* components and panels */
    { "components each for themselves",
      FINAL "'code':{'text':'blood count'},'component':[{" ANC "," G_PER_L(
          "0.7") "},{" PLT "," G_PER_L("90") "},{'code':{'text':'x'},'valueString':'y'}]",
      "neutrophils 0.7 final; platelets 90 final" },
    { "a component without a value",
      FINAL "'code':{'text':'blood count'},'component':[{" ANC ",'dataAbsentReason':{}},{" PLT
            "," G_PER_L("90") "}]",
      "neutrophils unreadable final; platelets 90 final" },
    { "a root with a value and a component",
      FINAL ANC "," G_PER_L("0.7") ",'component':[{" PLT "," G_PER_L("90") "}]",
      "neutrophils 0.7 final; platelets 90 final" },
    { "a root whose component carries its value",
      FINAL ANC ",'dataAbsentReason':{'text':'see component'},'component':[{" ANC
                "," G_PER_L("0.7") "}]",
      "neutrophils 0.7 final" },
    { "a root whose components carry other values is a panel",
      FINAL ANC ",'component':[{" PLT "," G_PER_L("90") "}]", "platelets 90 final" },
    { "unless it says that its own is absent",
      FINAL ANC ",'dataAbsentReason':{'text':'clotted'},'component':[{" PLT "," G_PER_L("90") "}]",
      "neutrophils unreadable final; platelets 90 final" },
    { "a panel with members", FINAL ANC ",'hasMember':[{'reference':'Observation/5'}]", "" },
    { "components of a removed one",
      "'status':'entered-in-error','code':{'text':'x'},'component':[{" ANC "," G_PER_L("0.7") "}]",
      "neutrophils 0.7 removed" },
    { "a modifier of the whole holds for the parts",
      FINAL "'code':{'text':'x'},'modifierExtension':[{'url':'x'}],'component':[{" ANC
            "," G_PER_L("0.7") "}]",
      "neutrophils unreadable final" },
    { "a single component that is no list",
      FINAL "'code':{'text':'x'},'component':{" ANC "," G_PER_L("0.7") "}",
      "neutrophils 0.7 final" },
};

static void check_result(void **state)
{
    const struct result_case *c = *state;
    AUTO(chart_free) struct chart *chart = chart_new("1");
    AUTO(buf_done) struct buf got = { 0 };

    apply(c->members, chart, &got);
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- times, what is shown, the upper limit */

static const struct detail_case {
    const char *name, *members, *want;
} details[] = {
    { "effective and issued",
      "'effectiveDateTime':'2026-05-04T08:10:00Z','issued':'2026-05-04T10:00:00Z'," ANC
      "," G_PER_L("0.7"),
      "at 2026-05-04T08:10:00Z, issued 2026-05-04T10:00:00Z, \"0.7 10*9/L\"" },
    { "a day begins at its start", "'effectiveDateTime':'2026-05-04'," ANC "," G_PER_L("0.7"),
      "at 2026-05-04T00:00:00Z, issued unset, \"0.7 10*9/L\"" },
    { "an instant", "'effectiveInstant':'2026-05-04T08:10:00Z'," ANC "," G_PER_L("0.7"),
      "at 2026-05-04T08:10:00Z, issued unset, \"0.7 10*9/L\"" },
    { "the end of a period",
      "'effectivePeriod':{'start':'2026-05-04T08:00:00Z','end':'2026-05-05T08:00:00Z'}," ANC
      "," G_PER_L("0.7"),
      "at 2026-05-05T08:00:00Z, issued unset, \"0.7 10*9/L\"" },
    { "else its start",
      "'effectivePeriod':{'start':'2026-05-04T08:00:00Z'}," ANC "," G_PER_L("0.7"),
      "at 2026-05-04T08:00:00Z, issued unset, \"0.7 10*9/L\"" },
    { "else when it was issued", "'issued':'2026-05-04T10:00:00Z'," ANC "," G_PER_L("0.7"),
      "at 2026-05-04T10:00:00Z, issued 2026-05-04T10:00:00Z, \"0.7 10*9/L\"" },
    { "else not known", "'effectiveDateTime':'2026-13-01'," ANC "," G_PER_L("0.7"),
      "at unset, issued unset, \"0.7 10*9/L\"" },
    { "the value as it was sent",
      ANC ",'valueQuantity':{'value':0.70,'comparator':'<','unit':'K/uL'}",
      "at unset, issued unset, \"<0.70 K/uL\"" },
    { "the string as it was sent", ANC ",'valueString':'see note'",
      "at unset, issued unset, \"see note\"" },
    { "the display of an answer",
      HBS ",'valueCodeableConcept':{'coding':[{" SNOMED
          ",'code':'260385009','display':'Negative (qualifier value)'}]}",
      "at unset, issued unset, \"Negative (qualifier value)\"" },
    { "the display of the answer that is understood, not of a local code before it",
      HBS ",'valueCodeableConcept':{'coding':[{'system':'urn:x','code':'NO-1','display':'No "
          "1'},{" SNOMED ",'code':'260385009','display':'Negative (qualifier value)'}]}",
      "at unset, issued unset, \"Negative (qualifier value)\"" },
    { "what else there is where it has no display",
      HBS ",'valueCodeableConcept':{'coding':[{'system':'urn:x','code':'NO-1','display':'No "
          "1'},{" SNOMED ",'code':'260385009'}]}",
      "at unset, issued unset, \"No 1\"" },
    { "a local answer that says nothing to us",
      HBS ",'valueCodeableConcept':{'coding':[{'system':'urn:x','code':'NO-1','display':'No 1'}]}",
      "at unset, issued unset, \"No 1\"" },
    { "an upper limit", ANC "," G_PER_L("0.7") ",'referenceRange':[" HIGH("7.5") "]",
      "at unset, issued unset, \"0.7 10*9/L\", upper 7.5" },
    { "in another unit",
      ANC "," G_PER_L("0.7") ",'referenceRange':[{'high':{'value':7500,'unit':'/uL'}}]",
      "at unset, issued unset, \"0.7 10*9/L\", upper 7.5" },
    { "of the normal range, beside another one",
      ANC
      "," G_PER_L("0.7") ",'referenceRange':[{'type':{'coding':[{'code':'therapeutic'}]},"
                         "'high':{'value':3,'unit':'K/uL'}},{'type':{'coding':[{'code':'normal'}]},"
                         "'high':{'value':7.5,'unit':'K/uL'}}]",
      "at unset, issued unset, \"0.7 10*9/L\", upper 7.5" },
    { "of two ranges nobody can say which",
      ANC "," G_PER_L("0.7") ",'referenceRange':[" HIGH("7.5") "," HIGH("8") "]",
      "at unset, issued unset, \"0.7 10*9/L\"" },
    { "a limit without a unit is none",
      ANC "," G_PER_L("0.7") ",'referenceRange':[{'high':{'value':7.5}}]",
      "at unset, issued unset, \"0.7 10*9/L\"" },
    { "a limit in words is none", ANC "," G_PER_L("0.7") ",'referenceRange':[{'text':'< 7.5'}]",
      "at unset, issued unset, \"0.7 10*9/L\"" },
    { "a range without a high end",
      ANC "," G_PER_L("0.7") ",'referenceRange':[{'low':{'value':1.5,'unit':'K/uL'}}]",
      "at unset, issued unset, \"0.7 10*9/L\"" },
    { "the limit of a component",
      "'code':{'text':'x'},'component':[{" ANC
      "," G_PER_L("0.7") ",'referenceRange':[" HIGH("7.5") "]}]",
      "at unset, issued unset, \"0.7 10*9/L\", upper 7.5" },
};

static void check_detail(void **state)
{
    const struct detail_case *c = *state;
    AUTO(chart_free) struct chart *chart = chart_new("1");
    AUTO(buf_done) struct buf ignored = { 0 };
    AUTO(buf_done) struct buf got = { 0 };
    char number[64];

    apply(c->members, chart, &ignored);
    assert_int_equal(chart->result_count, 1);
    const struct chart_result *result = &chart->results[0];
    fixture_instant("at", result->at_ms, &got);
    fixture_instant(", issued", result->issued_ms, &got);
    buf_printf(&got, ", \"%s\"", result->shown);
    if (result->has_upper)
        buf_printf(&got, ", upper %s", decimal_text(result->upper, number, sizeof number));
    assert_string_equal(buf_string(&got), c->want);
}

static const struct flag_case {
    const char *name, *interpretation;
    enum coded_value want;
} flags[] = {
#define V3 "'system':'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation'"
    { "a number flagged positive", "[{'coding':[{" V3 ",'code':'POS'}]}]", CODED_POSITIVE },
    { "a number flagged negative", "[{'coding':[{" V3 ",'code':'NEG'}]}]", CODED_NEGATIVE },
    { "STU3: one concept, no list", "{'coding':[{" V3 ",'code':'POS'}]}", CODED_POSITIVE },
    { "high is no positive", "[{'coding':[{" V3 ",'code':'H'}]}]", CODED_OTHER },
    { "beside another flag",
      "[{'coding':[{" V3 ",'code':'H'}]},{'coding':[{" V3 ",'code':'POS'}]}]", CODED_POSITIVE },
    { "both are none", "[{'coding':[{" V3 ",'code':'NEG'}]},{'coding':[{" V3 ",'code':'POS'}]}]",
      CODED_OTHER },
    { "in words", "[{'text':'Positive'}]", CODED_POSITIVE },
};

static void check_flag(void **state)
{
    const struct flag_case *c = *state;
    AUTO(chart_free) struct chart *chart = chart_new("p");
    AUTO(buf_done) struct buf members = { 0 }, got = { 0 };

    buf_printf(&members, FINAL ANC "," G_PER_L("0.7") ",'interpretation':%s", c->interpretation);
    apply(buf_string(&members), chart, &got);
    assert_int_equal(chart->result_count, 1);
    assert_int_equal(chart->results[0].flag, c->want);
}

int main(void)
{
    int failed;

    knowledge = fixture_knowledge();
    failed = RUN_TABLE("result", results, check_result) +
             RUN_TABLE("detail", details, check_detail) + RUN_TABLE("flag", flags, check_flag);
    knowledge_free(knowledge);
    return failed;
}
