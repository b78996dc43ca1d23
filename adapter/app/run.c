/* run: the daemon. Everything is created in order and freed in reverse; no other globals. */
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

#include "app/command.h"
#include "app/config.h"
#include "app/credential.h"
#include "app/load.h"
#include "app/secret.h"
#include "app/service.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow.h"

#define BODIES_AT_ONCE  16 /* notifications of the greatest length that are under way together */
#define STOP_GRACE_MS   5000
#define REFUSALS        200   /* statuses from 400 */
#define REFUSAL_TELL_MS 60000 /* between two log lines of one status */
#define IDLE_LOOKS_MAX  4

/* The settings as the parts below want them; texts are borrowed from config or owned here. */
struct material {
    char *authorization;                               /* owned secret */
    char *ca;                                          /* owned */
    char *certificate, *key, *hook_secret, *signature; /* owned; the last three are secrets */
    char origin[600];
};

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
    struct http_server *server; /* NULL: poll alone */
    struct flow *flow;
    struct service service;
    uv_signal_t term, interrupt, hangup;
    uint64_t seen_store, seen_flow;     /* turns at the last sign of life */
    unsigned idle_looks;                /* signs of life without a turn of the flow */
    uint64_t refusal_told_ms[REFUSALS]; /* on the loop's clock; by status, 0: never */
    bool stopping, reloading;
    bool reload_again; /* another SIGHUP came while one was worked on */
    int code;
};

/* ---- what the parts are made from */

static void material_done(struct material *material)
{
    secret_wipe(material->authorization);
    secret_wipe(material->key);
    secret_wipe(material->hook_secret);
    secret_wipe(material->signature);
    free(material->ca);
    free(material->certificate);
}

static bool authorization_read(const struct config *config, char **ret, struct err *err)
{
    const struct credential_source source = { config->server.token_file,
                                              config->server.token_credential,
                                              config->server.basic_file,
                                              config->server.basic_credential };

    return credential_authorization(&source, ret, err);
}

/* A colon is cut off by some servers (Medplum), a short secret can be guessed. */
static bool hook_secret_check(const char *secret, struct err *err)
{
    if (!secret || (strlen(secret) >= 32 && !strchr(secret, ':'))) return true;
    err_set(err, ERR_CONFIG, "secret.shape", "the hook secret is too short or contains a colon");
    return err_fix(err, "use 32 characters or more, e.g. of openssl rand -hex 32");
}

static bool signature_check(const char *secret, struct err *err)
{
    if (!secret || strlen(secret) >= 32) return true;
    err_set(err, ERR_CONFIG, "secret.shape", "the secret of X-Signature is too short");
    return err_fix(err, "use 32 characters or more, e.g. of openssl rand -hex 32");
}

static bool material_read(const struct config *config, struct material *ret, struct err *err)
{
    *ret = (struct material){ .authorization = NULL };
    credential_origin(config->server.base, ret->origin, sizeof ret->origin);
    if (authorization_read(config, &ret->authorization, err) &&
        secret_read(config->server.ca_file, NULL, false, &ret->ca, err) &&
        secret_read(config->hook.certificate_file, NULL, false, &ret->certificate, err) &&
        secret_read(config->hook.key_file, config->hook.key_credential, false, &ret->key, err) &&
        secret_read(config->hook.secret_file, config->hook.secret_credential, true,
                    &ret->hook_secret, err) &&
        hook_secret_check(ret->hook_secret, err) &&
        secret_read(config->subscribe.signature_file, config->subscribe.signature_credential, true,
                    &ret->signature, err) &&
        signature_check(ret->signature, err))
        return true;
    material_done(ret);
    return false;
}

static bool random_bytes(void *into, size_t len)
{
    return uv_random(NULL, NULL, into, len, 0, NULL) == 0;
}

static int64_t wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct flow_options options_of(const struct config *config, const struct material *material)
{
    return (struct flow_options){
        .base = config->server.base,
        .origin = material->origin,
        .hook = config->hook.url,
        .hook_payload = config->hook.payload,
        .start_active = config->server.start_active,
        .name = config->name,
        .system = config->alerts.system,
        .version = ADAPTER_VERSION,
        .hook_secret = material->hook_secret,
        .poll_by = (enum poll_by)config->poll.by,
        .cohort = config->poll.cohort,
        .per_minute = config->poll.per_minute,
        .subscribe = (enum flow_subscribe)config->subscribe.by,
        .channel = (enum subscription_channel)config->subscribe.channel,
        .web_socket = config->subscribe.web_socket,
        .content = (enum subscription_content)config->subscribe.content,
        .topics = { config->subscribe.orders, config->subscribe.results,
                    config->subscribe.conditions },
        .heartbeat_ms = config->subscribe.heartbeat_ms,
        .signature = material->signature,
        .poll_ms = config->poll.every_ms,
        .overlap_ms = config->poll.overlap_ms,
        .subscription_ms = config->poll.subscription_ms,
        .request_ms = config->server.request_ms,
        .first_poll_days = config->poll.first_days,
        .history_days = config->poll.history_days,
        .page_count = (unsigned)config->server.page_count,
        .deliveries_max = (unsigned)config->alerts.in_flight,
        .attempts_max = (unsigned)config->alerts.attempts,
        .journal = { .items = config->journal.events,
                     .bytes = config->journal.bytes,
                     .age_ms = config->journal.age_ms },
        .keep_days = config->journal.keep_days,
        .random_bytes = random_bytes,
        .wall_ms = wall_ms,
    };
}

