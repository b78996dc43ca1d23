/* One model for all releases: the same fact in the shape of R4 (and R4B) and in that of R5 is the
 * same item of the chart. */
#include "test.h"

#include "fhir/reference.h"
#include "fhir_fixture.h"

static struct knowledge *knowledge;

/* ---- a chart as text */

static const char *const order_states[] = {
    [ORDER_ACTIVE] = "active", [ORDER_HELD] = "held",       [ORDER_ENDED] = "ended",
    [ORDER_DRAFT] = "draft",   [ORDER_REMOVED] = "removed", [ORDER_UNCLEAR] = "unclear",
};
static const char *const condition_states[] = {
    [CONDITION_ACTIVE] = "active",
    [CONDITION_PAST] = "past",
    [CONDITION_UNCONFIRMED] = "unconfirmed",
    [CONDITION_REMOVED] = "removed",
};

static void concepts_of(const char *name, const unsigned *list, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? " " : name, concept_name(knowledge, list[i]));
}

static void order_text(const struct chart_order *order, struct buf *out)
{
    buf_printf(out, "%s", order_states[order->state]);
    for (size_t i = 0; i < order->ingredient_count; i++) {
        const struct chart_ingredient *one = &order->ingredients[i];
        buf_printf(out, " %s", concept_name(knowledge, one->concept));
        if (!one->dose.daily_known) continue;
        buf_char(out, ' ');
        fixture_interval(&one->dose.daily, out);
        buf_printf(out, " %s a day", one->dose.unit);
    }
    if (order->unmapped) buf_printf(out, " unmapped %s", order->unmapped);
    if (order->as_needed) buf_text(out, ", as needed");
    if (order->start_ms != INSTANT_UNSET) fixture_instant(", from", order->start_ms, out);
    if (order->end_ms != INSTANT_NEVER) fixture_instant(", to", order->end_ms, out);
    concepts_of(", for ", order->reasons, order->reason_count, out);
}

static void result_text(const struct chart_result *result, struct buf *out)
{
    buf_printf(out, "%s ", concept_name(knowledge, result->analyte));
    if (result->kind == VALUE_QUANTITY)
        fixture_interval(&result->value, out);
    else
        buf_text(out, result->kind == VALUE_UNREADABLE  ? "unreadable"
                      : result->coded == CODED_POSITIVE ? "positive"
                                                        : "coded");
    fixture_instant(", at", result->at_ms, out);
}

static void condition_text(const struct chart_condition *condition, struct buf *out)
{
    buf_printf(out, "%s %s", condition_states[condition->state],
               condition->procedure ? "procedure" : "condition");
    concepts_of(" ", condition->concepts, condition->concept_count, out);
    fixture_instant(", from", condition->start_ms, out);
    if (condition->end_ms != INSTANT_NEVER) fixture_instant(", to", condition->end_ms, out);
}

static void chart_text(const struct chart *chart, struct buf *out)
{
    for (size_t i = 0; i < chart->order_count; i++) order_text(&chart->orders[i], out);
    for (size_t i = 0; i < chart->result_count; i++) result_text(&chart->results[i], out);
    for (size_t i = 0; i < chart->condition_count; i++) condition_text(&chart->conditions[i], out);
    for (size_t i = 0; i < chart->allergy_count; i++) {
        buf_text(out, chart->allergies[i].removed ? "no allergy" : "allergy");
        concepts_of(" to ", chart->allergies[i].drugs, chart->allergies[i].drug_count, out);
    }
    if (chart->sex == SEX_FEMALE) fixture_instant("a woman born", chart->birth.start, out);
    if (chart->deceased) buf_text(out, ", dead");
}

/* ---- the facts */

