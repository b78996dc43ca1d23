/* Urea nitrogen, where a laboratory reports urea: its table turns that into nitrogen (labs/units.csv). */
#include "core/derive_impl.h"

static const char formula[] = "the nitrogen of urea";

void derive_bun(struct deriver *deriver)
{
    unsigned urea = derive_analyte(deriver, "urea");
    struct moment one;
    size_t at = 0;

    while (moment_next(deriver, urea, &at, &one)) {
        struct derived derived = derived_start(&one, formula);
        if (derive_is_reported(deriver, one.at_ms)) continue;
        if (!derived.derivation.lack) derived.result.value = one.value;
        derived_keep(deriver, &derived);
    }
}
