/* run: the daemon. Everything is created in order and freed in reverse; no other globals. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <uv.h>

#include "app/command.h"
#include "app/config.h"
#include "app/listener.h"
#include "app/load.h"
#include "app/material.h"
#include "app/service.h"
#include "app/signals.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow.h"

#define STOP_GRACE_MS  5000
#define IDLE_LOOKS_MAX 4

struct adapter {
    uv_loop_t loop;
    const char *config_file;
    const char *mappings_option; /* of the command line; NULL */
    struct config *config;       /* owned */
    struct knowledge *knowledge; /* owned */
    struct knowledge *leaving;   /* owned: the one before, until the flow lets go of it */
    struct metrics metrics;
    struct store *store;
    struct http_client *client;
    struct listener listener;
    struct flow *flow;
    struct service service;
    struct signals signals;
    uint64_t seen_store, seen_flow; /* turns at the last sign of life */
    unsigned idle_looks;            /* signs of life without a turn of the flow */
    bool stopping, reloading;
    bool reload_again; /* another SIGHUP came while one was worked on */
    int code;
};

/* ---- mappings, configuration */

static struct knowledge *knowledge_read(const struct adapter *adapter, const struct config *config,
                                        struct err_list *problems)
{
    struct knowledge *knowledge = NULL;
    struct load_layers layers = { .mappings = adapter->mappings_option,
                                  .codes = config->local_codes,
                                  .rules = config->local_rules };

    if (!layers.mappings) layers.mappings = config->mappings;
    load_find(&layers);
    layers.profile = config_profile(config);
    layers.no_drug_names = !config->drug_names;
    return load_layers(&layers, &knowledge, problems) ? knowledge : NULL;
}

/* ---- stopping */

static void tell_failed(const struct err *err)
{
    log_event(LOG_LEVEL_ERROR, "store-failed", LOG_CODE, err->code, LOG_FIX,
              "see to the disk; nothing that was acknowledged is lost", LOG_END);
}

/* A sync may fail as late as this: it has not ended well, though nobody needs what it did not do. */
static void on_store_closed(struct err *err, void *arg)
{
    struct adapter *adapter = arg;

    if (err && !adapter->code) {
        tell_failed(err);
        adapter->code = 1;
    }
}

static void on_flow_stopped(void *arg)
{
    struct adapter *adapter = arg;

    listener_free(&adapter->listener);
    http_client_free(adapter->client);
    store_close(adapter->store, on_store_closed, adapter);
    service_done(&adapter->service);
    signals_close(&adapter->signals);
}

static void adapter_stop(struct adapter *adapter, int code)
{
    if (adapter->stopping) return;
    adapter->stopping = true;
    adapter->code = code;
    log_event(LOG_LEVEL_INFO, "stopping", LOG_END);
    service_stopping();
    listener_quiesce(&adapter->listener);
    flow_stop(adapter->flow, STOP_GRACE_MS, on_flow_stopped, adapter);
}

/* The store answers and the listener listens: the intake works, whatever the server does. */
static void on_store_answers(const struct store_counts *counts, void *arg)
{
    (void)arg;
    if (counts) service_ready("waiting for the server");
}

static void on_ready(void *arg)
{
    (void)arg;
    log_event(LOG_LEVEL_INFO, "ready", LOG_END);
    service_ready("watching");
}

static void on_failed(const struct err *err, void *arg)
{
    tell_failed(err);
    adapter_stop(arg, 1);
}

/* The timer that asks proves that the loop turns. The store thread turns every second; the flow looks
 * up at least every 30 s, so a few looks without a turn mean that it is stuck. */
static bool on_alive(void *arg)
{
    struct adapter *adapter = arg;
    uint64_t store = store_turns(adapter->store), flow;
    bool alive = store != adapter->seen_store;

    if (adapter->stopping) return true;
    flow = flow_turns(adapter->flow);
    adapter->idle_looks = flow == adapter->seen_flow ? adapter->idle_looks + 1 : 0;
    adapter->seen_store = store;
    adapter->seen_flow = flow;
    return alive && adapter->idle_looks <= IDLE_LOOKS_MAX;
}

/* ---- reload: all or nothing */

