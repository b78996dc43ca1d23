#include "test.h"

#include "core/eval_impl.h"
#include "core/reconcile.h"
#include "rule_fixture.h"

/* A story: charts one after the other, what was open before each of them coming from the steps
 * before. After each step the actions are told as "kind rule|subjects#episode[: why]; ". */

#define STEPS_MAX 5

struct step {
    int64_t at_ms; /* after NOW */
    const char *orders, *results;
    const char *want;
    void (*change)(struct chart *chart); /* what the words of cases cannot say; NULL: nothing */
    bool other_rules;                    /* the story's second set of rules holds from here on */
};

#define STEP(at, orders, results, want)                                                            \
    {                                                                                              \
        at, orders, results, want, NULL, false                                                     \
    }
#define STEP_BUT(at, orders, results, want, change)                                                \
    {                                                                                              \
        at, orders, results, want, change, false                                                   \
    }
#define STEP_OTHER(at, orders, results, want)                                                      \
    {                                                                                              \
        at, orders, results, want, NULL, true                                                      \
    }

#define LOW_COUNT "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}"
#define HOLD      RULE("hold", "{'all':[{'order':'class:imid'}," LOW_COUNT "]}")
#define LOW_CALCIUM                                                                                \
    RULE("low", "{'all':[{'order':'zoledronic-acid'},{'result':'calcium-corrected',"               \
                "'is':'below 8.4 mg/dL','within':'14 d'}]}")
#define REST                                                                                       \
    "'kind':'dose-hold','title':'T','severity':'high','severityBasis':'b','display':'passive',"    \
    "'code':'LAB','mechanism':'M.','recommendation':'R.','sources':[{'document':'D'}],"            \
    "'verification':{'grade':'verified'},'cases':[{'name':'n','then':'silent'}]"
#define RULE_AND(id, more, when) "{'id':'" id "'," more ",'when':" when "," REST "}"

static void order_gone(struct chart *chart)
{
    chart->order_count = 0;
}

static void result_gone(struct chart *chart)
{
    chart->result_count = 0;
}

/* Platelets below 25 were entered in error. */
static void low_platelets_removed(struct chart *chart)
{
    for (size_t i = 0; i < chart->result_count; i++)
        if (strncmp(chart->results[i].shown, "20 ", 3) == 0)
            chart->results[i].state = RESULT_REMOVED;
}

/* No mapping knows the platelets below 25 any more. */
static void low_platelets_unmapped(struct chart *chart)
{
    size_t kept = 0;

    for (size_t i = 0; i < chart->result_count; i++)
        if (strncmp(chart->results[i].shown, "20 ", 3) != 0)
            chart->results[kept++] = chart->results[i];
    chart->result_count = kept;
}

/* The order on hold was put there two days, or an hour, after NOW; an hour before. */
static void held_in_2_d(struct chart *chart)
{
    chart->orders[0].source.updated_ms = NOW + 2 * DAY;
}

static void held_in_1_h(struct chart *chart)
{
    chart->orders[0].source.updated_ms = NOW + HOUR;
}

static void held_at_once(struct chart *chart)
{
    chart->orders[0].source.updated_ms = NOW;
}

/* The first order is over, and nothing says since when. */
static void first_over(struct chart *chart)
{
    chart->orders[0].state = ORDER_ENDED;
    chart->orders[0].end_ms = INSTANT_UNSET;
}

static void first_over_in_4_d(struct chart *chart)
{
    chart->orders[0].state = ORDER_ENDED;
    chart->orders[0].end_ms = NOW + 4 * DAY;
}

/* A problem without a code: past since four days after NOW, since before. */
static void uncoded_past(struct chart *chart, int64_t since_ms)
{
    const struct chart_condition problem = { .source = { "Condition", "1", "", since_ms },
                                             .state = CONDITION_PAST,
                                             .uncoded = true,
                                             .label = "Something",
                                             .start_ms = INSTANT_UNSET,
                                             .end_ms = INSTANT_NEVER };

    chart_add_condition(chart, &problem);
}

static void uncoded_past_in_4_d(struct chart *chart)
{
    uncoded_past(chart, NOW + 4 * DAY);
}

static void uncoded_past_before(struct chart *chart)
{
    uncoded_past(chart, NOW - DAY);
}

static void first_order_gone(struct chart *chart)
{
    memmove(chart->orders, chart->orders + 1, --chart->order_count * sizeof *chart->orders);
}

/* The order's code means nothing any more. */
static void order_unmapped(struct chart *chart)
{
    chart->orders[0].ingredient_count = 0;
    chart->orders[0].unmapped = "text only";
}

/* The next cycle's order is another resource. */
static void order_renewed(struct chart *chart)
{
    chart->orders[0].source.id = "next";
}

/* A count of its own, not the one before with another value. */
static void result_newer(struct chart *chart)
{
    chart->results[0].source.id = "newer";
}

