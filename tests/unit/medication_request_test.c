#include "test.h"

#include "fhir/reference.h"
#include "fhir_fixture.h"

#define LEN10                                                                                      \
    "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'602910',"                          \
    "'display':'lenalidomide 10 MG Oral Capsule'}]}"
#define ACTIVE  "'status':'active','intent':'order'"
#define UPDATED "'meta':{'lastUpdated':'2026-05-10T00:00:00Z'}"

static struct knowledge *knowledge;
static struct doc *shelf_docs[6];

/* Put one MedicationRequest with these members into a chart. */
static struct chart *apply(const char *members, const char **ret_unmapped)
{
    struct fixture_shelf shelf = { shelf_docs, ARRAY_SIZE(shelf_docs) };
    struct resource_library library = { fixture_find, &shelf };
    AUTO(buf_done) struct buf text = { 0 };
    struct chart *chart = chart_new("1");
    struct err err;

    buf_printf(&text, "{'resourceType':'MedicationRequest','id':'5',%s}", members);
    AUTO(doc_free) struct doc *doc = fixture_doc(buf_string(&text));
    struct node root = node_root(doc);
    assert_true(resource_apply(&root, knowledge, &library, chart, ret_unmapped, &err));
    assert_int_equal(chart->order_count, 1);
    return chart;
}

static const char *const state_names[] = {
    [ORDER_ACTIVE] = "active", [ORDER_HELD] = "held",       [ORDER_ENDED] = "ended",
    [ORDER_DRAFT] = "draft",   [ORDER_REMOVED] = "removed", [ORDER_UNCLEAR] = "unclear",
};

/* ---- state */

static const struct state_case {
    const char *name, *members;
    enum order_state want;
    const char *why;
} states[] = {
    { "an active order is active", "'status':'active','intent':'order'", ORDER_ACTIVE, "" },
    { "on hold is held", "'status':'on-hold','intent':'order'", ORDER_HELD, "" },
    { "stopped has ended", "'status':'stopped','intent':'order'", ORDER_ENDED, "" },
    { "completed has ended", "'status':'completed','intent':'order'", ORDER_ENDED, "" },
    { "cancelled has ended", "'status':'cancelled','intent':'order'", ORDER_ENDED, "" },
    { "ended (R5) has ended", "'status':'ended','intent':'order'", ORDER_ENDED, "" },
    { "a draft is a draft", "'status':'draft','intent':'order'", ORDER_DRAFT, "" },
    { "entered in error is removed", "'status':'entered-in-error','intent':'order'", ORDER_REMOVED,
      "" },
    { "unknown is unclear", "'status':'unknown','intent':'order'", ORDER_UNCLEAR,
      "the status of the order is not known" },
    { "a status of tomorrow is unclear", "'status':'paused','intent':'order'", ORDER_UNCLEAR,
      "the status of the order is not known" },
    { "a status that is no text is unclear", "'status':5,'intent':'order'", ORDER_UNCLEAR,
      "the order has no status" },
    { "no status is unclear", "'intent':'order'", ORDER_UNCLEAR, "the order has no status" },
    { "a proposal is no order", "'status':'active','intent':'proposal'", ORDER_DRAFT, "" },
    { "a plan is no order", "'status':'active','intent':'plan'", ORDER_DRAFT, "" },
    { "an option is no order", "'status':'completed','intent':'option'", ORDER_DRAFT, "" },
    { "a plan entered in error is removed", "'status':'entered-in-error','intent':'plan'",
      ORDER_REMOVED, "" },
    { "an instance order is an order", "'status':'active','intent':'instance-order'", ORDER_ACTIVE,
      "" },
    { "an order without intent counts", "'status':'active'", ORDER_ACTIVE, "" },
    { "an intent of tomorrow is unclear", "'status':'active','intent':'wish'", ORDER_UNCLEAR,
      "the intent of the order is not known" },
    { "an order not to give is no exposure",
      "'status':'active','intent':'order',"
      "'doNotPerform':true",
      ORDER_REMOVED, "an order not to give the drug" },
    { "the same when sent as a string", "'status':'active','doNotPerform':'true'", ORDER_REMOVED,
      "an order not to give the drug" },
    { "doNotPerform false is an order", "'status':'active','doNotPerform':false", ORDER_ACTIVE,
      "" },
    { "doNotPerform that cannot be read is unclear", "'status':'active','doNotPerform':1",
      ORDER_UNCLEAR, "the order has a modifier that is not understood" },
    { "not to give stays so with a modifier",
      "'status':'active','doNotPerform':true,'modifierExtension':[{'url':'x'}]", ORDER_REMOVED,
      "an order not to give the drug" },
    { "an unknown modifier is unclear", "'status':'active','modifierExtension':[{'url':'x'}]",
      ORDER_UNCLEAR, "the order has a modifier that is not understood" },
    { "a modifier in a dosage is unclear",
      "'status':'active','dosageInstruction':[{'modifierExtension':[{'url':'x'}]}]", ORDER_UNCLEAR,
      "the order has a modifier that is not understood" },
    { "a draft with a modifier stays a draft", "'status':'draft','modifierExtension':[{'url':'x'}]",
      ORDER_DRAFT, "" },
};

