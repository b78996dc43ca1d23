/* Clauses that can never be true, that never matter, that are always true. The tree is walked with what
 * must be true around each clause for it to matter at all. */
#include <stdio.h>

#include "base/utf8.h"
#include "core/lint_impl.h"
#include "core/rule_text.h"

/* Clauses that are true wherever the answer of this one counts. */
struct around {
    const struct clause *list; /* an `all` */
    size_t but;                /* whose part of that number is where we are */
    const struct around *up;   /* NULL: no more */
};

#define WORDS_MAX 140 /* bytes of a clause in a finding */

/* A clause in words, cut to what a line can hold. */
struct words {
    char text[WORDS_MAX + sizeof " ..."];
};

static size_t cut_len(const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    size_t n;

    if (len <= WORDS_MAX) return len;
    while ((n = utf8_len(at, end)) && (size_t)(at - text) + n <= WORDS_MAX) at += n;
    return (size_t)(at - text);
}

static struct words words_of(struct linter *linter, const struct clause *clause)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct words words;
    size_t len;

    rule_sentence(clause, linter->knowledge, &text);
    len = cut_len(buf_string(&text), text.len);
    snprintf(words.text, sizeof words.text, "%.*s%s", (int)len, buf_string(&text),
             len < text.len ? " ..." : "");
    return words;
}

static bool implies(const struct clause *a, const struct clause *b)
{
    return logic_implies(&(struct logic){ 0 }, a, b);
}

static bool excludes(const struct clause *a, const struct clause *b)
{
    return logic_excludes(&(struct logic){ 0 }, a, b);
}

static bool covers(const struct clause *a, const struct clause *b)
{
    return logic_covers(&(struct logic){ 0 }, a, b);
}

/* ---- all: can every part be true? */

static bool lint_all(struct linter *linter, const struct clause *clause)
{
    for (size_t i = 0; i < clause->part_count; i++)
        for (size_t j = i + 1; j < clause->part_count; j++) {
            if (!excludes(&clause->parts[i], &clause->parts[j])) continue;
            lint_add(linter, LINT_CONTRADICTION, LINT_ERROR, &clause->parts[j],
                     "correct one of them", "this is never true together with line %u: %s; %s",
                     clause->parts[i].line, words_of(linter, &clause->parts[j]).text,
                     words_of(linter, &clause->parts[i]).text);
            return false;
        }
    return true;
}

/* ---- any: does each branch add something? */

/* Equal branches imply each other: the later one is told. */
static bool adds_nothing(const struct clause *clause, size_t part, size_t other)
{
    if (part == other || !implies(&clause->parts[part], &clause->parts[other])) return false;
    return other < part || !implies(&clause->parts[other], &clause->parts[part]);
}

static void lint_any(struct linter *linter, const struct clause *clause)
{
    for (size_t i = 0; i < clause->part_count; i++)
        for (size_t j = 0; j < clause->part_count; j++) {
            if (i < j && covers(&clause->parts[i], &clause->parts[j]))
                lint_add(linter, LINT_ALWAYS_TRUE, LINT_ERROR, clause,
                         "correct a branch, or take the whole out",
                         "this is never false: %s; or %s", words_of(linter, &clause->parts[i]).text,
                         words_of(linter, &clause->parts[j]).text);
            if (!adds_nothing(clause, i, j)) continue;
            lint_add(linter, LINT_UNREACHABLE, LINT_WARNING, &clause->parts[i],
                     "take it out, or correct one of them",
                     "this branch adds nothing: whenever it is true, line %u is (%s)",
                     clause->parts[j].line, words_of(linter, &clause->parts[j]).text);
            break;
        }
}

/* ---- what cannot be true where it stands */

/* The clause around that never lets this one be true; NULL: none. */
static const struct clause *excluder(const struct around *around, const struct clause *clause)
{
    for (; around; around = around->up)
        for (size_t i = 0; i < around->list->part_count; i++)
            if (i != around->but && excludes(&around->list->parts[i], clause))
                return &around->list->parts[i];
    return NULL;
}

static void lint_branch(struct linter *linter, const struct around *around,
                        const struct clause *clause, const char *what)
{
    const struct clause *other = excluder(around, clause);

    if (!other) return;
    lint_add(linter, LINT_UNREACHABLE, LINT_WARNING, clause, "take it out, or correct one of them",
             "%s: where it is asked, line %u is true (%s)", what, other->line,
             words_of(linter, other).text);
}

/* What is no result is no number either: an exception for a gap makes false what could not be told. */
static bool settles(const struct clause *clause)
{
    return clause->kind == CLAUSE_GAP || clause->kind == CLAUSE_COMPUTABLE;
}

static void lint_atom(struct linter *linter, const struct clause *clause)
{
    const char *why = atom_never(clause);

    if (why)
        lint_add(linter, LINT_CONTRADICTION, LINT_ERROR, clause, "correct one of the times",
                 "this is never true: %s", why);
}

