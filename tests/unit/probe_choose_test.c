#include "test.h"

#include <stdio.h>
#include <string.h>

#include "app/probe.h"
#include "base/buf.h"

#define ALL_TOPICS 7u

/* What a case changes in a server that does everything. */
struct server {
    enum fhir_release release;
    const char *software, *web_socket, *base;
    enum probe_answer updated, history, by_patient, sorted; /* of all needed types */
    enum probe_answer conditions_updated;                   /* of Condition alone */
    bool patient_untried, no_subscription, no_issue, no_put, no_conditional, no_versions, elsewhere;
    unsigned topics;
    int64_t clock_ms;
};

static const struct choose_case {
    const char *name;
    struct server server;
    const char *hook;
    const char *want; /* poll push write, and how many warnings */
} cases[] = {
    { "an R4 server that does everything",
      { .release = FHIR_R4 },
      "https://a/hook",
      "updated criteria put 0" },
    { "without a way to reach us somebody must say one",
      { .release = FHIR_R4 },
      NULL,
      "updated criteria put 1" },
    { "... or there is a WebSocket",
      { .release = FHIR_R4, .web_socket = "ws://ehr/websocket" },
      NULL,
      "updated criteria+socket put 0" },
    { "a hook is better than a WebSocket",
      { .release = FHIR_R4, .web_socket = "ws://ehr/websocket" },
      "https://a/hook",
      "updated criteria put 0" },
    { "Medplum fires what was created active",
      { .release = FHIR_R4, .software = "Medplum 4.5" },
      "https://a/hook",
      "updated criteria+active put 0" },
    { "topics for all three types are used",
      { .release = FHIR_R4B, .topics = ALL_TOPICS },
      "https://a/hook",
      "updated topic put 0" },
    { "one topic is missing on R4B: criteria",
      { .release = FHIR_R4B, .topics = 3 },
      "https://a/hook",
      "updated criteria put 0" },
    { "one topic is missing on R5: there are no criteria",
      { .release = FHIR_R5, .topics = 3 },
      "https://a/hook",
      "updated none put 1" },
    { "R5 with topics",
      { .release = FHIR_R5, .topics = ALL_TOPICS },
      "https://a/hook",
      "updated topic put 0" },
    { "no Subscription, and none is wanted",
      { .release = FHIR_R4, .no_subscription = true },
      NULL,
      "updated none put 0" },
    { "no _lastUpdated: the history",
      { .release = FHIR_R4, .updated = PROBE_NO },
      "https://a/hook",
      "history criteria put 0" },
    { "one type without _lastUpdated is enough",
      { .release = FHIR_R4, .conditions_updated = PROBE_NO },
      "https://a/hook",
      "history criteria put 0" },
    { "neither: patient by patient",
      { .release = FHIR_R4, .updated = PROBE_NO, .history = PROBE_NO },
      "https://a/hook",
      "patient criteria put 0" },
    { "nor by patient: no way",
      { .release = FHIR_R4, .updated = PROBE_NO, .history = PROBE_NO, .by_patient = PROBE_NO },
      "https://a/hook",
      "none criteria put 0" },
    { "a search by patient that was not tried may work",
      { .release = FHIR_R4, .updated = PROBE_NO, .history = PROBE_NO, .patient_untried = true },
      "https://a/hook",
      "patient criteria put 0" },
    { "an order that is not kept is told of",
      { .release = FHIR_R4, .sorted = PROBE_NO },
      "https://a/hook",
      "updated criteria put 1" },
    { "the server chooses ids",
      { .release = FHIR_R4, .no_put = true },
      "https://a/hook",
      "updated criteria conditional 0" },
    { "and creates without conditions",
      { .release = FHIR_R4, .no_put = true, .no_conditional = true },
      "https://a/hook",
      "updated criteria search 0" },
    { "no DetectedIssue is told of",
      { .release = FHIR_R4, .no_issue = true },
      "https://a/hook",
      "updated criteria none 1" },
    { "no versions are told of",
      { .release = FHIR_R4, .no_versions = true },
      "https://a/hook",
      "updated criteria put 1" },
    { "pages elsewhere are told of",
      { .release = FHIR_R4, .elsewhere = true },
      "https://a/hook",
      "updated criteria put 1" },
    { "a minute of difference is borne",
      { .release = FHIR_R4, .clock_ms = 60000 },
      "https://a/hook",
      "updated criteria put 0" },
    { "more than that is told of, ahead",
      { .release = FHIR_R4, .clock_ms = 60001 },
      "https://a/hook",
      "updated criteria put 1" },
    { "and behind",
      { .release = FHIR_R4, .clock_ms = -60001 },
      "https://a/hook",
      "updated criteria put 1" },
    { "plain HTTP is told of",
      { .release = FHIR_R4, .base = "http://ehr/fhir" },
      "https://a/hook",
      "updated criteria put 1" },
};

static enum probe_answer or_yes(enum probe_answer answer)
{
    return answer == PROBE_UNTOLD ? PROBE_YES : answer;
}

static struct probe_facts facts_of(const struct choose_case *c)
{
    const struct server *server = &c->server;
    struct probe_facts facts = { .base = server->base ? server->base : "https://ehr/fhir",
                                 .topics = server->topics,
                                 .clock_known = true,
                                 .clock_ms = server->clock_ms,
                                 .elsewhere = server->elsewhere,
                                 .versions = PROBE_YES };

    facts.capability = (struct capability){ .release = server->release,
                                            .issue_offered = !server->no_issue,
                                            .issue_update_create = !server->no_put,
                                            .issue_conditional_create = !server->no_conditional,
                                            .issue_versioned = !server->no_versions,
                                            .subscription_offered = !server->no_subscription };
    snprintf(facts.capability.software, sizeof facts.capability.software, "%s",
             server->software ? server->software : "");
    snprintf(facts.capability.websocket, sizeof facts.capability.websocket, "%s",
             server->web_socket ? server->web_socket : "");
    for (size_t i = 0; i < PROBE_TYPES; i++)
        facts.types[i] = (struct probe_type){ .search = PROBE_YES,
                                              .updated = or_yes(server->updated),
                                              .history = or_yes(server->history),
                                              .sorted = or_yes(server->sorted),
                                              .by_patient = server->patient_untried
                                                                ? PROBE_UNTOLD
                                                                : or_yes(server->by_patient) };
    if (server->conditions_updated) facts.types[2].updated = server->conditions_updated;
    return facts;
}

static void check(void **state)
{
    static const char *const polls[] = { "none", "updated", "history", "patient" };
    static const char *const pushes[] = { "none", "criteria", "topic" };
    static const char *const writes[] = { "none", "put", "conditional", "search" };
    const struct choose_case *c = *state;
    struct probe_facts facts = facts_of(c);
    struct probe_choice choice;
    AUTO(buf_done) struct buf got = { 0 };

    probe_choose(&facts, c->hook, &choice);
    buf_printf(&got, "%s %s%s%s %s %zu", polls[choice.poll], pushes[choice.push],
               choice.web_socket ? "+socket" : "", choice.start_active ? "+active" : "",
               writes[choice.write], choice.warning_count);
    assert_string_equal(buf_string(&got), c->want);
}

int main(void)
{
    return RUN_TABLE("probe", cases, check);
}
