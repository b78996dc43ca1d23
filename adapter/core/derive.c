/* Computed results: which analytes have a formula, and what the formulas share. */
#include <stdio.h>
#include <string.h>

#include "core/derive_impl.h"
#include "core/eval_impl.h"

unsigned derive_analyte(const struct deriver *deriver, const char *name)
{
    return knowledge_concept(deriver->knowledge, CONCEPT_ANALYTE, name);
}

/* ---- moments */

static bool counts(const struct deriver *deriver, const struct chart_result *result)
{
    if (result->at_ms == INSTANT_UNSET || result->state == RESULT_REMOVED) return false;
    return result->state != RESULT_PRELIMINARY || deriver->policy->preliminary_results;
}

static void moment_take(struct moment *moment, const struct chart_result *result)
{
    bool readable = result->kind == VALUE_QUANTITY;

    if (!moment->found || (readable && !moment->readable)) {
        *moment = (struct moment){ .found = true,
                                   .readable = readable,
                                   .state = result->state,
                                   .at_ms = result->at_ms,
                                   .issued_ms = result->issued_ms,
                                   .value = result->value,
                                   .results = { result },
                                   .result_count = 1 };
        return;
    }
    if (!readable || !result_same_moment(moment->results[0], result)) return;
    moment->value = interval_hull(moment->value, result->value);
    if (result->state == RESULT_PRELIMINARY) moment->state = result->state;
    if (moment->result_count < MOMENT_RESULTS_MAX) moment->results[moment->result_count++] = result;
}

bool moment_next(const struct deriver *deriver, unsigned analyte, size_t *at, struct moment *ret)
{
    const struct chart_result *results;
    size_t count = chart_reported(deriver->chart, analyte, &results);

    *ret = (struct moment){ .found = false };
    for (; *at < count; ++*at) {
        const struct chart_result *one = &results[*at];
        if (!counts(deriver, one)) continue;
        if (ret->found && one->at_ms != ret->at_ms) break;
        moment_take(ret, one);
    }
    return ret->found;
}

struct moment moment_at(const struct deriver *deriver, unsigned analyte, int64_t at_ms)
{
    const struct duration none = { 0, 0 };

    return moment_near(deriver, analyte, at_ms, none, none);
}

struct moment moment_near(const struct deriver *deriver, unsigned analyte, int64_t at_ms,
                          struct duration before, struct duration after)
{
    int64_t first = instant_add(at_ms, before, -1), last = instant_add(at_ms, after, 1);
    struct moment found = { .found = false }, one;
    size_t at = 0;

    while (moment_next(deriver, analyte, &at, &one) && one.at_ms >= first) {
        if (one.at_ms > last) continue;
        if (found.found && found.at_ms - at_ms < at_ms - one.at_ms) break;
        found = one;
        if (one.at_ms <= at_ms) break;
    }
    return found;
}

struct moment moment_ever(const struct deriver *deriver, unsigned analyte, int64_t at_ms)
{
    const struct duration long_ago = { .months = 12 * 1000 };

    return moment_near(deriver, analyte, at_ms, long_ago, long_ago);
}

static bool is_usable(const struct moment *moment, int64_t least)
{
    const struct interval *value = &moment->value;

    if (!moment->readable || (value->low_none && value->high_none)) return false;
    if (!value->low_none && value->low.digits < least) return false;
    return value->high_none || value->high.digits >= least;
}

bool moment_is_positive(const struct moment *moment)
{
    return is_usable(moment, 1);
}

/* ---- one computed result */

static void inputs_add(struct derived *derived, const struct moment *input)
{
    struct derivation *derivation = &derived->derivation;

    for (size_t i = 0; i < input->result_count; i++)
        if (derivation->input_count < DERIVATION_INPUTS_MAX)
            derivation->inputs[derivation->input_count++] = input->results[i];
    if (input->at_ms > derivation->from_ms) derivation->from_ms = input->at_ms;
    if (input->state == RESULT_PRELIMINARY) derived->result.state = RESULT_PRELIMINARY;
}

void derived_lacks(struct derived *derived, enum doubt doubt, const char *lack)
{
    if (derived->derivation.lack) return;
    derived->derivation.lack = lack;
    derived->result.kind = VALUE_UNREADABLE;
    derived->result.doubt = doubt;
    derived->result.shown = "";
}

static void usable_check(struct derived *derived, const struct moment *input)
{
    if (!is_usable(input, 0))
        derived_lacks(derived, DOUBT_INPUT, "a value that went into it cannot be used");
}

struct derived derived_of(const struct moment *main, const char *formula)
{
    struct derived derived = { .result = { .source = main->results[0]->source,
                                           .state = RESULT_FINAL,
                                           .at_ms = main->at_ms,
                                           .issued_ms = main->issued_ms,
                                           .kind = VALUE_QUANTITY,
                                           .shown = "" },
                               .derivation = { .formula = formula, .from_ms = main->at_ms } };

    inputs_add(&derived, main);
    return derived;
}

struct derived derived_start(const struct moment *main, const char *formula)
{
    struct derived derived = derived_of(main, formula);

    usable_check(&derived, main);
    return derived;
}

void derived_input(struct derived *derived, const struct moment *input)
{
    if (!input->found) return;
    inputs_add(derived, input);
    usable_check(derived, input);
}

bool derived_person(const struct deriver *deriver, struct derived *derived)
{
    const struct chart *chart = deriver->chart;
    struct age age;

    if (!age_at(&chart->birth, derived->result.at_ms, &age)) {
        derived_lacks(derived, DOUBT_INPUT, "the birth date is not known");
        return false;
    }
    if (age.oldest >= 140) {
        derived_lacks(derived, DOUBT_INPUT, "the birth date cannot be right");
        return false;
    }
    if (chart->sex != SEX_FEMALE && chart->sex != SEX_MALE) {
        derived_lacks(derived, DOUBT_INPUT, "the sex is not recorded as male or female");
        return false;
    }
    derived->derivation.has_person = true;
    derived->derivation.oldest = age.oldest;
    derived->derivation.youngest = age.youngest;
    derived->derivation.sex = chart->sex;
    return true;
}

