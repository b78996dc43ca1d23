#define _GNU_SOURCE /* strcasestr() */
#include "fhir/dosage.h"

#include <string.h>

#include "base/buf.h"
#include "fhir/amount.h"
#include "fhir/datatype.h"
#include "fhir/dose_limit.h"
#include "fhir/timing.h"

#define INSTRUCTIONS_MAX 40                 /* more are not read: then nothing is known */
#define CYCLE_MS         (28 * INSTANT_DAY) /* bounds shorter than this are part of a cycle */
#define TEXT_MAX         160                /* bytes shown of an instruction in free text */

struct instruction {
    const struct doc_value *value; /* of the Dosage, borrowed */
    struct amount amount;
    struct timing timing;
    const char *sequence; /* as sent, "" */
    const char *text;     /* "" */
    bool as_needed;
    bool pause_said; /* in free text */
    size_t group;    /* instructions of one group are taken together */
};

struct instructions {
    struct instruction items[INSTRUCTIONS_MAX];
    size_t count, groups;
};

/* ---- reading */

static bool is_as_needed(const struct node *at)
{
    return datatype_maybe_true(at, "asNeededBoolean") || datatype_maybe_true(at, "asNeeded") ||
           datatype_has(at, "asNeededCodeableConcept") || datatype_has(at, "asNeededFor");
}

/* Free text decides nothing, but it can say what would make "without a pause" wrong. */
static bool says_pause(const char *text)
{
    static const char *const words[] = { "cycle", "day 1", "days 1", "of 28", "of 21", " off" };

    for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
        if (strcasestr(text, words[i])) return true;
    return false;
}

static void read_instruction(const struct node *at, struct instruction *ret)
{
    struct node timing = node_get(at, "timing"), sequence = node_get(at, "sequence");
    const char *number = node_scalar(&sequence), *text = node_text(at, "text");

    ret->value = at->value;
    ret->amount = amount_read(at);
    timing_read(&timing, &ret->timing);
    ret->sequence = number ? number : "";
    ret->text = text ? text : "";
    ret->as_needed = is_as_needed(at) || ret->timing.as_needed;
    ret->pause_said = says_pause(text) || says_pause(node_text(at, "patientInstruction"));
}

static bool spans_meet(struct span a, struct span b)
{
    return a.start < b.end && b.start < a.end;
}

/* Taken together: the same sequence, and times that meet. */
static bool together(const struct instruction *a, const struct instruction *b)
{
    return strcmp(a->sequence, b->sequence) == 0 && spans_meet(a->timing.period, b->timing.period);
}

static void put_into_group(struct instructions *all, struct instruction *one)
{
    for (struct instruction *other = all->items; other < one; other++)
        if (together(one, other)) {
            one->group = other->group;
            return;
        }
    one->group = all->groups++;
}

/* ---- doses */

/* Closed intervals. */
static struct interval sum(const struct interval *a, const struct interval *b)
{
    return interval_hull(interval_exactly(decimal_add(a->low, b->low)),
                         interval_exactly(decimal_add(a->high, b->high)));
}

/* The dose of one ingredient by one instruction. As needed: up to what is stated. */
static struct dose dose_of(const struct instruction *one,
                           const struct medication_ingredient *ingredient, bool alone)
{
    struct node at = { .value = one->value, .offset = one->value->offset };
    struct dose dose = { .unit = "", .why = "" };

    dose.single_known =
        amount_of(&one->amount, ingredient, alone, &dose.single, &dose.unit, &dose.why);
    dose.daily_known = dose.single_known && one->timing.known;
    if (one->timing.known) {
        dose.hours = one->timing.hours;
        dose.every = one->timing.every;
    }
    if (dose.daily_known) {
        dose.daily = timing_daily(&one->timing, &dose.single);
        if (one->as_needed) dose.daily.low = DECIMAL_ZERO;
    }
    if (dose.single_known) dose.why = one->timing.why;
    if (!dose.single_known && *one->text && !one->amount.unit && !*one->amount.high)
        dose.why = "the dosage is free text";
    dose_limit_apply(&at, ingredient, alone, &dose);
    return dose;
}

/* Between administrations; two instructions at the same time may come close to each other. */
static struct interval hours_of_both(const struct interval *a, const struct interval *b,
                                     bool follows)
{
    struct decimal zero = DECIMAL_ZERO;
    struct interval hours = interval_exactly(zero); /* not known */

    if (decimal_compare(a->high, zero) == 0 || decimal_compare(b->high, zero) == 0) return hours;
    hours = interval_hull(*a, *b);
    if (!follows) hours.low = zero;
    return hours;
}

/* Both hold, one after the other (follows) or at the same time. */
static struct dose join(struct dose a, struct dose b, bool follows)
{
    bool same_unit = strcmp(a.unit, b.unit) == 0;
    struct dose dose = { .unit = *a.unit ? a.unit : b.unit, .why = *a.why ? a.why : b.why };

