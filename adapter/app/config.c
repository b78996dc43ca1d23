#include "app/config.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/instant.h"
#include "base/mem.h"
#include "base/node.h"
#include "fhir/poll_plan.h"
#include "fhir/roster.h"

enum setting_type {
    SETTING_TEXT,
    SETTING_URL,
    SETTING_SOCKET_URL,
    SETTING_NUMBER,
    SETTING_DURATION,
    SETTING_DAYS,
    SETTING_SWITCH,
    SETTING_LEVEL,
    SETTING_PROFILE,
    SETTING_POLL_BY,
    SETTING_WORD, /* one of a list: choices[]; kept as its place there */
    SETTING_PATHS /* a list of files or folders */
};

#define FIELD(member) offsetof(struct config, member)

/* One row a setting: reader, help and manual come from here. NULL as default: not set. */
static const struct setting {
    const char *section, *key; /* section "": at the top */
    enum setting_type type;
    const char *initial;
    int64_t min, max; /* numbers; durations in milliseconds; days */
    size_t at;
    bool required;
    const char *help;
} settings[] = {
    { "", "name", SETTING_TEXT, "main", 0, 0, FIELD(name), false,
      "of this installation; part of the id of the Device that signs the alerts" },
    { "", "store", SETTING_TEXT, "/var/lib/myeloma-adapter/adapter.db", 0, 0, FIELD(store), false,
      "the database: journal, charts, alerts, outbox" },
    { "", "mappings", SETTING_TEXT, NULL, 0, 0, FIELD(mappings), false,
      "folder with codes, units, classes and rules; default: the installed one" },
    { "", "profile", SETTING_PROFILE, NULL, 0, 0, FIELD(profile), false,
      "us or eu: whose labels count where they differ; default: that of mappings/policy.json" },
    { "", "localCodes", SETTING_PATHS, NULL, 0, 0, FIELD(local_codes), false,
      "list of files or folders with codes of the site: CSV, ConceptMap" },
    { "", "localRules", SETTING_PATHS, NULL, 0, 0, FIELD(local_rules), false,
      "list of files or folders with rules of the site" },
    { "", "drugNames", SETTING_SWITCH, "true", 0, 0, FIELD(drug_names), false,
      "match an order without a known code by the name of its drug" },
    { "", "logLevel", SETTING_LEVEL, "info", 0, 0, FIELD(log_level), false,
      "error, warn, info or debug" },
    { "server", "base", SETTING_URL, NULL, 0, 0, FIELD(server.base), true,
      "FHIR base URL: https://ehr.example/fhir" },
    { "server", "caFile", SETTING_TEXT, NULL, 0, 0, FIELD(server.ca_file), false,
      "PEM file of the authorities to trust; default: the system's" },
    { "server", "tokenFile", SETTING_TEXT, NULL, 0, 0, FIELD(server.token_file), false,
      "file with a bearer token" },
    { "server", "tokenCredential", SETTING_TEXT, NULL, 0, 0, FIELD(server.token_credential), false,
      "name of a systemd credential with a bearer token" },
    { "server", "basicFile", SETTING_TEXT, NULL, 0, 0, FIELD(server.basic_file), false,
      "file with user:password" },
    { "server", "basicCredential", SETTING_TEXT, NULL, 0, 0, FIELD(server.basic_credential), false,
      "name of a systemd credential with user:password" },
    { "server", "request", SETTING_DURATION, "30 s", 100, 600000, FIELD(server.request_ms), false,
      "deadline of one request, from first to last byte" },
    { "server", "connections", SETTING_NUMBER, "8", 1, 64, FIELD(server.connections), false,
      "connections to the server at once" },
    { "server", "pageCount", SETTING_NUMBER, "100", 1, 1000, FIELD(server.page_count), false,
      "_count of searches" },
    { "server", "startActive", SETTING_SWITCH, "false", 0, 0, FIELD(server.start_active), false,
      "create Subscriptions as active instead of requested (Medplum)" },
    { "hook", "listen", SETTING_TEXT, NULL, 0, 0, FIELD(hook.listen), false,
      "address and port of the listener: 127.0.0.1:8090, [::]:8443; default: none" },
    { "hook", "url", SETTING_URL, NULL, 0, 0, FIELD(hook.url), false,
      "how the server reaches it: https://adapter.example:8443/hook; default: poll alone" },
    { "hook", "certificateFile", SETTING_TEXT, NULL, 0, 0, FIELD(hook.certificate_file), false,
      "PEM certificate (with its chain): the listener speaks TLS" },
    { "hook", "keyFile", SETTING_TEXT, NULL, 0, 0, FIELD(hook.key_file), false,
      "PEM key of the certificate" },
    { "hook", "keyCredential", SETTING_TEXT, NULL, 0, 0, FIELD(hook.key_credential), false,
      "name of a systemd credential with the key" },
    { "hook", "secretFile", SETTING_TEXT, NULL, 0, 0, FIELD(hook.secret_file), false,
      "file with the secret of channel.header; default: made at random and kept in the store" },
    { "hook", "secretCredential", SETTING_TEXT, NULL, 0, 0, FIELD(hook.secret_credential), false,
      "name of a systemd credential with that secret" },
    { "hook", "payload", SETTING_SWITCH, "true", 0, 0, FIELD(hook.payload), false,
      "ask for the resource in the notification" },
    { "hook", "bodyMax", SETTING_NUMBER, "4194304", 1024, 67108864, FIELD(hook.body_max), false,
      "bytes of one notification; longer ones get 413" },
    { "hook", "connections", SETTING_NUMBER, "256", 1, 10000, FIELD(hook.connections), false,
      "open connections at once" },
    { "hook", "connectionsPerPeer", SETTING_NUMBER, "64", 1, 10000,
      FIELD(hook.connections_per_peer), false, "open connections of one address" },
    { "hook", "request", SETTING_DURATION, "10 s", 100, 600000, FIELD(hook.request_ms), false,
      "deadline of a notification, from first to last byte" },
    { "hook", "idle", SETTING_DURATION, "60 s", 100, 3600000, FIELD(hook.idle_ms), false,
      "a connection without a request is closed after this" },
    { "subscribe", "by", SETTING_WORD, "auto", 0, 0, FIELD(subscribe.by), false,
      "criteria, topic or none; auto: topic where the server speaks R5, else criteria" },
    { "subscribe", "channel", SETTING_WORD, "rest-hook", 0, 0, FIELD(subscribe.channel), false,
      "rest-hook or websocket; websocket needs no hook: the adapter calls the server" },
    { "subscribe", "webSocket", SETTING_SOCKET_URL, NULL, 0, 0, FIELD(subscribe.web_socket), false,
      "wss://ehr.example/websocket; default: what the server says" },
    { "subscribe", "content", SETTING_WORD, "full-resource", 0, 0, FIELD(subscribe.content), false,
      "of topic notifications: full-resource, id-only or empty" },
    { "subscribe", "orders", SETTING_TEXT, NULL, 0, 0, FIELD(subscribe.orders), false,
      "URL of the topic for MedicationRequest; default: one of the server's is found" },
    { "subscribe", "results", SETTING_TEXT, NULL, 0, 0, FIELD(subscribe.results), false,
      "URL of the topic for Observation" },
    { "subscribe", "conditions", SETTING_TEXT, NULL, 0, 0, FIELD(subscribe.conditions), false,
      "URL of the topic for Condition" },
    { "subscribe", "heartbeat", SETTING_DURATION, "60 s", 0, 86400000,
      FIELD(subscribe.heartbeat_ms), false,
      "how often the server shall show that a topic Subscription lives; 0 s: never" },
    { "subscribe", "signatureFile", SETTING_TEXT, NULL, 0, 0, FIELD(subscribe.signature_file),
      false, "file with the secret of X-Signature; notifications must then be signed (Medplum)" },
    { "subscribe", "signatureCredential", SETTING_TEXT, NULL, 0, 0,
      FIELD(subscribe.signature_credential), false,
      "name of a systemd credential with that secret" },
    { "poll", "every", SETTING_DURATION, "60 s", 100, 86400000, FIELD(poll.every_ms), false,
      "catch-up poll interval" },
    { "poll", "overlap", SETTING_DURATION, "120 s", 0, 86400000, FIELD(poll.overlap_ms), false,
      "how far each poll reaches back behind what was seen" },
    { "poll", "subscriptions", SETTING_DURATION, "120 s", 100, 86400000,
      FIELD(poll.subscription_ms), false,
      "how often the Subscriptions on the server are looked at" },
    { "poll", "first", SETTING_DAYS, "30 d", 0, 3650, FIELD(poll.first_days), false,
      "how far back the very first poll looks" },
    { "poll", "history", SETTING_DAYS, "400 d", 1, 36500, FIELD(poll.history_days), false,
      "how far back results of a new patient are read" },
    { "poll", "by", SETTING_POLL_BY, "auto", 0, 0, FIELD(poll.by), false,
      "how: updated (search by _lastUpdated), history, patient (one by one), or auto" },
    { "poll", "cohort", SETTING_TEXT, NULL, 0, 0, FIELD(poll.cohort), false,
      "patients to look at one by one: Group/ID, List/ID, or a file with an id a line" },
    { "poll", "perMinute", SETTING_NUMBER, "0", 0, 100000, FIELD(poll.per_minute), false,
      "requests that the poll may bring us to; what is urgent goes first; 0: no limit" },
    { "alerts", "inFlight", SETTING_NUMBER, "4", 1, 64, FIELD(alerts.in_flight), false,
      "alerts being written at once" },
    { "alerts", "attempts", SETTING_NUMBER, "0", 0, 1000000, FIELD(alerts.attempts), false,
      "tries of one delivery that the server does not take for now; 0: never give up" },
    { "alerts", "system", SETTING_TEXT, "urn:x-myeloma-adapter", 0, 0, FIELD(alerts.system), false,
      "base of the identifier and tag systems that the alerts carry" },
    { "journal", "events", SETTING_NUMBER, "200000", 1, 100000000, FIELD(journal.events), false,
      "events that may wait; beyond it notifications get 503 and polls pause" },
    { "journal", "bytes", SETTING_NUMBER, "268435456", 65536, 1099511627776, FIELD(journal.bytes),
      false, "bytes of resources that may wait; the outbox has the same two bounds" },
    { "journal", "age", SETTING_DURATION, "1 d", 60000, 31536000000, FIELD(journal.age_ms), false,
      "how old the oldest event that waits for its turn may be" },
    { "journal", "keep", SETTING_DAYS, "90 d", 3, 3650, FIELD(journal.keep_days), false,
      "how long finished events are kept" },
};

