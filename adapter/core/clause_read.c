#include "core/clause_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/knowledge_impl.h"

bool rule_problem(struct rule_reader *reader, const struct node *at, const char *fix,
                  const char *fmt, ...)
{
    struct err err;
    char what[sizeof err.what];
    unsigned line, column;
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(&err, ERR_CONFIG, "rule.value", "%s", what);
    doc_locate(reader->file->text, reader->file->len, at->offset, &line, &column);
    err_at(&err, "%s:%u:%u", reader->file->name, line, column);
    if (fix && fix[0]) err_fix(&err, "%s", fix);
    err_list_add(reader->problems, &err);
    return false;
}

bool rule_problem_err(struct rule_reader *reader, const struct err *err)
{
    struct err placed = *err;
    unsigned line, column;

    doc_locate(reader->file->text, reader->file->len, err->offset, &line, &column);
    snprintf(placed.where, sizeof placed.where, "%s:%u:%u", reader->file->name, line, column);
    err_list_add(reader->problems, &placed);
    return false;
}

static const char *keep(struct rule_reader *reader, const char *text)
{
    return arena_copy(reader->arena, text, strlen(text));
}

static bool only(struct rule_reader *reader, const struct node *at, const char *const *keys)
{
    struct err err;

    if (node_only(at, keys, &err)) return true;
    return rule_problem_err(reader, &err);
}

/* The text of a required member, NULL after reporting its absence. */
static const char *text_of(struct rule_reader *reader, const struct node *at, const char *key)
{
    struct err err;
    const char *text;

    if (node_string(at, key, &text, &err)) return text;
    rule_problem_err(reader, &err);
    return NULL;
}

static bool has(const struct node *at, const char *key)
{
    return node_get(at, key).value != NULL;
}

bool duration_read(struct rule_reader *reader, const struct node *at, const char *key,
                   struct duration *ret)
{
    struct node value = node_get(at, key);
    const char *text = text_of(reader, at, key);

    if (!text) return false;
    if (duration_parse(text, ret)) return true;
    return rule_problem(reader, &value, "write a number and one of s min h d wk mo a: \"14 d\"",
                        "\"%s\" is not a length of time", text);
}

static bool duration_maybe(struct rule_reader *reader, const struct node *at, const char *key,
                           bool *ret_has, struct duration *ret)
{
    *ret_has = has(at, key);
    return !*ret_has || duration_read(reader, at, key, ret);
}

/* ---- concepts */

static bool word_expand(struct rule_reader *reader, const struct node *at, enum concept_kind kind,
                        struct concept_set *set)
{
    const char *word = node_scalar(at), *near;
    char fix[128] = "";

    if (!node_is(at, DOC_STRING) || !word)
        return rule_problem(reader, at, "", "a name is expected here");
    if (knowledge_expand(reader->knowledge, kind, word, set, &near)) return true;
    if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
    return rule_problem(reader, at, fix, "nothing is known as \"%s\"", word);
}

/* "class:cyp3a4-strong-inducer" reads "any cyp3a4 strong inducer", "class:myeloma-any" and
 * "class:any-dialysis" have their "any" already, "zoledronic-acid" loses its hyphen. */
static void word_say(struct buf *words, const char *word)
{
    static const char any[] = "-any";
    size_t n;

    if (!word) return;
    if (strncmp(word, "class:", 6) == 0) {
        word += 6;
        if (strncmp(word, "any-", 4) != 0) buf_text(words, "any ");
    }
    n = strlen(word);
    if (n > sizeof any && strcmp(word + n - (sizeof any - 1), any) == 0) n -= sizeof any - 1;
    for (size_t i = 0; i < n; i++) buf_char(words, word[i] == '-' ? ' ' : word[i]);
}

/* A member that is one name or a list of names. *ret_words joins them for people. */
static bool words_read(struct rule_reader *reader, const struct node *at, const char *key,
                       enum concept_kind kind, struct concept_set *set, const char **ret_words)
{
    struct node value = node_get(at, key);
    AUTO(buf_done) struct buf words = { 0 };
    bool good = true;

