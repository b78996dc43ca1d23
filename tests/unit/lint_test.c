/* What lint says of rules, and where it is silent. */
#include "test.h"

#include "core/lint.h"
#include "rule_fixture.h"

/* A rule about `when`; one that has more than that. */
#define W(when)          RULE("r", when)
#define MORE(id, fields) "{'id':'" id "'," fields "," RULE_REST "}"

#define LEN       "{'order':'lenalidomide'}"
#define PLT(is)   "{'result':'platelets','is':'" is " 10*9/L','within':'14 d'}"
#define ALL(a, b) "{'all':[" a "," b "]}"
#define ANY(a, b) "{'any':[" a "," b "]}"

/* A ceiling of zoledronic acid by creatinine, with rows of the table. */
#define CEILING(is, rows)                                                                          \
    "{'all':[{'order':'zoledronic-acid'},{'ceiling':'zoledronic-acid','by':'creatinine'," is       \
    "'within':'7 d','table':[" rows "]}]}"

static const struct lint_case {
    const char *name;
    enum lint_check check; /* others are not looked at */
    const char *rules;
    const char *want; /* "severity: what" of the one such finding, in part; NULL: there is none */
} cases[] = {
    /* contradictions */
    { "below 25 and at least 50 is never true", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), PLT("at least 50"))), "error: this is never true together with line" },
    { "below 25 and at least 25 is never true", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), PLT("at least 25"))), "error:" },
    { "at most 25 and at least 25 can be true", LINT_CONTRADICTION,
      W(ALL(PLT("at most 25"), PLT("at least 25"))), NULL },
    { "25 to 50 and above 50 is never true", LINT_CONTRADICTION,
      W(ALL(PLT("25 to 50"), PLT("above 50"))), "error:" },
    { "25 to 50 and at least 50 can be true", LINT_CONTRADICTION,
      W(ALL(PLT("25 to 50"), PLT("at least 50"))), NULL },
    { "other analytes do not contradict", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), "{'result':'neutrophils','is':'at least 50 10*9/L','within':'14 d'}")),
      NULL },
    { "a unit that is converted contradicts as well", LINT_CONTRADICTION,
      W(ALL("{'result':'neutrophils','is':'below 500 /uL','within':'14 d'}",
            "{'result':'neutrophils','is':'at least 0.5 10*9/L','within':'7 d'}")),
      "error:" },
    { "a value and a baseline are two numbers", LINT_CONTRADICTION,
      W("{'all':[" LEN "," PLT("below 25") ",{'baseline':'platelets','is':'at least 50 10*9/L'}]}"),
      NULL },
    { "positive and negative", LINT_CONTRADICTION,
      W(ALL("{'result':'hbsag','is':'positive','within':'ever'}",
            "{'result':'hbsag','is':'negative','within':'ever'}")),
      "error:" },
    { "above 75 and below 12 years", LINT_CONTRADICTION,
      W(ALL("{'age':'above 75 a'}", "{'age':'below 12 a'}")), "error:" },
    { "above 75 and below 76 completed years", LINT_CONTRADICTION,
      W(ALL("{'age':'above 75 a'}", "{'age':'below 76 a'}")), "error:" },
    { "above 75 and below 77 completed years can be", LINT_CONTRADICTION,
      W(ALL("{'age':'above 75 a'}", "{'age':'below 77 a'}")), NULL },
    { "an order and its absence", LINT_CONTRADICTION, W(ALL(LEN, "{'noOrder':'lenalidomide'}")),
      "error:" },
    { "an order and the absence of its class", LINT_CONTRADICTION,
      W(ALL(LEN, "{'noOrder':'class:imid'}")), "error:" },
    { "a class and the absence of one of it can be", LINT_CONTRADICTION,
      W(ALL("{'order':'class:imid'}", "{'noOrder':'lenalidomide'}")), NULL },
    { "a small dose and no order at all", LINT_CONTRADICTION,
      W(ALL("{'order':'lenalidomide','daily':'at most 10 mg'}", "{'noOrder':'lenalidomide'}")),
      "error:" },
    { "an order and no large dose of it can be", LINT_CONTRADICTION,
      W(ALL(LEN, "{'noOrder':'lenalidomide','daily':'above 10 mg'}")), NULL },
    { "an order on hold and no active one can be", LINT_CONTRADICTION,
      W(ALL("{'order':'lenalidomide','is':'held'}", "{'noOrder':'lenalidomide'}")), NULL },
    { "a condition and its absence", LINT_CONTRADICTION,
      W(ALL("{'condition':'dialysis'}", "{'noCondition':'dialysis','is':'ever'}")), "error:" },
    { "a condition of the past that is not active can be", LINT_CONTRADICTION,
      W(ALL("{'condition':'dialysis','is':'ever'}", "{'noCondition':'dialysis'}")), NULL },
    { "both profiles", LINT_CONTRADICTION, W(ALL("{'profile':'us'}", "{'profile':'eu'}")),
      "error:" },
    { "a clause and its denial", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), "{'not':" PLT("below 50") "}")), "error:" },
    { "a clause and the denial of a narrower one can be", LINT_CONTRADICTION,
      W(ALL(PLT("below 50"), "{'not':" PLT("below 25") "}")), NULL },
    { "a clause that is its own exception", LINT_CONTRADICTION,
      W(ALL(LEN, "{'unless':{'order':'class:imid'},'note':'n'}")), "error:" },
    { "every branch contradicts", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), ANY(PLT("at least 50"), PLT("30 to 40")))), "error:" },
    { "one branch may hold", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), ANY(PLT("at least 50"), PLT("at most 10")))), NULL },
    { "two of three cannot be", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"),
            "{'atLeast':2,'of':[{'sex':'male'}," PLT("above 30") "," PLT("above 40") "]}")),
      "error:" },
    { "one of three can be", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"),
            "{'atLeast':1,'of':[{'sex':'male'}," PLT("above 30") "," PLT("above 40") "]}")),
      NULL },
    { "a result that is also missing", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), "{'noResult':'platelets','within':'14 d','due':'at once'}")),
      "error:" },
    { "a result that may be older than the gap", LINT_CONTRADICTION,
      W(ALL(PLT("below 25"), "{'noResult':'platelets','within':'13 d','due':'at once'}")), NULL },
    { "missing on dose days, and not missing at all times", LINT_CONTRADICTION,
      W("{'all':[" LEN ",{'noResult':'platelets','within':'14 d','due':'on dose days'},"
        "{'not':{'noResult':'platelets','within':'7 d','due':'at once'}}]}"),
      "error:" },
    { "missing at all times, and not asked between doses, can be", LINT_CONTRADICTION,
      W("{'all':[" LEN ",{'noResult':'platelets','within':'14 d','due':'at once'},"
        "{'not':{'noResult':'platelets','within':'7 d','due':'on dose days'}}]}"),
      NULL },
    { "started within 7 days and more than 7 days ago", LINT_CONTRADICTION,
      W("{'order':'lenalidomide','startedWithin':'7 d','startedBefore':'7 d'}"), "error:" },
    { "started within 8 days and more than 7 days ago", LINT_CONTRADICTION,
      W("{'order':'lenalidomide','startedWithin':'8 d','startedBefore':'7 d'}"), NULL },
    { "a course that is long and short", LINT_CONTRADICTION,
      W("{'all':[" LEN ",{'course':'lenalidomide','is':'above 28 d'},"
        "{'course':'lenalidomide','is':'at most 28 d'}]}"),
      "error:" },

    /* always true */
    { "below or at least is never false", LINT_ALWAYS_TRUE,
      W(ANY(PLT("below 25"), PLT("at least 25"))), "error: this is never false" },
    { "below or above leaves the limit itself", LINT_ALWAYS_TRUE,
      W(ANY(PLT("below 25"), PLT("above 25"))), NULL },
    { "up to 75 years or above is never false", LINT_ALWAYS_TRUE,
      W(ANY("{'age':'at most 75 a'}", "{'age':'at least 76 a'}")), "error:" },
    { "a year between them is left", LINT_ALWAYS_TRUE,
      W(ANY("{'age':'below 75 a'}", "{'age':'at least 76 a'}")), NULL },
    { "an order or its absence", LINT_ALWAYS_TRUE, W(ANY("{'noOrder':'lenalidomide'}", LEN)),
      "error:" },
    { "an order or the absence of its class", LINT_ALWAYS_TRUE,
      W(ANY(LEN, "{'noOrder':'class:imid'}")), NULL },
    { "a clause or its denial", LINT_ALWAYS_TRUE,
      W(ANY(PLT("below 50"), "{'not':" PLT("below 25") "}")), "error:" },
    { "either profile", LINT_ALWAYS_TRUE, W(ANY("{'profile':'us'}", "{'profile':'eu'}")),
      "error:" },

    /* unreachable */
    { "a branch within another", LINT_UNREACHABLE, W(ANY(PLT("below 50"), PLT("below 25"))),
      "warning: this branch adds nothing" },
    { "a branch within another of a wider window", LINT_UNREACHABLE,
      W(ANY("{'result':'platelets','is':'below 50 10*9/L','within':'30 d'}", PLT("below 25"))),
      "warning:" },
    { "a branch that looks further back", LINT_UNREACHABLE,
      W(ANY(PLT("below 50"), "{'result':'platelets','is':'below 25 10*9/L','within':'15 d'}")),
      NULL },
    { "two months and 62 days are the same at most", LINT_UNREACHABLE,
      W(ANY("{'result':'platelets','is':'below 25 10*9/L','within':'62 d'}",
            "{'result':'platelets','is':'below 25 10*9/L','within':'2 mo'}")),
      "warning:" },
    { "two months may be longer than 61 days", LINT_UNREACHABLE,
      W(ANY("{'result':'platelets','is':'below 25 10*9/L','within':'61 d'}",
            "{'result':'platelets','is':'below 25 10*9/L','within':'2 mo'}")),
      NULL },
    { "a branch of a class that has it", LINT_UNREACHABLE, W(ANY("{'order':'class:imid'}", LEN)),
      "warning:" },
    { "the same branch twice is told once", LINT_UNREACHABLE, W(ANY(LEN, LEN)), "warning:" },
    { "local use is no systemic use", LINT_UNREACHABLE,
      W(ANY("{'order':'naproxen'}", "{'order':'naproxen','use':'any'}")), "whenever it is true" },
    { "a branch with another route", LINT_UNREACHABLE,
      W(ANY("{'order':'dexamethasone','route':'oral'}",
            "{'order':'dexamethasone','route':'intravenous'}")),
      NULL },
    { "a branch that is never true where it stands", LINT_UNREACHABLE,
      W(ALL(PLT("below 25"), ANY(PLT("at least 50"), LEN))), "warning: this branch is never true" },
    { "an exception that never matters", LINT_UNREACHABLE,
      W(ALL("{'age':'above 75 a'}", "{'unless':{'age':'below 12 a'},'note':'n'}")),
      "warning: this exception never matters" },
    { "an exception that matters", LINT_UNREACHABLE,
      W(ALL("{'age':'above 75 a'}", "{'unless':{'age':'above 90 a'},'note':'n'}")), NULL },
    { "no gap beside its result turns cannot tell into no", LINT_UNREACHABLE,
      W(ALL("{'not':{'noResult':'hbsag','within':'ever'}}",
            "{'result':'hbsag','is':'positive','within':'ever'}")),
      NULL },
    { "a row behind one without a limit", LINT_UNREACHABLE,
      W(CEILING("", "{'max':'4 mg'},{'when':'above 2 mg/dL','max':'3 mg'}")),
      "warning: row 2 of the table (above 2 mg/dL: 3 mg) is never chosen" },
    { "a row that two others take together", LINT_UNREACHABLE,
      W(CEILING("",
                "{'when':'below 2 mg/dL','max':'4 mg'},{'when':'at least 2 mg/dL','max':'3 mg'},"
                "{'max':'2 mg'}")),
      "warning: row 3 of the table (otherwise: 2 mg)" },
    { "a row for the value between two others", LINT_UNREACHABLE,
      W(CEILING("", "{'when':'below 2 mg/dL','max':'4 mg'},{'when':'above 2 mg/dL','max':'3 mg'},"
                    "{'max':'2 mg'}")),
      NULL },
    { "a row behind one that asks for more", LINT_UNREACHABLE,
      W(CEILING("", "{'and':{'sex':'male'},'max':'4 mg'},{'max':'3 mg'}")), NULL },
    { "a row outside what the table is asked for is a note", LINT_UNREACHABLE,
      W(CEILING("'is':'above 2 mg/dL',", "{'when':'at most 2 mg/dL','max':'4 mg'},{'max':'3 mg'}")),
      "note: row 1 of the table" },
    { "a row that what is asked for and another leave nothing", LINT_UNREACHABLE,
      W(CEILING("'is':'above 2 mg/dL',",
                "{'when':'above 2 mg/dL','max':'4 mg'},{'when':'at least 1 mg/dL','max':'3 mg'}")),
      "warning: row 2" },
    { "multiples of the limit are another scale", LINT_UNREACHABLE,
      W(CEILING("", "{'when':'above 1 mg/dL','max':'4 mg'},"
                    "{'when':'above 2 x upper limit','max':'3 mg'}")),
      NULL },
    { "a row behind a value and a multiple, which take nothing together", LINT_UNREACHABLE,
      W(CEILING("'is':'above 2 mg/dL',", "{'when':'above 1 x upper limit','max':'3 mg'},"
                                         "{'max':'2 mg'}")),
      NULL },
    { "a row behind two multiples that take all", LINT_UNREACHABLE,
      W(CEILING("", "{'when':'above 1 x upper limit','max':'3 mg'},"
                    "{'when':'at most 1 x upper limit','max':'4 mg'},{'max':'2 mg'}")),
      "warning: row 3 of the table" },
    { "persists is false whenever when is true", LINT_UNREACHABLE,
      MORE("r", "'when':" ALL(LEN, PLT("below 25")) ",'persists':" ALL(LEN, PLT("at least 50"))),
      "warning: \"persists\" of r is false whenever" },
    { "persists adds nothing", LINT_UNREACHABLE,
      MORE("r", "'when':" ALL(LEN, PLT("below 25")) ",'persists':" ALL(LEN, PLT("below 20"))),
      "warning: \"persists\" of r adds nothing" },
    { "persists reaches further", LINT_UNREACHABLE,
      MORE("r", "'when':" ALL(LEN, PLT("below 25")) ",'persists':" ALL(LEN, PLT("below 50"))),
      NULL },

    /* recency */
    { "a number of any age", LINT_MISSING_RECENCY,
      W("{'result':'platelets','is':'below 25 10*9/L','within':'ever'}"),
      "warning: a number of any age counts as the present one" },
    { "a finding of any age", LINT_MISSING_RECENCY,
      W("{'result':'hbsag','is':'positive','within':'ever'}"), NULL },
    { "a baseline has its own time", LINT_MISSING_RECENCY,
      W(ALL(LEN, "{'baseline':'platelets','is':'below 25 10*9/L'}")), NULL },
    { "a gap in numbers without a window", LINT_MISSING_RECENCY,
      W("{'noResult':'platelets','within':'ever'}"), "warning: a number of any age fills the gap" },
    { "a finding that was never looked for", LINT_MISSING_RECENCY,
      W("{'noResult':'hbsag','within':'ever'}"), NULL },
    { "a number of any age that is accepted", LINT_MISSING_RECENCY,
      MORE("r", "'when':{'result':'platelets','is':'below 25 10*9/L','within':'ever'},"
                "'accepted':{'missing-recency':'a reason'}"),
      NULL },
    { "what is accepted and not found", LINT_ACCEPTED,
      MORE("r", "'when':" PLT("below 25") ",'accepted':{'missing-recency':'a reason'}"),
      "warning: r accepts \"missing-recency\", and nothing of that kind is found" },
    { "what is accepted and found", LINT_ACCEPTED,
      MORE("r", "'when':{'result':'platelets','is':'below 25 10*9/L','within':'ever'},"
                "'accepted':{'missing-recency':'a reason'}"),
      NULL },
    { "a review that is accepted is asked for with a day only", LINT_ACCEPTED,
      MORE("r", "'when':" LEN ",'accepted':{'review-overdue':'a reason'}"), NULL },

    /* papers */
    { "verified without a place of the text is a note", LINT_MISSING_SOURCE, W(LEN),
      "note: r is verified, and no source says where the text is" },
    { "without a day nothing is overdue", LINT_REVIEW,
      MORE("r", "'reviewBy':'1999-01-01','when':" LEN), NULL },
    { "an owner that says nothing", LINT_MISSING_OWNER, MORE("r", "'owner':' - ','when':" LEN),
      "warning: nobody answers for r" },
    { "an owner", LINT_MISSING_OWNER, W(LEN), NULL },
    { "no case that fires", LINT_MISSING_CASE, W(LEN),
      "warning: r has no case that says \"fires\"" },

    /* two rules */
    { "the same clause twice", LINT_OVERLAP, RULE("a", LEN) "," RULE("b", LEN),
      "warning: whenever b alerts, a (rules/r.json:" },
    { "a stricter rule beside a looser one", LINT_OVERLAP,
      RULE("a", ALL(LEN, PLT("below 25"))) "," RULE("b", ALL(LEN, PLT("below 50"))),
      "warning: whenever a alerts, b" },
    { "one yields", LINT_OVERLAP,
      MORE("a", "'yieldsTo':['b'],'when':" ALL(LEN, PLT("below 25"))) "," RULE(
          "b", ALL(LEN, PLT("below 50"))),
      NULL },
    { "the other yields", LINT_OVERLAP,
      RULE("a", ALL(LEN, PLT("below 25"))) "," MORE(
          "b", "'yieldsTo':['a'],'when':" ALL(LEN, PLT("below 50"))),
      NULL },
    { "one never alerts", LINT_OVERLAP,
      RULE("a", LEN) "," MORE("b", "'verdict':'checked-none-known','when':" LEN), NULL },
    { "one is off", LINT_OVERLAP, RULE("a", LEN) "," MORE("b", "'mode':'off','when':" LEN), NULL },
    { "other windows", LINT_OVERLAP,
      RULE("a", ALL(LEN, PLT("below 25"))) "," RULE(
          "b", ALL(LEN, "{'result':'platelets','is':'below 50 10*9/L','within':'13 d'}")),
      NULL },
    { "a pair of drugs is not two times one of them", LINT_OVERLAP,
      RULE("a", LEN) "," RULE("b", ALL("{'order':'class:imid'}", "{'order':'class:imid'}")), NULL },

    /* yielding */
    { "two rules yield to each other", LINT_YIELDS,
      MORE("a", "'yieldsTo':['b'],'when':" LEN) "," MORE("b", "'yieldsTo':['a'],'when':" LEN),
      "error: a yields in a circle: to b, which yields to a" },
    { "three in a circle are told once, by the first", LINT_YIELDS,
      MORE("c", "'yieldsTo':['a'],'when':" LEN) "," MORE(
          "b", "'yieldsTo':['c'],'when':" LEN) "," MORE("a", "'yieldsTo':['b'],'when':" LEN),
      "error: a yields in a circle: to b, which yields to c, which yields to a" },
    { "a chain is no circle", LINT_YIELDS,
      MORE("a", "'yieldsTo':['b','c'],'when':" LEN) "," MORE(
          "b", "'yieldsTo':['c'],'when':" LEN) "," RULE("c", LEN),
      NULL },
    { "yielding to what is never true with it", LINT_YIELDS,
      MORE("a", "'yieldsTo':['b'],'when':" ALL(LEN, PLT("at least 25"))) "," RULE(
          "b", ALL(LEN, PLT("below 25"))),
      "warning: a yields to b, and the two are never true at the same time" },
    { "yielding to what may last beside it", LINT_YIELDS,
      MORE("a", "'yieldsTo':['b'],'when':" ALL(LEN, PLT("at least 25"))) "," MORE(
          "b", "'when':" ALL(LEN, PLT("below 25")) ",'persists':" ALL(LEN, PLT("below 50"))),
      NULL },

    /* codes */
    { "a condition without a code, and the rule says nothing", LINT_UNMAPPED,
      W("{'condition':'dehydration'}"), "warning: no code becomes dehydration; it blinds r" },
    { "a rule that says how it is read", LINT_UNMAPPED,
      MORE("r", "'choice':'Only where a site maps it.','when':{'condition':'dehydration'}"),
      "note: no code becomes dehydration" },
    { "every rule that it blinds, once, at the one that says nothing", LINT_UNMAPPED,
      MORE("a", "'choice':'c','when':{'condition':'dehydration'}") "," RULE(
          "b", "{'noCondition':'dehydration'}"),
      "warning: no code becomes dehydration; it blinds a, b" },
    { "one of the conditions has a code", LINT_UNMAPPED,
      W("{'condition':['dehydration','dialysis']}"), NULL },
    { "an analyte without a code", LINT_UNMAPPED,
      W("{'result':'eye-exam','is':'positive','within':'30 d'}"),
      "warning: no code becomes eye examination" },
    { "an analyte that is computed", LINT_UNMAPPED,
      W("{'result':'crcl','is':'below 30 mL/min','within':'30 d'}"), NULL },
    { "a drug that has a code", LINT_UNMAPPED, W(LEN), NULL },
};

