/* replay: for testers. Reads recorded FHIR, plays it on a virtual clock, prints the alerts. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/command.h"
#include "app/input.h"
#include "app/load.h"
#include "app/replay_print.h"
#include "app/simulate.h"
#include "base/mem.h"
#include "fhir/bundle.h"
#include "fhir/reference.h"

struct count {
    char *what, *code; /* owned */
    size_t times;
};

struct replay {
    struct load_layers layers;
    enum replay_format format;
    bool as_of, all, explain, list_unmapped, everybody;
    int64_t as_of_ms;
    struct input input;
    struct knowledge *knowledge;
    struct simulation *simulation;
    const char *file;     /* being read */
    size_t aside;         /* parts of the input that were set aside */
    size_t unused;        /* resources of types that no chart needs */
    size_t notes;         /* facts that cannot be used as they stand */
    size_t no_fhir;       /* lines that are JSON, but no resources */
    struct count *counts; /* owned: drugs and results that no mapping knows */
    size_t count_count;
    struct input_bar bar;
    bool lost; /* output that could not be written */
};

/* ---- reading */

static void set_aside(struct replay *replay, const char *file, size_t index, const struct err *err)
{
    char text[800];

    fprintf(stderr, "%s: entry %zu: set aside: %s\n", file, index + 1,
            err_text(err, text, sizeof text));
    replay->aside++;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    struct replay *replay = arg;
    struct err placed = *err;

    placed.where[0] = '\0'; /* the entry is named already */
    set_aside(replay, replay->file, index, &placed);
    return true;
}

/* "DELETE MedicationRequest/5" of a history: the type and id of what is gone. */
static bool deletion_read(struct replay *replay, const struct bundle_entry *entry,
                          struct recorded *ret)
{
    struct arena *arena = simulation_arena(replay->simulation);
    struct reference reference;
    struct span modified;

    if (!reference_parse(entry->url, &reference) && !reference_parse(entry->full_url, &reference))
        return false;
    if (!resource_is_used(reference.type)) return false;
    ret->deleted = true;
    ret->head =
        (struct resource_head){ .type = arena_copy(arena, reference.type, strlen(reference.type)),
                                .id = arena_copy(arena, reference.id, strlen(reference.id)),
                                .version =
                                    arena_copy(arena, reference.version, strlen(reference.version)),
                                .patient = "",
                                .updated_ms = INSTANT_UNSET,
                                .clinical_ms = INSTANT_UNSET };
    if (instant_parse(entry->modified, &modified)) ret->head.updated_ms = modified.start;
    return true;
}

/* FNV-1a: tells copies from versions; nobody gains by a collision of his own recordings. */
static uint64_t hash_of(const char *text, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    return hash;
}

/* A resource without an id of its own is known by its fullUrl, else by its bytes; one that has both is
 * referred to by either. */
static void head_complete(struct replay *replay, const struct bundle_entry *entry,
                          struct recorded *ret)
{
    struct arena *arena = simulation_arena(replay->simulation);
    struct reference reference;
    bool named = reference_parse(entry->full_url, &reference);
    char id[24];

    ret->hash = hash_of(entry->text, entry->len);
    if (named && reference.urn) ret->alias = arena_copy(arena, reference.id, strlen(reference.id));
    if (ret->head.id[0]) return;
    snprintf(id, sizeof id, "h-%016llx", (unsigned long long)ret->hash);
    ret->head.id = named ? arena_copy(arena, reference.id, strlen(reference.id))
                         : arena_copy(arena, id, strlen(id));
    if (strcmp(ret->head.type, "Patient") == 0) ret->head.patient = ret->head.id;
}

static bool resource_read(struct replay *replay, const struct bundle_entry *entry,
                          struct recorded *ret, struct err *err)
{
    AUTO(doc_free) struct doc *doc = NULL;

    if (!doc_parse(entry->text, entry->len, 0, &doc, err)) return false;
    struct node root = node_root(doc);
    if (!resource_head_read(&root, simulation_arena(replay->simulation), &ret->head, err))
        return false;
    if (doc_has_duplicates(doc) && resource_is_used(ret->head.type))
        return err_set(err, ERR_INPUT, "json.duplicate", "a member stands twice in one object");
    head_complete(replay, entry, ret);
    ret->doc = TAKE(doc);
    return true;
}

static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct replay *replay = arg;
    struct recorded recorded = {
        .file = replay->file, .index = entry->index, .alias = "", .newest_first = entry->history
    };
    struct err err;

    input_bar_at(&replay->bar, entry->text);
    if (!entry->text) {
        if (deletion_read(replay, entry, &recorded)) simulation_add(replay->simulation, &recorded);
        return true;
    }
    /* What no chart needs is checked for its brackets only, unless its type cannot be seen. */
    if (entry->type[0] && !resource_is_used(entry->type)) {
        replay->unused++;
        return true;
    }
    if (!resource_read(replay, entry, &recorded, &err)) {
        if (entry->line && strcmp(err.code, "fhir.not-a-resource") == 0)
            replay->no_fhir++; /* exports write their logs as NDJSON too */
        else
            set_aside(replay, replay->file, entry->index, &err);
    } else if (!resource_is_used(recorded.head.type)) {
        doc_free(recorded.doc);
        replay->unused++;
    } else {
        simulation_add(replay->simulation, &recorded);
    }
    return true;
}