static const struct story {
    const char *name;
    const char *rules, *other_rules;
    struct step steps[STEPS_MAX];
} stories[] = {
    { "raised once, then nothing changes",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(HOUR, "lenalidomide", "neutrophils 0.5 10*9/L, now", ""),
        STEP(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now", "") } },
    { "other evidence updates it",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_BUT(DAY, "lenalidomide", "neutrophils 0.4 10*9/L, in 1 d",
                 "update hold|lenalidomide#1; ", result_newer) } },
    { "a corrected value that still holds updates it",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 0.6 10*9/L, now",
             "update hold|lenalidomide#1; ") } },
    { "a new order for the same drug is no new alert",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_BUT(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now", "update hold|lenalidomide#1; ",
                 order_renewed) } },
    { "the count recovers",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now; neutrophils 1.5 10*9/L, in 1 d",
             "clear hold|lenalidomide#1: It no longer holds: neutrophils 1.5 10*9/L on 2026-06-16 "
             "(the rule asks: below 1.0 10*9/L, not older than 14 days).; ") } },
    { "a value updated in place is a recovery too, when its date is later",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 1.5 10*9/L, in 1 d",
             "clear hold|lenalidomide#1: It no longer holds: neutrophils 1.5 10*9/L on 2026-06-16 "
             "(the rule asks: below 1.0 10*9/L, not older than 14 days).; ") } },
    { "a correction takes the evidence away",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 5 10*9/L, now",
             "retract hold|lenalidomide#1: A result it rested on was corrected: neutrophils 5 "
             "10*9/L "
             "on 2026-06-15 (the rule asks: below 1.0 10*9/L, not older than 14 days).; ") } },
    { "a correction of what it was computed from takes the evidence away",
      LOW_CALCIUM,
      NULL,
      { STEP(0, "zoledronic-acid", "calcium 7.0 mg/dL, now; albumin 4 g/dL, now",
             "raise low|zoledronic-acid#1; "),
        STEP(DAY, "zoledronic-acid", "calcium 9.0 mg/dL, now; albumin 4 g/dL, now",
             "retract low|zoledronic-acid#1: A result it rested on was corrected: calcium "
             "corrected 9 mg/dL on 2026-06-15 (calcium 9.0 mg/dL on 2026-06-15, albumin 4 g/dL on "
             "2026-06-15; calcium + 0.8 x (4.0 - albumin), at most 7 days apart) (the rule asks: "
             "below 8.4 mg/dL, not older than 14 days).; ") } },
    { "a later calcium is a recovery",
      LOW_CALCIUM,
      NULL,
      { STEP(0, "zoledronic-acid", "calcium 7.0 mg/dL, now; albumin 4 g/dL, now",
             "raise low|zoledronic-acid#1; "),
        STEP(DAY, "zoledronic-acid",
             "calcium 7.0 mg/dL, now; albumin 4 g/dL, now; calcium 9.0 mg/dL, in 1 d",
             "clear low|zoledronic-acid#1: It no longer holds: calcium corrected 9 mg/dL on "
             "2026-06-16 (calcium 9.0 mg/dL on 2026-06-16, albumin 4 g/dL on 2026-06-15; calcium + "
             "0.8 x (4.0 - albumin), at most 7 days apart) (the rule asks: below 8.4 mg/dL, not "
             "older than 14 days).; ") } },
    { "the order is stopped",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, until now, stopped", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1 by order: The order for lenalidomide ended on "
             "2026-06-15.; ") } },
    { "the order is stopped, nobody says when",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide, until in 9 d", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, until in 9 d, stopped", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1 by order: The order for lenalidomide has ended.; ") } },
    { "the order is put on hold",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, held", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1 by order: The order for lenalidomide is on hold.; ") } },
    { "one of two orders for the drug ends: the other one runs on",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide; lenalidomide", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, stopped; lenalidomide", "neutrophils 0.5 10*9/L, now",
             "update hold|lenalidomide#1; ") } },
    { "the order is stopped, and an order that nobody knows runs",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide; unmapped Pill", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, until now; unmapped Pill", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1 by order: The order for lenalidomide ended on "
             "2026-06-15.; ") } },
    { "the count grows too old",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(14 * DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now", ""),
        STEP(14 * DAY + 1, "lenalidomide", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1: It can no longer be confirmed: neutrophils 0.5 10*9/L on "
             "2026-06-15 is too old.; ") } },
    { "after the end a new episode has the next number",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, held", "neutrophils 0.5 10*9/L, now",
             "clear hold|lenalidomide#1 by order: The order for lenalidomide is on hold.; "),
        STEP(2 * DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#2; ") } },

    { "the count was entered in error",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now, removed",
             "retract hold|lenalidomide#1: A fact it rested on was entered in error or "
             "removed.; ") } },
    { "the count is gone",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_BUT(
            DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
            "retract hold|lenalidomide#1: A fact it rested on was entered in error or removed.; ",
            result_gone) } },
    { "the order was entered in error",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, entered in error", "neutrophils 0.5 10*9/L, now",
             "retract hold|lenalidomide#1: A fact it rested on was entered in error or "
             "removed.; ") } },
    { "the order is gone",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_BUT(
            DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
            "retract hold|lenalidomide#1: A fact it rested on was entered in error or removed.; ",
            order_gone) } },
    { "one of two orders is gone and the rule still holds",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide; lenalidomide", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1; "),
        STEP_BUT(DAY, "lenalidomide; lenalidomide", "neutrophils 0.5 10*9/L, now",
                 "update hold|lenalidomide#1; ", first_order_gone) } },
    { "a count before was removed and the last one still holds",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide",
             "neutrophils 0.5 10*9/L, now, removed; neutrophils 0.6 10*9/L, now",
             "update hold|lenalidomide#1; ") } },

    { "the order's status is not known any more: it stays open",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, status unknown", "neutrophils 0.5 10*9/L, now", "") } },
    { "the order's code is not known any more: it stays open",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_BUT(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now", "", order_unmapped) } },
    { "the newest count cannot be read: it stays open until one can",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now; neutrophils unreadable, in 1 d",
             ""),
        STEP(15 * DAY + 1, "lenalidomide",
             "neutrophils 0.5 10*9/L, now; neutrophils unreadable, in 1 d",
             "clear hold|lenalidomide#1: It can no longer be confirmed: neutrophils unreadable on "
             "2026-06-16 is too old.; ") } },

    { "two drugs, two alerts",
      HOLD,
      NULL,
      { STEP(0, "lenalidomide; thalidomide", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1; raise hold|thalidomide#1; "),
        STEP(DAY, "lenalidomide; thalidomide, held", "neutrophils 0.5 10*9/L, now",
             "clear hold|thalidomide#1 by order: The order for thalidomide is on hold.; ") } },
    { "one more drug taken together updates the alert",
      RULE("r", "{'all':[{'order':'lenalidomide'},{'order':'class:nsaid','as':'together'}]}"),
      NULL,
      { STEP(0, "lenalidomide; naproxen", NULL, "raise r|lenalidomide#1; "),
        STEP(DAY, "lenalidomide; naproxen; ibuprofen", NULL, "update r|lenalidomide#1; "),
        STEP(2 * DAY, "lenalidomide; naproxen, until in 3 d; ibuprofen, until in 3 d", NULL, ""),
        STEP(3 * DAY, "lenalidomide; naproxen, until in 3 d; ibuprofen, until in 3 d", NULL,
             "clear r|lenalidomide#1: It no longer holds: No active order for any nsaid.; ") } },
    { "one more of several that are counted updates the alert",
      RULE("r", "{'order':'class:imid','different':2}"),
      NULL,
      { STEP(0, "lenalidomide; thalidomide", NULL, "raise r|#1; "),
        STEP(DAY, "lenalidomide; thalidomide; pomalidomide", NULL, "update r|#1; "),
        STEP(2 * DAY, "lenalidomide; thalidomide, stopped; pomalidomide", NULL, "update r|#1; "),
        STEP(3 * DAY, "lenalidomide; thalidomide, stopped; pomalidomide, stopped", NULL,
             "clear r|#1: It no longer holds: Fewer than 2 different drugs at once of any "
             "imid.; ") } },
    { "an allergy as evidence stands when the drug is stopped",
      RULE("r", "{'all':[{'order':'lenalidomide'},{'not':{'noResult':'hbsag','within':'ever'}}]}"),
      NULL,
      { STEP(0, "lenalidomide", "hbsag positive, now", "raise r|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, held", "hbsag positive, now",
             "clear r|lenalidomide#1 by order: The order for lenalidomide is on hold.; ") } },

    { "the rule is gone",
      HOLD,
      RULE("other", "{'order':'naproxen'}"),
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_OTHER(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
                   "clear hold|lenalidomide#1: The rule is no longer in force.; ") } },
    { "other mappings no longer know the count: that is no deletion",
      HOLD,
      RULE_AND("hold", "'owner':'elsewhere'", "{'all':[{'order':'class:imid'}," LOW_COUNT "]}"),
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_OTHER(DAY, "lenalidomide", NULL,
                   "clear hold|lenalidomide#1: It can no longer be confirmed: no result for "
                   "neutrophils on record.; ") } },
    { "the rule is off",
      HOLD,
      RULE_AND("hold", "'mode':'off'", "{'all':[{'order':'class:imid'}," LOW_COUNT "]}"),
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_OTHER(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
                   "clear hold|lenalidomide#1: The rule is no longer in force.; ") } },
    { "the rule is a shadow",
      HOLD,
      RULE_AND("hold", "'mode':'shadow'", "{'all':[{'order':'class:imid'}," LOW_COUNT "]}"),
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_OTHER(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
                   "clear hold|lenalidomide#1: The rule is no longer in force.; ") } },
    { "another limit in the rule is no correction of the count",
      HOLD,
      RULE("hold", "{'all':[{'order':'class:imid'},{'result':'neutrophils',"
                   "'is':'below 0.4 10*9/L','within':'14 d'}]}"),
      { STEP(0, "lenalidomide", "neutrophils 0.5 10*9/L, now", "raise hold|lenalidomide#1; "),
        STEP_OTHER(
            DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
            "clear hold|lenalidomide#1: It no longer holds: neutrophils 0.5 10*9/L on 2026-06-15 "
            "(the rule asks: below 0.4 10*9/L, not older than 14 days).; ") } },

    { "a stronger finding takes it in, and gives it back",
      RULE_AND("weak", "'yieldsTo':['hold']", LOW_COUNT) "," HOLD,
      NULL,
      { STEP(0, NULL, "neutrophils 0.5 10*9/L, now", "raise weak|#1; "),
        STEP(DAY, "lenalidomide", "neutrophils 0.5 10*9/L, now",
             "raise hold|lenalidomide#1 also weak; "
             "clear weak|#1: It is now part of the alert \"T\".; "),
        STEP(
            2 * DAY, "lenalidomide, held", "neutrophils 0.5 10*9/L, now",
            "clear hold|lenalidomide#1 also weak by order: The order for lenalidomide is on hold.; "
            "raise weak|#2; ") } },

