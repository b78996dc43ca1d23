/* The newest value of something that is measured. */
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

static const char *keep(struct eval *eval, const struct buf *text)
{
    const char *string = buf_string(text);

    return arena_copy(eval->arena, string, strlen(string));
}

struct measure measure_lacking(unsigned doubts, const char *why, const char *text)
{
    return (struct measure){ .known = TRUTH_UNKNOWN,
                             .doubts = doubts,
                             .until_ms = INSTANT_NEVER,
                             .why = why,
                             .text = text,
                             .note = "" };
}

void measure_source(struct measure *measure, const struct source *source)
{
    for (size_t i = 0; i < measure->source_count; i++)
        if (measure->sources[i] == source) return;
    if (measure->source_count < MEASURE_SOURCES_MAX)
        measure->sources[measure->source_count++] = source;
}

static void sources_add(struct measure *measure, const struct chart_result *result)
{
    for (size_t i = 0; i < result_source_count(result); i++)
        measure_source(measure, result_source(result, i));
}

/* ---- the newest one */

static bool counts(const struct eval *eval, const struct chart_result *result)
{
    if (result->state == RESULT_REMOVED) return false;
    return result->state != RESULT_PRELIMINARY ||
           knowledge_policy(eval->knowledge)->preliminary_results;
}

struct newest {
    const struct chart_result *results; /* of the analyte, newest first, down to the moment of
                                         * found */
    size_t count;
    const struct chart_result *found; /* the newest that counts at now; can be read if any of its
                                         * moment can */
    const struct chart_result *ahead; /* the next one that is dated after now */
    bool waits;                       /* one of up to now is computed from one dated after now */
    bool undated;                     /* there is one without a date */
};

static const struct chart_result *sooner(const struct chart_result *a, const struct chart_result *b)
{
    return a && result_from(a) < result_from(b) ? a : b;
}

/* They stand newest first, those without a date at the end. */
static struct newest newest_find(const struct eval *eval, unsigned analyte)
{
    struct newest at = { .results = NULL };
    size_t count = chart_results(eval->chart, analyte, &at.results);

    for (; count && at.results[count - 1].at_ms == INSTANT_UNSET; count--)
        at.undated |= counts(eval, &at.results[count - 1]);
    for (; at.count < count; at.count++) {
        const struct chart_result *one = &at.results[at.count];
        if (at.found && one->at_ms != at.found->at_ms) break;
        if (!counts(eval, one)) continue;
        at.waits |= one->at_ms <= eval->now_ms && result_from(one) > eval->now_ms;
        if (result_from(one) > eval->now_ms)
            at.ahead = sooner(at.ahead, one);
        else if (!at.found)
            at.found = one;
        else if (at.found->kind == VALUE_UNREADABLE && one->kind != VALUE_UNREADABLE &&
                 result_same_moment(at.found, one))
            at.found = one;
    }
    return at;
}

/* Looking back, one that is dated later was not there yet: no date is wrong. */
static enum doubt missing_doubt(const struct eval *eval, const struct newest *at)
{
    bool ahead = eval->back ? at->waits : at->ahead != NULL;

    return ahead || at->undated ? DOUBT_TIME : DOUBT_MISSING;
}

/* ---- words, made only where somebody will read them */

static const char *missing_words(struct eval *eval, unsigned analyte, const struct newest *at)
{
    AUTO(buf_done) struct buf text = { 0 };
    const char *words = concept_words(eval->knowledge, analyte);
    char date[16];

    if (!eval->telling) return "";
    if (at->ahead)
        buf_printf(&text, "the only result for %s is dated in the future (%s)", words,
                   instant_date(result_from(at->ahead), date, sizeof date));
    else
        buf_printf(&text,
                   at->undated ? "no dated result for %s on record" : "no result for %s on record",
                   words);
    return keep(eval, &text);
}

static const char *wanted_words(struct eval *eval, unsigned analyte, const struct duration *within)
{
    AUTO(buf_done) struct buf text = { 0 };
    char length[32];

    if (!eval->telling) return "";
    buf_printf(&text, "a result for %s", concept_words(eval->knowledge, analyte));
    if (within) buf_printf(&text, " of the last %s", duration_text(*within, length, sizeof length));
    return keep(eval, &text);
}

