#include "core/rule_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/clause_read.h"
#include "core/knowledge_impl.h"
#include "core/rule_case.h"

/* ---- texts */

static bool text_read(struct rule_reader *reader, const struct node *at, const char *key,
                      bool required, const char **ret)
{
    struct node value = node_get(at, key);
    struct err err;
    const char *text;

    *ret = "";
    if (!value.value && !required) return true;
    if (!node_string(at, key, &text, &err)) return rule_problem_err(reader, &err);
    if (required && !text[0]) return rule_problem(reader, &value, "", "\"%s\" is empty", key);
    *ret = word_keep(reader, text);
    return true;
}

static bool enum_read(struct rule_reader *reader, const struct node *at, const char *key,
                      const char *const *names, size_t *ret)
{
    struct err err;

    if (node_enum(at, key, names, ret, &err)) return true;
    return rule_problem_err(reader, &err);
}

static const char *const display_names[] = { "suppressed", "passive", "interruptive", NULL };

/* ---- the parts of a rule */

/* "display": "passive", or {"interruptive": CLAUSE, "otherwise": "passive"}; a clause that cannot be
 * told interrupts, unless "whenUnknown" says less. */
static bool display_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const keys[] = { "interruptive", "otherwise", "whenUnknown", NULL };
    struct node value = node_get(at, "display"), clause = node_get(&value, "interruptive");
    struct err err;
    size_t which;

    if (!node_is(&value, DOC_OBJECT)) {
        if (!enum_read(reader, at, "display", display_names, &which)) return false;
        rule->display = rule->display_else = (enum display)which;
        return true;
    }
    if (!node_only(&value, keys, &err)) return rule_problem_err(reader, &err);
    if (!enum_read(reader, &value, "otherwise", display_names, &which)) return false;
    rule->display = rule->display_unknown = DISPLAY_INTERRUPTIVE;
    rule->display_else = (enum display)which;
    if (key_has(&value, "whenUnknown")) {
        if (!enum_read(reader, &value, "whenUnknown", display_names, &which)) return false;
        rule->display_unknown = (enum display)which;
    }
    rule->display_if = mem_new(struct clause);
    return clause_read(reader, &clause, rule->display_if);
}

static bool sources_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const keys[] = { "document", "revision", "date", "section", "url", NULL };
    struct node list = node_get(at, "sources");
    size_t count = node_count(&list);
    bool good = true;
    struct err err;

    if (!node_is(&list, DOC_ARRAY) || !count)
        return rule_problem(reader, at, "name the document and section it comes from",
                            "a rule needs \"sources\"");
    rule->sources = arena_alloc(reader->arena, count * sizeof *rule->sources);
    for (size_t i = 0; i < count; i++) {
        struct node item = node_item(&list, i);
        struct rule_source *source = &rule->sources[i];
        if (!node_only(&item, keys, &err)) good = rule_problem_err(reader, &err);
        good &= text_read(reader, &item, "document", true, &source->document);
        good &= text_read(reader, &item, "revision", false, &source->revision);
        good &= text_read(reader, &item, "date", false, &source->date);
        good &= text_read(reader, &item, "section", false, &source->section);
        good &= text_read(reader, &item, "url", false, &source->url);
    }
    rule->source_count = count;
    return good;
}

static bool evidence_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const keys[] = { "grade", "strength", "note", NULL };
    static const char *const grades[] = { "verified", "from-knowledge", "uncertain", NULL };
    struct node value = node_get(at, "verification");
    const char *strength;
    struct err err;
    size_t grade;

    if (!value.value)
        return rule_problem(reader, at,
                            "say how well the source was read: verified, from-knowledge, uncertain",
                            "a rule needs \"verification\"");
    if (!node_only(&value, keys, &err)) return rule_problem_err(reader, &err);
    if (!enum_read(reader, &value, "grade", grades, &grade)) return false;
    rule->grade = grades[grade];
    return text_read(reader, &value, "strength", false, &strength) &&
           text_read(reader, &value, "note", false, &rule->grade_note);
}

static bool yields_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    struct node list = node_get(at, "yieldsTo");
    size_t count = node_count(&list);

    rule->yields_place = "";
    if (!list.value) return true;
    if (!node_is(&list, DOC_ARRAY) || !count)
        return rule_problem(reader, &list, "write a list of rule ids",
                            "\"yieldsTo\" names no rule");
    rule->yields_place = rule_place(reader, &list);
    rule->yields_to = arena_alloc(reader->arena, count * sizeof *rule->yields_to);
    for (size_t i = 0; i < count; i++) {
        struct node item = node_item(&list, i);
        const char *id = node_scalar(&item);
        if (!id) return rule_problem(reader, &item, "", "the id of a rule is expected here");
        rule->yields_to[rule->yields_count++] = word_keep(reader, id);
    }
    return true;
}

