#include "fhir/poll_plan.h"

#include <string.h>

#define NEEDED_KINDS 3 /* the first of enum capability_kind: without them there is no chart */

static enum poll_manner manner_of(enum poll_by by, const struct capability_poll *offered)
{
    if (offered->history && (by == POLL_BY_HISTORY || !offered->updated)) return POLL_HISTORY;
    return POLL_UPDATED;
}

static bool offers_any(const struct capability *capability)
{
    for (int kind = 0; kind < NEEDED_KINDS; kind++)
        if (!capability->poll[kind].updated && !capability->poll[kind].history) return false;
    return true;
}

static bool offers_history(const struct capability *capability)
{
    for (int kind = 0; kind < NEEDED_KINDS; kind++)
        if (!capability->poll[kind].history) return false;
    return true;
}

static bool offers_updated(const struct capability *capability)
{
    for (int kind = 0; kind < NEEDED_KINDS; kind++)
        if (!capability->poll[kind].updated) return false;
    return true;
}

static const char *lack_of(enum poll_by by, const struct capability *capability)
{
    if (by == POLL_BY_HISTORY && !offers_history(capability))
        return "the server does not list the history of every type that is needed: those are "
               "searched by _lastUpdated";
    if (by == POLL_BY_UPDATED && !offers_updated(capability))
        return "the server does not list this search parameter: the poll may not work; see "
               "poll.by and poll.cohort";
    if (by == POLL_BY_AUTO && !offers_any(capability))
        return "the server lists neither this search parameter nor a history: the poll may not "
               "work; give a list of patients in poll.cohort";
    return NULL;
}

static const char *name_of(const struct poll_plan *plan)
{
    enum poll_manner first = plan->manner[0];

    for (int kind = 1; kind < NEEDED_KINDS; kind++)
        if (plan->manner[kind] != first) return "mixed";
    return first == POLL_HISTORY ? "history" : "updated";
}

void poll_plan_make(enum poll_by by, bool cohort, const struct capability *capability,
                    struct poll_plan *ret)
{
    *ret = (struct poll_plan){ .name = "patient" };
    ret->patients =
        by == POLL_BY_PATIENT || (by == POLL_BY_AUTO && cohort && !offers_any(capability));
    if (ret->patients) return;
    for (int kind = 0; kind < CAPABILITY_KINDS; kind++) {
        const struct capability_poll *offered = &capability->poll[kind];
        ret->manner[kind] = by == POLL_BY_UPDATED ? POLL_UPDATED : manner_of(by, offered);
        ret->deletions[kind] = ret->manner[kind] == POLL_UPDATED && offered->history;
    }
    ret->name = name_of(ret);
    ret->lack = lack_of(by, capability);
}
