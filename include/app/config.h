/* The configuration file: JSON with // comments, read by way of one table of settings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/load.h"
#include "base/err.h"
#include "core/knowledge.h"

/* Everything is owned by the config; texts are NULL where nothing was said and there is no default. */
struct config {
    char *file; /* where it was read from */
    struct {
        char *base;    /* FHIR base URL, without trailing slash */
        char *ca_file; /* PEM; NULL: the system's authorities */
        char *token_file, *token_credential;
        char *basic_file, *basic_credential; /* "user:password" */
        int64_t request_ms;
        int64_t connections;
        int64_t page_count;
        int64_t chart_max; /* bytes */
        bool start_active; /* create Subscriptions as active (Medplum) */
    } server;
    struct {
        char *listen; /* "127.0.0.1:8090", "[::]:8443"; NULL: no listener */
        char *url;    /* how the server reaches it; NULL: no Subscriptions, poll alone */
        char *certificate_file, *key_file, *key_credential;
        char *secret_file, *secret_credential;
        bool payload;
        int64_t body_max;
        int64_t connections, connections_per_peer;
        int64_t request_ms, idle_ms;
    } hook;
    struct {
        int64_t by;                          /* enum flow_subscribe */
        int64_t channel;                     /* enum subscription_channel */
        char *web_socket;                    /* URL of ws or wss; NULL: the server says */
        int64_t content;                     /* enum subscription_content */
        char *orders, *results, *conditions; /* canonical URLs of topics */
        int64_t heartbeat_ms;
        char *signature_file, *signature_credential;
    } subscribe;
    struct {
        int64_t every_ms, overlap_ms, subscription_ms;
        int64_t by;           /* enum poll_by */
        char *cohort;         /* "Group/5", "List/7" or the path of a file; NULL: none */
        int64_t per_minute;   /* requests; 0: no limit */
        int64_t first_days;   /* how far back the very first poll looks */
        int64_t history_days; /* how far back results of a new patient are read */
    } poll;
    struct {
        int64_t in_flight, attempts;
        char *system;
    } alerts;
    struct {
        int64_t events, bytes, age_ms; /* how much may wait */
        int64_t keep_days;             /* how long what is finished stays */
    } journal;
    char *name;     /* of this installation */
    char *store;    /* path of the database */
    char *mappings; /* folder */
    char *profile;  /* "us", "eu"; NULL: that of the mappings */
    struct load_paths local_codes, local_rules;
    bool drug_names;
    int64_t log_level; /* enum log_level */
};

/* Read and check a file. Goes on after a problem: false when there was one, then problems says where
 * (FILE:LINE:COLUMN) and how to mend it. On success *ret is owned by the caller. Blocking. */
bool config_read(const char *path, struct config **ret, struct err_list *problems) MUST_CHECK;
void config_free(struct config *config); /* accepts NULL */
DEFINE_AUTO(struct config *, config_free)

/* The profile that it names; PROFILE_UNSET when it names none, or is NULL. */
enum profile config_profile(const struct config *config);

/* The two parts of "127.0.0.1:8090" or "[::]:8443". False when it is not of that form. */
bool config_listen(const char *text, char *ret_address, size_t size, uint16_t *ret_port) MUST_CHECK;

/* Is it a URL of http or https with a host, without query and user name, of at most 1000 bytes? */
bool config_url_fits(const char *text);

/* Does a setting differ that cannot change while the daemon runs? Writes the name of the first one,
 * "server.base", to ret. */
bool config_fixed(const struct config *one, const struct config *other, char *ret, size_t size);

/* Print every setting with its default and help. */
void config_help(void);
