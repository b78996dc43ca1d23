/* coverage: which codes and units of recorded charts no mapping knows, and what that costs. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/command.h"
#include "app/input.h"
#include "app/load.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "core/rule.h"
#include "core/rule_visit.h"
#include "core/table.h"
#include "fhir/bundle.h"
#include "fhir/resource.h"
#include "fhir/unmapped.h"

#define GAPS_MAX 1000000 /* different ones; more are counted only */

/* One code or unit that is not mapped. Strings in the arena. */
struct gap {
    struct unmapped seen;
    size_t times;
    unsigned rules; /* that it blinds */
};

struct coverage {
    struct load_layers layers;
    int csv; /* 0 table, 1 csv */
    struct input input;
    struct knowledge *knowledge;
    struct arena arena;
    struct table places; /* (kind, "SYSTEM|CODE|CONCEPT") -> 1 + gap */
    struct gap *gaps;    /* owned */
    size_t count, room, beyond, aside, used, no_fhir;
    const char *file;
    struct input_bar bar;
    bool lost;
};

/* ---- reading */

static void on_unmapped(const struct unmapped *seen, void *arg)
{
    struct coverage *coverage = arg;
    struct arena *arena = &coverage->arena;
    AUTO(buf_done) struct buf key = { 0 };

    buf_printf(&key, "%s|%s|%u", seen->system, seen->code, seen->concept);
    if (coverage->count == GAPS_MAX &&
        !table_value(&coverage->places, seen->kind, buf_string(&key))) {
        coverage->beyond++;
        return;
    }
    struct table_entry *entry = table_add(&coverage->places, arena, seen->kind, buf_string(&key));
    if (!entry->value) {
        if (coverage->count == coverage->room) {
            coverage->room = coverage->room ? 2 * coverage->room : 64;
            coverage->gaps = mem_resize(coverage->gaps, coverage->room * sizeof *coverage->gaps);
        }
        struct gap *gap = &coverage->gaps[coverage->count++];
        *gap = (struct gap){ .seen = *seen };
        gap->seen.system = arena_copy(arena, seen->system, strlen(seen->system));
        gap->seen.code = arena_copy(arena, seen->code, strlen(seen->code));
        gap->seen.display = arena_copy(arena, seen->display, strlen(seen->display));
        entry->value = (uint32_t)coverage->count;
    }
    coverage->gaps[entry->value - 1].times++;
}

static void set_aside(struct coverage *coverage, size_t index, const struct err *err)
{
    struct err placed = *err;
    char text[800];

    placed.where[0] = '\0'; /* the entry is named already */
    fprintf(stderr, "%s: entry %zu: set aside: %s\n", coverage->file, index + 1,
            err_text(&placed, text, sizeof text));
    coverage->aside++;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    set_aside(arg, index, err);
    return true;
}

static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct coverage *coverage = arg;
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    input_bar_at(&coverage->bar, entry->text);
    if (!entry->text || (entry->type[0] && !resource_is_used(entry->type))) return true;
    if (!doc_parse(entry->text, entry->len, 0, &doc, &err)) {
        set_aside(coverage, entry->index, &err);
        return true;
    }
    struct node root = node_root(doc);
    if (!node_text(&root, "resourceType")) {
        coverage->no_fhir++;
        return true;
    }
    coverage->used++;
    unmapped_find(&root, coverage->knowledge, on_unmapped, coverage);
    return true;
}

static void file_read(struct coverage *coverage, size_t which)
{
    const struct bundle_visitor visitor = { on_entry, on_bad, coverage };
    struct err err;
    size_t len;
    char *text;

    coverage->file = coverage->input.paths[which];
    if (!input_read(coverage->file, &text, &len, &err)) {
        set_aside(coverage, 0, &err);
        return;
    }
    input_bar_file(&coverage->bar, &coverage->input, which, text, len);
    bundle_walk(text, len, &visitor);
    free(text);
}

static void files_read(struct coverage *coverage)
{
    input_bar_start(&coverage->bar, &coverage->input);
    for (size_t i = 0; i < coverage->input.count; i++) {
        file_read(coverage, i);
        input_bar_file(&coverage->bar, &coverage->input, i, NULL, 0);
    }
    progress_end(&coverage->bar.progress);
}

/* ---- what it blinds */

struct question {
    const struct unmapped *seen;
    bool asked;
};

