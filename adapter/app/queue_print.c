#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "app/page.h"
#include "app/queue.h"
#include "base/instant.h"

static const char *const sources[VIA_COUNT] = {
    "hook", "poll", "read", "replay", "socket", "query"
};
static const char *const changes[] = { "written", "deleted", "hint" };

const char *queue_name(const struct queue_item *item, char *buf, size_t size)
{
    if (item->seq)
        snprintf(buf, size, "event/%" PRId64, item->seq);
    else
        snprintf(buf, size, "alert/%s", item->key);
    return buf;
}

static const char *source_of(const struct queue_item *item)
{
    return item->via < VIA_COUNT ? sources[item->via] : "unknown";
}

static const char *change_of(const struct queue_item *item)
{
    return item->change <= CHANGE_HINT ? changes[item->change] : "unknown";
}

/* "Observation/abc of Patient/p1", "rule len-combo-anc-hold for Patient/p1". */
static void subject_print(const struct queue_item *item, char *buf, size_t size)
{
    if (!item->seq)
        snprintf(buf, size, "rule %s for Patient/%s", item->rule, item->patient);
    else
        snprintf(buf, size, "%s%s%s%s%s", item->type, item->id[0] ? "/" : "", item->id,
                 item->patient[0] ? " of Patient/" : "", item->patient);
}

/* ---- list */

#define NAME_WIDTH   19 /* an event's; that of an alert is longer and moves its line */
#define REASON_WIDTH 28

void queue_print_heading(void)
{
    printf("%-8s  %-20s  %-*s  %-*s  %s\n", "state", "since", REASON_WIDTH, "reason", NAME_WIDTH,
           "item", "what");
}

void queue_print_line(const struct queue_item *item)
{
    char name[80], since[32], subject[400];

    instant_text(item->since_ms, since, sizeof since);
    if (strlen(since) > 20) snprintf(since + 19, sizeof since - 19, "Z"); /* no fractions */
    subject_print(item, subject, sizeof subject);
    printf("%-8s  %-20s  ", queue_state_name(item->state), since);
    page_cell(item->reason[0] ? item->reason : "-", REASON_WIDTH, true, stdout);
    printf("  %-*s  %s\n", NAME_WIDTH, queue_name(item, name, sizeof name), subject);
}

/* ---- one */

static void field(const char *name, const char *text)
{
    if (text[0]) printf("%-10s %s\n", name, text);
}

static void field_time(const char *name, int64_t ms)
{
    char text[32];

    if (ms != INSTANT_UNSET && ms) field(name, instant_text(ms, text, sizeof text));
}

static void field_number(const char *name, int64_t number)
{
    printf("%-10s %" PRId64 "\n", name, number);
}

/* The two axes: is it evaluated, is it told. */
static void event_axes(const struct queue_item *item, char *evaluated, char *told, size_t size)
{
    switch (item->state) {
    case QUEUE_WAITING:
        snprintf(evaluated, size, "no: it waits");
        break;
    case QUEUE_ASIDE:
        snprintf(evaluated, size, "no: set aside");
        break;
    case QUEUE_DROPPED:
        snprintf(evaluated, size, "no: given up by an operator");
        break;
    case QUEUE_DONE:
    case QUEUE_OWED:
    case QUEUE_PARKED:
    case QUEUE_DELIVERED:
        snprintf(evaluated, size, "%s",
                 item->outside ? "yes: outside the cohort" : "yes: what it changed is known");
        break;
    }
    if (!item->patient[0])
        snprintf(told, size, "its patient is not known yet");
    else if (item->patient_owed || item->patient_parked)
        snprintf(told, size, "of its patient's alerts %" PRId64 " are owed, %" PRId64 " are parked",
                 item->patient_owed, item->patient_parked);
    else
        snprintf(told, size, "every alert of its patient that is known is on the server");
}

