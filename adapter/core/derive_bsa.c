/* Body surface, where none is reported for the time of the weight. */
#include "core/body.h"
#include "core/derive_impl.h"

static const char formula[] = "Mosteller";

void derive_bsa(struct deriver *deriver)
{
    unsigned weight = derive_analyte(deriver, "weight");
    unsigned height = derive_analyte(deriver, "height");
    struct moment kg;
    size_t at = 0;

    while (moment_next(deriver, weight, &at, &kg)) {
        struct derived derived = derived_start(&kg, formula);
        struct moment cm = moment_ever(deriver, height, kg.at_ms); /* adults keep theirs */
        if (derive_is_reported(deriver, kg.at_ms)) continue;
        derived_input(&derived, &cm);
        if (!cm.found)
            derived_lacks(&derived, DOUBT_INPUT, "no height is on record");
        else if (!body_weight_is_plausible(&kg.value) || !body_height_is_plausible(&cm.value))
            derived_lacks(&derived, DOUBT_INPUT, "the weight or the height is not plausible");
        if (!derived.derivation.lack) derived.result.value = body_surface(cm.value, kg.value);
        derived_keep(deriver, &derived);
    }
}