#define HYSTERESIS                                                                                 \
    RULE_AND("r",                                                                                  \
             "'persists':{'all':[{'order':'lenalidomide','is':'active or held'},"                  \
             "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",                    \
             "{'all':[{'order':'lenalidomide'},"                                                   \
             "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'}]}")
#define EITHER_COUNT                                                                               \
    RULE_AND("r",                                                                                  \
             "'persists':{'all':[{'order':'lenalidomide','is':'active or held'},{'any':["          \
             "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'},"                      \
             "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}]}]}",               \
             "{'all':[{'order':'lenalidomide'},{'any':["                                           \
             "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'},"                      \
             "{'result':'neutrophils','is':'below 0.5 10*9/L','within':'14 d'}]}]}")
#define UNDIALYSED                                                                                 \
    RULE_AND("r",                                                                                  \
             "'persists':{'all':[{'order':'lenalidomide'},"                                        \
             "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",                    \
             "{'all':[{'order':'lenalidomide'},{'noCondition':'dialysis'},"                        \
             "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'}]}")
    { "N-15: it lasts until the resume value",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(DAY, "lenalidomide, held", "platelets 20 10*9/L, now", "update r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide, held", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide, held",
             "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d; platelets unreadable, in 9 d",
             ""),
        STEP(10 * DAY, "lenalidomide, held",
             "platelets 20 10*9/L, now; platelets 50 10*9/L, in 10 d",
             "clear r|lenalidomide#1: It no longer holds: platelets 50 10*9/L on 2026-06-25 (the "
             "rule asks: below 50 10*9/L, not older than 14 days).; ") } },
    { "what lasts ends with its order",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide, until in 8 d",
             "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "clear r|lenalidomide#1 by order: The order for lenalidomide ended on "
             "2026-06-23.; ") } },
    { "what lasts is taken back when the result that raised it was never so",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide", "platelets 25 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "retract r|lenalidomide#1: A result that raised it was corrected or removed.; "),
        STEP(10 * DAY, "lenalidomide", "platelets 25 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "") } },
    { "... at once, where the correction alone is there",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(DAY, "lenalidomide", "platelets 40 10*9/L, now",
             "retract r|lenalidomide#1: A result that raised it was corrected or removed.; ") } },
    { "... also when it was entered in error",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP_BUT(9 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
                 "retract r|lenalidomide#1: A result that raised it was corrected or removed.; ",
                 low_platelets_removed) } },
    { "a later result that is corrected does not take back what an earlier one raised",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 22 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; ") } },
    { "what raised it was never so, but a later result was: it lasts",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 60 10*9/L, now; platelets 22 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide",
             "platelets 60 10*9/L, now; platelets 22 10*9/L, in 8 d; platelets 40 10*9/L, in 9 d",
             "update r|lenalidomide#1; ") } },
    { "an easier result that comes late, of a time before the alert, does not take it back",
      HYSTERESIS,
      NULL,
      { STEP(DAY, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(2 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 12 h",
             "update r|lenalidomide#1; "),
        STEP(3 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 12 h",
             "") } },

    { "what a finding that is taken back had taken in is given back at once",
      HYSTERESIS "," RULE_AND("weak", "'yieldsTo':['r']",
                              "{'all':[{'order':'lenalidomide'},{'result':'platelets',"
                              "'is':'below 50 10*9/L','within':'14 d'}]}"),
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1 also weak; "),
        STEP(DAY, "lenalidomide", "platelets 40 10*9/L, now",
             "retract r|lenalidomide#1 also weak: A result that raised it was corrected or "
             "removed.; raise weak|lenalidomide#1; "),
        STEP(2 * DAY, "lenalidomide", "platelets 40 10*9/L, now", "") } },

    { "under other mappings that do not know what raised it, a higher count from before ends "
      "nothing",
      HYSTERESIS,
      HYSTERESIS "," HOLD,
      { STEP(0, "lenalidomide", "platelets 60 10*9/L, 5 d ago; platelets 20 10*9/L, now",
             "raise r|lenalidomide#1; "),
        { 8 * DAY, "lenalidomide",
          "platelets 60 10*9/L, 5 d ago; platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
          "update r|lenalidomide#1; ", low_platelets_unmapped, true } } },
    { "... and one from after it does",
      HYSTERESIS,
      HYSTERESIS "," HOLD,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        { 8 * DAY, "lenalidomide",
          "platelets 20 10*9/L, now; platelets 60 10*9/L, in 5 d; platelets 40 10*9/L, in 8 d",
          "clear r|lenalidomide#1: By what is on record now, it had ended on 2026-06-20.; ",
          low_platelets_unmapped, true } } },
    { "what its rule says ends it ends it, even while its trigger cannot be told",
      RULE_AND("r",
               "'persists':{'all':[{'order':'lenalidomide'},"
               "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",
               "{'all':[{'order':'lenalidomide'},{'any':["
               "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'},"
               "{'result':'neutrophils','is':'below 0.5 10*9/L','within':'14 d'}]}]}"),
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now; neutrophils 2 10*9/L, now",
             "raise r|lenalidomide#1; "),
        STEP(DAY, "lenalidomide",
             "platelets 20 10*9/L, now; neutrophils 2 10*9/L, now; platelets 49.9 10*9/L, in 1 d; "
             "neutrophils unreadable, in 1 d",
             "update r|lenalidomide#1; "),
        STEP(2 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; neutrophils 2 10*9/L, now; platelets 50 10*9/L, in 2 d; "
             "neutrophils unreadable, in 1 d",
             "clear r|lenalidomide#1: It no longer holds: platelets 50 10*9/L on 2026-06-17 (the "
             "rule asks: below 50 10*9/L, not older than 14 days).; ") } },

    /* What the record says of the time before somebody looked. */
    { "nobody saw what raised it: the record knows",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "raise r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d", ""),
        STEP(10 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d; platelets 50 10*9/L, in 10 d",
             "clear r|lenalidomide#1: It no longer holds: platelets 50 10*9/L on 2026-06-25 (the "
             "rule asks: below 50 10*9/L, not older than 14 days).; ") } },
    { "... and that it was never so after all",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "raise r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide", "platelets 25 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "retract r|lenalidomide#1: What raised it was corrected or removed.; "),
        STEP(10 * DAY, "lenalidomide", "platelets 25 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "") } },
    { "... and that it was not low enough",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide", "platelets 25 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "") } },
    { "... and just low enough",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide", "platelets 24.9 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "raise r|lenalidomide#1; ") } },
    { "... and that it ended in between",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets 50 10*9/L, in 4 d; platelets 40 10*9/L, in 8 d",
             "") } },
    { "... and that it did not quite",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets 49.9 10*9/L, in 4 d; platelets 40 10*9/L, in 8 d",
             "raise r|lenalidomide#1; ") } },
    { "... and that it grew too old in between",
      HYSTERESIS,
      NULL,
      { STEP(15 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 15 d",
             "") } },
    { "... and that it was not too old yet",
      HYSTERESIS,
      NULL,
      { STEP(14 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 14 d",
             "raise r|lenalidomide#1; ") } },
    { "a result in between that cannot be read ends nothing",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets unreadable, in 4 d; platelets 40 10*9/L, in 8 d",
             "raise r|lenalidomide#1; ") } },
    { "a count that was not there yet left nothing untold: it had ended before",
      EITHER_COUNT,
      NULL,
      { STEP(
          8 * DAY, "lenalidomide",
          "platelets 20 10*9/L, now; platelets 60 10*9/L, in 4 d; neutrophils 0.8 10*9/L, in 8 d",
          "") } },
    { "... as whoever looked all along has seen",
      EITHER_COUNT,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(4 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 60 10*9/L, in 4 d",
             "clear r|lenalidomide#1: It can no longer be confirmed: no result for neutrophils on "
             "record.; "),
        STEP(
            8 * DAY, "lenalidomide",
            "platelets 20 10*9/L, now; platelets 60 10*9/L, in 4 d; neutrophils 0.8 10*9/L, in 8 d",
            "") } },
    { "what would have ended it comes late",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide", "platelets 20 10*9/L, now", "raise r|lenalidomide#1; "),
        STEP(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "update r|lenalidomide#1; "),
        STEP(9 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets 60 10*9/L, in 4 d; platelets 40 10*9/L, in 8 d",
             "clear r|lenalidomide#1: By what is on record now, it had ended on 2026-06-19.; "),
        STEP(10 * DAY, "lenalidomide",
             "platelets 20 10*9/L, now; platelets 60 10*9/L, in 4 d; platelets 40 10*9/L, in 8 d",
             "") } },
    { "an order on hold ran until it was put there",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide, held",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
                 "raise r|lenalidomide#1; ", held_in_2_d) } },
    { "... for an hour",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide, held",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
                 "raise r|lenalidomide#1; ", held_in_1_h) } },
    { "... and not at all",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide, held",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d", "", held_at_once) } },
    { "... and when that was, nobody knows: it was on hold",
      HYSTERESIS,
      NULL,
      { STEP(8 * DAY, "lenalidomide, held", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 8 d",
             "") } },
    { "the order that followed carries it on",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide; lenalidomide, since in 4 d",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 2 d",
                 "raise r|lenalidomide#1; ", first_over_in_4_d) } },
    { "... but not after a day without one",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide; lenalidomide, since in 5 d",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 2 d", "",
                 first_over_in_4_d) } },
    { "a problem without a code that was there could have been the one that must not be",
      UNDIALYSED,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 3 d",
                 "", uncoded_past_in_4_d) } },
    { "... one that was past before could not",
      UNDIALYSED,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide", "platelets 20 10*9/L, now; platelets 40 10*9/L, in 3 d",
                 "raise r|lenalidomide#1; ", uncoded_past_before) } },
    { "an order that ended nobody knows when raises nothing by the record",
      HYSTERESIS,
      NULL,
      { STEP_BUT(8 * DAY, "lenalidomide; lenalidomide, since in 4 d",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 2 d", "", first_over) } },
    { "... and ends nothing",
      HYSTERESIS,
      NULL,
      { STEP(0, "lenalidomide; lenalidomide, since in 4 d", "platelets 20 10*9/L, now",
             "raise r|lenalidomide#1; "),
        STEP_BUT(8 * DAY, "lenalidomide; lenalidomide, since in 4 d",
                 "platelets 20 10*9/L, now; platelets 40 10*9/L, in 2 d",
                 "update r|lenalidomide#1; ", first_over) } },
};

/* ---- telling a story */

struct teller {
    struct arena arena; /* of the alerts */
    struct alert alerts[16];
    const char *open[16];
    size_t count;
};

/* As the store does it: each alert is written and read again, the newest state counts. */
static void remember(struct teller *teller, const struct alert *alert)
{
    char *text = alert_to_json(alert);
    struct err err;
    size_t at = 0;

    while (at < teller->count && strcmp(teller->alerts[at].key, alert->key) != 0) at++;
    assert_true(at < ARRAY_SIZE(teller->alerts));
    assert_true(alert_from_json(text, strlen(text), &teller->arena, &teller->alerts[at], &err));
    if (at == teller->count) teller->count++;
    free(text);
}

static void action_write(const struct action *action, struct buf *out)
{
    static const char *const kinds[] = { "raise", "update", "clear", "retract" };
    const struct alert *alert = &action->alert;

    buf_printf(out, "%s %s#%" PRId64, kinds[action->kind], strchr(alert->identity, '|') + 1,
               alert->episode);
    for (size_t i = 0; i < alert->also_count; i++) buf_printf(out, " also %s", alert->also[i].rule);
    if (alert->ended_by_order) buf_text(out, " by order");
    if (alert->ended_why[0]) buf_printf(out, ": %s", alert->ended_why);
    buf_text(out, "; ");
}

static void step_play(struct teller *teller, const struct step *step,
                      const struct knowledge *knowledge)
{
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, step->orders, step->results, NULL);
    struct eval_options options = { .open = teller->open };
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    AUTO(buf_done) struct buf got = { 0 };

    if (step->change) step->change(chart);
    for (size_t i = 0; i < teller->count; i++)
        if (teller->alerts[i].state == ALERT_OPEN)
            teller->open[options.open_count++] = teller->alerts[i].identity;
    evaluation = evaluate(knowledge, chart, NOW + step->at_ms, &options);
    plan =
        reconcile(evaluation, knowledge, chart, teller->alerts, teller->count, NOW + step->at_ms);
    for (size_t i = 0; i < plan->action_count; i++) {
        action_write(&plan->actions[i], &got);
        remember(teller, &plan->actions[i].alert);
    }
    assert_string_equal(buf_string(&got), step->want);
}

static void check_story(void **state)
{
    const struct story *story = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(story->rules, NULL);
    AUTO(knowledge_free)
    struct knowledge *other = story->other_rules ? fixture_load(story->other_rules, NULL) : NULL;
    struct teller teller = { .count = 0 };

    for (size_t i = 0; i < STEPS_MAX && story->steps[i].want; i++)
        step_play(&teller, &story->steps[i], story->steps[i].other_rules ? other : knowledge);
    arena_done(&teller.arena);
}

/* ---- the content of an alert */

static const struct evaluation *no_evaluation(void)
{
    static const struct evaluation nothing = { .next_ms = INSTANT_NEVER };

    return &nothing;
}

#define LONG_RULE                                                                                  \
    "{'id':'long','kind':'dose-hold','title':'Count too low','severity':'high',"                   \
    "'severityBasis':'b','display':'interruptive','code':'LAB','mechanism':'It is toxic.',"        \
    "'recommendation':'Interrupt','window':'14 d: x (project choice)',"                            \
    "'sources':[{'document':'LABEL','section':'2.1','revision':'2024-03','url':'https://x'},"      \
    "{'document':'BOOK','date':'2017'}],"                                                          \
    "'verification':{'grade':'uncertain'},'cases':[{'name':'n','then':'silent'}],"                 \
    "'when':{'all':[" LOW_COUNT ",{'order':'class:imid'},"                                         \
    "{'order':'class:nsaid','as':'together'},{'not':{'order':'dexamethasone',"                     \
    "'single':'at least 40 mg'}},{'unless':{'sex':'female'},'note':'Taken for a man.'}]}}"

static void check_content(void **state)
{
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(LONG_RULE, NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, NULL,
        "naproxen 500 mg every 12 h, since 3 d ago; lenalidomide 25 mg daily, since 20 d ago; "
        "dexamethasone 20 mg every 7 d",
        "neutrophils 0.7 10*9/L, 1 d ago; neutrophils 3 10*9/L, in 1 d", NULL);
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, NULL);
    AUTO(plan_free) struct plan *plan = reconcile(evaluation, knowledge, chart, NULL, 0, NOW);
    const struct alert *alert = &plan->actions[0].alert;

    (void)state;
    assert_int_equal(plan->action_count, 1);
    assert_string_equal(
        alert->detail,
        "Count too low. Neutrophils 0.7 10*9/L on 2026-06-14 (the rule asks: below 1.0 10*9/L, not "
        "older than 14 days). Active order: lenalidomide, 25 mg daily, since 2026-05-26. Active "
        "order: naproxen, 500 mg every 12 h, since 2026-06-12. No active order for dexamethasone, "
        "single dose at least 40 mg. What the source directs: Interrupt. Why: It is toxic. How "
        "sure: A result for neutrophils dated in the future (2026-06-16) was not used. Taken for a "
        "man. "
        "How old a result may be is a choice of this project. The rule is uncertain and awaits a "
        "reviewer. Source: LABEL (revision 2024-03), 2.1. BOOK (2017).");
    assert_int_equal(alert->subject_count, 2);
    assert_string_equal(alert->subjects[0], "lenalidomide");
    assert_string_equal(alert->subjects[1], "naproxen");
    assert_int_equal(alert->implicated_count, 2); /* the one that is named first */
    assert_string_equal(alert->implicated[0], "MedicationRequest/2");
    assert_string_equal(alert->implicated[1], "MedicationRequest/1");
    assert_int_equal(alert->evidence_count, 1);
    assert_string_equal(alert->evidence[0], "Observation/4");
    assert_string_equal(alert->source_url, "https://x");
}

