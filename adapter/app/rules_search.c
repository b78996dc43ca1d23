/* rules search: which rules have all of some words, and where. */
#include <stdlib.h>
#include <string.h>

#include "app/rules.h"
#include "base/mem.h"
#include "core/rule_visit.h"

struct search {
    const struct knowledge *knowledge;
    const char *word; /* in small letters */
    struct buf found; /* owned: where; "" when it is nowhere */
};

static char small(char c)
{
    return c == '-' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(const char *text, const char *word)
{
    for (; *word; word++, text++)
        if (small(*text) != small(*word)) return false;
    return true;
}

static bool holds(const char *text, const char *word)
{
    for (; text && *text; text++)
        if (begins(text, word)) return true;
    return false;
}

static bool found_text(struct search *search, const char *where, const char *text)
{
    if (search->found.len || !holds(text, search->word)) return search->found.len > 0;
    buf_text(&search->found, where);
    return true;
}

/* "lenalidomide"; of a class "any nsaid (naproxen)". class NULL: none. */
static void found_concept(struct search *search, const char *class, unsigned concept)
{
    const char *words = concept_words(search->knowledge, concept);

    if (search->found.len) return;
    if (!holds(words, search->word) &&
        !holds(concept_name(search->knowledge, concept), search->word))
        return;
    if (!class || holds(class, words))
        buf_text(&search->found, words);
    else
        buf_printf(&search->found, "%s (%s)", class, words);
}

static void search_clause(const struct clause *clause, void *arg)
{
    struct clause_names names = clause_names(clause);
    struct search *search = arg;

    if (names.analyte != CONCEPT_NONE) found_concept(search, NULL, names.analyte);
    for (size_t i = 0; i < names.count; i++) {
        const struct concept_set *set = names.items[i].set;
        found_text(search, names.items[i].words, names.items[i].words);
        for (size_t j = 0; j < set->count; j++)
            found_concept(search, names.items[i].words, set->items[j]);
    }
}

static void search_rule(struct search *search, const struct rule *rule)
{
    rule_visit(rule, search_clause, search);
    found_text(search, "id", rule->id);
    found_text(search, "title", rule->title);
    found_text(search, "kind", rule->kind);
    for (size_t i = 0; i < rule->source_count; i++) {
        found_text(search, "source", rule->sources[i].document);
        found_text(search, "source", rule->sources[i].section);
        found_text(search, "source", rule->sources[i].url);
    }
    found_text(search, "context", rule->context);
    found_text(search, "mechanism", rule->mechanism);
    found_text(search, "recommendation", rule->recommendation);
    found_text(search, "choice", rule->choice);
    found_text(search, "grade", rule->grade);
    found_text(search, "grade", rule->grade_note);
    found_text(search, "window", rule->window_note);
    found_text(search, "severity", rule->severity_basis);
    found_text(search, "theme", rule->theme);
}

/* Where each of the words is, separated by "; "; false when one is nowhere. */
static bool words_find(const struct knowledge *knowledge, const struct rule *rule, char **words,
                       size_t count, struct buf *found)
{
    for (size_t i = 0; i < count; i++) {
        struct search search = { .knowledge = knowledge, .word = words[i] };
        bool good;
        search_rule(&search, rule);
        good = search.found.len > 0;
        if (good && !strstr(buf_string(found), buf_string(&search.found)))
            buf_printf(found, "%s%s", found->len ? "; " : "", buf_string(&search.found));
        buf_done(&search.found);
        if (!good) return false;
    }
    return true;
}

void rules_search(const struct knowledge *knowledge, char **words, size_t count,
                  struct rules_list *ret)
{
    size_t all = knowledge_rule_count(knowledge);

    *ret = (struct rules_list){ .knowledge = knowledge,
                                .rules = mem_zero(all + 1, sizeof *ret->rules),
                                .found = mem_zero(all + 1, sizeof *ret->found) };
    for (size_t i = 0; i < all; i++) {
        struct buf found = { 0 };
        if (words_find(knowledge, knowledge_rule(knowledge, i), words, count, &found)) {
            ret->rules[ret->count] = knowledge_rule(knowledge, i);
            ret->found[ret->count++] = buf_take(&found);
        }
        buf_done(&found);
    }
}

void rules_found_done(struct rules_list *list)
{
    for (size_t i = 0; list->found && i < list->count; i++) free(list->found[i]);
    free(list->found);
    free(list->rules);
}