    if (node_is(&value, DOC_STRING)) {
        good = word_expand(reader, &value, kind, set);
        word_say(&words, node_scalar(&value));
    } else if (node_is(&value, DOC_ARRAY) && node_count(&value)) {
        for (size_t i = 0; i < node_count(&value); i++) {
            struct node item = node_item(&value, i);
            good = word_expand(reader, &item, kind, set) && good;
            if (i) buf_text(&words, i + 1 == node_count(&value) ? " or " : ", ");
            word_say(&words, node_scalar(&item));
        }
    } else {
        return rule_problem(reader, &value, "write a name or a list of names",
                            "\"%s\" names nothing", key);
    }
    if (ret_words) *ret_words = keep(reader, buf_string(&words));
    return good;
}

static bool analyte_read(struct rule_reader *reader, const struct node *at, const char *key,
                         unsigned *ret)
{
    struct concept_set set = { 0 };
    const char *words;
    bool good = words_read(reader, at, key, CONCEPT_ANALYTE, &set, &words);
    struct node value = node_get(at, key);

    if (good && set.count != 1)
        good = rule_problem(reader, &value, "", "\"%s\" must name one analyte", key);
    if (good) *ret = set.items[0];
    concept_set_done(&set);
    return good;
}

/* ---- thresholds */

static const char *skip_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(text, word, n) != 0 || (text[n] != ' ' && text[n] != '\0')) return NULL;
    return text + n + (text[n] == ' ');
}

/* A decimal at the start of *text; moves on behind it and the space after it. */
static bool number_take(const char **text, struct decimal *ret)
{
    char number[48];
    size_t n = strcspn(*text, " ");

    if (n == 0 || n >= sizeof number) return false;
    memcpy(number, *text, n);
    number[n] = '\0';
    if (!decimal_parse(number, ret)) return false;
    *text += n + ((*text)[n] == ' ');
    return true;
}

/* "below 1.0 UNIT", "30 to 60 UNIT": everything but the unit, which *ret_rest is left at. */
static bool threshold_parse(const char *text, struct threshold *ret, const char **ret_rest)
{
    static const struct {
        const char *word;
        enum compare compare;
    } words[] = {
        { "below", COMPARE_BELOW },
        { "at most", COMPARE_AT_MOST },
        { "above", COMPARE_ABOVE },
        { "at least", COMPARE_AT_LEAST },
    };
    const char *rest = NULL;

    for (size_t i = 0; !rest && i < ARRAY_SIZE(words); i++) {
        rest = skip_word(text, words[i].word);
        ret->compare = words[i].compare;
    }
    ret->range = !rest;
    if (!rest) rest = text;
    if (!number_take(&rest, &ret->low)) return false;
    if (ret->range) {
        rest = skip_word(rest, "to");
        if (!rest || !number_take(&rest, &ret->high)) return false;
        if (decimal_compare(ret->low, ret->high) > 0) return false;
    }
    *ret_rest = rest;
    return true;
}

#define THRESHOLD_FIX "write \"below N UNIT\", \"at most\", \"above\", \"at least\", or \"N to M UNIT\""

static bool limit_convert(struct rule_reader *reader, const struct node *at, unsigned analyte,
                          const char *unit, struct decimal *limit)
{
    struct interval converted;

    if (analyte_convert(reader->knowledge, analyte, unit, interval_exactly(*limit), &converted) &&
        interval_is_exact(&converted)) {
        *limit = converted.low;
        return true;
    }
    return rule_problem(reader, at, "use a unit of labs/units.csv", "\"%s\" is no unit of %s", unit,
                        concept_name(reader->knowledge, analyte));
}

/* A threshold on an analyte, in any of its units. */
static bool threshold_of(struct rule_reader *reader, const struct node *at, const char *text,
                         unsigned analyte, struct threshold *ret)
{
    const char *unit;

    if (!threshold_parse(text, ret, &unit))
        return rule_problem(reader, at, THRESHOLD_FIX, "\"%s\" is not a threshold", text);
    ret->words = keep(reader, text);
    return limit_convert(reader, at, analyte, unit, &ret->low) &&
           (!ret->range || limit_convert(reader, at, analyte, unit, &ret->high));
}

