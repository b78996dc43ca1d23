/* Any pregnancy test: positive or negative as its result says, or as the laboratory flags a number. A
 * number without a flag says neither (we have no cut-off), and takes no positive test back. A
 * test without a date stays one: it may be the one that is asked for. */
#include "core/derive_impl.h"

static const char *const analytes[] = { "hcg-qual", "hcg-quant", "hcg-mass-or-molar" };

static bool counts(const struct deriver *deriver, const struct chart_result *result)
{
    if (result->state == RESULT_REMOVED) return false;
    return result->state != RESULT_PRELIMINARY || deriver->policy->preliminary_results;
}

static enum coded_value said_by(const struct chart_result *result)
{
    if (result->kind == VALUE_CODED && result->coded != CODED_OTHER) return result->coded;
    return result->flag;
}

/* The last test up to an instant that says positive or negative; CODED_OTHER when there is none. */
static enum coded_value last_said(const struct deriver *deriver, int64_t at_ms)
{
    const struct chart_result *results, *last = NULL;

    for (size_t a = 0; a < ARRAY_SIZE(analytes); a++) {
        size_t count =
            chart_reported(deriver->chart, derive_analyte(deriver, analytes[a]), &results);
        for (size_t i = 0; i < count; i++) {
            const struct chart_result *one = &results[i];
            if (!counts(deriver, one) || one->at_ms > at_ms || said_by(one) == CODED_OTHER)
                continue;
            if (!last || one->at_ms > last->at_ms) last = one;
            break;
        }
    }
    return last ? said_by(last) : CODED_OTHER;
}

static struct derived test_of(const struct chart_result *result)
{
    static const char *const shown[] = { "", "positive", "negative" };
    enum coded_value said = said_by(result);
    struct moment one = { .found = true,
                          .state = result->state,
                          .at_ms = result->at_ms,
                          .issued_ms = result->issued_ms,
                          .results = { result },
                          .result_count = 1 };
    struct derived derived = derived_of(
        &one, result->kind == VALUE_CODED ? "as reported" : "as flagged by the laboratory");

    derived.result.kind = VALUE_CODED;
    derived.result.coded = said;
    derived.result.shown = shown[said];
    if (said == CODED_OTHER)
        derived_lacks(&derived, DOUBT_UNREADABLE,
                      "the laboratory does not say positive or negative");
    return derived;
}

void derive_hcg(struct deriver *deriver)
{
    for (size_t a = 0; a < ARRAY_SIZE(analytes); a++) {
        const struct chart_result *results;
        size_t count =
            chart_reported(deriver->chart, derive_analyte(deriver, analytes[a]), &results);
        for (size_t i = 0; i < count; i++) {
            struct derived derived;
            if (!counts(deriver, &results[i])) continue;
            derived = test_of(&results[i]);
            if (derived.derivation.lack && last_said(deriver, results[i].at_ms) == CODED_POSITIVE)
                continue;
            derived_keep(deriver, &derived);
        }
    }
}
