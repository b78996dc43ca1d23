#include "core/explain.h"

#include <string.h>

#include "core/eval_impl.h"
#include "core/rule_text.h"

static const char *truth_word(enum truth truth)
{
    static const char *const words[] = { "false", "unknown", "true" };
    return words[truth];
}

static const char *clause_word(const struct clause *clause)
{
    static const char *const words[] = {
        [CLAUSE_ALL] = "all of",
        [CLAUSE_ANY] = "any of",
        [CLAUSE_NOT] = "not",
        [CLAUSE_COUNT] = "",
        [CLAUSE_UNLESS] = "unless",
        [CLAUSE_MAYBE] = "perhaps",
        [CLAUSE_DEFINITION] = "",
        [CLAUSE_ORDER] = "order",
        [CLAUSE_RESULT] = "result",
        [CLAUSE_GAP] = "no result",
        [CLAUSE_CONDITION] = "condition",
        [CLAUSE_ALLERGY] = "allergy",
        [CLAUSE_AGE] = "age",
        [CLAUSE_SEX] = "sex",
        [CLAUSE_COURSE] = "course",
        [CLAUSE_CEILING] = "dose above the maximum",
        [CLAUSE_COMPUTABLE] = "not computable",
        [CLAUSE_PROFILE] = "profile",
    };
    if (clause->kind == CLAUSE_ORDER && clause->order.absent) return "no order";
    if (clause->kind == CLAUSE_RESULT && clause->result.baseline) return "baseline";
    if (clause->kind == CLAUSE_COURSE && clause->course.cycle) return "start of a cycle";
    if (clause->kind == CLAUSE_CONDITION && clause->condition.absent) return "no condition";
    if (clause->kind == CLAUSE_DEFINITION) return clause->name;
    return words[clause->kind];
}

static void doubts_write(unsigned doubts, struct buf *out)
{
    static const struct {
        enum doubt doubt;
        const char *word;
    } words[] = {
        { DOUBT_MISSING, "missing" },
        { DOUBT_STALE, "too old" },
        { DOUBT_UNMAPPED, "unmapped" },
        { DOUBT_UNIT, "unit" },
        { DOUBT_COMPARATOR, "comparator" },
        { DOUBT_STATUS, "status" },
        { DOUBT_TIME, "date" },
        { DOUBT_DOSE, "dose" },
        { DOUBT_INPUT, "input" },
        { DOUBT_UNREADABLE, "unreadable" },
        { DOUBT_HISTORY, "too long a history" },
    };
    const char *between = " (";

    if (!doubts) return;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!(doubts & words[i].doubt)) continue;
        buf_printf(out, "%s%s", between, words[i].word);
        between = ", ";
    }
    buf_char(out, ')');
}

static void facts_write(const struct trace *t, struct buf *out)
{
    for (size_t i = 0; i < t->fact_count; i++) {
        const struct source *source = t->facts[i].source;
        buf_printf(out, "%s%s/%s", i ? ", " : " [", source->type, source->id);
        if (source->version[0]) buf_printf(out, " version %s", source->version);
    }
    if (t->fact_count) buf_char(out, ']');
}

static void trace_write(const struct trace *t, unsigned depth, struct buf *out)
{
    buf_printf(out, "%*s%-7s  ", (int)(2 + 2 * depth), "", truth_word(t->answer.truth));
    if (t->clause->kind == CLAUSE_COUNT) buf_printf(out, "at least %u of", t->clause->at_least);
    buf_text(out, clause_word(t->clause));
    if (t->answer.truth == TRUTH_UNKNOWN && !t->part_count) doubts_write(t->answer.doubts, out);
    if (t->text[0]) buf_printf(out, ": %s", t->text);
    facts_write(t, out);
    if (t->assumption[0]) buf_printf(out, " {%s}", t->assumption);
    if (t->change[0]) buf_printf(out, " -- would change with %s", t->change);
    buf_char(out, '\n');
    for (size_t i = 0; i < t->part_count; i++) trace_write(&t->parts[i], depth + 1, out);
}

static const char *consequence(const struct verdict *verdict)
{
    if (verdict->persists) return "the alert lasts";
    if (verdict->lasting.truth == TRUTH_UNKNOWN) return "cannot be told whether the alert lasts";
    if (verdict->answer.truth == TRUTH_UNKNOWN) return "cannot be told";
    if (verdict->answer.truth == TRUTH_FALSE) return "silent";
    if (verdict->rule->checked) return "checked: never an alert";
    if (verdict->rule->mode == RULE_SHADOW) return "shadow: counted, not written";
    if (verdict->display == DISPLAY_SUPPRESSED) return "suppressed: not shown";
    return verdict->merged_into ? "part of a stronger alert" : "alert";
}

static void subjects_write(const struct verdict *verdict, const struct knowledge *knowledge,
                           struct buf *out)
{
    const char *between = "  for ";

    for (int i = 0; i < verdict->rule->bindings; i++) {
        if (verdict->bound[i] == CONCEPT_NONE || verdict->bound[i] == CONCEPT_NOBODY) continue;
        buf_printf(out, "%s%s", between, concept_name(knowledge, verdict->bound[i]));
        between = " + ";
    }
}

static void verdict_write(const struct verdict *verdict, const struct knowledge *knowledge,
                          struct buf *out)
{
    const struct rule *rule = verdict->rule;
    char date[32];

    buf_printf(out, "%s  %s  %s", rule->id, truth_word(verdict->answer.truth),
               consequence(verdict));
    if (verdict->lasting.truth == TRUTH_UNKNOWN) doubts_write(verdict->lasting.doubts, out);
    subjects_write(verdict, knowledge, out);
    if (verdict->merged_into) buf_printf(out, " (%s)", verdict->merged_into->rule->id);
    buf_printf(out, "\n  %s [%s, %s; %s", rule->title, severity_name(rule->severity),
               display_name(verdict->display), rule->grade);
    if (rule->verdict[0]) buf_printf(out, "; %s", rule->verdict);
    buf_text(out, "]\n");
    if (strcmp(rule->grade, "verified") != 0)
        buf_printf(out, "  ! %s\n", rule_grade_words(rule->grade));
    if (verdict->trace) trace_write(verdict->trace, 0, out);
    if (verdict->answer.next_ms != INSTANT_NEVER)
        buf_printf(out, "  may change by itself at %s\n",
                   instant_text(verdict->answer.next_ms, date, sizeof date));
}

void explain_write(const struct evaluation *evaluation, const struct knowledge *knowledge,
                   struct buf *out)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++)
        verdict_write(&evaluation->verdicts[i], knowledge, out);
}