/* A threshold in one of the units given (ends in NULL); *ret_unit is the one used. */
static bool threshold_in(struct rule_reader *reader, const struct node *at, const char *key,
                         const char *const *units, struct threshold *ret, const char **ret_unit)
{
    struct node value = node_get(at, key);
    const char *text = text_of(reader, at, key), *unit;

    if (!text) return false;
    if (!threshold_parse(text, ret, &unit))
        return rule_problem(reader, &value, THRESHOLD_FIX, "\"%s\" is not a threshold", text);
    ret->words = keep(reader, text);
    for (; *units; units++)
        if (strcmp(unit, *units) == 0) {
            if (ret_unit) *ret_unit = *units;
            return true;
        }
    return rule_problem(reader, &value, "", "\"%s\" is no unit that can stand here", unit);
}

/* ---- orders */

static const char *const dose_units[] = { "mg", "mg/m2", "mg/kg", "[iU]", NULL };

static bool routes_read(struct rule_reader *reader, const struct node *at, uint32_t *ret)
{
    struct node value = node_get(at, "route");
    size_t count = node_is(&value, DOC_ARRAY) ? node_count(&value) : 1;

    for (size_t i = 0; i < count; i++) {
        struct node item = node_is(&value, DOC_ARRAY) ? node_item(&value, i) : value;
        enum drug_route route;
        const char *name = node_scalar(&item);
        if (!name || !drug_route_parse(name, &route))
            return rule_problem(reader, &item, "use a route of codes/routes.csv",
                                "\"%s\" is no route", name ? name : "");
        *ret |= UINT32_C(1) << route;
    }
    return true;
}

static bool lingers_read(struct rule_reader *reader, const struct node *at,
                         struct order_clause *order)
{
    struct node map = node_get(at, "lingers");
    bool good = true;

    if (!node_is(&map, DOC_OBJECT))
        return rule_problem(reader, &map, "write {\"drug\": \"2 d\"}", "\"lingers\" is no object");
    for (size_t i = 0; i < node_count(&map); i++) {
        struct node item = node_member(&map, i);
        struct concept_set set = { 0 };
        const char *near;
        struct duration length = { 0 };
        if (!knowledge_expand(reader->knowledge, CONCEPT_DRUG, item.key, &set, &near))
            good = rule_problem(reader, &item, "", "no drug is known as \"%s\"", item.key);
        else if (!duration_read(reader, &map, item.key, &length))
            good = false;
        for (size_t j = 0; good && j < set.count; j++) {
            if (concept_set_has(&order->linger_drugs, set.items[j])) continue;
            concept_set_add(&order->linger_drugs, set.items[j]);
            size_t at_index = 0;
            while (order->linger_drugs.items[at_index] != set.items[j]) at_index++;
            size_t n = order->linger_drugs.count;
            order->linger = mem_resize(order->linger, n * sizeof *order->linger);
            memmove(order->linger + at_index + 1, order->linger + at_index,
                    (n - 1 - at_index) * sizeof *order->linger);
            order->linger[at_index] = length;
        }
        concept_set_done(&set);
    }
    return good;
}

static bool order_times_read(struct rule_reader *reader, const struct node *at,
                             struct order_clause *order)
{
    bool good = true;

    good &= duration_maybe(reader, at, "startedWithin", &order->has_started_within,
                           &order->started_within);
    good &= duration_maybe(reader, at, "startedBefore", &order->has_started_before,
                           &order->started_before);
    good &= duration_maybe(reader, at, "endedWithin", &order->has_ended_within,
                           &order->ended_within);
    good &= duration_maybe(reader, at, "overlap", &order->has_overlap, &order->overlap);
    return good;
}

static bool order_doses_read(struct rule_reader *reader, const struct node *at,
                             struct order_clause *order)
{
    bool good = true;

