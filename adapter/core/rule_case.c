#include "core/rule_case.h"

#include <stdio.h>
#include <string.h>

#include "core/eval.h"
#include "core/explain.h"
#include "core/knowledge_impl.h"
#include "core/rule_case_impl.h"

const char *case_outcome_name(enum case_outcome outcome)
{
    static const char *const names[] = { "fires", "silent", "cannot tell", "stays", "yields" };
    return names[outcome];
}

/* ---- reading */

static bool list_read(struct rule_reader *reader, const struct node *at, const char *key,
                      const char ***ret, size_t *ret_count)
{
    struct node list = node_get(at, key);

    if (!list.value) return true;
    if (!node_is(&list, DOC_ARRAY))
        return rule_problem(reader, &list, "", "\"%s\" must be a list", key);
    *ret_count = node_count(&list);
    *ret = arena_alloc(reader->arena, (*ret_count + 1) * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        struct node item = node_item(&list, i);
        const char *text = node_scalar(&item);
        if (!text) return rule_problem(reader, &item, "", "a text is expected here");
        (*ret)[i] = arena_copy(reader->arena, text, strlen(text));
    }
    return true;
}

/* "unmapped": analytes and conditions that no code maps to in this case. */
static bool unmapped_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    struct node list = node_get(at, "unmapped");

    if (!list_read(reader, at, "unmapped", &ret->unmapped, &ret->unmapped_count)) return false;
    for (size_t i = 0; i < ret->unmapped_count; i++) {
        struct node item = node_item(&list, i);
        const char *name = node_scalar(&item);
        if (!name || knowledge_concept(reader->knowledge, CONCEPT_ANALYTE, name) ||
            knowledge_concept(reader->knowledge, CONCEPT_CONDITION, name))
            continue;
        return word_unknown(reader, &item, name,
                            knowledge_near(reader->knowledge,
                                           1u << CONCEPT_ANALYTE | 1u << CONCEPT_CONDITION, name));
    }
    return true;
}

static bool profile_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    struct err err;
    size_t which;

    if (!key_has(at, "profile")) return true;
    if (!node_enum(at, "profile", profile_names, &which, &err))
        return rule_problem_err(reader, &err);
    ret->profile = profile_of_name(which);
    return true;
}

/* What a case, or the "given" of its rule, says; a case replaces what it names itself. */
static bool facts_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    const char *patient = node_text(at, "patient");

    if (patient) ret->patient = arena_copy(reader->arena, patient, strlen(patient));
    return list_read(reader, at, "orders", &ret->orders, &ret->order_count) &&
           list_read(reader, at, "results", &ret->results, &ret->result_count) &&
           list_read(reader, at, "conditions", &ret->conditions, &ret->condition_count) &&
           unmapped_read(reader, at, ret) && profile_read(reader, at, ret);
}

static bool case_read(struct rule_reader *reader, const struct node *at, struct rule_case *ret)
{
    static const char *const keys[] = { "name",       "patient",  "orders",  "results",
                                        "conditions", "unmapped", "profile", "open",
                                        "then",       "display",  NULL };
    static const char *const outcomes[] = { "fires", "silent", "cannot tell",
                                            "stays", "yields", NULL };
    const char *display = node_text(at, "display"), *name;
    struct err err;
    size_t then;

    if (!node_only(at, keys, &err)) return rule_problem_err(reader, &err);
    if (!node_string(at, "name", &name, &err)) return rule_problem_err(reader, &err);
    if (!node_enum(at, "then", outcomes, &then, &err)) return rule_problem_err(reader, &err);
    ret->name = arena_copy(reader->arena, name, strlen(name));
    ret->then = (enum case_outcome)then;
    ret->display = display ? arena_copy(reader->arena, display, strlen(display)) : "";
    if (!list_read(reader, at, "open", &ret->open, &ret->open_count)) return false;
    return facts_read(reader, at, ret);
}