#define WEAK_RULE                                                                                  \
    "{'id':'weak','kind':'interaction','title':'Weak','severity':'high','severityBasis':'b',"      \
    "'display':'passive','code':'DRG','mechanism':'It bleeds.',"                                   \
    "'recommendation':'R. Add a PPI.','sources':[{'document':'D'}],"                               \
    "'verification':{'grade':'verified'},'cases':[{'name':'n','then':'silent'}],"                  \
    "'yieldsTo':['strong'],"                                                                       \
    "'when':{'all':[{'order':'class:nsaid'},{'order':'dexamethasone'}]}}"

/* No sentence twice; the newer order of the weaker finding stands behind. */
static void check_merged(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load(WEAK_RULE "," RULE("strong", "{'all':[{'order':'class:nsaid'},"
                                                  "{'order':'naproxen','as':'together'}]}"),
                     NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, NULL, "dexamethasone 20 mg every 7 d, since 1 d ago; naproxen, since 3 d ago",
        NULL, NULL);
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    const struct alert *alert;

    (void)state;
    for (size_t i = 0; i < chart->order_count; i++)
        chart->orders[i].authored_ms = chart->orders[i].start_ms;
    evaluation = evaluate(knowledge, chart, NOW, NULL);
    plan = reconcile(evaluation, knowledge, chart, NULL, 0, NOW);
    assert_int_equal(plan->action_count, 1);
    alert = &plan->actions[0].alert;
    assert_string_equal(
        alert->detail,
        "T. Active order: naproxen, since 2026-06-12. What the source directs: R. Why: M. Also: "
        "Weak. Active order: dexamethasone, 20 mg every 7 d, since 2026-06-14. Add a PPI. How "
        "sure: The rule was checked against retrieved source text. Source: D.");
    assert_int_equal(alert->implicated_count, 2);
    assert_string_equal(alert->implicated[0], "MedicationRequest/2");
    assert_string_equal(alert->implicated[1], "MedicationRequest/1");
}

