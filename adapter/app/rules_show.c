/* rules show: one rule for people. */
#include <limits.h>
#include <string.h>

#include "app/command.h"
#include "app/load.h"
#include "app/page.h"
#include "app/rules.h"
#include "core/lint.h"
#include "core/rule_case.h"
#include "core/rule_text.h"
#include "core/rule_visit.h"

struct page {
    FILE *out;
    int width;
    const char *strong, *warn, *plain; /* colours, "" without */
};

static void heading(const struct page *page, const char *text)
{
    fprintf(page->out, "\n%s%s%s\n", page->strong, text, page->plain);
}

/* A heading with a text below it; nothing where the text is "". */
static void paragraph(const struct page *page, const char *title, const char *text)
{
    if (!text[0]) return;
    heading(page, title);
    page_wrap("  ", text, page->width, page->out);
}

static void outline_print(const struct page *page, const struct rule_outline *outline)
{
    for (size_t i = 0; i < outline->count; i++) {
        char first[64];
        snprintf(first, sizeof first, "%*s- ", (int)(2 + 2 * outline->lines[i].depth), "");
        page_wrap(first, outline->lines[i].text, page->width, page->out);
    }
}

static void clause_print(const struct page *page, const char *title, const struct clause *clause,
                         const struct knowledge *knowledge)
{
    struct rule_outline outline;

    heading(page, title);
    rule_outline_make(clause, knowledge, true, &outline);
    outline_print(page, &outline);
    rule_outline_done(&outline);
}

static void yields_print(const struct page *page, const struct rule *rule,
                         const struct knowledge *knowledge)
{
    if (!rule->yields_count) return;
    heading(page, "Becomes part of a stronger alert on the same fact");
    for (size_t i = 0; i < rule->yields_count; i++) {
        const struct rule *strong = knowledge_rule_named(knowledge, rule->yields_to[i]);
        AUTO(buf_done) struct buf text = { 0 };
        buf_printf(&text, "%s: %s", rule->yields_to[i], strong ? strong->title : "");
        page_wrap("  - ", buf_string(&text), page->width, page->out);
    }
}

static void members_print(const struct page *page, const struct rule *rule,
                          const struct knowledge *knowledge)
{
    struct rule_outline members;

    rule_members_make(rule, knowledge, &members);
    if (members.count) heading(page, "Meant by these names");
    outline_print(page, &members);
    rule_outline_done(&members);
}

static void accepted_print(const struct page *page, const struct rule *rule)
{
    AUTO(buf_done) struct buf text = { 0 };

    lint_accepted_say(rule, &text);
    paragraph(page, "Accepted findings of lint", buf_string(&text));
}

static void sources_print(const struct page *page, const struct rule *rule)
{
    heading(page, "Sources");
    for (size_t i = 0; i < rule->source_count; i++) {
        const struct rule_source *source = &rule->sources[i];
        AUTO(buf_done) struct buf text = { 0 };
        rule_source_say(source, &text);
        if (source->url[0]) buf_printf(&text, " %s", source->url);
        page_wrap("  - ", buf_string(&text), page->width, page->out);
    }
}

static void grade_print(const struct page *page, const struct rule *rule)
{
    bool doubtful = strcmp(rule->grade, "verified") != 0;

    heading(page, "Grade");
    if (doubtful) fputs(page->warn, page->out);
    page_wrap(doubtful ? "! " : "  ", rule_grade_words(rule->grade), page->width, page->out);
    if (doubtful) fputs(page->plain, page->out);
    if (rule->grade_note[0]) page_wrap("  ", rule->grade_note, page->width, page->out);
}

static const char *mode_words(const struct rule *rule)
{
    if (rule->checked) return "checked: the combination was looked at; never an alert";
    return rule->mode == RULE_OFF      ? "OFF: not evaluated until a reviewer confirms it"
           : rule->mode == RULE_SHADOW ? "shadow: counted, not written to the chart"
                                       : "live";
}

static void state_print(const struct page *page, const struct rule *rule,
                        const struct knowledge *knowledge)
{
    AUTO(buf_done) struct buf text = { 0 };

    heading(page, "Alert");
    buf_printf(&text, "%s; severity %s (%s); display ", rule->kind, severity_name(rule->severity),
               rule->severity_basis);
    rules_display(rule, knowledge, &text);
    page_wrap("  ", buf_string(&text), page->width, page->out);
    if (rule->mode != RULE_LIVE || rule->checked) fputs(page->warn, page->out);
    page_wrap(rule->mode == RULE_LIVE && !rule->checked ? "  Mode: " : "! Mode: ", mode_words(rule),
              page->width, page->out);
    if (rule->mode != RULE_LIVE || rule->checked) fputs(page->plain, page->out);
}

static void cases_print(const struct page *page, const struct rule *rule)
{
    AUTO(buf_done) struct buf title = { 0 };

    buf_printf(&title, "Cases (%zu)", rule->case_count);
    heading(page, buf_string(&title));
    for (size_t i = 0; i < rule->case_count; i++) {
        char first[32];
        snprintf(first, sizeof first, "  %-12s ", case_outcome_name(rule->cases[i].then));
        page_wrap(first, rule->cases[i].name, page->width, page->out);
    }
}

static void place_print(const struct page *page, const struct rule *rule, const char *dir)
{
    AUTO(buf_done) struct buf text = { 0 };
    char path[PATH_MAX];

    buf_printf(&text, "%sOwner %s; to be reviewed by %s; %s:%u",
               rule->site ? "A rule of the site. " : "", rule->owner, rule->review_by,
               load_rule_path(dir, rule->file, path, sizeof path), rule->line);
    heading(page, "Keeping");
    page_wrap("  ", buf_string(&text), page->width, page->out);
}

void rules_show(const struct rule *rule, const struct knowledge *knowledge, const char *dir,
                FILE *out)
{
    bool colours = command_colours(out);
    struct page page = { .out = out,
                         .width = page_width(out),
                         .strong = colours ? "\033[1m" : "",
                         .warn = colours ? "\033[33m" : "",
                         .plain = colours ? "\033[0m" : "" };

    fprintf(out, "%s%s%s\n", page.strong, rule->id, page.plain);
    page_wrap("  ", rule->title, page.width, out);
    state_print(&page, rule, knowledge);
    clause_print(&page, rule->checked ? "Looked at when" : "Fires when", rule->when, knowledge);
    if (rule->persists)
        clause_print(&page, "Once open, lasts while", rule->persists, knowledge);
    else
        paragraph(&page, "Clears", "as soon as that is no longer so");
    yields_print(&page, rule, knowledge);
    members_print(&page, rule, knowledge);
    paragraph(&page, "Context", rule->context);
    paragraph(&page, "Why", rule->mechanism);
    paragraph(&page, "What to do", rule->recommendation);
    paragraph(&page, "Window", rule->window_note);
    paragraph(&page, "How the record was read", rule->choice);
    accepted_print(&page, rule);
    sources_print(&page, rule);
    grade_print(&page, rule);
    place_print(&page, rule, dir);
    cases_print(&page, rule);
}
