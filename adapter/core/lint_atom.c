/* What follows from what between clauses without parts. */
#include <string.h>

#include "core/lint_impl.h"

static bool same_set(const struct concept_set *a, const struct concept_set *b)
{
    return a->count == b->count && concept_set_within(a, b);
}

static bool same_length(struct duration a, struct duration b)
{
    return a.months == b.months && a.ms == b.ms;
}

/* ---- results */

static bool of_lowest(const struct result_clause *result)
{
    return result->relation == RESULT_TIMES_LOWEST || result->relation == RESULT_RISE_LOWEST;
}

/* Is the same number compared, and with the same? */
static bool same_value(const struct result_clause *a, const struct result_clause *b)
{
    return a->analyte == b->analyte && a->baseline == b->baseline && a->coded == b->coded &&
           a->relation == b->relation && same_set(&a->course, &b->course) &&
           (!of_lowest(a) || same_length(a->lowest_in, b->lowest_in));
}

static bool as_recent(const struct result_clause *a, const struct result_clause *b)
{
    return b->any_age || (!a->any_age && duration_at_most(a->within, b->within));
}

static bool result_implies(const struct clause *one, const struct clause *other)
{
    const struct result_clause *a = &one->result, *b = &other->result;
    struct interval inner = span_of(&a->threshold), outer = span_of(&b->threshold);

    if (!same_value(a, b) || !as_recent(a, b)) return false;
    return a->coded ? a->coded_wanted == b->coded_wanted : span_within(&inner, &outer);
}

/* The newest one is meant by both, however old each lets it be. */
static bool result_excludes(const struct clause *one, const struct clause *other)
{
    const struct result_clause *a = &one->result, *b = &other->result;
    struct interval left = span_of(&a->threshold), right = span_of(&b->threshold);

    if (!same_value(a, b)) return false;
    return a->coded ? a->coded_wanted != b->coded_wanted : span_disjoint(&left, &right);
}

static bool spans_cover(struct interval a, struct interval b)
{
    const struct interval all = span_all(), both[] = { a, b };

    return span_covered(&all, both, 2);
}

static bool result_covers(const struct clause *one, const struct clause *other)
{
    const struct result_clause *a = &one->result, *b = &other->result;

    return !a->coded && same_value(a, b) && a->any_age == b->any_age &&
           same_length(a->within, b->within) &&
           spans_cover(span_of(&a->threshold), span_of(&b->threshold));
}

/* ---- gaps: no result since then */

static bool gap_excludes(const struct gap_clause *gap, const struct result_clause *result)
{
    if (gap->analyte != result->analyte) return false;
    if (gap->ever) return true;
    if (result->any_age) return false;
    for (size_t i = 0; i < gap->step_count; i++)
        if (!duration_at_most(result->within, gap->steps[i].within)) return false;
    return true;
}

static bool same_steps(const struct gap_clause *a, const struct gap_clause *b)
{
    if (a->step_count != b->step_count) return false;
    for (size_t i = 0; i < a->step_count; i++)
        if (a->steps[i].last != b->steps[i].last ||
            !same_length(a->steps[i].within, b->steps[i].within) ||
            (!a->steps[i].last && !same_length(a->steps[i].until, b->steps[i].until)))
            return false;
    return true;
}

static bool gap_implies(const struct clause *one, const struct clause *other)
{
    const struct gap_clause *a = &one->gap, *b = &other->gap;

    if (a->analyte != b->analyte) return false;
    if (b->dose_days && !a->dose_days) return false;
    if (b->ever) return a->ever;
    if (a->ever) return b->at_once && b->step_count == 1;
    if (!a->at_once && !b->at_once) return same_steps(a, b);
    if (a->step_count > 1 || b->step_count > 1) return b->at_once && same_steps(a, b);
    return b->at_once && duration_at_most(b->steps[0].within, a->steps[0].within);
}

/* ---- courses */