static void check_state(void **state)
{
    const struct state_case *c = *state;
    const char *unmapped;
    AUTO(chart_free) struct chart *chart = apply(c->members, &unmapped);

    assert_string_equal(state_names[chart->orders[0].state], state_names[c->want]);
    assert_string_equal(chart->orders[0].why, c->why);
}

/* ---- the drug */

static const struct drug_case {
    const char *name, *members;
    const char *want; /* ingredients, "/local" behind local ones; "| label" */
    const char *unmapped;
} drugs[] = {
    { "a product code", LEN10, "lenalidomide | lenalidomide 10 MG Oral Capsule", NULL },
    { "an ATC code",
      "'medicationCodeableConcept':{'coding':[{'system':'http://www.whocc.no/atc',"
      "'code':'L04AX04'}],'text':'Revlimid'}",
      "lenalidomide | Revlimid", NULL },
    { "any coding that is known wins",
      "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'1','display':'local'},"
      "{" RXNORM ",'code':'342369','display':'lenalidomide'}]}",
      "lenalidomide | lenalidomide", NULL },
    { "a product before an ingredient",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'3264','display':'in'},"
      "{" RXNORM ",'code':'197577','display':'product'}]}",
      "dexamethasone | product", NULL },
    { "a combination brings each ingredient",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'198334'}]}",
      "sulfamethoxazole trimethoprim | sulfamethoxazole and trimethoprim", NULL },
    { "a product for the eye is local",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'94334'}]}",
      "dexamethasone/local | dexamethasone", NULL },
    { "an ATC code for the eye is local",
      "'medicationCodeableConcept':{'coding':[{'system':'http://www.whocc.no/atc',"
      "'code':'S01BA01'}]}",
      "dexamethasone/local | dexamethasone", NULL },
    { "a stated route for the eye makes it local",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'3264'}]},'dosageInstruction':"
      "[{'route':{'coding':[{" SNOMED ",'code':'54485002'}]}}]",
      "dexamethasone/local | dexamethasone", NULL },
    { "a stated oral route makes it systemic",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'94334'}]},'dosageInstruction':"
      "[{'route':{'coding':[{" SNOMED ",'code':'26643006'}]}}]",
      "dexamethasone | dexamethasone", NULL },
    { "of an eye route and an oral one, the oral counts",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'3264'}]},'dosageInstruction':"
      "[{'route':{'coding':[{" SNOMED ",'code':'54485002'}]}},"
      "{'route':{'coding':[{" SNOMED ",'code':'26643006'}]}}]",
      "dexamethasone | dexamethasone", NULL },
    { "an eye route beside one that is not stated decides nothing",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'3264'}]},'dosageInstruction':"
      "[{'route':{'coding':[{" SNOMED ",'code':'54485002'}]}},{'route':{'text':'by mouth'}}]",
      "dexamethasone | dexamethasone", NULL },
    { "an 11-digit NDC with hyphens",
      "'medicationCodeableConcept':{'coding':[{'system':"
      "'http://hl7.org/fhir/sid/ndc','code':'59572-0420-25'}]}",
      "lenalidomide | lenalidomide", NULL },
    { "a 10-digit NDC of 5-3-2",
      "'medicationCodeableConcept':{'coding':[{'system':"
      "'http://hl7.org/fhir/sid/ndc','code':'59572-420-25'}]}",
      "lenalidomide | lenalidomide", NULL },
    { "ten digits without hyphens are ambiguous",
      "'medicationCodeableConcept':{'coding':[{'system':'http://hl7.org/fhir/sid/ndc',"
      "'code':'5957242025'}]}",
      " | http://hl7.org/fhir/sid/ndc|5957242025", "http://hl7.org/fhir/sid/ndc|5957242025" },
    { "an unknown code is reported",
      "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'1','display':'Foo'}]}",
      " | Foo", "urn:x|1" },
    { "text only is reported", "'medicationCodeableConcept':{'text':'Lenalidomid 10 mg'}",
      " | Lenalidomid 10 mg", "text only" },
    { "no drug at all is reported", "'note':[]", " | a drug without a name", "text only" },
    { "a contained Medication",
      "'contained':[{'resourceType':'Medication','id':'m','code':{"
      "'coding':[{" RXNORM ",'code':'602910'}]}}],"
      "'medicationReference':{'reference':'#m'}",
      "lenalidomide | lenalidomide", NULL },
    { "a contained id with a hash",
      "'contained':[{'resourceType':'Medication','id':'#m','code':{'coding':[{" RXNORM
      ",'code':'602910'}]}}],'medicationReference':{'reference':'#m'}",
      "lenalidomide | lenalidomide", NULL },
    { "a Medication on the server", "'medicationReference':{'reference':'Medication/len'}",
      "lenalidomide | lenalidomide", NULL },
    { "by an absolute reference with a version",
      "'medicationReference':{'reference':'https://ehr/fhir/Medication/len/_history/2'}",
      "lenalidomide | lenalidomide", NULL },
    { "by a uuid", "'medicationReference':{'reference':'urn:uuid:1b4e28ba-2fa1-11d2'}",
      "dexamethasone | dexamethasone", NULL },
    { "one that we do not have is reported",
      "'medicationReference':{'reference':'Medication/none','display':'Some drug'}", " | Some drug",
      "Medication/none" },
    { "ingredients of a Medication without a known code, but inactive ones",
      "'medicationReference':{'reference':'Medication/mix'}", "lenalidomide dexamethasone | Mix",
      NULL },
    { "an ingredient that is not known is reported beside one that is",
      "'medicationReference':{'reference':'Medication/half'}", "lenalidomide | Half", "urn:x|9" },
    { "Medications that contain each other come to an end",
      "'medicationReference':{'reference':'Medication/loop'}", " | a drug without a name",
      "text only" },
    { "R5: a concept", "'medication':{'concept':{'coding':[{" RXNORM ",'code':'602910'}]}}",
      "lenalidomide | lenalidomide", NULL },
    { "R5: a reference", "'medication':{'reference':{'reference':'Medication/len'}}",
      "lenalidomide | lenalidomide", NULL },
    { "R5: an unknown concept and a known reference",
      "'medication':{'concept':{'text':'x'},'reference':{'reference':'Medication/len'}}",
      "lenalidomide | x", NULL },
};