#define SECTION_COUNT 6
static const char *const sections[] = { "server", "hook",    "subscribe", "poll",
                                        "alerts", "journal", NULL };

/* The words of a SETTING_WORD, in the order of the enum that it stands for. */
static const struct choice {
    const char *section, *key;
    const char *words[5];
    const char *fix;
} choices[] = {
    { "subscribe",
      "by",
      { "auto", "criteria", "topic", "none" },
      "use auto, criteria, topic or none" },
    { "subscribe", "channel", { "rest-hook", "websocket" }, "use rest-hook or websocket" },
    { "subscribe",
      "content",
      { "full-resource", "id-only", "empty" },
      "use full-resource, id-only or empty" },
};

/* ---- problems */

struct config_reader {
    const char *path, *text;
    size_t len;
    struct config *config;
    struct err_list *problems;
    bool good;
};

static void problem(struct config_reader *reader, const struct node *at, const char *fix,
                    const char *fmt, ...) PRINTF(4, 5);

static void problem(struct config_reader *reader, const struct node *at, const char *fix,
                    const char *fmt, ...)
{
    struct err err;
    char what[sizeof err.what];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(&err, ERR_CONFIG, "config.value", "%s", what);
    err.offset = at->offset;
    doc_place(reader->path, reader->text, reader->len, &err);
    if (fix[0]) err_fix(&err, "%s", fix);
    err_list_add(reader->problems, &err);
    reader->good = false;
}