/* With definitions, or on a day. */
static const struct more_case {
    const char *name;
    enum lint_check check;
    const char *rules, *want, *definitions, *as_of;
} more[] = {
    { "male, and a definition that says female", LINT_CONTRADICTION,
      W(ALL("{'sex':'male'}", "{'definition':'may-conceive'}")), "error:",
      "{'definitions':{'may-conceive':{'all':[{'sex':'female'},{'age':'12 to 55 a'}]}}}", NULL },
    { "in a definition it is told once, at its own place", LINT_CONTRADICTION,
      W("{'definition':'d'}"), "definitions.json",
      "{'definitions':{'d':{'all':[{'sex':'female'},{'sex':'male'}]}}}", NULL },
    { "the day after the review", LINT_REVIEW, W(LEN),
      "warning: r was to be read again by 2030-01-01", NULL, "2030-01-02" },
    { "the day of the review", LINT_REVIEW, W(LEN), NULL, NULL, "2030-01-01" },
    { "a review that is no day", LINT_REVIEW, MORE("r", "'reviewBy':'soon','when':" LEN),
      "warning: \"soon\" is no day", NULL, "2030-01-01" },
    { "a name inside a definition", LINT_UNMAPPED, W("{'definition':'d'}"),
      "warning: no code becomes dehydration", "{'definitions':{'d':{'condition':'dehydration'}}}",
      NULL },
};