static bool asks(const struct clause *clause, const struct unmapped *seen)
{
    switch (seen->kind) {
    case UNMAPPED_DRUG:
        return clause->kind == CLAUSE_ORDER &&
               (!seen->concept || concept_set_has(&clause->order.drugs, seen->concept));
    case UNMAPPED_RESULT:
        return clause->kind == CLAUSE_RESULT || clause->kind == CLAUSE_GAP;
    case UNMAPPED_CONDITION:
        return clause->kind == CLAUSE_CONDITION;
    case UNMAPPED_ROUTE:
        return clause->kind == CLAUSE_ORDER && clause->order.routes;
    case UNMAPPED_UNIT:
        break;
    }
    return (clause->kind == CLAUSE_RESULT && clause->result.analyte == seen->concept) ||
           (clause->kind == CLAUSE_GAP && clause->gap.analyte == seen->concept);
}

static void on_clause(const struct clause *clause, void *arg)
{
    struct question *question = arg;

    question->asked |= asks(clause, question->seen);
}

static unsigned rules_blinded(const struct knowledge *knowledge, const struct unmapped *seen)
{
    unsigned count = 0;

    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        struct question question = { .seen = seen };
        if (rule->mode == RULE_OFF) continue;
        rule_visit_as(rule, knowledge_policy(knowledge)->profile, on_clause, &question);
        count += question.asked;
    }
    return count;
}

/* Of all drugs that nothing is known of, the count is the same: it is asked for once. */
static void gaps_weigh(struct coverage *coverage)
{
    unsigned of_kind[UNMAPPED_UNIT + 1];
    bool known[UNMAPPED_UNIT + 1] = { false };

    for (size_t i = 0; i < coverage->count; i++) {
        struct gap *gap = &coverage->gaps[i];
        enum unmapped_kind kind = gap->seen.kind;
        if (gap->seen.concept || !known[kind])
            gap->rules = rules_blinded(coverage->knowledge, &gap->seen);
        else
            gap->rules = of_kind[kind];
        if (gap->seen.concept) continue;
        of_kind[kind] = gap->rules;
        known[kind] = true;
    }
}

static int gap_compare(const void *a, const void *b)
{
    const struct gap *one = a, *other = b;
    int order;

    if (one->rules != other->rules) return one->rules > other->rules ? -1 : 1;
    if (one->times != other->times) return one->times > other->times ? -1 : 1;
    if (one->seen.kind != other->seen.kind) return one->seen.kind < other->seen.kind ? -1 : 1;
    order = strcmp(one->seen.system, other->seen.system);
    if (!order) order = strcmp(one->seen.code, other->seen.code);
    return order ? order
                 : (one->seen.concept > other->seen.concept) -
                       (one->seen.concept < other->seen.concept);
}

/* ---- printing */

static void print_field(const char *text)
{
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"') putchar('"');
        putchar(*text);
    }
    putchar('"');
}

/* What a display or unit may do to a terminal, it shall not. */
static void print_clean(const char *text)
{
    for (; *text; text++) putchar((unsigned char)*text < ' ' || *text == 0x7F ? ' ' : *text);
}

/* Lines for a file of local codes: the concept is to be filled in. Units and texts are not codes. */
static void print_csv(const struct coverage *coverage)
{
    puts("system,code,concept,comment");
    for (size_t i = 0; i < coverage->count; i++) {
        const struct gap *gap = &coverage->gaps[i];
        AUTO(buf_done) struct buf comment = { 0 };
        if (gap->seen.kind == UNMAPPED_UNIT || !*gap->seen.code) continue;
        for (const char *c = gap->seen.display; *c; c++)
            buf_char(&comment, (unsigned char)*c < ' ' || *c == 0x7F ? ' ' : *c);
        print_field(gap->seen.system);
        putchar(',');
        print_field(gap->seen.code);
        fputs(",,", stdout);
        print_field(buf_string(&comment));
        putchar('\n');
    }
}

static void print_table(const struct coverage *coverage)
{
    static const char *const kinds[] = { "drug", "result", "condition", "route", "unit" };

    if (!coverage->count) {
        puts("every code and unit is mapped");
        return;
    }
    printf("%5s %7s  %-9s  %s\n", "RULES", "SEEN", "KIND", "CODE");
    for (size_t i = 0; i < coverage->count; i++) {
        const struct gap *gap = &coverage->gaps[i];
        const char *concept =
            gap->seen.concept ? concept_name(coverage->knowledge, gap->seen.concept) : "";
        printf("%5u %7zu  %-9s  ", gap->rules, gap->times, kinds[gap->seen.kind]);
        print_clean(gap->seen.system);
        if (gap->seen.kind != UNMAPPED_UNIT) putchar('|');
        print_clean(*gap->seen.code || gap->seen.kind == UNMAPPED_UNIT ? gap->seen.code
                                                                       : "(text only)");
        if (gap->seen.kind == UNMAPPED_UNIT)
            printf("%s of %s", *gap->seen.code ? "" : "(no unit)", concept);
        if (*gap->seen.display) fputs("  ", stdout);
        print_clean(gap->seen.display);
        if (gap->seen.kind == UNMAPPED_DRUG && *concept) printf("  (%s?)", concept);
        putchar('\n');
    }
}

