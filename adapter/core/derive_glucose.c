/* Any glucose: of the laboratory, fasting or at the bedside. The newest one counts. */
#include "core/derive_impl.h"

static void glucose_from(struct deriver *deriver, const char *analyte, const char *how)
{
    unsigned measured = derive_analyte(deriver, analyte);
    struct moment one;
    size_t at = 0;

    while (moment_next(deriver, measured, &at, &one)) {
        struct derived derived = derived_start(&one, how);
        if (!derived.derivation.lack) derived.result.value = one.value;
        derived_keep(deriver, &derived);
    }
}

void derive_glucose(struct deriver *deriver)
{
    glucose_from(deriver, "glucose-fasting", "measured fasting");
    glucose_from(deriver, "glucose-poc", "measured at the bedside");
}