static void file_read(struct replay *replay, size_t which)
{
    const struct bundle_visitor visitor = { on_entry, on_bad, replay };
    struct err err;
    size_t len;
    char *text;

    replay->file = replay->input.paths[which];
    if (!input_read(replay->file, &text, &len, &err)) {
        err.where[0] = '\0';
        set_aside(replay, replay->file, 0, &err);
        return;
    }
    input_bar_file(&replay->bar, &replay->input, which, text, len);
    bundle_walk(text, len, &visitor);
    free(text);
}

static void files_read(struct replay *replay)
{
    input_bar_start(&replay->bar, &replay->input);
    for (size_t i = 0; i < replay->input.count; i++) {
        file_read(replay, i);
        input_bar_file(&replay->bar, &replay->input, i, NULL, 0);
    }
}

/* ---- what the simulation tells */

static void on_aside(const struct recorded *recorded, const struct err *err, void *arg)
{
    set_aside(arg, recorded->file, recorded->index, err);
}

#define NOTES_SHOWN 20 /* without --unmapped */

static void on_noted(const struct recorded *recorded, const char *what, void *arg)
{
    struct replay *replay = arg;

    if (replay->notes++ < NOTES_SHOWN || replay->list_unmapped)
        fprintf(stderr, "%s: entry %zu: note: %s %s\n", recorded->file, recorded->index + 1,
                recorded->head.type, what);
}

static void on_unmapped(const char *what, const char *code, void *arg)
{
    struct replay *replay = arg;

    for (size_t i = 0; i < replay->count_count; i++)
        if (strcmp(replay->counts[i].what, what) == 0 &&
            strcmp(replay->counts[i].code, code) == 0) {
            replay->counts[i].times++;
            return;
        }
    replay->counts = mem_resize(replay->counts, (replay->count_count + 1) * sizeof *replay->counts);
    replay->counts[replay->count_count++] = (struct count){ mem_strdup(what), mem_strdup(code), 1 };
}

static void on_explained(const char *patient, const char *text, void *arg)
{
    (void)arg;
    printf("Patient/%s\n%s\n", patient, text);
}

static void on_progress(size_t done, size_t all, void *arg)
{
    struct replay *replay = arg;

    progress_show(&replay->bar.progress, "evaluating", (long long)done, (long long)all);
}

/* ---- printing */

static int count_compare(const void *a, const void *b)
{
    const struct count *one = a, *other = b;

    if (one->times != other->times) return one->times > other->times ? -1 : 1;
    return strcmp(one->what, other->what) ? strcmp(one->what, other->what)
                                          : strcmp(one->code, other->code);
}

static void print_unmapped(struct replay *replay)
{
    FILE *out = replay->format == REPLAY_TABLE ? stdout : stderr;
    size_t drugs = 0, results = 0;

    for (size_t i = 0; i < replay->count_count; i++)
        *(replay->counts[i].what[0] == 'd' ? &drugs : &results) += replay->counts[i].times;
    fprintf(stderr, "unmapped: %zu orders, %zu results%s\n", drugs, results,
            drugs + results && !replay->list_unmapped ? " (--unmapped lists their codes)" : "");
    if (!replay->list_unmapped || !replay->count_count) return;
    qsort(replay->counts, replay->count_count, sizeof *replay->counts, count_compare);
    for (size_t i = 0; i < replay->count_count; i++)
        fprintf(out, "unmapped %-6s %6zu  %s\n", replay->counts[i].what, replay->counts[i].times,
                replay->counts[i].code);
}

static void print_result(struct replay *replay, const struct simulated *result)
{
    replay_print(result, replay->format);
    replay->lost = fflush(stdout) != 0 || ferror(stdout);
    if (replay->lost) fputs("myeloma-adapter replay: cannot write the output\n", stderr);
    fprintf(stderr,
            "read %zu files: %zu resources used, %zu of other types, %zu set aside; %zu patients, "
            "%zu in the cohort; %zu alerts\n",
            replay->input.count, result->resources, replay->unused, replay->aside, result->patients,
            result->cohort, result->alert_count);
    if (replay->notes > NOTES_SHOWN && !replay->list_unmapped)
        fprintf(stderr, "... and %zu more notes (--unmapped lists them all)\n",
                replay->notes - NOTES_SHOWN);
    if (replay->no_fhir) fprintf(stderr, "%zu lines are no FHIR resources\n", replay->no_fhir);
    if (result->without_patient)
        fprintf(stderr, "%zu resources name no patient and were not used\n",
                result->without_patient);
    print_unmapped(replay);
}

/* ---- the verb */

