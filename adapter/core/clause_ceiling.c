/* Reading dose ceilings: a table from a result, or the age, to the highest dose. */
#include <string.h>

#include "base/mem.h"
#include "core/clause_read.h"
#include "core/knowledge_impl.h"

/* ---- the values of a table */

static const char times_upper[] = "x upper limit";

/* "above 75 a" where the table is by age; else "below 30 mg/dL" or "above 1.5 x upper limit". */
static bool limit_read(struct rule_reader *reader, const struct node *at, const char *key,
                       const struct ceiling_clause *ceiling, struct ceiling_limit *ret)
{
    static const char *const years[] = { "a", "years", NULL };
    struct node value = node_get(at, key);
    const char *text = node_text(at, key), *rest;

    ret->given = value.value != NULL;
    if (!ret->given) return true;
    if (ceiling->by_age) return threshold_in(reader, at, key, years, &ret->limit, NULL);
    if (!text) return rule_problem(reader, &value, THRESHOLD_FIX, "\"%s\" is no text", key);
    ret->times_upper = threshold_parse(text, &ret->limit, &rest) && strcmp(rest, times_upper) == 0;
    if (!ret->times_upper) return threshold_of(reader, &value, text, ceiling->measure, &ret->limit);
    ret->limit.words = word_keep(reader, text);
    return true;
}

/* ---- rows */

/* "10 mg daily", "15 mg every 48 h", "3.5 mg" */
static bool maximum_parse(const char *text, struct ceiling_row *row, char unit[16])
{
    struct duration every = { .ms = 0 };
    const char *rest = text;
    struct decimal amount;
    size_t n;

    if (!number_take(&rest, &amount)) return false;
    n = strcspn(rest, " ");
    if (n == 0 || n >= 16) return false;
    memcpy(unit, rest, n);
    unit[n] = '\0';
    rest += n;
    row->has_single = strcmp(rest, " daily") != 0;
    row->has_daily = rest[0] != '\0';
    row->single = row->daily = amount;
    if (!row->has_daily || !row->has_single) return true;
    if (strncmp(rest, " every ", 7) != 0 || !duration_parse(rest + 7, &every) || every.ms <= 0)
        return false;
    row->daily =
        decimal_divide(decimal_multiply(amount, decimal_of(INSTANT_DAY)), decimal_of(every.ms));
    return true;
}

static bool ceiling_also_read(struct rule_reader *reader, const struct node *at,
                              struct ceiling_row *row)
{
    struct node also = node_get(at, "and");
    bool binding = reader->binding, good;

    if (!also.value) return true;
    row->also = mem_new(struct clause);
    reader->binding = false;
    good = clause_read(reader, &also, row->also);
    reader->binding = binding;
    return good;
}

static bool ceiling_row_read(struct rule_reader *reader, const struct node *at,
                             struct ceiling_clause *ceiling, struct ceiling_row *row)
{
    static const char *const keys[] = { "when", "and", "max", NULL };
    const char *max = key_text(reader, at, "max");
    struct node max_node = node_get(at, "max");
    char unit[16];
    bool good = keys_only(reader, at, keys);

    if (!max) return false;
    good &= limit_read(reader, at, "when", ceiling, &row->when);
    if (!maximum_parse(max, row, unit))
        return rule_problem(reader, &max_node,
                            "write \"10 mg daily\", \"15 mg every 48 h\" or \"3.5 mg\"",
                            "\"%s\" is not a maximum", max);
    if (ceiling->unit && strcmp(ceiling->unit, unit) != 0)
        good = rule_problem(reader, &max_node, "", "one table has one unit of dose");
    if (!ceiling->unit) ceiling->unit = word_keep(reader, unit);
    row->words = word_keep(reader, max);
    return ceiling_also_read(reader, at, row) && good;
}

/* ---- the clause */

/* "age" needs no "within"; everything else is a result, or computed from some. */
static bool ceiling_by_read(struct rule_reader *reader, const struct node *at,
                            struct ceiling_clause *ceiling)
{
    const char *by = node_text(at, "by");

    ceiling->by_age = by && strcmp(by, "age") == 0;
    if (ceiling->by_age) {
        struct node within = node_get(at, "within");
        return !within.value ||
               rule_problem(reader, &within, "leave it out", "an age is not a result of a day");
    }
    bool good = duration_read(reader, at, "within", &ceiling->within);
    return analyte_read(reader, at, "by", &ceiling->measure) && good;
}

bool ceiling_clause_read(struct rule_reader *reader, const struct node *at, struct clause *ret)
{
    static const char *const keys[] = { "ceiling", "by", "is", "within", "table", NULL };
    struct ceiling_clause *ceiling = &ret->ceiling;
    struct node table = node_get(at, "table");
    bool good;

    ret->kind = CLAUSE_CEILING;
    good = keys_only(reader, at, keys);
    good &= words_read(reader, at, "ceiling", CONCEPT_DRUG, &ceiling->drugs, &ceiling->words);
    if (!ceiling_by_read(reader, at, ceiling)) return false;
    good &= limit_read(reader, at, "is", ceiling, &ceiling->asked);
    if (!node_is(&table, DOC_ARRAY) || !node_count(&table))
        return rule_problem(reader, at, "", "a ceiling needs a \"table\"");
    ceiling->row_count = node_count(&table);
    ceiling->rows = mem_zero(ceiling->row_count, sizeof *ceiling->rows);
    for (size_t i = 0; i < ceiling->row_count; i++) {
        struct node row = node_item(&table, i);
        good &= ceiling_row_read(reader, &row, ceiling, &ceiling->rows[i]);
    }
    return good;
}
