#include "app/material.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "app/credential.h"
#include "app/secret.h"

void material_done(struct material *material)
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

static void secret_check(const char *file, const char *credential, bool one_line,
                         bool (*shape_check)(const char *secret, struct err *err),
                         struct err_list *problems)
{
    struct err err;
    char *secret = NULL;

    /* Credentials are there only while systemd runs the service. */
    if (!file && credential && !getenv("CREDENTIALS_DIRECTORY")) return;
    if (!secret_read(file, credential, one_line, &secret, &err) ||
        (shape_check && !shape_check(secret, &err)))
        err_list_add(problems, &err);
    secret_wipe(secret);
}

void material_check(const struct config *config, struct err_list *problems)
{
    secret_check(config->server.token_file, config->server.token_credential, true, NULL, problems);
    secret_check(config->server.basic_file, config->server.basic_credential, true, NULL, problems);
    secret_check(config->server.ca_file, NULL, false, NULL, problems);
    secret_check(config->hook.certificate_file, NULL, false, NULL, problems);
    secret_check(config->hook.key_file, config->hook.key_credential, false, NULL, problems);
    secret_check(config->hook.secret_file, config->hook.secret_credential, true, hook_secret_check,
                 problems);
    secret_check(config->subscribe.signature_file, config->subscribe.signature_credential, true,
                 signature_check, problems);
}

bool material_read(const struct config *config, struct material *ret, struct err *err)
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

struct flow_options material_options(const struct material *material, const struct config *config)
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
        .chart_max = config->server.chart_max,
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
