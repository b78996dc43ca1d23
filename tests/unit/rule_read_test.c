#include "test.h"

#include "core/rule.h"
#include "core/rule_case.h"
#include "golden.h"
#include "rule_fixture.h"

/* ---- problems: GOLDEN/NAME.json as a rule file; GOLDEN/NAME.out comes out */

#define GOLDEN "tests/golden/rules/"

static const struct problem_case {
    const char *name;
    const char *file;
} problems[] = {
    { "a rule as it should be", "good" },
    { "a clause word misspelt", "clause-word" },
    { "a text where a clause should be", "clause-text" },
    { "a list of no clauses", "clause-empty" },
    { "a key of a clause misspelt", "clause-key" },
    { "a result of any age by mistake", "within-missing" },
    { "a length of time that is none", "within-bad" },
    { "a unit of another analyte", "unit" },
    { "a threshold in other words", "threshold" },
    { "a range from high to low", "threshold-range" },
    { "a number of a coded analyte", "number-coded" },
    { "a code of an analyte that is a number", "coded-number" },
    { "two questions in one clause", "is-and-rose" },
    { "a change of at most so much", "rose-below" },
    { "a change since nobody knows", "since" },
    { "a baseline with an age", "baseline-within" },
    { "a baseline of no drug", "baseline-nobody" },
    { "a gap in the course of no drug", "gap-nobody" },
    { "a gap on the dose days of no drug", "dose-days-nobody" },
    { "a schedule that does not end", "gap-steps" },
    { "a drug misspelt", "drug" },
    { "a class misspelt", "drug-class" },
    { "an analyte where a drug should be", "drug-analyte" },
    { "an analyte misspelt", "analyte" },
    { "a condition misspelt", "condition" },
    { "an order that is and is not", "order-both" },
    { "nothing is left of a class", "order-except" },
    { "a state of an order misspelt", "order-is" },
    { "an active order that ended", "order-ended" },
    { "a route that is none", "order-route" },
    { "a dose in a unit that is none", "order-dose" },
    { "two units of dose in one clause", "order-units" },
    { "a total of no span", "order-total" },
    { "a start near nobody", "order-starts" },
    { "a table by age of a day", "ceiling-age" },
    { "a table by age in days", "ceiling-age-unit" },
    { "another drug that lingers", "order-lingers" },
    { "an overlap of one drug", "order-overlap" },
    { "more subjects than a rule can have", "order-many" },
    { "more clauses than there are", "count" },
    { "two notes", "unless-both" },
    { "a definition that is not there", "definition" },
    { "a cycle start longer than the cycle", "cycle" },
    { "an age in days", "age" },
    { "a maximum that is none", "ceiling-max" },
    { "two units in one table", "ceiling-units" },
    { "a table by nothing", "ceiling-by" },
    { "a key of a rule misspelt", "key" },
    { "no title", "missing-title" },
    { "no clause", "missing-when" },
    { "no sources", "missing-sources" },
    { "no verification", "missing-verification" },
    { "no cases", "missing-cases" },
    { "no owner", "missing-owner" },
    { "a severity misspelt", "severity" },
    { "a code that is none", "code" },
    { "a verdict misspelt", "verdict" },
    { "an outcome misspelt", "case-then" },
    { "a concept without codes misspelt", "case-unmapped" },
    { "a profile that is none", "profile" },
    { "an id that is none", "id" },
    { "two rules with one id", "duplicate" },
    { "a stronger rule misspelt", "yields" },
    { "a rule that yields to itself", "yields-self" },
    { "a finding that lint does not know, and no reason", "accepted" },
    { "nothing is accepted", "accepted-empty" },
    { "an alert that can never last", "persists" },
    { "more subjects than the rule has", "persists-more" },
    { "every problem of a file in one run", "several" },
    { "a file without rules", "no-rules" },
    { "a comma too much", "syntax" },
    { "a key of the file misspelt", "top-key" },
};

