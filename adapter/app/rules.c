/* rules: the rule base for people: list, show, search, booklet. */
#include "app/rules.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/command.h"
#include "app/load.h"
#include "app/output.h"
#include "base/instant.h"
#include "base/mem.h"

struct rules {
    struct load_layers layers;
    const char *output;
    enum rules_format format;
    bool has_format, booklet;
    char as_of[16];
    char **words; /* behind the options */
    int word_count;
    struct knowledge *knowledge;
};

static int help(void)
{
    puts("usage: myeloma-adapter rules [OPTION...]\n"
         "       myeloma-adapter rules show ID...\n"
         "       myeloma-adapter rules search WORD...\n"
         "       myeloma-adapter rules --booklet [--as-of DATE] [--output FILE]\n\n"
         "Without a word: lists the rules. show prints all there is to know of a rule, as a\n"
         "sentence for people. search lists the rules that have all of the words in their id,\n"
         "texts or sources, or among the drugs, results and conditions they look at, members\n"
         "of classes included: \"rules search ciprofloxacin\" finds each that it can make fire.\n\n"
         "  --booklet          one HTML page with every rule, to read, print and sign\n"
         "  --as-of DATE       the day (2026-11-23) of the booklet: tells which reviews are\n"
         "                     past; default: today\n"
         "  --output FILE      write there, whole or not at all, and not to the standard output\n"
         "  --format FORMAT    of a list: table (default), json or csv\n"
         "  --mappings DIR     use these mappings\n"
         "  --profile PROFILE  us or eu (default: that of policy.json)\n"
         "  --codes PATH       add local codes; --rules PATH adds rules of the site\n\n"
         "Exit code: 0 good; 1 there is no such rule, nothing was found, the mappings have a\n"
         "problem, or the output is lost; 2 wrong usage.");
    return 0;
}

/* ---- what is asked for */

static int list(const struct rules *rules)
{
    struct rules_list all = { .knowledge = rules->knowledge };

    all.count = knowledge_rule_count(rules->knowledge);
    all.rules = mem_zero(all.count + 1, sizeof *all.rules);
    for (size_t i = 0; i < all.count; i++) all.rules[i] = knowledge_rule(rules->knowledge, i);
    rules_list_print(&all, rules->format, stdout);
    free(all.rules);
    return 0;
}

static int show(const struct rules *rules)
{
    int code = 0;

    for (int i = 0; i < rules->word_count; i++) {
        const struct rule *rule = command_rule(rules->knowledge, "rules", rules->words[i]);
        if (i && rule) putchar('\n');
        if (rule)
            rules_show(rule, rules->knowledge, rules->layers.mappings, stdout);
        else
            code = 1;
    }
    return code;
}

static int search(const struct rules *rules)
{
    struct rules_list found;
    int code = 0;

    rules_search(rules->knowledge, rules->words, (size_t)rules->word_count, &found);
    if (found.count || rules->format != RULES_TABLE)
        rules_list_print(&found, rules->format, stdout);
    if (!found.count) {
        fputs("myeloma-adapter rules: no rule has all of these words\n", stderr);
        code = 1;
    }
    rules_found_done(&found);
    return code;
}

static int booklet(const struct rules *rules)
{
    struct output output;
    char text[1024];
    struct err err;

    if (output_open(&output, rules->output, &err)) {
        rules_booklet(rules->knowledge, rules->as_of, output.file);
        if (output_close(&output, &err)) return 0;
    }
    fprintf(stderr, "myeloma-adapter rules: %s\n", err_text(&err, text, sizeof text));
    return 1;
}

static const struct action {
    const char *name;
    int (*run)(const struct rules *rules);
} actions[] = {
    { "show", show },
    { "search", search },
    { "list", list },
};

/* ---- the verb */

static bool date_take(const char *text, char ret[16])
{
    struct span span;

    if (strlen(text) != 10 || !instant_parse(text, &span)) return false;
    instant_date(span.start, ret, 16);
    return true;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(struct rules *rules, int option)
{
    static const char *const formats[] = { "table", "json", "csv", NULL };
    int stop, format;

    if (command_layer(&rules->layers, "rules", option, &stop)) return stop;
    switch (option) {
    case 'b':
        rules->booklet = true;
        return 0;
    case 'o':
        rules->output = optarg;
        return 0;
    case 't':
        if (date_take(optarg, rules->as_of)) return 0;
        return 1 + command_usage("rules", "\"%s\" is no date (2026-11-23)", optarg);
    case 'f':
        rules->has_format = true;
        stop = command_format("rules", optarg, formats, &format);
        rules->format = (enum rules_format)format;
        return stop;
    case 'h':
        return 1 + help();
    default:
        return 1 + command_usage("rules", "an option was not understood");
    }
}

static int options_check(const struct rules *rules, const struct action *action)
{
    if (rules->booklet && (action || rules->word_count || rules->has_format))
        return command_usage("rules", "--booklet stands alone, but for --as-of and --output");
    if (!rules->booklet && (rules->output || rules->as_of[0]))
        return command_usage("rules", "--as-of and --output go with --booklet");
    if (action && action->run == list && rules->word_count)
        return command_usage("rules", "to list some rules only, use search");
    if (action && action->run != list && !rules->word_count)
        return command_usage("rules", "\"%s\" of what?", action->name);
    if (action && action->run == show && rules->has_format)
        return command_usage("rules", "show is text: it has no --format");
    return 0;
}

static int options_take(struct rules *rules, int argc, char **argv, const struct action **ret)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "booklet", no_argument, NULL, 'b' },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rules", required_argument, NULL, LAYER_RULES },
        { "profile", required_argument, NULL, LAYER_PROFILE },
        { "output", required_argument, NULL, 'o' },
        { "as-of", required_argument, NULL, 't' },
        { "format", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(rules, option))) return stop;
    rules->words = argv + optind;
    rules->word_count = argc - optind;
    if (!rules->word_count) return options_check(rules, NULL) ? 3 : 0;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(rules->words[0], actions[i].name) == 0) *ret = &actions[i];
    if (!*ret)
        return 1 + command_usage("rules", "\"%s\" is neither show nor search", rules->words[0]);
    rules->words++;
    rules->word_count--;
    return options_check(rules, *ret) ? 3 : 0;
}

static void today(char ret[16])
{
    instant_date((int64_t)time(NULL) * INSTANT_SECOND, ret, 16);
}

static int run(struct rules *rules, const struct action *action)
{
    int code = 1;

    if (!rules->as_of[0]) today(rules->as_of);
    if (command_load(&rules->layers, &rules->knowledge)) {
        code = rules->booklet ? booklet(rules) : action ? action->run(rules) : list(rules);
        if (!command_flush("rules")) code = 1;
    }
    knowledge_free(rules->knowledge);
    return code;
}

int command_rules(int argc, char **argv)
{
    struct rules rules = { .format = RULES_TABLE };
    const struct action *action = NULL;
    int code = options_take(&rules, argc, argv, &action);

    code = code ? code - 1 : run(&rules, action);
    load_paths_done(&rules.layers.codes);
    load_paths_done(&rules.layers.rules);
    return code;
}
