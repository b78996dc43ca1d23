/* test: plays the cases that stand in rule files. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/load.h"
#include "app/test_report.h"
#include "base/mem.h"
#include "base/node.h"

static const struct format {
    const char *name;
    void (*report)(const struct test_run *run, FILE *out);
} formats[] = {
    { "brief", test_report_brief },
    { "tap", test_report_tap },
    { "junit", test_report_junit },
};

struct test {
    struct load_layers layers;
    const char **ids; /* owned: the rules to play; none: all */
    size_t id_count;
    const struct format *format;
    struct knowledge *knowledge;
    struct test_run run;
    bool bar;
};

static int help(void)
{
    puts("usage: myeloma-adapter test [OPTION...] [DIR]\n\n"
         "Plays the cases that stand beside the rules: small charts in words, and what the\n"
         "rule must say of them. A failure is told as FILE:LINE:COLUMN, with what was\n"
         "expected, what the rule says, and which fact made each clause so.\n\n"
         "  DIR                rule files of a site, played with ours: a folder of .json\n"
         "                     files, or one that has them in rules/\n"
         "  --rule ID          only this rule; may be given several times\n"
         "  --format FORMAT    brief (default: failures and a count), tap or junit\n"
         "  --mappings DIR     use these mappings\n"
         "  --codes PATH       add local codes: CSV files, ConceptMaps (may be repeated)\n\n"
         "Rules of mode \"off\" are played too. A rule that lacks a kind of case (fires,\n"
         "silent, cannot tell; stays, where it has \"persists\"; yields, where it has\n"
         "\"yieldsTo\") gets a warning.\n"
         "Exit code: 0 all cases hold; 1 a case fails, the mappings have a problem, there is\n"
         "no such rule, or the output is lost; 2 wrong usage.");
    return 0;
}

/* ---- playing */

static bool is_wanted(const struct test *test, const struct rule *rule)
{
    for (size_t i = 0; i < test->id_count; i++)
        if (strcmp(test->ids[i], rule->id) == 0) return true;
    return !test->id_count;
}

static char *failure_text(const struct rule_case *at, const struct case_said *said)
{
    char text[160];

    if (said->outcome != at->then)
        snprintf(text, sizeof text, "expected \"%s\", the rule says \"%s\"",
                 case_outcome_name(at->then), case_outcome_name(said->outcome));
    else
        snprintf(text, sizeof text, "expected the display \"%s\", the rule says \"%s\"",
                 at->display, display_name(said->display));
    return mem_strdup(text);
}

static void case_run(const struct test *test, struct test_result *result)
{
    AUTO(buf_done) struct buf trace = { 0 };
    struct err err;

    if (!rule_case_play(result->at, result->rule, test->knowledge, &result->said, NULL, &err)) {
        result->message = mem_strdup(err.what);
        return;
    }
    result->holds = rule_case_agrees(result->at, &result->said);
    if (result->holds) return;
    result->message = failure_text(result->at, &result->said);
    if (rule_case_play(result->at, result->rule, test->knowledge, &result->said, &trace, &err))
        result->trace = buf_take(&trace);
}

static void bar_draw(const struct test *test, size_t done)
{
    if (test->bar && done % 256 == 0)
        fprintf(stderr, "\rplaying %zu of %zu cases", done, test->run.count);
}

static void bar_end(const struct test *test)
{
    if (test->bar) fprintf(stderr, "\r%60s\r", "");
}

static size_t case_count(const struct test *test)
{
    size_t count = 0;

    for (size_t i = 0; i < knowledge_rule_count(test->knowledge); i++) {
        const struct rule *rule = knowledge_rule(test->knowledge, i);
        if (is_wanted(test, rule)) count += rule->case_count;
    }
    return count;
}

static void rule_run(struct test *test, const struct rule *rule, size_t *next)
{
    test->run.rules++;
    for (size_t i = 0; i < rule->case_count; i++) {
        struct test_result *result = &test->run.results[(*next)++];
        result->rule = rule;
        result->at = &rule->cases[i];
        case_run(test, result);
        test->run.failed += !result->holds;
        bar_draw(test, *next);
    }
}

/* ---- rules that are not tested well */

static void warn_missing(const struct test *test, const struct rule *rule)
{
    char path[PATH_MAX];

    for (int i = 0; i < CASE_OUTCOMES; i++) {
        if (!rule_case_lacks(rule, (enum case_outcome)i)) continue;
        fprintf(stderr, "%s:%u:%u: warning: %s has no case that says \"%s\"\n",
                load_rule_path(test->layers.mappings, rule->file, path, sizeof path), rule->line,
                rule->column, rule->id, case_outcome_name((enum case_outcome)i));
    }
}

/* ---- the verb */

static bool ids_check(const struct test *test)
{
    bool good = true;

    for (size_t i = 0; i < test->id_count; i++)
        good &= command_rule(test->knowledge, "test", test->ids[i]) != NULL;
    return good;
}

static int play(struct test *test)
{
    size_t next = 0;

    if (!ids_check(test)) return 1;
    test->run.dir = test->layers.mappings;
    test->run.count = case_count(test);
    test->run.results = mem_zero(test->run.count + 1, sizeof *test->run.results);
    test->run.colours = command_colours(stdout);
    test->bar = isatty(STDERR_FILENO);
    for (size_t i = 0; i < knowledge_rule_count(test->knowledge); i++) {
        const struct rule *rule = knowledge_rule(test->knowledge, i);
        if (is_wanted(test, rule)) rule_run(test, rule, &next);
    }
    bar_end(test);
    for (size_t i = 0; i < knowledge_rule_count(test->knowledge); i++) {
        const struct rule *rule = knowledge_rule(test->knowledge, i);
        if (is_wanted(test, rule)) warn_missing(test, rule);
    }
    test->format->report(&test->run, stdout);
    return command_flush("test") && !test->run.failed ? 0 : 1;
}

static bool format_parse(const char *text, const struct format **ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (strcmp(text, formats[i].name) != 0) continue;
        *ret = &formats[i];
        return true;
    }
    return false;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int options_take(struct test *test, int argc, char **argv)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rule", required_argument, NULL, 'r' },
        { "format", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option, stop;

    optind = 1;
    test->ids = mem_zero((size_t)argc, sizeof *test->ids);
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (command_layer(&test->layers, "test", option, &stop)) continue;
        if (option == 'r')
            test->ids[test->id_count++] = optarg;
        else if (option == 'f' && !format_parse(optarg, &test->format))
            return 1 + command_usage("test", "no format \"%s\": brief, tap or junit", optarg);
        else if (option == 'h')
            return 1 + help();
        else if (option == '?')
            return 1 + command_usage("test", "an option was not understood");
    }
    if (optind < argc) load_paths_add_rules(&test->layers.rules, argv[optind++]);
    if (optind < argc) return 1 + command_usage("test", "one DIR is enough");
    return 0;
}

static void test_done(struct test *test)
{
    for (size_t i = 0; i < test->run.count; i++) {
        free(test->run.results[i].message);
        free(test->run.results[i].trace);
    }
    free(test->run.results);
    free(test->ids);
    load_paths_done(&test->layers.codes);
    load_paths_done(&test->layers.rules);
    knowledge_free(test->knowledge);
}

int command_test(int argc, char **argv)
{
    struct test test = { .format = &formats[0] };
    int code = options_take(&test, argc, argv);

    if (code)
        code--;
    else
        code = command_load(&test.layers, &test.knowledge) ? play(&test) : 1;
    test_done(&test);
    return code;
}
