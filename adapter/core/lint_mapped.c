/* What rules name and no code of this generation becomes. Each name is told once, at the first rule
 * that says nothing of it, or else at the first that names it. */
#include <string.h>

#include "base/buf.h"
#include "core/lint_impl.h"
#include "core/rule_visit.h"

/* ---- names */

static bool any_mapped(const struct knowledge *knowledge, const struct concept_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (concept_is_mapped(knowledge, set->items[i])) return true;
    return false;
}

#define BLIND_MAX (CLAUSE_NAMES_MAX + 1)

/* The names of a clause that no code becomes, as people read them. */
struct blind {
    const char *words[BLIND_MAX];
    size_t count;
};

static struct blind blind_of(const struct knowledge *knowledge, const struct clause *clause)
{
    struct clause_names names = clause_names(clause);
    struct blind blind = { .count = 0 };

    for (size_t i = 0; i < names.count; i++)
        if (!any_mapped(knowledge, names.items[i].set))
            blind.words[blind.count++] = names.items[i].words;
    if (names.analyte != CONCEPT_NONE && !concept_is_mapped(knowledge, names.analyte))
        blind.words[blind.count++] = concept_words(knowledge, names.analyte);
    return blind;
}

static bool has_words(const struct blind *blind, const char *words)
{
    for (size_t i = 0; i < blind->count; i++)
        if (strcmp(blind->words[i], words) == 0) return true;
    return false;
}

/* ---- who names it */

struct search {
    const struct knowledge *knowledge;
    const char *words;
    bool found;
};

static void search_visit(const struct clause *clause, void *arg)
{
    struct search *search = arg;
    struct blind blind;

    if (search->found) return;
    blind = blind_of(search->knowledge, clause);
    search->found = has_words(&blind, search->words);
}

static bool names_it(const struct knowledge *knowledge, const struct rule *rule, const char *words)
{
    struct search search = { .knowledge = knowledge, .words = words };

    rule_visit(rule, search_visit, &search);
    return search.found;
}

/* A rule that says in `choice` how it is read knows what it does not see. */
static bool knows(const struct rule *rule)
{
    return rule->choice[0] != '\0';
}

/* Who tells: the first that does not know, else the first. *ret_rules lists all. */
static const struct rule *teller(const struct knowledge *knowledge, const char *words,
                                 struct buf *ret_rules)
{
    const struct rule *first = NULL;

    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        if (lint_accepts(rule, LINT_UNMAPPED) || !names_it(knowledge, rule, words)) continue;
        buf_printf(ret_rules, "%s%s", ret_rules->len ? ", " : "", rule->id);
        if (!first || (knows(first) && !knows(rule))) first = rule;
    }
    return first;
}

static void blind_tell(struct linter *linter, const char *words)
{
    AUTO(buf_done) struct buf rules = { 0 };
    bool accepted = lint_accepts(linter->rule, LINT_UNMAPPED);

    if (!accepted && teller(linter->knowledge, words, &rules) != linter->rule) return;
    lint_add(linter, LINT_UNMAPPED, knows(linter->rule) ? LINT_NOTE : LINT_WARNING, NULL,
             knows(linter->rule)
                 ? "a local map can add one (--codes)"
                 : "add one to a local map (--codes), or say in \"choice\" what is not seen",
             "no code becomes %s; it blinds %s", words, buf_string(&rules));
}

/* ---- the names of one rule, each once */

struct seen {
    struct linter *linter;
    const char *words[64]; /* more are told twice at worst */
    size_t count;
};

static bool is_seen(const struct seen *seen, const char *words)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->words[i], words) == 0) return true;
    return false;
}

static void unmapped_visit(const struct clause *clause, void *arg)
{
    struct seen *seen = arg;
    struct blind blind = blind_of(seen->linter->knowledge, clause);

    for (size_t i = 0; i < blind.count; i++) {
        if (is_seen(seen, blind.words[i])) continue;
        if (seen->count < ARRAY_SIZE(seen->words)) seen->words[seen->count++] = blind.words[i];
        blind_tell(seen->linter, blind.words[i]);
    }
}

void lint_unmapped(struct linter *linter)
{
    struct seen seen = { .linter = linter };

    rule_visit(linter->rule, unmapped_visit, &seen);
}
