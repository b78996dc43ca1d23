/* check: read everything, report every problem, change nothing. */
#include <getopt.h>
#include <stdio.h>

#include "app/command.h"
#include "app/config.h"
#include "app/load.h"
#include "app/material.h"
#include "core/knowledge.h"

static int help(void)
{
    puts("usage: myeloma-adapter check [OPTION...]\n\n"
         "Reads the configuration and the mappings and reports every problem as\n"
         "FILE:LINE:COLUMN: what is wrong; how to mend it. Changes nothing.\n\n"
         "  --config FILE      check this configuration (and the mappings and secrets it names)\n"
         "  --mappings DIR     check these mappings\n"
         "  --profile PROFILE  us or eu, instead of the configured one\n"
         "  --codes PATH       with these local codes: a file or folder (may be repeated)\n"
         "  --rules PATH       with these rules of the site (may be repeated)\n"
         "  --settings         print every setting with its default, then end\n\n"
         "Without options: the installed configuration, if there is one, and its mappings.\n"
         "Exit code: 0 no problem; 1 problems; 2 wrong usage.");
    return 0;
}

static void mappings_check(const struct load_layers *layers, struct err_list *problems)
{
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;

    if (load_layers(layers, &knowledge, problems))
        printf("%s: %zu rules, profile %s, generation %s\n", layers->mappings,
               knowledge_rule_count(knowledge), profile_name(knowledge_policy(knowledge)->profile),
               knowledge_generation(knowledge));
}

/* What the command line does not say, the configuration does. */
static void layers_complete(struct load_layers *layers, const struct config *config)
{
    if (config && !layers->mappings) layers->mappings = config->mappings;
    if (config && !layers->codes.count) layers->codes = config->local_codes;
    if (config && !layers->rules.count) layers->rules = config->local_rules;
    if (layers->profile == PROFILE_UNSET) layers->profile = config_profile(config);
    layers->no_drug_names = config && !config->drug_names;
    load_find(layers);
}

static int problems_tell(const struct err_list *problems)
{
    fflush(stdout);
    command_problems(problems);
    if (!problems->count) {
        puts("no problems");
        return 0;
    }
    fprintf(stderr, "%zu problem%s\n", problems->count, problems->count == 1 ? "" : "s");
    return 1;
}

static int check(const char *config_file, const struct load_layers *asked)
{
    AUTO(config_free) struct config *config = NULL;
    struct load_layers layers = *asked;
    struct err_list problems = { 0 };
    int code;

    if (config_file && config_read(config_file, &config, &problems)) {
        printf("%s: read\n", config_file);
        material_check(config, &problems);
    }
    layers_complete(&layers, config);
    mappings_check(&layers, &problems);
    code = problems_tell(&problems);
    err_list_done(&problems);
    return code;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(int option, const char **config, struct load_layers *layers)
{
    int stop;

    if (command_layer(layers, "check", option, &stop)) return stop;
    switch (option) {
    case 'c':
        *config = optarg;
        return 0;
    case 's':
        config_help();
        return 1;
    case 'h':
        return 1 + help();
    default:
        return 1 + command_usage("check", "an option was not understood");
    }
}

static int options_take(int argc, char **argv, const char **config, struct load_layers *layers)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rules", required_argument, NULL, LAYER_RULES },
        { "profile", required_argument, NULL, LAYER_PROFILE },
        { "settings", no_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(option, config, layers))) return stop;
    if (optind < argc) return 1 + command_usage("check", "\"%s\" is no option", argv[optind]);
    return 0;
}

int command_check(int argc, char **argv)
{
    struct load_layers layers = { 0 };
    const char *config = NULL;
    int code = options_take(argc, argv, &config, &layers);
    FILE *installed;

    if (!code && !config && !layers.mappings &&
        (installed = fopen(ADAPTER_SYSCONFDIR "/adapter.json", "re"))) {
        fclose(installed);
        config = ADAPTER_SYSCONFDIR "/adapter.json";
    }
    code = code ? code - 1 : check(config, &layers);
    load_paths_done(&layers.codes);
    load_paths_done(&layers.rules);
    return code;
}
