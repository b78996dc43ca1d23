/* Creatinine clearance by Cockcroft and Gault. */
#include "base/buf.h"
#include "core/body.h"
#include "core/eval_impl.h"

/* ---- the formula */

static struct decimal ideal_weight(bool female, struct decimal cm)
{
    struct decimal inches = decimal_divide(cm, (struct decimal){ 254, -2 });
    struct decimal over = decimal_subtract(inches, decimal_of(60));

    return decimal_add(female ? (struct decimal){ 455, -1 } : decimal_of(50),
                       decimal_multiply((struct decimal){ 23, -1 }, over));
}

/* BMI >= 30  <=>  kg x 10000 >= 30 x cm x cm */
static bool is_obese(struct decimal kg, struct decimal cm)
{
    struct decimal bound = decimal_multiply(decimal_of(30), decimal_multiply(cm, cm));

    return decimal_compare(decimal_multiply(kg, decimal_of(10000)), bound) >= 0;
}

static struct decimal weight_used(enum clearance_weight choice, bool female, struct decimal kg,
                                  struct decimal cm, const char **ret_weight)
{
    struct decimal ideal;

    *ret_weight = "actual weight";
    if (choice == CLEARANCE_ACTUAL) return kg;
    if (!cm.digits) *ret_weight = "actual weight, height not known";
    if (!cm.digits || (choice == CLEARANCE_BY_BMI && !is_obese(kg, cm))) return kg;
    ideal = ideal_weight(female, cm);
    if (decimal_compare(kg, ideal) <= 0) return kg;
    *ret_weight = "ideal weight";
    if (choice == CLEARANCE_IDEAL) return ideal;
    *ret_weight = "adjusted weight";
    return decimal_add(ideal,
                       decimal_multiply((struct decimal){ 4, -1 }, decimal_subtract(kg, ideal)));
}

struct decimal cockcroft_gault(enum clearance_weight choice, int age_years, bool female,
                               struct decimal kg, struct decimal cm, struct decimal scr_mg_dl,
                               const char **ret_weight, struct decimal *ret_kg)
{
    struct decimal result;

    *ret_kg = weight_used(choice, female, kg, cm, ret_weight);
    result = decimal_multiply(decimal_of(140 - age_years), *ret_kg);
    if (female) result = decimal_multiply(result, (struct decimal){ 85, -2 });
    return decimal_divide(result, decimal_multiply(decimal_of(72), scr_mg_dl));
}

/* ---- what goes into it */

struct crcl_inputs {
    struct measure creatinine, weight, height;
    struct age age;
    bool female;
    struct decimal kg, cm; /* cm 0: not known */
    enum clearance_weight choice;
    const char *used; /* "adjusted weight" */
    struct decimal used_kg;
};

static bool is_usable(const struct measure *at, bool (*is_plausible)(const struct interval *))
{
    return at->known == TRUTH_TRUE && interval_is_exact(&at->value) && is_plausible(&at->value);
}

/* Why it cannot be computed, and what would help; what is NULL when it can. */
struct lack {
    const char *what, *why;
};

static struct lack weight_lack(const struct measure *weight)
{
    if (weight->doubts & DOUBT_STALE) return (struct lack){ weight->text, weight->why };
    if (!is_usable(weight, body_weight_is_plausible))
        return (struct lack){ "no usable weight on record", "a weight in kg" };
    return (struct lack){ NULL, NULL };
}

static struct lack person_lack(const struct eval *eval, struct age *ret)
{
    if (!age_of(eval, ret)) return (struct lack){ "the birth date is not known", "a birth date" };
    if (ret->oldest >= 140)
        return (struct lack){ "the birth date cannot be right", "another birth date" };
    if (eval->chart->sex != SEX_FEMALE && eval->chart->sex != SEX_MALE)
        return (struct lack){ "the sex is not recorded as male or female", "a recorded sex" };
    return (struct lack){ NULL, NULL };
}

static struct lack lack_of(const struct eval *eval, struct crcl_inputs *in)
{
    const struct interval *scr = &in->creatinine.value;
    struct lack lack;

    if (in->creatinine.known != TRUTH_TRUE)
        return (struct lack){ in->creatinine.text, in->creatinine.why };
    if (scr->high_none ? scr->low_none : scr->high.digits <= 0)
        return (struct lack){ "the creatinine value is not usable",
                              "another result for creatinine" };
    lack = weight_lack(&in->weight);
    return lack.what ? lack : person_lack(eval, &in->age);
}

static void inputs_collect(struct eval *eval, const struct duration *within, struct crcl_inputs *in)
{
    const struct policy *policy = knowledge_policy(eval->knowledge);

    in->creatinine = measure_result(eval, eval->analytes.creatinine, within);
    in->weight = measure_result(eval, eval->analytes.weight, &policy->weight_within);
    in->height = measure_result(eval, eval->analytes.height, NULL); /* adults keep theirs */
    in->female = eval->chart->sex == SEX_FEMALE;
    in->choice = policy->clearance_weight;
    in->kg = in->weight.value.low;
    if (is_usable(&in->height, body_height_is_plausible)) in->cm = in->height.value.low;
}

/* ---- the value */

static struct decimal clearance(struct crcl_inputs *in, int age, struct decimal scr)
{
    return cockcroft_gault(in->choice, age, in->female, in->kg, in->cm, scr, &in->used,
                           &in->used_kg);
}