bool rule_cases_read(struct rule_reader *reader, const struct node *rule, struct rule_case **ret,
                     size_t *ret_count)
{
    static const char *const given_keys[] = { "patient",  "orders",  "results", "conditions",
                                              "unmapped", "profile", NULL };
    struct node given = node_get(rule, "given"), list = node_get(rule, "cases");
    struct rule_case base = { .patient = "", .profile = PROFILE_US };
    struct err err;
    bool good = true;

    if (given.value && !node_only(&given, given_keys, &err)) good = rule_problem_err(reader, &err);
    if (given.value) good &= facts_read(reader, &given, &base);
    if (!node_is(&list, DOC_ARRAY) || !node_count(&list))
        return rule_problem(reader, rule, "add cases that fire, stay silent and cannot tell",
                            "a rule needs \"cases\"");
    *ret_count = node_count(&list);
    *ret = arena_alloc(reader->arena, *ret_count * sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        struct node item = node_item(&list, i);
        (*ret)[i] = base;
        rule_locate(reader, &item, &(*ret)[i].line, &(*ret)[i].column);
        good &= case_read(reader, &item, &(*ret)[i]);
    }
    return good;
}

/* ---- building the chart: words separated by ", " */

struct builder {
    const struct knowledge *knowledge;
    struct chart *chart;
    struct err *err;
    unsigned serial; /* ids of the facts made so far */
};

static bool not_understood(struct builder *builder, const char *words)
{
    return err_set(builder->err, ERR_CONFIG, "case.words", "\"%s\" is not understood", words);
}

/* Cut the next part off *text; false at the end. */
static bool part_next(const char **text, char *part, size_t size)
{
    size_t n = strcspn(*text, ",");

    if (!(*text)[0]) return false;
    if (n >= size) n = size - 1;
    memcpy(part, *text, n);
    part[n] = '\0';
    *text += strcspn(*text, ",");
    *text += strspn(*text, ", ");
    return true;
}

static bool time_parse(const char *text, int64_t *ret)
{
    char length[32];
    struct duration duration;
    size_t n = strlen(text);
    int sign = strncmp(text, "in ", 3) == 0 ? 1 : -1;

    *ret = CASE_NOW;
    if (strcmp(text, "now") == 0) return true;
    if (sign > 0) {
        text += 3;
        n -= 3;
    } else {
        if (n < 5 || strcmp(text + n - 4, " ago") != 0) return false;
        n -= 4;
    }
    if (n >= sizeof length) return false;
    memcpy(length, text, n);
    length[n] = '\0';
    if (!duration_parse(length, &duration)) return false;
    *ret = instant_add(CASE_NOW, duration, sign);
    return true;
}

static struct source source_make(struct builder *builder, const char *type)
{
    char id[16];

    snprintf(id, sizeof id, "%u", ++builder->serial);
    return (struct source){ .type = type,
                            .id = arena_copy(&builder->chart->arena, id, strlen(id)),
                            .version = "1",
                            .updated_ms = CASE_NOW };
}

/* The drug that the words begin with; moves on behind its name. */
static unsigned drug_take(struct builder *builder, const char **words)
{
    char name[64];
    size_t n = strcspn(*words, " ,");
    unsigned drug;

    if (n >= sizeof name) return CONCEPT_NONE;
    memcpy(name, *words, n);
    name[n] = '\0';
    drug = knowledge_concept(builder->knowledge, CONCEPT_DRUG, name);
    if (drug != CONCEPT_NONE) *words += n + ((*words)[n] == ' ');
    return drug;
}

#define MONTH_MS (INSTANT_HOUR * 1461 / 2) /* 730.5 h, on average */

/* "25 mg daily", "15 mg every 48 h", "4 mg every 1 mo", "4 mg" */
static bool dose_parse(struct builder *builder, const char *text, struct dose *ret)
{
    char number[32], unit[16], rest[48] = "";
    struct duration every = { .ms = INSTANT_DAY };
    struct decimal amount, length;

    if (sscanf(text, "%31s %15s %47[^\n]", number, unit, rest) < 2) return false;
    if (!decimal_parse(number, &amount)) return false;
    ret->single_known = true;
    ret->single = interval_exactly(amount);
    ret->unit = arena_copy(&builder->chart->arena, unit, strlen(unit));
    if (!rest[0]) return true;
    if (strcmp(rest, "daily") != 0 &&
        (strncmp(rest, "every ", 6) != 0 || !duration_parse(rest + 6, &every)))
        return false;
    length = decimal_of(every.ms + every.months * MONTH_MS);
    if (decimal_compare(length, DECIMAL_ZERO) == 0) return false;
    ret->daily_known = true;
    ret->every = every;
    ret->hours = interval_exactly(decimal_divide(length, decimal_of(INSTANT_HOUR)));
    ret->daily =
        interval_exactly(decimal_divide(decimal_multiply(amount, decimal_of(INSTANT_DAY)), length));
    return true;
}

