/* What a rule needs beside its clauses: sources, an owner, a review, cases. */
#include <string.h>

#include "core/lint_impl.h"
#include "core/rule_case.h"

/* Has it a letter or a digit? "-", "?" and spaces say nothing. */
static bool says_something(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            return true;
    }
    return false;
}

/* ---- sources */

static bool has_url(const struct rule *rule)
{
    for (size_t i = 0; i < rule->source_count; i++)
        if (says_something(rule->sources[i].url)) return true;
    return false;
}

static void lint_sources(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    if (!says_something(rule->severity_basis))
        lint_add(linter, LINT_MISSING_SOURCE, LINT_ERROR, NULL,
                 "write in \"severityBasis\" who says how serious it is",
                 "the severity of %s rests on nothing", rule->id);
    for (size_t i = 0; i < rule->source_count; i++)
        if (!says_something(rule->sources[i].document))
            lint_add(linter, LINT_MISSING_SOURCE, LINT_ERROR, NULL, "name the document",
                     "source %zu of %s has no name", i + 1, rule->id);
    if (strcmp(rule->grade, "verified") == 0 && !has_url(rule))
        lint_add(linter, LINT_MISSING_SOURCE, LINT_NOTE, NULL,
                 "add the \"url\" of the text that was read",
                 "%s is verified, and no source says where the text is", rule->id);
}

/* ---- owner and review */

static void lint_review(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    if (!says_something(rule->owner))
        lint_add(linter, LINT_MISSING_OWNER, LINT_WARNING, NULL, "write \"owner\"",
                 "nobody answers for %s", rule->id);
    if (!linter->as_of) return;
    if (!lint_date(rule->review_by))
        lint_add(linter, LINT_REVIEW, LINT_WARNING, NULL, "write a day: \"2027-06-30\"",
                 "\"%s\" is no day by which %s is read again", rule->review_by, rule->id);
    else if (strcmp(rule->review_by, linter->as_of) < 0)
        lint_add(linter, LINT_REVIEW, LINT_WARNING, NULL,
                 "read it again beside its sources, then move \"reviewBy\"",
                 "%s was to be read again by %s", rule->id, rule->review_by);
}

/* ---- cases */

static void lint_cases(struct linter *linter)
{
    const struct rule *rule = linter->rule;

    for (int i = 0; i < CASE_OUTCOMES; i++)
        if (rule_case_lacks(rule, (enum case_outcome)i))
            lint_add(linter, LINT_MISSING_CASE, LINT_WARNING, NULL, "add one to \"cases\"",
                     "%s has no case that says \"%s\"", rule->id,
                     case_outcome_name((enum case_outcome)i));
}

void lint_papers(struct linter *linter)
{
    lint_sources(linter);
    lint_review(linter);
    lint_cases(linter);
}