/* ---- in words */

/* To one place, bounds of 10^-12 around one number as that number; to three places where it would be
 * a whole number that it is not: 49.996 is below 50. */
static const char *number_text(struct decimal value, char *buf, size_t size)
{
    struct decimal whole = decimal_round(value, 0), rounded = decimal_round(value, 1);

    if (decimal_compare(rounded, whole) == 0 &&
        decimal_compare(decimal_round(value, 9), whole) != 0)
        rounded = decimal_round(value, 3);
    return decimal_text(rounded, buf, size);
}

static const char *shown_of(const struct deriver *deriver, const struct interval *value)
{
    AUTO(buf_done) struct buf text = { 0 };
    char low[64], high[64];

    number_text(value->low, low, sizeof low);
    number_text(value->high, high, sizeof high);
    if (value->low_none)
        buf_printf(&text, "%s %s", value->high_open ? "below" : "at most", high);
    else if (value->high_none)
        buf_printf(&text, "%s %s", value->low_open ? "above" : "at least", low);
    else if (strcmp(low, high) == 0)
        buf_text(&text, low);
    else
        buf_printf(&text, "%s to %s", low, high);
    buf_printf(&text, " %s", analyte_unit(deriver->knowledge, deriver->analyte));
    return arena_copy(&deriver->chart->arena, buf_string(&text), text.len);
}

/* ---- beside what is reported */

bool derive_is_reported(const struct deriver *deriver, int64_t at_ms)
{
    return moment_at(deriver, deriver->analyte, at_ms).readable;
}

static void result_push(struct deriver *deriver, const struct chart_result *result)
{
    if (deriver->count == deriver->room) {
        size_t room = deriver->room ? 2 * deriver->room : 8;
        struct chart_result *more = arena_alloc(&deriver->chart->arena, room * sizeof *more);
        if (deriver->count) memcpy(more, deriver->results, deriver->count * sizeof *more);
        deriver->results = more;
        deriver->room = room;
    }
    deriver->results[deriver->count++] = *result;
}

void derived_keep(struct deriver *deriver, const struct derived *derived)
{
    struct derivation *how = arena_alloc(&deriver->chart->arena, sizeof *how);
    struct chart_result result = derived->result;

    *how = derived->derivation;
    result.derived = how;
    result.analyte = deriver->analyte;
    if (result.kind == VALUE_QUANTITY) result.shown = shown_of(deriver, &result.value);
    result_push(deriver, &result);
}

/* The series: what was computed, and what is reported. */
static void series_keep(struct deriver *deriver, struct chart_series *series)
{
    const struct chart_result *reported;
    size_t count = chart_reported(deriver->chart, deriver->analyte, &reported);

    if (!deriver->count) return;
    for (size_t i = 0; i < count; i++) result_push(deriver, &reported[i]);
    chart_set_series(series, deriver->results, deriver->count);
}

/* What is computed, and of what above all: without that there is nothing. */
static const struct formula {
    const char *analyte;
    derive_fn *derive;
    const char *from[3];
} formulas[] = {
    { "calcium-corrected", derive_calcium, { "calcium" } },
    { "egfr", derive_egfr, { "creatinine" } },
    { "bun", derive_bun, { "urea" } },
    { "neutrophils", derive_anc, { "wbc", "segmented-neutrophils" } },
    { "bsa", derive_bsa, { "weight" } },
    { "qtcf", derive_qtcf, { "qt" } },
    { "qtc", derive_qtc, { "qtcf", "qtcb" } },
    { "crcl", derive_crcl, { "creatinine" } },
    { "hcg", derive_hcg, { "hcg-qual", "hcg-quant", "hcg-mass-or-molar" } },
    { "glucose", derive_glucose, { "glucose-fasting", "glucose-poc" } },
};

void derive_prepare(struct chart *chart, const struct knowledge *knowledge)
{
    _Static_assert(ARRAY_SIZE(formulas) <= CHART_SERIES_MAX, "room for every series");
    chart->knowledge = knowledge;
    chart->series_count = 0;
    for (size_t i = 0; chart->result_count && i < ARRAY_SIZE(formulas); i++) {
        unsigned analyte = knowledge_concept(knowledge, CONCEPT_ANALYTE, formulas[i].analyte);
        if (analyte == CONCEPT_NONE) continue;
        chart->series[chart->series_count++] = (struct chart_series){ analyte, i, false, NULL, 0 };
    }
}

void derive_series(struct chart *chart, struct chart_series *series)
{
    struct deriver deriver = { .chart = chart,
                               .knowledge = chart->knowledge,
                               .policy = knowledge_policy(chart->knowledge),
                               .analyte = series->analyte };

    series->made = true;
    formulas[series->formula].derive(&deriver);
    series_keep(&deriver, series);
}

bool derive_has_source(const struct knowledge *knowledge, unsigned analyte)
{
    for (size_t i = 0; i < ARRAY_SIZE(formulas); i++) {
        if (strcmp(concept_name(knowledge, analyte), formulas[i].analyte) != 0) continue;
        for (size_t k = 0; k < ARRAY_SIZE(formulas[i].from) && formulas[i].from[k]; k++) {
            unsigned from = knowledge_concept(knowledge, CONCEPT_ANALYTE, formulas[i].from[k]);
            if (from != CONCEPT_NONE && concept_is_mapped(knowledge, from)) return true;
        }
    }
    return false;
}
