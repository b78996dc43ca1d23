#include "test.h"

#include "fhir_fixture.h"

#define MM                 "'code':{'coding':[{" SNOMED ",'code':'109989006','display':'Myeloma'}]}"
#define CLINICAL(code)     "'clinicalStatus':{'coding':[{'code':'" code "'}]}"
#define VERIFICATION(code) "'verificationStatus':{'coding':[{'code':'" code "'}]}"

static struct knowledge *knowledge;

static struct chart *apply(const char *text)
{
    AUTO(doc_free) struct doc *doc = fixture_doc(text);
    struct node root = node_root(doc);
    struct chart *chart = chart_new("1");
    const char *unmapped;
    struct err err;

    assert_true(resource_apply(&root, knowledge, NULL, chart, &unmapped, &err));
    return chart;
}

static void describe(const struct chart_condition *condition, struct buf *out)
{
    static const char *const states[] = { "active", "past", "unconfirmed", "removed" };

    buf_printf(out, "%s%s", condition->procedure ? "procedure " : "", states[condition->state]);
    for (size_t i = 0; i < condition->concept_count; i++)
        buf_printf(out, " %s", concept_name(knowledge, condition->concepts[i]));
    if (condition->uncoded) buf_text(out, " uncoded");
    if (*condition->label) buf_printf(out, " \"%s\"", condition->label);
    if (condition->start_ms != INSTANT_UNSET) fixture_instant(" from", condition->start_ms, out);
    if (condition->end_ms != INSTANT_NEVER) fixture_instant(" to", condition->end_ms, out);
}

