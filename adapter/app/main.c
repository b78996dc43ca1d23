/* myeloma-adapter: one program, a few verbs. */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/node.h"
#include "core/rule.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    { "run", command_run, "the daemon: subscribe, evaluate, write DetectedIssues" },
    { "queue", command_queue, "what waits, is set aside or parked: list, show, retry, drop" },
    { "probe", command_probe, "ask a server what it can do; a configuration to begin with" },
    { "replay", command_replay, "recorded resources on a virtual clock: what it would have said" },
    { "check", command_check, "read configuration and mappings, report every problem" },
    { "coverage", command_coverage, "codes and units of recorded charts that no mapping knows" },
    { "import", command_import, "an RxNorm release of the site as a file of local codes" },
    { "test", command_test, "play the cases of the rules" },
    { "lint", command_lint, "what the rules themselves give away: contradictions, overlaps ..." },
    { "rules", command_rules, "list, show and search the rules; a booklet to read and sign" },
};

static int help(FILE *out)
{
    fputs("usage: myeloma-adapter VERB [OPTION...]\n\n"
          "Watches the orders and results of multiple-myeloma patients on a FHIR server and\n"
          "writes DetectedIssue alerts for drug interactions and doses to hold.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].help);
    fputs("\n  --version  print the version and end\n"
          "\nmyeloma-adapter VERB --help says more; so does man myeloma-adapter.\n",
          out);
    return out == stdout ? 0 : 2;
}

int command_usage(const char *verb, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "myeloma-adapter %s: ", verb);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry 'myeloma-adapter %s --help'.\n", verb);
    return 2;
}

int command_format(const char *verb, const char *text, const char *const *names, int *ret)
{
    AUTO(buf_done) struct buf list = { 0 };

    for (*ret = 0; names[*ret]; ++*ret)
        if (strcmp(text, names[*ret]) == 0) return 0;
    for (int i = 0; names[i]; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    return 1 + command_usage(verb, "no format \"%s\": %s", text, buf_string(&list));
}

void command_problems(const struct err_list *problems)
{
    char text[1024];

    for (size_t i = 0; i < problems->count && i < ERR_LIST_MAX; i++)
        fprintf(stderr, "%s\n", err_text(&problems->items[i], text, sizeof text));
    if (problems->count > ERR_LIST_MAX)
        fprintf(stderr, "... and %zu more\n", problems->count - ERR_LIST_MAX);
}

bool command_colours(FILE *stream)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    return isatty(fileno(stream)) && !(no_color && no_color[0]) && term &&
           strcmp(term, "dumb") != 0;
}

const struct rule *command_rule(const struct knowledge *knowledge, const char *verb, const char *id)
{
    const struct rule *rule = knowledge_rule_named(knowledge, id);
    size_t count = knowledge_rule_count(knowledge);
    const char **ids, *near;

    if (rule) return rule;
    ids = mem_zero(count + 1, sizeof *ids);
    for (size_t i = 0; i < count; i++) ids[i] = knowledge_rule(knowledge, i)->id;
    near = nearest(id, ids);
    fprintf(stderr, "myeloma-adapter %s: there is no rule \"%s\"", verb, id);
    if (near) fprintf(stderr, "; did you mean \"%s\"?", near);
    fputs(near ? "\n" : "; 'myeloma-adapter rules' lists them\n", stderr);
    free(ids);
    return NULL;
}

bool command_flush(const char *verb)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    fprintf(stderr, "myeloma-adapter %s: cannot write the output\n", verb);
    return false;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        puts("myeloma-adapter " ADAPTER_VERSION);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 1, argv + 1);
    fprintf(stderr, "myeloma-adapter: there is no verb \"%s\"\n", argv[1]);
    return help(stderr);
}
