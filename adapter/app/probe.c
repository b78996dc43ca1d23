/* probe: ask a server what it can do, choose, and write a configuration to begin with. */
#include "app/probe.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/config.h"
#include "app/credential.h"
#include "app/output.h"
#include "app/progress.h"
#include "app/secret.h"
#include "base/mem.h"
#include "fhir/reference.h"

#define TIMEOUT_MS 30000

struct probing {
    char *base; /* owned: without a slash at its end */
    const char *patient, *output;
    struct probe_settings settings;
    bool force;
    int format; /* 0 text, 1 json */
};

static int help(void)
{
    puts("usage: myeloma-adapter probe [OPTION...] URL\n\n"
         "Asks a FHIR server what it really does: harmless questions, nothing is written there.\n"
         "Chooses how changes are heard of and how alerts are written, says why, and writes a\n"
         "configuration to begin with.\n\n"
         "  URL                the base URL: https://ehr.example/fhir\n"
         "  --output FILE      write the configuration there (not over one that is there)\n"
         "  --force            ... over one that is there\n"
         "  --hook URL         how the server will reach the adapter:\n"
         "                     https://adapter.example:8443/hook\n"
         "  --patient ID       a patient to ask about; else the first one that is seen\n"
         "  --cohort LIST      who is looked after, where each patient is asked for: Group/ID,\n"
         "                     List/ID or a file with an id a line\n"
         "  --token-file FILE  a bearer token\n"
         "  --basic-file FILE  user:password\n"
         "  --ca-file FILE     PEM of the authorities to trust; else the system's\n"
         "  --format FORMAT    text (default) or json\n\n"
         "Exit code: 0 the adapter can work there; 1 it cannot, or the server was not reached;\n"
         "2 wrong usage.");
    return 0;
}

/* ---- the bar */

static struct progress bar;

static void on_progress(unsigned done, unsigned all)
{
    progress_show(&bar, "asking", done < all ? done : all, all);
}

/* ---- the configuration */

static bool config_write(const struct probing *probing, const struct probe_facts *facts,
                         const struct probe_choice *choice, struct err *err)
{
    struct output output;
    bool good;

    if (!probing->force && access(probing->output, F_OK) == 0) {
        err_set(err, ERR_CONFIG, "file.exists", "there is a file of that name");
        err_at(err, "%s", probing->output);
        return err_fix(err, "choose another name, or add --force");
    }
    if (!output_open(&output, probing->output, err)) return false;
    probe_config(facts, choice, &probing->settings, output.file);
    good = output_close(&output, err);
    output_drop(&output);
    return good;
}

static int complain(const struct err *err)
{
    char text[1024];

    fprintf(stderr, "myeloma-adapter probe: %s\n", err_text(err, text, sizeof text));
    return 1;
}

static void config_tell(const struct probing *probing, const struct probe_facts *facts,
                        const struct probe_choice *choice)
{
    if (probing->output) {
        printf("\nWrote %s. Next: myeloma-adapter check --config %s\n", probing->output,
               probing->output);
        return;
    }
    puts("\nA configuration to begin with (--output FILE writes it):\n");
    probe_config(facts, choice, &probing->settings, stdout);
}

static int result_tell(const struct probing *probing, const struct probe_facts *facts,
                       const struct probe_choice *choice)
{
    struct err err;

    if (probing->format)
        probe_json(facts, choice, stdout);
    else
        probe_tell(facts, choice, stdout);
    if (probing->output && !config_write(probing, facts, choice, &err)) {
        fflush(stdout);
        return complain(&err);
    }
    if (!probing->format) config_tell(probing, facts, choice);
    return command_flush("probe") && choice->poll != PROBE_POLL_NONE ? 0 : 1;
}

/* ---- asking */

struct keys {
    char *authorization, *ca; /* owned secrets */
};

static bool keys_read(const struct probing *probing, struct keys *ret, struct err *err)
{
    const struct credential_source source = { .token_file = probing->settings.token_file,
                                              .basic_file = probing->settings.basic_file };

    *ret = (struct keys){ NULL, NULL };
    return credential_authorization(&source, &ret->authorization, err) &&
           secret_read(probing->settings.ca_file, NULL, false, &ret->ca, err);
}

