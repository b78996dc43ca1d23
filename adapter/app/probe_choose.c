/* From what was found to what is set, with the reason for each. Pure. */
#include <string.h>

#include "app/probe.h"
#include "base/attr.h"

#define CLOCK_MS 60000 /* a clock that is further off is told of */

static bool all_do(const struct probe_facts *facts, size_t member)
{
    for (size_t i = 0; i < PROBE_NEEDED; i++) {
        enum probe_answer answer;
        memcpy(&answer, (const char *)&facts->types[i] + member, sizeof answer);
        if (answer != PROBE_YES) return false;
    }
    return true;
}

#define ALL_DO(facts, member) all_do(facts, offsetof(struct probe_type, member))

static void warn(struct probe_choice *choice, const char *text)
{
    if (choice->warning_count < PROBE_WARNINGS) choice->warnings[choice->warning_count++] = text;
}

static void choose_poll(const struct probe_facts *facts, struct probe_choice *ret)
{
    if (ALL_DO(facts, updated)) {
        ret->poll = PROBE_POLL_UPDATED;
        ret->poll_why = "searches by _lastUpdated are answered, and obeyed";
    } else if (ALL_DO(facts, history)) {
        ret->poll = PROBE_POLL_HISTORY;
        ret->poll_why = "_lastUpdated is not understood, but the history of each type is told";
    } else if (facts->types[0].by_patient != PROBE_NO) {
        ret->poll = PROBE_POLL_PATIENT;
        ret->poll_why = facts->types[0].by_patient == PROBE_YES
                            ? "neither _lastUpdated nor the history of a type: each patient of a "
                              "list is looked at in turn"
                            : "neither _lastUpdated nor the history of a type; a search by patient "
                              "was not tried: give --patient ID to be sure";
    } else {
        ret->poll = PROBE_POLL_NONE;
        ret->poll_why = "orders cannot be searched by _lastUpdated, by history or by patient: "
                        "there is no way to find changes here";
    }
}

static bool topics_for_all(const struct probe_facts *facts)
{
    return (facts->topics & ((1u << PROBE_NEEDED) - 1)) == (1u << PROBE_NEEDED) - 1;
}

static void choose_push(const struct probe_facts *facts, const char *hook, struct probe_choice *ret)
{
    const struct capability *can = &facts->capability;

    ret->push = PROBE_PUSH_NONE;
    if (!can->subscription_offered) {
        ret->push_why = "Subscription is not offered: changes are found by poll alone";
    } else if (topics_for_all(facts)) {
        ret->push = PROBE_PUSH_TOPIC;
        ret->push_why = "there are topics for orders, results and conditions";
    } else if (can->release == FHIR_R5) {
        ret->push_why = "R5 needs SubscriptionTopics for MedicationRequest, Observation and "
                        "Condition, and they are not there: changes are found by poll alone";
        warn(ret, "Let the server's people create topics for MedicationRequest, Observation and "
                  "Condition, then probe again.");
    } else {
        ret->push = PROBE_PUSH_CRITERIA;
        ret->push_why = "Subscriptions with criteria are offered; whether they fire is seen when "
                        "the adapter runs (found by poll, not by push)";
    }
    ret->web_socket = ret->push != PROBE_PUSH_NONE && !hook && facts->capability.websocket[0];
    if (ret->push != PROBE_PUSH_NONE && !hook && !facts->capability.websocket[0])
        warn(ret, "The server must reach the listener: set hook.url to how it does, or probe with "
                  "--hook URL.");
}

static void choose_write(const struct probe_facts *facts, struct probe_choice *ret)
{
    const struct capability *can = &facts->capability;

    if (!can->issue_offered) {
        ret->write = PROBE_WRITE_NONE;
        ret->write_why = "DetectedIssue is not offered: alerts are kept and parked, not written";
        warn(ret, "Alerts cannot reach a chart on this server: it takes no DetectedIssue.");
    } else if (can->issue_update_create) {
        ret->write = PROBE_WRITE_PUT;
        ret->write_why = "the server takes ids of ours: a repeat can never make a twin";
    } else if (can->issue_conditional_create) {
        ret->write = PROBE_WRITE_CONDITIONAL;
        ret->write_why = "the server chooses ids and creates conditionally; twins are looked for";
    } else {
        ret->write = PROBE_WRITE_SEARCH;
        ret->write_why = "the server chooses ids: it is searched before and after each create";
    }
    if (can->issue_offered && !can->issue_versioned)
        warn(ret, "DetectedIssue has no versions: what a clinician writes at the same moment may "
                  "be overwritten.");
}

static void warn_types(const struct probe_facts *facts, struct probe_choice *ret)
{
    static const char *const refused[PROBE_TYPES] = {
        NULL,
        NULL,
        NULL,
        "Procedure cannot be read: rules about transplants and CAR-T cannot tell.",
        "AllergyIntolerance cannot be read: rules about allergies cannot tell.",
        "Patient cannot be read: rules about age, sex or weight-based clearance cannot tell.",
    };

    for (size_t i = PROBE_NEEDED; i < PROBE_TYPES; i++)
        if (facts->types[i].search == PROBE_NO && facts->types[i].by_patient != PROBE_YES)
            warn(ret, refused[i]);
}

void probe_choose(const struct probe_facts *facts, const char *hook, struct probe_choice *ret)
{
    *ret = (struct probe_choice){ .poll = PROBE_POLL_NONE };
    choose_poll(facts, ret);
    choose_push(facts, hook, ret);
    choose_write(facts, ret);
    ret->start_active = strncasecmp(facts->capability.software, "medplum", 7) == 0;
    warn_types(facts, ret);
    if (ret->poll == PROBE_POLL_UPDATED && !ALL_DO(facts, sorted))
        warn(ret, "_sort=_lastUpdated is not obeyed: every page of a poll is read before the "
                  "watermark moves.");
    if (facts->elsewhere)
        warn(ret, "Next links lead to another origin and will not be followed: set server.base to "
                  "the URL that the server gives itself.");
    if (facts->versions == PROBE_NO)
        warn(ret, "Reads say no version (ETag): repeats are known by their text.");
    if (facts->clock_known && (facts->clock_ms > CLOCK_MS || facts->clock_ms < -CLOCK_MS))
        warn(ret, "The clocks differ by more than a minute: let both machines keep time (NTP).");
    if (strncmp(facts->base, "http://", 7) == 0)
        warn(ret, "The connection is not encrypted: use https:// unless it stays on this machine.");
}