static bool accepted_item_read(struct rule_reader *reader, const struct node *map,
                               const struct node *item, struct rule_accepted *ret)
{
    size_t which = 0;

    while (which < LINT_ACCEPTED && strcmp(item->key, lint_check_names[which]) != 0) which++;
    if (which == LINT_ACCEPTED) {
        const char *near = nearest(item->key, lint_check_names);
        char fix[64] = "myeloma-adapter lint --help lists them";
        if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
        return rule_problem(reader, item, fix, "\"%s\" is no check of lint that can be accepted",
                            item->key);
    }
    ret->check = (enum lint_check)which;
    rule_locate(reader, item, &ret->line, &ret->column);
    return text_read(reader, map, item->key, true, &ret->reason);
}

/* "accepted": { "missing-recency": "why that is meant" } */
static bool accepted_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    struct node map = node_get(at, "accepted");
    size_t count = node_count(&map);
    bool good = true;

    if (!map.value) return true;
    if (!node_is(&map, DOC_OBJECT) || !count)
        return rule_problem(reader, &map, "write {\"missing-recency\": \"the reason\"}",
                            "\"accepted\" names no check of lint");
    rule->accepted = arena_alloc(reader->arena, count * sizeof *rule->accepted);
    for (size_t i = 0; i < count; i++) {
        struct node item = node_member(&map, i);
        if (accepted_item_read(reader, &map, &item, &rule->accepted[rule->accepted_count]))
            rule->accepted_count++;
        else
            good = false;
    }
    return good;
}

/* The order clauses that name a subject stand below `all` alone. */
static void naming_find(const struct clause *clause, const struct order_clause **ret)
{
    if (clause->kind == CLAUSE_ALL)
        for (size_t i = 0; i < clause->part_count; i++) naming_find(&clause->parts[i], ret);
    if (clause->kind == CLAUSE_ORDER && clause->order.binding != BINDING_NONE)
        ret[clause->order.binding] = &clause->order;
}

/* An alert of any subject must be able to last. */
static bool persists_check(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    if (reader->bindings > rule->bindings)
        return rule_problem(reader, at, "", "\"persists\" names more subjects than \"when\"");
    naming_find(rule->persists, rule->lasting);
    for (int i = 0; i < reader->bindings; i++)
        if (!concept_set_within(&rule->naming[i]->drugs, &rule->lasting[i]->drugs))
            return rule_problem(reader, at, "name the same drugs in the same order as in \"when\"",
                                "no alert for %s could last, \"persists\" asks for %s",
                                rule->naming[i]->words, rule->lasting[i]->words);
    return true;
}

/* The order clauses of `persists` name the same subjects, in the same order. */
static bool persists_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    bool good;

    reader->binding = true;
    reader->bindings = 0;
    rule->persists = mem_new(struct clause);
    good = clause_read(reader, at, rule->persists);
    reader->binding = false;
    return good;
}

static bool clauses_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    struct node when = node_get(at, "when"), persists = node_get(at, "persists");
    bool good;

    if (!when.value)
        return rule_problem(reader, at, "add the clause that it stands for",
                            "a rule needs \"when\"");
    reader->binding = true;
    rule->when = mem_new(struct clause);
    good = clause_read(reader, &when, rule->when);
    reader->binding = false;
    rule->bindings = reader->bindings;
    naming_find(rule->when, rule->naming);
    memcpy(rule->lasting, rule->naming, sizeof rule->lasting);
    if (!persists.value) return good;
    return persists_read(reader, &persists, rule) && good &&
           persists_check(reader, &persists, rule);
}

static bool texts_read(struct rule_reader *reader, const struct node *at, const struct node *file,
                       struct rule *rule)
{
    const struct node *of_owner = node_get(at, "owner").value ? at : file;
    const struct node *of_review = node_get(at, "reviewBy").value ? at : file;
    bool good = true;

    good &= text_read(reader, file, "theme", false, &rule->theme);
    good &= text_read(reader, at, "title", true, &rule->title);
    good &= text_read(reader, at, "context", false, &rule->context);
    good &= text_read(reader, at, "mechanism", true, &rule->mechanism);
    good &= text_read(reader, at, "recommendation", true, &rule->recommendation);
    good &= text_read(reader, at, "severityBasis", true, &rule->severity_basis);
    good &= text_read(reader, at, "window", false, &rule->window_note);
    good &= text_read(reader, at, "choice", false, &rule->choice);
    good &= text_read(reader, of_owner, "owner", true, &rule->owner);
    good &= text_read(reader, of_review, "reviewBy", true, &rule->review_by);
    return good;
}