static void problem_err(struct config_reader *reader, const struct err *err)
{
    struct err placed = *err;

    doc_place(reader->path, reader->text, reader->len, &placed);
    err_list_add(reader->problems, &placed);
    reader->good = false;
}

/* ---- values */

static void text_set(struct config *config, const struct setting *setting, const char *text)
{
    char **slot = (char **)(void *)((char *)config + setting->at);

    free(*slot);
    *slot = text ? mem_strdup(text) : NULL;
}

static void number_set(struct config *config, const struct setting *setting, int64_t number)
{
    memcpy((char *)config + setting->at, &number, sizeof number);
}

static void switch_set(struct config *config, const struct setting *setting, bool on)
{
    memcpy((char *)config + setting->at, &on, sizeof on);
}

static bool duration_ms(const char *text, int64_t *ret)
{
    struct duration duration;

    if (!duration_parse(text, &duration) || duration.months) return false;
    *ret = duration.ms;
    return true;
}

/* scheme: "http"; with an s behind it, it is the same over TLS. */
static bool url_fits(const char *text, const char *scheme)
{
    size_t n = strlen(scheme);
    const char *after = strncmp(text, scheme, n) == 0 ? text + n : "", *host;

    if (*after == 's') after++;
    host = strncmp(after, "://", 3) == 0 ? after + 3 : "";
    return host[0] && host[0] != '/' && host[0] != ':' && !strpbrk(text, "?#@ ") &&
           strlen(text) <= 1000;
}

