/* The options that several verbs have: which mappings are used, and what a site lays over them. */
#include <getopt.h>

#include "app/command.h"
#include "app/load.h"

bool command_layer(struct load_layers *layers, const char *verb, int option, int *ret_stop)
{
    *ret_stop = 0;
    switch (option) {
    case LAYER_MAPPINGS:
        layers->mappings = optarg;
        return true;
    case LAYER_CODES:
        load_paths_add(&layers->codes, optarg);
        return true;
    case LAYER_RULES:
        load_paths_add_rules(&layers->rules, optarg);
        return true;
    case LAYER_NO_DRUG_NAMES:
        layers->no_drug_names = true;
        return true;
    case LAYER_PROFILE:
        if (!profile_parse(optarg, &layers->profile))
            *ret_stop = 1 + command_usage(verb, "no profile \"%s\": us or eu", optarg);
        return true;
    default:
        return false;
    }
}

bool command_load(struct load_layers *layers, struct knowledge **ret)
{
    struct err_list problems = { 0 };

    load_find(layers);
    bool good = load_layers(layers, ret, &problems);
    command_problems(&problems);
    err_list_done(&problems);
    return good;
}