static void log_problems(const char *event, const struct err_list *problems)
{
    for (size_t i = 0; i < problems->count && i < 20; i++)
        log_event(LOG_LEVEL_ERROR, event, LOG_CODE, problems->items[i].code, LOG_WHERE,
                  problems->items[i].where, LOG_WHAT, problems->items[i].what, LOG_FIX,
                  problems->items[i].fix, LOG_END);
}

static void adapter_reload(struct adapter *adapter);

/* What was asked for meanwhile is done now: the files may have changed since they were read. */
static void reload_over(struct adapter *adapter, const char *status)
{
    adapter->reloading = false;
    service_ready(status);
    if (!adapter->reload_again || adapter->stopping) return;
    adapter->reload_again = false;
    adapter_reload(adapter);
}

static void on_knowledge(void *arg)
{
    struct adapter *adapter = arg;

    knowledge_free(TAKE(adapter->leaving));
    metric_add(&adapter->metrics, METRIC_RELOADS, 1);
    log_event(LOG_LEVEL_INFO, "reloaded", LOG_VERSION, knowledge_generation(adapter->knowledge),
              LOG_COUNT, (int64_t)knowledge_rule_count(adapter->knowledge), LOG_END);
    reload_over(adapter, "watching");
}

static void reload_refused(struct adapter *adapter, struct err_list *problems)
{
    log_problems("reload-refused", problems);
    err_list_done(problems);
    metric_add(&adapter->metrics, METRIC_RELOADS_REFUSED, 1);
    reload_over(adapter, "watching; the last reload was refused, see the log");
}

/* Take over what was read: nothing in here can fail. */
static void reload_apply(struct adapter *adapter, struct config *config,
                         struct knowledge *knowledge, struct material *material)
{
    struct flow_options options = material_options(material, config);

    log_set_level((enum log_level)config->log_level);
    http_client_authorize(adapter->client, material->authorization);
    options.hook_secret = NULL; /* as it was */
    flow_options(adapter->flow, &options);
    config_free(adapter->config);
    adapter->config = config;
    adapter->leaving = adapter->knowledge;
    adapter->knowledge = knowledge;
    flow_knowledge(adapter->flow, knowledge, on_knowledge, adapter);
}

static void adapter_reload(struct adapter *adapter)
{
    AUTO(config_free) struct config *config = NULL;
    AUTO(knowledge_free) struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    struct material material;
    char fixed[64];
    struct err err;

    adapter->reloading = true;
    service_reloading();
    if (config_read(adapter->config_file, &config, &problems)) {
        knowledge = knowledge_read(adapter, config, &problems);
        if (config_fixed(adapter->config, config, fixed, sizeof fixed)) {
            err_set(&err, ERR_CONFIG, "reload.fixed", "\"%s\" changed", fixed);
            err_fix(&err, "restart the service to change it");
            err_list_add(&problems, &err);
        }
    }
    if (!problems.count && !material_read(config, &material, &err)) err_list_add(&problems, &err);
    if (problems.count) {
        reload_refused(adapter, &problems);
        return;
    }
    reload_apply(adapter, TAKE(config), TAKE(knowledge), &material);
    material_done(&material);
}

static void on_signal(int number, void *arg)
{
    struct adapter *adapter = arg;

    if (number != SIGHUP)
        adapter_stop(adapter, 0);
    else if (adapter->reloading)
        adapter->reload_again = true;
    else if (!adapter->stopping)
        adapter_reload(adapter);
}

/* ---- starting */

/* Patient data never reaches a core file or another user. */
static void process_guard(void)
{
    const struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    umask(077);
    signal(SIGPIPE, SIG_IGN);
}

static void client_start(struct adapter *adapter, const struct material *material)
{
    const struct http_client_options options = {
        .ca_pem = material->ca,
        .ca_name = adapter->config->server.ca_file,
        .user_agent = "myeloma-adapter/" ADAPTER_VERSION,
        .authorization = material->authorization,
        .origin = material->origin,
        .connections_max = (unsigned)adapter->config->server.connections,
    };

    adapter->client = http_client_new(&adapter->loop, &options);
}

