/* import rxnorm: a site's own RxNorm release, as a file of local codes. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/command.h"
#include "app/load.h"
#include "app/output.h"
#include "app/page.h"
#include "app/progress.h"
#include "base/mem.h"
#include "core/rxnorm_drugs.h"
#include "core/rxnorm_graph.h"

#define CHUNK        ((size_t)1 << 20) /* bytes read at once, and the longest line */
#define PROBLEMS_MAX 20                /* of one file: it is damaged as a whole */

typedef bool line_fn(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err);
typedef void done_fn(struct rxnorm_graph *graph);

static const struct release_file {
    const char *name;
    line_fn *line;
    done_fn *done;
    bool needed;
} files[] = {
    { "RXNCONSO.RRF", rxnorm_concept_line, rxnorm_concepts_done, true },
    { "RXNREL.RRF", rxnorm_link_line, rxnorm_links_done, true },
    { "RXNSAT.RRF", rxnorm_package_line, rxnorm_packages_done, false },
};

struct import {
    struct load_layers layers;
    const char *dir, *path; /* path: of the output, NULL: standard output */
    bool packages;
    struct knowledge *knowledge;
    struct rxnorm_graph graph;
    struct err_list problems;
    struct output output;
    size_t read, codes, ndcs, rows, known, different, partly;
    struct progress bar;
};

/* ---- Ctrl-C: noticed between two pieces of work, so that nothing half-written is left */

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    stopped = number;
}

static void stops_catch(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_stop };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) sigaction(numbers[i], &action, NULL);
}

/* End as who asked for it expects it. */
static void stop_now(void)
{
    signal(stopped, SIG_DFL);
    raise(stopped);
}

/* ---- reading */

/* A file being read, line by line. */
struct reading {
    struct import *import;
    const struct release_file *file;
    char path[PATH_MAX];
    int fd;
    char *room; /* owned: CHUNK bytes */
    size_t used;
    unsigned long line;
    long long done, size; /* bytes; size 0: not known */
    size_t wrong;
};

static void problem(struct reading *reading, struct err *err)
{
    if (reading->line)
        err_at(err, "%s:%lu", reading->path, reading->line);
    else
        err_at(err, "%s", reading->path);
    err_list_add(&reading->import->problems, err);
    reading->wrong++;
}

static void line_take(struct reading *reading, const char *line, size_t len)
{
    struct err err;

    reading->line++;
    if (len && !reading->file->line(&reading->import->graph, line, len, &err))
        problem(reading, &err);
}

/* Take the whole lines of what is there; keep the rest. */
static void lines_take(struct reading *reading)
{
    const char *at = reading->room, *end = at + reading->used;

    for (const char *lf; (lf = memchr(at, '\n', (size_t)(end - at))); at = lf + 1) {
        if (reading->wrong >= PROBLEMS_MAX) break;
        line_take(reading, at, (size_t)(lf - at));
    }
    reading->used = (size_t)(end - at);
    memmove(reading->room, at, reading->used);
}

static bool too_long(struct reading *reading, struct err *err)
{
    reading->line++;
    return err_set(err, ERR_INPUT, "rrf.line", "this line is longer than %zu bytes", CHUNK);
}

static bool chunks_read(struct reading *reading, struct err *err)
{
    while (!stopped && reading->wrong < PROBLEMS_MAX) {
        if (reading->used == CHUNK) return too_long(reading, err);
        ssize_t n = read(reading->fd, reading->room + reading->used, CHUNK - reading->used);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            reading->line = 0;
            return err_set(err, ERR_SYSTEM, "file.read", "%s", strerror(errno));
        }
        if (!n) break;
        reading->used += (size_t)n;
        reading->done += n;
        lines_take(reading);
        progress_show(&reading->import->bar, reading->file->name, reading->done, reading->size);
    }
    if (reading->used && reading->wrong < PROBLEMS_MAX && !stopped)
        line_take(reading, reading->room, reading->used);
    return true;
}

static void path_of(const struct import *import, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", import->dir, name);
    if (access(path, F_OK) != 0) { /* the folder of an unpacked release has them below rrf/ */
        char below[PATH_MAX];
        snprintf(below, sizeof below, "%s/rrf/%s", import->dir, name);
        if (access(below, F_OK) == 0) snprintf(path, size, "%s", below);
    }
}