static int help(void)
{
    puts("usage: myeloma-adapter replay [OPTION...] PATH...\n\n"
         "Plays recorded FHIR resources on a virtual clock and prints the alerts that open and\n"
         "clear along it. No server, no store.\n\n"
         "  PATH               Bundle, resource or NDJSON, each also gzipped; a folder; - (stdin)\n"
         "  --as-of INSTANT    load everything, then evaluate once at that instant\n"
         "  --format FORMAT    table (default), json (one object a line and alert), or bundle\n"
         "                     (the DetectedIssues that would have been posted)\n"
         "  --explain          for each patient and rule: which fact made each clause true, false\n"
         "                     or unknown, and what would change the answer\n"
         "  --all              print findings of suppressed rules as well\n"
         "  --everybody        evaluate patients outside the cohort as well\n"
         "  --unmapped         list the drugs and results that no mapping knows, and every note\n"
         "  --mappings DIR     use these mappings\n"
         "  --profile PROFILE  us or eu: whose labels count where they differ (default: that of\n"
         "                     policy.json)\n"
         "  --codes PATH       add local codes: CSV files, ConceptMaps (may be repeated)\n"
         "  --no-drug-names    do not match orders without a known code by their text\n"
         "  --rules PATH       add rules of the site (may be repeated)\n\n"
         "Exit code: 0 all read; 3 some input was set aside (each named on stderr), the rest was\n"
         "used; 1 the mappings have a problem or the output is lost; 2 wrong usage.");
    return 0;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(struct replay *replay, int option)
{
    static const char *const formats[] = { "table", "json", "bundle", NULL };
    struct span span;
    int stop, format;

    if (command_layer(&replay->layers, "replay", option, &stop)) return stop;
    switch (option) {
    case 't':
        if (!instant_parse(optarg, &span))
            return 1 +
                   command_usage("replay", "\"%s\" is no instant (2026-05-04T10:00:00Z)", optarg);
        replay->as_of = true;
        replay->as_of_ms = span.start;
        return 0;
    case 'f':
        if ((stop = command_format("replay", optarg, formats, &format))) return stop;
        replay->format = (enum replay_format)format;
        return 0;
    case 'a':
        replay->all = true;
        return 0;
    case 'e':
        replay->explain = true;
        return 0;
    case 'u':
        replay->list_unmapped = true;
        return 0;
    case 'b':
        replay->everybody = true;
        return 0;
    case 'h':
        return 1 + help();
    default:
        fputs("Try 'myeloma-adapter replay --help'.\n", stderr);
        return 3;
    }
}

static int options_take(struct replay *replay, int argc, char **argv)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, LAYER_MAPPINGS },
        { "profile", required_argument, NULL, LAYER_PROFILE },
        { "codes", required_argument, NULL, LAYER_CODES },
        { "rules", required_argument, NULL, LAYER_RULES },
        { "no-drug-names", no_argument, NULL, LAYER_NO_DRUG_NAMES },
        { "as-of", required_argument, NULL, 't' },
        { "format", required_argument, NULL, 'f' },
        { "all", no_argument, NULL, 'a' },
        { "explain", no_argument, NULL, 'e' },
        { "unmapped", no_argument, NULL, 'u' },
        { "everybody", no_argument, NULL, 'b' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct err err;
    char text[600];
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(replay, option))) return stop;
    if (optind == argc) return 1 + command_usage("replay", "name at least one PATH");
    if (replay->explain && replay->format != REPLAY_TABLE)
        return 1 + command_usage("replay", "--explain is text: it goes with --format table only");
    for (; optind < argc; optind++)
        if (!input_add(&replay->input, argv[optind], &err))
            return 1 + command_usage("replay", "%s", err_text(&err, text, sizeof text));
    return 0;
}

static int play(struct replay *replay)
{
    struct simulation_options options = { .at_once = replay->as_of,
                                          .as_of_ms = replay->as_of_ms,
                                          .suppressed_too = replay->all,
                                          .everybody = replay->everybody,
                                          .explain = replay->explain,
                                          .aside = on_aside,
                                          .noted = on_noted,
                                          .unmapped = on_unmapped,
                                          .explained = on_explained,
                                          .progress = on_progress,
                                          .arg = replay };
    struct simulated result;

    replay->simulation = simulation_new(replay->knowledge);
    files_read(replay);
    simulation_run(replay->simulation, &options, &result);
    progress_end(&replay->bar.progress);
    print_result(replay, &result);
    return replay->lost ? 1 : replay->aside ? 3 : 0;
}

static void replay_done(struct replay *replay)
{
    for (size_t i = 0; i < replay->count_count; i++) {
        free(replay->counts[i].what);
        free(replay->counts[i].code);
    }
    free(replay->counts);
    simulation_free(replay->simulation);
    knowledge_free(replay->knowledge);
    input_done(&replay->input);
    load_paths_done(&replay->layers.codes);
    load_paths_done(&replay->layers.rules);
}

int command_replay(int argc, char **argv)
{
    struct replay replay = { 0 };
    int code = options_take(&replay, argc, argv);

    if (code)
        code--;
    else
        code = command_load(&replay.layers, &replay.knowledge) ? play(&replay) : 1;
    replay_done(&replay);
    return code;
}
