#include "flow/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/flow_impl.h"

#define LOOK_IN_HAND     8 /* looks that may hang (their visits are tried again) before we stop */
#define LOOK_LONGEST_MS  30000  /* never rest longer: the wall clock may step */
#define LOOK_AGAIN_MS    1000   /* after a failure of the store; while the journal is full */
#define LOOK_PATIENCE_MS 600000 /* for a look whose event an operator may have dropped */
#define LOOK_SURE        10     /* looks after which their cost is known */
#define LOOK_LEAST_MILLI 2000 /* requests of the cheapest one, times 1000: orders and conditions */

static void look_enter(struct look *at, enum look_state next);
static void look_on_timer(uv_timer_t *timer);

bool look_is_one(const struct store_event *event)
{
    return event->patient[0] && !event->id[0] && !event->payload && event->change == CHANGE_WRITTEN;
}

static int64_t now_ms(const struct look *at)
{
    return clock_now(at->flow);
}

/* ---- members */

static int compare(const void *id, const void *member)
{
    return strcmp(id, ((const struct look_member *)member)->id);
}

/* NULL when the patient is not listed. */
static struct look_member *member_of(const struct look *at, const char *id)
{
    if (!at->count) return NULL;
    return bsearch(id, at->members, at->count, sizeof *at->members, compare);
}

static void setting_name(const char *id, char *buf, size_t size)
{
    snprintf(buf, size, "look:%s", id);
}

/* ---- how it stands */

/* A look that was never made is as old as our knowledge of the patient. */
static int64_t age_ms(const struct look_member *member, int64_t now)
{
    int64_t since = member->looked_ms == INSTANT_UNSET ? member->listed_ms : member->looked_ms;

    return now > since ? now - since : 0;
}

static void gauges_set(struct look *at)
{
    int64_t oldest = 0, now = now_ms(at);

    for (size_t i = 0; i < at->count; i++)
        if (age_ms(&at->members[i], now) > oldest) oldest = age_ms(&at->members[i], now);
    metric_set(at->flow->metrics, METRIC_COHORT_LISTED, (int64_t)at->count);
    metric_set(at->flow->metrics, METRIC_LOOK_OLDEST, oldest / INSTANT_SECOND);
}

/* Once for each list: the budget does not reach everybody in a day. */
static void budget_check(struct look *at)
{
    int64_t cost = at->ended < LOOK_SURE ? LOOK_LEAST_MILLI : at->cost_milli;
    int64_t an_hour = budget_per_hour(at->flow->options.per_minute, cost);

    if (at->warned || an_hour >= ROSTER_MAX || an_hour * 24 >= (int64_t)at->count) return;
    at->warned = true;
    log_event(LOG_LEVEL_WARN, "poll-budget-small", LOG_WHAT, "patients looked at in an hour",
              LOG_COUNT, an_hour, LOG_FIX,
              "raise poll.perMinute or shorten the list of poll.cohort: not everybody is looked at "
              "once a day",
              LOG_END);
}

static void cost_note(struct look *at)
{
    int64_t cost = (int64_t)(at->flow->pace.requests - at->requests_before) * 1000;

    at->cost_milli = at->cost_milli ? (7 * at->cost_milli + cost) / 8 : cost;
}

/* ---- the list */

static void member_on_setting(const char *value, void *arg);

/* Ask the store when we looked last. Takes nothing. */
static void member_load(struct look *at, const char *id)
{
    char name[80], *mine = mem_resize(NULL, sizeof(struct look *) + strlen(id) + 1);

    memcpy(mine, &at, sizeof at);
    memcpy(mine + sizeof at, id, strlen(id) + 1);
    setting_name(id, name, sizeof name);
    at->loading++;
    flow_hold(at->flow);
    store_get(at->flow->store, name, member_on_setting, mine);
}

static void member_on_setting(const char *value, void *arg)
{
    struct look *at;
    char *mine = arg;
    struct look_member *member;
    struct flow *flow;

    memcpy(&at, mine, sizeof at);
    flow = at->flow;
    member = member_of(at, mine + sizeof at);
    if (member && value && member->looked_ms == INSTANT_UNSET)
        member->looked_ms = strtoll(value, NULL, 10);
    free(mine);
    if (--at->loading == 0 && at->state == LOOK_LOADING) look_enter(at, LOOK_RESTING);
    flow_release(flow);
}

static void setting_set(struct look *at, const char *id, const char *value)
{
    char name[80];

    setting_name(id, name, sizeof name);
    flow_keep(at->flow, name, value);
}