static bool order_state_part(const char *part, struct chart_order *order)
{
    static const struct {
        const char *words;
        enum order_state state;
    } states[] = {
        { "held", ORDER_HELD },
        { "stopped", ORDER_ENDED },
        { "draft", ORDER_DRAFT },
        { "entered in error", ORDER_REMOVED },
        { "status unknown", ORDER_UNCLEAR },
    };

    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        if (strcmp(part, states[i].words) != 0) continue;
        order->state = states[i].state;
        if (order->state == ORDER_UNCLEAR) order->why = "its status is unknown";
        if (order->state == ORDER_ENDED && order->end_ms == INSTANT_NEVER) order->end_ms = CASE_NOW;
        return true;
    }
    return false;
}

static bool order_part(const char *part, struct chart_order *order, struct chart_ingredient *drug)
{
    if (order_state_part(part, order)) return true;
    if (strncmp(part, "since ", 6) == 0) return time_parse(part + 6, &order->start_ms);
    if (strncmp(part, "until ", 6) == 0) return time_parse(part + 6, &order->end_ms);
    if (strncmp(part, "expired ", 8) == 0) return time_parse(part + 8, &order->expiry_ms);
    if (strcmp(part, "start unknown") == 0) {
        order->start_ms = order->authored_ms = INSTANT_UNSET;
        return true;
    }
    if (strcmp(part, "start to the day") == 0) {
        order->start_ms -= order->start_ms % INSTANT_DAY;
        order->start_span_ms = INSTANT_DAY;
        return true;
    }
    if (strncmp(part, "at ", 3) == 0)
        return order->times.known = day_times_add(&order->times, part + 3);
    if (strcmp(part, "continuous") == 0) return order->continuous = true;
    if (strcmp(part, "a pause in its text") == 0) return order->pause_said = true;
    if (strcmp(part, "as needed") == 0) return order->as_needed = true;
    if (strcmp(part, "local") == 0) {
        drug->use = USE_LOCAL;
        return true;
    }
    if (strcmp(part, "dose unknown") == 0) {
        drug->dose = (struct dose){ .unit = "", .why = "the dosage is free text" };
        return true;
    }
    return drug_route_parse(part, &order->route);
}

static bool order_build(struct builder *builder, const char *words)
{
    struct chart_ingredient *drug = arena_alloc(&builder->chart->arena, sizeof *drug);
    struct chart_order order = { .source = source_make(builder, "MedicationRequest"),
                                 .why = "",
                                 .label = words,
                                 .dosage = "",
                                 .authored_ms = CASE_NOW - 30 * INSTANT_DAY,
                                 .start_ms = CASE_NOW - 30 * INSTANT_DAY,
                                 .end_ms = INSTANT_NEVER,
                                 .expiry_ms = INSTANT_NEVER };
    const char *rest = words;
    char part[96];

    *drug = (struct chart_ingredient){ .dose = { .unit = "", .why = "no dose is stated" } };
    drug->concept = drug_take(builder, &rest);
    if (drug->concept != CONCEPT_NONE) {
        order.ingredients = drug;
        order.ingredient_count = 1;
        order.label = concept_words(builder->knowledge, drug->concept);
    } else if (strncmp(rest, "unmapped ", 9) == 0) {
        order.unmapped = "text only";
        rest += strcspn(rest, ",");
    } else if (strncmp(rest, "named ", 6) == 0) {
        order.unmapped = "text only";
        order.other = true;
        rest += strcspn(rest, ",");
    } else {
        return not_understood(builder, words);
    }
    if (*rest && *rest != ',') {
        if (!part_next(&rest, part, sizeof part) || !dose_parse(builder, part, &drug->dose))
            return not_understood(builder, words);
        order.dosage = arena_copy(&builder->chart->arena, part, strlen(part));
        drug->dose.why = "";
    }
    rest += strspn(rest, ", ");
    while (part_next(&rest, part, sizeof part))
        if (!order_part(part, &order, drug)) return not_understood(builder, words);
    chart_add_order(builder->chart, &order);
    return true;
}

