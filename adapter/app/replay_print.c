#include "app/replay_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/command.h"
#include "base/buf.h"
#include "fhir/detected_issue.h"

static json_t *texts(const char **items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) json_array_append_new(list, json_string(items[i]));
    return list;
}

static json_t *instant(int64_t ms)
{
    char text[32];

    if (ms == INSTANT_UNSET) return json_null();
    return json_string(instant_text(ms, text, sizeof text));
}

static json_t *also(const struct alert *alert)
{
    json_t *list = json_array();

    for (size_t i = 0; i < alert->also_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "rule", alert->also[i].rule, "severity",
                                              severity_name(alert->also[i].severity)));
    return list;
}

static void print_json(const struct alert *alert)
{
    AUTO(buf_done) struct buf patient = { 0 };
    json_t *line;

    buf_printf(&patient, "Patient/%s", alert->patient);
    line = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:o}", "rule",
        alert->rule, "severity", severity_name(alert->severity), "display",
        display_name(alert->display), "status", alert_state_name(alert->state), "patient",
        buf_string(&patient), "opened", instant(alert->opened_ms), "ended",
        instant(alert->ended_ms), "title", alert->title, "endedWhy", alert->ended_why, "subjects",
        texts(alert->subjects, alert->subject_count), "implicated",
        texts(alert->implicated, alert->implicated_count), "evidence",
        texts(alert->evidence, alert->evidence_count), "detail", alert->detail, "recommendation",
        alert->recommendation, "sources", texts(alert->sources, alert->source_count), "also",
        also(alert));
    if (!line) abort();
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static void print_bundle(const struct simulated *result)
{
    static const struct issue_options options = { .system = ADAPTER_SYSTEM,
                                                  .device = "Device/mm-adapter-replay",
                                                  .version = ADAPTER_VERSION };
    json_t *bundle = json_pack("{s:s, s:s}", "resourceType", "Bundle", "type", "collection");
    json_t *entries = json_array();

    for (size_t i = 0; i < result->alert_count; i++) {
        char id[64], url[128];
        issue_id(&result->alerts[i], id);
        snprintf(url, sizeof url, "%s:alert:%s", ADAPTER_SYSTEM, result->alerts[i].key);
        char *text = issue_build(&result->alerts[i], &options, id, NULL);
        json_array_append_new(entries, json_pack("{s:s, s:o}", "fullUrl", url, "resource",
                                                 json_loads(text, 0, NULL)));
        free(text);
    }
    if (json_array_size(entries))
        json_object_set_new(bundle, "entry", entries);
    else
        json_decref(entries); /* FHIR has no empty arrays */
    json_dumpf(bundle, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(bundle);
}

static const char *shade(bool colours, const struct alert *alert)
{
    if (!colours) return "";
    if (alert->state != ALERT_OPEN) return "\033[2m";
    return alert->severity == SEVERITY_HIGH       ? "\033[31m"
           : alert->severity == SEVERITY_MODERATE ? "\033[33m"
                                                  : "";
}

static void print_table(const struct simulated *result)
{
    bool colours = command_colours(stdout);

    if (!result->alert_count) {
        puts("no alerts");
        return;
    }
    printf("%-24s %-24s %-9s %-8s %-12s %-20s %-24s %s\n", "OPENED", "ENDED", "STATUS", "SEVERITY",
           "DISPLAY", "RULE", "SUBJECTS", "PATIENT");
    for (size_t i = 0; i < result->alert_count; i++) {
        const struct alert *alert = &result->alerts[i];
        AUTO(buf_done) struct buf subjects = { 0 };
        char opened[32], ended[32];
        for (size_t j = 0; j < alert->subject_count; j++)
            buf_printf(&subjects, "%s%s", j ? "," : "", alert->subjects[j]);
        printf("%s%-24s %-24s %-9s %-8s %-12s %-20s %-24s Patient/%s%s\n", shade(colours, alert),
               instant_text(alert->opened_ms, opened, sizeof opened),
               instant_text(alert->ended_ms, ended, sizeof ended), alert_state_name(alert->state),
               severity_name(alert->severity), display_name(alert->display), alert->rule,
               buf_string(&subjects), alert->patient, colours ? "\033[0m" : "");
    }
}

void replay_print(const struct simulated *result, enum replay_format format)
{
    switch (format) {
    case REPLAY_TABLE:
        print_table(result);
        break;
    case REPLAY_JSON:
        for (size_t i = 0; i < result->alert_count; i++) print_json(&result->alerts[i]);
        break;
    case REPLAY_BUNDLE:
        print_bundle(result);
        break;
    }
}
