#include "test.h"

#include "fhir_fixture.h"

#define CODED(code) "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'" code "'}]}"
#define LEN10       CODED("602910")  /* capsule of 10 mg */
#define LEN         CODED("342369")  /* ingredient, no strength */
#define ZOL         CODED("351114")  /* 0.8 mg/mL */
#define COTRIM      CODED("198334")  /* tablet of 400 mg and 80 mg */
#define HEPARIN     CODED("1361029") /* 5000 units/mL */

#define MG25           "'doseAndRate':[{'doseQuantity':{'value':25," UCUM ",'code':'mg'}}]"
#define DAILY          "'timing':{'repeat':{'frequency':1,'period':1,'periodUnit':'d'}}"
#define TIMING(repeat) MG25 ",'timing':{'repeat':{" repeat "}}"
#define CODE(code)     MG25 ",'timing':{'code':{'coding':[{'code':'" code "'}]}}"
#define EVENTS(dates)  MG25 ",'timing':{'event':[" dates "]}"
#define LIMIT(dose, time)                                                                          \
    "'maxDosePerPeriod':{'numerator':{'value':" dose "},'denominator':{'value':" time "}}"
#define DAYS_1_TO_21                                                                               \
    "'2026-05-01','2026-05-02','2026-05-03','2026-05-04','2026-05-05','2026-05-06','2026-05-07',"  \
    "'2026-05-08','2026-05-09','2026-05-10','2026-05-11','2026-05-12','2026-05-13','2026-05-14',"  \
    "'2026-05-15','2026-05-16','2026-05-17','2026-05-18','2026-05-19','2026-05-20','2026-05-21'"
#define QUANTITY(q) "'doseAndRate':[{'doseQuantity':{" q "}}]," DAILY

static struct knowledge *knowledge;

static struct chart *apply(const char *drug, const char *instructions)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct chart *chart = chart_new("1");
    const char *unmapped;
    struct err err;

    buf_printf(&text,
               "{'resourceType':'MedicationRequest','id':'5','status':'active',%s,"
               "'authoredOn':'2026-05-01','dosageInstruction':[%s]}",
               drug, instructions);
    AUTO(doc_free) struct doc *doc = fixture_doc(buf_string(&text));
    struct node root = node_root(doc);
    assert_true(resource_apply(&root, knowledge, NULL, chart, &unmapped, &err));
    assert_int_equal(chart->order_count, 1);
    return chart;
}

/* "single 25, daily 25 mg" or "?, ? (why)" of each ingredient. */
static void describe_dose(const struct dose *dose, struct buf *out)
{
    if (dose->single_known)
        fixture_interval(&dose->single, out);
    else
        buf_text(out, "?");
    buf_text(out, ", ");
    if (dose->daily_known)
        fixture_interval(&dose->daily, out);
    else
        buf_text(out, "?");
    buf_printf(out, "%s%s%s%s%s a day", *dose->unit ? " " : "", dose->unit, *dose->why ? " (" : "",
               dose->why, *dose->why ? ")" : "");
}

/* ---- doses: single, daily, unit, why */