    order->has_single = has(at, "single");
    order->has_daily = has(at, "daily");
    if (order->has_single)
        good &= threshold_in(reader, at, "single", dose_units, &order->single, &order->dose_unit);
    if (order->has_daily)
        good &= threshold_in(reader, at, "daily", dose_units, &order->daily, &order->dose_unit);
    return good;
}

static bool wanted_read(struct rule_reader *reader, const struct node *at,
                        struct order_clause *order)
{
    static const char *const names[] = { "active", "held", "active or held",
                                         "planned", "ended", NULL };
    struct err err;
    size_t which = 0;

    if (has(at, "is") && !node_enum(at, "is", names, &which, &err))
        return rule_problem_err(reader, &err);
    order->wanted = (enum order_wanted)which;
    return true;
}

static bool order_options_read(struct rule_reader *reader, const struct node *at,
                               struct order_clause *order)
{
    static const char *const uses[] = { "systemic", "any", NULL };
    static const char *const as[] = { "each", "together", NULL };
    struct err err;
    size_t use = 0, together = 0;
    int64_t at_least = 1;
    bool good = wanted_read(reader, at, order);

    if (has(at, "use") && !node_enum(at, "use", uses, &use, &err))
        good = rule_problem_err(reader, &err);
    if (has(at, "as") && !node_enum(at, "as", as, &together, &err))
        good = rule_problem_err(reader, &err);
    if (has(at, "different") && !node_int(at, "different", 2, 10, &at_least, &err))
        good = rule_problem_err(reader, &err);
    order->any_use = use == 1;
    order->together = together == 1;
    order->at_least = (unsigned)at_least;
    order->continuous = node_true(at, "continuous");
    return good;
}

static bool except_read(struct rule_reader *reader, const struct node *at,
                        struct order_clause *order)
{
    struct concept_set except = { 0 }, left = { 0 };
    bool good = words_read(reader, at, "except", CONCEPT_DRUG, &except, NULL);

    for (size_t i = 0; i < order->drugs.count; i++)
        if (!concept_set_has(&except, order->drugs.items[i]))
            concept_set_add(&left, order->drugs.items[i]);
    concept_set_done(&order->drugs);
    concept_set_done(&except);
    order->drugs = left;
    return good;
}

static bool order_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "order",         "noOrder",     "except",  "is",
                                        "route",         "use",         "single",  "daily",
                                        "continuous",    "startedWithin", "startedBefore",
                                        "endedWithin",   "lingers",     "different", "overlap",
                                        "as",            NULL };
    struct order_clause *order = &ret->order;
    bool good;

    ret->kind = CLAUSE_ORDER;
    order->absent = has(at, "noOrder");
    order->binding = BINDING_NONE;
    good = only(reader, at, keys);
    good &= words_read(reader, at, order->absent ? "noOrder" : "order", CONCEPT_DRUG, &order->drugs,
                       &order->words);
    if (has(at, "except")) good &= except_read(reader, at, order);
    if (has(at, "route")) good &= routes_read(reader, at, &order->routes);
    if (has(at, "lingers")) good &= lingers_read(reader, at, order);
    good &= order_options_read(reader, at, order);
    good &= order_times_read(reader, at, order);
    good &= order_doses_read(reader, at, order);
    if (reader->binding && !order->absent && order->at_least == 1 && !order->together) {
        if (reader->bindings == BINDING_MAX)
            return rule_problem(reader, at, "use \"as\": \"together\"",
                                "more than %d order clauses name a subject", BINDING_MAX);
        order->binding = reader->bindings++;
    }
    return good;
}

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

static bool multiple_read(struct rule_reader *reader, const char *text,
                          struct result_clause *result, bool *ret)
{
    struct threshold multiple;
    const char *rest;

    *ret = threshold_parse(text, &multiple, &rest) && relation_parse(rest, result);
    if (!*ret) return true;
    result->threshold = multiple;
    result->threshold.words = keep(reader, text);
    return true;
}

static bool result_is_read(struct rule_reader *reader, const struct node *at,
                           struct result_clause *result)
{
    struct node value = node_get(at, "is");
    const char *text = text_of(reader, at, "is");
    bool multiple;