/* ---- how old what is asked for may be */

/* A finding once made stays; a number does not. */
static void lint_result(struct linter *linter, const struct clause *clause)
{
    const struct result_clause *result = &clause->result;

    if (!result->any_age || result->baseline || result->coded) return;
    lint_add(linter, LINT_MISSING_RECENCY, LINT_WARNING, clause,
             "write how old it may be: \"within\": \"14 d\"",
             "a number of any age counts as the present one: %s", words_of(linter, clause).text);
}

static void lint_gap(struct linter *linter, const struct clause *clause)
{
    if (!clause->gap.ever || analyte_is_coded(linter->knowledge, clause->gap.analyte)) return;
    lint_add(linter, LINT_MISSING_RECENCY, LINT_WARNING, clause,
             "write how old the last one may be: \"within\": \"30 d\"",
             "a number of any age fills the gap: %s", words_of(linter, clause).text);
}

/* ---- the walk */

static void walk(struct linter *linter, const struct around *around, const struct clause *clause);

static void walk_all(struct linter *linter, const struct around *around,
                     const struct clause *clause)
{
    if (!lint_all(linter, clause)) return; /* one thing at a time */
    for (size_t i = 0; i < clause->part_count; i++) {
        const struct around inner = { clause, i, around };
        walk(linter, &inner, &clause->parts[i]);
    }
}

static void walk_parts(struct linter *linter, const struct around *around,
                       const struct clause *clause, const char *what)
{
    for (size_t i = 0; i < clause->part_count; i++) {
        if (what) lint_branch(linter, around, &clause->parts[i], what);
        walk(linter, around, &clause->parts[i]);
    }
}

static void walk_ceiling(struct linter *linter, const struct around *around,
                         const struct clause *clause)
{
    lint_ceiling(linter, clause);
    for (size_t i = 0; i < clause->ceiling.row_count; i++)
        if (clause->ceiling.rows[i].also) walk(linter, around, clause->ceiling.rows[i].also);
}

static void walk_any(struct linter *linter, const struct around *around,
                     const struct clause *clause)
{
    lint_any(linter, clause);
    walk_parts(linter, around, clause, "this branch is never true");
}

static void walk_count(struct linter *linter, const struct around *around,
                       const struct clause *clause)
{
    walk_parts(linter, around, clause, "this is never one of them");
}

static void walk_unless(struct linter *linter, const struct around *around,
                        const struct clause *clause)
{
    walk_parts(linter, around, clause,
               settles(clause->parts) ? NULL : "this exception never matters");
}

/* Nothing is said of the one part because it stands here. */
static void walk_inner(struct linter *linter, const struct around *around,
                       const struct clause *clause)
{
    walk_parts(linter, around, clause, NULL);
}

/* Alone, or with clauses inside. NULL: nothing is wrong with it as it stands; a definition is looked
 * at where it is made. */
static const struct {
    void (*look)(struct linter *linter, const struct clause *clause);
    void (*walk)(struct linter *linter, const struct around *around, const struct clause *clause);
} kinds[CLAUSE_KINDS] = {
    [CLAUSE_ALL] = { .walk = walk_all },         [CLAUSE_ANY] = { .walk = walk_any },
    [CLAUSE_COUNT] = { .walk = walk_count },     [CLAUSE_UNLESS] = { .walk = walk_unless },
    [CLAUSE_NOT] = { .walk = walk_inner },       [CLAUSE_MAYBE] = { .walk = walk_inner },
    [CLAUSE_CEILING] = { .walk = walk_ceiling }, [CLAUSE_ORDER] = { .look = lint_atom },
    [CLAUSE_RESULT] = { .look = lint_result },   [CLAUSE_GAP] = { .look = lint_gap },
};

static void walk(struct linter *linter, const struct around *around, const struct clause *clause)
{
    if (kinds[clause->kind].look) kinds[clause->kind].look(linter, clause);
    if (kinds[clause->kind].walk) kinds[clause->kind].walk(linter, around, clause);
}

void lint_clauses(struct linter *linter, const struct clause *clause)
{
    walk(linter, NULL, clause);
}

void lint_persists(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    if (!rule->persists) return;
    if (excludes(rule->when, rule->persists))
        lint_add(linter, LINT_UNREACHABLE, LINT_WARNING, rule->persists,
                 "write the value at which the drug may be resumed",
                 "\"persists\" of %s is false whenever its \"when\" is true", rule->id);
    else if (implies(rule->persists, rule->when))
        lint_add(linter, LINT_UNREACHABLE, LINT_WARNING, rule->persists, "take it out",
                 "\"persists\" of %s adds nothing: whenever it is true, \"when\" is", rule->id);
}
