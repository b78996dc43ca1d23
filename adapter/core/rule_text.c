#include "core/rule_text.h"

#include <string.h>

#include "core/rule_text_impl.h"

/* ---- words */

void duration_say(struct buf *out, struct duration duration)
{
    char text[32];

    buf_text(out, duration_text(duration, text, sizeof text));
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* "Neutrophils, absolute count" as "neutrophils (absolute count)"; "IgA" and "QT interval" keep their
 * capitals. */
static void analyte_say(struct buf *out, const struct knowledge *knowledge, unsigned analyte)
{
    const char *words = concept_words(knowledge, analyte);
    const char *comma = strstr(words, ", ");
    size_t n = 1;

    while (is_lower(words[n])) n++;
    if (words[0] >= 'A' && words[0] <= 'Z' && n > 1 && (!words[n] || strchr(" ,", words[n])))
        buf_char(out, (char)(*words++ - 'A' + 'a'));
    if (!comma) {
        buf_text(out, words);
        return;
    }
    buf_add(out, words, (size_t)(comma - words));
    buf_printf(out, " (%s)", comma + 2);
}

/* ---- results */

static void result_say(struct buf *out, const struct clause *clause,
                       const struct knowledge *knowledge)
{
    const struct result_clause *result = &clause->result;
    bool changed = result->relation >= RESULT_RISE_BASELINE;

    buf_text(out,
             result->baseline ? "the result before the treatment for " : "the newest result for ");
    analyte_say(out, knowledge, result->analyte);
    if (!result->baseline && result->any_age) buf_text(out, ", however old,");
    if (!result->any_age) {
        buf_text(out, ", at most ");
        duration_say(out, result->within);
        buf_text(out, " old,");
    }
    buf_text(out, changed ? " shows " : " is ");
    rule_quantity(result->threshold.words, out);
    if (result->course_words)
        buf_printf(out, " (the baseline is the value before the course of %s)",
                   result->course_words);
}

static void step_say(struct buf *out, const struct gap_clause *gap, size_t at)
{
    const struct gap_step *step = &gap->steps[at];

    if (at) buf_text(out, ", ");
    duration_say(out, step->within);
    if (step->last && !at) return;
    if (step->last) {
        buf_text(out, " (after that)");
        return;
    }
    buf_text(out, " (in the first ");
    duration_say(out, step->until);
    buf_text(out, at ? ")" : " of the course)");
}

static void gap_say(struct buf *out, const struct clause *clause, const struct knowledge *knowledge)
{
    const struct gap_clause *gap = &clause->gap;

    buf_text(out, "no result for ");
    analyte_say(out, knowledge, gap->analyte);
    if (gap->ever) {
        buf_text(out, " has ever been recorded");
        if (gap->dose_days) buf_text(out, " (asked on the days of a dose)");
        return;
    }
    buf_text(out, " within the last ");
    for (size_t i = 0; i < gap->step_count; i++) step_say(out, gap, i);
    buf_text(out, gap->dose_days ? " (asked on the days of a dose; where these are not known, from "
                                   "the order on)"
                  : gap->at_once ? " (due as soon as the drug is ordered)"
                                 : " (due once the course has lasted that long)");
}

/* ---- the patient */

static void condition_say(struct buf *out, const struct clause *clause)
{
    const struct condition_clause *condition = &clause->condition;

    buf_printf(out, "%s %s on record", condition->words, condition->absent ? "is not" : "is");
    buf_text(out, condition->ever ? ", now or in the past" : " as active");
    if (!condition->has_within) return;
    buf_text(out, ", within the last ");
    duration_say(out, condition->within);
}

static void allergy_say(struct buf *out, const struct clause *clause)
{
    buf_printf(out, "an allergy to %s is on record", clause->allergy.words);
}

static void age_say(struct buf *out, const struct clause *clause)
{
    buf_text(out, "the age is ");
    rule_quantity(clause->age.words, out);
}

static void sex_say(struct buf *out, const struct clause *clause)
{
    buf_printf(out, "the patient is %s", clause->sex == SEX_WANT_FEMALE ? "female" : "male");
}

/* "more than 28 days": lengths are not above one another. */
static void length_say(struct buf *out, const char *words)
{
    bool above = strncmp(words, "above ", 6) == 0, below = strncmp(words, "below ", 6) == 0;

    buf_text(out, above ? "more than " : below ? "less than " : "");
    rule_quantity(above || below ? words + 6 : words, out);
}

static void course_say(struct buf *out, const struct clause *clause)
{
    const struct course_clause *course = &clause->course;
    bool day = course->cycle && course->cycle_window.ms == INSTANT_DAY;

    if (!course->cycle) {
        buf_printf(out, "the course of %s has lasted ", course->words);
        length_say(out, course->length.words);
        return;
    }
    buf_text(out, day ? "it is day 1" : "it is within the first ");
    if (!day) duration_say(out, course->cycle_window);
    buf_printf(out, " of a cycle of %s (cycles of ", course->words);
    duration_say(out, course->cycle_length);
    buf_char(out, ')');
}

static void computable_say(struct buf *out, const struct clause *clause,
                           const struct knowledge *knowledge)
{
    analyte_say(out, knowledge, clause->computable.measure);
    buf_text(out, " cannot be computed from results that are at most ");
    duration_say(out, clause->computable.within);
    buf_text(out, " old");
}

static void profile_say(struct buf *out, const struct clause *clause)
{
    buf_printf(out, "the site follows the labels of the %s",
               clause->profile == PROFILE_EU ? "EU" : "US");
}

/* ---- ceilings */

static void ceiling_say(struct buf *out, const struct clause *clause,
                        const struct knowledge *knowledge)
{
    const struct ceiling_clause *ceiling = &clause->ceiling;

    buf_printf(out, "the ordered dose of %s is above its maximum for ", ceiling->words);
    if (ceiling->by_age) {
        buf_text(out, "the age");
    } else {
        analyte_say(out, knowledge, ceiling->measure);
        buf_text(out, ", at most ");
        duration_say(out, ceiling->within);
        buf_text(out, " old");
    }
    if (!ceiling->asked.given) return;
    buf_text(out, " (asked only where that is ");
    rule_quantity(ceiling->asked.limit.words, out);
    buf_char(out, ')');
}

static bool is_nothing(const struct ceiling_row *row)
{
    return (!row->has_single || row->single.digits == 0) &&
           (!row->has_daily || row->daily.digits == 0);
}

void ceiling_row_say(struct buf *out, const struct ceiling_row *row,
                     const struct knowledge *knowledge)
{
    if (row->when.given)
        rule_quantity(row->when.limit.words, out);
    else if (!row->also)
        buf_text(out, "otherwise");
    if (row->also) {
        if (row->when.given) buf_text(out, " and ");
        rule_sentence(row->also, knowledge, out);
    }
    if (is_nothing(row)) {
        buf_text(out, ": none may be given");
        return;
    }
    buf_text(out, ": at most ");
    rule_quantity(row->words, out);
}

/* ---- one clause: what it says by itself, or what stands above its parts */

static bool is_group(const struct clause *clause)
{
    return clause->kind == CLAUSE_ALL || clause->kind == CLAUSE_ANY || clause->kind == CLAUSE_COUNT;
}

/* "unless not X", noted where it cannot be told, is "X, or it cannot be told". */
static bool is_benefit_of_doubt(const struct clause *clause)
{
    return clause->kind == CLAUSE_UNLESS && clause->note_if_unknown &&
           clause->parts->kind == CLAUSE_NOT;
}

const struct clause *clause_listed(const struct clause *clause)
{
    if (is_benefit_of_doubt(clause)) clause = clause->parts;
    if (is_group(clause) || clause->part_count != 1 || !is_group(clause->parts)) return clause;
    return clause->parts;
}

static void group_say(struct buf *out, const struct clause *group)
{
    if (group->kind == CLAUSE_ALL) buf_text(out, "all of these");
    if (group->kind == CLAUSE_ANY) buf_text(out, "one or more of these");
    if (group->kind == CLAUSE_COUNT) buf_printf(out, "at least %u of these", group->at_least);
}

static void not_say(struct buf *out, const struct clause *clause)
{
    const struct clause *group = clause_listed(clause);

    if (group->kind == CLAUSE_ANY) {
        buf_text(out, "none of these");
        return;
    }
    buf_text(out, group == clause ? "it is not so that" : "not ");
    group_say(out, group);
}

static void unless_say(struct buf *out, const struct clause *clause)
{
    bool doubt = is_benefit_of_doubt(clause);

    buf_text(out, doubt ? "it is so, or cannot be told, that" : "unless");
    if (is_group(clause_listed(clause))) buf_char(out, ' ');
    group_say(out, clause_listed(clause));
    buf_printf(out, " (%s, the alert says: “%s”)",
               clause->note_if_unknown ? "where it cannot be told" : "otherwise", clause->note);
}

static void maybe_say(struct buf *out, const struct clause *clause)
{
    buf_printf(out, "whether the rule holds cannot be told (“%s”) where", clause->note);
    if (is_group(clause_listed(clause))) buf_char(out, ' ');
    group_say(out, clause_listed(clause));
}

static void definition_say(struct buf *out, const struct clause *clause)
{
    buf_text(out, "“");
    rule_name(clause->name, out);
    buf_text(out, "” is met");
}

/* One of the two for each kind: with the words that the knowledge has for what it names, or without. */
static const struct {
    void (*say)(struct buf *out, const struct clause *clause);
    void (*say_named)(struct buf *out, const struct clause *clause,
                      const struct knowledge *knowledge);
} heads[] = {
    [CLAUSE_ALL] = { .say = group_say },
    [CLAUSE_ANY] = { .say = group_say },
    [CLAUSE_NOT] = { .say = not_say },
    [CLAUSE_COUNT] = { .say = group_say },
    [CLAUSE_UNLESS] = { .say = unless_say },
    [CLAUSE_MAYBE] = { .say = maybe_say },
    [CLAUSE_DEFINITION] = { .say = definition_say },
    [CLAUSE_ORDER] = { .say_named = order_say },
    [CLAUSE_RESULT] = { .say_named = result_say },
    [CLAUSE_GAP] = { .say_named = gap_say },
    [CLAUSE_CONDITION] = { .say = condition_say },
    [CLAUSE_ALLERGY] = { .say = allergy_say },
    [CLAUSE_AGE] = { .say = age_say },
    [CLAUSE_SEX] = { .say = sex_say },
    [CLAUSE_COURSE] = { .say = course_say },
    [CLAUSE_CEILING] = { .say_named = ceiling_say },
    [CLAUSE_COMPUTABLE] = { .say_named = computable_say },
    [CLAUSE_PROFILE] = { .say = profile_say },
};

_Static_assert(ARRAY_SIZE(heads) == CLAUSE_KINDS, "a kind of clause has no words");

void clause_head_say(struct buf *out, const struct clause *clause,
                     const struct knowledge *knowledge)
{
    if (heads[clause->kind].say)
        heads[clause->kind].say(out, clause);
    else
        heads[clause->kind].say_named(out, clause, knowledge);
}

const char *clause_joint(enum clause_kind kind)
{
    return kind == CLAUSE_ALL ? "; and " : kind == CLAUSE_ANY ? "; or " : "; ";
}

/* ---- in one line */

static void line_say(struct buf *out, const struct clause *clause,
                     const struct knowledge *knowledge, bool inside);

static void line_group(struct buf *out, const struct clause *clause,
                       const struct knowledge *knowledge, bool inside)
{
    bool plain = clause->kind == CLAUSE_ALL || clause->kind == CLAUSE_ANY;
    const struct clause *list = clause_listed(clause);

    if (!plain) {
        clause_head_say(out, clause, knowledge);
        buf_text(out, ": ");
    }
    inside = list->part_count > 1 && (inside || !plain);
    buf_text(out, inside ? "(" : "");
    for (size_t i = 0; i < list->part_count; i++) {
        if (i) buf_text(out, clause_joint(list->kind));
        line_say(out, &list->parts[i], knowledge, list->part_count > 1);
    }
    buf_text(out, inside ? ")" : "");
}

static void line_say(struct buf *out, const struct clause *clause,
                     const struct knowledge *knowledge, bool inside)
{
    if (clause->part_count) {
        line_group(out, clause, knowledge, inside);
        return;
    }
    clause_head_say(out, clause, knowledge);
    if (clause->kind != CLAUSE_CEILING) return;
    for (size_t i = 0; i < clause->ceiling.row_count; i++) {
        buf_text(out, i ? "; " : " (");
        ceiling_row_say(out, &clause->ceiling.rows[i], knowledge);
    }
    buf_char(out, ')');
}

void rule_sentence(const struct clause *clause, const struct knowledge *knowledge, struct buf *out)
{
    line_say(out, clause, knowledge, false);
}
