/* Reading result clauses and gaps in results. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/clause_read.h"
#include "core/knowledge_impl.h"

/* ---- results */

static bool relation_parse(const char *text, struct result_clause *result)
{
    static const struct {
        const char *word;
        enum result_relation relation;
    } words[] = {
        { "x upper limit", RESULT_TIMES_UPPER },
        { "x baseline", RESULT_TIMES_BASELINE },
        { "x previous", RESULT_TIMES_PREVIOUS },
    };
    static const char lowest[] = "x lowest in ";

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i].word) == 0) {
            result->relation = words[i].relation;
            return true;
        }
    if (strncmp(text, lowest, sizeof lowest - 1) != 0) return false;
    result->relation = RESULT_TIMES_LOWEST;
    return duration_parse(text + sizeof lowest - 1, &result->lowest_in);
}

/* "at least 3 x upper limit": false, and nothing reported, when it is no multiple. */
static bool multiple_read(struct rule_reader *reader, const char *text,
                          struct result_clause *result)
{
    struct threshold multiple = { 0 };
    const char *rest;

    if (!threshold_parse(text, &multiple, &rest) || !relation_parse(rest, result)) return false;
    result->threshold = multiple;
    result->threshold.words = word_keep(reader, text);
    return true;
}

static bool coded_read(struct rule_reader *reader, const struct node *at, const char *text,
                       struct result_clause *result)
{
    result->coded = true;
    result->coded_wanted = text[0] == 'p' ? CODED_WANT_POSITIVE : CODED_WANT_NEGATIVE;
    result->threshold.words = word_keep(reader, text);
    if (analyte_is_coded(reader->knowledge, result->analyte)) return true;
    return rule_problem(reader, at, THRESHOLD_FIX, "%s is a number, never \"%s\"",
                        concept_name(reader->knowledge, result->analyte), text);
}

static bool result_is_read(struct rule_reader *reader, const struct node *at,
                           struct result_clause *result)
{
    struct node value = node_get(at, "is");
    const char *text = key_text(reader, at, "is");

    if (!text) return false;
    if (strcmp(text, "positive") == 0 || strcmp(text, "negative") == 0)
        return coded_read(reader, &value, text, result);
    if (analyte_is_coded(reader->knowledge, result->analyte))
        return rule_problem(reader, &value, "write \"positive\" or \"negative\"", "%s is no number",
                            concept_name(reader->knowledge, result->analyte));
    return multiple_read(reader, text, result) ||
           threshold_of(reader, &value, text, result->analyte, &result->threshold);
}

/* "since": "baseline" | "previous" | "lowest in 48 h" */
static bool since_read(struct rule_reader *reader, const struct node *at, bool rose,
                       const char *since, struct result_clause *result)
{
    if (strcmp(since, "baseline") == 0)
        result->relation = rose ? RESULT_RISE_BASELINE : RESULT_FALL_BASELINE;
    else if (strcmp(since, "previous") == 0)
        result->relation = rose ? RESULT_RISE_PREVIOUS : RESULT_FALL_PREVIOUS;
    else if (rose && strncmp(since, "lowest in ", 10) == 0 &&
             duration_parse(since + 10, &result->lowest_in))
        result->relation = RESULT_RISE_LOWEST;
    else
        return rule_problem(reader, at,
                            rose ? "use baseline, previous or \"lowest in 48 h\""
                                 : "use baseline or previous",
                            "\"%s\" is nothing to compare with", since);
    return true;
}

/* "rose": "at least 0.5 mg/dL", "since": "baseline" */
static bool result_change_read(struct rule_reader *reader, const struct node *at, bool rose,
                               struct result_clause *result)
{
    const char *key = rose ? "rose" : "fell";
    struct node value = node_get(at, key), since_node = node_get(at, "since");
    const char *text = key_text(reader, at, key), *since = key_text(reader, at, "since");
    struct threshold *limit = &result->threshold;
    char words[160];

    if (!text || !since || !since_read(reader, &since_node, rose, since, result)) return false;
    if (!threshold_of(reader, &value, text, result->analyte, limit)) return false;
    if (limit->range || limit->compare == COMPARE_BELOW || limit->compare == COMPARE_AT_MOST)
        return rule_problem(reader, &value, "write \"at least\" or \"above\"",
                            "\"%s\" is no size of a change", text);
    snprintf(words, sizeof words, "a %s of %s since %s%s", rose ? "rise" : "fall", text,
             strncmp(since, "lowest", 6) == 0 ? "the " : "", since);
    limit->words = word_keep(reader, words);
    return true;
}