/* "<0.5 10*9/L", "positive", "unreadable" */
static bool value_build(struct builder *builder, const char *text, struct chart_result *result)
{
    size_t sign = strspn(text, "<>=");
    char comparator[4] = "", number[32] = "", unit[48] = "";
    struct decimal amount;
    struct interval sent;

    result->shown = arena_copy(&builder->chart->arena, text, strlen(text));
    if (strcmp(text, "positive") == 0 || strcmp(text, "negative") == 0) {
        result->kind = VALUE_CODED;
        result->coded = text[0] == 'p' ? CODED_POSITIVE : CODED_NEGATIVE;
        return true;
    }
    result->kind = VALUE_UNREADABLE;
    result->doubt = DOUBT_UNREADABLE;
    if (strcmp(text, "unreadable") == 0) return true;
    if (sign > 2) return false;
    memcpy(comparator, text, sign);
    sscanf(text + sign, "%31s %47s", number, unit);
    if (!decimal_parse(number, &amount)) return false;
    sent = interval_from(amount, sign ? comparator : NULL);
    if (analyte_convert(builder->knowledge, result->analyte, unit, sent, &result->value))
        result->kind = VALUE_QUANTITY;
    else
        result->doubt = DOUBT_UNIT;
    return true;
}

static bool result_part(struct builder *builder, const char *part, struct chart_result *result)
{
    char number[32], unit[32];
    struct decimal upper;
    struct interval converted;

    if (strcmp(part, "preliminary") == 0) {
        result->state = RESULT_PRELIMINARY;
    } else if (strcmp(part, "removed") == 0) {
        result->state = RESULT_REMOVED;
    } else if (strcmp(part, "flagged positive") == 0) {
        result->flag = CODED_POSITIVE;
    } else if (strcmp(part, "flagged negative") == 0) {
        result->flag = CODED_NEGATIVE;
    } else if (strcmp(part, "date unknown") == 0) {
        result->at_ms = INSTANT_UNSET;
    } else if (sscanf(part, "upper %31s %31s", number, unit) == 2) {
        if (!decimal_parse(number, &upper) ||
            !analyte_convert(builder->knowledge, result->analyte, unit, interval_exactly(upper),
                             &converted))
            return false;
        result->has_upper = true;
        result->upper = converted.low;
    } else {
        return time_parse(part, &result->at_ms);
    }
    return true;
}

static bool result_build(struct builder *builder, const char *words)
{
    struct chart_result result = { .source = source_make(builder, "Observation"),
                                   .at_ms = CASE_NOW,
                                   .issued_ms = INSTANT_UNSET };
    const char *rest = words;
    char part[96], name[64];
    size_t n;

    if (!part_next(&rest, part, sizeof part)) return not_understood(builder, words);
    n = strcspn(part, " ");
    if (n >= sizeof name || !part[n]) return not_understood(builder, words);
    memcpy(name, part, n);
    name[n] = '\0';
    result.analyte = knowledge_concept(builder->knowledge, CONCEPT_ANALYTE, name);
    if (result.analyte == CONCEPT_NONE || !value_build(builder, part + n + 1, &result))
        return not_understood(builder, words);
    while (part_next(&rest, part, sizeof part))
        if (!result_part(builder, part, &result)) return not_understood(builder, words);
    chart_add_result(builder->chart, &result);
    return true;
}

static bool condition_part(const char *part, struct chart_condition *condition)
{
    if (strcmp(part, "past") == 0)
        condition->state = CONDITION_PAST;
    else if (strcmp(part, "unconfirmed") == 0)
        condition->state = CONDITION_UNCONFIRMED;
    else if (strcmp(part, "removed") == 0)
        condition->state = CONDITION_REMOVED;
    else if (strncmp(part, "since ", 6) == 0)
        return time_parse(part + 6, &condition->start_ms);
    else
        return false;
    return true;
}