/* The number as sent; false when there is none. */
static bool number_sent(const char *shown, struct decimal *ret)
{
    char number[48];
    size_t n;

    shown += strspn(shown, "<>=");
    n = strcspn(shown, " ");
    if (n == 0 || n >= sizeof number) return false;
    memcpy(number, shown, n);
    number[n] = '\0';
    return decimal_parse(number, ret);
}

/* To three places; to six where that would be a rounder number that it is not. */
static const char *converted_text(struct decimal value, char *buf, size_t size)
{
    struct decimal rounded = decimal_round(value, 3);

    if (decimal_compare(rounded, value) != 0 &&
        decimal_compare(rounded, decimal_round(value, 1)) == 0)
        rounded = decimal_round(value, 6);
    return decimal_text(rounded, buf, size);
}

/* As sent; where its unit makes it another number than in the analyte's unit, in that too: "900 /uL
 * (0.9 10*9/L)". */
static void shown_say(struct eval *eval, const struct chart_result *result, struct buf *out)
{
    const struct interval *value = &result->value;
    const char *unit = analyte_unit(eval->knowledge, result->analyte);
    bool open = value->low_none ? value->high_open : value->low_open;
    struct decimal sent, bound = value->low_none ? value->high : value->low;
    char number[64];

    buf_text(out, result->shown);
    if (result->derived) return;
    if (result->kind != VALUE_QUANTITY || (value->low_none && value->high_none)) return;
    if (!number_sent(result->shown, &sent) || decimal_compare(sent, bound) == 0) return;
    buf_printf(out, " (%s%s%s%s%s)",
               value->low_none    ? "<"
               : value->high_none ? ">"
                                  : "",
               (value->low_none || value->high_none) && !open ? "=" : "",
               converted_text(bound, number, sizeof number), unit[0] ? " " : "", unit);
}

static const char *value_words(struct eval *eval, const struct chart_result *result,
                               const char *after)
{
    AUTO(buf_done) struct buf text = { 0 };
    char date[16];

    if (!eval->telling) return "";
    buf_printf(&text, "%s ", concept_words(eval->knowledge, result->analyte));
    shown_say(eval, result, &text);
    buf_printf(&text, "%son %s%s", result->shown[0] ? " " : "",
               instant_date(result->at_ms, date, sizeof date), after);
    if (result->derived) derivation_say(eval, result->derived, &text);
    return keep(eval, &text);
}

/* What was there but was not used. */
static const char *unused_note(struct eval *eval, unsigned analyte, const struct newest *at)
{
    AUTO(buf_done) struct buf text = { 0 };
    const char *words = concept_words(eval->knowledge, analyte);
    char date[16];

    if (!eval->telling) return "";
    if (at->ahead)
        buf_printf(&text, "A result for %s dated in the future (%s) was not used.", words,
                   instant_date(result_from(at->ahead), date, sizeof date));
    if (at->undated)
        buf_printf(&text, "%sA result for %s without a date was not used.", text.len ? " " : "",
                   words);
    return keep(eval, &text);
}

/* ---- one value */

static const char *unreadable_words(const struct chart_result *result)
{
    if (result->derived) return " cannot be computed";
    return result->doubt == DOUBT_UNIT ? " is in a unit that cannot be converted"
                                       : " cannot be read as a value";
}

struct measure measure_of(struct eval *eval, const struct chart_result *result)
{
    struct measure measure = { .known = TRUTH_TRUE,
                               .value = result->value,
                               .coded = result->coded,
                               .is_coded = result->kind == VALUE_CODED,
                               .until_ms = INSTANT_NEVER,
                               .why = "",
                               .note = "",
                               .result = result };

    if (result->kind == VALUE_UNREADABLE)
        measure =
            measure_lacking(result->doubt, "", value_words(eval, result, unreadable_words(result)));
    else
        measure.text = value_words(eval, result, "");
    sources_add(&measure, result);
    return measure;
}

