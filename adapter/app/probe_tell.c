/* What was found and chosen, for people and for programs. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "app/page.h"
#include "app/probe.h"
#include "base/attr.h"

static const char *word(enum probe_answer answer)
{
    return answer == PROBE_YES ? "yes" : answer == PROBE_NO ? "no" : "-";
}

static const char *poll_words(enum probe_poll poll)
{
    static const char *const words[] = {
        [PROBE_POLL_NONE] = "nothing",
        [PROBE_POLL_UPDATED] = "searches by _lastUpdated",
        [PROBE_POLL_HISTORY] = "the history of each type",
        [PROBE_POLL_PATIENT] = "one patient after another",
    };

    return words[poll];
}

static const char *push_words(const struct probe_choice *choice)
{
    if (choice->push == PROBE_PUSH_NONE) return "no notifications";
    if (choice->web_socket)
        return choice->push == PROBE_PUSH_TOPIC ? "topic Subscriptions, over a WebSocket"
                                                : "criteria Subscriptions, over a WebSocket";
    return choice->push == PROBE_PUSH_TOPIC ? "topic Subscriptions, by rest-hook"
                                            : "criteria Subscriptions, by rest-hook";
}

static const char *write_words(enum probe_write how)
{
    static const char *const words[] = {
        [PROBE_WRITE_NONE] = "not",
        [PROBE_WRITE_PUT] = "PUT under an id of ours",
        [PROBE_WRITE_CONDITIONAL] = "POST with If-None-Exist",
        [PROBE_WRITE_SEARCH] = "search, POST, search again",
    };

    return words[how];
}

/* A Date header counts whole seconds, and was on its way. */
static void tell_clock(const struct probe_facts *facts, FILE *out)
{
    int64_t off = facts->clock_ms < 0 ? -facts->clock_ms : facts->clock_ms;

    if (!facts->clock_known) return;
    if (off < 2000)
        fputs("  clock     as ours\n", out);
    else
        fprintf(out, "  clock     %" PRId64 " s %s ours\n", off / 1000,
                facts->clock_ms < 0 ? "behind" : "ahead of");
}

static void tell_server(const struct probe_facts *facts, FILE *out)
{
    fprintf(out, "%s\n  speaks    %s (%s)%s%s\n", facts->base,
            fhir_release_name(facts->capability.release), facts->capability.fhir_version,
            facts->capability.software[0] ? ", " : "", facts->capability.software);
    tell_clock(facts, out);
    if (facts->capability.websocket[0])
        fprintf(out, "  WebSocket %s\n", facts->capability.websocket);
    fprintf(out, "  asked     %u questions, nothing was written\n\n", facts->asked);
}

static void tell_types(const struct probe_facts *facts, FILE *out)
{
    fputs("  type                 search  of a patient  _lastUpdated  _sort  history\n", out);
    for (size_t i = 0; i < PROBE_TYPES; i++) {
        const struct probe_type *at = &facts->types[i];
        fprintf(out, "  %-20s %-7s %-13s %-13s %-6s %s\n", at->type, word(at->search),
                word(at->by_patient), word(at->updated), word(at->sorted), word(at->history));
    }
    fprintf(out, "  %-20s %s\n", "DetectedIssue", word(facts->issues));
    fprintf(out, "  %-20s %s\n\n", "Subscription", word(facts->subscriptions));
}

static void tell_choice(const char *what, const char *how, const char *why, FILE *out)
{
    char first[32];

    fprintf(out, "  %-14s%s\n", what, how);
    snprintf(first, sizeof first, "  %-14s", "");
    page_wrap(first, why, page_width(out), out);
}

void probe_tell(const struct probe_facts *facts, const struct probe_choice *choice, FILE *out)
{
    tell_server(facts, out);
    tell_types(facts, out);
    fputs("Chosen\n", out);
    tell_choice("told by", push_words(choice), choice->push_why, out);
    tell_choice("proved by", poll_words(choice->poll), choice->poll_why, out);
    tell_choice("written by", write_words(choice->write), choice->write_why, out);
    if (choice->warning_count) fputs("\nLook out\n", out);
    for (size_t i = 0; i < choice->warning_count; i++)
        page_wrap("  - ", choice->warnings[i], page_width(out), out);
}

static json_t *type_json(const struct probe_type *at)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "type", at->type, "status",
                     (int)at->status, "search", word(at->search), "byPatient", word(at->by_patient),
                     "updated", word(at->updated), "sorted", word(at->sorted), "history",
                     word(at->history));
}

void probe_json(const struct probe_facts *facts, const struct probe_choice *choice, FILE *out)
{
    json_t *types = json_array(), *warnings = json_array(), *all;

    for (size_t i = 0; i < PROBE_TYPES; i++)
        json_array_append_new(types, type_json(&facts->types[i]));
    for (size_t i = 0; i < choice->warning_count; i++)
        json_array_append_new(warnings, json_string(choice->warnings[i]));
    all = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o}", "base", facts->base,
                    "release", fhir_release_name(facts->capability.release), "software",
                    facts->capability.software, "webSocket", facts->capability.websocket, "types",
                    types, "detectedIssue", word(facts->issues), "toldBy", push_words(choice),
                    "provedBy", poll_words(choice->poll), "writtenBy", write_words(choice->write),
                    "warnings", warnings);
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}