    if (!text) return false;
    result->coded = strcmp(text, "positive") == 0 || strcmp(text, "negative") == 0;
    if (result->coded) {
        result->coded_wanted = text[0] == 'p' ? CODED_WANT_POSITIVE : CODED_WANT_NEGATIVE;
        result->threshold.words = keep(reader, text);
        return true;
    }
    if (!multiple_read(reader, text, result, &multiple)) return false;
    if (multiple) return true;
    return threshold_of(reader, &value, text, result->analyte, &result->threshold);
}

/* "rose": "at least 0.5 mg/dL", "since": "baseline" | "previous" | "lowest in 48 h" */
static bool result_change_read(struct rule_reader *reader, const struct node *at, bool rose,
                               struct result_clause *result)
{
    const char *key = rose ? "rose" : "fell";
    struct node value = node_get(at, key), since_node = node_get(at, "since");
    const char *text = text_of(reader, at, key), *since = text_of(reader, at, "since");

    if (!text || !since) return false;
    if (strcmp(since, "baseline") == 0)
        result->relation = rose ? RESULT_RISE_BASELINE : RESULT_FALL_BASELINE;
    else if (strcmp(since, "previous") == 0)
        result->relation = rose ? RESULT_RISE_PREVIOUS : RESULT_FALL_PREVIOUS;
    else if (rose && strncmp(since, "lowest in ", 10) == 0 &&
             duration_parse(since + 10, &result->lowest_in))
        result->relation = RESULT_RISE_LOWEST;
    else
        return rule_problem(reader, &since_node, "use baseline, previous or \"lowest in 48 h\"",
                            "\"%s\" is nothing to compare with", since);
    return threshold_of(reader, &value, text, result->analyte, &result->threshold);
}

static bool result_within_read(struct rule_reader *reader, const struct node *at,
                               struct result_clause *result)
{
    const char *text;

    if (result->baseline) {
        result->any_age = true;
        return true;
    }
    if (!has(at, "within"))
        return rule_problem(reader, at, "add \"within\": \"14 d\", or \"ever\" where age does not matter",
                            "a result clause must say how old the result may be");
    text = node_text(at, "within");
    result->any_age = text && strcmp(text, "ever") == 0;
    return result->any_age || duration_read(reader, at, "within", &result->within);
}

static bool result_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "result", "baseline", "is",     "rose", "fell",
                                        "since",  "within",   "course", NULL };
    struct result_clause *result = &ret->result;
    bool good;

    ret->kind = CLAUSE_RESULT;
    result->baseline = has(at, "baseline");
    good = only(reader, at, keys);
    if (!analyte_read(reader, at, result->baseline ? "baseline" : "result", &result->analyte))
        return false;
    if (has(at, "rose") || has(at, "fell"))
        good &= result_change_read(reader, at, has(at, "rose"), result);
    else
        good &= result_is_read(reader, at, result);
    if (has(at, "course"))
        good &= words_read(reader, at, "course", CONCEPT_DRUG, &result->course, NULL);
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
        good &= only(reader, &item, keys);
        good &= duration_maybe(reader, &item, "until", &limited, &step->until);
        good &= duration_read(reader, &item, "within", &step->within);
        step->last = !limited;
        if (step->last != (i + 1 == gap->step_count))
            good = rule_problem(reader, &item, "the last step, and only it, has no \"until\"",
                                "the schedule does not end");
    }
    return good;
}

static bool gap_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "noResult", "within", "schedule", "due", NULL };
    static const char *const dues[] = { "after window", "at once", NULL };
    struct gap_clause *gap = &ret->gap;
    size_t due = 0;
    struct err err;
    const char *within = node_text(at, "within");
    bool good;

    ret->kind = CLAUSE_GAP;
    good = only(reader, at, keys);
    good &= analyte_read(reader, at, "noResult", &gap->analyte);
    if (has(at, "due") && !node_enum(at, "due", dues, &due, &err))
        good = rule_problem_err(reader, &err);
    gap->at_once = due == 1;
    gap->ever = within && strcmp(within, "ever") == 0;
    if (gap->ever) return good;
    if (has(at, "schedule")) return gap_steps_read(reader, at, gap) && good;
    gap->steps = mem_new(struct gap_step);
    gap->step_count = 1;
    gap->steps[0].last = true;
    return duration_read(reader, at, "within", &gap->steps[0].within) && good;
}