static void check_more(void **state)
{
    const struct more_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(c->rules, c->definitions);
    AUTO(buf_done) struct buf said = { 0 };
    struct lint lint;
    size_t found = 0;

    lint_run(knowledge, c->as_of, &lint);
    for (size_t i = 0; i < lint.count; i++) {
        if (lint.items[i].check != c->check) continue;
        found++;
        buf_printf(&said, "%s:%u: %s: %s\n", lint.items[i].file, lint.items[i].line,
                   lint_severity_name(lint.items[i].severity), lint.items[i].what);
    }
    if (!c->want) {
        assert_string_equal(buf_string(&said), "");
    } else if (!strstr(buf_string(&said), c->want)) {
        print_error("want: %s\nsaid: %s", c->want, buf_string(&said));
        fail();
    }
    if (c->want && c->check != LINT_MISSING_CASE) assert_int_equal(found, 1);
    lint_done(&lint);
}

static void check(void **state)
{
    const struct lint_case *c = *state;
    struct more_case more_c = { c->name, c->check, c->rules, c->want, NULL, NULL };
    void *arg = &more_c;

    check_more(&arg);
}

/* No word is missing, none stands twice. */
static void check_names(void **state)
{
    (void)state;
    for (int i = 0; i < LINT_CHECKS; i++) {
        assert_true(lint_check_help((enum lint_check)i)[0] != '\0');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(lint_check_names[i], lint_check_names[j]);
    }
    assert_null(lint_check_names[LINT_CHECKS]);
}