bool config_url_fits(const char *text)
{
    return url_fits(text, "http");
}

static bool level_fits(const char *text)
{
    static const char *const levels[] = { "error", "warn", "info", "debug", NULL };

    for (size_t i = 0; levels[i]; i++)
        if (strcmp(levels[i], text) == 0) return true;
    return false;
}

/* The place of the word in the list of its setting. */
static bool word_place(const struct setting *setting, const char *text, int64_t *ret,
                       const char **ret_fix)
{
    const struct choice *choice = choices;

    while (strcmp(choice->section, setting->section) != 0 || strcmp(choice->key, setting->key) != 0)
        choice++; /* every SETTING_WORD has one */
    *ret_fix = choice->fix;
    for (*ret = 0; choice->words[*ret]; ++*ret)
        if (strcmp(choice->words[*ret], text) == 0) return true;
    return false;
}

static bool text_fits(enum setting_type type, const char *text, const char **ret_fix)
{
    enum profile profile;

    if (type == SETTING_URL) {
        *ret_fix = "write http://HOST[:PORT]/PATH or https://...";
        return url_fits(text, "http");
    }
    if (type == SETTING_SOCKET_URL) {
        *ret_fix = "write ws://HOST[:PORT]/PATH or wss://...";
        return url_fits(text, "ws");
    }
    if (type == SETTING_LEVEL) {
        *ret_fix = "use error, warn, info or debug";
        return level_fits(text);
    }
    if (type == SETTING_PROFILE) {
        *ret_fix = "use us or eu";
        return profile_parse(text, &profile);
    }
    if (type == SETTING_POLL_BY) {
        enum poll_by by;
        *ret_fix = "use auto, updated, history or patient";
        return poll_by_parse(text, &by);
    }
    *ret_fix = "write a text, or leave the setting out";
    return text[0] != '\0';
}

static bool span_fits(const struct setting *setting, const char *text, int64_t *ret,
                      const char **ret_fix)
{
    bool days = setting->type == SETTING_DAYS;

    *ret_fix =
        days ? "write whole days: \"30 d\"" : "write a number and one of s min h d wk: \"60 s\"";
    if (!duration_ms(text, ret) || (days && *ret % INSTANT_DAY)) return false;
    if (days) *ret /= INSTANT_DAY;
    if (*ret >= setting->min && *ret <= setting->max) return true;
    *ret_fix = "that is too short or too long; see myeloma-adapter check --settings";
    return false;
}