/* ---- mappings, configuration */

static struct knowledge *knowledge_read(const struct adapter *adapter, const struct config *config,
                                        struct err_list *problems)
{
    struct knowledge *knowledge = NULL;
    char dir[PATH_MAX];
    struct load_layers layers = { .mappings = adapter->mappings_option,
                                  .codes = config->local_codes,
                                  .rules = config->local_rules };

    if (!layers.mappings) layers.mappings = config->mappings;
    if (!layers.mappings) layers.mappings = load_default_dir(dir, sizeof dir);
    layers.profile = config_profile(config);
    layers.no_drug_names = !config->drug_names;
    return load_layers(&layers, &knowledge, problems) ? knowledge : NULL;
}

/* ---- stopping */

static void signals_close(struct adapter *adapter)
{
    uv_close((uv_handle_t *)&adapter->term, NULL);
    uv_close((uv_handle_t *)&adapter->interrupt, NULL);
    uv_close((uv_handle_t *)&adapter->hangup, NULL);
}

static void on_store_closed(void *arg)
{
    (void)arg;
}

static void on_flow_stopped(void *arg)
{
    struct adapter *adapter = arg;

    http_server_free(adapter->server);
    http_client_free(adapter->client);
    store_close(adapter->store, on_store_closed, adapter);
    service_done(&adapter->service);
    signals_close(adapter);
}