static void alert_axes(const struct queue_item *item, char *evaluated, char *told, size_t size)
{
    if (item->patient_waiting)
        snprintf(evaluated, size, "not with everything: of its patient's events %" PRId64 " wait",
                 item->patient_waiting);
    else
        snprintf(evaluated, size, "yes: no event of its patient waits");
    switch (item->state) {
    case QUEUE_OWED:
        snprintf(told, size, "no: it is owed%s", item->attempts ? " and tried again" : "");
        break;
    case QUEUE_PARKED:
        snprintf(told, size, "no: the server refused it");
        break;
    case QUEUE_DROPPED:
        snprintf(told, size, "no: given up by an operator");
        break;
    case QUEUE_DELIVERED:
    case QUEUE_WAITING:
    case QUEUE_ASIDE:
    case QUEUE_DONE:
        snprintf(told, size, "yes: it is on the server");
        break;
    }
}

static void event_print(const struct queue_item *item)
{
    field("change", change_of(item));
    field("version", item->version);
    field("source", source_of(item));
    field_time("accepted", item->accepted_ms);
    if (item->bytes) field_number("bytes", item->bytes);
}

static void alert_print(const struct queue_item *item)
{
    field("alert", item->alert);
    if (item->episode) field_number("episode", item->episode);
    field_time("opened", item->opened_ms);
    field_time("ended", item->ended_ms);
    field_number("tries", item->attempts);
    if (item->state == QUEUE_OWED) field_time("next try", item->next_ms);
    if (item->server_id[0])
        printf("%-10s DetectedIssue/%s%s%s\n", "on server", item->server_id,
               item->server_version[0] ? " version " : "", item->server_version);
}

void queue_print_whole(const struct queue_item *item)
{
    char name[80], subject[400], evaluated[120] = "", told[120] = "";

    subject_print(item, subject, sizeof subject);
    (item->seq ? event_axes : alert_axes)(item, evaluated, told, sizeof told);
    field("item", queue_name(item, name, sizeof name));
    field("what", subject);
    field("state", queue_state_name(item->state));
    field("reason", item->reason);
    field_time("since", item->since_ms);
    field("evaluated", evaluated);
    field("told", told);
    (item->seq ? event_print : alert_print)(item);
}

/* ---- JSON */

static void put_text(json_t *made, const char *name, const char *text)
{
    if (text[0]) json_object_set_new(made, name, json_string(text));
}

static void put_time(json_t *made, const char *name, int64_t ms)
{
    char text[32];

    if (ms != INSTANT_UNSET && ms) put_text(made, name, instant_text(ms, text, sizeof text));
}

static void put_event(json_t *made, const struct queue_item *item)
{
    put_text(made, "type", item->type);
    put_text(made, "id", item->id);
    put_text(made, "version", item->version);
    put_text(made, "change", change_of(item));
    put_text(made, "source", source_of(item));
    put_time(made, "accepted", item->accepted_ms);
    json_object_set_new(made, "bytes", json_integer(item->bytes));
}

static void put_alert(json_t *made, const struct queue_item *item)
{
    put_text(made, "rule", item->rule);
    put_text(made, "alert", item->alert);
    put_time(made, "opened", item->opened_ms);
    put_time(made, "ended", item->ended_ms);
    put_time(made, "nextTry", item->next_ms);
    put_text(made, "serverId", item->server_id);
    put_text(made, "serverVersion", item->server_version);
    json_object_set_new(made, "tries", json_integer(item->attempts));
}

void queue_print_json(const struct queue_item *item, bool whole)
{
    json_t *made = json_object();
    char name[80], evaluated[120] = "", told[120] = "";

    put_text(made, "item", queue_name(item, name, sizeof name));
    put_text(made, "state", queue_state_name(item->state));
    put_text(made, "reason", item->reason);
    put_time(made, "since", item->since_ms);
    put_text(made, "patient", item->patient);
    (item->seq ? put_event : put_alert)(made, item);
    if (whole) {
        (item->seq ? event_axes : alert_axes)(item, evaluated, told, sizeof told);
        put_text(made, "evaluated", evaluated);
        put_text(made, "told", told);
    }
    json_dumpf(made, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(made);
}