static bool condition_build(struct builder *builder, const char *words)
{
    unsigned *concept = arena_alloc(&builder->chart->arena, sizeof *concept);
    struct chart_condition condition = { .source = source_make(builder, "Condition"),
                                         .concepts = concept,
                                         .label = words,
                                         .start_ms = INSTANT_UNSET,
                                         .end_ms = INSTANT_NEVER };
    const char *rest = words;
    char part[96];

    if (!part_next(&rest, part, sizeof part)) return not_understood(builder, words);
    *concept = knowledge_concept(builder->knowledge, CONCEPT_CONDITION, part);
    condition.concept_count = *concept != CONCEPT_NONE;
    condition.uncoded = strncmp(part, "uncoded ", 8) == 0;
    if (!condition.concept_count && !condition.uncoded) return not_understood(builder, words);
    while (part_next(&rest, part, sizeof part))
        if (!condition_part(part, &condition)) return not_understood(builder, words);
    chart_add_condition(builder->chart, &condition);
    return true;
}

/* A body measurement of yesterday. */
static bool measure_build(struct builder *builder, const char *analyte, const char *part)
{
    char words[128];

    snprintf(words, sizeof words, "%s %s, 1 d ago", analyte, part);
    return result_build(builder, words);
}

static bool patient_build(struct builder *builder, const char *words)
{
    struct chart *chart = builder->chart;
    const char *rest = words;
    char part[64], unit[8];
    int years;

    while (part_next(&rest, part, sizeof part)) {
        size_t n = strlen(part);
        if (strcmp(part, "female") == 0) {
            chart->sex = SEX_FEMALE;
        } else if (strcmp(part, "male") == 0) {
            chart->sex = SEX_MALE;
        } else if (sscanf(part, "%d %7s", &years, unit) == 2 && strcmp(unit, "years") == 0) {
            struct duration age = { .months = years * 12 };
            chart->birth.start = instant_add(CASE_NOW - 12 * INSTANT_HOUR, age, -1);
            chart->birth.end = chart->birth.start + INSTANT_DAY;
        } else if (n > 3 && strcmp(part + n - 3, " kg") == 0) {
            if (!measure_build(builder, "weight", part)) return false;
        } else if (n > 3 && strcmp(part + n - 3, " cm") == 0) {
            if (!measure_build(builder, "height", part)) return false;
        } else {
            return not_understood(builder, words);
        }
    }
    return true;
}

static bool facts_build(struct builder *builder, const struct rule_case *at)
{
    if (!patient_build(builder, at->patient)) return false;
    for (size_t i = 0; i < at->order_count; i++)
        if (!order_build(builder, at->orders[i])) return false;
    for (size_t i = 0; i < at->result_count; i++)
        if (!result_build(builder, at->results[i])) return false;
    for (size_t i = 0; i < at->condition_count; i++)
        if (!condition_build(builder, at->conditions[i])) return false;
    return true;
}

bool rule_case_chart(const struct rule_case *at, const struct knowledge *knowledge,
                     struct chart **ret, struct err *err)
{
    AUTO(chart_free) struct chart *chart = chart_new("case");
    struct builder builder = { .knowledge = knowledge, .chart = chart, .err = err };

    if (!facts_build(&builder, at)) return false;
    chart_arrange(chart, knowledge);
    *ret = TAKE(chart);
    return true;
}

/* ---- what the rule says */

static enum case_outcome verdict_outcome(const struct verdict *verdict)
{
    if (verdict->answer.truth == TRUTH_TRUE) return verdict->merged_into ? CASE_YIELDS : CASE_FIRES;
    if (verdict->persists) return CASE_STAYS;
    if (verdict->answer.truth == TRUTH_UNKNOWN || verdict->lasting.truth == TRUTH_UNKNOWN)
        return CASE_CANNOT_TELL;
    return CASE_SILENT;
}

