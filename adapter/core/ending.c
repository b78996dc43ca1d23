#include "core/ending.h"

#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"
#include "core/footing.h"

static const char *join(const struct scene *scene, const char *lead, const char *text,
                        const char *end)
{
    AUTO(buf_done) struct buf out = { 0 };

    buf_printf(&out, "%s%s%s", lead, text, end);
    return arena_copy(scene->arena, buf_string(&out), out.len);
}

/* ---- the clause that ended it */

/* The clause that makes the answer what it is; NULL when none of them says anything. */
static const struct trace *decisive(const struct trace *t)
{
    bool turns = t->clause->kind == CLAUSE_NOT || t->clause->kind == CLAUSE_UNLESS;
    enum truth truth = turns ? truth_not(t->answer.truth) : t->answer.truth;

    for (size_t i = 0; i < t->part_count; i++) {
        const struct trace *part =
            t->parts[i].answer.truth == truth ? decisive(&t->parts[i]) : NULL;
        if (part) return part;
    }
    return t->text[0] ? t : NULL;
}

/* ---- orders that are over */

static bool has_drug(const struct chart_order *order, unsigned drug)
{
    for (size_t i = 0; i < order->ingredient_count; i++)
        if (order->ingredients[i].concept == drug) return true;
    return false;
}

static bool is_implicated(const struct alert *alert, const struct chart_order *order)
{
    for (size_t i = 0; i < alert->implicated_count; i++)
        if (source_is(&order->source, alert->implicated[i])) return true;
    return false;
}

/* An order of the alert for this drug that ended or is on hold; NULL while another one may run. */
static const struct chart_order *over_for(const struct scene *scene, const struct alert *alert,
                                          const char *name)
{
    unsigned drug = knowledge_concept(scene->knowledge, CONCEPT_DRUG, name);
    const struct chart_order *over = NULL;

    for (size_t i = 0; drug != CONCEPT_NONE && i < scene->chart->order_count; i++) {
        const struct chart_order *order = &scene->chart->orders[i];
        enum exposure_state state = order_exposure(order, scene->now_ms).state;
        if (!has_drug(order, drug)) continue;
        if (state == EXPOSURE_ACTIVE || state == EXPOSURE_UNCLEAR) return NULL;
        if (state != EXPOSURE_ENDED && state != EXPOSURE_HELD) continue;
        if (!over && is_implicated(alert, order)) over = order;
    }
    return over;
}

/* Is the subject one of "a,b,c"? */
static bool names_subject(const char *subjects, const char *subject)
{
    size_t n = strlen(subject);

    for (const char *at = subjects; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, subject, n) == 0 && (at[n] == ',' || at[n] == '\0')) return true;
    return false;
}

/* A drug that the identity names is needed; of drugs taken together the last one is. */
static const struct chart_order *order_over(const struct scene *scene, const struct alert *alert)
{
    const char *named = strrchr(alert->identity, '|');
    const struct chart_order *over = NULL;

    for (size_t i = 0; i < alert->subject_count; i++) {
        over = over_for(scene, alert, alert->subjects[i]);
        if (named && named[1]) {
            if (over && names_subject(named + 1, alert->subjects[i])) return over;
        } else if (!over) {
            return NULL;
        }
    }
    return named && named[1] ? NULL : over;
}

static const char *over_words(const struct scene *scene, const struct chart_order *order)
{
    struct exposure at = order_exposure(order, scene->now_ms);
    char date[16];

    if (at.state == EXPOSURE_HELD)
        return join(scene, "The order for ", order->label, " is on hold.");
    if (at.end_ms == INSTANT_UNSET)
        return join(scene, "The order for ", order->label, " has ended.");
    return join(scene, join(scene, "The order for ", order->label, " ended on "),
                instant_date(at.end_ms, date, sizeof date), ".");
}

/* ---- the alert */