static void check_drug(void **state)
{
    const struct drug_case *c = *state;
    const char *unmapped;
    AUTO(chart_free) struct chart *chart = apply(c->members, &unmapped);
    const struct chart_order *order = &chart->orders[0];
    AUTO(buf_done) struct buf got = { 0 };

    for (size_t i = 0; i < order->ingredient_count; i++)
        buf_printf(&got, "%s%s%s", i ? " " : "",
                   concept_name(knowledge, order->ingredients[i].concept),
                   order->ingredients[i].use == USE_LOCAL ? "/local" : "");
    buf_printf(&got, " | %s", order->label);
    assert_string_equal(buf_string(&got), c->want);
    assert_string_equal(unmapped ? unmapped : "", c->unmapped ? c->unmapped : "");
    assert_string_equal(order->unmapped ? order->unmapped : "",
                        order->ingredient_count ? "" : c->unmapped);
}

/* ---- drugs that their names tell apart */

static const struct other_case {
    const char *name, *members;
    bool want;
} others[] = {
    { "a display",
      "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'1',"
      "'display':'sennosides 8.6 MG Oral Tablet'}]}",
      true },
    { "a text", "'medicationCodeableConcept':{'text':'Multivitamin'}", true },
    { "a text beside a code that no mapping knows",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'1'}],'text':'Senna'}", true },
    { "a Medication",
      "'contained':[{'resourceType':'Medication','id':'m','code':{'text':'Senna'}}],"
      "'medicationReference':{'reference':'#m'}",
      true },
    { "R5: a concept", "'medication':{'concept':{'text':'Senna'}}", true },

    { "no name", "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'1'}]}", false },
    { "nothing at all", "'note':[]", false },
    { "a name of ours", "'medicationCodeableConcept':{'text':'Lenalidomid 10 mg'}", false },
    { "a display of ours beside another text",
      "'medicationCodeableConcept':{'coding':[{'system':'urn:x','code':'1','display':"
      "'lenalidomide study'}],'text':'Senna'}",
      false },
    { "a Medication of ours by its name, beside another text",
      "'contained':[{'resourceType':'Medication','id':'m','code':{'text':'Lenalidomid'}}],"
      "'medication':{'concept':{'text':'Senna'},'reference':{'reference':'#m'}}",
      false },
    { "an ingredient of ours by its name",
      "'contained':[{'resourceType':'Medication','id':'m','code':{'text':'Hospital kit Foo'},"
      "'ingredient':[{'itemCodeableConcept':{'text':'Lenalidomid'}}]}],"
      "'medicationReference':{'reference':'#m'}",
      false },
    { "a Medication that we do not have",
      "'medicationReference':{'reference':'Medication/none','display':'Senna'}", false },
    { "a name of an entry in error",
      "'contained':[{'resourceType':'Medication','id':'m','status':'entered-in-error',"
      "'code':{'text':'Senna'}}],'medicationReference':{'reference':'#m'}",
      false },
    { "a code of ours, whatever the text says",
      "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'602910'}],'text':'Senna'}",
      false },
};