#define LEN10   "{'coding':[{" RXNORM ",'code':'602910'}]}"
#define LEN     "{'coding':[{" RXNORM ",'code':'342369'}]}"
#define MYELOMA "{'coding':[{" SNOMED ",'code':'109989006'}]}"
#define DAILY   "'timing':{'repeat':{'frequency':1,'period':1,'periodUnit':'d'}}"
#define MG(n)   "'doseAndRate':[{'doseQuantity':{'value':" n "," UCUM ",'code':'mg'}}]"
#define TABLETS "'doseAndRate':[{'doseQuantity':{'value':2,'unit':'tablets'}}]"
#define ORDER   "'resourceType':'MedicationRequest','id':'5','status':'active','intent':'order',"
#define IN_MG                                                                                      \
    "'numerator':{'value':5," UCUM ",'code':'mg'},'denominator':{'value':1,'unit':'tablet'}"

static const struct same_case {
    const char *name;
    const char *r4, *r5;                       /* the resource in the shape of each */
    const char *want;                          /* the chart */
    const char *medication_r4, *medication_r5; /* that an order refers to; NULL: none */
} cases[] = {
    { "the drug of an order", "{" ORDER "'medicationCodeableConcept':" LEN10 "}",
      "{" ORDER "'medication':{'concept':" LEN10 "}}", "active lenalidomide", NULL, NULL },
    { "a Medication it refers to", "{" ORDER "'medicationReference':{'reference':'Medication/m'}}",
      "{" ORDER "'medication':{'reference':{'reference':'Medication/m'}}}", "active lenalidomide",
      "{'resourceType':'Medication','id':'m','code':" LEN10 ",'form':{'text':'capsule'}}",
      "{'resourceType':'Medication','id':'m','code':" LEN10 ",'doseForm':{'text':'capsule'},"
      "'marketingAuthorizationHolder':{'reference':'Organization/1'}}" },
    { "a Medication it contains",
      "{" ORDER "'contained':[{'resourceType':'Medication','id':'m','code':" LEN10 "}],"
      "'medicationReference':{'reference':'#m'}}",
      "{" ORDER "'contained':[{'resourceType':'Medication','id':'m','code':" LEN10 "}],"
      "'medication':{'reference':{'reference':'#m'}}}",
      "active lenalidomide", NULL, NULL },
    { "an ingredient and its strength as a ratio",
      "{" ORDER "'medicationReference':{'reference':'Medication/m'},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "{" ORDER
      "'medication':{'reference':{'reference':'Medication/m'}},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "active lenalidomide 10 mg a day", /* 2 tablets of 5 mg */
      "{'resourceType':'Medication','id':'m','ingredient':[{'itemCodeableConcept':" LEN
      ",'strength':{" IN_MG "}}]}",
      "{'resourceType':'Medication','id':'m','ingredient':[{'item':{'concept':" LEN
      "},'strengthRatio':{" IN_MG "}}]}" },
    { "R5 can leave the tablet of a strength to be understood",
      "{" ORDER "'medicationReference':{'reference':'Medication/m'},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "{" ORDER
      "'medication':{'reference':{'reference':'Medication/m'}},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "active lenalidomide 10 mg a day",
      "{'resourceType':'Medication','id':'m','ingredient':[{'itemCodeableConcept':" LEN
      ",'strength':{" IN_MG "}}]}",
      "{'resourceType':'Medication','id':'m','ingredient':[{'item':{'concept':" LEN
      "},'strengthQuantity':{'value':5," UCUM ",'code':'mg'}}]}" },
    { "a strength that no number states leaves the dose unknown",
      "{" ORDER "'medicationReference':{'reference':'Medication/m'},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "{" ORDER
      "'medication':{'reference':{'reference':'Medication/m'}},'dosageInstruction':[{" TABLETS
      "," DAILY "}]}",
      "active lenalidomide",
      "{'resourceType':'Medication','id':'m','ingredient':[{'itemCodeableConcept':" LEN "}]}",
      "{'resourceType':'Medication','id':'m','ingredient':[{'item':{'concept':" LEN
      "},'strengthCodeableConcept':{'text':'strong'}}]}" },
    { "an ingredient that is a Medication",
      "{" ORDER "'medicationReference':{'reference':'#m'},'contained':[{'resourceType':"
      "'Medication','id':'m','ingredient':[{'itemReference':{'reference':'#n'}}]},{'resourceType':"
      "'Medication','id':'n','code':" LEN "}]}",
      "{" ORDER "'medication':{'reference':{'reference':'#m'}},'contained':[{'resourceType':"
      "'Medication','id':'m','ingredient':[{'item':{'reference':{'reference':'#n'}}}]},"
      "{'resourceType':'Medication','id':'n','code':" LEN "}]}",
      "active lenalidomide", NULL, NULL },
    { "an ingredient that is a Substance",
      "{" ORDER "'medicationReference':{'reference':'#m'},'contained':[{'resourceType':"
      "'Medication','id':'m','ingredient':[{'itemReference':{'reference':'#n'}}]},{'resourceType':"
      "'Substance','id':'n','code':" LEN "}]}",
      "{" ORDER "'medication':{'reference':{'reference':'#m'}},'contained':[{'resourceType':"
      "'Medication','id':'m','ingredient':[{'item':{'reference':{'reference':'#n'}}}]},"
      "{'resourceType':'Substance','id':'n','instance':false,'code':{'concept':" LEN "}}]}",
      "active lenalidomide", NULL, NULL },
    { "a drug that no mapping knows",
      "{" ORDER "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'9'}]}}",
      "{" ORDER "'medication':{'concept':{'coding':[{'system':'urn:x','code':'9'}]}}}",
      "active unmapped urn:x|9", NULL, NULL },
    { "a Medication that we do not have",
      "{" ORDER "'medicationReference':{'reference':'Medication/absent'}}",
      "{" ORDER "'medication':{'reference':{'reference':'Medication/absent'}}}",
      "active unmapped Medication/absent", NULL, NULL },
    { "a dose as needed",
      "{" ORDER "'medicationCodeableConcept':" LEN
      ",'dosageInstruction':[{" MG("25") "," DAILY ",'asNeededBoolean':true}]}",
      "{" ORDER "'medication':{'concept':" LEN
      "},'dosageInstruction':[{" MG("25") "," DAILY ",'asNeeded':true}]}",
      "active lenalidomide 0..25 mg a day, as needed", NULL, NULL },
    { "a dose as needed for something",
      "{" ORDER "'medicationCodeableConcept':" LEN
      ",'dosageInstruction':[{" MG("25") "," DAILY ",'asNeededCodeableConcept':{'text':'pain'}}]}",
      "{" ORDER "'medication':{'concept':" LEN
      "},'dosageInstruction':[{" MG("25") "," DAILY ",'asNeededFor':[{'text':'pain'}]}]}",
      "active lenalidomide 0..25 mg a day, as needed", NULL, NULL },
    { "a dose that is not as needed",
      "{" ORDER "'medicationCodeableConcept':" LEN
      ",'dosageInstruction':[{" MG("25") "," DAILY ",'asNeededBoolean':false}]}",
      "{" ORDER "'medication':{'concept':" LEN "},'renderedDosageInstruction':'25 mg daily',"
      "'dosageInstruction':[{" MG("25") "," DAILY ",'asNeeded':false}]}",
      "active lenalidomide 25 mg a day", NULL, NULL },
    { "a most that a day may have",
      "{" ORDER "'medicationCodeableConcept':" LEN ",'dosageInstruction':[{'maxDosePerPeriod':"
      "{'numerator':{'value':15," UCUM ",'code':'mg'},'denominator':{'value':1," UCUM
      ",'code':'d'}}," MG("25") "," DAILY ",'asNeededBoolean':true}]}",
      "{" ORDER "'medication':{'concept':" LEN "},'dosageInstruction':[{'maxDosePerPeriod':"
      "[{'numerator':{'value':15," UCUM ",'code':'mg'},'denominator':{'value':1," UCUM
      ",'code':'d'}}]," MG("25") "," DAILY ",'asNeeded':true}]}",
      "active lenalidomide 0..15 mg a day, as needed", NULL, NULL },
    { "why it was ordered",
      "{" ORDER "'medicationCodeableConcept':" LEN ",'reasonCode':[" MYELOMA "],"
      "'reasonReference':[{'reference':'Condition/1'}]}",
      "{" ORDER "'medication':{'concept':" LEN "},'reason':[{'concept':" MYELOMA "},"
      "{'reference':{'reference':'Condition/1'}}]}",
      "active lenalidomide, for multiple-myeloma", NULL, NULL },
    { "when it is taken",
      "{" ORDER "'medicationCodeableConcept':" LEN ",'dosageInstruction':[{'timing':{'repeat':"
      "{'boundsPeriod':{'start':'2026-05-01','end':'2026-05-21'}}}}]}",
      "{" ORDER "'medication':{'concept':" LEN "},'effectiveDosePeriod':{'start':'2026-05-01',"
      "'end':'2026-05-21'}}",
      "active lenalidomide, from 2026-05-01T00:00:00Z, to 2026-05-22T00:00:00Z", NULL, NULL },
    { "who told of it",
      "{" ORDER "'medicationCodeableConcept':" LEN ",'reportedReference':{'reference':"
      "'Practitioner/1'},'performer':{'reference':'Practitioner/1'},'instantiatesUri':['urn:x']}",
      "{" ORDER "'medication':{'concept':" LEN
      "},'reported':true,'informationSource':[{'reference':"
      "'Practitioner/1'}],'performer':[{'reference':'Practitioner/1'}],'device':[{'concept':"
      "{'text':'pen'}}]}",
      "active lenalidomide", NULL, NULL },
    { "why it was stopped",
      "{'resourceType':'MedicationRequest','id':'5','status':'stopped','intent':'order',"
      "'statusReason':{'text':'rash'},'meta':{'lastUpdated':'2026-05-04T10:00:00Z'},"
      "'medicationCodeableConcept':" LEN "}",
      "{'resourceType':'MedicationRequest','id':'5','status':'ended','intent':'order',"
      "'statusReason':{'text':'rash'},'statusChanged':'2026-05-04T10:00:00Z','medication':"
      "{'concept':" LEN "}}",
      "ended lenalidomide, to 2026-05-04T10:00:00Z", NULL, NULL },
    { "an order not to give it",
      "{" ORDER "'doNotPerform':true,'medicationCodeableConcept':" LEN "}",
      "{" ORDER "'doNotPerform':true,'medication':{'concept':" LEN "}}", "removed lenalidomide",
      NULL, NULL },
    { "a result",
      "{'resourceType':'Observation','id':'9','status':'final','code':{'coding':[{" LOINC
      ",'code':'751-8'}]},'effectiveDateTime':'2026-05-04T10:00:00Z','valueQuantity':{'value':0."
      "7," UCUM ",'code':'10*9/L'}}",
      "{'resourceType':'Observation','id':'9','status':'final','code':{'coding':[{" LOINC
      ",'code':'751-8'}]},'effectiveDateTime':'2026-05-04T10:00:00Z','valueQuantity':{'value':0."
      "7," UCUM
      ",'code':'10*9/L'},'instantiatesCanonical':'http://x.org/d','triggeredBy':[{'observation'"
      ":{'reference':'Observation/8'},'type':'reflex'}],'bodyStructure':{'reference':"
      "'BodyStructure/1'},'referenceRange':[{'normalValue':{'text':'normal'}}]}",
      "neutrophils 0.7, at 2026-05-04T10:00:00Z", NULL, NULL },
    { "a value that is no value",
      "{'resourceType':'Observation','id':'9','status':'final','code':{'coding':[{" LOINC
      ",'code':'751-8'}]},'effectiveDateTime':'2026-05-04T10:00:00Z','valuePeriod':{}}",
      "{'resourceType':'Observation','id':'9','status':'final','code':{'coding':[{" LOINC
      ",'code':'751-8'}]},'effectiveDateTime':'2026-05-04T10:00:00Z','valueAttachment':{'url':"
      "'Binary/1'}}",
      "neutrophils unreadable, at 2026-05-04T10:00:00Z", NULL, NULL },
    { "a condition",
      "{'resourceType':'Condition','id':'1','clinicalStatus':{'coding':[{'code':'active'}]},"
      "'code':" MYELOMA ",'onsetDateTime':'2026-05-01','recorder':{'reference':'Practitioner/1'},"
      "'evidence':[{'code':[{'text':'pain'}]}]}",
      "{'resourceType':'Condition','id':'1','clinicalStatus':{'coding':[{'code':'active'}]},"
      "'code':" MYELOMA ",'onsetDateTime':'2026-05-01','participant':[{'actor':{'reference':"
      "'Practitioner/1'}}],'evidence':[{'concept':{'text':'pain'}}]}",
      "active condition multiple-myeloma, from 2026-05-01T00:00:00Z", NULL, NULL },
    { "a condition of which nobody knows whether it is over",
      "{'resourceType':'Condition','id':'1','verificationStatus':{'coding':[{'code':'unconfirmed'}"
      "]},'code':" MYELOMA "}",
      "{'resourceType':'Condition','id':'1','clinicalStatus':{'coding':[{'code':'unknown'}]},"
      "'code':" MYELOMA "}",
      "unconfirmed condition multiple-myeloma, from unset", NULL, NULL },
    { "a procedure at a time",
      "{'resourceType':'Procedure','id':'1','status':'completed','code':{'coding':[{" SNOMED
      ",'code':'108290001'}]},'performedDateTime':'2026-05-01'}",
      "{'resourceType':'Procedure','id':'1','status':'completed','code':{'coding':[{" SNOMED
      ",'code':'108290001'}]},'occurrenceDateTime':'2026-05-01','recorded':'2026-05-03'}",
      "active procedure radiotherapy, from 2026-05-01T00:00:00Z", NULL, NULL },
    { "a procedure over a time",
      "{'resourceType':'Procedure','id':'1','status':'in-progress','code':{'coding':[{" SNOMED
      ",'code':'108290001'}]},'performedPeriod':{'start':'2026-05-01'}}",
      "{'resourceType':'Procedure','id':'1','status':'in-progress','code':{'coding':[{" SNOMED
      ",'code':'108290001'}]},'occurrencePeriod':{'start':'2026-05-01'}}",
      "active procedure radiotherapy, from 2026-05-01T00:00:00Z", NULL, NULL },
    { "an allergy",
      "{'resourceType':'AllergyIntolerance','id':'1','type':'allergy','code':" LEN
      ",'recorder':{'reference':'Practitioner/1'}}",
      "{'resourceType':'AllergyIntolerance','id':'1','type':{'coding':[{'code':'allergy'}]},"
      "'code':" LEN ",'participant':[{'actor':{'reference':'Practitioner/1'}}]}",
      "allergy to lenalidomide", NULL, NULL },
    { "a patient",
      "{'resourceType':'Patient','id':'1','gender':'female','birthDate':'1950-01-02',"
      "'deceasedBoolean':true}",
      "{'resourceType':'Patient','id':'1','gender':'female','birthDate':'1950-01-02',"
      "'deceasedBoolean':true,'link':[]}",
      "a woman born 1950-01-02T00:00:00Z, dead", NULL, NULL },
};

static void check_shape(const char *text, const char *medication, const char *want)
{
    AUTO(doc_free) struct doc *shelf_doc = medication ? fixture_doc(medication) : NULL;
    AUTO(doc_free) struct doc *doc = fixture_doc(text);
    AUTO(chart_free) struct chart *chart = chart_new("1");
    struct doc *const docs[] = { shelf_doc };
    struct fixture_shelf shelf = { docs, medication ? 1 : 0 };
    struct resource_library library = { fixture_find, &shelf };
    AUTO(buf_done) struct buf got = { 0 };
    struct node root = node_root(doc);
    struct reference reference;
    struct err err;

    assert_true(resource_apply(&root, knowledge, &library, chart, NULL, &err));
    chart_text(chart, &got);
    assert_string_equal(buf_string(&got), want);
    if (medication) {
        assert_true(resource_needs_medication(&root, &reference));
        assert_string_equal(reference.id, "m");
    }
}

static void check(void **state)
{
    const struct same_case *c = *state;

    check_shape(c->r4, c->medication_r4, c->want);
    check_shape(c->r5, c->medication_r5, c->want);
}

int main(void)
{
    knowledge = fixture_knowledge();
    int failed = RUN_TABLE("the same in R4 and in R5", cases, check);
    knowledge_free(knowledge);
    return failed;
}