static const struct condition_case {
    const char *name, *text, *want;
} conditions[] = {
    { "an active condition", "{'resourceType':'Condition'," CLINICAL("active") "," MM "}",
      "active multiple-myeloma \"Myeloma\"" },
    { "a relapse is active", "{'resourceType':'Condition'," CLINICAL("relapse") "}",
      "active uncoded" },
    { "a remission is past", "{'resourceType':'Condition'," CLINICAL("remission") "}",
      "past uncoded" },
    { "resolved is past", "{'resourceType':'Condition'," CLINICAL("resolved") "}", "past uncoded" },
    { "without a status it is active", "{'resourceType':'Condition'}", "active uncoded" },
    { "a status of tomorrow is a doubt", "{'resourceType':'Condition'," CLINICAL("dormant") "}",
      "unconfirmed uncoded" },
    { "a status in words is a doubt",
      "{'resourceType':'Condition','clinicalStatus':{'text':'active'}}", "unconfirmed uncoded" },
    { "STU3: a plain code", "{'resourceType':'Condition','clinicalStatus':'resolved'}",
      "past uncoded" },
    { "a standard code behind a local one",
      "{'resourceType':'Condition','clinicalStatus':{'coding':[{'code':'A'},{'code':'active'}]}}",
      "active uncoded" },
    { "refuted is removed",
      "{'resourceType':'Condition'," CLINICAL("active") "," VERIFICATION("refuted") "}",
      "removed uncoded" },
    { "entered in error is removed",
      "{'resourceType':'Condition'," VERIFICATION("entered-in-error") "}", "removed uncoded" },
    { "provisional is unconfirmed",
      "{'resourceType':'Condition'," CLINICAL("active") "," VERIFICATION("provisional") "}",
      "unconfirmed uncoded" },
    { "differential is unconfirmed",
      "{'resourceType':'Condition'," VERIFICATION("differential") "}", "unconfirmed uncoded" },
    { "confirmed leaves the clinical status",
      "{'resourceType':'Condition'," CLINICAL("inactive") "," VERIFICATION("confirmed") "}",
      "past uncoded" },
    { "a modifier that we do not know is a doubt",
      "{'resourceType':'Condition'," CLINICAL("active") ",'modifierExtension':[{'url':'x'}]}",
      "unconfirmed uncoded" },
    { "a coded condition that no mapping knows is coded",
      "{'resourceType':'Condition','code':{'coding':[{" SNOMED ",'code':'1'}],'text':'x'}}",
      "active \"x\"" },
    { "without a display or a text: our words",
      "{'resourceType':'Condition','code':{'coding':[{" SNOMED ",'code':'109989006'}]}}",
      "active multiple-myeloma \"multiple myeloma\"" },
    { "without words of ours either: the code",
      "{'resourceType':'Condition','code':{'coding':[{" SNOMED ",'code':'1'}]}}",
      "active \"http://snomed.info/sct|1\"" },
    { "words alone are no code", "{'resourceType':'Condition','code':{'text':'myeloma'}}",
      "active uncoded \"myeloma\"" },
    { "onset and abatement",
      "{'resourceType':'Condition','onsetDateTime':'2026-01','abatementDateTime':"
      "'2026-03-01'}",
      "active uncoded from 2026-01-01T00:00:00Z to 2026-03-02T00:00:00Z" },
    { "onset and abatement by periods",
      "{'resourceType':'Condition','onsetPeriod':{'start':'2026-01-01'},'abatementPeriod':"
      "{'end':'2026-03-01'}}",
      "active uncoded from 2026-01-01T00:00:00Z to 2026-03-02T00:00:00Z" },
    { "a completed procedure",
      "{'resourceType':'Procedure','status':'completed','performedDateTime':'2026-01-05','code':"
      "{'coding':[{" SNOMED ",'code':'108290001'}]}}",
      "procedure active radiotherapy \"radiotherapy\" from 2026-01-05T00:00:00Z" },
    { "one in progress",
      "{'resourceType':'Procedure','status':'in-progress','performedPeriod':{'start':'2026-01-05',"
      "'end':'2026-02-05'}}",
      "procedure active uncoded from 2026-01-05T00:00:00Z" },
    { "R5: when it occurred",
      "{'resourceType':'Procedure','status':'completed','occurrenceDateTime':'2026-01-05'}",
      "procedure active uncoded from 2026-01-05T00:00:00Z" },
    { "one that was not done", "{'resourceType':'Procedure','status':'not-done'}",
      "procedure removed uncoded" },
    { "STU3: not done", "{'resourceType':'Procedure','status':'completed','notDone':true}",
      "procedure removed uncoded" },
    { "one entered in error", "{'resourceType':'Procedure','status':'entered-in-error'}",
      "procedure removed uncoded" },
    { "one in preparation", "{'resourceType':'Procedure','status':'preparation'}",
      "procedure unconfirmed uncoded" },
    { "one that was stopped half-way", "{'resourceType':'Procedure','status':'stopped'}",
      "procedure unconfirmed uncoded" },
    { "one without a status", "{'resourceType':'Procedure'}", "procedure unconfirmed uncoded" },
};

