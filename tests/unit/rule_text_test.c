/* Every kind of clause as a sentence, and quantities as people write them. */
#include "test.h"

#include "core/rule_text.h"
#include "core/rule_visit.h"
#include "rule_fixture.h"

/* ---- one clause in one line */

static const struct sentence_case {
    const char *name, *clause, *want;
} sentences[] = {
    { "an active order", "{'order':'lenalidomide'}", "an active order for lenalidomide" },
    { "no order", "{'noOrder':'naproxen'}", "no active order for naproxen" },
    { "orders on hold", "{'order':'lenalidomide','is':'held'}", "a held order for lenalidomide" },
    { "active or held", "{'order':'lenalidomide','is':'active or held'}",
      "an active or held order for lenalidomide" },
    { "active or planned", "{'order':'lenalidomide','is':'active or planned'}",
      "an active or planned order for lenalidomide" },
    { "planned", "{'order':'lenalidomide','is':'planned'}", "a planned order for lenalidomide" },
    { "ended within a time", "{'order':'rifampin','is':'ended','endedWithin':'14 d'}",
      "an ended order for rifampin, ended within the last 14 days" },
    { "started since, and before",
      "{'order':'rifampin','startedWithin':'3 mo','startedBefore':'7 d'}",
      "an active order for rifampin, started within the last 3 months, started more than 7 days "
      "ago" },
    { "doses", "{'order':'dexamethasone','single':'at least 20 mg','daily':'above 10 mg'}",
      "an active order for dexamethasone, single dose at least 20 mg, daily dose above 10 mg" },
    { "without a pause", "{'order':'lenalidomide','continuous':true}",
      "an active order for lenalidomide, every day without a pause" },
    { "routes", "{'order':'dexamethasone','route':['oral','intravenous']}",
      "an active order for dexamethasone, route oral or intravenous" },
    { "local use too", "{'order':'naproxen','use':'any'}",
      "an active order for naproxen, local use included" },
    { "a class but for one", "{'order':['lenalidomide','thalidomide'],'except':'thalidomide'}",
      "an active order for lenalidomide or thalidomide (but not thalidomide)" },
    { "several at once", "{'order':['naproxen','ibuprofen'],'different':2,'overlap':'1 d'}",
      "active orders for at least 2 different drugs of these: naproxen or ibuprofen, together for "
      "more than 1 day" },
    { "an effect that outlasts the order",
      "{'order':['ciprofloxacin','rifampin'],'lingers':{'ciprofloxacin':'2 d'}}",
      "an active order for ciprofloxacin or rifampin (ciprofloxacin still counts for 2 days after "
      "the order ended)" },
    { "all of them outlast it", "{'order':'rifampin','lingers':{'rifampin':'14 d'}}",
      "an active order for rifampin (it still counts for 14 days after the order ended)" },
    { "a result", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}",
      "the newest result for neutrophils, at most 14 days old, is below 1.0 × 10⁹/L" },
    { "a result of any age", "{'result':'platelets','is':'30 to 50 10*9/L','within':'ever'}",
      "the newest result for platelets, however old, is 30 to 50 × 10⁹/L" },
    { "a multiple of the upper limit",
      "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'}",
      "the newest result for ALT, at most 7 days old, is at least 3 × the upper limit of normal" },
    { "a multiple of the lowest",
      "{'result':'creatinine','is':'at least 1.5 x lowest in 7 d','within':'7 d'}",
      "the newest result for creatinine, at most 7 days old, is at least 1.5 × the lowest in 7 "
      "days" },
    { "a rise",
      "{'result':'creatinine','rose':'at least 0.5 mg/dL','since':'previous',"
      "'within':'7 d'}",
      "the newest result for creatinine, at most 7 days old, shows a rise of at least 0.5 mg/dL "
      "since the previous result" },
    { "a rise since the lowest",
      "{'result':'creatinine','rose':'at least 0.3 mg/dL',"
      "'since':'lowest in 48 h','within':'2 d'}",
      "the newest result for creatinine, at most 2 days old, shows a rise of at least 0.3 mg/dL "
      "since the lowest in 48 hours" },
    { "a fall of a course",
      "{'result':'platelets','fell':'at least 20 10*9/L','since':'baseline',"
      "'within':'7 d','course':'lenalidomide'}",
      "the newest result for platelets, at most 7 days old, shows a fall of at least 20 × 10⁹/L "
      "since the baseline (the baseline is the value before the course of lenalidomide)" },
    { "a baseline", "{'baseline':'creatinine','is':'above 2 mg/dL','course':'lenalidomide'}",
      "the result before the treatment for creatinine is above 2 mg/dL (the baseline is the value "
      "before the course of lenalidomide)" },
    { "a finding", "{'result':'hbsag','is':'positive','within':'ever'}",
      "the newest result for hepatitis B surface antigen, however old, is positive" },
    { "never a result", "{'noResult':'hbsag','within':'ever'}",
      "no result for hepatitis B surface antigen has ever been recorded" },
    { "a result that is overdue", "{'noResult':'platelets','within':'30 d'}",
      "no result for platelets within the last 30 days (due once the course has lasted that "
      "long)" },
    { "due at once", "{'noResult':'creatinine','within':'7 d','due':'at once'}",
      "no result for creatinine within the last 7 days (due as soon as the drug is ordered)" },
    { "due on dose days", "{'noResult':'creatinine','within':'7 d','due':'on dose days'}",
      "no result for creatinine within the last 7 days (asked on the days of a dose; where these "
      "are not known, from the order on)" },
    { "a schedule",
      "{'noResult':'platelets','schedule':[{'until':'56 d','within':'9 d'},"
      "{'until':'84 d','within':'16 d'},{'within':'35 d'}]}",
      "no result for platelets within the last 9 days (in the first 56 days of the course), 16 "
      "days "
      "(in the first 84 days), 35 days (after that) (due once the course has lasted that long)" },
    { "a condition", "{'condition':'dialysis'}", "dialysis is on record as active" },
    { "a condition of long ago", "{'condition':'dialysis','is':'ever','within':'36 mo'}",
      "dialysis is on record, now or in the past, within the last 36 months" },
    { "no condition", "{'noCondition':'dialysis'}", "dialysis is not on record as active" },
    { "an allergy", "{'allergy':'ibuprofen'}", "an allergy to ibuprofen is on record" },
    { "age", "{'age':'above 60 a'}", "the age is above 60 years" },
    { "sex", "{'sex':'female'}", "the patient is female" },
    { "profile", "{'profile':'eu'}", "the site follows the labels of the EU" },
    { "a course", "{'course':'lenalidomide','is':'above 28 d'}",
      "the course of lenalidomide has lasted more than 28 days" },
    { "the start of a cycle", "{'cycleStart':'lenalidomide','cycle':'28 d','within':'7 d'}",
      "it is within the first 7 days of a cycle of lenalidomide (cycles of 28 days)" },
    { "the first day of a cycle", "{'cycleStart':'lenalidomide','cycle':'28 d','within':'1 d'}",
      "it is day 1 of a cycle of lenalidomide (cycles of 28 days)" },
    { "a ceiling of nothing",
      "{'ceiling':'zoledronic-acid','by':'crcl','within':'7 d','table':["
      "{'when':'below 30 mL/min','max':'0 mg'},{'max':'4 mg'}]}",
      "the ordered dose of zoledronic acid is above its maximum for creatinine clearance, at most "
      "7 "
      "days old (below 30 mL/min: none may be given; otherwise: at most 4 mg)" },
    { "what cannot be computed", "{'notComputable':'crcl','within':'30 d'}",
      "creatinine clearance cannot be computed from results that are at most 30 days old" },
    { "a ceiling",
      "{'ceiling':'zoledronic-acid','by':'crcl','within':'30 d',"
      "'is':'at most 60 mL/min','table':[{'when':'above 60 mL/min','max':'4 mg'},"
      "{'and':{'condition':'dialysis'},'max':'3 mg every 48 h'},{'max':'3.5 mg'}]}",
      "the ordered dose of zoledronic acid is above its maximum for creatinine clearance, at most "
      "30 days old (asked only where that is at most 60 mL/min) (above 60 mL/min: at most 4 mg; "
      "dialysis is on record as active: at most 3 mg every 48 hours; otherwise: at most 3.5 mg)" },
    { "a ceiling by age",
      "{'ceiling':'dexamethasone','by':'age','is':'above 75 a','table':[{'max':'20 mg'}]}",
      "the ordered dose of dexamethasone is above its maximum for the age (asked only where that "
      "is "
      "above 75 years) (otherwise: at most 20 mg)" },
    { "a ceiling by a multiple of the upper limit",
      "{'ceiling':'dexamethasone','by':'alt','within':'7 d','table':["
      "{'when':'above 3 x upper limit','max':'20 mg'}]}",
      "the ordered dose of dexamethasone is above its maximum for ALT, at most 7 days old (above 3 "
      "× "
      "the upper limit of normal: at most 20 mg)" },
    { "starts near each other",
      "{'order':'dexamethasone','startsWithin':'24 h','of':'lenalidomide'}",
      "an active order for dexamethasone, with a start within 1 day before or after that of "
      "another order for lenalidomide" },
    { "the same time of day", "{'order':'dexamethasone','sameTimeAs':'lenalidomide'}",
      "an active order for dexamethasone, taken at a time of day of another order for "
      "lenalidomide" },
    { "a total dose", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}",
      "an active order for dexamethasone, total dose at least 160 mg in 28 days" },
    { "all of several", "{'all':[{'order':'lenalidomide'},{'sex':'male'}]}",
      "an active order for lenalidomide; and the patient is male" },
    { "one of several inside",
      "{'all':[{'any':[{'sex':'male'},{'age':'above 60 a'}]},"
      "{'order':'lenalidomide'}]}",
      "(the patient is male; or the age is above 60 years); and an active order for lenalidomide" },
    { "not one", "{'not':{'sex':'male'}}", "it is not so that: the patient is male" },
    { "none of several", "{'not':{'any':[{'sex':'male'},{'age':'above 60 a'}]}}",
      "none of these: (the patient is male; or the age is above 60 years)" },
    { "not all of several", "{'not':{'all':[{'sex':'male'},{'age':'above 60 a'}]}}",
      "not all of these: (the patient is male; and the age is above 60 years)" },
    { "a number of several",
      "{'atLeast':2,'of':[{'sex':'male'},{'age':'above 60 a'},"
      "{'condition':'dialysis'}]}",
      "at least 2 of these: (the patient is male; the age is above 60 years; dialysis is on record "
      "as active)" },
    { "unless", "{'unless':{'sex':'male'},'note':'Sex is not known.'}",
      "unless (otherwise, the alert says: “Sex is not known.”): the patient is male" },
    { "unless, where it can be told", "{'unless':{'sex':'male'},'whenUnknown':'Sex unknown.'}",
      "unless (where it cannot be told, the alert says: “Sex unknown.”): the patient is male" },
    { "the benefit of the doubt", "{'unless':{'not':{'sex':'male'}},'whenUnknown':'Sex unknown.'}",
      "it is so, or cannot be told, that (where it cannot be told, the alert says: “Sex "
      "unknown.”): the patient is male" },
    { "perhaps", "{'maybe':{'sex':'male'},'note':'No diagnosis.'}",
      "whether the rule holds cannot be told (“No diagnosis.”) where: the patient is male" },
    { "a shared clause", "{'definition':'old-man'}", "“old man” is met" },
};