static bool course_implies(const struct clause *one, const struct clause *other)
{
    const struct course_clause *a = &one->course, *b = &other->course;
    struct interval inner = span_of(&a->length), outer = span_of(&b->length);

    if (!same_set(&a->drugs, &b->drugs) || a->cycle != b->cycle) return false;
    if (!a->cycle) return span_within(&inner, &outer);
    return same_length(a->cycle_length, b->cycle_length) &&
           duration_at_most(a->cycle_window, b->cycle_window);
}

static bool course_excludes(const struct clause *one, const struct clause *other)
{
    const struct course_clause *a = &one->course, *b = &other->course;
    struct interval left = span_of(&a->length), right = span_of(&b->length);

    return same_set(&a->drugs, &b->drugs) && !a->cycle && !b->cycle && span_disjoint(&left, &right);
}

/* ---- ceilings: the same table */

static bool same_limit(const struct ceiling_limit *a, const struct ceiling_limit *b)
{
    return a->given == b->given && a->times_upper == b->times_upper &&
           (!a->given || strcmp(a->limit.words, b->limit.words) == 0);
}

static bool same_row(const struct ceiling_row *a, const struct ceiling_row *b)
{
    return !a->also && !b->also && same_limit(&a->when, &b->when) &&
           strcmp(a->words, b->words) == 0;
}

static bool ceiling_implies(const struct clause *one, const struct clause *other)
{
    const struct ceiling_clause *a = &one->ceiling, *b = &other->ceiling;

    if (!concept_set_within(&a->drugs, &b->drugs) || a->by_age != b->by_age ||
        a->measure != b->measure || !duration_at_most(a->within, b->within) ||
        !same_limit(&a->asked, &b->asked) || a->row_count != b->row_count)
        return false;
    for (size_t i = 0; i < a->row_count; i++)
        if (!same_row(&a->rows[i], &b->rows[i])) return false;
    return true;
}

/* ---- orders and conditions: asked for, or for their absence */

static bool condition_within(const struct condition_clause *a, const struct condition_clause *b)
{
    return concept_set_within(&a->concepts, &b->concepts) && (b->ever || !a->ever) &&
           (!b->has_within || (a->has_within && duration_at_most(a->within, b->within)));
}

/* Which of the two asks for no more than the other? */
struct polar {
    bool a_absent, b_absent, a_within_b, b_within_a;
};

static struct polar orders_of(const struct clause *a, const struct clause *b)
{
    return (struct polar){ a->order.absent, b->order.absent, order_within(&a->order, &b->order),
                           order_within(&b->order, &a->order) };
}

static struct polar conditions_of(const struct clause *a, const struct clause *b)
{
    return (struct polar){ a->condition.absent, b->condition.absent,
                           condition_within(&a->condition, &b->condition),
                           condition_within(&b->condition, &a->condition) };
}

static bool polar_implies(struct polar at)
{
    return at.a_absent == at.b_absent && (at.a_absent ? at.b_within_a : at.a_within_b);
}

static bool polar_excludes(struct polar at)
{
    return at.a_absent != at.b_absent && (at.a_absent ? at.b_within_a : at.a_within_b);
}

/* Together they cover all, when the one that is asked for is no more than the other. */
static bool polar_covers(struct polar at)
{
    return at.a_absent != at.b_absent && (at.a_absent ? at.a_within_b : at.b_within_a);
}

static bool order_implies(const struct clause *a, const struct clause *b)
{
    return polar_implies(orders_of(a, b));
}

static bool order_excludes(const struct clause *a, const struct clause *b)
{
    return polar_excludes(orders_of(a, b));
}

static bool order_covers(const struct clause *a, const struct clause *b)
{
    return polar_covers(orders_of(a, b));
}

static bool condition_implies(const struct clause *a, const struct clause *b)
{
    return polar_implies(conditions_of(a, b));
}

static bool condition_excludes(const struct clause *a, const struct clause *b)
{
    return polar_excludes(conditions_of(a, b));
}

static bool condition_covers(const struct clause *a, const struct clause *b)
{
    return polar_covers(conditions_of(a, b));
}

/* ---- what has one part */

