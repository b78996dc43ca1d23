/* What must fit together. */
#include <stdlib.h>
#include <string.h>

#include "app/config_impl.h"
#include "base/doc.h"
#include "fhir/poll_plan.h"
#include "fhir/roster.h"

static void listen_check(struct config_reader *reader, const struct node *at_hook)
{
    const char *listen = reader->config->hook.listen;
    struct node value = node_get(at_hook, "listen");
    char address[64];
    uint16_t port;

    if (listen && !config_listen(listen, address, sizeof address, &port))
        config_problem(reader, &value, "write 127.0.0.1:8090 or [::]:8443",
                       "\"%.80s\" is no address and port", listen);
}

static bool is_scheme(const char *url, const char *scheme)
{
    return url && strncmp(url, scheme, strlen(scheme)) == 0;
}

static void subscribe_check(struct config_reader *reader, const struct node *root)
{
    struct config *config = reader->config;
    struct node section = node_get(root, "subscribe"), socket = node_get(&section, "webSocket");

    if (is_scheme(config->server.base, "https:") && is_scheme(config->subscribe.web_socket, "ws:"))
        config_problem(reader, &socket, "write wss://",
                       "\"subscribe.webSocket\" leaves the TLS of \"server.base\"");
    if (config->subscribe.signature_file && config->subscribe.signature_credential)
        config_problem(reader, &section, "keep one of them",
                       "both signatureFile and signatureCredential");
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

    if (config->poll.by == POLL_BY_PATIENT && !config->poll.cohort)
        config_problem(reader, poll.value ? &poll : root, "add \"cohort\": \"Group/5\" or a file",
                       "\"poll.by\" is patient, and there is no list of patients");
    if (!config->poll.cohort || !value.value || roster_is_resource(config->poll.cohort)) return;
    if (!load_file(config->poll.cohort, ROSTER_TEXT_MAX, &text, &len, &err)) {
        config_problem(reader, &value, "write Group/ID, List/ID or the path of a file",
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

static void server_check(struct config_reader *reader, const struct node *root)
{
    const struct config *config = reader->config;
    struct node server = node_get(root, "server");
    const struct node *at = server.value ? &server : root;
    int ways = !!config->server.token_file + !!config->server.token_credential +
               !!config->server.basic_file + !!config->server.basic_credential;

    if (!config->server.base && !node_get(&server, "base").value)
        config_problem(reader, at, "add \"server\": { \"base\": \"https://ehr.example/fhir\" }",
                       "\"server.base\" is missing");
    if (ways > 1)
        config_problem(reader, at, "keep one of them",
                       "more than one of tokenFile, tokenCredential, basicFile, basicCredential");
}

static void secrets_check(struct config_reader *reader, const struct node *at_hook)
{
    const struct config *config = reader->config;

    if (config->hook.key_file && config->hook.key_credential)
        config_problem(reader, at_hook, "keep one of them", "both keyFile and keyCredential");
    if (config->hook.secret_file && config->hook.secret_credential)
        config_problem(reader, at_hook, "keep one of them", "both secretFile and secretCredential");
}

static void tls_check(struct config_reader *reader, const struct node *at_hook)
{
    const struct config *config = reader->config;

    if (!config->hook.certificate_file != (!config->hook.key_file && !config->hook.key_credential))
        config_problem(reader, at_hook, "give both, or neither for plain HTTP",
                       "\"hook.certificateFile\" and its key belong together");
    if (config->hook.url && config->hook.certificate_file && !is_scheme(config->hook.url, "https:"))
        config_problem(reader, at_hook, "write https:// in \"hook.url\"",
                       "the listener speaks TLS, its URL does not");
}

void config_check(struct config_reader *reader, const struct node *root)
{
    const struct config *config = reader->config;
    struct node hook = node_get(root, "hook");
    const struct node *at_hook = hook.value ? &hook : root;

    server_check(reader, root);
    if (config->hook.url && !config->hook.listen)
        config_problem(reader, at_hook, "add \"listen\": \"127.0.0.1:8090\"",
                       "\"hook.url\" needs \"hook.listen\"");
    cohort_check(reader, root);
    secrets_check(reader, at_hook);
    subscribe_check(reader, root);
    listen_check(reader, at_hook);
    tls_check(reader, at_hook);
}