static void adapter_stop(struct adapter *adapter, int code)
{
    if (adapter->stopping) return;
    adapter->stopping = true;
    adapter->code = code;
    log_event(LOG_LEVEL_INFO, "stopping", LOG_END);
    service_stopping();
    if (adapter->server) http_server_quiesce(adapter->server);
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
    log_event(LOG_LEVEL_ERROR, "store-failed", LOG_CODE, err->code, LOG_FIX,
              "see to the disk; nothing that was acknowledged is lost", LOG_END);
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

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What the Subscriptions are made of. */
static const char *fixed_subscribe(const struct config *a, const struct config *b)
{
    if (a->subscribe.by != b->subscribe.by) return "subscribe.by";
    if (a->subscribe.channel != b->subscribe.channel) return "subscribe.channel";
    if (!same(a->subscribe.web_socket, b->subscribe.web_socket)) return "subscribe.webSocket";
    if (a->subscribe.content != b->subscribe.content) return "subscribe.content";
    if (!same(a->subscribe.orders, b->subscribe.orders)) return "subscribe.orders";
    if (!same(a->subscribe.results, b->subscribe.results)) return "subscribe.results";
    if (!same(a->subscribe.conditions, b->subscribe.conditions)) return "subscribe.conditions";
    if (a->subscribe.heartbeat_ms != b->subscribe.heartbeat_ms) return "subscribe.heartbeat";
    if (!same(a->subscribe.signature_file, b->subscribe.signature_file))
        return "subscribe.signatureFile";
    if (!same(a->subscribe.signature_credential, b->subscribe.signature_credential))
        return "subscribe.signatureCredential";
    return NULL;
}

/* What cannot change while the daemon runs. */
static const char *fixed_setting(const struct config *a, const struct config *b)
{
    if (!same(a->server.base, b->server.base)) return "server.base";
    if (!same(a->server.ca_file, b->server.ca_file)) return "server.caFile";
    if (!same(a->hook.listen, b->hook.listen)) return "hook.listen";
    if (!same(a->hook.url, b->hook.url)) return "hook.url";
    if (!same(a->hook.certificate_file, b->hook.certificate_file)) return "hook.certificateFile";
    if (!same(a->hook.key_file, b->hook.key_file)) return "hook.keyFile";
    if (!same(a->hook.key_credential, b->hook.key_credential)) return "hook.keyCredential";
    if (!same(a->hook.secret_file, b->hook.secret_file)) return "hook.secretFile";
    if (!same(a->hook.secret_credential, b->hook.secret_credential)) return "hook.secretCredential";
    if (a->poll.by != b->poll.by) return "poll.by";
    if (!same(a->poll.cohort, b->poll.cohort)) return "poll.cohort";
    if (!same(a->name, b->name)) return "name";
    if (!same(a->store, b->store)) return "store";
    if (!same(a->alerts.system, b->alerts.system)) return "alerts.system";
    return fixed_subscribe(a, b);
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
    struct flow_options options = options_of(config, material);

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
    const char *fixed = NULL;
    struct err err;

    adapter->reloading = true;
    service_reloading();
    if (config_read(adapter->config_file, &config, &problems)) {
        knowledge = knowledge_read(adapter, config, &problems);
        fixed = fixed_setting(adapter->config, config);
    }
    if (fixed) {
        err_set(&err, ERR_CONFIG, "reload.fixed", "\"%s\" changed", fixed);
        err_fix(&err, "restart the service to change it");
        err_list_add(&problems, &err);
    }
    if (!problems.count && !material_read(config, &material, &err)) err_list_add(&problems, &err);
    if (problems.count) {
        reload_refused(adapter, &problems);
        return;
    }
    reload_apply(adapter, TAKE(config), TAKE(knowledge), &material);
    material_done(&material);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct adapter *adapter = handle->data;

    if (number != SIGHUP)
        adapter_stop(adapter, 0);
    else if (adapter->reloading)
        adapter->reload_again = true;
    else if (!adapter->stopping)
        adapter_reload(adapter);
}

static void signals_start(struct adapter *adapter)
{
    uv_signal_init(&adapter->loop, &adapter->term);
    uv_signal_init(&adapter->loop, &adapter->interrupt);
    uv_signal_init(&adapter->loop, &adapter->hangup);
    adapter->term.data = adapter->interrupt.data = adapter->hangup.data = adapter;
    uv_signal_start(&adapter->term, on_signal, SIGTERM);
    uv_signal_start(&adapter->interrupt, on_signal, SIGINT);
    uv_signal_start(&adapter->hangup, on_signal, SIGHUP);
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

/* The listener's three callbacks: two go on to the flow; what the listener refuses by itself is
 * counted here. */
static unsigned on_head(struct http_exchange *exchange, const char **ret_body, void *arg)
{
    const struct adapter *adapter = arg;

    return flow_on_head(exchange, ret_body, adapter->flow);
}

static void on_body(struct http_exchange *exchange, void *arg)
{
    const struct adapter *adapter = arg;

    flow_on_body(exchange, adapter->flow);
}

/* Strangers may do this as often as they like: it must not fill the log. */
static void on_refused(unsigned status, void *arg)
{
    struct adapter *adapter = arg;
    uint64_t now_ms = uv_now(&adapter->loop), *told_ms;
    char text[12];

    if (status == 413) metric_add(&adapter->metrics, METRIC_REFUSED_BIG, 1);
    if (status == 503) metric_add(&adapter->metrics, METRIC_REFUSED_BUSY, 1);
    told_ms = &adapter->refusal_told_ms[status % REFUSALS];
    if (*told_ms && now_ms - *told_ms < REFUSAL_TELL_MS) return;
    *told_ms = now_ms;
    snprintf(text, sizeof text, "%u", status);
    log_event(LOG_LEVEL_WARN, "notification-refused", LOG_STATUS, text, LOG_END);
}

static bool listener_start(struct adapter *adapter, const struct material *material,
                           struct err *err)
{
    const struct config *config = adapter->config;
    char address[64];
    struct http_server_options options = {
        .address = address,
        .cert_pem = material->certificate,
        .key_pem = material->key,
        .body_max = (size_t)config->hook.body_max,
        .bodies_max = BODIES_AT_ONCE * (size_t)config->hook.body_max,
        .connections_max = (unsigned)config->hook.connections,
        .connections_per_peer_max = (unsigned)config->hook.connections_per_peer,
        .request_ms = (uint64_t)config->hook.request_ms,
        .idle_ms = (uint64_t)config->hook.idle_ms,
        .refused = on_refused,
    };

    if (!config->hook.listen) return true;
    if (!config_listen(config->hook.listen, address, sizeof address, &options.port)) abort();
    if (!http_server_start(&adapter->loop, &options, on_head, on_body, adapter, &adapter->server,
                           err))
        return false;
    log_event(LOG_LEVEL_INFO, "listening", LOG_NAME, config->hook.listen, LOG_COUNT,
              (int64_t)http_server_port(adapter->server), LOG_END);
    return true;
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
    struct flow_options options = options_of(adapter->config, material);

    if (!store_open(&adapter->loop, adapter->config->store, &adapter->store, err)) return false;
    client_start(adapter, material);
    signals_start(adapter);
    service_watch(&adapter->service, &adapter->loop, on_alive, adapter);
    adapter->flow = flow_start(&adapter->loop, &options, adapter->client, adapter->store,
                               &adapter->metrics, adapter->knowledge, &events);
    if (listener_start(adapter, material, err)) {
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