/* Whoever leaves the cohort has no evaluation: what is open ends. */
static void check_nothing(void **state)
{
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(HOLD, NULL);
    AUTO(chart_free)
    struct chart *chart =
        fixture_chart(knowledge, NULL, "lenalidomide", "neutrophils 0.5 10*9/L, now", NULL);
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, NULL);
    AUTO(plan_free) struct plan *raised = reconcile(evaluation, knowledge, chart, NULL, 0, NOW);
    AUTO(plan_free) struct plan *ended = NULL;

    (void)state;
    assert_int_equal(raised->action_count, 1);
    ended = reconcile(no_evaluation(), knowledge, chart, &raised->actions[0].alert, 1, NOW + 1);
    assert_int_equal(ended->action_count, 1);
    assert_int_equal(ended->actions[0].kind, ACTION_CLEAR);
    assert_string_equal(ended->actions[0].alert.ended_why, "What it rested on no longer holds.");
}

/* What is past without a date has been so since its last change. */
static const struct once_so {
    const char *name;
    int64_t updated_ms; /* of the condition that is past now; the result is of a day before NOW */
    bool raised;
} once_so[] = {
    { "a condition that was past before the result did not raise it", NOW - DAY, false },
    { "... one that was not did", NOW - DAY + 1, true },
    { "... and one that was so nobody knows when was so all along", INSTANT_UNSET, false },
};