/* What is known of an open alert that is no finding now. */
struct ending {
    const struct alert *alert;
    const struct verdict *verdict;   /* NULL: the rule is gone, or off */
    const struct trace *clause;      /* that ended it; NULL: not known */
    const struct chart_order *order; /* that is over, and ended it; NULL: none */
};

static struct ending ending_find(const struct scene *scene, const struct verdict *verdict,
                                 const struct alert *alert)
{
    struct ending ending = { .alert = alert, .verdict = verdict };

    if (ending.verdict && ending.verdict->trace) ending.clause = decisive(ending.verdict->trace);
    if (!ending.clause || ending.clause->clause->kind == CLAUSE_ORDER)
        ending.order = order_over(scene, alert);
    return ending;
}

static bool still_holds(const struct ending *ending)
{
    return ending->verdict &&
           (ending->verdict->answer.truth == TRUTH_TRUE || ending->verdict->persists);
}

/* What would end the alert cannot be told any more, for a reason other than age: it stays until it can,
 * unless its drug is surely over. Where the rule says what ends it, that alone is asked. */
static bool undecided(const struct ending *ending)
{
    const struct verdict *verdict = ending->verdict;

    if (!verdict || verdict->quiet) return false;
    if (verdict->rule->persists) return unknown_but_for_age(verdict->lasting);
    return unknown_but_for_age(verdict->answer) && !ending->order;
}

static const char *why_cleared(const struct scene *scene, const struct ending *ending)
{
    const struct rule *rule = knowledge_rule_named(scene->knowledge, ending->alert->rule);

    if (!rule || rule->mode != RULE_LIVE || rule->checked) return "The rule is no longer in force.";
    if (still_holds(ending) && ending->verdict->merged_into)
        return join(scene, "It is now part of the alert \"",
                    ending->verdict->merged_into->rule->title, "\".");
    if (still_holds(ending)) return "The rule is no longer shown here.";
    if (ending->order) return over_words(scene, ending->order);
    if (!ending->clause) return "What it rested on no longer holds.";
    return join(scene,
                ending->clause->answer.truth == TRUTH_UNKNOWN ? "It can no longer be confirmed: "
                                                              : "It no longer holds: ",
                ending->clause->text, "");
}

static const char *ended_before_words(const struct scene *scene, const struct verdict *verdict)
{
    char date[16];

    return join(scene, "By what is on record now, it had ended on ",
                instant_date(verdict->past.at_ms, date, sizeof date), ".");
}

bool ending_of(const struct scene *scene, const struct verdict *verdict, const struct alert *open,
               struct alert *ret)
{
    struct ending ending = ending_find(scene, verdict, open);
    struct alert ended = *open;
    enum footing footing = footing_of(scene->knowledge, scene->chart, verdict, open);

    ended.state = ALERT_RETRACTED;
    /* The clock may have been set back since. */
    ended.ended_ms = scene->now_ms > open->opened_ms ? scene->now_ms : open->opened_ms;
    if (footing == FOOTING_ERROR) {
        ended.ended_why = open->raised_count ? "A result that raised it was corrected or removed."
                                             : "What raised it was corrected or removed.";
    } else if (footing == FOOTING_ENDED) {
        ended.state = ALERT_CLEARED;
        ended.ended_why = ended_before_words(scene, verdict);
    } else if (!still_holds(&ending) && footing_is_removed(scene->knowledge, scene->chart, open)) {
        ended.ended_why = "A fact it rested on was entered in error or removed.";
    } else if (footing_is_corrected(scene->knowledge, scene->chart, open, ending.clause)) {
        ended.ended_why =
            join(scene, "A result it rested on was corrected: ", ending.clause->text, "");
    } else if (undecided(&ending)) {
        return false;
    } else {
        ended.state = ALERT_CLEARED;
        ended.ended_why = why_cleared(scene, &ending);
        ended.ended_by_order = ending.order && !still_holds(&ending);
    }
    *ret = ended;
    return true;
}
