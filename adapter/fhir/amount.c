#include "fhir/amount.h"

#include <string.h>
#include <strings.h>

/* UCUM codes, the spellings met in their place, and codes for units of presentation of
 * v3-orderableDrugForm, SNOMED CT and EDQM. Compared without case: nobody doses in megagrams. */
static const struct amount_unit units[] = {
    { "mg", AMOUNT_MASS, "1" },
    { "milligram", AMOUNT_MASS, "1" },
    { "milligrams", AMOUNT_MASS, "1" },
    { "g", AMOUNT_MASS, "1000" },
    { "gm", AMOUNT_MASS, "1000" },
    { "gram", AMOUNT_MASS, "1000" },
    { "grams", AMOUNT_MASS, "1000" },
    { "ug", AMOUNT_MASS, "0.001" },
    { "mcg", AMOUNT_MASS, "0.001" },
    { "\u00b5g", AMOUNT_MASS, "0.001" },
    { "\u03bcg", AMOUNT_MASS, "0.001" },
    { "microgram", AMOUNT_MASS, "0.001" },
    { "micrograms", AMOUNT_MASS, "0.001" },
    { "ng", AMOUNT_MASS, "0.000001" },
    { "[iU]", AMOUNT_UNITS, "1" },
    { "IU", AMOUNT_UNITS, "1" },
    { "U", AMOUNT_UNITS, "1" },
    { "unit", AMOUNT_UNITS, "1" },
    { "units", AMOUNT_UNITS, "1" },
    { "mg/m2", AMOUNT_PER_M2, "1" },
    { "mg/m^2", AMOUNT_PER_M2, "1" },
    { "mg/m\u00b2", AMOUNT_PER_M2, "1" },
    { "g/m2", AMOUNT_PER_M2, "1000" },
    { "ug/m2", AMOUNT_PER_M2, "0.001" },
    { "mcg/m2", AMOUNT_PER_M2, "0.001" },
    { "mg/kg", AMOUNT_PER_KG, "1" },
    { "g/kg", AMOUNT_PER_KG, "1000" },
    { "ug/kg", AMOUNT_PER_KG, "0.001" },
    { "mcg/kg", AMOUNT_PER_KG, "0.001" },
    { "mL", AMOUNT_VOLUME, "1" },
    { "milliliter", AMOUNT_VOLUME, "1" },
    { "milliliters", AMOUNT_VOLUME, "1" },
    { "millilitre", AMOUNT_VOLUME, "1" },
    { "millilitres", AMOUNT_VOLUME, "1" },
    { "L", AMOUNT_VOLUME, "1000" },
    { "1", AMOUNT_COUNT, "1" },
    { "{tbl}", AMOUNT_COUNT, "1" },
    { "{tab}", AMOUNT_COUNT, "1" },
    { "{tabs}", AMOUNT_COUNT, "1" },
    { "{tablet}", AMOUNT_COUNT, "1" },
    { "{tablets}", AMOUNT_COUNT, "1" },
    { "{cap}", AMOUNT_COUNT, "1" },
    { "{caps}", AMOUNT_COUNT, "1" },
    { "{capsule}", AMOUNT_COUNT, "1" },
    { "{capsules}", AMOUNT_COUNT, "1" },
    { "tbl", AMOUNT_COUNT, "1" },
    { "tab", AMOUNT_COUNT, "1" },
    { "tabs", AMOUNT_COUNT, "1" },
    { "tab(s)", AMOUNT_COUNT, "1" },
    { "tablet", AMOUNT_COUNT, "1" },
    { "tablets", AMOUNT_COUNT, "1" },
    { "tablet(s)", AMOUNT_COUNT, "1" },
    { "cap", AMOUNT_COUNT, "1" },
    { "caps", AMOUNT_COUNT, "1" },
    { "cap(s)", AMOUNT_COUNT, "1" },
    { "capsule", AMOUNT_COUNT, "1" },
    { "capsules", AMOUNT_COUNT, "1" },
    { "capsule(s)", AMOUNT_COUNT, "1" },
    { "caplet", AMOUNT_COUNT, "1" },
    { "CHEWTAB", AMOUNT_COUNT, "1" },
    { "ECTAB", AMOUNT_COUNT, "1" },
    { "ORCAP", AMOUNT_COUNT, "1" },
    { "ORTAB", AMOUNT_COUNT, "1" },
    { "732936001", AMOUNT_COUNT, "1" }, /* SNOMED CT: tablet */
    { "732937005", AMOUNT_COUNT, "1" }, /* SNOMED CT: capsule */
    { "15054000", AMOUNT_COUNT, "1" },  /* EDQM: tablet */
    { "15012000", AMOUNT_COUNT, "1" },  /* EDQM: capsule */
};