static void check_once_so(void **state)
{
    const struct once_so *row = *state;
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load(RULE_AND("r",
                              "'persists':{'all':[{'order':'lenalidomide'},"
                              "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",
                              "{'all':[{'order':'lenalidomide'},{'condition':'dialysis'},"
                              "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}"),
                     NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, "lenalidomide",
                                        "platelets 40 10*9/L, 1 d ago", "dialysis, past");
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    AUTO(plan_free) struct plan *plan = NULL;

    chart->conditions[0].source.updated_ms = row->updated_ms;
    evaluation = evaluate(knowledge, chart, NOW, NULL);
    plan = reconcile(evaluation, knowledge, chart, NULL, 0, NOW);
    assert_int_equal(plan->action_count, row->raised);
    if (row->raised)
        assert_string_equal(plan->actions[0].alert.detail,
                            "T. What raised this alert has eased (it last held on 2026-06-14), but "
                            "what would end it is not reached. Active order: lenalidomide, since "
                            "2026-05-16. Platelets 40 10*9/L on 2026-06-14 (the rule asks: below "
                            "50 10*9/L, not older than 14 days). What the source directs: R. Why: "
                            "M. How sure: The rule was checked against retrieved source text. "
                            "Source: D.");
}

/* ---- more changes than are looked through: told, not taken for silence */

