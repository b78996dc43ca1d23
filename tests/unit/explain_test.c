/* One chart, rules of every kind of clause and every consequence, told as a pharmacist reads it. */
#include "test.h"

#include "core/explain.h"
#include "rule_fixture.h"

#define GOLDEN "tests/golden/explain.out"

#define REST_SHOWN(display)                                                                        \
    "'kind':'dose-hold','title':'Title of this rule','severity':'high','severityBasis':'b',"       \
    "'display':" display ",'code':'LAB','mechanism':'M.','recommendation':'R.',"                   \
    "'sources':[{'document':'D'}],'verification':{'grade':'verified'},"                            \
    "'cases':[{'name':'n','then':'silent'}]"
#define RULE_AND(id, more, when)                                                                   \
    "{'id':'" id "'," more ",'when':" when "," REST_SHOWN("'passive'") "}"

#define LOW_COUNT "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}"

static const char rules[] =
    RULE("hold", "{'all':[{'order':'lenalidomide'}," LOW_COUNT
                 "]}") "," RULE_AND("crit", "'yieldsTo':['hold']",
                                    "{'all':[{'order':'class:imid','as':'together'}," LOW_COUNT
                                    "]}") "," RULE_AND("shadow", "'mode':'shadow'",
                                                       LOW_COUNT) "," RULE_AND("harmless", "'verdict':'checked-none-known'", "{'order':'class:nsaid'}") ","
                                                                                                                                                        "{'id':'hidden','when':{'order':'naproxen'}," REST_SHOWN("'suppressed'") "}," RULE_AND("lasts",
                                                                                                                                                                                                                                               "'persists':{'all':[{'order':'lenalidomide','is':'active or held'},"
                                                                                                                                                                                                                                               "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",
                                                                                                                                                                                                                                               "{'all':[{'order':'lenalidomide'},"
                                                                                                                                                                                                                                               "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'}]}") "," RULE("pair", "{'all':[{'order':'class:imid'},{'order':'class:nsaid'},"
                                                                                                                                                                                                                                                                                                                                   "{'not':{'order':'dexamethasone','single':'at least 40 mg'}}]}") "," RULE("orders",
                                                                                                                                                                                                                                                                                                                                                                                                             "{'any':[{'order':'rifampin','lingers':{'rifampin':'2 d'}},"
                                                                                                                                                                                                                                                                                                                                                                                                             "{'order':'class:imid','different':2,'overlap':'28 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                             "{'order':'zoledronic-acid','route':['intravenous','oral'],"
                                                                                                                                                                                                                                                                                                                                                                                                             "'daily':'above 1 mg','startedBefore':'7 d'},{'noOrder':'ibuprofen'}]}") "," RULE("results",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{'any':[{'result':'hbsag','is':'positive','within':'ever'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{'result':'creatinine','rose':'at least 0.5 mg/dL','since':'previous',"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "'within':'7 d'},{'result':'crcl','is':'below 30 mL/min','within':'30 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "{'result':'height','is':'above 200 cm','within':'7 d'}]}") "," RULE("gaps",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "{'baseline':'creatinine','is':'above 1 mg/dL'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    "{'noResult':'hbsag','within':'ever'}]}") "," RULE("patient", "{'atLeast':3,'of':[{'condition':'dialysis'},{'noCondition':'multiple-myeloma'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{'allergy':'thalidomide'},{'age':'above 75 a'},{'sex':'male'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{'course':'lenalidomide','is':'above 28 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{'cycleStart':'lenalidomide','cycle':'28 d','within':'3 d'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{'unless':{'definition':'woman'},'note':'Taken for a man.'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "{'maybe':{'sex':'female'},'note':'Perhaps.'}]}") "," RULE("doses",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "{'all':[{'order':'lenalidomide'},{'any':[{'ceiling':'lenalidomide','by':'crcl',"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "'within':'30 d','table':[{'when':'above 60 mL/min','max':'25 mg daily'},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                             "{'max':'10 mg daily'}]},{'notComputable':'crcl','within':'30 d'}]}]}");

static char *told(void)
{
    static const char *const open[] = { "case|lasts|lenalidomide" };
    const struct eval_options options = { .trace_all = true, .open = open, .open_count = 1 };
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(rules, "{'definitions':{'woman':{'sex':'female'}}}");
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, "female, 70 years, 60 kg, 165 cm",
        "lenalidomide 25 mg daily, since 28 d ago; naproxen 500 mg every 12 h, expired 2 d ago; "
        "dexamethasone 20 mg every 7 d; rifampin 600 mg daily, until 1 d ago; "
        "zoledronic-acid 4 mg, start unknown; unmapped Pill",
        "neutrophils 0.7 10*9/L, 1 d ago; platelets 40 10*9/L, 2 d ago; creatinine 1.0 mg/dL, "
        "40 d ago; creatinine 1.3 mg/dL, 3 d ago; alt <200 U/L, now, upper 40 U/L",
        "multiple-myeloma, since 400 d ago; dialysis, unconfirmed");
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, &options);
    struct buf text = { 0 };

    explain_write(evaluation, knowledge, &text);
    return buf_take(&text);
}

static void check_explain(void **state)
{
    struct buf want = { 0 };
    char *got = told();
    FILE *f;

    (void)state;
    if (getenv("GOLDEN_UPDATE")) {
        f = fopen(GOLDEN, "wb");
        assert_non_null(f);
        fputs(got, f);
        fclose(f);
    }
    f = fopen(GOLDEN, "rb");
    assert_non_null(f);
    for (int c; (c = fgetc(f)) != EOF;) buf_char(&want, (char)c);
    fclose(f);
    assert_string_equal(got, buf_string(&want));
    buf_done(&want);
    free(got);
}

/* The same chart gives the same bytes. */
static void check_stable(void **state)
{
    char *one = told(), *two = told();

    (void)state;
    assert_string_equal(one, two);
    free(one);
    free(two);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        { "everything a rule says, in words", check_explain, NULL, NULL, NULL },
        { "twice the same bytes", check_stable, NULL, NULL, NULL },
    };

    return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