static void check_other(void **state)
{
    const struct other_case *c = *state;
    const char *unmapped;
    AUTO(chart_free) struct chart *chart = apply(c->members, &unmapped);
    const struct chart_order *order = &chart->orders[0];

    assert_int_equal(order->other, c->want);
    if (c->want) assert_non_null(unmapped);
}

/* ---- times, reasons */

static const struct time_case {
    const char *name, *members, *want;
} times[] = {
    { "an open order", "'status':'active','authoredOn':'2026-05-01T08:00:00Z'",
      "authored 2026-05-01T08:00:00Z, start unset, end never, expiry never" },
    { "bounds of a period include the last day",
      "'status':'active','dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
      "{'start':'2026-05-01','end':'2026-05-21'}}}}]",
      "authored unset, start 2026-05-01T00:00:00Z, end 2026-05-22T00:00:00Z, expiry never" },
    { "a duration counts from the day of the order",
      "'status':'active','authoredOn':'2026-05-01','dosageInstruction':[{'timing':{'repeat':"
      "{'boundsDuration':{'value':21," UCUM ",'code':'d'}}}}]",
      "authored 2026-05-01T00:00:00Z, start unset, end 2026-05-22T00:00:00Z, expiry never" },
    { "a duration without a beginning leaves the end open",
      "'status':'active','dosageInstruction':[{'timing':{'repeat':"
      "{'boundsDuration':{'value':21," UCUM ",'code':'d'}}}}]",
      "authored unset, start unset, end never, expiry never" },
    { "of a range the longest counts",
      "'status':'active','authoredOn':'2026-05-01','dosageInstruction':[{'timing':{'repeat':"
      "{'boundsRange':{'low':{'value':1," UCUM ",'code':'wk'},'high':{'value':2," UCUM
      ",'code':'wk'}}}}}]",
      "authored 2026-05-01T00:00:00Z, start unset, end 2026-05-15T00:00:00Z, expiry never" },
    { "sequences follow each other",
      "'status':'active','authoredOn':'2026-05-01','dosageInstruction':[{'sequence':1,'timing':"
      "{'repeat':{'boundsDuration':{'value':5," UCUM ",'code':'d'}}}},{'sequence':2,'timing':"
      "{'repeat':{'boundsDuration':{'value':10," UCUM ",'code':'d'}}}}]",
      "authored 2026-05-01T00:00:00Z, start unset, end 2026-05-16T00:00:00Z, expiry never" },
    { "the earliest start and the latest end",
      "'status':'active','dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
      "{'start':'2026-05-08','end':'2026-05-21'}}}},{'timing':{'repeat':{'boundsPeriod':"
      "{'start':'2026-05-01','end':'2026-05-10'}}}}]",
      "authored unset, start 2026-05-01T00:00:00Z, end 2026-05-22T00:00:00Z, expiry never" },
    { "one instruction without bounds leaves the end open",
      "'status':'active','dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
      "{'start':'2026-05-08','end':'2026-05-21'}}}},{'text':'daily'}]",
      "authored unset, start unset, end never, expiry never" },
    { "R5: the effective dose period",
      "'status':'active','effectiveDosePeriod':{'start':'2026-05-01','end':'2026-05-02'}",
      "authored unset, start 2026-05-01T00:00:00Z, end 2026-05-03T00:00:00Z, expiry never" },
    { "the validity of the dispense is an expiry, no end",
      "'status':'active','dispenseRequest':{'validityPeriod':{'end':'2026-06-01'}}",
      "authored unset, start unset, end never, expiry 2026-06-02T00:00:00Z" },
    { "a stopped order ended when its status changed",
      "'status':'stopped','statusChanged':'2026-05-04T10:00:00Z'," UPDATED,
      "authored unset, start unset, end 2026-05-04T10:00:00Z, expiry never" },
    { "else at the end of its bounds",
      "'status':'completed','dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
      "{'end':'2026-05-02'}}}}]," UPDATED,
      "authored unset, start unset, end 2026-05-03T00:00:00Z, expiry never" },
    { "unless they reach beyond the last change",
      "'status':'stopped','dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':"
      "{'end':'2026-06-02'}}}}]," UPDATED,
      "authored unset, start unset, end 2026-05-10T00:00:00Z, expiry never" },
    { "else at the last change", "'status':'stopped'," UPDATED,
      "authored unset, start unset, end 2026-05-10T00:00:00Z, expiry never" },
    { "else nobody knows when", "'status':'stopped'",
      "authored unset, start unset, end unset, expiry never" },
    { "a stopped order that is unclear has ended all the same",
      "'status':'stopped','modifierExtension':[{'url':'x'}]," UPDATED,
      "authored unset, start unset, end 2026-05-10T00:00:00Z, expiry never" },
    { "a date that is none is not known", "'status':'active','authoredOn':'yesterday'",
      "authored unset, start unset, end never, expiry never" },
};