/* What loading says of the base with one rule file; "" when it loads. */
static char *said_of(const char *name, const char *text)
{
    struct knowledge_file files[ARRAY_SIZE(rule_base) + 1];
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    struct err_list list = { 0 };
    struct buf said = { 0 };
    char file[100], line[800];
    bool loaded;

    snprintf(file, sizeof file, "rules/%s.json", name);
    memcpy(files, rule_base, sizeof rule_base);
    files[ARRAY_SIZE(rule_base)] = (struct knowledge_file){ file, text, strlen(text) };
    loaded = knowledge_load(files, ARRAY_SIZE(files), &knowledge, &list);
    assert_int_equal(loaded, !list.count);
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&said, "%s\n", err_text(&list.items[i], line, sizeof line));
    err_list_done(&list);
    return buf_take(&said);
}

static void check_problem(void **state)
{
    const struct problem_case *c = *state;
    char input[200], output[200], *text, *got;

    snprintf(input, sizeof input, GOLDEN "%s.json", c->file);
    snprintf(output, sizeof output, GOLDEN "%s.out", c->file);
    text = file_text(input);
    got = said_of(c->file, text);
    assert_golden(output, got);
    free(text);
    free(got);
}

/* ---- what is read */

#define NAMING                                                                                     \
    RULE("r", "{'all':[{'order':'class:imid'},{'noOrder':'naproxen'},"                             \
              "{'order':'class:nsaid','as':'together'},{'all':[{'order':'rifampin'}]},"            \
              "{'any':[{'order':'ibuprofen'}]}]}")

/* Order clauses below `all` name a subject each; absent, together and below `any` they do not. */
static void check_naming(void **state)
{
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(NAMING, NULL);
    const struct rule *rule = knowledge_rule_named(knowledge, "r");

    (void)state;
    assert_int_equal(rule->bindings, 2);
    assert_string_equal(rule->naming[0]->words, "any imid");
    assert_string_equal(rule->naming[1]->words, "rifampin");
    assert_null(rule->naming[2]);
}

static void check_threshold(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        RULE("r", "{'result':'creatinine','rose':'at least 44.2 umol/L','since':'lowest in 48 h',"
                  "'within':'7 d'}"),
        NULL);
    const struct result_clause *result = &knowledge_rule(knowledge, 0)->when->result;
    char text[64];

    (void)state;
    assert_int_equal(result->relation, RESULT_RISE_LOWEST);
    assert_string_equal(decimal_text(result->threshold.low, text, sizeof text), "0.5");
    assert_string_equal(result->threshold.words,
                        "a rise of at least 44.2 umol/L since the lowest in 48 h");
    assert_int_equal(result->lowest_in.ms, 48 * HOUR);
}

/* A definition may use those above it. */
static void check_definition(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load(RULE("r", "{'definition':'b'}"),
                     "// remarks\n{'note':'x','definitions':{'a':{'sex':'female'},"
                     "'b':{'not':{'definition':'a'}}}}");
    const struct clause *b = knowledge_rule(knowledge, 0)->when->definition;

    (void)state;
    assert_int_equal(b->kind, CLAUSE_NOT);
    assert_int_equal(b->parts[0].definition->kind, CLAUSE_SEX);
}

/* ---- rules of a site beside ours, which has "r" */

#define SITE_RULE(id, more) "{'id':'" id "'," more "'when':{'order':'rifampin'}," RULE_REST "}"
#define SITE_FILE(rules)    "{'owner':'o','reviewBy':'2030-01-01','rules':[" rules "]}"