static void text_join(struct eval *eval, struct measure *measure, const struct chart_result *other)
{
    AUTO(buf_done) struct buf text = { 0 };

    if (!eval->telling) return;
    buf_printf(&text, "%s, and ", measure->text);
    shown_say(eval, other, &text);
    buf_text(&text, " reported for the same time");
    measure->text = keep(eval, &text);
}

/* Another result of the same moment: the value is what both allow. */
static void measure_join(struct eval *eval, struct measure *measure,
                         const struct chart_result *other)
{
    measure->value = interval_hull(measure->value, other->value);
    if (measure->coded != other->coded) measure->coded = CODED_OTHER;
    sources_add(measure, other);
    text_join(eval, measure, other);
}

static struct measure newest_measure(struct eval *eval, const struct newest *at)
{
    struct measure measure = measure_of(eval, at->found);

    for (size_t i = 0; i < at->count; i++) {
        const struct chart_result *other = &at->results[i];
        if (other == at->found || other->kind != at->found->kind) continue;
        if (other->kind == VALUE_UNREADABLE || !counts(eval, other)) continue;
        if (result_same_moment(at->found, other)) measure_join(eval, &measure, other);
    }
    return measure;
}

struct measure measure_result(struct eval *eval, unsigned analyte, const struct duration *within)
{
    struct newest at = newest_find(eval, analyte);
    int64_t next = at.ahead ? result_from(at.ahead) : INSTANT_NEVER, over = INSTANT_NEVER;
    const char *wanted = wanted_words(eval, analyte, within);
    struct measure measure;

    if (within && at.found) over = instant_add(at.found->at_ms, *within, 1);
    if (!at.found) {
        measure =
            measure_lacking(missing_doubt(eval, &at), wanted, missing_words(eval, analyte, &at));
    } else if (over < eval->now_ms) {
        measure = measure_lacking(DOUBT_STALE, wanted, value_words(eval, at.found, " is too old"));
    } else {
        measure = newest_measure(eval, &at);
        if (measure.known != TRUTH_TRUE) measure.why = wanted;
        measure.note = unused_note(eval, analyte, &at);
        if (over != INSTANT_NEVER) measure.until_ms = over + 1;
    }
    if (next < measure.until_ms) measure.until_ms = next;
    return measure;
}

/* ---- what was asked for already */

struct measure_memo {
    unsigned analyte;
    bool any_age, told; /* told: with texts */
    struct duration within;
    struct measure measure;
};

static bool same_question(const struct eval *eval, const struct measure_memo *memo,
                          unsigned analyte, const struct duration *within)
{
    if (memo->analyte != analyte || memo->any_age != !within) return false;
    if (memo->told != eval->telling) return false;
    return !within || (memo->within.ms == within->ms && memo->within.months == within->months);
}

static struct measure measure_make(struct eval *eval, unsigned analyte,
                                   const struct duration *within)
{
    if (analyte == eval->analytes.crcl) return measure_crcl(eval, within);
    return measure_result(eval, analyte, within);
}

static void memo_keep(struct eval *eval, unsigned analyte, const struct duration *within,
                      const struct measure *measure)
{
    struct measure_memos *memos = &eval->memos;

    if (memos->count == MEASURE_MEMOS_MAX) return;
    if (!memos->items)
        memos->items = arena_alloc(eval->arena, MEASURE_MEMOS_MAX * sizeof *memos->items);
    memos->items[memos->count++] =
        (struct measure_memo){ .analyte = analyte,
                               .any_age = !within,
                               .told = eval->telling,
                               .within = within ? *within : (struct duration){ 0, 0 },
                               .measure = *measure };
}

struct measure measure_newest(struct eval *eval, unsigned analyte, const struct duration *within)
{
    struct measure measure;

    for (size_t i = 0; i < eval->memos.count; i++)
        if (same_question(eval, &eval->memos.items[i], analyte, within))
            return eval->memos.items[i].measure;
    measure = measure_make(eval, analyte, within);
    memo_keep(eval, analyte, within, &measure);
    return measure;
}