static void check_times(void **state)
{
    const struct time_case *c = *state;
    const char *unmapped;
    AUTO(chart_free) struct chart *chart = apply(c->members, &unmapped);
    const struct chart_order *order = &chart->orders[0];
    AUTO(buf_done) struct buf got = { 0 };

    fixture_instant("authored", order->authored_ms, &got);
    fixture_instant(", start", order->start_ms, &got);
    fixture_instant(", end", order->end_ms, &got);
    fixture_instant(", expiry", order->expiry_ms, &got);
    assert_string_equal(buf_string(&got), c->want);
}

static const struct reason_case {
    const char *name, *members, *want;
} reasons[] = {
    { "a reason", "'reasonCode':[{'coding':[{" SNOMED ",'code':'109989006'}]}]",
      "multiple-myeloma " },
    { "a category that says the phase", "'category':[{'coding':[{" SNOMED ",'code':'25656009'}]}]",
      "maintenance " },
    { "the course of therapy", "'courseOfTherapyType':{'coding':[{" SNOMED ",'code':'25656009'}]}",
      "maintenance " },
    { "R5: a reason", "'reason':[{'concept':{'coding':[{" SNOMED ",'code':'109989006'}]}}]",
      "multiple-myeloma " },
    { "each once",
      "'reasonCode':[{'coding':[{" SNOMED ",'code':'109989006'}]},{'coding':[{" SNOMED
      ",'code':'109989006'},{" SNOMED ",'code':'25656009'}]}]",
      "multiple-myeloma maintenance " },
    { "an unknown reason is none", "'reasonCode':[{'coding':[{" SNOMED ",'code':'1'}]}]", "" },
};

