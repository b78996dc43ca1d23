/* The newest value of something, measured or computed. */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

static const char *keep(struct eval *eval, const struct buf *text)
{
    const char *string = buf_string(text);

    return arena_copy(eval->arena, string, strlen(string));
}

static struct measure not_known(struct eval *eval, unsigned doubts, const char *why,
                                const char *text)
{
    (void)eval;
    return (struct measure){ .known = TRUTH_UNKNOWN, .doubts = doubts, .until_ms = INSTANT_NEVER,
                             .why = why, .text = text, .note = "" };
}

static void measure_source(struct measure *measure, const struct source *source)
{
    if (measure->source_count < ARRAY_SIZE(measure->sources))
        measure->sources[measure->source_count++] = source;
}

static bool counts(struct eval *eval, const struct chart_result *result)
{
    if (result->state == RESULT_REMOVED) return false;
    return result->state != RESULT_PRELIMINARY ||
           knowledge_policy(eval->knowledge)->preliminary_results;
}

/* The newest result that counts at now; *ret_next is when a later one comes of age, *ret_undated
 * whether there is one without a date. */
static const struct chart_result *newest(struct eval *eval, unsigned analyte, int64_t *ret_next,
                                         bool *ret_undated)
{
    const struct chart_result *results, *found = NULL;
    size_t count = chart_results(eval->chart, analyte, &results);

    *ret_next = INSTANT_NEVER;
    *ret_undated = false;
    for (size_t i = 0; i < count; i++) {
        if (!counts(eval, &results[i])) continue;
        if (results[i].at_ms == INSTANT_UNSET)
            *ret_undated = true;
        else if (results[i].at_ms > eval->now_ms)
            *ret_next = results[i].at_ms < *ret_next ? results[i].at_ms : *ret_next;
        else if (!found)
            found = &results[i];
    }
    return found;
}

static const char *result_words(struct eval *eval, const struct chart_result *result,
                                const char *after)
{
    AUTO(buf_done) struct buf text = { 0 };
    char date[16];

    if (!eval->telling) return "";
    buf_printf(&text, "%s %s on %s%s", concept_words(eval->knowledge, result->analyte),
               result->shown, instant_date(result->at_ms, date, sizeof date), after);
    return keep(eval, &text);
}

static const char *missing_words(struct eval *eval, unsigned analyte, bool undated)
{
    AUTO(buf_done) struct buf text = { 0 };

    if (!eval->telling) return "";
    buf_printf(&text, undated ? "no dated %s result on record" : "no %s result on record",
               concept_words(eval->knowledge, analyte));
    return keep(eval, &text);
}

static const char *wanted_words(struct eval *eval, unsigned analyte, const struct duration *within)
{
    AUTO(buf_done) struct buf text = { 0 };
    char length[32];

    if (!eval->telling) return "";
    buf_printf(&text, "a %s result", concept_words(eval->knowledge, analyte));
    if (within)
        buf_printf(&text, " of the last %s", duration_text(*within, length, sizeof length));
    return keep(eval, &text);
}

static struct measure result_measure(struct eval *eval, const struct chart_result *result,
                                     const char *wanted)
{
    struct measure measure = { .known = TRUTH_TRUE, .value = result->value, .coded = result->coded,
                               .is_coded = result->kind == VALUE_CODED,
                               .until_ms = INSTANT_NEVER, .why = "", .note = "",
                               .result = result };

    if (result->kind == VALUE_UNREADABLE) {
        measure = not_known(eval, result->doubt, wanted, "");
        measure.text = result_words(eval, result,
                                    result->doubt == DOUBT_UNIT
                                        ? " is in a unit that cannot be converted"
                                        : " cannot be read as a value");
    } else {
        measure.text = result_words(eval, result, "");
    }
    measure_source(&measure, &result->source);
    return measure;
}

