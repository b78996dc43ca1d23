/* A configuration to begin with: what was chosen, why, and what only people can fill in. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/probe.h"
#include "base/mem.h"

static void setting(FILE *out, const char *key, const char *value, bool last)
{
    json_t *text = json_string(value);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);

    if (!quoted) abort();
    fprintf(out, "    \"%s\": %s%s\n", key, quoted, last ? "" : ",");
    free(quoted);
    json_decref(text);
}

static void write_server(const struct probe_facts *facts, const struct probe_choice *choice,
                         const struct probe_settings *settings, FILE *out)
{
    fputs("  \"server\": {\n", out);
    if (settings->token_file) setting(out, "tokenFile", settings->token_file, false);
    if (settings->basic_file) setting(out, "basicFile", settings->basic_file, false);
    if (settings->ca_file) setting(out, "caFile", settings->ca_file, false);
    if (!settings->token_file && !settings->basic_file)
        fputs("    // Credentials, when the server asks for them (a file of mode 0600):\n"
              "    // \"tokenFile\": \"/etc/myeloma-adapter/token\",\n",
              out);
    if (choice->start_active)
        fputs("    // Medplum fires only Subscriptions that were created as active.\n"
              "    \"startActive\": true,\n",
              out);
    setting(out, "base", facts->base, true);
    fputs("  },\n\n", out);
}

static void write_subscribe(const struct probe_choice *choice, FILE *out)
{
    static const char *const words[] = {
        [PROBE_PUSH_NONE] = "none", [PROBE_PUSH_CRITERIA] = "criteria", [PROBE_PUSH_TOPIC] = "topic"
    };

    fprintf(out, "  // %s.\n  \"subscribe\": {\n", choice->push_why);
    if (choice->web_socket) fputs("    \"channel\": \"websocket\",\n", out);
    setting(out, "by", words[choice->push], true);
    fputs("  },\n\n", out);
}

/* "https://adapter.example:8443/hook" listens on 8443, on 443 where it names no port. */
static void listen_of(const char *hook, char *ret, size_t size)
{
    const char *host = strstr(hook, "://") + 3, *end = host + strcspn(host, "/");
    const char *colon = end;

    while (colon > host && *colon != ':' && *colon != ']') colon--;
    if (*colon == ':' && colon + 1 < end)
        snprintf(ret, size, "[::]:%.*s", (int)(end - colon - 1), colon + 1);
    else
        snprintf(ret, size, "[::]:%d", strncmp(hook, "https", 5) == 0 ? 8443 : 8090);
}

static void write_hook(const struct probe_choice *choice, const struct probe_settings *settings,
                       FILE *out)
{
    char listen[64];

    if (choice->push == PROBE_PUSH_NONE || choice->web_socket) return;
    if (!settings->hook) {
        fputs("  // CHANGE THIS: how the server reaches the adapter. Without it the poll works "
              "alone.\n"
              "  // \"hook\": {\n"
              "  //   \"listen\": \"[::]:8443\",\n"
              "  //   \"url\": \"https://adapter.example:8443/hook\",\n"
              "  //   \"certificateFile\": \"/etc/myeloma-adapter/hook.pem\",\n"
              "  //   \"keyFile\": \"/etc/myeloma-adapter/hook.key\"\n"
              "  // },\n\n",
              out);
        return;
    }
    listen_of(settings->hook, listen, sizeof listen);
    fputs("  \"hook\": {\n", out);
    setting(out, "listen", listen, false);
    if (strncmp(settings->hook, "https", 5) == 0)
        fputs("    \"certificateFile\": \"/etc/myeloma-adapter/hook.pem\",\n"
              "    \"keyFile\": \"/etc/myeloma-adapter/hook.key\",\n",
              out);
    setting(out, "url", settings->hook, true);
    fputs("  },\n\n", out);
}

static void write_cohort(const struct probe_settings *settings, FILE *out)
{
    if (!settings->cohort)
        fputs("    // CHANGE THIS: who is looked after: a Group, a List, or a file with an id a "
              "line.\n",
              out);
    setting(out, "cohort", settings->cohort ? settings->cohort : "Group/CHANGE-THIS", false);
    fputs("    // Requests a minute that the server allows.\n"
          "    \"perMinute\": 60,\n",
          out);
}

static void write_poll(const struct probe_choice *choice, const struct probe_settings *settings,
                       FILE *out)
{
    static const char *const words[] = { [PROBE_POLL_NONE] = "auto",
                                         [PROBE_POLL_UPDATED] = "updated",
                                         [PROBE_POLL_HISTORY] = "history",
                                         [PROBE_POLL_PATIENT] = "patient" };

    fprintf(out, "  // %s.\n  \"poll\": {\n", choice->poll_why);
    if (choice->poll == PROBE_POLL_PATIENT) write_cohort(settings, out);
    setting(out, "by", words[choice->poll], true);
    fputs("  }\n", out);
}

void probe_config(const struct probe_facts *facts, const struct probe_choice *choice,
                  const struct probe_settings *settings, FILE *out)
{
    fprintf(
        out,
        "// To begin with, from what %s %s said and did.\n"
        "// All settings: man 5 myeloma-adapter.json. Next: myeloma-adapter check --config FILE.\n"
        "{\n",
        fhir_release_name(facts->capability.release),
        facts->capability.software[0] ? facts->capability.software : "server");
    write_server(facts, choice, settings, out);
    write_subscribe(choice, out);
    write_hook(choice, settings, out);
    write_poll(choice, settings, out);
    fputs("}\n", out);
}