static bool code_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const codes[] = { "LAB",       "DRG",       "DOSECOND", "COND",
                                         "DUPTHPCLS", "DUPTHPGEN", "DUPTHPY",  "PREG",
                                         "NHP",       "FOOD",      "none",     NULL };
    size_t which;

    if (!enum_read(reader, at, "code", codes, &which)) return false;
    rule->code = strcmp(codes[which], "none") == 0 ? "" : codes[which];
    return true;
}

/* A rule whose verdict is "checked-..." never alerts, so the word must be the right one. */
static bool verdict_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const verdicts[] = { "checked-none-known", "checked-uncertain",
                                            "checked-expected",   "checked-none-needed",
                                            "conditional",        NULL };
    size_t which;

    rule->verdict = "";
    if (!node_get(at, "verdict").value) return true;
    if (!enum_read(reader, at, "verdict", verdicts, &which)) return false;
    rule->verdict = verdicts[which];
    rule->checked = strncmp(rule->verdict, "checked-", 8) == 0;
    return true;
}

static bool names_read(struct rule_reader *reader, const struct node *at, struct rule *rule)
{
    static const char *const severities[] = { "low", "moderate", "high", NULL };
    static const char *const modes[] = { "live", "shadow", "off", NULL };
    static const char *const kinds[] = { "interaction",     "dose-hold",        "dose-adjust",
                                         "monitoring-gap",  "contraindication", "lab-critical",
                                         "prophylaxis-gap", "duplication",      NULL };
    size_t severity, mode = 0, kind;

    if (!enum_read(reader, at, "kind", kinds, &kind)) return false;
    if (!enum_read(reader, at, "severity", severities, &severity)) return false;
    if (node_get(at, "mode").value && !enum_read(reader, at, "mode", modes, &mode)) return false;
    rule->kind = kinds[kind];
    rule->severity = (enum severity)severity;
    rule->mode = (enum rule_mode)mode;
    return true;
}

/* Does a clause ask about the course of the drug that the rule names first? */
static bool needs_subject(const struct clause *clause)
{
    bool of_baseline =
        clause->kind == CLAUSE_RESULT && !clause->result.course.count &&
        (clause->result.baseline || clause->result.relation == RESULT_TIMES_BASELINE ||
         clause->result.relation == RESULT_RISE_BASELINE ||
         clause->result.relation == RESULT_FALL_BASELINE);
    bool of_course = clause->kind == CLAUSE_GAP && !clause->gap.ever &&
                     (!clause->gap.at_once || clause->gap.step_count > 1);
    bool of_doses = clause->kind == CLAUSE_GAP && clause->gap.dose_days;

    if (of_baseline || of_course || of_doses) return true;
    for (size_t i = 0; i < clause->part_count; i++)
        if (needs_subject(&clause->parts[i])) return true;
    return false;
}

static bool subjects_check(struct rule_reader *reader, const struct node *at,
                           const struct rule *rule)
{
    struct node when = node_get(at, "when");

    if (rule->bindings || !needs_subject(rule->when)) return true;
    return rule_problem(reader, &when, "add an order clause for one drug (not below \"any\")",
                        "the course of a drug is asked for, and the rule names none");
}

static bool rule_fields(struct rule_reader *reader, const struct node *at, const struct node *file,
                        struct rule *rule)
{
    static const char *const keys[] = {
        "id",        "kind",           "title",    "severity", "severityBasis",
        "display",   "mode",           "code",     "context",  "when",
        "persists",  "yieldsTo",       "accepted", "verdict",  "window",
        "mechanism", "recommendation", "choice",   "sources",  "verification",
        "owner",     "reviewBy",       "given",    "cases",    "overrides",
        NULL
    };
    struct err err;
    bool good = true;

    if (!node_only(at, keys, &err)) good = rule_problem_err(reader, &err);
    good &= names_read(reader, at, rule);
    good &= code_read(reader, at, rule);
    good &= verdict_read(reader, at, rule);
    good &= texts_read(reader, at, file, rule);
    good &= display_read(reader, at, rule);
    good &= clauses_read(reader, at, rule) && subjects_check(reader, at, rule);
    good &= sources_read(reader, at, rule);
    good &= evidence_read(reader, at, rule);
    good &= yields_read(reader, at, rule);
    good &= accepted_read(reader, at, rule);
    good &= rule_cases_read(reader, at, &rule->cases, &rule->case_count);
    return good;
}

