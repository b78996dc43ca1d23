/* The verbs of the program. Each gets the arguments behind its name (argv[0] is the verb) and returns
 * the exit code: 0 good, 1 a problem, 2 wrong usage, 3 some input was set aside. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "core/knowledge.h"

int command_run(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_check(int argc, char **argv);
int command_coverage(int argc, char **argv);
int command_import(int argc, char **argv);
int command_test(int argc, char **argv);
int command_lint(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_queue(int argc, char **argv);

/* Print "myeloma-adapter VERB: text" and the way to the help; returns 2. */
int command_usage(const char *verb, const char *fmt, ...) PRINTF(2, 3);

/* Print every problem, one a line, and how many there are. */
void command_problems(const struct err_list *problems);

struct load_layers; /* app/load.h */

/* What getopt_long() gives for --mappings, --codes, --rules, --profile and --no-drug-names. */
enum layer_option {
    LAYER_MAPPINGS = 'm',
    LAYER_CODES = 'C',
    LAYER_RULES = 'R',
    LAYER_PROFILE = 'p',
    LAYER_NO_DRUG_NAMES = 'n',
};

/* Take one of these; false: it is another option. *ret_stop: 0 to go on, otherwise the exit code plus 1
 * (a value that is none, said on stderr). */
bool command_layer(struct load_layers *layers, const char *verb, int option, int *ret_stop);

/* Load what these options say; every problem goes to stderr. layers->mappings is where they are,
 * afterwards. On success *ret is owned by the caller. Blocking. */
bool command_load(struct load_layers *layers, struct knowledge **ret) MUST_CHECK;

/* The value of --format: its place in names (ends in NULL). 0 to go on; otherwise the exit code plus 1,
 * and the names are said on stderr. */
int command_format(const char *verb, const char *text, const char *const *names, int *ret);

/* May colours be used on this stream? (A terminal, no NO_COLOR, TERM not dumb.) */
bool command_colours(FILE *stream);

/* The rule of that id; NULL after saying on stderr that there is none, and which is nearest. */
const struct rule *command_rule(const struct knowledge *knowledge, const char *verb,
                                const char *id);

/* Write what is left of the standard output; false, and said on stderr, when some of it is lost. */
bool command_flush(const char *verb);