/* ---- the verb */

static int help(void)
{
    puts(
        "usage: myeloma-adapter coverage [OPTION...] PATH...\n\n"
        "Reads recorded FHIR resources and reports the codes and units that no mapping knows, "
        "those\n"
        "that blind most rules first. Texts of the resources are never shown.\n\n"
        "  PATH               Bundle, resource or NDJSON, each also gzipped; a folder; - (stdin)\n"
        "  --format FORMAT    table (default), or csv: lines for a file of local codes, whose\n"
        "                     concept is to be filled in\n"
        "  --mappings DIR     use these mappings\n"
        "  --profile PROFILE  us or eu: whose labels count where they differ (default: that of\n"
        "                     policy.json)\n"
        "  --codes PATH       add local codes: CSV files, ConceptMaps (may be repeated)\n"
        "  --rules PATH       add rules of the site (may be repeated)\n\n"
        "A drug blinds each rule that asks for an order, as it could be any drug; one whose "
        "display\n"
        "names a drug of ours blinds those that ask for that drug. A result blinds each rule that\n"
        "asks for a result, a unit each that asks for its analyte, a condition each that asks for\n"
        "a condition, a route each that asks for one. Rules of mode off, and what asks\n"
        "for the labels of the other profile, do not count.\n\n"
        "Exit code: 0 all read; 3 some input was set aside (each named on stderr), the rest was\n"
        "used; 1 the mappings have a problem or the output is lost; 2 wrong usage.");
    return 0;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(struct coverage *coverage, int option)
{
    static const char *const formats[] = { "table", "csv", NULL };
    int stop;

    if (command_layer(&coverage->layers, "coverage", option, &stop)) return stop;
    switch (option) {
    case 'f':
        return command_format("coverage", optarg, formats, &coverage->csv);
    case 'h':
        return 1 + help();
    default:
        fputs("Try 'myeloma-adapter coverage --help'.\n", stderr);
        return 3;
    }
}

static int options_take(struct coverage *coverage, int argc, char **argv)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rules", required_argument, NULL, LAYER_RULES },
        { "format", required_argument, NULL, 'f' },
        { "profile", required_argument, NULL, LAYER_PROFILE },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct err err;
    char text[600];
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(coverage, option))) return stop;
    if (optind == argc) return 1 + command_usage("coverage", "name at least one PATH");
    for (; optind < argc; optind++)
        if (!input_add(&coverage->input, argv[optind], &err))
            return 1 + command_usage("coverage", "%s", err_text(&err, text, sizeof text));
    return 0;
}

static int report(struct coverage *coverage)
{
    files_read(coverage);
    gaps_weigh(coverage);
    if (coverage->count)
        qsort(coverage->gaps, coverage->count, sizeof *coverage->gaps, gap_compare);
    if (coverage->csv)
        print_csv(coverage);
    else
        print_table(coverage);
    coverage->lost = fflush(stdout) != 0 || ferror(stdout);
    if (coverage->lost) fputs("myeloma-adapter coverage: cannot write the output\n", stderr);
    fprintf(stderr,
            "read %zu files: %zu resources used, %zu set aside; %zu codes and units not mapped\n",
            coverage->input.count, coverage->used, coverage->aside, coverage->count);
    if (coverage->beyond) fprintf(stderr, "%zu more were not listed\n", coverage->beyond);
    if (coverage->no_fhir) fprintf(stderr, "%zu lines are no FHIR resources\n", coverage->no_fhir);
    return coverage->lost ? 1 : coverage->aside ? 3 : 0;
}

int command_coverage(int argc, char **argv)
{
    struct coverage coverage = { 0 };
    int code = options_take(&coverage, argc, argv);

    if (code)
        code--;
    else
        code = command_load(&coverage.layers, &coverage.knowledge) ? report(&coverage) : 1;
    knowledge_free(coverage.knowledge);
    table_done(&coverage.places);
    arena_done(&coverage.arena);
    free(coverage.gaps);
    input_done(&coverage.input);
    load_paths_done(&coverage.layers.codes);
    load_paths_done(&coverage.layers.rules);
    return code;
}
