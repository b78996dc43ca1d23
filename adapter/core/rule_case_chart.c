/* The chart that a case describes: words separated by ", ", see rule_case.h. */
#include <stdio.h>
#include <string.h>

#include "core/knowledge_impl.h"
#include "core/rule_case.h"

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

/* What was ordered: a drug of ours, "unmapped Pillax" or "named Senna"; moves on behind it. */
static bool order_names(struct builder *builder, const char **words, struct chart_order *order,
                        struct chart_ingredient *drug)
{
    drug->concept = drug_take(builder, words);
    if (drug->concept != CONCEPT_NONE) {
        order->ingredients = drug;
        order->ingredient_count = 1;
        order->label = concept_words(builder->knowledge, drug->concept);
        return true;
    }
    order->unmapped = "text only";
    order->other = strncmp(*words, "named ", 6) == 0;
    if (!order->other && strncmp(*words, "unmapped ", 9) != 0) return false;
    *words += strcspn(*words, ",");
    return true;
}

/* What stands between the drug and the first comma, if anything. */
static bool order_dose(struct builder *builder, const char **words, struct chart_order *order,
                       struct chart_ingredient *drug)
{
    char part[96];

    if (!**words || **words == ',') return true;
    if (!part_next(words, part, sizeof part) || !dose_parse(builder, part, &drug->dose))
        return false;
    order->dosage = arena_copy(&builder->chart->arena, part, strlen(part));
    drug->dose.why = "";
    return true;
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
    if (!order_names(builder, &rest, &order, drug) || !order_dose(builder, &rest, &order, drug))
        return not_understood(builder, words);
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
