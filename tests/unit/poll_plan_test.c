#include "test.h"

#include <string.h>

#include "fhir/poll_plan.h"

/* What a server offers for orders, results, conditions, procedures, allergies, patients: u search
 * by _lastUpdated, h history, b both, - neither. The plan in the same order: u, h, d (search with
 * the deletions beside it); "patients" when no type is polled. */
static const struct plan_case {
    const char *name;
    enum poll_by by;
    bool cohort;
    const char *offers, *plan;
    bool lacks;
} cases[] = {
    { "where all is searched by time, it is searched", POLL_BY_AUTO, false, "uuuuuu", "uuuuuu",
      false },
    { "where there is a history too, it is asked for deletions", POLL_BY_AUTO, false, "bbbbbb",
      "dddddd", false },
    { "only of the types that have one", POLL_BY_AUTO, false, "bubuuu", "duduuu", false },
    { "where there is only a history, that is read", POLL_BY_AUTO, false, "hhhhhh", "hhhhhh",
      false },
    { "each type in its own manner", POLL_BY_AUTO, false, "uhbuuu", "uhduuu", false },
    { "one needed type with neither, and a list of patients: one by one", POLL_BY_AUTO, true,
      "u-uuuu", "patients", false },
    { "one needed type with neither, and no list: it is tried, and said", POLL_BY_AUTO, false,
      "u-uuuu", "uuuuuu", true },
    { "a type that is not needed may have neither", POLL_BY_AUTO, true, "uuu-uu", "uuuuuu", false },
    { "a list alone does not make it one by one", POLL_BY_AUTO, true, "uuuuuu", "uuuuuu", false },
    { "a server that offers nothing, one by one", POLL_BY_AUTO, true, "------", "patients", false },
    { "one by one where it is asked for", POLL_BY_PATIENT, true, "bbbbbb", "patients", false },
    { "history where it is asked for", POLL_BY_HISTORY, false, "bbbbbb", "hhhhhh", false },
    { "history is asked for and one type has none", POLL_BY_HISTORY, false, "bubbbb", "huhhhh",
      true },
    { "history of a type that is not needed may be lacking", POLL_BY_HISTORY, false, "bbbuuu",
      "hhhuuu", false },
    { "search where it is asked for, though it is not listed", POLL_BY_UPDATED, true, "hhhhhh",
      "dddddd", true },
    { "search where it is asked for", POLL_BY_UPDATED, true, "uuuuuu", "uuuuuu", false },
};

static const char *text_of(const struct poll_plan *plan, char ret[CAPABILITY_KINDS + 1])
{
    if (plan->patients) return "patients";
    for (int i = 0; i < CAPABILITY_KINDS; i++)
        ret[i] = plan->manner[i] == POLL_HISTORY   ? 'h'
                 : plan->manner[i] != POLL_UPDATED ? '?'
                 : plan->deletions[i]              ? 'd'
                                                   : 'u';
    ret[CAPABILITY_KINDS] = '\0';
    return ret;
}

static void check(void **state)
{
    const struct plan_case *c = *state;
    struct capability capability = { .release = FHIR_R4 };
    struct poll_plan plan;
    char text[CAPABILITY_KINDS + 1];

    for (int i = 0; i < CAPABILITY_KINDS; i++) {
        capability.poll[i].updated = strchr("ub", c->offers[i]) != NULL;
        capability.poll[i].history = strchr("hb", c->offers[i]) != NULL;
    }
    poll_plan_make(c->by, c->cohort, &capability, &plan);
    assert_string_equal(text_of(&plan, text), c->plan);
    assert_int_equal(plan.lack != NULL, c->lacks);
}

int main(void)
{
    return RUN_TABLE("poll plan", cases, check);
}
