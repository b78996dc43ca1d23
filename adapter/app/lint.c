/* lint: looks at the rules without a chart. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "app/command.h"
#include "app/load.h"
#include "core/lint.h"

struct linting {
    struct load_layers layers;
    const char *as_of; /* NULL: reviews are not asked for */
    int json;          /* 0 text, 1 json */
    struct lint lint;
};

static int help(void)
{
    puts("usage: myeloma-adapter lint [OPTION...] [DIR]\n\n"
         "Looks at the rules without a chart. A finding is told as\n"
         "FILE:LINE:COLUMN: SEVERITY: what is wrong; how to mend it [CHECK]\n\n"
         "  DIR                rule files of a site, looked at with ours: a folder of\n"
         "                     .json files, or one that has them in rules/\n"
         "  --rules PATH       the same (may be repeated)\n"
         "  --codes PATH       add local codes: CSV files, ConceptMaps (may be repeated)\n"
         "  --mappings DIR     use these mappings\n"
         "  --as-of DATE       tell rules that were to be read again before that day\n"
         "  --format FORMAT    text (default) or json\n\n"
         "Checks:");
    for (int i = 0; i < LINT_CHECKS; i++)
        printf("  %-18s %s\n", lint_check_names[i], lint_check_help((enum lint_check)i));
    puts("\nA rule accepts a finding by \"accepted\": { \"CHECK\": \"the reason\" }. Unknown "
         "units,\n"
         "names and words are no findings but errors: 'myeloma-adapter check' tells them.\n"
         "Exit code: 0 clean (notes apart); 1 findings, or the mappings have a problem; 2 wrong\n"
         "usage.");
    return 0;
}

/* ---- telling */

static size_t count_of(const struct lint *lint, enum lint_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < lint->count; i++) count += lint->items[i].severity == severity;
    return count;
}

static const char *path_of(const struct linting *linting, const struct finding *finding, char *buf,
                           size_t size)
{
    return load_rule_path(linting->layers.mappings, finding->file, buf, size);
}

static void text_write(const struct linting *linting)
{
    const struct lint *lint = &linting->lint;
    char path[PATH_MAX];

    for (size_t i = 0; i < lint->count; i++) {
        const struct finding *finding = &lint->items[i];
        printf("%s:%u:%u: %s: %s%s%s [%s]\n", path_of(linting, finding, path, sizeof path),
               finding->line, finding->column, lint_severity_name(finding->severity), finding->what,
               finding->fix[0] ? "; " : "", finding->fix, lint_check_names[finding->check]);
    }
    printf("%zu errors, %zu warnings, %zu notes, %zu accepted\n", count_of(lint, LINT_ERROR),
           count_of(lint, LINT_WARNING), count_of(lint, LINT_NOTE), lint->accepted);
}

static json_t *finding_json(const struct linting *linting, const struct finding *finding)
{
    char path[PATH_MAX];

    return json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s}", "file",
                     path_of(linting, finding, path, sizeof path), "line", (int)finding->line,
                     "column", (int)finding->column, "severity",
                     lint_severity_name(finding->severity), "check",
                     lint_check_names[finding->check], "rule", finding->rule, "what", finding->what,
                     "fix", finding->fix);
}

static void json_write(const struct linting *linting)
{
    const struct lint *lint = &linting->lint;
    json_t *findings = json_array(), *all;

    for (size_t i = 0; i < lint->count; i++)
        json_array_append_new(findings, finding_json(linting, &lint->items[i]));
    all = json_pack("{s:o, s:I}", "findings", findings, "accepted", (json_int_t)lint->accepted);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(all);
}

/* ---- the verb */

static int look(struct linting *linting, const struct knowledge *knowledge)
{
    lint_run(knowledge, linting->as_of, &linting->lint);
    (linting->json ? json_write : text_write)(linting);
    return command_flush("lint") && count_of(&linting->lint, LINT_NOTE) == linting->lint.count ? 0
                                                                                               : 1;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int options_take(struct linting *linting, int argc, char **argv)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rules", required_argument, NULL, LAYER_RULES },
        { "format", required_argument, NULL, 'f' },
        { "as-of", required_argument, NULL, 'a' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    static const char *const formats[] = { "text", "json", NULL };
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (command_layer(&linting->layers, "lint", option, &stop)) continue;
        if (option == 'f' && (stop = command_format("lint", optarg, formats, &linting->json)))
            return stop;
        else if (option == 'a' && !lint_date(linting->as_of = optarg))
            return 1 + command_usage("lint", "\"%s\" is no day: write 2026-11-23", optarg);
        else if (option == 'h')
            return 1 + help();
        else if (option == '?')
            return 1 + command_usage("lint", "an option was not understood");
    }
    if (optind < argc) load_paths_add_rules(&linting->layers.rules, argv[optind++]);
    if (optind < argc) return 1 + command_usage("lint", "one DIR is enough; others by --rules");
    return 0;
}

static void linting_done(struct linting *linting)
{
    lint_done(&linting->lint);
    load_paths_done(&linting->layers.codes);
    load_paths_done(&linting->layers.rules);
}

int command_lint(int argc, char **argv)
{
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    struct linting linting = { .as_of = NULL };
    int code = options_take(&linting, argc, argv);

    if (code)
        code--;
    else
        code = command_load(&linting.layers, &knowledge) ? look(&linting, knowledge) : 1;
    linting_done(&linting);
    return code;
}