/* An id of its own, or one of ours and "overrides": true. */
static bool override_check(struct rule_reader *reader, const struct node *at,
                           const struct rule *rule, bool *ret)
{
    struct node id = node_get(at, "id"), says = node_get(at, "overrides");
    const struct rule *other = knowledge_rule_named(reader->knowledge, rule->id);

    *ret = node_is(&says, DOC_TRUE);
    if (says.value && !*ret && !node_is(&says, DOC_FALSE))
        return rule_problem(reader, &says, "write true, or leave it out",
                            "\"overrides\" must be true or false");
    if (*ret && !reader->site)
        return rule_problem(reader, &says, "change the rule itself",
                            "only a rule of a site overrides another");
    if (*ret && !other)
        return rule_problem(reader, &says, "correct the id, or take \"overrides\" out",
                            "there is no rule \"%s\" to override", rule->id);
    if (!other || (*ret && !other->site)) return true;
    return rule_problem(reader, &id,
                        reader->site && !other->site
                            ? "give it another id, or write \"overrides\": true"
                            : "rule ids are for ever: give this one another",
                        "there is a rule \"%s\" already in %s:%u:%u", rule->id, other->file,
                        other->line, other->column);
}

static bool rule_read(struct rule_reader *reader, const struct node *at, const struct node *file)
{
    AUTO(rule_free) struct rule *rule = mem_new(struct rule);
    struct node id = node_get(at, "id");
    bool overrides = false;

    reader->arena = &rule->arena;
    reader->bindings = 0;
    rule->file = word_keep(reader, reader->file->name);
    rule_locate(reader, &id, &rule->line, &rule->column);
    if (!text_read(reader, at, "id", true, &rule->id)) return false;
    if (rule->id[strspn(rule->id, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        return rule_problem(reader, &id, "use a-z, 0-9 and -", "\"%s\" is no id", rule->id);
    rule->site = reader->site;
    if (!override_check(reader, at, rule, &overrides)) return false;
    if (!rule_fields(reader, at, file, rule)) return false;
    if (overrides)
        knowledge_replace_rule(reader->knowledge, TAKE(rule));
    else
        knowledge_add_rule(reader->knowledge, TAKE(rule));
    return true;
}

static bool definitions_read(struct rule_reader *reader, const struct node *root)
{
    static const char *const keys[] = { "definitions", "note", NULL };
    struct node map = node_get(root, "definitions");
    struct err err;
    bool good = true;

    if (!node_only(root, keys, &err)) return rule_problem_err(reader, &err);
    for (size_t i = 0; i < node_count(&map); i++) {
        struct node item = node_member(&map, i);
        struct clause *clause = mem_new(struct clause);
        reader->arena = knowledge_arena(reader->knowledge);
        if (reader->site && knowledge_definition(reader->knowledge, item.key)) {
            good = rule_problem(reader, &item, "give it another name",
                                "there is a definition \"%s\" already", item.key);
            free(clause);
        } else if (clause_read(reader, &item, clause)) {
            knowledge_add_definition(reader->knowledge, item.key,
                                     word_keep(reader, reader->file->name), clause);
        } else {
            free(clause);
            good = false;
        }
    }
    return good;
}

static bool rule_list_read(struct rule_reader *reader, const struct node *root)
{
    static const char *const keys[] = { "$schema", "theme", "owner", "reviewBy", "rules", NULL };
    struct node list = node_get(root, "rules");
    struct err err;
    bool good = true;

    if (!node_only(root, keys, &err)) good = rule_problem_err(reader, &err);
    if (!node_is(&list, DOC_ARRAY))
        return rule_problem(reader, root, "", "a rule file needs a list of \"rules\"");
    for (size_t i = 0; i < node_count(&list); i++) {
        struct node item = node_item(&list, i);
        good &= rule_read(reader, &item, root);
    }
    return good;
}

/* "definitions.json", in whatever folder of a site. */
static bool is_definitions(const struct rule_reader *reader)
{
    const char *name = reader->file->name, *slash = reader->site ? strrchr(name, '/') : NULL;

    return strcmp(slash ? slash + 1 : name, "definitions.json") == 0;
}

bool rules_read(const struct knowledge_file *file, bool site, struct knowledge *knowledge,
                struct err_list *problems)
{
    struct rule_reader reader = {
        .file = file, .site = site, .knowledge = knowledge, .problems = problems
    };
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    if (!doc_parse(file->text, file->len, DOC_COMMENTS | DOC_UNIQUE, &doc, &err)) {
        char place[sizeof err.where];
        memcpy(place, err.where, sizeof place);
        err.where[0] = '\0';
        err_at(&err, "%s:%.150s", file->name, place);
        err_list_add(problems, &err);
        return false;
    }
    struct node root = node_root(doc);
    if (is_definitions(&reader)) return definitions_read(&reader, &root);
    return rule_list_read(&reader, &root);
}