/* What an evaluation says of one rule: the strongest of its verdicts. */
static enum case_outcome outcome_of(const struct evaluation *evaluation, const struct rule *rule,
                                    enum display *ret_display)
{
    static const int strength[] = { [CASE_SILENT] = 0,
                                    [CASE_CANNOT_TELL] = 1,
                                    [CASE_STAYS] = 2,
                                    [CASE_YIELDS] = 3,
                                    [CASE_FIRES] = 4 };
    enum case_outcome outcome = CASE_SILENT;

    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        enum case_outcome one = verdict_outcome(verdict);
        if (verdict->rule != rule || strength[one] < strength[outcome]) continue;
        outcome = one;
        *ret_display = verdict->display;
    }
    return outcome;
}

/* ---- playing */

static struct concept_set unmapped_of(const struct rule_case *at, const struct knowledge *knowledge)
{
    static const enum concept_kind kinds[] = { CONCEPT_ANALYTE, CONCEPT_CONDITION };
    struct concept_set set = { 0 };

    for (size_t i = 0; i < at->unmapped_count; i++)
        for (size_t j = 0; j < ARRAY_SIZE(kinds); j++) {
            unsigned concept = knowledge_concept(knowledge, kinds[j], at->unmapped[i]);
            if (concept != CONCEPT_NONE) concept_set_add(&set, concept);
        }
    return set;
}

/* The alerts that were open: of the rule itself where it can last, and of those the case names. */
static bool open_find(const struct rule_case *at, const struct rule *rule,
                      const struct knowledge *knowledge, const struct chart *chart,
                      struct open_alerts *ret, struct err *err)
{
    if (rule->persists) open_alerts_add(ret, rule, knowledge, chart);
    for (size_t i = 0; i < at->open_count; i++) {
        const struct rule *other = knowledge_rule_named(knowledge, at->open[i]);
        if (!other)
            return err_set(err, ERR_CONFIG, "case.words", "there is no rule \"%s\" to be open",
                           at->open[i]);
        open_alerts_add(ret, other, knowledge, chart);
    }
    return true;
}

bool rule_case_play(const struct rule_case *at, const struct rule *rule,
                    const struct knowledge *knowledge, struct case_said *ret, struct buf *trace,
                    struct err *err)
{
    AUTO(chart_free) struct chart *chart = NULL;
    AUTO(evaluation_free) struct evaluation *evaluation = NULL;
    struct concept_set unmapped = unmapped_of(at, knowledge);
    struct eval_options options = { .suppressed_too = true,
                                    .only = rule,
                                    .trace_all = trace,
                                    .profile = at->profile,
                                    .unmapped = &unmapped };
    struct open_alerts open = { .count = 0 };
    bool built = rule_case_chart(at, knowledge, &chart, err) &&
                 open_find(at, rule, knowledge, chart, &open, err);

    options.open = open.items;
    options.open_count = open.count;
    if (built) evaluation = evaluate(knowledge, chart, CASE_NOW, &options);
    open_alerts_done(&open);
    concept_set_done(&unmapped);
    if (!built) return false;
    ret->display = rule->display;
    ret->outcome = outcome_of(evaluation, rule, &ret->display);
    if (trace) explain_write(evaluation, knowledge, trace);
    return true;
}

bool rule_case_agrees(const struct rule_case *at, const struct case_said *said)
{
    return said->outcome == at->then &&
           (!at->display[0] || strcmp(display_name(said->display), at->display) == 0);
}

bool rule_case_holds(const struct rule_case *at, const struct rule *rule,
                     const struct knowledge *knowledge, struct err *err)
{
    struct case_said said;

    if (!rule_case_play(at, rule, knowledge, &said, NULL, err)) return false;
    if (rule_case_agrees(at, &said)) return true;
    if (said.outcome != at->then)
        return err_set(err, ERR_CONFIG, "case.outcome", "expected \"%s\", the rule says \"%s\"",
                       case_outcome_name(at->then), case_outcome_name(said.outcome));
    return err_set(err, ERR_CONFIG, "case.display", "expected display \"%s\", got \"%s\"",
                   at->display, display_name(said.display));
}