static const struct history {
    const char *name, *rules, *orders, *results;
    unsigned more; /* platelets of 40 after them, a minute apart, the last of them now */
    bool raised, told;
} histories[] = {
    { "what raised it lies 900 changes back", HYSTERESIS, "lenalidomide",
      "platelets 20 10*9/L, 9 d ago", 900, true, true },
    { "what raised it lies more than a thousand changes back", HYSTERESIS, "lenalidomide",
      "platelets 20 10*9/L, 9 d ago", 1100, false, false },
    /* It opens each second day until the count of 1200 days ago is too old: a change a day. */
    { "the end of a stretch is not looked at any more: its beginning says nothing",
      RULE_AND("r",
               "'persists':{'all':[{'order':'lenalidomide'},"
               "{'result':'platelets','is':'below 50 10*9/L','within':'1100 d'}]}",
               "{'all':[{'order':'lenalidomide'},"
               "{'cycleStart':'lenalidomide','cycle':'2 d','within':'1 d'},"
               "{'result':'platelets','is':'below 25 10*9/L','within':'1100 d'}]}"),
      "lenalidomide, since 1300 d ago", "platelets 20 10*9/L, 1200 d ago", 1, false, false },
};

static void platelets_add(struct chart *chart, const struct knowledge *knowledge, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct chart_result result = chart->results[chart->result_count - 1];
        result.source.id = "more";
        result.at_ms = NOW - (int64_t)(count - 1 - i) * 60000;
        result.value = interval_exactly(decimal_of(40));
        result.shown = "40 10*9/L";
        chart_add_result(chart, &result);
    }
    chart_arrange(chart, knowledge);
}