static void forget_others(struct look *at, const struct roster *roster)
{
    for (size_t i = 0; i < at->count; i++) {
        if (roster_has(roster, at->members[i].id)) continue;
        setting_set(at, at->members[i].id, NULL);
        if (at->members[i].in_hand) at->in_hand--;
    }
}

/* Who was listed before keeps the time of the last look. */
static void members_set(struct look *at, const struct roster *roster)
{
    struct look_member *members = mem_zero(roster->count + 1, sizeof *members);

    for (size_t i = 0; i < roster->count; i++) {
        const struct look_member *before = member_of(at, roster->ids[i]);
        if (before) {
            members[i] = *before;
            continue;
        }
        members[i] = (struct look_member){ .looked_ms = INSTANT_UNSET, .listed_ms = now_ms(at) };
        memcpy(members[i].id, roster->ids[i], sizeof members[i].id);
        member_load(at, members[i].id);
    }
    forget_others(at, roster);
    free(at->members);
    at->members = members;
    at->count = roster->count;
}

void look_on_roster(struct flow *flow, const struct roster *roster)
{
    struct look *at = &flow->look;
    bool first = at->state == LOOK_IDLE, changed = first || roster->count != at->count;

    for (size_t i = 0; i < roster->count && !changed; i++)
        changed = strcmp(roster->ids[i], at->members[i].id) != 0;
    if (!changed || at->state == LOOK_ENDED) {
        gauges_set(at);
        return;
    }
    members_set(at, roster);
    at->warned = false;
    log_event(LOG_LEVEL_INFO, "cohort-list", LOG_NAME, flow->options.cohort, LOG_COUNT,
              (int64_t)at->count, LOG_END);
    if (roster->passed_over)
        log_event(LOG_LEVEL_WARN, "cohort-list-passed-over", LOG_WHAT,
                  "members that are no patients, or name none", LOG_COUNT,
                  (int64_t)roster->passed_over, LOG_END);
    gauges_set(at);
    budget_check(at);
    if (first || at->state == LOOK_RESTING) look_enter(at, LOOK_LOADING);
}

/* ---- whose turn it is */

/* A time that lies before us was told by another clock. */
static int64_t due_ms(const struct look *at, const struct look_member *member, int64_t now)
{
    if (member->looked_ms == INSTANT_UNSET || member->looked_ms > now) return INSTANT_UNSET;
    return member->looked_ms + at->flow->options.poll_ms;
}

/* The one that is due first; NULL: nobody. */
static struct look_member *next_member(const struct look *at, int64_t now)
{
    struct look_member *next = NULL;

    for (size_t i = 0; i < at->count; i++) {
        struct look_member *member = &at->members[i];
        if (member->in_hand) continue;
        if (!next || due_ms(at, member, now) < due_ms(at, next, now)) next = member;
    }
    return next;
}

static void on_turn(void *arg)
{
    look_enter(arg, LOOK_STORING);
}

static void begun(struct look *at)
{
    if (at->begun) return;
    at->begun = true;
    flow_check_ready(at->flow);
}

/* Rest, or go on at once. */
static void choose(struct look *at)
{
    int64_t now = now_ms(at), wait = LOOK_LONGEST_MS;
    const struct look_member *next = at->in_hand < LOOK_IN_HAND ? next_member(at, now) : NULL;

    if (next && due_ms(at, next, now) <= now && ledger_journal_is_full(at->flow)) {
        wait = LOOK_AGAIN_MS;
    } else if (next && due_ms(at, next, now) <= now) {
        memcpy(at->current, next->id, sizeof at->current);
        look_enter(at, LOOK_WAITING);
        return;
    } else if (next && due_ms(at, next, now) - now < wait) {
        wait = due_ms(at, next, now) - now;
    }
    uv_timer_start(&at->timer, look_on_timer, (uint64_t)wait, 0);
    gauges_set(at);
    begun(at);
}

/* ---- one look */

static void on_accepted(const struct store_accepted *accepted, void *arg)
{
    struct look *at = arg;
    struct flow *flow = at->flow;

    if (accepted->err) flow_fail(flow, accepted->err);
    if (!accepted->err) {
        ledger_accepted(flow, VIA_POLL, accepted, 0);
        work_poke(flow);
    }
    if (at->state == LOOK_STORING && accepted->err) {
        look_enter(at, LOOK_RESTING);
        uv_timer_start(&at->timer, look_on_timer, LOOK_AGAIN_MS, 0);
    } else if (at->state == LOOK_STORING) {
        look_enter(at, LOOK_LOOKING);
    }
    flow_release(flow);
}