static void check_condition(void **state)
{
    const struct condition_case *c = *state;
    AUTO(chart_free) struct chart *chart = apply(c->text);
    AUTO(buf_done) struct buf got = { 0 };

    assert_int_equal(chart->condition_count, 1);
    describe(&chart->conditions[0], &got);
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- allergies */

static const struct allergy_case {
    const char *name, *text, *want;
} allergies[] = {
    { "an allergy to a drug",
      "{'resourceType':'AllergyIntolerance','code':{'coding':[{" RXNORM ",'code':'342369'}]}}",
      "lenalidomide " },
    { "to a combination",
      "{'resourceType':'AllergyIntolerance','code':{'coding':[{" RXNORM ",'code':'198334'}]}}",
      "sulfamethoxazole trimethoprim " },
    { "by the substance of a reaction",
      "{'resourceType':'AllergyIntolerance','reaction':[{'substance':{'coding':[{" RXNORM
      ",'code':'3264'}]}}]}",
      "dexamethasone " },
    { "to something else", "{'resourceType':'AllergyIntolerance','code':{'text':'nuts'}}", "" },
    { "refuted", "{'resourceType':'AllergyIntolerance'," VERIFICATION("refuted") "}", "removed" },
    { "entered in error",
      "{'resourceType':'AllergyIntolerance'," VERIFICATION("entered-in-error") "}", "removed" },
    { "resolved", "{'resourceType':'AllergyIntolerance'," CLINICAL("resolved") "}", "removed" },
    { "unconfirmed counts",
      "{'resourceType':'AllergyIntolerance'," CLINICAL("active") "," VERIFICATION(
          "unconfirmed") "}",
      "" },
};

static void check_allergy(void **state)
{
    const struct allergy_case *c = *state;
    AUTO(chart_free) struct chart *chart = apply(c->text);
    AUTO(buf_done) struct buf got = { 0 };

    assert_int_equal(chart->allergy_count, 1);
    for (size_t i = 0; i < chart->allergies[0].drug_count; i++)
        buf_printf(&got, "%s ", concept_name(knowledge, chart->allergies[0].drugs[i]));
    if (chart->allergies[0].removed) buf_text(&got, "removed");
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- patients */

static const struct patient_case {
    const char *name, *text, *want;
} patients[] = {
    { "a woman", "{'resourceType':'Patient','id':'1','gender':'female','birthDate':'1950-02-03'}",
      "female born 1950-02-03T00:00:00Z to 1950-02-04T00:00:00Z" },
    { "a man of whom the year is known",
      "{'resourceType':'Patient','id':'1','gender':'male','birthDate':'1950'}",
      "male born 1950-01-01T00:00:00Z to 1951-01-01T00:00:00Z" },
    { "another sex", "{'resourceType':'Patient','id':'1','gender':'other'}",
      "other born unset to unset" },
    { "nothing known", "{'resourceType':'Patient','id':'1','gender':'unknown','birthDate':'?'}",
      "unknown born unset to unset" },
    { "a birth date that is only an extension",
      "{'resourceType':'Patient','id':'1','_birthDate':{'extension':[]}}",
      "unknown born unset to unset" },
    { "deceased", "{'resourceType':'Patient','id':'1','deceasedBoolean':true}",
      "unknown born unset to unset, deceased" },
    { "deceased on a day", "{'resourceType':'Patient','id':'1','deceasedDateTime':'2026-01-01'}",
      "unknown born unset to unset, deceased" },
    { "not deceased", "{'resourceType':'Patient','id':'1','deceasedBoolean':false}",
      "unknown born unset to unset" },
};

static void check_patient(void **state)
{
    static const char *const sexes[] = { "unknown", "female", "male", "other" };
    const struct patient_case *c = *state;
    AUTO(chart_free) struct chart *chart = apply(c->text);
    AUTO(buf_done) struct buf got = { 0 };

    buf_printf(&got, "%s", sexes[chart->sex]);
    fixture_instant(" born", chart->birth.start, &got);
    fixture_instant(" to", chart->birth.end, &got);
    if (chart->deceased) buf_text(&got, ", deceased");
    assert_string_equal(buf_string(&got), c->want);
}

static void other_types_add_nothing(void **state)
{
    static const char *const texts[] = { "{'resourceType':'Medication','id':'1'}",
                                         "{'resourceType':'Encounter','id':'1'}",
                                         "{'resourceType':'MedicationAdministration'}" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        AUTO(chart_free) struct chart *chart = apply(texts[i]);
        assert_int_equal(chart->order_count + chart->result_count + chart->condition_count +
                             chart->allergy_count,
                         0);
    }
    assert_true(resource_is_used("Medication"));
    assert_true(resource_is_used("Patient"));
    assert_false(resource_is_used("Encounter"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(other_types_add_nothing) };
    int failed;

    knowledge = fixture_knowledge();
    failed = RUN_TABLE("condition", conditions, check_condition) +
             RUN_TABLE("allergy", allergies, check_allergy) +
             RUN_TABLE("patient", patients, check_patient) +
             cmocka_run_group_tests_name("types", tests, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