/* Findings stand where their clause stands. */
static void check_place(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        "\n\n" W("\n{'all':[" LEN ",\n  " PLT("below 25") ",\n " PLT("above 30") "]}"), NULL);
    struct lint lint;
    size_t at = 0;

    (void)state;
    lint_run(knowledge, NULL, &lint);
    while (at < lint.count && lint.items[at].check != LINT_CONTRADICTION) at++;
    assert_true(at < lint.count);
    assert_string_equal(lint.items[at].file, "rules/r.json");
    assert_string_equal(lint.items[at].rule, "r");
    assert_int_equal(lint.items[at].line, 6);
    assert_int_equal(lint.items[at].column, 2);
    lint_done(&lint);
}

static const struct date_case {
    const char *name, *text;
    bool want;
} dates[] = {
    { "a day", "2026-11-23", true },
    { "the day that is one in leap years", "2028-02-29", true },
    { "no such day", "2027-02-29", false },
    { "a month", "2026-11", false },
    { "with a time", "2026-11-23T10:00:00Z", false },
    { "nothing", "", false },
    { "a word", "yesterday!", false },
};

static void check_date(void **state)
{
    const struct date_case *c = *state;

    assert_int_equal(lint_date(c->text), c->want);
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(check_names),
        cmocka_unit_test(check_place),
    };

    return RUN_TABLE("lint", cases, check) | RUN_TABLE("lint, more", more, check_more) |
           RUN_TABLE("days", dates, check_date) |
           cmocka_run_group_tests_name("words and places", others, NULL, NULL);
}