/* ---- conditions, age, sex, course */

static bool condition_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "condition", "noCondition", "is", "within", NULL };
    static const char *const names[] = { "active", "ever", NULL };
    struct condition_clause *condition = &ret->condition;
    size_t ever = 0;
    struct err err;
    bool good;

    ret->kind = CLAUSE_CONDITION;
    condition->absent = has(at, "noCondition");
    good = only(reader, at, keys);
    good &= words_read(reader, at, condition->absent ? "noCondition" : "condition",
                       CONCEPT_CONDITION, &condition->concepts, &condition->words);
    if (has(at, "is") && !node_enum(at, "is", names, &ever, &err))
        good = rule_problem_err(reader, &err);
    condition->ever = ever == 1;
    return duration_maybe(reader, at, "within", &condition->has_within, &condition->within) && good;
}

static bool allergy_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "allergy", NULL };

    ret->kind = CLAUSE_ALLERGY;
    return only(reader, at, keys) &&
           words_read(reader, at, "allergy", CONCEPT_DRUG, &ret->allergy.concepts,
                      &ret->allergy.words);
}

static bool age_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "age", NULL };
    static const char *const units[] = { "a", "years", NULL };

    ret->kind = CLAUSE_AGE;
    return only(reader, at, keys) && threshold_in(reader, at, "age", units, &ret->age, NULL);
}

static bool sex_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "sex", NULL };
    static const char *const names[] = { "female", "male", NULL };
    struct err err;
    size_t which;

    ret->kind = CLAUSE_SEX;
    if (!only(reader, at, keys)) return false;
    if (!node_enum(at, "sex", names, &which, &err)) return rule_problem_err(reader, &err);
    ret->sex = which ? SEX_WANT_MALE : SEX_WANT_FEMALE;
    return true;
}

static bool course_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "course", "is", NULL };
    static const char *const cycle_keys[] = { "cycleStart", "cycle", "within", NULL };
    static const char *const units[] = { "d", NULL };
    struct course_clause *course = &ret->course;
    bool good;

    ret->kind = CLAUSE_COURSE;
    course->cycle = has(at, "cycleStart");
    good = only(reader, at, course->cycle ? cycle_keys : keys);
    good &= words_read(reader, at, course->cycle ? "cycleStart" : "course", CONCEPT_DRUG,
                       &course->drugs, &course->words);
    if (!course->cycle) return threshold_in(reader, at, "is", units, &course->length, NULL) && good;
    good &= duration_read(reader, at, "cycle", &course->cycle_length);
    good &= duration_read(reader, at, "within", &course->cycle_window);
    if (good && course->cycle_length.ms <= 0)
        return rule_problem(reader, at, "give it in days", "a cycle must have a fixed length");
    return good;
}

static bool computable_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "notComputable", "within", NULL };

    ret->kind = CLAUSE_COMPUTABLE;
    return only(reader, at, keys) &&
           analyte_read(reader, at, "notComputable", &ret->computable.measure) &&
           duration_read(reader, at, "within", &ret->computable.within);
}

/* ---- dose ceilings */

/* "10 mg daily", "15 mg every 48 h", "3.5 mg" */
static bool maximum_parse(const char *text, struct ceiling_row *row, char unit[16])
{
    struct duration every = { .ms = 0 };
    const char *rest = text;
    struct decimal amount;
    size_t n;

    if (!number_take(&rest, &amount)) return false;
    n = strcspn(rest, " ");
    if (n == 0 || n >= 16) return false;
    memcpy(unit, rest, n);
    unit[n] = '\0';
    rest += n;
    row->has_single = strcmp(rest, " daily") != 0;
    row->has_daily = rest[0] != '\0';
    row->single = row->daily = amount;
    if (!row->has_daily || !row->has_single) return true;
    if (strncmp(rest, " every ", 7) != 0 || !duration_parse(rest + 7, &every) || every.ms <= 0)
        return false;
    row->daily = decimal_divide(decimal_multiply(amount, decimal_of(INSTANT_DAY)),
                                decimal_of(every.ms));
    return true;
}