static const struct dose_case {
    const char *name, *drug, *instructions, *want;
} doses[] = {
    { "milligrams once daily", LEN, "{" QUANTITY("'value':25," UCUM ",'code':'mg'") "}",
      "25, 25 mg a day" },
    { "grams", LEN, "{" QUANTITY("'value':0.5," UCUM ",'code':'g'") "}", "500, 500 mg a day" },
    { "micrograms by UCUM", LEN, "{" QUANTITY("'value':500," UCUM ",'code':'ug'") "}",
      "0.5, 0.5 mg a day" },
    { "micrograms as people write them", LEN, "{" QUANTITY("'value':500,'unit':'mcg'") "}",
      "0.5, 0.5 mg a day" },
    { "micrograms with a Greek letter", LEN, "{" QUANTITY("'value':500,'unit':'\u03bcg'") "}",
      "0.5, 0.5 mg a day" },
    { "nanograms", LEN, "{" QUANTITY("'value':500," UCUM ",'code':'ng'") "}",
      "0.0005, 0.0005 mg a day" },
    { "a number sent as text", LEN, "{" QUANTITY("'value':'25','unit':'mg'") "}",
      "25, 25 mg a day" },
    { "a decimal stays exact", LEN, "{" QUANTITY("'value':0.1,'unit':'mg'") "}",
      "0.1, 0.1 mg a day" },
    { "a code and a text that disagree are neither", LEN,
      "{" QUANTITY("'value':25," UCUM ",'code':'mg','unit':'mcg'") "}",
      "?, ? (the unit of the dose cannot be used) a day" },
    { "no unit is no dose", LEN10, "{" QUANTITY("'value':1") "}",
      "?, ? (the dose has no unit) a day" },
    { "an unknown unit is no dose", LEN10, "{" QUANTITY("'value':1,'unit':'puff'") "}",
      "?, ? (the unit of the dose cannot be used) a day" },
    { "a comparator is no dose", LEN, "{" QUANTITY("'value':25,'comparator':'<','unit':'mg'") "}",
      "?, ? (the unit of the dose cannot be used) a day" },
    { "a negative dose is none", LEN, "{" QUANTITY("'value':-25,'unit':'mg'") "}",
      "?, ? (the dose makes no sense) a day" },
    { "tablets times the strength", LEN10, "{" QUANTITY("'value':2," UCUM ",'code':'{tbl}'") "}",
      "20, 20 mg a day" },
    { "half a tablet", LEN10, "{" QUANTITY("'value':0.5,'unit':'tablet'") "}", "5, 5 mg a day" },
    { "capsules by words", LEN10, "{" QUANTITY("'value':1,'unit':'Capsule(s)'") "}",
      "10, 10 mg a day" },
    { "TAB of the drug forms", LEN10,
      "{" QUANTITY("'value':1,'unit':'ea','code':'TAB','system':"
                   "'http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm'") "}",
      "10, 10 mg a day" },
    { "a tablet of SNOMED", LEN10, "{" QUANTITY("'value':1," SNOMED ",'code':'732936001'") "}",
      "10, 10 mg a day" },
    { "the unit 1 counts", LEN10, "{" QUANTITY("'value':1," UCUM ",'code':'1'") "}",
      "10, 10 mg a day" },
    { "tablets without a strength are not known", LEN,
      "{" QUANTITY("'value':1,'unit':'tablet'") "}",
      "?, ? (the strength of the product is not known) a day" },
    { "tablets of a solution are not known", ZOL, "{" QUANTITY("'value':1,'unit':'tablet'") "}",
      "?, ? (the strength of the product is not known) a day" },
    { "millilitres times the concentration", ZOL,
      "{" QUANTITY("'value':5," UCUM ",'code':'mL'") "}", "4, 4 mg a day" },
    { "millilitres of a tablet are not known", LEN10,
      "{" QUANTITY("'value':5," UCUM ",'code':'mL'") "}",
      "?, ? (the strength of the product is not known) a day" },
    { "units", HEPARIN, "{" QUANTITY("'value':5000," UCUM ",'code':'[iU]'") "}",
      "5000, 5000 [iU] a day" },
    { "millilitres of units", HEPARIN, "{" QUANTITY("'value':0.5," UCUM ",'code':'mL'") "}",
      "2500, 2500 [iU] a day" },
    { "per square metre stays so", LEN, "{" QUANTITY("'value':1.3," UCUM ",'code':'mg/m2'") "}",
      "1.3, 1.3 mg/m2 a day" },
    { "per kilogram stays so", LEN, "{" QUANTITY("'value':16," UCUM ",'code':'mg/kg'") "}",
      "16, 16 mg/kg a day" },
    { "a combination by tablets", COTRIM, "{" QUANTITY("'value':2,'unit':'tablet'") "}",
      "800, 800 mg a day; 160, 160 mg a day" },
    { "a combination by milligrams is not known", COTRIM,
      "{" QUANTITY("'value':480,'unit':'mg'") "}",
      "?, ? (the dose does not say which ingredient it counts) a day; "
      "?, ? (the dose does not say which ingredient it counts) a day" },
    { "a range", LEN10,
      "{'doseAndRate':[{'doseRange':{'low':{'value':1},'high':{'value':2,'unit':'tablets'}}}]"
      "," DAILY "}",
      "10..20, 10..20 mg a day" },
    { "a range without a low end is not known", LEN10,
      "{'doseAndRate':[{'doseRange':{'high':{'value':2,'unit':'tablets'}}}]," DAILY "}",
      "?, ? (the dose has no number) a day" },
    { "a range upside down is none", LEN,
      "{'doseAndRate':[{'doseRange':{'low':{'value':3,'unit':'mg'},'high':{'value':2,"
      "'unit':'mg'}}}]," DAILY "}",
      "?, ? (the dose makes no sense) a day" },
    { "STU3: the dose right in the dosage", LEN,
      "{'doseQuantity':{'value':25,'unit':'mg'}," DAILY "}", "25, 25 mg a day" },
    { "the ordered dose before the calculated one", LEN,
      "{'doseAndRate':[{'type':{'coding':[{'code':'calculated'}]},'doseQuantity':{'value':33,"
      "'unit':'mg'}},{'type':{'coding':[{'code':'ordered'}]},'doseQuantity':{'value':25,"
      "'unit':'mg'}}]," DAILY "}",
      "25, 25 mg a day" },
    { "a calculated one alone", LEN,
      "{'doseAndRate':[{'type':{'coding':[{'code':'calculated'}]},'doseQuantity':{'value':33,"
      "'unit':'mg'}}]," DAILY "}",
      "33, 33 mg a day" },
    { "a rate is no dose", LEN,
      "{'doseAndRate':[{'rateQuantity':{'value':10,'unit':'mL/h'}}]," DAILY "}",
      "?, ? (only a rate is stated, no dose) a day" },
    { "how often is not said", LEN, "{" MG25 "}", "25, ? mg (how often is not stated) a day" },
    { "how much is not said", LEN, "{" DAILY "}", "?, ? (no dose is stated) a day" },
    { "free text decides nothing", LEN, "{'text':'25 mg daily, days 1-21'}",
      "?, ? (the dosage is free text) a day" },
    { "no instruction", LEN, "", "?, ? (there is no dosage instruction) a day" },
    { "as needed is up to that much", LEN, "{" MG25 "," DAILY ",'asNeededBoolean':true}",
      "25, 0..25 mg a day" },
    { "two at the same time add up", LEN,
      "{" MG25 "," DAILY "},{'doseAndRate':[{'doseQuantity':{'value':5,'unit':'mg'}}]," DAILY "}",
      "5..25, 30 mg a day" },
    { "with equal sequences too", LEN,
      "{'sequence':1," MG25 "," DAILY "},{'sequence':1," MG25 "," DAILY "}", "25, 50 mg a day" },
    { "in sequence the hull", LEN,
      "{'sequence':1," MG25 "," DAILY "},{'sequence':2,'doseAndRate':[{'doseQuantity':{'value':5,"
      "'unit':'mg'}}]," DAILY "}",
      "5..25, 5..25 mg a day" },
    { "with bounds that do not meet the hull", LEN,
      "{" TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsPeriod':{'start':'2026-05-01',"
                 "'end':'2026-05-05'}") "},"
                                        "{" TIMING("'frequency':2,'period':1,'periodUnit':'d','"
                                                   "boundsPeriod':{'start':'2026-05-06',"
                                                   "'end':'2026-05-09'}") "}",
      "25, 25..50 mg a day" },
    { "scheduled and as needed", LEN,
      "{" MG25 "," DAILY "},{" MG25 "," DAILY ",'asNeededBoolean':true}", "25, 25..50 mg a day" },
    { "one in free text leaves the sum unknown", LEN, "{" MG25 "," DAILY "},{'text':'and more'}",
      "?, ? (the dosage is free text) a day" },
    { "doses in two units do not add up", LEN,
      "{" MG25 "," DAILY "},{" QUANTITY("'value':1,'unit':'mg/kg'") "}",
      "?, ? (doses in several units) a day" },
    { "STU3: a range right in the dosage", LEN10,
      "{'doseRange':{'low':{'value':1,'unit':'tablet'},'high':{'value':2,'unit':'tablet'}}," DAILY
      "}",
      "10..20, 10..20 mg a day" },
    { "R5: the dose and why as needed", LEN,
      "{" MG25 "," DAILY ",'asNeeded':true,'asNeededFor':[{'text':'pain'}]}",
      "25, 0..25 mg a day" },
    { "a dose that is given at a rate is a dose", LEN,
      "{'doseAndRate':[{'doseQuantity':{'value':25,'unit':'mg'},'rateQuantity':{'value':100,"
      "'unit':'mL/h'}}]," DAILY "}",
      "25, 25 mg a day" },
    { "a rate in milligrams an hour does not say for how long", LEN,
      "{'doseAndRate':[{'rateQuantity':{'value':10,'unit':'mg/h'}}]," DAILY "}",
      "?, ? (only a rate is stated, no dose) a day" },
    { "1 to 2 tablets every 4 to 6 hours", LEN10,
      "{'doseAndRate':[{'doseRange':{'low':{'value':1},'high':{'value':2,'unit':'tablets'}}}],"
      "'timing':{'repeat':{'frequency':1,'period':4,'periodMax':6,'periodUnit':'h'}}}",
      "10..20, 40..120 mg a day" }, /* 1 x 4 x 10 mg; 2 x 6 x 10 mg */
    { "two doses on alternate days add up to their mean", LEN,
      "{" TIMING(
          "'frequency':1,'period':2,'periodUnit':'d'") "},"
                                                       "{'doseAndRate':[{'doseQuantity':{'value':"
                                                       "10,'unit':'mg'}}],'timing':{'repeat':{"
                                                       "'frequency':1,'period':2,'periodUnit':'d'}}"
                                                       "}",
      "10..25, 17.5 mg a day" }, /* (25 + 10) / 2 */
    { "two doses on different days of the week", LEN,
      "{" TIMING("'dayOfWeek':['mon','wed','fri','sun']") "},"
                                                          "{'doseAndRate':[{'doseQuantity':{'value'"
                                                          ":4,'unit':'mg'}}],'timing':{'repeat':{"
                                                          "'dayOfWeek':['tue','thu','sat']}}}",
      "4..25, 16 mg a day" }, /* (4 x 25 + 3 x 4) / 7 */
    { "a taper of three steps is between its ends", LEN,
      "{'sequence':1," MG25 "," DAILY "},{'sequence':2," QUANTITY(
          "'value':10,'unit':'mg'") "},"
                                    "{'sequence':3," QUANTITY("'value':5,'unit':'mg'") "}",
      "5..25, 5..25 mg a day" },
    { "two times of day with two doses", LEN,
      "{" TIMING("'when':['MORN']") "},{'doseAndRate':[{'doseQuantity':{'value':10,'unit':'mg'}}],"
                                    "'timing':{'repeat':{'when':['HS']}}}",
      "10..25, 35 mg a day" },
    { "a dose at dates and one every day", LEN,
      "{" MG25 ",'timing':{'event':['2026-05-01','2026-05-02']}},{" MG25 "," DAILY "}",
      "25, 50 mg a day" },

    /* limits */
    { "as needed, at most so much a day", LEN10,
      "{'doseAndRate':[{'doseRange':{'low':{'value':1},'high':{'value':2,'unit':'tablets'}}}],"
      "'asNeededBoolean':true,'timing':{'repeat':{'frequency':1,'period':4,'periodMax':6,"
      "'periodUnit':'h'}}," LIMIT("8,'unit':'tablets'", "1,'unit':'d'") "}",
      "10..20, 0..80 mg a day" },
    { "as needed, nothing but a limit", LEN,
      "{" MG25 ",'asNeededBoolean':true," LIMIT("100,'unit':'mg'", "24,'unit':'h'") "}",
      "25, 0..100 mg (how often is not stated) a day" },
    { "free text with a limit", LEN,
      "{'text':'1 to 2 when it hurts'," LIMIT("4,'unit':'g'", "1,'unit':'d'") "}",
      "?, 0..4000 mg (the dosage is free text) a day" },
    { "a limit for a week", LEN,
      "{" MG25 ",'asNeededBoolean':true," LIMIT("70,'unit':'mg'", "1,'unit':'wk'") "}",
      "25, 0..10 mg (how often is not stated) a day" },
    { "a limit for a month has no days", LEN,
      "{" MG25 ",'asNeededBoolean':true," LIMIT("70,'unit':'mg'", "1,'unit':'mo'") "}",
      "25, ? mg (how often is not stated) a day" },
    { "R5: several limits, the lower one holds", LEN,
      "{" MG25 ",'asNeeded':true,'maxDosePerPeriod':[{'numerator':{'value':100,'unit':'mg'},"
      "'denominator':{'value':1,'unit':'d'}},{'numerator':{'value':350,'unit':'mg'},"
      "'denominator':{'value':1,'unit':'wk'}}]}",
      "25, 0..50 mg (how often is not stated) a day" },
    { "a limit above the dose changes nothing", LEN,
      "{" MG25 "," DAILY "," LIMIT("100,'unit':'mg'", "1,'unit':'d'") "}", "25, 25 mg a day" },
    { "a limit that the dose does not respect is none", LEN,
      "{" MG25 "," DAILY "," LIMIT("20,'unit':'mg'", "1,'unit':'d'") "}", "25, 25 mg a day" },
    { "a limit of nothing is none", LEN,
      "{" MG25 ",'asNeededBoolean':true," LIMIT("0,'unit':'mg'", "1,'unit':'d'") "}",
      "25, ? mg (how often is not stated) a day" },
    { "a limit in tablets without a strength is none", LEN,
      "{" MG25 ",'asNeededBoolean':true," LIMIT("4,'unit':'tablets'", "1,'unit':'d'") "}",
      "25, ? mg (how often is not stated) a day" },
    { "at most so much at a time", LEN,
      "{'doseAndRate':[{'doseRange':{'low':{'value':5},'high':{'value':20,'unit':'mg'}}}],"
      "'maxDosePerAdministration':{'value':10,'unit':'mg'},"
      "'timing':{'repeat':{'frequency':2,'period':1,'periodUnit':'d'}}}",
      "5..10, 10..20 mg a day" },
    { "by surface with a limit in milligrams it may be less", LEN,
      "{" QUANTITY("'value':1.5,'unit':'mg/m2'") ",'maxDosePerAdministration':{'value':2,"
                                                 "'unit':'mg'}}",
      "0..1.5, 0..1.5 mg/m2 a day" },
    { "a limit for a lifetime says nothing of a day", LEN,
      "{" MG25 ",'maxDosePerLifetime':{'value':500,'unit':'mg'}}",
      "25, ? mg (how often is not stated) a day" },
    { "a modifier leaves everything unknown", LEN,
      "{'modifierExtension':[{'url':'x'}]," MG25 "," DAILY "}",
      "?, ? (the dosage cannot be read) a day" },
};