    dose.single_known = a.single_known && b.single_known && same_unit;
    dose.daily_known = a.daily_known && b.daily_known && same_unit;
    if (a.single_known && b.single_known && !same_unit) dose.why = "doses in several units";
    if (dose.single_known) dose.single = interval_hull(a.single, b.single);
    if (dose.daily_known)
        dose.daily = follows ? interval_hull(a.daily, b.daily) : sum(&a.daily, &b.daily);
    dose.hours = hours_of_both(&a.hours, &b.hours, follows);
    if (!dose.single_known && !dose.daily_known) dose.unit = "";
    return dose;
}

static struct dose dose_of_group(const struct instructions *all, size_t group,
                                 const struct medication_ingredient *ingredient, bool alone)
{
    struct dose dose = { .unit = "" };
    bool any = false;

    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].group != group) continue;
        struct dose one = dose_of(&all->items[i], ingredient, alone);
        dose = any ? join(dose, one, false) : one;
        any = true;
    }
    return dose;
}

static struct dose dose_of_all(const struct instructions *all,
                               const struct medication_ingredient *ingredient, bool alone)
{
    struct dose dose = { .unit = "", .why = "there is no dosage instruction" };

    for (size_t group = 0; group < all->groups; group++) {
        struct dose one = dose_of_group(all, group, ingredient, alone);
        dose = group > 0 ? join(dose, one, true) : one;
    }
    return dose;
}

/* ---- start and end */

static int64_t length_of(const struct instruction *one, int64_t from)
{
    return instant_add(from, one->timing.length, 1);
}

/* Lengths of earlier sequences come first: five days of this, then ten of that. */
static int64_t start_of_sequence(const struct instructions *all, const struct instruction *one,
                                 int64_t from)
{
    const char *counted = one->sequence;

    for (const struct instruction *i = all->items; i < one; i++) {
        if (strcmp(i->sequence, counted) == 0 || !i->timing.has_length) continue;
        from = length_of(i, from);
        counted = i->sequence;
    }
    return from;
}

static int64_t end_of(const struct instructions *all, const struct instruction *one,
                      int64_t authored_ms)
{
    int64_t from = one->timing.period.start;

    if (one->timing.period.end != INSTANT_NEVER) return one->timing.period.end;
    if (!one->timing.has_length) return INSTANT_NEVER;
    if (from == INSTANT_UNSET) from = start_of_sequence(all, one, authored_ms);
    return from == INSTANT_UNSET ? INSTANT_NEVER : length_of(one, from);
}

/* The earliest start and the latest end. One instruction without a start begins with the order
 * (INSTANT_UNSET is the least), one without an end leaves it open (INSTANT_NEVER is the most). */
static void read_bounds(const struct instructions *all, const struct node *order,
                        int64_t authored_ms, struct dosage *ret)
{
    struct node period = node_get(order, "effectiveDosePeriod"); /* R5 */

    ret->start_ms = datatype_start(&period, "start", INSTANT_UNSET);
    ret->start_span_ms = datatype_vague(&period, "start");
    ret->end_ms = datatype_end(&period, "end", INSTANT_NEVER);
    if (period.value || all->count == 0) return;
    ret->start_ms = INSTANT_NEVER;
    ret->end_ms = INSTANT_UNSET;
    for (size_t i = 0; i < all->count; i++) {
        int64_t start = all->items[i].timing.period.start;
        int64_t end = end_of(all, &all->items[i], authored_ms);
        if (start < ret->start_ms) {
            ret->start_ms = start;
            ret->start_span_ms = all->items[i].timing.start_span_ms;
        }
        if (end > ret->end_ms) ret->end_ms = end;
    }
}

/* ---- continuous */

/* Bounds shorter than a cycle, or than the interval between dispenses, are part of something that
 * is repeated after a pause. */
static int64_t least_length(const struct node *order)
{
    struct node dispense = node_get(order, "dispenseRequest");
    struct node interval = node_get(&dispense, "dispenseInterval");
    struct duration length;

    if (!datatype_duration(&interval, &length)) return CYCLE_MS;
    int64_t ms = instant_add(0, length, 1);
    return ms > CYCLE_MS ? ms : CYCLE_MS;
}

/* Daily, and no pause stated: what maintenance looks like. */
static bool is_continuous(const struct instructions *all, const struct node *order,
                          int64_t authored_ms, const struct dosage *ret)
{
    int64_t start = ret->start_ms != INSTANT_UNSET ? ret->start_ms : authored_ms;
    int64_t least = least_length(order);

    for (size_t i = 0; i < all->count; i++) {
        const struct timing *timing = &all->items[i].timing;
        if (!timing->every_day || timing->counted || all->items[i].as_needed) return false;
        if (all->items[i].pause_said) return false;
        if (timing->has_length && instant_add(0, timing->length, 1) < least) return false;
    }
    if (all->count == 0 || all->groups > 1) return false;
    if (ret->end_ms == INSTANT_NEVER) return true;
    return start != INSTANT_UNSET && ret->end_ms - start >= least;
}

/* ---- words */

