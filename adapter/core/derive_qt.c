/* Corrected QT intervals. qtcf is by Fridericia only: reported so, or computed from a QT interval and
 * the heart rate of the same instant. qtc is any: what is reported without a formula, by Fridericia or
 * by Bazett; for rules that do not care. */
#include <math.h>

#include "core/derive_impl.h"

static struct interval of_rate(struct decimal qt, struct decimal rate)
{
    struct decimal cube = decimal_multiply(decimal_multiply(qt, qt), decimal_multiply(qt, rate));
    double ratio = decimal_double(rate) / 60; /* 1 / RR */

    return interval_root(decimal_double(qt) * cbrt(ratio), 3, 60, cube);
}

struct interval qtc_fridericia(struct interval qt, struct interval rate)
{
    return (struct interval){ .low = of_rate(qt.low, rate.low).low,
                              .high = of_rate(qt.high, rate.high).high,
                              .low_open = qt.low_open || rate.low_open,
                              .high_open = qt.high_open || rate.high_open };
}

/* What neither an interval in ms nor a rate per minute can be was sent in another unit. */
static bool is_closed(const struct moment *moment)
{
    static const int most = 3000;

    return moment_is_positive(moment) && !moment->value.low_none && !moment->value.high_none &&
           decimal_compare(moment->value.low, decimal_of(1)) >= 0 &&
           decimal_compare(moment->value.high, decimal_of(most)) <= 0;
}

void derive_qtcf(struct deriver *deriver)
{
    unsigned interval = derive_analyte(deriver, "qt");
    unsigned heart_rate = derive_analyte(deriver, "heart-rate");
    struct moment qt;
    size_t at = 0;

    while (moment_next(deriver, interval, &at, &qt)) {
        struct derived derived = derived_start(&qt, "Fridericia");
        struct moment rate = moment_at(deriver, heart_rate, qt.at_ms);
        if (derive_is_reported(deriver, qt.at_ms)) continue;
        derived_input(&derived, &rate);
        if (!rate.found)
            derived_lacks(&derived, DOUBT_INPUT, "no heart rate was reported for the same time");
        else if (!is_closed(&qt) || !is_closed(&rate))
            derived_lacks(&derived, DOUBT_INPUT, "a value that went into it cannot be used");
        if (!derived.derivation.lack) derived.result.value = qtc_fridericia(qt.value, rate.value);
        derived_keep(deriver, &derived);
    }
}

static void any_by(struct deriver *deriver, const char *analyte, const char *formula)
{
    unsigned corrected = derive_analyte(deriver, analyte);
    struct moment one;
    size_t at = 0;

    while (moment_next(deriver, corrected, &at, &one)) {
        struct derived derived = derived_start(&one, formula);
        derived.result.value = one.value;
        derived_keep(deriver, &derived);
    }
}

void derive_qtc(struct deriver *deriver)
{
    any_by(deriver, "qtcf", "reported by Fridericia");
    any_by(deriver, "qtcb", "reported by Bazett");
}