static bool ceiling_also_read(struct rule_reader *reader, const struct node *at,
                              struct ceiling_row *row)
{
    struct node also = node_get(at, "and");
    bool binding = reader->binding, good;

    if (!also.value) return true;
    row->also = mem_new(struct clause);
    reader->binding = false;
    good = clause_read(reader, &also, row->also);
    reader->binding = binding;
    return good;
}

static bool ceiling_row_read(struct rule_reader *reader, const struct node *at,
                             struct ceiling_clause *ceiling, struct ceiling_row *row)
{
    static const char *const keys[] = { "when", "and", "max", NULL };
    const char *max = text_of(reader, at, "max");
    struct node when = node_get(at, "when"), max_node = node_get(at, "max");
    char unit[16];
    bool good = only(reader, at, keys);

    if (!max) return false;
    row->has_when = when.value != NULL;
    if (row->has_when && !node_text(at, "when"))
        good = rule_problem(reader, &when, THRESHOLD_FIX, "\"when\" is no text");
    else if (row->has_when)
        good &= threshold_of(reader, &when, node_text(at, "when"), ceiling->measure, &row->when);
    if (!maximum_parse(max, row, unit))
        return rule_problem(reader, &max_node,
                            "write \"10 mg daily\", \"15 mg every 48 h\" or \"3.5 mg\"",
                            "\"%s\" is not a maximum", max);
    if (ceiling->unit && strcmp(ceiling->unit, unit) != 0)
        good = rule_problem(reader, &max_node, "", "one table has one unit of dose");
    if (!ceiling->unit) ceiling->unit = keep(reader, unit);
    row->words = keep(reader, max);
    return ceiling_also_read(reader, at, row) && good;
}

static bool ceiling_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "ceiling", "by", "within", "table", NULL };
    struct ceiling_clause *ceiling = &ret->ceiling;
    struct node table = node_get(at, "table");
    bool good;

    ret->kind = CLAUSE_CEILING;
    good = only(reader, at, keys);
    good &= words_read(reader, at, "ceiling", CONCEPT_DRUG, &ceiling->drugs, NULL);
    good &= duration_read(reader, at, "within", &ceiling->within);
    if (!analyte_read(reader, at, "by", &ceiling->measure)) return false;
    if (!node_is(&table, DOC_ARRAY) || !node_count(&table))
        return rule_problem(reader, at, "", "a ceiling needs a \"table\"");
    ceiling->row_count = node_count(&table);
    ceiling->rows = mem_zero(ceiling->row_count, sizeof *ceiling->rows);
    for (size_t i = 0; i < ceiling->row_count; i++) {
        struct node row = node_item(&table, i);
        good &= ceiling_row_read(reader, &row, ceiling, &ceiling->rows[i]);
    }
    return good;
}

/* ---- the tree */

static bool parts_read(struct rule_reader *reader, const struct node *list, struct clause *ret)
{
    bool good = true;

    if (!node_is(list, DOC_ARRAY) || !node_count(list))
        return rule_problem(reader, list, "write a list of clauses", "clauses are expected here");
    ret->parts = mem_zero(node_count(list), sizeof *ret->parts);
    for (size_t i = 0; i < node_count(list); i++) {
        struct node item = node_item(list, i);
        struct clause *part = &ret->parts[ret->part_count];
        if (clause_read(reader, &item, part))
            ret->part_count++;
        else
            good = false;
    }
    return good;
}