static struct measure plain_newest(struct eval *eval, unsigned analyte,
                                   const struct duration *within)
{
    int64_t next, over = INSTANT_NEVER;
    bool undated;
    const struct chart_result *result = newest(eval, analyte, &next, &undated);
    const char *wanted = wanted_words(eval, analyte, within);
    struct measure measure;

    if (!result) {
        measure = not_known(eval, undated ? DOUBT_TIME : DOUBT_MISSING, wanted,
                            missing_words(eval, analyte, undated));
        measure.until_ms = next;
        return measure;
    }
    if (within) over = instant_add(result->at_ms, *within, 1);
    if (over < eval->now_ms) {
        measure = not_known(eval, DOUBT_STALE, wanted, result_words(eval, result, " is too old"));
        measure.until_ms = next;
        return measure;
    }
    measure = result_measure(eval, result, wanted);
    if (over != INSTANT_NEVER) over++;
    measure.until_ms = over < next ? over : next;
    return measure;
}

/* ---- Cockcroft-Gault */

struct decimal cockcroft_gault(int age_years, bool female, struct decimal kg, struct decimal cm,
                               struct decimal scr_mg_dl, const char **ret_weight,
                               struct decimal *ret_kg)
{
    struct decimal used = kg, result;

    *ret_weight = cm.digits ? "actual weight" : "actual weight, height not known";
    if (cm.digits) {
        struct decimal inches = decimal_divide(cm, (struct decimal){ 254, -2 });
        struct decimal over = decimal_subtract(inches, decimal_of(60));
        struct decimal ideal =
            decimal_add(female ? (struct decimal){ 455, -1 } : decimal_of(50),
                        decimal_multiply((struct decimal){ 23, -1 }, over));
        /* BMI >= 30  <=>  kg x 10000 >= 30 x cm x cm */
        struct decimal bound = decimal_multiply(decimal_of(30), decimal_multiply(cm, cm));
        if (decimal_compare(kg, ideal) > 0 &&
            decimal_compare(decimal_multiply(kg, decimal_of(10000)), bound) >= 0) {
            used = decimal_add(ideal, decimal_multiply((struct decimal){ 4, -1 },
                                                       decimal_subtract(kg, ideal)));
            *ret_weight = "adjusted weight";
        }
    }
    *ret_kg = used;
    result = decimal_multiply(decimal_of(140 - age_years), used);
    if (female) result = decimal_multiply(result, (struct decimal){ 85, -2 });
    return decimal_divide(result, decimal_multiply(decimal_of(72), scr_mg_dl));
}

struct crcl_inputs {
    struct measure creatinine, weight, height;
    int age;
    bool female, has_height;
};

static unsigned analyte_of(const struct eval *eval, const char *name)
{
    return knowledge_concept(eval->knowledge, CONCEPT_ANALYTE, name);
}

static bool positive(const struct measure *at)
{
    return at->known == TRUTH_TRUE && interval_is_exact(&at->value) && at->value.low.digits > 0;
}

static struct measure crcl_lacks(struct eval *eval, struct crcl_inputs *in, unsigned doubts,
                                 const char *what)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct measure measure;

    buf_printf(&text, "creatinine clearance cannot be computed: %s", what);
    measure = not_known(eval, doubts, what, keep(eval, &text));
    measure.until_ms = in->creatinine.until_ms;
    return measure;
}

/* Age in completed years, if every birth date that the record allows gives the same one. */
static bool age_exact(const struct eval *eval, int *ret)
{
    int youngest;

    return age_span(eval, ret, &youngest) && *ret == youngest;
}

