/* Reading order clauses. */
#include <string.h>

#include "base/mem.h"
#include "core/clause_read.h"
#include "core/knowledge_impl.h"

static const char *const dose_units[] = { "mg", "mg/m2", "mg/kg", "[iU]", NULL };

static bool routes_read(struct rule_reader *reader, const struct node *at, uint32_t *ret)
{
    struct node value = node_get(at, "route");
    size_t count = node_is(&value, DOC_ARRAY) ? node_count(&value) : 1;

    for (size_t i = 0; i < count; i++) {
        struct node item = node_is(&value, DOC_ARRAY) ? node_item(&value, i) : value;
        enum drug_route route;
        const char *name = node_scalar(&item);
        if (!name || !drug_route_parse(name, &route))
            return rule_problem(reader, &item, "use a route of codes/routes.csv",
                                "\"%s\" is no route", name ? name : "");
        *ret |= UINT32_C(1) << route;
    }
    return true;
}

/* Keep the length beside its drug: linger[] goes with linger_drugs.items[]. */
static void linger_keep(struct order_clause *order, unsigned drug, struct duration length)
{
    size_t at = 0, count;

    if (concept_set_has(&order->linger_drugs, drug)) return;
    concept_set_add(&order->linger_drugs, drug);
    count = order->linger_drugs.count;
    while (order->linger_drugs.items[at] != drug) at++;
    order->linger = mem_resize(order->linger, count * sizeof *order->linger);
    memmove(order->linger + at + 1, order->linger + at, (count - 1 - at) * sizeof *order->linger);
    order->linger[at] = length;
}

static bool linger_read(struct rule_reader *reader, const struct node *map, const struct node *item,
                        struct order_clause *order)
{
    struct concept_set set = { 0 };
    struct duration length = { 0 };
    const char *near;
    bool good = true;

    if (!knowledge_expand(reader->knowledge, CONCEPT_DRUG, item->key, &set, &near))
        good = word_unknown(reader, item, item->key, near);
    good = good && duration_read(reader, map, item->key, &length);
    for (size_t i = 0; good && i < set.count; i++) {
        if (!concept_set_has(&order->drugs, set.items[i]))
            good = rule_problem(reader, item, "", "%s is none of the drugs of this clause",
                                concept_name(reader->knowledge, set.items[i]));
        linger_keep(order, set.items[i], length);
    }
    concept_set_done(&set);
    return good;
}

static bool lingers_read(struct rule_reader *reader, const struct node *at,
                         struct order_clause *order)
{
    struct node map = node_get(at, "lingers");
    bool good = true;

    if (!node_is(&map, DOC_OBJECT))
        return rule_problem(reader, &map, "write {\"drug\": \"2 d\"}", "\"lingers\" is no object");
    for (size_t i = 0; i < node_count(&map); i++) {
        struct node item = node_member(&map, i);
        good &= linger_read(reader, &map, &item, order);
    }
    return good;
}

static bool order_times_read(struct rule_reader *reader, const struct node *at,
                             struct order_clause *order)
{
    bool good = true;

    good &= duration_maybe(reader, at, "startedWithin", &order->has_started_within,
                           &order->started_within);
    good &= duration_maybe(reader, at, "startedBefore", &order->has_started_before,
                           &order->started_before);
    good &=
        duration_maybe(reader, at, "endedWithin", &order->has_ended_within, &order->ended_within);
    good &= duration_maybe(reader, at, "overlap", &order->has_overlap, &order->overlap);
    return good;
}

/* One clause has one unit of dose. */
static bool dose_unit_keep(struct rule_reader *reader, const struct node *at, const char *unit,
                           struct order_clause *order)
{
    if (order->dose_unit && strcmp(unit, order->dose_unit) != 0)
        return rule_problem(reader, at, "", "the doses are in different units");
    order->dose_unit = unit;
    return true;
}

static bool dose_read(struct rule_reader *reader, const struct node *at, const char *key,
                      struct order_clause *order, bool *ret_has, struct threshold *ret)
{
    struct node value = node_get(at, key);
    const char *unit;

    *ret_has = value.value != NULL;
    return !*ret_has || (threshold_in(reader, at, key, dose_units, ret, &unit) &&
                         dose_unit_keep(reader, &value, unit, order));
}

/* "mg in 28 d": the unit and the span behind a threshold. */
static bool total_parse(const char *rest, const char **ret_unit, struct duration *ret_span)
{
    const char *in = strstr(rest, " in ");

    if (!in || !duration_parse(in + 4, ret_span) || ret_span->months || ret_span->ms <= 0)
        return false;
    for (size_t i = 0; dose_units[i]; i++) {
        size_t n = strlen(dose_units[i]);
        if ((size_t)(in - rest) != n || strncmp(rest, dose_units[i], n) != 0) continue;
        *ret_unit = dose_units[i];
        return true;
    }
    return false;
}

static bool total_read(struct rule_reader *reader, const struct node *at,
                       struct order_clause *order)
{
    struct node value = node_get(at, "total");
    const char *text, *rest, *unit;

    order->has_total = value.value != NULL;
    if (!order->has_total) return true;
    if (!(text = key_text(reader, at, "total"))) return false;
    if (!threshold_parse(text, &order->total, &rest) ||
        !total_parse(rest, &unit, &order->total_span))
        return rule_problem(reader, &value, "write \"at least 160 mg in 28 d\"",
                            "\"%s\" is no dose in a span of time", text);
    order->total.words = word_keep(reader, text);
    return dose_unit_keep(reader, &value, unit, order);
}

static bool order_doses_read(struct rule_reader *reader, const struct node *at,
                             struct order_clause *order)
{
    return dose_read(reader, at, "single", order, &order->has_single, &order->single) &&
           dose_read(reader, at, "daily", order, &order->has_daily, &order->daily) &&
           total_read(reader, at, order);
}