/* A setting from text: the value of the file, or the default. */
static bool value_set(struct config *config, const struct setting *setting, const char *text,
                      const char **ret_fix)
{
    int64_t number;

    *ret_fix = "";
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_URL:
    case SETTING_SOCKET_URL:
    case SETTING_LEVEL:
    case SETTING_PROFILE:
    case SETTING_POLL_BY:
        if (!text_fits(setting->type, text, ret_fix)) return false;
        text_set(config, setting, text);
        return true;
    case SETTING_DURATION:
    case SETTING_DAYS:
        if (!span_fits(setting, text, &number, ret_fix)) return false;
        number_set(config, setting, number);
        return true;
    case SETTING_WORD:
        if (!word_place(setting, text, &number, ret_fix)) return false;
        number_set(config, setting, number);
        return true;
    case SETTING_NUMBER:
        number_set(config, setting, strtoll(text, NULL, 10));
        return true;
    case SETTING_SWITCH:
        switch_set(config, setting, strcmp(text, "true") == 0);
        return true;
    case SETTING_PATHS: /* has no default; paths_read() */
        break;
    }
    return false;
}

static void defaults_set(struct config *config)
{
    const char *fix;

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (settings[i].initial && !value_set(config, &settings[i], settings[i].initial, &fix))
            abort(); /* a default of ours that does not fit its own row */
}

static struct load_paths *paths_of(struct config *config, const struct setting *setting)
{
    return (struct load_paths *)(void *)((char *)config + setting->at);
}

static void paths_read(struct config_reader *reader, const struct node *list,
                       const struct setting *setting)
{
    if (!node_is(list, DOC_ARRAY)) {
        problem(reader, list, "write [\"/etc/myeloma-adapter/...\"]", "\"%s\" must be a list",
                setting->key);
        return;
    }
    for (size_t i = 0; i < node_count(list); i++) {
        struct node item = node_item(list, i);
        if (node_is(&item, DOC_STRING) && item.value->count && item.value->count < PATH_MAX / 2)
            load_paths_add(paths_of(reader->config, setting), item.value->text);
        else
            problem(reader, &item, "write the path of a file or folder",
                    "\"%s\" must be a list of texts", setting->key);
    }
}

static void setting_read(struct config_reader *reader, const struct node *section,
                         const struct setting *setting)
{
    struct node value = node_get(section, setting->key);
    const char *text, *fix;
    int64_t number;
    struct err err;

    if (!value.value) return;
    if (setting->type == SETTING_NUMBER) {
        if (node_int(section, setting->key, setting->min, setting->max, &number, &err))
            number_set(reader->config, setting, number);
        else
            problem_err(reader, &err);
    } else if (setting->type == SETTING_PATHS) {
        paths_read(reader, &value, setting);
    } else if (setting->type == SETTING_SWITCH) {
        if (!node_is(&value, DOC_TRUE) && !node_is(&value, DOC_FALSE))
            problem(reader, &value, "write true or false", "\"%s\" must be true or false",
                    setting->key);
        else
            switch_set(reader->config, setting, node_is(&value, DOC_TRUE));
    } else if (!node_string(section, setting->key, &text, &err)) {
        problem_err(reader, &err);
    } else if (!value_set(reader->config, setting, text, &fix)) {
        problem(reader, &value, fix, "\"%s\" cannot be \"%.80s\"", setting->key, text);
    }
}

enum profile config_profile(const struct config *config)
{
    enum profile profile = PROFILE_UNSET;

    if (config && config->profile && !profile_parse(config->profile, &profile))
        return PROFILE_UNSET;
    return profile;
}