static void check_history(void **state)
{
    const struct history *row = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(row->rules, NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, row->orders, row->results, NULL);
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    AUTO(plan_free) struct plan *plan = NULL;
    const struct verdict *verdict;

    platelets_add(chart, knowledge, row->more);
    evaluation = evaluate(knowledge, chart, NOW, NULL);
    plan = reconcile(evaluation, knowledge, chart, NULL, 0, NOW);
    assert_int_equal(plan->action_count, row->raised);
    assert_int_equal(evaluation->verdict_count, 1);
    verdict = &evaluation->verdicts[0];
    assert_int_equal(verdict->lasting.truth, row->told ? TRUTH_TRUE : TRUTH_UNKNOWN);
    assert_int_equal(verdict->lasting.doubts, row->told ? 0 : DOUBT_HISTORY);
    assert_int_equal(evaluation->unknown, !row->told);
}

/* An allergy is evidence like any other: it stands. */
static void check_allergy(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        RULE("r", "{'all':[{'order':'lenalidomide'},{'allergy':'lenalidomide'}]}"), NULL);
    unsigned drug = knowledge_concept(knowledge, CONCEPT_DRUG, "lenalidomide");
    const struct chart_allergy allergy = { .source = { "AllergyIntolerance", "1", "", 0 },
                                           .drugs = &drug,
                                           .drug_count = 1 };
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, "lenalidomide", NULL, NULL);
    AUTO(chart_free)
    struct chart *held = fixture_chart(knowledge, NULL, "lenalidomide, held", NULL, NULL);
    AUTO(evaluation_free) struct evaluation *one = NULL, *two = NULL;
    AUTO(plan_free) struct plan *raised = NULL, *ended = NULL;

    (void)state;
    chart_add_allergy(chart, &allergy);
    chart_add_allergy(held, &allergy);
    one = evaluate(knowledge, chart, NOW, NULL);
    raised = reconcile(one, knowledge, chart, NULL, 0, NOW);
    two = evaluate(knowledge, held, NOW, NULL);
    ended = reconcile(two, knowledge, held, &raised->actions[0].alert, 1, NOW);
    assert_int_equal(ended->actions[0].kind, ACTION_CLEAR);
    held->allergies[0].removed = true;
    plan_free(TAKE(ended));
    ended = reconcile(two, knowledge, held, &raised->actions[0].alert, 1, NOW);
    assert_int_equal(ended->actions[0].kind, ACTION_RETRACT);
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        { "an alert says everything in sentences", check_content, NULL, NULL, NULL },
        { "a merged finding is told too", check_merged, NULL, NULL, NULL },
        { "without an evaluation what is open ends", check_nothing, NULL, NULL, NULL },
        { "an allergy is evidence that stands or is removed", check_allergy, NULL, NULL, NULL },
    };
    int failed = RUN_TABLE("stories", stories, check_story) +
                 RUN_TABLE("once so", once_so, check_once_so) +
                 RUN_TABLE("history", histories, check_history);

    return failed + cmocka_run_group_tests_name("single", single, NULL, NULL);
}