static void check_dose(void **state)
{
    const struct dose_case *c = *state;
    AUTO(chart_free) struct chart *chart = apply(c->drug, c->instructions);
    const struct chart_order *order = &chart->orders[0];
    AUTO(buf_done) struct buf got = { 0 };

    for (size_t i = 0; i < order->ingredient_count; i++) {
        if (i) buf_text(&got, "; ");
        describe_dose(&order->ingredients[i].dose, &got);
    }
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- timing: daily dose of 25 mg each, hours between, flags, words */

static const struct timing_case {
    const char *name, *instruction, *want;
} timings[] = {
    { "once daily", TIMING("'frequency':1,'period':1,'periodUnit':'d'"),
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "twice daily", TIMING("'frequency':2,'period':1,'periodUnit':'d'"),
      "50 a day, every 12 h, continuous, \"25 mg twice daily\"" },
    { "every other day", TIMING("'frequency':1,'period':2,'periodUnit':'d'"),
      "12.5 a day, every 48 h, \"25 mg every 2 days\"" },
    { "once weekly", TIMING("'frequency':1,'period':1,'periodUnit':'wk'"),
      "3.57142857142857143 a day, every 168 h, \"25 mg once weekly\"" },
    { "28 mg a week are 4 mg a day exactly",
      "'doseAndRate':[{'doseQuantity':{'value':28,'unit':'mg'}}],'timing':{'repeat':{"
      "'frequency':1,'period':1,'periodUnit':'wk'}}",
      "4 a day, every 168 h, \"28 mg once weekly\"" },
    { "every four weeks", TIMING("'frequency':1,'period':28,'periodUnit':'d'"),
      "0.892857142857142857 a day, every 672 h, \"25 mg every 28 days\"" },
    { "every six hours", TIMING("'frequency':1,'period':6,'periodUnit':'h'"),
      "100 a day, every 6 h, continuous, \"25 mg every 6 hours\"" },
    { "every four to six hours", TIMING("'frequency':1,'period':4,'periodMax':6,'periodUnit':'h'"),
      "100..150 a day, every 4..6 h, continuous, \"25 mg every 4 to 6 hours\"" },
    { "once or twice daily", TIMING("'frequency':1,'frequencyMax':2,'period':1,'periodUnit':'d'"),
      "25..50 a day, every 12..24 h, continuous, \"25 mg 1 to 2 times daily\"" },
    { "monthly", TIMING("'frequency':1,'period':1,'periodUnit':'mo'"),
      "0.82135523613963039 a day, every 730.5 h, \"25 mg once monthly\"" },
    { "at two times of the day", TIMING("'timeOfDay':['08:00:00','20:00:00']"),
      "50 a day, every 12 h, continuous, \"25 mg twice daily\"" },
    { "at bedtime", TIMING("'when':['HS']"),
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "with breakfast and supper", TIMING("'when':['CM','CV'],'period':1,'periodUnit':'d'"),
      "50 a day, every 12 h, continuous, \"25 mg twice daily\"" },
    { "with meals is no number", TIMING("'when':['AC']"),
      "? (how often is not stated: with meals), \"25 mg\"" },
    { "with meals, three times", TIMING("'frequency':3,'period':1,'periodUnit':'d','when':['AC']"),
      "75 a day, every 8 h, continuous, \"25 mg 3 times daily\"" },
    { "a frequency that contradicts the times of day gives bounds",
      TIMING("'frequency':1,'period':1,'periodUnit':'d','timeOfDay':['08:00:00','20:00:00']"),
      "25..50 a day, every 12..24 h, continuous, \"25 mg 1 to 2 times daily\"" },
    { "on one day of the week",
      TIMING("'frequency':1,'period':1,'periodUnit':'d',"
             "'dayOfWeek':['mon']"),
      "3.57142857142857143 a day, every 168 h, \"25 mg once weekly\"" },
    { "on two days of the week", TIMING("'dayOfWeek':['mon','thu']"),
      "7.14285714285714286 a day, every 1..168 h, \"25 mg twice weekly\"" },
    { "once a week on one of two days",
      TIMING("'frequency':1,'period':1,'periodUnit':'wk',"
             "'dayOfWeek':['mon','thu']"),
      "3.57142857142857143..7.14285714285714286 a day, every 1..168 h, "
      "\"25 mg 1 to 2 times weekly\"" },
    { "days of the week in a month are not known",
      TIMING("'frequency':1,'period':1,'periodUnit':'mo','dayOfWeek':['mon']"),
      "? (the days of the week do not fit the period), \"25 mg\"" },
    { "a frequency without a period", TIMING("'frequency':2"),
      "? (how often is not stated: a frequency without a period), \"25 mg\"" },
    { "a period without a unit", TIMING("'frequency':2,'period':1"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "a period of nothing", TIMING("'frequency':2,'period':0,'periodUnit':'d'"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "a period of a unit that is none",
      TIMING("'frequency':2,'period':1,'periodUnit':'fortnight'"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "a frequency beyond sense", TIMING("'frequency':1e9,'period':1,'periodUnit':'d'"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "a number of doses is not continuous",
      TIMING("'count':5,'frequency':1,'period':1,'periodUnit':'d'"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "21 days are part of a cycle",
      TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsDuration':{'value':21," UCUM
             ",'code':'d'}"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "28 days are not",
      TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsDuration':{'value':28," UCUM
             ",'code':'d'}"),
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "14 days by dates are part of a cycle",
      TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsPeriod':{'start':'2026-05-01',"
             "'end':'2026-05-14'}"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "bounds without an end are none",
      TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsPeriod':{'start':'2026-05-01'}"),
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "as needed is not continuous",
      TIMING("'frequency':1,'period':1,'periodUnit':'d'") ",'asNeededBoolean':true",
      "0..25 a day, every 24 h, as needed, \"25 mg once daily as needed\"" },
    { "as needed for a reason",
      TIMING(
          "'frequency':1,'period':1,'periodUnit':'d'") ",'asNeededCodeableConcept':{'text':'pain'}",
      "0..25 a day, every 24 h, as needed, \"25 mg once daily as needed\"" },
    { "not as needed",
      TIMING("'frequency':1,'period':1,'periodUnit':'d'") ",'asNeededBoolean':false",
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    /* dates, one by one */
    { "21 dates in a row, days 1 to 21", EVENTS(DAYS_1_TO_21),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "days 1, 8 and 15", EVENTS("'2026-05-01','2026-05-08','2026-05-15'"),
      "3.57142857142857143 a day, every 168 h, \"25 mg every 7 days\"" },
    { "days 1, 4, 8 and 11", EVENTS("'2026-05-01','2026-05-04','2026-05-08','2026-05-11'"),
      "6.25..8.33333333333333333 a day, every 72..96 h, \"25 mg every 3 to 4 days\"" },
    { "two cycles with a pause are between its ends",
      EVENTS("'2026-05-01','2026-05-02','2026-05-12','2026-05-13'"),
      "2.5..25 a day, every 24..240 h, \"25 mg every 1 to 10 days\"" },
    { "twice on each date",
      EVENTS("'2026-05-01T08:00:00Z','2026-05-01T20:00:00Z','2026-05-02T08:00:00Z',"
             "'2026-05-02T20:00:00Z'"),
      "50 a day, every 12 h, \"25 mg twice daily\"" },
    { "once on the first date, twice on the second",
      EVENTS("'2026-05-01T20:00:00Z','2026-05-02T08:00:00Z','2026-05-02T20:00:00Z'"),
      "25..50 a day, every 12..24 h, \"25 mg 1 to 2 times daily\"" },
    { "dates in any order, some of them twice",
      EVENTS("'2026-05-03','2026-05-01','2026-05-02','2026-05-01'"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "a change of the clocks does not move a date",
      EVENTS("'2026-03-28T08:00:00+01:00','2026-03-29T08:00:00+02:00','2026-03-30T08:00:00+02:00'"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "one date is a single dose", EVENTS("'2026-05-01'"),
      "? (a single dose, no daily one), \"25 mg once\"" },
    { "a month is no date", EVENTS("'2026-05','2026-06'"),
      "? (the dates of the doses cannot be read), \"25 mg\"" },
    { "one date that cannot be read spoils them all", EVENTS("'2026-05-01','2026-05-32'"),
      "? (the dates of the doses cannot be read), \"25 mg\"" },
    { "a repeat goes before the dates",
      MG25 ",'timing':{'event':['2026-05-01','2026-05-08'],'repeat':{'frequency':1,'period':1,"
           "'periodUnit':'d'}}",
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "one dose by its number", TIMING("'count':1"),
      "? (a single dose, no daily one), \"25 mg once\"" },
    { "one dose by its number, whatever the frequency",
      TIMING("'count':1,'frequency':1,'period':1,'periodUnit':'d'"),
      "? (a single dose, no daily one), \"25 mg once\"" },
    { "one to three doses are not one",
      TIMING("'count':1,'countMax':3,'frequency':1,'period':1,'periodUnit':'d'"),
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "how long a dose takes is not how often it is given",
      TIMING("'duration':2,'durationUnit':'h'"), "? (how often is not stated), \"25 mg\"" },
    { "bounds alone do not say how often",
      TIMING("'boundsDuration':{'value':21," UCUM ",'code':'d'}"),
      "? (how often is not stated), \"25 mg\"" },
    { "a period alone is once in it", TIMING("'period':3,'periodUnit':'wk'"),
      "1.19047619047619048 a day, every 504 h, \"25 mg every 3 weeks\"" },
    { "up to a frequency", TIMING("'frequency':2,'frequencyMax':3,'period':1,'periodUnit':'wk'"),
      "7.14285714285714286..10.7142857142857143 a day, every 56..84 h, "
      "\"25 mg 2 to 3 times weekly\"" },
    { "a highest frequency below the lowest makes no sense",
      TIMING("'frequency':3,'frequencyMax':2,'period':1,'periodUnit':'d'"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "a longest period below the shortest makes no sense",
      TIMING("'frequency':1,'period':6,'periodMax':4,'periodUnit':'h'"),
      "? (the timing makes no sense), \"25 mg\"" },
    { "QD", CODE("QD"), "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "BID", CODE("BID"), "50 a day, every 12 h, continuous, \"25 mg twice daily\"" },
    { "TID", CODE("TID"), "75 a day, every 8 h, continuous, \"25 mg 3 times daily\"" },
    { "QID", CODE("QID"), "100 a day, every 6 h, continuous, \"25 mg 4 times daily\"" },
    { "QOD", CODE("QOD"), "12.5 a day, every 48 h, \"25 mg every 2 days\"" },
    { "Q8H", CODE("Q8H"), "75 a day, every 8 h, continuous, \"25 mg every 8 hours\"" },
    { "Q 12H with a space", CODE("Q 12H"),
      "50 a day, every 12 h, continuous, \"25 mg every 12 hours\"" },
    { "Q48H", CODE("Q48H"), "12.5 a day, every 48 h, \"25 mg every 48 hours\"" },
    { "Q4W", CODE("Q4W"), "0.892857142857142857 a day, every 672 h, \"25 mg every 4 weeks\"" },
    { "AM", CODE("AM"), "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "WK", CODE("WK"), "3.57142857142857143 a day, every 168 h, \"25 mg once weekly\"" },
    { "Q6H:PRN", CODE("Q6H:PRN"),
      "0..100 a day, every 6 h, as needed, \"25 mg every 6 hours as needed\"" },
    { "a single dose has no daily one", CODE("ONCE"),
      "? (a single dose, no daily one), \"25 mg once\"" },
    { "an unknown code", CODE("ASDIR"), "? (how often is not stated), \"25 mg\"" },
    { "a range of hours in a code is not read as one number", CODE("Q4-6H"),
      "? (how often is not stated), \"25 mg\"" },
    { "Q1.5H is not every 15 hours", CODE("Q1.5H"), "? (how often is not stated), \"25 mg\"" },
    { "b.i.d. with points", CODE("b.i.d."),
      "50 a day, every 12 h, continuous, \"25 mg twice daily\"" },
    { "Q4H", CODE("Q4H"), "150 a day, every 4 h, continuous, \"25 mg every 4 hours\"" },
    { "BED", CODE("BED"), "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
    { "business days have no number", CODE("JB"), "? (how often is not stated), \"25 mg\"" },
    { "a code with the same meaning as the repeat",
      MG25 ",'timing':{'code':{'coding':[{'code':'Q8H'}]},'repeat':{'frequency':3,'period':1,"
           "'periodUnit':'d'}}",
      "75 a day, every 8 h, continuous, \"25 mg 3 times daily\"" },
    { "a code that contradicts the repeat: the dose is between the two",
      MG25 ",'timing':{'code':{'coding':[{'code':'BID'}]},'repeat':{'frequency':1,'period':1,"
           "'periodUnit':'d'}}",
      "25..50 a day, every 12..24 h, continuous, \"25 mg once daily or twice daily\"" },
    { "a code for one dose goes before the repeat",
      MG25 ",'timing':{'code':{'coding':[{'code':'ONCE'}]},'repeat':{'frequency':1,'period':1,"
           "'periodUnit':'d'}}",
      "? (a single dose, no daily one), \"25 mg once\"" },
    { "as needed in a code, beside a repeat",
      MG25 ",'timing':{'code':{'coding':[{'code':'Q6H PRN'}]},'repeat':{'frequency':1,'period':6,"
           "'periodUnit':'h'}}",
      "0..100 a day, every 6 h, as needed, \"25 mg every 6 hours as needed\"" },
    { "with meals, and a code that says how often",
      MG25 ",'timing':{'code':{'coding':[{'code':'TID'}]},'repeat':{'when':['AC']}}",
      "75 a day, every 8 h, continuous, \"25 mg 3 times daily\"" },
    { "a code does not mend a repeat that makes no sense",
      MG25 ",'timing':{'code':{'coding':[{'code':'TID'}]},'repeat':{'frequency':1,'period':0,"
           "'periodUnit':'d'}}",
      "? (the timing makes no sense), \"25 mg\"" },
    { "bounds hold beside a code",
      MG25
      ",'timing':{'code':{'coding':[{'code':'QD'}]},'repeat':{'boundsDuration':{'value':21," UCUM
      ",'code':'d'}}}",
      "25 a day, every 24 h, \"25 mg once daily\"" },
    { "a code of words alone decides nothing", MG25 ",'timing':{'code':{'text':'BID'}}",
      "? (how often is not stated), \"25 mg\"" },
    { "text is shown where we cannot read the timing", MG25 ",'text':'days 1-21 of 28'",
      "? (how often is not stated), a pause in the text, \"25 mg (days 1-21 of 28)\"" },
    { "daily, and a text that speaks of a pause: whether it is continuous is not known",
      TIMING("'frequency':1,'period':1,'periodUnit':'d'") ",'text':'Days 1-21 of a 28-day cycle'",
      "25 a day, every 24 h, a pause in the text, "
      "\"25 mg once daily (Days 1-21 of a 28-day cycle)\"" },
    { "the same said to the patient",
      TIMING("'frequency':1,'period':1,'periodUnit':'d'") ",'patientInstruction':'one week off'",
      "25 a day, every 24 h, a pause in the text, \"25 mg once daily\"" },
    { "text is not shown where we can",
      TIMING("'frequency':1,'period':1,'periodUnit':'d'") ",'text':'one in the morning'",
      "25 a day, every 24 h, continuous, \"25 mg once daily\"" },
};

static void check_timing(void **state)
{
    const struct timing_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };
    AUTO(buf_done) struct buf got = { 0 };

    buf_printf(&text, "{%s}", c->instruction);
    AUTO(chart_free) struct chart *chart = apply(LEN, buf_string(&text));
    const struct chart_order *order = &chart->orders[0];
    const struct dose *dose = &order->ingredients[0].dose;
    if (dose->daily_known) {
        fixture_interval(&dose->daily, &got);
        buf_text(&got, " a day, every ");
        fixture_interval(&dose->hours, &got);
        buf_text(&got, " h");
    } else {
        buf_printf(&got, "? (%s)", dose->why);
    }
    if (order->as_needed) buf_text(&got, ", as needed");
    if (order->continuous) buf_text(&got, ", continuous");
    if (order->pause_said) buf_text(&got, ", a pause in the text");
    buf_printf(&got, ", \"%s\"", order->dosage);
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- the words of several instructions, routes */

static const struct words_case {
    const char *name, *drug, *instructions, *want; /* words | route */
} words[] = {
    { "tablets of a known strength are told in milligrams", LEN10,
      "{" QUANTITY("'value':2,'unit':'tablet'") "}", "20 mg once daily | oral" },
    { "tablets of a combination as sent", COTRIM, "{" QUANTITY("'value':2,'unit':'tablet'") "}",
      "2 tablet once daily | oral" },
    { "a taper", LEN,
      "{'sequence':1," MG25 "," DAILY "},{'sequence':2," QUANTITY("'value':5,'unit':'mg'") "}",
      "25 mg once daily, then 5 mg once daily | unknown" },
    { "at the same time", LEN, "{" MG25 "," DAILY "},{" QUANTITY("'value':5,'unit':'mg'") "}",
      "25 mg once daily and 5 mg once daily | unknown" },
    { "free text as it stands", LEN, "{'text':'take one\\tdaily'}", "take one daily | unknown" },
    { "nothing to say", LEN, "{}", " | unknown" },
    { "a stated route", LEN, "{'route':{'coding':[{" SNOMED ",'code':'47625008'}]}}",
      " | intravenous" },
    { "the route of the product", ZOL, "{}", " | parenteral" },
    { "the stated route before that of the product", ZOL,
      "{'route':{'coding':[{'code':'x'},{" SNOMED ",'code':'47625008'}]}}", " | intravenous" },
    { "a route in words is none", LEN, "{'route':{'text':'oral'}}", " | unknown" },
};

static void check_words(void **state)
{
    const struct words_case *c = *state;
    AUTO(chart_free) struct chart *chart = apply(c->drug, c->instructions);
    AUTO(buf_done) struct buf got = { 0 };

    buf_printf(&got, "%s | %s", chart->orders[0].dosage, drug_route_name(chart->orders[0].route));
    assert_string_equal(buf_string(&got), c->want);
}

/* More instructions than are read: nothing is known, and the end is open. */
static void too_many_instructions_leave_everything_open(void **state)
{
    AUTO(buf_done) struct buf text = { 0 };

    (void)state;
    for (int i = 0; i < 200; i++)
        buf_printf(&text,
                   "%s{" TIMING("'frequency':1,'period':1,'periodUnit':'d','boundsPeriod':"
                                "{'end':'2026-05-02'}") "}",
                   i ? "," : "");
    AUTO(chart_free) struct chart *chart = apply(LEN, buf_string(&text));
    assert_false(chart->orders[0].ingredients[0].dose.daily_known);
    assert_false(chart->orders[0].continuous);
    assert_true(chart->orders[0].end_ms == INSTANT_NEVER);
}

/* ---- when it is taken, and how sure its start is */

static const struct moment_case {
    const char *name, *repeat;
    const char *other; /* a time of day to compare with */
    enum truth want;
    int64_t vague_ms; /* of the start */
} moments[] = {
    { "a clock time", "'timeOfDay':['08:00:00']", "08:00", TRUTH_TRUE, 0 },
    { "another clock time", "'timeOfDay':['08:00:00','20:00:00']", "12:00", TRUTH_FALSE, 0 },
    { "a moment", "'frequency':1,'period':1,'periodUnit':'d','when':['MORN']", "MORN", TRUTH_TRUE,
      0 },
    { "a moment of another part of the day", "'when':['HS']", "MORN", TRUTH_FALSE, 0 },
    { "with meals is no time", "'when':['C']", "MORN", TRUTH_UNKNOWN, 0 },
    { "an offset moves a moment", "'when':['ACM'],'offset':60", "ACM", TRUTH_UNKNOWN, 0 },
    { "nothing is stated", "'frequency':1,'period':1,'periodUnit':'d'", "MORN", TRUTH_UNKNOWN, 0 },
    { "a start on a day", "'boundsPeriod':{'start':'2026-05-01'}", "MORN", TRUTH_UNKNOWN,
      INSTANT_DAY },
    { "a start at an hour", "'boundsPeriod':{'start':'2026-05-01T08:00:00Z'}", "MORN",
      TRUTH_UNKNOWN, 0 },
};

static void check_moment(void **state)
{
    const struct moment_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };
    struct day_times other = { .known = true };

    assert_true(day_times_add(&other, c->other));
    buf_printf(&text, "{'timing':{'repeat':{%s}}}", c->repeat);
    AUTO(chart_free) struct chart *chart = apply(LEN, buf_string(&text));
    assert_int_equal(day_times_meet(&chart->orders[0].times, &other), c->want);
    assert_int_equal(chart->orders[0].start_span_ms, c->vague_ms);
}

/* ---- from each administration to the next */

static const struct rhythm_case {
    const char *name, *timing;
    struct duration want;
} rhythms[] = {
    { "every four weeks",
      "'repeat':{'frequency':1,'period':4,'periodUnit':'wk'}",
      { 0, 28 * INSTANT_DAY } },
    { "every 36 hours",
      "'repeat':{'frequency':1,'period':1.5,'periodUnit':'d'}",
      { 0, 36 * INSTANT_HOUR } },
    { "every three months by the calendar",
      "'repeat':{'frequency':1,'period':3,'periodUnit':'mo'}",
      { 3, 0 } },
    { "yearly", "'repeat':{'frequency':1,'period':1,'periodUnit':'a'}", { 12, 0 } },
    { "half a month is no length of the calendar",
      "'repeat':{'frequency':1,'period':0.5,'periodUnit':'mo'}",
      { 0, 0 } },
    { "a period alone", "'repeat':{'period':21,'periodUnit':'d'}", { 0, 21 * INSTANT_DAY } },
    { "a code", "'code':{'coding':[{'code':'Q4W'}]}", { 0, 28 * INSTANT_DAY } },
    { "a code beside a repeat that says the same",
      "'repeat':{'frequency':1,'period':7,'periodUnit':'d'},'code':{'coding':[{'code':'WK'}]}",
      { 0, 7 * INSTANT_DAY } },
    { "a code beside a repeat that says something else",
      "'repeat':{'frequency':1,'period':14,'periodUnit':'d'},'code':{'coding':[{'code':'WK'}]}",
      { 0, 0 } },
    { "twice a week is an average",
      "'repeat':{'frequency':2,'period':1,'periodUnit':'wk'}",
      { 0, 0 } },
    { "once or twice a week",
      "'repeat':{'frequency':1,'frequencyMax':2,'period':1,'periodUnit':'wk'}",
      { 0, 0 } },
    { "every three to four weeks",
      "'repeat':{'frequency':1,'period':3,'periodMax':4,'periodUnit':'wk'}",
      { 0, 0 } },
    { "on Mondays: from which one on is not said", "'repeat':{'dayOfWeek':['mon']}", { 0, 0 } },
    { "dates", "'event':['2026-05-01','2026-05-29','2026-06-26']", { 0, 0 } },
    { "once", "'code':{'coding':[{'code':'ONCE'}]}", { 0, 0 } },
    { "one of a count of one",
      "'repeat':{'count':1,'frequency':1,'period':28,'periodUnit':'d'}",
      { 0, 0 } },
    { "nothing is stated", "'repeat':{}", { 0, 0 } },
};

static void check_rhythm(void **state)
{
    const struct rhythm_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };
    struct duration every;

    buf_printf(&text, "{" MG25 ",'timing':{%s}}", c->timing);
    AUTO(chart_free) struct chart *chart = apply(LEN, buf_string(&text));
    every = chart->orders[0].ingredients[0].dose.every;
    assert_int_equal(every.months, c->want.months);
    assert_int_equal(every.ms, c->want.ms);
}

static void several_instructions_have_no_common_rhythm(void **state)
{
    AUTO(chart_free)
    struct chart *chart = apply(LEN, "{" MG25 "," DAILY "},{" MG25 "," DAILY "}");
    struct duration every = chart->orders[0].ingredients[0].dose.every;

    (void)state;
    assert_int_equal(every.months, 0);
    assert_int_equal(every.ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_instructions_leave_everything_open),
        cmocka_unit_test(several_instructions_have_no_common_rhythm),
    };
    int failed;

    knowledge = fixture_knowledge();
    failed = RUN_TABLE("dose", doses, check_dose) + RUN_TABLE("timing", timings, check_timing) +
             RUN_TABLE("moments", moments, check_moment) +
             RUN_TABLE("rhythms", rhythms, check_rhythm) + RUN_TABLE("words", words, check_words) +
             cmocka_run_group_tests_name("limits", tests, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