static void section_read(struct config_reader *reader, const struct node *at, const char *name)
{
    const char *keys[ARRAY_SIZE(settings) + SECTION_COUNT + 1];
    size_t count = 0;
    struct err err;

    if (!node_is(at, DOC_OBJECT)) {
        problem(reader, at, "write { ... }", "\"%s\" must be an object", name);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (strcmp(settings[i].section, name) == 0) keys[count++] = settings[i].key;
    for (size_t i = 0; !name[0] && sections[i]; i++) keys[count++] = sections[i];
    keys[count] = NULL;
    if (!node_only(at, keys, &err)) problem_err(reader, &err);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
        if (strcmp(settings[i].section, name) == 0) setting_read(reader, at, &settings[i]);
}

/* ---- what must fit together */

static void trim_slash(char *url)
{
    size_t n = url ? strlen(url) : 0;

    while (n && url[n - 1] == '/') url[--n] = '\0';
}

static void listen_check(struct config_reader *reader, const struct node *at_hook)
{
    const char *listen = reader->config->hook.listen;
    struct node value = node_get(at_hook, "listen");
    char address[64];
    uint16_t port;

    if (listen && !config_listen(listen, address, sizeof address, &port))
        problem(reader, &value, "write 127.0.0.1:8090 or [::]:8443",
                "\"%.80s\" is no address and port", listen);
}

static void subscribe_check(struct config_reader *reader, const struct node *root)
{
    struct config *config = reader->config;
    struct node section = node_get(root, "subscribe");

    if (config->subscribe.signature_file && config->subscribe.signature_credential)
        problem(reader, &section, "keep one of them", "both signatureFile and signatureCredential");
}

/* A list in a file is read once now, so that its mistakes are told with their lines. */
static void cohort_check(struct config_reader *reader, const struct node *root)
{
    const struct config *config = reader->config;
    struct node poll = node_get(root, "poll"), value = node_get(&poll, "cohort");
    struct roster roster = { .count = 0 };
    struct err err;
    size_t len;
    char *text;

    if (strcmp(config->poll.by, "patient") == 0 && !config->poll.cohort)
        problem(reader, poll.value ? &poll : root, "add \"cohort\": \"Group/5\" or a file",
                "\"poll.by\" is patient, and there is no list of patients");
    if (!config->poll.cohort || !value.value || roster_is_resource(config->poll.cohort)) return;
    if (!load_file(config->poll.cohort, ROSTER_TEXT_MAX, &text, &len, &err)) {
        problem(reader, &value, "write Group/ID, List/ID or the path of a file",
                "the file cannot be read");
        return;
    }
    if (!roster_of_text(text, len, &roster, &err)) {
        doc_place(config->poll.cohort, text, len, &err);
        err_list_add(reader->problems, &err);
        reader->good = false;
    }
    roster_done(&roster);
    free(text);
}

static void together_check(struct config_reader *reader, const struct node *root)
{
    struct config *config = reader->config;
    struct node server = node_get(root, "server"), hook = node_get(root, "hook");
    const struct node *at_server = server.value ? &server : root;
    const struct node *at_hook = hook.value ? &hook : root;
    int ways = !!config->server.token_file + !!config->server.token_credential +
               !!config->server.basic_file + !!config->server.basic_credential;

    if (!config->server.base && !node_get(&server, "base").value)
        problem(reader, at_server, "add \"server\": { \"base\": \"https://ehr.example/fhir\" }",
                "\"server.base\" is missing");
    if (ways > 1)
        problem(reader, at_server, "keep one of them",
                "more than one of tokenFile, tokenCredential, basicFile, basicCredential");
    if (config->hook.url && !config->hook.listen)
        problem(reader, at_hook, "add \"listen\": \"127.0.0.1:8090\"",
                "\"hook.url\" needs \"hook.listen\"");
    cohort_check(reader, root);
    if (config->hook.key_file && config->hook.key_credential)
        problem(reader, at_hook, "keep one of them", "both keyFile and keyCredential");
    if (config->hook.secret_file && config->hook.secret_credential)
        problem(reader, at_hook, "keep one of them", "both secretFile and secretCredential");
    subscribe_check(reader, root);
    listen_check(reader, at_hook);
    if (!config->hook.certificate_file != (!config->hook.key_file && !config->hook.key_credential))
        problem(reader, at_hook, "give both, or neither for plain HTTP",
                "\"hook.certificateFile\" and its key belong together");
    if (config->hook.url && config->hook.certificate_file &&
        strncmp(config->hook.url, "https:", 6) != 0)
        problem(reader, at_hook, "write https:// in \"hook.url\"",
                "the listener speaks TLS, its URL does not");
}

bool config_read(const char *path, struct config **ret, struct err_list *problems)
{
    AUTO(config_free) struct config *config = mem_new(struct config);
    AUTO(doc_free) struct doc *doc = NULL;
    struct config_reader reader = {
        .path = path, .config = config, .problems = problems, .good = true
    };
    struct err err;
    char *text;

    if (!load_file(path, 1 << 20, &text, &reader.len, &err)) {
        err_fix(&err, "see the examples in config/");
        err_list_add(problems, &err);
        return false;
    }
    reader.text = text;
    config->file = mem_strdup(path);
    defaults_set(config);
    if (!doc_parse(text, reader.len, DOC_COMMENTS | DOC_UNIQUE, &doc, &err)) {
        problem_err(&reader, &err);
    } else {
        struct node root = node_root(doc);
        section_read(&reader, &root, "");
        for (size_t i = 0; sections[i]; i++) {
            struct node section = node_get(&root, sections[i]);
            if (section.value) section_read(&reader, &section, sections[i]);
        }
        together_check(&reader, &root);
    }
    free(text);
    trim_slash(config->server.base);
    trim_slash(config->hook.url);
    if (!reader.good) return false;
    *ret = TAKE(config);
    return true;
}

void config_free(struct config *config)
{
    if (!config) return;
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        enum setting_type type = settings[i].type;
        if (type == SETTING_TEXT || type == SETTING_URL || type == SETTING_SOCKET_URL ||
            type == SETTING_LEVEL || type == SETTING_PROFILE || type == SETTING_POLL_BY)
            text_set(config, &settings[i], NULL);
        if (type == SETTING_PATHS) load_paths_done(paths_of(config, &settings[i]));
    }
    free(config->file);
    free(config);
}