static bool wanted_read(struct rule_reader *reader, const struct node *at,
                        struct order_clause *order)
{
    static const char *const names[] = {
        "active", "held", "active or held", "active or planned", "planned", "ended", NULL
    };
    struct err err;
    size_t which = 0;

    if (key_has(at, "is") && !node_enum(at, "is", names, &which, &err))
        return rule_problem_err(reader, &err);
    order->wanted = (enum order_wanted)which;
    return true;
}

/* "startsWithin": "24 h", "of": NAMES; "sameTimeAs": NAMES */
static bool pairs_read(struct rule_reader *reader, const struct node *at,
                       struct order_clause *order)
{
    struct pair_clause *starts = &order->starts, *times = &order->times;
    struct node length = node_get(at, "startsWithin");
    bool good = keys_need(reader, at, "startsWithin", "of");

    good &= keys_need(reader, at, "of", "startsWithin");
    starts->given = length.value && key_has(at, "of");
    times->given = times->same_time = key_has(at, "sameTimeAs");
    if (times->given)
        good &= words_read(reader, at, "sameTimeAs", CONCEPT_DRUG, &times->drugs, &times->words);
    if (!starts->given) return good;
    good &= words_read(reader, at, "of", CONCEPT_DRUG, &starts->drugs, &starts->words);
    if (!duration_read(reader, at, "startsWithin", &starts->length)) return false;
    if (starts->length.months || starts->length.ms <= 0)
        return rule_problem(reader, &length, "give it in hours or days",
                            "the starts must lie a fixed time apart");
    return good;
}

static bool order_options_read(struct rule_reader *reader, const struct node *at,
                               struct order_clause *order)
{
    static const char *const uses[] = { "systemic", "any", NULL };
    static const char *const as[] = { "each", "together", NULL };
    struct err err;
    size_t use = 0, together = 0;
    int64_t at_least = 1;
    bool good = wanted_read(reader, at, order);

    if (key_has(at, "use") && !node_enum(at, "use", uses, &use, &err))
        good = rule_problem_err(reader, &err);
    if (key_has(at, "as") && !node_enum(at, "as", as, &together, &err))
        good = rule_problem_err(reader, &err);
    if (key_has(at, "different") && !node_int(at, "different", 2, 10, &at_least, &err))
        good = rule_problem_err(reader, &err);
    order->any_use = use == 1;
    order->together = together == 1;
    order->at_least = (unsigned)at_least;
    order->continuous = node_true(at, "continuous");
    return good;
}

static bool except_read(struct rule_reader *reader, const struct node *at,
                        struct order_clause *order)
{
    struct concept_set except = { 0 }, left = { 0 };
    struct node value = node_get(at, "except");
    bool good = words_read(reader, at, "except", CONCEPT_DRUG, &except, &order->except_words);

    for (size_t i = 0; i < order->drugs.count; i++)
        if (!concept_set_has(&except, order->drugs.items[i]))
            concept_set_add(&left, order->drugs.items[i]);
    concept_set_done(&order->drugs);
    concept_set_done(&except);
    order->drugs = left;
    if (good && !left.count) good = rule_problem(reader, &value, "", "\"except\" leaves no drug");
    return good;
}

/* What would be read and then not matter. */
static bool order_keys_check(struct rule_reader *reader, const struct node *at,
                             const struct order_clause *order)
{
    struct node ended = node_get(at, "endedWithin");
    bool good = keys_exclude(reader, at, "order", "noOrder");

    good &= keys_need(reader, at, "overlap", "different");
    good &= keys_exclude(reader, at, "as", "noOrder");
    if (order->has_ended_within && order->wanted != ORDER_WANT_ENDED)
        good = rule_problem(reader, &ended, "add \"is\": \"ended\"",
                            "only an order that ended can have ended within a time");
    return good;
}

/* The next of the clauses that name a subject of the rule. */
static bool order_bind(struct rule_reader *reader, const struct node *at,
                       struct order_clause *order)
{
    order->binding = BINDING_NONE;
    if (!reader->binding || order->absent || order->at_least > 1 || order->together) return true;
    if (reader->bindings == BINDING_MAX)
        return rule_problem(reader, at, "use \"as\": \"together\"",
                            "more than %d order clauses name a subject", BINDING_MAX);
    order->binding = reader->bindings++;
    return true;
}

bool order_clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "order",
                                        "noOrder",
                                        "except",
                                        "is",
                                        "route",
                                        "use",
                                        "single",
                                        "daily",
                                        "continuous",
                                        "startedWithin",
                                        "startedBefore",
                                        "endedWithin",
                                        "lingers",
                                        "different",
                                        "overlap",
                                        "as",
                                        "total",
                                        "startsWithin",
                                        "of",
                                        "sameTimeAs",
                                        NULL };
    struct order_clause *order = &ret->order;
    bool good;

    ret->kind = CLAUSE_ORDER;
    order->absent = key_has(at, "noOrder");
    good = keys_only(reader, at, keys);
    good &= words_read(reader, at, order->absent ? "noOrder" : "order", CONCEPT_DRUG, &order->drugs,
                       &order->words);
    if (good && key_has(at, "except")) good &= except_read(reader, at, order);
    if (key_has(at, "route")) good &= routes_read(reader, at, &order->routes);
    if (good && key_has(at, "lingers")) good &= lingers_read(reader, at, order);
    good &= order_options_read(reader, at, order);
    good &= order_times_read(reader, at, order);
    good &= order_doses_read(reader, at, order);
    good &= pairs_read(reader, at, order);
    good &= order_keys_check(reader, at, order);
    return order_bind(reader, at, order) && good;
}