/* It falls as creatinine and age rise: the bounds change places. */
static struct interval clearance_span(struct crcl_inputs *in)
{
    const struct interval *scr = &in->creatinine.value;
    struct interval span = { .low_none = scr->high_none,
                             .low_open = scr->high_open,
                             .high_none = scr->low_none || scr->low.digits <= 0,
                             .high_open = scr->low_open };

    if (!span.low_none) span.low = clearance(in, in->age.oldest, scr->high);
    if (!span.high_none) span.high = clearance(in, in->age.youngest, scr->low);
    return span;
}

/* To one place; to three where that would be a whole number that it is not: 49.996 is below 50. */
static const char *value_text(struct decimal value, char *buf, size_t size)
{
    struct decimal whole = decimal_round(value, 0);
    struct decimal rounded = decimal_round(value, 1);

    if (decimal_compare(rounded, whole) == 0 && decimal_compare(value, whole) != 0)
        rounded = decimal_round(value, 3);
    return decimal_text(rounded, buf, size);
}

static void span_words(const struct interval *span, struct buf *out)
{
    char low[64], high[64];

    value_text(span->low, low, sizeof low);
    value_text(span->high, high, sizeof high);
    if (span->low_none)
        buf_printf(out, "at most %s", high);
    else if (span->high_none)
        buf_printf(out, "at least %s", low);
    else if (interval_is_exact(span))
        buf_text(out, low);
    else
        buf_printf(out, "%s to %s", low, high);
}

static const char *kept(struct eval *eval, const struct buf *text)
{
    return arena_copy(eval->arena, buf_string(text), text->len);
}

static const char *value_words(struct eval *eval, const struct crcl_inputs *in,
                               const struct interval *span)
{
    AUTO(buf_done) struct buf text = { 0 };
    char kg[64];

    if (!eval->telling) return "";
    buf_text(&text, "creatinine clearance ");
    span_words(span, &text);
    buf_printf(&text, " mL/min (Cockcroft-Gault; %s, age %d", in->creatinine.text,
               in->age.youngest);
    if (in->age.oldest != in->age.youngest) buf_printf(&text, " or %d", in->age.oldest);
    buf_printf(&text, ", %s, %s kg %s; %s)", in->female ? "female" : "male",
               decimal_text(decimal_round(in->used_kg, 1), kg, sizeof kg), in->used,
               in->weight.text);
    return kept(eval, &text);
}

/* What is assumed: one sentence after the other. */
static const char *notes(struct eval *eval, const struct crcl_inputs *in)
{
    AUTO(buf_done) struct buf text = { 0 };

    if (!eval->telling) return "";
    if (!in->cm.digits && in->choice != CLEARANCE_ACTUAL)
        buf_printf(&text, "%s: creatinine clearance was computed with actual weight.",
                   in->height.known == TRUTH_TRUE ? "The height on record is not plausible"
                                                  : "Height is not on record");
    if (text.len && in->creatinine.note[0]) buf_char(&text, ' ');
    buf_text(&text, in->creatinine.note);
    return kept(eval, &text);
}

static int64_t earliest(const struct crcl_inputs *in)
{
    int64_t ms = in->creatinine.until_ms;

    if (in->weight.until_ms < ms) ms = in->weight.until_ms;
    if (in->height.until_ms < ms) ms = in->height.until_ms;
    return in->age.until_ms < ms ? in->age.until_ms : ms;
}

static void sources_add(struct measure *measure, const struct measure *of)
{
    for (size_t i = 0; i < of->source_count; i++) measure_source(measure, of->sources[i]);
}

static struct measure lacking(struct eval *eval, const struct crcl_inputs *in, struct lack lack)
{
    AUTO(buf_done) struct buf text = { 0 };
    unsigned doubts = in->creatinine.known == TRUTH_TRUE ? DOUBT_INPUT : in->creatinine.doubts;
    struct measure measure;

    if (eval->telling) buf_printf(&text, "creatinine clearance cannot be computed: %s", lack.what);
    measure = measure_lacking(doubts, lack.why, kept(eval, &text));
    sources_add(&measure, &in->creatinine);
    measure.until_ms = earliest(in);
    return measure;
}

/* The one of its time, to be compared with earlier ones. */
static const struct chart_result *result_of(const struct eval *eval, const struct crcl_inputs *in)
{
    const struct chart_result *results;
    size_t count = chart_results(eval->chart, eval->analytes.crcl, &results);

    for (size_t i = 0; i < count; i++)
        if (results[i].at_ms == in->creatinine.result->at_ms) return &results[i];
    return NULL;
}

struct measure measure_crcl(struct eval *eval, const struct duration *within)
{
    struct crcl_inputs in = { .age = { .until_ms = INSTANT_NEVER } };
    struct measure measure = { .known = TRUTH_TRUE, .why = "", .note = "" };
    struct lack lack;

    inputs_collect(eval, within, &in);
    lack = lack_of(eval, &in);
    if (lack.what) return lacking(eval, &in, lack);
    measure.value = clearance_span(&in);
    measure.text = value_words(eval, &in, &measure.value);
    measure.note = notes(eval, &in);
    measure.result = result_of(eval, &in);
    measure.until_ms = earliest(&in);
    sources_add(&measure, &in.creatinine);
    sources_add(&measure, &in.weight);
    if (in.cm.digits) sources_add(&measure, &in.height);
    return measure;
}