#define DEFINED                                                                                    \
    "{'definitions':{'old-man':{'all':[{'sex':'male'},{'age':'above 60 a'}]},"                     \
    "'woman':{'sex':'female'},'on-imid':{'order':'class:imid'}}}"

static struct knowledge *load(const char *clause, const char *more)
{
    AUTO(buf_done) struct buf rule = { 0 };

    buf_printf(&rule, "{'id':'r','when':{'all':[{'order':'lenalidomide'},%s]}%s," RULE_REST "}",
               clause, more);
    return fixture_load(buf_string(&rule), DEFINED);
}

static void check_sentence(void **state)
{
    const struct sentence_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = load(c->clause, "");
    AUTO(buf_done) struct buf text = { 0 };

    rule_sentence(&knowledge_rule(knowledge, 0)->when->parts[1], knowledge, &text);
    assert_string_equal(buf_string(&text), c->want);
}

/* ---- quantities and units */

static const struct quantity_case {
    const char *name, *words, *want;
} quantities[] = {
    { "counts", "below 1.0 10*9/L", "below 1.0 × 10⁹/L" },
    { "powers of two digits", "above 2 10*12/L", "above 2 × 10¹²/L" },
    { "micro", "above 88 umol/L", "above 88 µmol/L" },
    { "per microlitre", "below 500 /uL", "below 500 /µL" },
    { "per surface", "below 30 mL/min/{1.73_m2}", "below 30 mL/min/1.73 m²" },
    { "square metres", "above 25 kg/m2", "above 25 kg/m²" },
    { "dose by surface", "at least 20 mg/m2", "at least 20 mg/m²" },
    { "units of activity", "above 5 m[IU]/L", "above 5 mIU/L" },
    { "pressure", "above 140 mm[Hg]", "above 140 mmHg" },
    { "a day's urine", "above 300 mg/(24.h)", "above 300 mg/24 h" },
    { "temperature", "at least 38.3 Cel", "at least 38.3 °C" },
    { "nothing to say", "above 3 {INR}", "above 3" },
    { "a share", "above 9 %", "above 9%" },
    { "a span", "30 to 60 mL/min", "30 to 60 mL/min" },
    { "one day", "above 1 d", "above 1 day" },
    { "every so often", "15 mg every 48 h", "15 mg every 48 hours" },
    { "the previous result", "at least 2 x previous", "at least 2 × the previous result" },
    { "nothing at all", "", "" },
};