static bool result_within_read(struct rule_reader *reader, const struct node *at,
                               struct result_clause *result)
{
    const char *text;

    if (result->baseline) {
        result->any_age = true;
        return true;
    }
    if (!key_has(at, "within"))
        return rule_problem(reader, at,
                            "add \"within\": \"14 d\", or \"ever\" where age does not matter",
                            "a result clause must say how old the result may be");
    text = node_text(at, "within");
    result->any_age = text && strcmp(text, "ever") == 0;
    return result->any_age || duration_read(reader, at, "within", &result->within);
}

/* What would be read and then not matter. */
static bool result_keys_check(struct rule_reader *reader, const struct node *at)
{
    bool good = keys_exclude(reader, at, "result", "baseline");

    good &= keys_exclude(reader, at, "is", "rose");
    good &= keys_exclude(reader, at, "is", "fell");
    good &= keys_exclude(reader, at, "rose", "fell");
    good &= keys_exclude(reader, at, "is", "since");
    good &= keys_exclude(reader, at, "baseline", "within");
    good &= keys_exclude(reader, at, "baseline", "since");
    return good;
}

bool result_clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "result", "baseline", "is",     "rose", "fell",
                                        "since",  "within",   "course", NULL };
    struct result_clause *result = &ret->result;
    bool good;

    ret->kind = CLAUSE_RESULT;
    result->baseline = key_has(at, "baseline");
    good = keys_only(reader, at, keys);
    good &= result_keys_check(reader, at);
    if (!analyte_read(reader, at, result->baseline ? "baseline" : "result", &result->analyte))
        return false;
    if (key_has(at, "rose") || key_has(at, "fell"))
        good &= result_change_read(reader, at, key_has(at, "rose"), result);
    else
        good &= result_is_read(reader, at, result);
    if (key_has(at, "course"))
        good &=
            words_read(reader, at, "course", CONCEPT_DRUG, &result->course, &result->course_words);
    return result_within_read(reader, at, result) && good;
}

/* ---- gaps */

static bool gap_steps_read(struct rule_reader *reader, const struct node *at,
                           struct gap_clause *gap)
{
    static const char *const keys[] = { "until", "within", NULL };
    struct node list = node_get(at, "schedule");
    bool good = true;

    gap->step_count = node_count(&list);
    gap->steps = mem_zero(gap->step_count ? gap->step_count : 1, sizeof *gap->steps);
    for (size_t i = 0; i < gap->step_count; i++) {
        struct node item = node_item(&list, i);
        struct gap_step *step = &gap->steps[i];
        bool limited;
        good &= keys_only(reader, &item, keys);
        good &= duration_maybe(reader, &item, "until", &limited, &step->until);
        good &= duration_read(reader, &item, "within", &step->within);
        step->last = !limited;
        if (step->last != (i + 1 == gap->step_count))
            good = rule_problem(reader, &item, "the last step, and only it, has no \"until\"",
                                "the schedule does not end");
    }
    return good;
}

bool gap_clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "noResult", "within", "schedule", "due", NULL };
    static const char *const dues[] = { "after window", "at once", "on dose days", NULL };
    struct gap_clause *gap = &ret->gap;
    size_t due = 0;
    struct err err;
    const char *within = node_text(at, "within");
    bool good;

    ret->kind = CLAUSE_GAP;
    good = keys_only(reader, at, keys);
    good &= keys_exclude(reader, at, "within", "schedule");
    good &= analyte_read(reader, at, "noResult", &gap->analyte);
    if (key_has(at, "due") && !node_enum(at, "due", dues, &due, &err))
        good = rule_problem_err(reader, &err);
    gap->at_once = due > 0;
    gap->dose_days = due == 2;
    gap->ever = within && strcmp(within, "ever") == 0;
    if (gap->ever) return good;
    if (key_has(at, "schedule")) return gap_steps_read(reader, at, gap) && good;
    gap->steps = mem_new(struct gap_step);
    gap->step_count = 1;
    gap->steps[0].last = true;
    return duration_read(reader, at, "within", &gap->steps[0].within) && good;
}
