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

static bool result_implies(const struct result_clause *a, const struct result_clause *b)
{
    struct interval inner = span_of(&a->threshold), outer = span_of(&b->threshold);

    if (!same_value(a, b) || !as_recent(a, b)) return false;
    return a->coded ? a->coded_wanted == b->coded_wanted : span_within(&inner, &outer);
}

/* The newest one is meant by both, however old each lets it be. */
static bool result_excludes(const struct result_clause *a, const struct result_clause *b)
{
    struct interval one = span_of(&a->threshold), other = span_of(&b->threshold);

    if (!same_value(a, b)) return false;
    return a->coded ? a->coded_wanted != b->coded_wanted : span_disjoint(&one, &other);
}

static bool spans_cover(struct interval a, struct interval b)
{
    const struct interval all = span_all(), both[] = { a, b };

    return span_covered(&all, both, 2);
}

static bool result_covers(const struct result_clause *a, const struct result_clause *b)
{
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

static bool gap_implies(const struct gap_clause *a, const struct gap_clause *b)
{
    if (a->analyte != b->analyte) return false;
    if (b->dose_days && !a->dose_days) return false;
    if (b->ever) return a->ever;
    if (a->ever) return b->at_once && b->step_count == 1;
    if (!a->at_once && !b->at_once) return same_steps(a, b);
    if (a->step_count > 1 || b->step_count > 1) return b->at_once && same_steps(a, b);
    return b->at_once && duration_at_most(b->steps[0].within, a->steps[0].within);
}

/* ---- conditions, allergies, courses */

static bool condition_within(const struct condition_clause *a, const struct condition_clause *b)
{
    return concept_set_within(&a->concepts, &b->concepts) && (b->ever || !a->ever) &&
           (!b->has_within || (a->has_within && duration_at_most(a->within, b->within)));
}

static bool course_implies(const struct course_clause *a, const struct course_clause *b)
{
    struct interval inner = span_of(&a->length), outer = span_of(&b->length);

    if (!same_set(&a->drugs, &b->drugs) || a->cycle != b->cycle) return false;
    if (!a->cycle) return span_within(&inner, &outer);
    return same_length(a->cycle_length, b->cycle_length) &&
           duration_at_most(a->cycle_window, b->cycle_window);
}

static bool course_excludes(const struct course_clause *a, const struct course_clause *b)
{
    struct interval one = span_of(&a->length), other = span_of(&b->length);

    return same_set(&a->drugs, &b->drugs) && !a->cycle && !b->cycle && span_disjoint(&one, &other);
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

static bool ceiling_implies(const struct ceiling_clause *a, const struct ceiling_clause *b)
{
    if (!concept_set_within(&a->drugs, &b->drugs) || a->by_age != b->by_age ||
        a->measure != b->measure || !duration_at_most(a->within, b->within) ||
        !same_limit(&a->asked, &b->asked) || a->row_count != b->row_count)
        return false;
    for (size_t i = 0; i < a->row_count; i++)
        if (!same_row(&a->rows[i], &b->rows[i])) return false;
    return true;
}

/* ---- all kinds */

static bool polar_implies(bool a_absent, bool b_absent, bool a_within_b, bool b_within_a)
{
    if (a_absent != b_absent) return false;
    return a_absent ? b_within_a : a_within_b;
}

static bool same_kind_implies(const struct clause *a, const struct clause *b)
{
    struct interval inner, outer;

    switch (a->kind) {
    case CLAUSE_ORDER:
        return polar_implies(a->order.absent, b->order.absent, order_within(&a->order, &b->order),
                             order_within(&b->order, &a->order));
    case CLAUSE_CONDITION:
        return polar_implies(a->condition.absent, b->condition.absent,
                             condition_within(&a->condition, &b->condition),
                             condition_within(&b->condition, &a->condition));
    case CLAUSE_ALLERGY:
        return concept_set_within(&a->allergy.concepts, &b->allergy.concepts);
    case CLAUSE_RESULT:
        return result_implies(&a->result, &b->result);
    case CLAUSE_GAP:
        return gap_implies(&a->gap, &b->gap);
    case CLAUSE_AGE:
        inner = span_of_years(&a->age);
        outer = span_of_years(&b->age);
        return span_within(&inner, &outer);
    case CLAUSE_SEX:
        return a->sex == b->sex;
    case CLAUSE_PROFILE:
        return a->profile == b->profile;
    case CLAUSE_COURSE:
        return course_implies(&a->course, &b->course);
    case CLAUSE_CEILING:
        return ceiling_implies(&a->ceiling, &b->ceiling);
    case CLAUSE_COMPUTABLE:
        return a->computable.measure == b->computable.measure &&
               duration_at_most(b->computable.within, a->computable.within);
    case CLAUSE_ALL:
    case CLAUSE_ANY:
    case CLAUSE_NOT:
    case CLAUSE_COUNT:
    case CLAUSE_UNLESS:
    case CLAUSE_MAYBE:
    case CLAUSE_DEFINITION:
        break;
    }
    return false;
}

bool atom_implies(const struct clause *a, const struct clause *b)
{
    return a->kind == b->kind && same_kind_implies(a, b);
}

static bool same_kind_excludes(const struct clause *a, const struct clause *b)
{
    struct interval one, other;

    switch (a->kind) {
    case CLAUSE_ORDER:
        if (a->order.absent == b->order.absent) return false;
        return a->order.absent ? order_within(&b->order, &a->order)
                               : order_within(&a->order, &b->order);
    case CLAUSE_CONDITION:
        if (a->condition.absent == b->condition.absent) return false;
        return a->condition.absent ? condition_within(&b->condition, &a->condition)
                                   : condition_within(&a->condition, &b->condition);
    case CLAUSE_RESULT:
        return result_excludes(&a->result, &b->result);
    case CLAUSE_AGE:
        one = span_of_years(&a->age);
        other = span_of_years(&b->age);
        return span_disjoint(&one, &other);
    case CLAUSE_SEX:
        return a->sex != b->sex;
    case CLAUSE_PROFILE:
        return a->profile != b->profile;
    case CLAUSE_COURSE:
        return course_excludes(&a->course, &b->course);
    case CLAUSE_GAP:
    case CLAUSE_ALLERGY:
    case CLAUSE_CEILING:
    case CLAUSE_COMPUTABLE:
    case CLAUSE_ALL:
    case CLAUSE_ANY:
    case CLAUSE_NOT:
    case CLAUSE_COUNT:
    case CLAUSE_UNLESS:
    case CLAUSE_MAYBE:
    case CLAUSE_DEFINITION:
        break;
    }
    return false;
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
    return value_excludes(a, b) || value_excludes(b, a) ||
           (a->kind == b->kind && same_kind_excludes(a, b));
}

/* One asks for it, the other for its absence: together they cover all, when the one asks for no more
 * than the other. */
static bool polar_covers(bool a_absent, bool b_absent, bool a_within_b, bool b_within_a)
{
    if (a_absent == b_absent) return false;
    return a_absent ? a_within_b : b_within_a;
}

bool atom_covers(const struct clause *a, const struct clause *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case CLAUSE_ORDER:
        return polar_covers(a->order.absent, b->order.absent, order_within(&a->order, &b->order),
                            order_within(&b->order, &a->order));
    case CLAUSE_CONDITION:
        return polar_covers(a->condition.absent, b->condition.absent,
                            condition_within(&a->condition, &b->condition),
                            condition_within(&b->condition, &a->condition));
    case CLAUSE_RESULT:
        return result_covers(&a->result, &b->result);
    case CLAUSE_AGE:
        return spans_cover(span_of_years(&a->age), span_of_years(&b->age));
    case CLAUSE_SEX:
        return a->sex != b->sex;
    case CLAUSE_PROFILE:
        return a->profile != b->profile;
    case CLAUSE_GAP:
    case CLAUSE_COURSE:
    case CLAUSE_ALLERGY:
    case CLAUSE_CEILING:
    case CLAUSE_COMPUTABLE:
    case CLAUSE_ALL:
    case CLAUSE_ANY:
    case CLAUSE_NOT:
    case CLAUSE_COUNT:
    case CLAUSE_UNLESS:
    case CLAUSE_MAYBE:
    case CLAUSE_DEFINITION:
        break;
    }
    return false;
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