static void check_reasons(void **state)
{
    const struct reason_case *c = *state;
    const char *unmapped;
    AUTO(chart_free) struct chart *chart = apply(c->members, &unmapped);
    const struct chart_order *order = &chart->orders[0];
    AUTO(buf_done) struct buf got = { 0 };

    for (size_t i = 0; i < order->reason_count; i++)
        buf_printf(&got, "%s ", concept_name(knowledge, order->reasons[i]));
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- heads and references */

static const struct needs_case {
    const char *name, *text, *want; /* NULL: none */
} needs[] = {
    { "an order needs the Medication it refers to",
      "{'resourceType':'MedicationRequest','medicationReference':{'reference':'Medication/7'}}",
      "7" },
    { "R5 as well",
      "{'resourceType':'MedicationRequest','medication':{'reference':{'reference':'Medication/"
      "7'}}}",
      "7" },
    { "by a uuid",
      "{'resourceType':'MedicationRequest','medicationReference':{'reference':'urn:uuid:a-b'}}",
      "a-b" },
    { "not one it contains",
      "{'resourceType':'MedicationRequest','medicationReference':{'reference':'#m'}}", NULL },
    { "not where there is a code", "{'resourceType':'MedicationRequest'," LEN10 "}", NULL },
    { "not another type",
      "{'resourceType':'MedicationRequest','medicationReference':{'reference':'Device/7'}}", NULL },
    { "not for another resource",
      "{'resourceType':'Observation','medicationReference':{'reference':'Medication/7'}}", NULL },
};

static void check_needs(void **state)
{
    const struct needs_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);
    struct reference reference;
    bool needed = resource_needs_medication(&root, &reference);

    assert_int_equal(needed, c->want != NULL);
    if (needed) assert_string_equal(reference.id, c->want);
}

static const struct head_case {
    const char *name, *text, *want;
} heads[] = {
    { "what a resource says of itself",
      "{'resourceType':'Observation','id':'5','meta':{'versionId':'3','lastUpdated':"
      "'2026-05-04T10:00:00Z'},'subject':{'reference':'Patient/1'},'issued':"
      "'2026-05-04T09:00:00Z'}",
      "Observation/5 v3 of 1, updated 2026-05-04T10:00:00Z, clinical 2026-05-04T09:00:00Z" },
    { "a Patient is about itself", "{'resourceType':'Patient','id':'p'}",
      "Patient/p v of p, updated unset, clinical unset" },
    { "an absolute subject",
      "{'resourceType':'Condition','subject':{'reference':"
      "'https://ehr/Patient/1/_history/2'}}",
      "Condition/ v of 1, updated unset, clinical unset" },
    { "a subject by uuid", "{'resourceType':'Condition','subject':{'reference':'urn:uuid:a-b'}}",
      "Condition/ v of a-b, updated unset, clinical unset" },
    { "a subject that is no patient",
      "{'resourceType':'Condition','subject':{'reference':'Group/1'}}",
      "Condition/ v of , updated unset, clinical unset" },
    { "a logical subject is nobody",
      "{'resourceType':'Condition','subject':{'identifier':{'value':'1'}}}",
      "Condition/ v of , updated unset, clinical unset" },
    { "the patient of an allergy",
      "{'resourceType':'AllergyIntolerance','patient':{'reference':'Patient/1'}}",
      "AllergyIntolerance/ v of 1, updated unset, clinical unset" },
    { "an own write is known by its tag",
      "{'resourceType':'DetectedIssue','id':'d','meta':{'tag':[{'system':'x'},"
      "{'system':'urn:x-myeloma-adapter','code':'alert'}]}}",
      "DetectedIssue/d v of , updated unset, clinical unset, ours" },
    { "another tag is not ours",
      "{'resourceType':'DetectedIssue','id':'d','meta':{'tag':[{'system':"
      "'urn:x-myeloma-adapters'}]}}",
      "DetectedIssue/d v of , updated unset, clinical unset" },
    { "no resourceType", "{'id':'5'}", "fhir.not-a-resource" },
    { "no object", "[]", "fhir.not-a-resource" },
    { "an illegal id", "{'resourceType':'Patient','id':'a b'}", "fhir.id" },
    { "an id that is a number", "{'resourceType':'Patient','id':5}", "fhir.id" },
};