static const struct amount_unit *unit_named(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcasecmp(units[i].text, text) == 0) return &units[i];
    return NULL;
}

/* Code and text of a unit may both be known; then they must mean the same: of "mg" and "ug", one
 * is wrong by a factor of a thousand, and nobody can say which. */
static const struct amount_unit *unit_of(const struct datatype_quantity *quantity)
{
    const struct amount_unit *code = unit_named(quantity->code);
    const struct amount_unit *text = unit_named(quantity->unit);

    if (!code || !text) return code ? code : text;
    return code->kind == text->kind && strcmp(code->factor, text->factor) == 0 ? code : NULL;
}

const struct amount_unit *amount_quantity(const struct datatype_quantity *quantity,
                                          struct decimal *ret)
{
    const struct amount_unit *unit = unit_of(quantity);
    struct decimal factor;

    if (!unit || !quantity->has_value || *quantity->comparator) return NULL;
    if (!decimal_parse(unit->factor, &factor)) return NULL;
    *ret = decimal_multiply(quantity->value, factor);
    return unit;
}

/* ---- reading */

static struct amount unknown(const char *why)
{
    return (struct amount){ .why = why, .low = "", .high = "", .shown = "" };
}

static struct amount from_quantities(const struct datatype_quantity *low,
                                     const struct datatype_quantity *high)
{
    struct amount amount = { .why = "", .low = low->number, .high = high->number };
    struct decimal from, to;
    const struct amount_unit *unit = amount_quantity(low, &from);
    const struct amount_unit *top = amount_quantity(high, &to);

    amount.shown = *high->unit ? high->unit : high->code;
    if (!low->has_value || !high->has_value) return unknown("the dose has no number");
    if (!*datatype_unit(low) || !*datatype_unit(high))
        amount.why = "the dose has no unit";
    else if (!unit || !top || unit->kind != top->kind)
        amount.why = "the unit of the dose cannot be used";
    else if (decimal_compare(from, DECIMAL_ZERO) < 0 || decimal_compare(from, to) > 0)
        amount.why = "the dose makes no sense";
    else
        amount.unit = unit;
    if (amount.unit) amount.value = interval_hull(interval_exactly(from), interval_exactly(to));
    return amount;
}

/* "1 to 2 tablets": the unit may stand only once. */
static void lend_unit(struct datatype_quantity *to, const struct datatype_quantity *from)
{
    if (*to->unit || *to->code) return;
    to->unit = from->unit;
    to->code = from->code;
    to->system = from->system;
}

/* doseQuantity or doseRange of a Dosage (STU3) or of one of its doseAndRate. */
static bool read_one(const struct node *at, struct amount *ret)
{
    struct node quantity = node_get(at, "doseQuantity"), range = node_get(at, "doseRange");
    struct node low = node_get(&range, "low"), high = node_get(&range, "high");
    struct datatype_quantity from, to;

    if (!node_is(&quantity, DOC_OBJECT) && !node_is(&range, DOC_OBJECT)) return false;
    from = datatype_quantity(quantity.value ? &quantity : &low);
    to = datatype_quantity(quantity.value ? &quantity : &high);
    lend_unit(&from, &to);
    lend_unit(&to, &from);
    *ret = from_quantities(&from, &to);
    return true;
}