/* A clause inside another that does not name subjects: below any, not, unless ... */
static bool inner_read(struct rule_reader *reader, const struct node *at, const char *key,
                       bool list, struct clause *ret)
{
    struct node value = node_get(at, key);
    bool binding = reader->binding, good;

    reader->binding = false;
    if (list) {
        good = parts_read(reader, &value, ret);
    } else {
        ret->parts = mem_new(struct clause);
        good = clause_read(reader, &value, ret->parts);
        ret->part_count = good ? 1 : 0;
    }
    reader->binding = binding;
    return good;
}

static bool all_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "all", NULL };
    struct node list = node_get(at, "all");

    ret->kind = CLAUSE_ALL;
    return only(reader, at, keys) && parts_read(reader, &list, ret);
}

static bool any_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "any", NULL };

    ret->kind = CLAUSE_ANY;
    return only(reader, at, keys) && inner_read(reader, at, "any", true, ret);
}

static bool not_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "not", NULL };

    ret->kind = CLAUSE_NOT;
    return only(reader, at, keys) && inner_read(reader, at, "not", false, ret);
}

static bool count_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "atLeast", "of", NULL };
    struct err err;
    int64_t at_least;

    ret->kind = CLAUSE_COUNT;
    if (!only(reader, at, keys)) return false;
    if (!node_int(at, "atLeast", 1, 20, &at_least, &err)) return rule_problem_err(reader, &err);
    ret->at_least = (unsigned)at_least;
    return inner_read(reader, at, "of", true, ret);
}

static bool noted_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const unless_keys[] = { "unless", "note", "whenUnknown", NULL };
    static const char *const maybe_keys[] = { "maybe", "note", NULL };
    bool unless = has(at, "unless");
    const char *note;

    ret->note_if_unknown = unless && has(at, "whenUnknown");
    note = text_of(reader, at, ret->note_if_unknown ? "whenUnknown" : "note");
    ret->kind = unless ? CLAUSE_UNLESS : CLAUSE_MAYBE;
    if (!note || !only(reader, at, unless ? unless_keys : maybe_keys)) return false;
    ret->note = keep(reader, note);
    return inner_read(reader, at, unless ? "unless" : "maybe", false, ret);
}

static bool definition_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "definition", NULL };
    struct node value = node_get(at, "definition");
    const char *name = text_of(reader, at, "definition");

    ret->kind = CLAUSE_DEFINITION;
    if (!name || !only(reader, at, keys)) return false;
    ret->definition = knowledge_definition(reader->knowledge, name);
    if (!ret->definition)
        return rule_problem(reader, &value, "define it in definitions.json, above its first use",
                            "nothing is defined as \"%s\"", name);
    ret->name = keep(reader, name);
    return true;
}

bool clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const struct {
        const char *key;
        bool (*read)(struct rule_reader *reader, const struct node *at, struct clause *ret);
    } kinds[] = {
        { "all", all_read },
        { "any", any_read },
        { "not", not_read },
        { "atLeast", count_read },
        { "unless", noted_read },
        { "maybe", noted_read },
        { "definition", definition_read },
        { "order", order_read },
        { "noOrder", order_read },
        { "result", result_read },
        { "baseline", result_read },
        { "noResult", gap_read },
        { "condition", condition_read },
        { "noCondition", condition_read },
        { "allergy", allergy_read },
        { "age", age_read },
        { "sex", sex_read },
        { "course", course_read },
        { "cycleStart", course_read },
        { "ceiling", ceiling_read },
        { "notComputable", computable_read },
    };
    static const char *const names[] = {
        "all",         "any",     "not", "atLeast", "unless", "maybe",      "definition",
        "order",       "noOrder", "result", "baseline", "noResult", "condition", "noCondition",
        "allergy",     "age",     "sex", "course",  "cycleStart", "ceiling", "notComputable", NULL
    };
    char fix[64] = "";
    const char *near = NULL;

    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!has(at, kinds[i].key)) continue;
        if (kinds[i].read(reader, at, ret)) return true;
        clause_done(ret);
        memset(ret, 0, sizeof *ret);
        return false;
    }
    if (node_count(at) && node_is(at, DOC_OBJECT)) near = nearest(node_member(at, 0).key, names);
    if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
    return rule_problem(reader, at, fix, "this is no clause that can be understood");
}