static bool allergy_implies(const struct clause *a, const struct clause *b)
{
    return concept_set_within(&a->allergy.concepts, &b->allergy.concepts);
}

static bool computable_implies(const struct clause *a, const struct clause *b)
{
    return a->computable.measure == b->computable.measure &&
           duration_at_most(b->computable.within, a->computable.within);
}

static bool age_implies(const struct clause *a, const struct clause *b)
{
    struct interval inner = span_of_years(&a->age), outer = span_of_years(&b->age);

    return span_within(&inner, &outer);
}

static bool age_excludes(const struct clause *a, const struct clause *b)
{
    struct interval left = span_of_years(&a->age), right = span_of_years(&b->age);

    return span_disjoint(&left, &right);
}

static bool age_covers(const struct clause *a, const struct clause *b)
{
    return spans_cover(span_of_years(&a->age), span_of_years(&b->age));
}

static bool sex_same(const struct clause *a, const struct clause *b)
{
    return a->sex == b->sex;
}

static bool sex_other(const struct clause *a, const struct clause *b)
{
    return a->sex != b->sex;
}

static bool profile_same(const struct clause *a, const struct clause *b)
{
    return a->profile == b->profile;
}

static bool profile_other(const struct clause *a, const struct clause *b)
{
    return a->profile != b->profile;
}

/* ---- all kinds */

typedef bool relation_fn(const struct clause *a, const struct clause *b);

/* Between two clauses of one kind. NULL: it is not known of that kind, so it is not said. */
static const struct {
    relation_fn *implies, *excludes, *covers;
} relations[CLAUSE_KINDS] = {
    [CLAUSE_ORDER] = { order_implies, order_excludes, order_covers },
    [CLAUSE_CONDITION] = { condition_implies, condition_excludes, condition_covers },
    [CLAUSE_RESULT] = { result_implies, result_excludes, result_covers },
    [CLAUSE_AGE] = { age_implies, age_excludes, age_covers },
    [CLAUSE_SEX] = { sex_same, sex_other, sex_other },
    [CLAUSE_PROFILE] = { profile_same, profile_other, profile_other },
    [CLAUSE_COURSE] = { course_implies, course_excludes, NULL },
    [CLAUSE_ALLERGY] = { allergy_implies, NULL, NULL },
    [CLAUSE_GAP] = { gap_implies, NULL, NULL },
    [CLAUSE_CEILING] = { ceiling_implies, NULL, NULL },
    [CLAUSE_COMPUTABLE] = { computable_implies, NULL, NULL },
};

static bool holds(relation_fn *relation, const struct clause *a, const struct clause *b)
{
    return a->kind == b->kind && relation && relation(a, b);
}

bool atom_implies(const struct clause *a, const struct clause *b)
{
    return holds(relations[a->kind].implies, a, b);
}

/* A value that is there is neither missing nor impossible to compute. */
static bool value_excludes(const struct clause *value, const struct clause *b)
{
    const struct result_clause *result = &value->result;

    if (value->kind != CLAUSE_RESULT || result->baseline) return false;
    if (b->kind == CLAUSE_GAP) return gap_excludes(&b->gap, result);
    return b->kind == CLAUSE_COMPUTABLE && b->computable.measure == result->analyte &&
           !result->any_age && duration_at_most(result->within, b->computable.within);
}

bool atom_excludes(const struct clause *a, const struct clause *b)
{
    return value_excludes(a, b) || value_excludes(b, a) || holds(relations[a->kind].excludes, a, b);
}

bool atom_covers(const struct clause *a, const struct clause *b)
{
    return holds(relations[a->kind].covers, a, b);
}

/* ---- one alone */

const char *atom_never(const struct clause *clause)
{
    const struct order_clause *order = &clause->order;

    if (clause->kind != CLAUSE_ORDER || order->absent) return NULL;
    if (order->has_started_within && order->has_started_before &&
        duration_at_most(order->started_within, order->started_before))
        return "an order cannot start within a time and before it";
    return NULL;
}
