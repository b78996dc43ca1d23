/* Rows of a ceiling that are never chosen: the first that fits is the maximum. */
#include <stdlib.h>

#include "base/mem.h"
#include "core/lint_impl.h"

/* A row without "when" fits every value. */
static struct interval limit_span(const struct ceiling_clause *ceiling,
                                  const struct ceiling_limit *limit)
{
    if (!limit->given) return span_all();
    return ceiling->by_age ? span_of_years(&limit->limit) : span_of(&limit->limit);
}

/* Does it say something of values (or of multiples of the upper limit)? One without limit of both. */
static bool is_on(const struct ceiling_limit *limit, bool times_upper)
{
    return !limit->given || limit->times_upper == times_upper;
}

/* What lies to both sides of a span. */
static size_t outside(const struct interval *at, struct interval *ret)
{
    size_t count = 0;

    if (!at->low_none)
        ret[count++] =
            (struct interval){ .low_none = true, .high = at->low, .high_open = !at->low_open };
    if (!at->high_none)
        ret[count++] =
            (struct interval){ .low = at->high, .low_open = !at->high_open, .high_none = true };
    return count;
}

/* Do the rows before this one leave nothing of the values (or multiples) that the table is asked for? */
static bool is_taken(const struct ceiling_clause *ceiling, size_t row, bool times_upper)
{
    const struct ceiling_limit *when = &ceiling->rows[row].when;
    struct interval *before = mem_zero(row + 2, sizeof *before), at = limit_span(ceiling, when);
    struct interval asked = limit_span(ceiling, &ceiling->asked);
    size_t count = is_on(&ceiling->asked, times_upper) ? outside(&asked, before) : 0;
    bool taken;

    for (size_t i = 0; i < row; i++)
        if (!ceiling->rows[i].also && is_on(&ceiling->rows[i].when, times_upper))
            before[count++] = limit_span(ceiling, &ceiling->rows[i].when);
    taken = is_on(when, times_upper) && span_covered(&at, before, count);
    free(before);
    return taken;
}

static bool is_unasked(const struct ceiling_clause *ceiling, size_t row)
{
    struct interval asked = limit_span(ceiling, &ceiling->asked);
    struct interval at = limit_span(ceiling, &ceiling->rows[row].when);

    return is_on(&ceiling->asked, ceiling->rows[row].when.times_upper) &&
           span_disjoint(&asked, &at);
}

void lint_ceiling(struct linter *linter, const struct clause *clause)
{
    const struct ceiling_clause *ceiling = &clause->ceiling;

    for (size_t i = 0; i < ceiling->row_count; i++) {
        const char *words =
            ceiling->rows[i].when.given ? ceiling->rows[i].when.limit.words : "otherwise";
        if (is_unasked(ceiling, i))
            lint_add(
                linter, LINT_UNREACHABLE, LINT_NOTE, clause, "leave it where the label prints it",
                "row %zu of the table (%s: %s) is never chosen: the table is asked only for %s",
                i + 1, words, ceiling->rows[i].words, ceiling->asked.limit.words);
        else if (is_taken(ceiling, i, false) || is_taken(ceiling, i, true))
            lint_add(
                linter, LINT_UNREACHABLE, LINT_WARNING, clause,
                "take it out, or correct those before it",
                "row %zu of the table (%s: %s) is never chosen: the rows before it take all of "
                "its values",
                i + 1, words, ceiling->rows[i].words);
    }
}
