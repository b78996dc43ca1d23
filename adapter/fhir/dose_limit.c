#include "fhir/dose_limit.h"

#include <string.h>

#include "fhir/amount.h"
#include "fhir/datatype.h"

/* A Quantity as a dose of the ingredient; its upper end where "2 tablets" is one. */
static bool limit_read(const struct node *at, const struct medication_ingredient *ingredient,
                       bool alone, struct decimal *ret, const char **ret_unit)
{
    struct datatype_quantity quantity = datatype_quantity(at);
    struct amount amount = { .why = "", .low = "", .high = "", .shown = "" };
    struct interval value;
    struct decimal number;
    const char *why;

    amount.unit = amount_quantity(&quantity, &number);
    if (!amount.unit || decimal_compare(number, DECIMAL_ZERO) <= 0) return false;
    amount.value = interval_exactly(number);
    if (!amount_of(&amount, ingredient, alone, &value, ret_unit, &why)) return false;
    *ret = value.high;
    return true;
}

/* Of a dose by surface or weight with a limit in milligrams nobody can tell here which of the two it
 * is. */
static void cap(struct interval *dose, const char *unit, struct decimal limit,
                const char *limit_unit)
{
    if (strcmp(unit, limit_unit) != 0)
        dose->low = DECIMAL_ZERO;
    else if (decimal_compare(limit, dose->low) >= 0 && decimal_compare(limit, dose->high) < 0)
        dose->high = limit;
}

static void limit_single(const struct node *at, const struct medication_ingredient *ingredient,
                         bool alone, struct dose *dose)
{
    struct decimal limit;
    const char *unit;

    if (!dose->single_known || !limit_read(at, ingredient, alone, &limit, &unit)) return;
    bool times_known = dose->daily_known && decimal_compare(dose->single.high, DECIMAL_ZERO) > 0;
    struct interval before = dose->single;
    cap(&dose->single, dose->unit, limit, unit);
    if (!times_known) return;
    if (decimal_compare(dose->single.low, before.low) < 0) dose->daily.low = DECIMAL_ZERO;
    dose->daily.high =
        decimal_divide(decimal_multiply(dose->daily.high, dose->single.high), before.high);
}

/* A Ratio: so much in so long, as an average in 24 h. */
static bool rate_read(const struct node *ratio, const struct medication_ingredient *ingredient,
                      bool alone, struct decimal *ret, const char **ret_unit)
{
    struct node above = node_get(ratio, "numerator"), below = node_get(ratio, "denominator");
    struct duration span;
    int64_t ms;

    if (!datatype_duration(&below, &span) || span.months) return false;
    ms = instant_add(0, span, 1);
    if (ms <= 0 || !limit_read(&above, ingredient, alone, ret, ret_unit)) return false;
    *ret = decimal_divide(decimal_multiply(*ret, decimal_of(INSTANT_DAY)), decimal_of(ms));
    return true;
}

static void limit_daily(const struct node *ratio, const struct medication_ingredient *ingredient,
                        bool alone, struct dose *dose)
{
    struct decimal limit;
    const char *unit;

    if (!rate_read(ratio, ingredient, alone, &limit, &unit)) return;
    if (dose->daily_known) {
        cap(&dose->daily, dose->unit, limit, unit);
    } else if (!dose->single_known || strcmp(dose->unit, unit) == 0) {
        dose->daily_known = true;
        dose->daily = interval_hull(interval_exactly(DECIMAL_ZERO), interval_exactly(limit));
        dose->unit = unit;
    }
}

void dose_limit_apply(const struct node *dosage, const struct medication_ingredient *ingredient,
                      bool alone, struct dose *dose)
{
    struct node single = node_get(dosage, "maxDosePerAdministration");
    struct node list = node_get(dosage, "maxDosePerPeriod"); /* R4: one; R5: several */
    size_t count = datatype_count(&list);

    limit_single(&single, ingredient, alone, dose);
    for (size_t i = 0; i < count; i++) {
        struct node ratio = datatype_item(&list, i);
        limit_daily(&ratio, ingredient, alone, dose);
    }
}