static void check_head(void **state)
{
    const struct head_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    AUTO(buf_done) struct buf got = { 0 };
    struct node root = node_root(doc);
    struct arena arena = { 0 };
    struct resource_head head;
    struct err err;

    if (resource_head_read(&root, &arena, &head, &err)) {
        buf_printf(&got, "%s/%s v%s of %s", head.type, head.id, head.version, head.patient);
        fixture_instant(", updated", head.updated_ms, &got);
        fixture_instant(", clinical", head.clinical_ms, &got);
        if (head.ours) buf_text(&got, ", ours");
    } else {
        buf_text(&got, err.code);
    }
    arena_done(&arena);
    assert_string_equal(buf_string(&got), c->want);
}

static const char *const shelf_texts[] = {
    "{'resourceType':'Medication','id':'len','code':{'coding':[{" RXNORM ",'code':'602910'}]}}",
    "{'resourceType':'Medication','id':'1b4e28ba-2fa1-11d2','code':{'coding':[{" RXNORM
    ",'code':'3264'}]}}",
    "{'resourceType':'Medication','id':'mix','code':{'text':'Mix'},'ingredient':["
    "{'itemCodeableConcept':{'coding':[{" RXNORM ",'code':'342369'}]}},"
    "{'itemReference':{'reference':'Substance/dex'}},"
    "{'isActive':false,'itemCodeableConcept':{'coding':[{" RXNORM ",'code':'1361029'}]}}]}",
    "{'resourceType':'Substance','id':'dex','code':{'coding':[{" RXNORM ",'code':'3264'}]}}",
    "{'resourceType':'Medication','id':'half','code':{'text':'Half'},'ingredient':["
    "{'item':{'concept':{'coding':[{" RXNORM ",'code':'342369'}]}}},"
    "{'item':{'concept':{'coding':[{'system':'urn:x','code':'9'}]}}}]}",
    "{'resourceType':'Medication','id':'loop','ingredient':["
    "{'itemReference':{'reference':'Medication/loop'}},"
    "{'itemReference':{'reference':'Medication/loop'}}]}",
};

int main(void)
{
    int failed;

    knowledge = fixture_knowledge();
    for (size_t i = 0; i < ARRAY_SIZE(shelf_texts); i++)
        shelf_docs[i] = fixture_doc(shelf_texts[i]);
    failed = RUN_TABLE("state", states, check_state) + RUN_TABLE("drug", drugs, check_drug) +
             RUN_TABLE("other drugs", others, check_other) +
             RUN_TABLE("times", times, check_times) + RUN_TABLE("reasons", reasons, check_reasons) +
             RUN_TABLE("needs", needs, check_needs) + RUN_TABLE("head", heads, check_head);
    for (size_t i = 0; i < ARRAY_SIZE(shelf_texts); i++) doc_free(shelf_docs[i]);
    knowledge_free(knowledge);
    return failed;
}