static void check_quantity(void **state)
{
    const struct quantity_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };

    rule_quantity(c->words, &text);
    assert_string_equal(buf_string(&text), c->want);
}

/* ---- outlines, and what names stand for */

static void lines_add(struct buf *text, const struct rule_outline *outline)
{
    for (size_t i = 0; i < outline->count; i++)
        buf_printf(text, "%*s%s\n", (int)(2 * outline->lines[i].depth), "", outline->lines[i].text);
}

static const struct outline_case {
    const char *name, *clause;
    bool definitions;
    const char *want;
} outlines[] = {
    { "parts stand below their head",
      "{'any':[{'sex':'male'},{'all':[{'age':'above 60 a'},"
      "{'condition':'dialysis'}]}]}",
      false,
      "an active order for lenalidomide; and\n"
      "one or more of these:\n"
      "  the patient is male; or\n"
      "  all of these:\n"
      "    the age is above 60 years; and\n"
      "    dialysis is on record as active\n" },
    { "a shared clause by its name", "{'definition':'old-man'}", false,
      "an active order for lenalidomide; and\n“old man” is met\n" },
    { "a shared clause in full", "{'definition':'old-man'}", true,
      "an active order for lenalidomide; and\n“old man” is met, that is:\n"
      "  the patient is male; and\n  the age is above 60 years\n" },
    { "a shared clause of one part", "{'definition':'woman'}", true,
      "an active order for lenalidomide; and\n“woman” is met, that is:\n"
      "  the patient is female\n" },
    { "none of several", "{'not':{'any':[{'sex':'male'},{'age':'above 60 a'}]}}", false,
      "an active order for lenalidomide; and\nnone of these:\n"
      "  the patient is male; or\n  the age is above 60 years\n" },
    { "rows of a ceiling",
      "{'ceiling':'zoledronic-acid','by':'crcl','within':'30 d','table':["
      "{'when':'above 60 mL/min','max':'4 mg'},{'max':'3.5 mg'}]}",
      false,
      "an active order for lenalidomide; and\n"
      "the ordered dose of zoledronic acid is above its maximum for creatinine clearance, at most "
      "30 days old:\n  above 60 mL/min: at most 4 mg;\n  otherwise: at most 3.5 mg\n" },
    { "several drugs of one alert", "{'order':['naproxen','ibuprofen'],'as':'together'}", false,
      "an active order for lenalidomide; and\n"
      "an active order for naproxen or ibuprofen (one alert for all of them)\n" },
};