/* "25 mg" as computed; as sent where nothing can be computed, or where ingredients differ. */
static void dose_words(const struct instruction *one, const struct medication *medication,
                       struct buf *out)
{
    struct dose dose = { .unit = "" };
    char low[64], high[64];

    if (medication->count == 1) dose = dose_of(one, &medication->items[0], !medication->unmapped);
    if (!dose.single_known) {
        amount_words(&one->amount, out);
        return;
    }
    decimal_text(dose.single.low, low, sizeof low);
    decimal_text(dose.single.high, high, sizeof high);
    if (!interval_is_exact(&dose.single)) buf_printf(out, "%s to ", low);
    buf_printf(out, "%s %s", high, strcmp(dose.unit, "[iU]") == 0 ? "units" : dose.unit);
}

static void instruction_words(const struct instruction *one, const struct medication *medication,
                              struct arena *arena, struct buf *out)
{
    size_t before = out->len;

    dose_words(one, medication, out);
    if (*one->timing.words)
        buf_printf(out, "%s%s", out->len > before ? " " : "", one->timing.words);
    bool said = out->len > before, enough = one->timing.known || one->timing.once;
    if (said && one->as_needed) buf_text(out, " as needed");
    if (*one->text && (!(said && enough) || one->pause_said)) /* the reader can read it */
        buf_printf(out, said ? " (%s)" : "%s", datatype_keep(arena, one->text, TEXT_MAX));
}

static const char *all_words(const struct instructions *all, const struct medication *medication,
                             struct arena *arena)
{
    AUTO(buf_done) struct buf words = { 0 };

    for (size_t i = 0; i < all->count; i++) {
        AUTO(buf_done) struct buf one = { 0 };
        instruction_words(&all->items[i], medication, arena, &one);
        if (words.len && one.len)
            buf_text(&words, all->items[i].group == all->items[i - 1].group ? " and " : ", then ");
        buf_text(&words, buf_string(&one));
    }
    return datatype_keep(arena, buf_string(&words), 4 * DATATYPE_WORDS_MAX);
}

/* ---- routes */

/* The first route that is known; of several instructions, one that reaches the whole body. False
 * when this one states none that is known. */
static bool read_route(const struct node *at, const struct knowledge *knowledge, struct dosage *ret)
{
    struct node concept = node_get(at, "route");
    size_t count = datatype_coding_count(&concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(&concept, i);
        enum drug_use use = USE_SYSTEMIC;
        enum drug_route route = knowledge_route(knowledge, coding.system, coding.code, &use);
        if (route == ROUTE_UNKNOWN) continue;
        if (ret->route == ROUTE_UNKNOWN || (ret->use == USE_LOCAL && use == USE_SYSTEMIC)) {
            ret->route = route;
            ret->use = use;
        }
        return true;
    }
    return false;
}

/* ---- */

static struct day_times times_of_all(const struct instructions *all)
{
    struct day_times times = { .known = false };

    for (size_t i = 0; i < all->count; i++)
        times = i ? day_times_join(&times, &all->items[i].timing.day_times)
                  : all->items[i].timing.day_times;
    return times;
}

static void read_all(const struct node *list, const struct knowledge *knowledge,
                     struct instructions *all, struct dosage *ret)
{
    size_t count = datatype_count(list);
    bool routed = true;

    ret->as_needed = count > 0;
    for (size_t i = 0; i < count && i < INSTRUCTIONS_MAX; i++) {
        struct node item = datatype_item(list, i);
        struct instruction *one = &all->items[all->count++];
        read_instruction(&item, one);
        put_into_group(all, one);
        routed = read_route(&item, knowledge, ret) && routed;
        if (!one->as_needed) ret->as_needed = false;
        if (one->pause_said) ret->pause_said = true;
        if (datatype_has(&item, "modifierExtension")) ret->modified = true;
    }
    if (!routed && ret->use == USE_LOCAL) /* the others may go elsewhere */
        ret->route = ROUTE_UNKNOWN;
}

void dosage_read(const struct node *order, const struct medication *medication,
                 const struct knowledge *knowledge, int64_t authored_ms, struct arena *arena,
                 struct dosage *ret)
{
    struct node list = node_get(order, "dosageInstruction");
    bool alone = medication->count == 1 && !medication->unmapped;
    struct instructions all = { .count = 0 };

    *ret = (struct dosage){ .route = ROUTE_UNKNOWN };
    read_all(&list, knowledge, &all, ret);
    bool cut = datatype_count(&list) > INSTRUCTIONS_MAX;
    for (size_t i = 0; i < medication->count; i++) {
        ret->doses[i] = dose_of_all(&all, &medication->items[i], alone);
        if (cut || ret->modified)
            ret->doses[i] = (struct dose){ .unit = "", .why = "the dosage cannot be read" };
    }
    read_bounds(&all, order, authored_ms, ret);
    if (cut) ret->end_ms = INSTANT_NEVER;
    ret->times = times_of_all(&all);
    if (cut || ret->modified) ret->times.known = false;
    ret->continuous = !cut && !ret->modified && is_continuous(&all, order, authored_ms, ret);
    ret->words = all_words(&all, medication, arena);
}
