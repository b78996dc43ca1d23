/* check: read everything, report every problem, change nothing. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/command.h"
#include "app/config.h"
#include "app/load.h"
#include "core/knowledge.h"

static int help(void)
{
    puts("usage: myeloma-adapter check [OPTION...]\n\n"
         "Reads the configuration and the mappings and reports every problem as\n"
         "FILE:LINE:COLUMN: what is wrong; how to mend it. Changes nothing.\n\n"
         "  --config FILE      check this configuration (and the mappings and secrets it names)\n"
         "  --mappings DIR     check these mappings\n"
         "  --profile PROFILE  us or eu, instead of the configured one\n"
         "  --settings         print every setting with its default, then end\n\n"
         "Without options: the installed configuration, if there is one, and its mappings.\n"
         "Exit code: 0 no problem; 1 problems; 2 wrong usage.");
    return 0;
}

static void secret_check(const char *file, const char *credential, bool one_line,
                         struct err_list *problems)
{
    struct err err;
    char *secret;

    /* Credentials are there only while systemd runs the service. */
    if (!file && credential && !getenv("CREDENTIALS_DIRECTORY")) return;
    if (!config_secret(file, credential, one_line, &secret, &err))
        err_list_add(problems, &err);
    else
        config_wipe(secret);
}

static void secrets_check(const struct config *config, struct err_list *problems)
{
    secret_check(config->server.token_file, config->server.token_credential, true, problems);
    secret_check(config->server.basic_file, config->server.basic_credential, true, problems);
    secret_check(config->server.ca_file, NULL, false, problems);
    secret_check(config->hook.certificate_file, NULL, false, problems);
    secret_check(config->hook.key_file, config->hook.key_credential, false, problems);
    secret_check(config->hook.secret_file, config->hook.secret_credential, true, problems);
}

static void mappings_check(const char *dir, enum profile profile, struct err_list *problems)
{
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;

    if (load_mappings(dir, profile, &knowledge, problems))
        printf("%s: %zu rules, profile %s, generation %s\n", dir, knowledge_rule_count(knowledge),
               profile_name(knowledge_policy(knowledge)->profile), knowledge_generation(knowledge));
}

static int check(const char *config_file, const char *mappings, enum profile profile)
{
    AUTO(config_free) struct config *config = NULL;
    struct err_list problems = { 0 };
    char dir[PATH_MAX];
    int code;

    if (config_file && config_read(config_file, &config, &problems)) {
        printf("%s: read\n", config_file);
        secrets_check(config, &problems);
    }
    if (!mappings && config) mappings = config->mappings;
    if (!mappings) mappings = load_default_dir(dir, sizeof dir);
    if (profile == PROFILE_UNSET) profile = config_profile(config);
    mappings_check(mappings, profile, &problems);
    fflush(stdout);
    command_problems(&problems);
    code = problems.count ? 1 : 0;
    if (code)
        fprintf(stderr, "%zu problem%s\n", problems.count, problems.count == 1 ? "" : "s");
    else
        puts("no problems");
    err_list_done(&problems);
    return code;
}

int command_check(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },  { "mappings", required_argument, NULL, 'm' },
        { "profile", required_argument, NULL, 'p' }, { "settings", no_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    const char *config = NULL, *mappings = NULL;
    enum profile profile = PROFILE_UNSET;
    int option;
    FILE *installed;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'c') {
            config = optarg;
        } else if (option == 'm') {
            mappings = optarg;
        } else if (option == 'p') {
            if (!profile_parse(optarg, &profile))
                return command_usage("check", "no profile \"%s\": us or eu", optarg);
        } else if (option == 's') {
            config_help();
            return 0;
        } else if (option == 'h') {
            return help();
        } else {
            return command_usage("check", "an option was not understood");
        }
    }
    if (optind < argc) return command_usage("check", "\"%s\" is no option", argv[optind]);
    if (!config && !mappings && (installed = fopen(ADAPTER_SYSCONFDIR "/adapter.json", "re"))) {
        fclose(installed);
        config = ADAPTER_SYSCONFDIR "/adapter.json";
    }
    return check(config, mappings, profile);
}