static void file_open_failed(struct reading *reading)
{
    struct err err;

    if (errno == ENOENT && !reading->file->needed) return;
    err_set(&err, ERR_SYSTEM, "file.open", "%s", strerror(errno));
    err_fix(&err, "name the folder of an unpacked RxNorm release, or its folder rrf");
    problem(reading, &err);
}

static void file_read(struct import *import, const struct release_file *file)
{
    struct reading reading = { .import = import, .file = file };
    struct stat st;
    struct err err;

    path_of(import, file->name, reading.path, sizeof reading.path);
    reading.fd = open(reading.path, O_RDONLY | O_CLOEXEC);
    if (reading.fd < 0) {
        file_open_failed(&reading);
        return;
    }
    if (fstat(reading.fd, &st) == 0) reading.size = st.st_size;
    reading.room = mem_zero(1, CHUNK);
    if (!chunks_read(&reading, &err)) problem(&reading, &err);
    free(reading.room);
    close(reading.fd);
    progress_end(&import->bar);
    file->done(&import->graph);
    import->read++;
}

static void nothing_there(struct import *import)
{
    struct err err;

    err_set(&err, ERR_INPUT, "rrf.empty", "no line says an ingredient or product of RxNorm");
    err_fix(&err, "name a full or prescribable RxNorm release");
    err_at(&err, "%s", import->dir);
    err_list_add(&import->problems, &err);
}

static bool release_read(struct import *import)
{
    for (size_t i = 0; i < ARRAY_SIZE(files) && !stopped; i++)
        if (files[i].needed || import->packages) file_read(import, &files[i]);
    if (stopped) return false;
    if (!import->problems.count && (!import->graph.concept_count || !import->graph.link_count))
        nothing_there(import);
    return !import->problems.count;
}

/* ---- writing */

static void rows_write(struct import *import, const struct rxnorm_code *code)
{
    FILE *out = import->output.file;

    for (size_t i = 0; i < code->drug_count; i++) {
        const struct rxnorm_drug *drug = &code->drugs[i];
        fprintf(out, "%s,%s,drug:%s,", code->system, code->code,
                concept_name(import->knowledge, drug->concept));
        page_csv(code->name, out);
        fprintf(out, ",,%s,", drug->strength);
        page_csv(drug->unit, out);
        putc(',', out);
        page_csv(drug->form, out);
        putc('\n', out);
        import->rows++;
    }
}

static void names_print(const struct import *import, const struct rxnorm_code *code)
{
    for (size_t i = 0; i < code->our_count; i++)
        fprintf(stderr, "%s%s", i ? " + " : "",
                concept_name(import->knowledge, code->ours[i].concept));
    fputs(" in our tables, ", stderr);
    for (size_t i = 0; i < code->drug_count; i++)
        fprintf(stderr, "%s%s", i ? " + " : "",
                concept_name(import->knowledge, code->drugs[i].concept));
    fputs(code->drug_count ? " in the release" : "no drug of ours in the release", stderr);
}

/* What is not written, and why somebody should look at it. */
static void difference_print(struct import *import, const struct rxnorm_code *code)
{
    import->different++;
    fprintf(stderr, "left out: %s %s \"%s\": ", code->system, code->code, code->name);
    if (code->verdict == RXNORM_AMBIGUOUS)
        fputs("its products in the release have different drugs", stderr);
    else
        names_print(import, code);
    fputs("\n", stderr);
}

static void on_code(const struct rxnorm_code *code, void *arg)
{
    struct import *import = arg;

    switch (code->verdict) {
    case RXNORM_NEW:
        if (strcmp(code->system, "ndc") == 0)
            import->ndcs++;
        else
            import->codes++;
        import->partly += code->partly;
        rows_write(import, code);
        break;
    case RXNORM_KNOWN:
        import->known++;
        break;
    case RXNORM_DIFFERENT:
    case RXNORM_AMBIGUOUS:
        difference_print(import, code);
        break;
    case RXNORM_FOREIGN:
        break;
    }
}