static void event_store(struct look *at)
{
    struct store_event event = { .accepted_ms = now_ms(at),
                                 .via = VIA_POLL,
                                 .change = CHANGE_WRITTEN,
                                 .type = "Patient",
                                 .id = "",
                                 .version = "",
                                 .patient = at->current,
                                 .updated_ms = INSTANT_UNSET };

    at->requests_before = at->flow->pace.requests;
    flow_hold(at->flow);
    store_accept(at->flow->store, &event, 1, on_accepted, at);
}

static void in_hand_set(struct look *at, struct look_member *member, bool in_hand)
{
    if (!member || member->in_hand == in_hand) return;
    member->in_hand = in_hand;
    if (in_hand)
        at->in_hand++;
    else
        at->in_hand--;
}

static void look_note(struct look *at, const char *patient)
{
    struct look_member *member = member_of(at, patient);
    char value[32];

    metric_add(at->flow->metrics, METRIC_LOOKS, 1);
    at->ended++;
    if (!member) return;
    in_hand_set(at, member, false);
    member->looked_ms = now_ms(at);
    snprintf(value, sizeof value, "%" PRId64, member->looked_ms);
    setting_set(at, patient, value);
}

/* One that failed is tried again as every visit is; meanwhile the next patient is looked at. */
void look_ended(struct flow *flow, const char *patient, bool done, unsigned commands)
{
    struct look *at = &flow->look;
    bool current = strcmp(patient, at->current) == 0;

    if (at->state == LOOK_IDLE || at->state == LOOK_ENDED) return;
    if (done) {
        if (current && at->state == LOOK_LOOKING) cost_note(at);
        look_note(at, patient);
        budget_check(at);
    } else {
        in_hand_set(at, member_of(at, patient), commands == at->commands);
    }
    if (current && at->state == LOOK_LOOKING) look_enter(at, LOOK_RESTING);
    if (!current && done && at->state == LOOK_RESTING) look_enter(at, LOOK_RESTING);
    begun(at);
}

/* Nobody tells which ones were dropped. One that is still on its way may be asked for twice: that costs
 * no more than a line in the journal. */
void look_on_command(struct flow *flow)
{
    struct look *at = &flow->look;

    at->commands++;
    for (size_t i = 0; i < at->count; i++) in_hand_set(at, &at->members[i], false);
    if (at->state == LOOK_RESTING || at->state == LOOK_LOOKING) look_enter(at, LOOK_RESTING);
}

/* ---- the life of it */

static void look_on_timer(uv_timer_t *timer)
{
    struct look *at = timer->data;

    if (at->state == LOOK_RESTING) choose(at);
    if (at->state == LOOK_LOOKING) look_enter(at, LOOK_RESTING);
}

/* The only writer of at->state. */
static void look_enter(struct look *at, enum look_state next)
{
    if (at->state == LOOK_ENDED) return;
    at->state = next;
    switch (next) {
    case LOOK_IDLE:
        break;
    case LOOK_LOADING:
        uv_timer_stop(&at->timer);
        if (!at->loading) look_enter(at, LOOK_RESTING);
        break;
    case LOOK_RESTING:
        uv_timer_start(&at->timer, look_on_timer, 0, 0);
        break;
    case LOOK_WAITING:
        if (pace_may(at->flow, &at->wait, on_turn, at)) look_enter(at, LOOK_STORING);
        break;
    case LOOK_STORING:
        event_store(at);
        break;
    case LOOK_LOOKING:
        uv_timer_start(&at->timer, look_on_timer, LOOK_PATIENCE_MS, 0);
        break;
    case LOOK_ENDED:
        uv_timer_stop(&at->timer);
        pace_leave(at->flow, &at->wait);
        roster_read_stop(at->flow);
        break;
    }
}

void look_init(struct flow *flow)
{
    flow->look.flow = flow;
    flow_add_timer(flow, &flow->look.timer, &flow->look);
    roster_read_init(flow);
}

void look_done(struct flow *flow)
{
    free(flow->look.members);
}

void look_start(struct flow *flow)
{
    if (!flow->plan.patients) return;
    if (flow->options.cohort)
        roster_read_start(flow);
    else
        log_event(LOG_LEVEL_ERROR, "cohort-list-failed", LOG_FIX,
                  "name the list of patients in poll.cohort", LOG_END);
}

void look_stop(struct flow *flow)
{
    look_enter(&flow->look, LOOK_ENDED);
}

bool look_is_ready(const struct flow *flow)
{
    const struct look *at = &flow->look;

    if (!flow->plan.patients) return true;
    return at->begun;
}