static void check_outline(void **state)
{
    const struct outline_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = load(c->clause, "");
    AUTO(buf_done) struct buf text = { 0 };
    struct rule_outline outline;

    rule_outline_make(knowledge_rule(knowledge, 0)->when, knowledge, c->definitions, &outline);
    lines_add(&text, &outline);
    rule_outline_done(&outline);
    assert_string_equal(buf_string(&text), c->want);
}

/* ---- what names stand for: the classes of the test knowledge are in rule_knowledge.h */

static const struct members_case {
    const char *name, *clause, *more, *want;
} members[] = {
    { "what is taken out of a class is not in it", "{'order':'class:imid','except':'lenalidomide'}",
      "", "any imid (but not lenalidomide): pomalidomide, thalidomide\n" },
    { "a single drug needs no explanation", "{'order':'naproxen'}", "", "" },
    { "a class of shared clauses", "{'definition':'on-imid'}", "",
      "any imid: lenalidomide, pomalidomide, thalidomide\n" },
    { "a class that is named twice is told once",
      "{'any':[{'order':'class:imid'},{'noOrder':'class:imid'}]}",
      ",'persists':{'order':['lenalidomide','class:imid']}",
      "any imid: lenalidomide, pomalidomide, thalidomide\n"
      "lenalidomide or any imid: lenalidomide, pomalidomide, thalidomide\n" },
    { "the partner of a start", "{'order':'dexamethasone','startsWithin':'24 h','of':'class:imid'}",
      "", "any imid: lenalidomide, pomalidomide, thalidomide\n" },
    { "the course of a baseline",
      "{'baseline':'creatinine','is':'above 2 mg/dL','course':'class:imid'}", "",
      "any imid: lenalidomide, pomalidomide, thalidomide\n" },
    { "a row of a ceiling",
      "{'ceiling':'zoledronic-acid','by':'crcl','within':'30 d','table':["
      "{'and':{'order':'class:imid'},'max':'3 mg'},{'max':'4 mg'}]}",
      "", "any imid: lenalidomide, pomalidomide, thalidomide\n" },
};

static void check_members(void **state)
{
    const struct members_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = load(c->clause, c->more);
    AUTO(buf_done) struct buf text = { 0 };
    struct rule_outline told;

    rule_members_make(knowledge_rule(knowledge, 0), knowledge, &told);
    lines_add(&text, &told);
    rule_outline_done(&told);
    assert_string_equal(buf_string(&text), c->want);
}

int main(void)
{
    int failed = RUN_TABLE("sentences of clauses", sentences, check_sentence);

    failed += RUN_TABLE("quantities", quantities, check_quantity);
    failed += RUN_TABLE("outlines", outlines, check_outline);
    return failed + RUN_TABLE("members", members, check_members);
}
