#include "fhir/medication_request.h"

#include <string.h>

#include "base/buf.h"
#include "fhir/datatype.h"
#include "fhir/dosage.h"
#include "fhir/medication.h"

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0) return true;
    return false;
}

/* ---- state */

/* What the status alone says. */
static enum order_state state_of_status(const char *status, const char **ret_why)
{
    static const char *const ended[] = { "stopped", "completed", "cancelled", "ended", NULL };

    *ret_why = "";
    if (!status) {
        *ret_why = "the order has no status";
        return ORDER_UNCLEAR;
    }
    if (strcmp(status, "active") == 0) return ORDER_ACTIVE;
    if (strcmp(status, "on-hold") == 0) return ORDER_HELD;
    if (strcmp(status, "draft") == 0) return ORDER_DRAFT;
    if (strcmp(status, "entered-in-error") == 0) return ORDER_REMOVED;
    if (is_one_of(status, ended)) return ORDER_ENDED;
    *ret_why = "the status of the order is not known";
    return ORDER_UNCLEAR;
}

static bool forbids(const struct node *at)
{
    const char *text = node_text(at, "doNotPerform"); /* some send booleans as strings */

    return node_true(at, "doNotPerform") || (text && strcmp(text, "true") == 0);
}

/* An order not to give a drug is never an exposure: ORDER_REMOVED, before anything else is asked.
 * A proposal, plan or option is no order yet. A modifier that we do not understand may turn the
 * meaning round, so the order is neither counted nor dismissed. */
static enum order_state state_of(const struct node *at, const struct medication *medication,
                                 const struct dosage *dosage, const char **ret_why)
{
    static const char *const no_order[] = { "proposal", "plan", "option", NULL };
    static const char *const order[] = { "order",        "original-order", "reflex-order",
                                         "filler-order", "instance-order", NULL };
    const char *intent = node_text(at, "intent");
    enum order_state state = state_of_status(node_text(at, "status"), ret_why);

    if (forbids(at)) {
        *ret_why = "an order not to give the drug";
        return ORDER_REMOVED;
    }
    if (state == ORDER_REMOVED || state == ORDER_DRAFT) return state;
    if (intent && is_one_of(intent, no_order)) {
        *ret_why = "";
        return ORDER_DRAFT;
    }
    if (datatype_has(at, "modifierExtension") || dosage->modified ||
        datatype_maybe_true(at, "doNotPerform"))
        *ret_why = "the order has a modifier that is not understood";
    else if (medication->doubt)
        *ret_why = medication->doubt;
    else if (datatype_has(at, "intent") && (!intent || !is_one_of(intent, order)))
        *ret_why = "the intent of the order is not known";
    else
        return state;
    return ORDER_UNCLEAR;
}

/* The end of the bounds; for an order that has ended (also when it is otherwise unclear) when it
 * did: when its status changed (R5); else the end of its bounds, where that
 * is not later than the last change of the resource; else that last change, which came at the end
 * or after it; INSTANT_UNSET: it has ended, and nothing says when. */
static int64_t ended_at(const struct node *at, int64_t bounds_end, int64_t updated_ms)
{
    const char *why;
    int64_t changed = datatype_start(at, "statusChanged", INSTANT_UNSET);

    if (state_of_status(node_text(at, "status"), &why) != ORDER_ENDED) return bounds_end;
    if (changed != INSTANT_UNSET) return changed;
    if (bounds_end != INSTANT_NEVER && (updated_ms == INSTANT_UNSET || bounds_end <= updated_ms))
        return bounds_end;
    return updated_ms;
}

/* ---- ingredients */

/* What is stated wins: an order for eye drops is local, whatever else the drug is used for. */
static void set_ingredients(const struct medication *medication, const struct dosage *dosage,
                            struct arena *arena, struct chart_order *order)
{
    struct chart_ingredient *list =
        arena_alloc(arena, (medication->count + 1) * sizeof *list); /* + 1: never empty */

    for (size_t i = 0; i < medication->count; i++) {
        const struct medication_ingredient *one = &medication->items[i];
        list[i] = (struct chart_ingredient){ one->concept, one->use, dosage->doses[i] };
        if (dosage->route != ROUTE_UNKNOWN) list[i].use = dosage->use;
    }
    order->ingredients = list;
    order->ingredient_count = medication->count;
    order->route = dosage->route;
    if (order->route == ROUTE_UNKNOWN && medication->count)
        order->route = medication->items[0].route;
}

static void add_reasons(const struct node *at, const char *key, const struct apply *apply,
                        struct concept_set *set)
{
    struct node list = node_get(at, key);
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        struct node inner = node_get(&item, "concept"); /* R5: a CodeableReference */
        apply_conditions(apply, inner.value ? &inner : &item, set);
    }
}

static void set_reasons(const struct node *at, const struct apply *apply, struct chart_order *order)
{
    static const char *const keys[] = { "reasonCode", "reason", "category", "courseOfTherapyType" };
    struct concept_set set = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) add_reasons(at, keys[i], apply, &set);
    order->reasons = apply_keep_set(apply, &set, &order->reason_count);
}

/* What the order calls the drug; else our words for what is in it; else its code. */
static const char *label_of(const struct medication *medication, const struct apply *apply)
{
    AUTO(buf_done) struct buf words = { 0 };

    if (*medication->label) return medication->label;
    for (size_t i = 0; i < medication->count; i++) {
        if (i) buf_text(&words, " and ");
        buf_text(&words, concept_words(apply->knowledge, medication->items[i].concept));
    }
    if (!words.len)
        return strcmp(medication->unmapped, "text only") == 0 ? "a drug without a name"
                                                              : medication->unmapped;
    return datatype_keep(&apply->chart->arena, buf_string(&words), DATATYPE_WORDS_MAX);
}

/* ---- */

static int64_t expiry_of(const struct node *at)
{
    struct node dispense = node_get(at, "dispenseRequest");
    struct node validity = node_get(&dispense, "validityPeriod");

    return datatype_end(&validity, "end", INSTANT_NEVER);
}

bool medication_request_apply(const struct node *at, const struct apply *apply, struct err *err)
{
    struct arena *arena = &apply->chart->arena;
    struct chart_order order = { .source = apply->source, .expiry_ms = expiry_of(at) };
    struct medication medication = { .label = "" };
    struct dosage dosage;

    (void)err; /* an order that says little is an order still */
    order.authored_ms = datatype_start(at, "authoredOn", INSTANT_UNSET);
    medication_read(at, apply->knowledge, apply->library, arena, &medication);
    dosage_read(at, &medication, apply->knowledge, order.authored_ms, arena, &dosage);
    order.state = state_of(at, &medication, &dosage, &order.why);
    order.by_name = medication.by_name;
    order.other = medication.other;
    order.label = label_of(&medication, apply);
    order.unmapped = medication.count ? NULL : medication.unmapped;
    if (apply->ret_unmapped) *apply->ret_unmapped = medication.unmapped;
    set_ingredients(&medication, &dosage, arena, &order);
    set_reasons(at, apply, &order);
    order.dosage = dosage.words;
    order.start_ms = dosage.start_ms;
    order.start_span_ms = dosage.start_span_ms;
    order.times = dosage.times;
    order.end_ms = ended_at(at, dosage.end_ms, apply->source.updated_ms);
    order.as_needed = dosage.as_needed;
    order.continuous = dosage.continuous;
    order.pause_said = dosage.pause_said;
    chart_add_order(apply->chart, &order);
    return true;
}