static const struct site_case {
    const char *name, *file, *rules, *second; /* second: another file of the site */
    const char *want;                         /* problems; "" when it loads */
} sites[] = {
    { "a rule of its own", "/etc/r/a.json", SITE_FILE(SITE_RULE("mine", "")), NULL, "" },
    { "a rule that says that it overrides ours", "/etc/r/a.json",
      SITE_FILE(SITE_RULE("r", "'overrides':true,")), NULL, "" },
    { "our id without saying so", "/etc/r/a.json", SITE_FILE(SITE_RULE("r", "")), NULL,
      "/etc/r/a.json:1:48: there is a rule \"r\" already in rules/r.json:1:48; give it another id, "
      "or "
      "write \"overrides\": true\n" },
    { "saying that it does not", "/etc/r/a.json", SITE_FILE(SITE_RULE("r", "'overrides':false,")),
      NULL,
      "/etc/r/a.json:1:48: there is a rule \"r\" already in rules/r.json:1:48; give it another id, "
      "or "
      "write \"overrides\": true\n" },
    { "an override of nothing", "/etc/r/a.json", SITE_FILE(SITE_RULE("x", "'overrides':true,")),
      NULL,
      "/etc/r/a.json:1:57: there is no rule \"x\" to override; correct the id, or take "
      "\"overrides\" "
      "out\n" },
    { "two rules that override the same one", "/etc/r/a.json",
      SITE_FILE(SITE_RULE("r", "'overrides':true,")),
      SITE_FILE(SITE_RULE("r", "'overrides':true,")),
      "/etc/r/b.json:1:48: there is a rule \"r\" already in /etc/r/a.json:1:48; rule ids are for "
      "ever: give this one another\n" },
    { "a word instead of true", "/etc/r/a.json", SITE_FILE(SITE_RULE("r", "'overrides':'yes',")),
      NULL,
      "/etc/r/a.json:1:57: \"overrides\" must be true or false; write true, or leave it out\n" },
    { "definitions of its own", "/etc/r/definitions.json",
      "{'definitions':{'mine':{'order':'rifampin'}}}",
      SITE_FILE(
          "{'id':'mine','when':{'all':[{'order':'naproxen'},{'definition':'mine'}]}," RULE_REST
          "}"),
      "" },
};

static struct knowledge_file quoted_file(const char *name, const char *text)
{
    char *quoted = fixture_quoted(text ? text : "");

    return (struct knowledge_file){ name, quoted, strlen(quoted) };
}

static void check_site(void **state)
{
    const struct site_case *c = *state;
    struct knowledge_file files[ARRAY_SIZE(rule_base) + 1];
    struct knowledge_file site[2] = { quoted_file(c->file, c->rules),
                                      quoted_file("/etc/r/b.json", c->second) };
    struct knowledge_layers layers = {
        .files = files, .count = ARRAY_SIZE(files), .rules = site, .rule_count = c->second ? 2 : 1
    };
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    AUTO(buf_done) struct buf said = { 0 };
    struct err_list list = { 0 };
    char line[800];

    memcpy(files, rule_base, sizeof rule_base);
    files[ARRAY_SIZE(rule_base)] =
        quoted_file("rules/r.json", SITE_FILE(RULE("r", "{'order':'naproxen'}")));
    bool good = knowledge_load_layers(&layers, &knowledge, &list);
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&said, "%s\n", err_text(&list.items[i], line, sizeof line));
    assert_string_equal(buf_string(&said), c->want);
    assert_int_equal(good, !*c->want);
    if (good && strstr(c->rules, "'overrides':true")) {
        assert_int_equal(knowledge_rule_count(knowledge), 1);
        assert_string_equal(knowledge_rule_named(knowledge, "r")->naming[0]->words, "rifampin");
        assert_string_equal(knowledge_rule_named(knowledge, "r")->file, c->file);
    } else if (good) {
        assert_int_equal(knowledge_rule_count(knowledge), 2);
    }
    err_list_done(&list);
    free((char *)(uintptr_t)files[ARRAY_SIZE(rule_base)].text);
    for (size_t i = 0; i < 2; i++) free((char *)(uintptr_t)site[i].text);
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        { "which clauses name a subject", check_naming, NULL, NULL, NULL },
        { "a threshold is kept in the unit of its analyte", check_threshold, NULL, NULL, NULL },
        { "definitions may use those above them", check_definition, NULL, NULL, NULL },
    };
    int failed = RUN_TABLE("rules of a site", sites, check_site) +
                 RUN_TABLE("problems", problems, check_problem);

    return failed + cmocka_run_group_tests_name("read", single, NULL, NULL);
}