/* The store, the client, the flow and the listener, in this order; false leaves err. */
static bool parts_start(struct adapter *adapter, const struct material *material, struct err *err)
{
    const struct flow_events events = { on_ready, on_failed, adapter };
    struct flow_options options = material_options(material, adapter->config);

    if (!store_open(&adapter->loop, adapter->config->store, &adapter->store, err)) return false;
    client_start(adapter, material);
    signals_start(&adapter->signals, &adapter->loop, on_signal, adapter);
    service_watch(&adapter->service, &adapter->loop, on_alive, adapter);
    adapter->flow = flow_start(&adapter->loop, &options, adapter->client, adapter->store,
                               &adapter->metrics, adapter->knowledge, &events);
    if (listener_start(&adapter->listener, &adapter->loop, adapter->config, material, adapter->flow,
                       &adapter->metrics, err)) {
        store_count(adapter->store, on_store_answers, adapter);
        return true;
    }
    adapter->stopping = true;
    flow_stop(adapter->flow, 0, on_flow_stopped, adapter);
    return false;
}

/* To the journal as an event with its priority, to a person as a line. */
static void start_failed(const struct err_list *problems)
{
    if (getenv("JOURNAL_STREAM"))
        log_problems("start-failed", problems);
    else
        command_problems(problems);
}

static void start_failed_once(const struct err *err)
{
    struct err_list problems = { 0 };

    err_list_add(&problems, err);
    start_failed(&problems);
    err_list_done(&problems);
}

static int adapter_run(struct adapter *adapter)
{
    struct material material;
    struct err err;

    if (!material_read(adapter->config, &material, &err)) {
        start_failed_once(&err);
        return 1;
    }
    uv_loop_init(&adapter->loop);
    log_event(LOG_LEVEL_INFO, "starting", LOG_VERSION, ADAPTER_VERSION, LOG_NAME,
              knowledge_generation(adapter->knowledge), LOG_COUNT,
              (int64_t)knowledge_rule_count(adapter->knowledge), LOG_END);
    if (!parts_start(adapter, &material, &err)) {
        start_failed_once(&err);
        adapter->code = 1;
    }
    material_done(&material);
    uv_run(&adapter->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&adapter->loop) != 0) log_event(LOG_LEVEL_WARN, "loop-not-empty", LOG_END);
    if (!adapter->code) log_event(LOG_LEVEL_INFO, "stopped", LOG_END);
    return adapter->code;
}

static int help(void)
{
    puts("usage: myeloma-adapter run [--config FILE] [--mappings DIR]\n\n"
         "The daemon. Subscribes to MedicationRequest, Observation and Condition on the FHIR\n"
         "server that FILE names, keeps the charts of myeloma patients, and writes, updates and\n"
         "ends DetectedIssues there.\n\n"
         "  --config FILE      default: " ADAPTER_SYSCONFDIR "/adapter.json\n"
         "  --mappings DIR     instead of the folder that FILE names\n\n"
         "SIGHUP reads configuration and mappings again, all or nothing. SIGTERM stops; accepted\n"
         "work stays in the store. Log: one line an event on stderr.\n"
         "Exit code: 0 stopped; 1 it could not start or the store failed; 2 wrong usage.");
    return 0;
}

static int run(struct adapter *adapter)
{
    struct err_list problems = { 0 };
    int code = 1;

    if (config_read(adapter->config_file, &adapter->config, &problems)) {
        log_set_level((enum log_level)adapter->config->log_level);
        adapter->knowledge = knowledge_read(adapter, adapter->config, &problems);
    }
    if (adapter->knowledge)
        code = adapter_run(adapter);
    else
        start_failed(&problems);
    err_list_done(&problems);
    knowledge_free(adapter->leaving);
    knowledge_free(adapter->knowledge);
    config_free(adapter->config);
    return code;
}

int command_run(int argc, char **argv)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "mappings", required_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct adapter adapter = { .config_file = ADAPTER_SYSCONFDIR "/adapter.json" };
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'c')
            adapter.config_file = optarg;
        else if (option == 'm')
            adapter.mappings_option = optarg;
        else if (option == 'h')
            return help();
        else
            return command_usage("run", "an option was not understood");
    }
    if (optind < argc) return command_usage("run", "\"%s\" is no option", argv[optind]);
    process_guard();
    return run(&adapter);
}