static void summary(const struct import *import)
{
    fprintf(
        stderr,
        "read %zu files: %zu RxNorm codes and %zu NDC are new (%zu lines); our tables have %zu\n",
        import->read, import->codes, import->ndcs, import->rows, import->known);
    if (import->partly)
        fprintf(stderr, "%zu of the new ones have ingredients beside that no rule can ask for\n",
                import->partly);
    if (import->different)
        fprintf(stderr, "%zu were left out: the release and our tables differ; look at them\n",
                import->different);
}

static bool write_all(struct import *import)
{
    struct err err;

    if (!output_open(&import->output, import->path, &err)) {
        err_list_add(&import->problems, &err);
        return false;
    }
    fputs("system,code,concept,comment,overrides,strength,unit,form\n", import->output.file);
    rxnorm_codes(&import->graph, import->knowledge, on_code, import);
    if (stopped) {
        output_drop(&import->output);
        return false;
    }
    if (!output_close(&import->output, &err)) {
        err_list_add(&import->problems, &err);
        return false;
    }
    summary(import);
    return true;
}

/* ---- the verb */

static int help(void)
{
    puts(
        "usage: myeloma-adapter import rxnorm [OPTION...] DIR\n\n"
        "Turns an RxNorm release of the site into a file of local codes, so that new products are\n"
        "known without a new version of this program. DIR is an unpacked release or its folder "
        "rrf:\n"
        "RXNCONSO.RRF, RXNREL.RRF and, for NDC, RXNSAT.RRF. Only what RxNorm itself says and has "
        "not\n"
        "suppressed is read.\n\n"
        "  --output FILE      write there (as a whole or not at all) instead of the standard "
        "output\n"
        "  --no-ndc           RxNorm codes alone\n"
        "  --mappings DIR     use these mappings\n\n"
        "A code is followed to the ingredients that our tables know; a combination has a line for\n"
        "each of them. Strength and dose form are written where the release has one. A code that "
        "our\n"
        "tables have already is left out; one that they map to other drugs is named on stderr and\n"
        "left out too: nothing is overridden. Check the file before use:\n\n"
        "  myeloma-adapter import rxnorm --output rxnorm-2026-05.csv RxNorm_full_05042026\n"
        "  myeloma-adapter check --codes rxnorm-2026-05.csv\n\n"
        "Exit code: 0 written; 1 the release or the mappings have a problem (nothing is written), "
        "or\n"
        "the output is lost; 2 wrong usage.");
    return 0;
}

static int usage(void)
{
    fputs("Try 'myeloma-adapter import --help'.\n", stderr);
    return 2;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int options_take(struct import *import, int argc, char **argv)
{
    static const struct option options[] = {
        { "mappings", required_argument, NULL, 'm' },
        { "output", required_argument, NULL, 'o' },
        { "no-ndc", no_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
        if (option == 'm')
            import->layers.mappings = optarg;
        else if (option == 'o')
            import->path = optarg;
        else if (option == 'n')
            import->packages = false;
        else if (option == 'h')
            return 1 + help();
        else
            return 1 + usage();
    }
    if (optind == argc) return 1 + command_usage("import", "name what to import: rxnorm");
    if (strcmp(argv[optind], "rxnorm") != 0)
        return 1 + command_usage("import", "\"%s\" cannot be imported: rxnorm", argv[optind]);
    if (argc - optind != 2)
        return 1 + command_usage("import", "name one DIR, the folder of an unpacked release");
    import->dir = argv[optind + 1];
    return 0;
}

static int run(struct import *import)
{
    load_find(&import->layers);
    progress_start(&import->bar, true);
    stops_catch();
    bool good = load_layers(&import->layers, &import->knowledge, &import->problems) &&
                release_read(import) && write_all(import);
    command_problems(&import->problems);
    return good ? 0 : 1;
}

int command_import(int argc, char **argv)
{
    struct import import = { .packages = true };
    int code = options_take(&import, argc, argv);

    code = code ? code - 1 : run(&import);
    err_list_done(&import.problems);
    knowledge_free(import.knowledge);
    rxnorm_graph_done(&import.graph);
    if (stopped) stop_now();
    return code;
}