static bool is_calculated(const struct node *at)
{
    struct node type = node_get(at, "type");

    return datatype_has_code(&type, "calculated");
}

/* Two statements of one dose: the hull, when they are of one kind. */
static struct amount merge(struct amount a, struct amount b)
{
    if (!a.unit || !b.unit) return a.unit ? b : a;
    if (a.unit->kind != b.unit->kind) return unknown("the dose is stated twice, differently");
    a.value = interval_hull(a.value, b.value);
    if (a.unit != b.unit || strcmp(a.low, b.low) != 0 || strcmp(a.high, b.high) != 0)
        a.low = a.high = a.shown = ""; /* no words for it */
    return a;
}

static bool has_rate(const struct node *at)
{
    return datatype_has(at, "rateQuantity") || datatype_has(at, "rateRatio") ||
           datatype_has(at, "rateRange");
}

/* The ordered dose; a calculated one only where nothing else is stated. */
struct amount amount_read(const struct node *dosage)
{
    struct node list = node_get(dosage, "doseAndRate");
    size_t count = datatype_count(&list);
    struct amount found = { 0 }, one;
    bool any = false, rate = has_rate(dosage), calculated = false;

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        rate = rate || has_rate(&item);
        if (!read_one(&item, &one)) continue;
        if (any && is_calculated(&item) && !calculated) continue;
        bool replace = !any || (calculated && !is_calculated(&item));
        found = replace ? one : merge(found, one);
        if (replace) calculated = is_calculated(&item);
        any = true;
    }
    if (any || read_one(dosage, &found)) return found;
    return unknown(rate ? "only a rate is stated, no dose" : "no dose is stated");
}

/* ---- of an ingredient */

static bool by_strength(const struct amount *amount, const struct medication_ingredient *of,
                        const char *mass, const char *international, struct interval *ret,
                        const char **ret_unit)
{
    if (!of->has_strength || decimal_compare(of->strength, DECIMAL_ZERO) <= 0) return false;
    if (strcmp(of->strength_unit, mass) == 0)
        *ret_unit = "mg";
    else if (strcmp(of->strength_unit, international) == 0)
        *ret_unit = "[iU]";
    else
        return false;
    *ret = interval_scale(amount->value, of->strength);
    return true;
}

bool amount_of(const struct amount *amount, const struct medication_ingredient *ingredient,
               bool alone, struct interval *ret, const char **ret_unit, const char **ret_why)
{
    static const char *const names[] = { [AMOUNT_MASS] = "mg",
                                         [AMOUNT_UNITS] = "[iU]",
                                         [AMOUNT_PER_M2] = "mg/m2",
                                         [AMOUNT_PER_KG] = "mg/kg" };
    bool count = amount->unit && amount->unit->kind == AMOUNT_COUNT;

    *ret_why = amount->why;
    if (!amount->unit) return false;
    if (count || amount->unit->kind == AMOUNT_VOLUME) {
        *ret_why = "the strength of the product is not known";
        return by_strength(amount, ingredient, count ? "MG" : "MG/ML", count ? "UNT" : "UNT/ML",
                           ret, ret_unit);
    }
    *ret_why = "the dose does not say which ingredient it counts";
    if (!alone) return false;
    *ret_unit = names[amount->unit->kind];
    *ret = amount->value;
    return true;
}

void amount_words(const struct amount *amount, struct buf *out)
{
    if (!*amount->high) return;
    if (strcmp(amount->low, amount->high) != 0) buf_printf(out, "%.20s to ", amount->low);
    buf_printf(out, "%.20s", amount->high);
    if (*amount->shown) buf_printf(out, " %.40s", amount->shown);
}