bool config_listen(const char *text, char *ret_address, size_t size, uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    bool bracket = text[0] == '[';
    size_t n = colon ? (size_t)(colon - text) : 0;
    char *end = NULL;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

    if (bracket && n > 2 && text[n - 1] == ']') {
        text++;
        n -= 2;
    } else if (bracket) {
        n = 0;
    }
    if (!n || n >= size || !end || *end || end == colon + 1 || port > 65535) return false;
    memcpy(ret_address, text, n);
    ret_address[n] = '\0';
    *ret_port = (uint16_t)port;
    return true;
}

/* ---- secrets */

void config_wipe(char *secret)
{
    if (!secret) return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

bool config_secret(const char *file, const char *credential, bool one_line, char **ret,
                   struct err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];
    char *text;
    size_t len;

    *ret = NULL;
    if (!file && !credential) return true;
    if (!file && !dir) {
        err_set(err, ERR_CONFIG, "secret.read", "there is no credentials directory");
        err_fix(err, "add LoadCredential=%.60s:FILE to the unit", credential);
        return false;
    }
    if (file)
        snprintf(path, sizeof path, "%s", file);
    else
        snprintf(path, sizeof path, "%s/%s", dir, credential);
    if (!load_file(path, 65536, &text, &len, err)) {
        err->kind = ERR_CONFIG;
        err->code = "secret.read";
        return false;
    }
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) text[--len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!text[i] || (one_line && ((unsigned char)text[i] < 0x20 || text[i] == 0x7f))) len = 0;
    if (!len) {
        explicit_bzero(text, strlen(text));
        free(text);
        err_set(err, ERR_CONFIG, "secret.shape", "the secret is empty or not one line of text");
        return err_at(err, "%s", path);
    }
    *ret = text;
    return true;
}

void config_help(void)
{
    const char *section = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        if (!section || strcmp(section, settings[i].section) != 0)
            printf("%s%s\n", i ? "\n" : "", settings[i].section[0] ? settings[i].section : "(top)");
        section = settings[i].section;
        printf("  %-20s %-13s %s\n", settings[i].key,
               settings[i].initial    ? settings[i].initial
               : settings[i].required ? "required"
                                      : "-",
               settings[i].help);
    }
}