static bool ask_all(const struct probing *probing, const struct keys *keys, struct probe_facts *ret,
                    struct err *err)
{
    char origin[600];
    const struct http_client_options options = { .ca_pem = keys->ca,
                                                 .ca_name = probing->settings.ca_file,
                                                 .user_agent = "myeloma-adapter/" ADAPTER_VERSION,
                                                 .authorization = keys->authorization,
                                                 .origin = origin,
                                                 .connections_max = 1 };
    struct probe_request request = { .base = probing->base,
                                     .patient = probing->patient,
                                     .hook = probing->settings.hook,
                                     .timeout_ms = TIMEOUT_MS,
                                     .progress = on_progress };
    uv_loop_t loop;
    bool good;

    credential_origin(probing->base, origin, sizeof origin);
    uv_loop_init(&loop);
    request.loop = &loop;
    request.client = http_client_new(&loop, &options);
    progress_start(&bar, true);
    good = probe_ask(&request, ret, err);
    progress_end(&bar);
    http_client_free(request.client);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return good;
}

static int probe(const struct probing *probing)
{
    struct probe_facts facts;
    struct probe_choice choice;
    struct keys keys;
    struct err err;
    bool good = keys_read(probing, &keys, &err) && ask_all(probing, &keys, &facts, &err);

    secret_wipe(keys.authorization);
    free(keys.ca);
    if (!good) return complain(&err);
    probe_choose(&facts, probing->settings.hook, &choice);
    return result_tell(probing, &facts, &choice);
}

/* ---- the command line */

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(struct probing *probing, int option)
{
    static const char *const formats[] = { "text", "json", NULL };

    switch (option) {
    case 'o':
        probing->output = optarg;
        return 0;
    case 'F':
        probing->force = true;
        return 0;
    case 'H':
        probing->settings.hook = optarg;
        return config_url_fits(optarg) ? 0 : 1 + command_usage("probe", "\"%s\" is no URL", optarg);
    case 'p':
        probing->patient = optarg;
        return reference_id_ok(optarg) ? 0 : 1 + command_usage("probe", "\"%s\" is no id", optarg);
    case 'C':
        probing->settings.cohort = optarg;
        return 0;
    case 't':
        probing->settings.token_file = optarg;
        return 0;
    case 'b':
        probing->settings.basic_file = optarg;
        return 0;
    case 'c':
        probing->settings.ca_file = optarg;
        return 0;
    case 'f':
        return command_format("probe", optarg, formats, &probing->format);
    case 'h':
        return 1 + help();
    default:
        return 1 + command_usage("probe", "an option was not understood");
    }
}

static int base_take(struct probing *probing, int argc, char **argv)
{
    size_t len;

    if (optind + 1 != argc) return 1 + command_usage("probe", "give one URL");
    if (!config_url_fits(argv[optind]))
        return 1 + command_usage("probe", "\"%s\" is no URL of http or https", argv[optind]);
    if (probing->settings.token_file && probing->settings.basic_file)
        return 1 + command_usage("probe", "give --token-file or --basic-file, not both");
    probing->base = mem_strdup(argv[optind]);
    len = strlen(probing->base);
    while (len && probing->base[len - 1] == '/') probing->base[--len] = '\0';
    return 0;
}

static int options_take(struct probing *probing, int argc, char **argv)
{
    static const struct option options[] = {
        { "output", required_argument, NULL, 'o' },
        { "force", no_argument, NULL, 'F' },
        { "hook", required_argument, NULL, 'H' },
        { "patient", required_argument, NULL, 'p' },
        { "cohort", required_argument, NULL, 'C' },
        { "token-file", required_argument, NULL, 't' },
        { "basic-file", required_argument, NULL, 'b' },
        { "ca-file", required_argument, NULL, 'c' },
        { "format", required_argument, NULL, 'f' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(probing, option))) return stop;
    return base_take(probing, argc, argv);
}

int command_probe(int argc, char **argv)
{
    struct probing probing = { .base = NULL };
    int code = options_take(&probing, argc, argv);

    code = code ? code - 1 : probe(&probing);
    free(probing.base);
    return code;
}
