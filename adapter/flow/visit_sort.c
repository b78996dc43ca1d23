/* Judges what events say against what we hold: newer is put into the chart, older is dropped, and
 * whatever is in doubt is read back from the server. */
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "fhir/reference.h"
#include "flow/chart_build.h"
#include "flow/visit_impl.h"

#define FRESH_MS INT64_C(60000) /* a notification is believed as new for so long after the write */

enum judgement { JUDGE_DROP, JUDGE_APPLY, JUDGE_READ };

/* ---- one payload against the shelf */

static bool is_same_text(const struct shelf_item *item, const struct store_event *event)
{
    return item->resource.json_len == event->payload_len &&
           memcmp(item->resource.json, event->payload, event->payload_len) == 0;
}

static enum judgement judge_against(const struct shelf_item *item, const struct resource_head *head,
                                    const struct store_event *event)
{
    int64_t ours = item->resource.updated_ms, theirs = head->updated_ms;

    if (item->gone) return JUDGE_READ;
    if (is_same_text(item, event)) return JUDGE_DROP;
    if (ours == INSTANT_UNSET || theirs == INSTANT_UNSET) return JUDGE_READ;
    if (theirs != ours) return theirs > ours ? JUDGE_APPLY : JUDGE_DROP;
    return strcmp(item->resource.version, head->version) == 0 ? JUDGE_DROP : JUDGE_READ;
}

/* Something that we do not hold. A notification that comes late may be of a resource that is
 * deleted by now, and nobody would tell us of that again: neither may it be older than a minute, nor
 * than what we remember of deletions. */
static enum judgement judge_unheld(const struct visit *visit, const struct resource_head *head,
                                   const struct store_event *event)
{
    int64_t age = event->accepted_ms - head->updated_ms;

    if (visit->whole_read || work_gone_has(visit->flow, head->type, head->id)) return JUDGE_READ;
    if (event->via != VIA_HOOK && event->via != VIA_SOCKET) return JUDGE_APPLY;
    if (head->updated_ms == INSTANT_UNSET) return JUDGE_READ;
    if (!work_gone_knows(visit->flow, event->accepted_ms - 2 * FRESH_MS)) return JUDGE_READ;
    return age > -FRESH_MS && age < FRESH_MS ? JUDGE_APPLY : JUDGE_READ;
}

static enum judgement judge(const struct visit *visit, const struct resource_head *head,
                            const struct store_event *event)
{
    const struct shelf_item *item = shelf_find(&visit->shelf, head->type, head->id);

    if (visit_want_has(visit, head->type, head->id)) return JUDGE_DROP; /* it is read anyway */
    if (strcmp(head->patient, visit->work.patient) != 0) return JUDGE_READ;
    if (visit->trial && !item) return JUDGE_APPLY;
    return item ? judge_against(item, head, event) : judge_unheld(visit, head, event);
}

/* ---- one event */

static void apply(struct visit *visit, size_t i, const struct resource_head *head)
{
    const struct store_event *event = &visit->work.events[i];

    switch (judge(visit, head, event)) {
    case JUDGE_DROP:
        break;
    case JUDGE_APPLY:
        shelf_put(&visit->shelf, head, event->payload, event->payload_len);
        break;
    case JUDGE_READ:
        visit_want_add(visit, head->type, head->id);
        break;
    }
}

static void sort_payload(struct visit *visit, size_t i)
{
    const struct store_event *event = &visit->work.events[i];
    AUTO(doc_free) struct doc *doc = NULL;
    struct resource_head head;
    struct err err;

    if (!doc_parse(event->payload, event->payload_len, 0, &doc, &err)) {
        visit_decide(visit, i, FATE_ASIDE, err.code);
        return;
    }
    struct node root = node_root(doc);
    if (!resource_head_read(&root, &visit->arena, &head, &err))
        visit_decide(visit, i, FATE_ASIDE, err.code);
    else if (!head.id[0])
        visit_decide(visit, i, FATE_ASIDE, "event.no-id");
    else if (head.ours)
        visit_decide(visit, i, FATE_DONE, "");
    else
        apply(visit, i, &head);
}

/* Only these can make somebody one of our patients. */
static bool may_bring_in(const struct store_event *event)
{
    return event->change == CHANGE_WRITTEN &&
           (strcmp(event->type, "Condition") == 0 || strcmp(event->type, "MedicationRequest") == 0);
}

static void sort_event(struct visit *visit, size_t i)
{
    const struct store_event *event = &visit->work.events[i];

    if (visit->fates[i].decided || look_is_one(event)) return;
    if (visit->trial && !may_bring_in(event)) return;
    if (!event->id[0])
        visit_decide(visit, i, FATE_ASIDE, "event.no-id");
    else if (event->change == CHANGE_WRITTEN && event->payload)
        sort_payload(visit, i);
    else
        visit_want_add(visit, event->type, event->id);
}

/* ---- what else must be read */

/* The Medications that orders refer to. */
static void want_medications(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        struct shelf_item *item = &visit->shelf.items[i];
        struct reference reference;
        if (strcmp(item->resource.type, "MedicationRequest") != 0) continue;
        const struct doc *doc = shelf_doc(item);
        if (!doc) continue;
        struct node root = node_root(doc);
        if (resource_needs_medication(&root, &reference) && !reference.urn &&
            !shelf_find(&visit->shelf, "Medication", reference.id))
            visit_want_add(visit, "Medication", visit_keep(visit, reference.id));
    }
}

/* A deletion may have been heard of while this went on. */
static void want_doubtful(struct visit *visit)
{
    for (size_t i = 0; i < visit->shelf.count; i++) {
        const struct shelf_item *item = &visit->shelf.items[i];
        const struct store_resource *r = &item->resource;
        if (item->changed && !item->gone && !item->removed && !item->held &&
            work_gone_has(visit->flow, r->type, r->id))
            visit_want_add(visit, r->type, r->id);
    }
}

/* ---- is it one of ours? */

static bool brings_in(struct visit *visit)
{
    const struct source *why;
    struct chart *chart;
    bool in;

    if (!visit->shelf.count) return false;
    chart = chart_build(&visit->shelf, visit->work.patient, visit->flow->knowledge);
    in = chart_in_cohort(chart, visit->flow->knowledge, &why);
    chart_free(chart);
    return in;
}

/* One of ours from now on. */
static void come_in(struct visit *visit)
{
    visit->trial = false;
    visit_read_whole(visit);
}

static void stay_outside(struct visit *visit)
{
    visit->outside = true;
    visit_enter(visit, VISIT_ASKING);
}

void visit_read_whole(struct visit *visit)
{
    visit->sorted = false;
    visit->whole_wanted = true;
    visit_enter(visit, VISIT_QUEUED);
}

void visit_sort(struct visit *visit)
{
    if (!visit->sorted)
        for (size_t i = 0; i < visit->work.event_count; i++) sort_event(visit, i);
    visit->sorted = true;
    want_medications(visit);
    if (!visit->trial) want_doubtful(visit);
    if (visit->want_next < visit->want_count)
        visit_enter(visit, VISIT_QUEUED);
    else if (!visit->trial)
        visit_enter(visit, VISIT_ASKING);
    else if (brings_in(visit))
        come_in(visit);
    else
        stay_outside(visit);
}