static bool crcl_collect(struct eval *eval, const struct duration *within, struct crcl_inputs *in,
                         struct measure *ret_lacking)
{
    in->creatinine = plain_newest(eval, analyte_of(eval, "creatinine"), within);
    in->weight = plain_newest(eval, analyte_of(eval, "weight"), NULL);
    in->height = plain_newest(eval, analyte_of(eval, "height"), NULL);
    in->has_height = positive(&in->height);
    in->female = eval->chart->sex == SEX_FEMALE;
    if (in->creatinine.known != TRUTH_TRUE)
        *ret_lacking = crcl_lacks(eval, in, in->creatinine.doubts, in->creatinine.text);
    else if (!positive(&in->weight))
        *ret_lacking = crcl_lacks(eval, in, DOUBT_INPUT, "no usable weight on record");
    else if (!age_exact(eval, &in->age))
        *ret_lacking = crcl_lacks(eval, in, DOUBT_INPUT, "the birth date is missing or too vague");
    else if (in->age >= 140)
        *ret_lacking = crcl_lacks(eval, in, DOUBT_INPUT, "the birth date cannot be right");
    else if (eval->chart->sex != SEX_FEMALE && eval->chart->sex != SEX_MALE)
        *ret_lacking = crcl_lacks(eval, in, DOUBT_INPUT, "the sex is not recorded as male or female");
    else
        return true;
    return false;
}

/* CrCl falls as creatinine rises: the bounds change places. */
static bool crcl_value(const struct crcl_inputs *in, struct interval *ret, const char **ret_weight,
                       struct decimal *ret_kg)
{
    const struct interval *scr = &in->creatinine.value;
    struct decimal kg = in->weight.value.low;
    struct decimal cm = in->has_height ? in->height.value.low : DECIMAL_ZERO;

    *ret = (struct interval){ .low_open = scr->high_open, .high_open = scr->low_open,
                              .low_none = scr->high_none, .high_none = scr->low_none };
    if (scr->high_none && scr->low_none) return false;
    if (!scr->high_none) {
        if (scr->high.digits <= 0) return false;
        ret->low = cockcroft_gault(in->age, in->female, kg, cm, scr->high, ret_weight, ret_kg);
    }
    if (!scr->low_none && scr->low.digits > 0)
        ret->high = cockcroft_gault(in->age, in->female, kg, cm, scr->low, ret_weight, ret_kg);
    else
        ret->high_none = true;
    return true;
}

static const char *crcl_words(struct eval *eval, const struct crcl_inputs *in,
                              const struct interval *value, const char *weight, struct decimal kg)
{
    AUTO(buf_done) struct buf text = { 0 };
    char number[64], used[64];

    if (!eval->telling) return "";
    decimal_text(decimal_round(value->low_none ? value->high : value->low, 1), number,
                 sizeof number);
    decimal_text(decimal_round(kg, 1), used, sizeof used);
    buf_printf(&text, "creatinine clearance %s%s mL/min (Cockcroft-Gault; %s, age %d, %s, %s kg %s",
               interval_is_exact(value) ? "" : "about ", number, in->creatinine.text, in->age,
               in->female ? "female" : "male", used, weight);
    buf_printf(&text, "; %s)", in->weight.text);
    return keep(eval, &text);
}

static struct measure crcl_measure(struct eval *eval, const struct duration *within)
{
    struct crcl_inputs in;
    struct measure measure = { .known = TRUTH_TRUE, .why = "", .note = "" };
    const char *weight = "";
    struct decimal kg = DECIMAL_ZERO;

    if (!crcl_collect(eval, within, &in, &measure)) return measure;
    if (!crcl_value(&in, &measure.value, &weight, &kg))
        return crcl_lacks(eval, &in, DOUBT_COMPARATOR, "the creatinine value is not usable");
    measure.text = crcl_words(eval, &in, &measure.value, weight, kg);
    if (!in.has_height)
        measure.note = "Height is not on record: creatinine clearance was computed with actual weight.";
    measure.until_ms = in.creatinine.until_ms;
    if (in.weight.until_ms < measure.until_ms) measure.until_ms = in.weight.until_ms;
    measure_source(&measure, in.creatinine.sources[0]);
    measure_source(&measure, in.weight.sources[0]);
    if (in.has_height) measure_source(&measure, in.height.sources[0]);
    return measure;
}

struct measure measure_newest(struct eval *eval, unsigned analyte, const struct duration *within)
{
    if (analyte == analyte_of(eval, "crcl")) return crcl_measure(eval, within);
    return plain_newest(eval, analyte, within);
}
