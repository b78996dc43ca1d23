/* rules --booklet: one HTML page with every rule, to be read, printed and signed. Self-contained: no
 * scripts, no fonts or images from elsewhere. */
#include <string.h>

#include "app/page.h"
#include "app/rules.h"
#include "base/buf.h"
#include "core/lint.h"
#include "core/rule_case.h"
#include "core/rule_text.h"
#include "core/rule_visit.h"

struct booklet {
    const struct knowledge *knowledge;
    const char *as_of; /* "2026-11-23" */
    FILE *out;
};

static const char style[] =
    ":root{--ink:#1b1b1b;--soft:#595959;--line:#c9c9c9;--warn:#8a2b00;--warnbg:#fff1e8}\n"
    "body{font:16px/1.5 Georgia,'Times New Roman',serif;color:var(--ink);background:#fff;"
    "max-width:46rem;margin:2rem auto;padding:0 1rem}\n"
    "h1,h2,h3,h4,th,.mark,nav,.facts,summary{font-family:'Helvetica Neue',Arial,sans-serif}\n"
    "h1{font-size:1.9rem;line-height:1.2}h2{font-size:1.4rem;margin-top:3rem;"
    "border-bottom:2px solid var(--ink)}\n"
    "h3{font-size:1.1rem;margin:0 0 .3rem}h4{font-size:.8rem;text-transform:uppercase;"
    "letter-spacing:.05em;color:var(--soft);margin:1rem 0 .2rem}\n"
    "p,ul,ol{margin:.2rem 0 .6rem}ul,ol{padding-left:1.4rem}ul.clause{list-style:'– '}"
    "ul.clause li{margin:.15rem 0}a{color:inherit}\n"
    "code{font:.85em ui-monospace,Menlo,Consolas,monospace}\n"
    "article{border:1px solid var(--line);border-radius:4px;padding:1rem 1.2rem;margin:1.2rem 0}\n"
    "article.aside{border-style:dashed;border-width:2px}\n"
    ".mark{display:inline-block;font-size:.72rem;font-weight:bold;border:1px solid var(--line);"
    "border-radius:3px;padding:0 .4rem;margin:0 .3rem .2rem 0}\n"
    ".mark.warn{color:var(--warn);background:var(--warnbg);border-color:var(--warn)}\n"
    "table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{text-align:left;"
    "vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line)}\n"
    "table.facts{width:auto}nav ul{list-style:none;padding-left:1rem;font-size:.9rem}\n"
    ".soft{color:var(--soft)}summary{cursor:pointer;font-size:.85rem;margin:.6rem 0 .2rem}\n"
    ".sign{display:flex;gap:1.5rem;margin-top:1.6rem;font-size:.85rem;color:var(--soft)}"
    ".sign span{border-top:1px solid var(--ink);flex:1;padding-top:.2rem}\n"
    "@media print{body{font-size:10.5pt;max-width:none;margin:0}@page{margin:18mm 16mm}"
    "h2{break-before:page}h3,h4,summary{break-after:avoid}.sign,tr,li{break-inside:avoid}"
    "details::details-content{content-visibility:visible;block-size:auto}"
    "nav a{text-decoration:none}}\n";

/* ---- pieces */

static void text(const struct booklet *b, const char *words)
{
    page_html(words, b->out);
}

/* <TAG>words</TAG>, nothing where there are no words. */
static void element(const struct booklet *b, const char *tag, const char *words)
{
    if (!words[0]) return;
    fprintf(b->out, "<%s>", tag);
    text(b, words);
    fprintf(b->out, "</%s>\n", tag);
}

static void chapter(const struct booklet *b, const char *title, const char *words)
{
    if (!words[0]) return;
    element(b, "h4", title);
    element(b, "p", words);
}

static void mark(const struct booklet *b, const char *words, bool warn)
{
    fprintf(b->out, "<span class=\"mark%s\">", warn ? " warn" : "");
    text(b, words);
    fputs("</span>", b->out);
}

/* Only addresses of the web become links. */
static void link_to(const struct booklet *b, const char *url, const char *words)
{
    bool web = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;

    if (!web) {
        text(b, words);
        if (url[0]) fputs(" ", b->out);
        text(b, url);
        return;
    }
    fputs("<a href=\"", b->out);
    text(b, url);
    fputs("\">", b->out);
    text(b, words);
    fputs("</a>", b->out);
}

/* A shared clause is told once, in a chapter of its own. */
static void line_write(const struct booklet *b, const struct rule_line *line)
{
    if (!line->definition) {
        text(b, line->text);
        return;
    }
    fputs("<a href=\"#definition-", b->out);
    text(b, line->definition);
    fputs("\">", b->out);
    text(b, line->text);
    fputs("</a>", b->out);
}

/* Lines with what is deeper in lists inside their items. */
static void outline_write(const struct booklet *b, const struct rule_outline *outline)
{
    unsigned depth = 0;

    fputs("<ul class=\"clause\">\n", b->out);
    for (size_t i = 0; i < outline->count; i++) {
        const struct rule_line *line = &outline->lines[i];
        for (; i && line->depth < depth; depth--) fputs("</li></ul>", b->out);
        if (line->depth > depth)
            fputs("\n<ul class=\"clause\">\n", b->out);
        else if (i)
            fputs("</li>\n", b->out);
        depth = line->depth;
        fputs("<li>", b->out);
        line_write(b, line);
    }
    for (; depth; depth--) fputs("</li></ul>", b->out);
    fputs("</li>\n</ul>\n", b->out);
}

static void clause_write(const struct booklet *b, const char *title, const struct clause *clause)
{
    struct rule_outline outline;

    element(b, "h4", title);
    rule_outline_make(clause, b->knowledge, false, &outline);
    outline_write(b, &outline);
    rule_outline_done(&outline);
}

/* ---- one rule */

static bool is_past(const struct booklet *b, const struct rule *rule)
{
    return strcmp(rule->review_by, b->as_of) < 0; /* both are YYYY-MM-DD */
}

static bool is_aside(const struct rule *rule)
{
    return rule->mode != RULE_LIVE || rule->checked;
}

static bool is_doubtful(const struct rule *rule)
{
    return strcmp(rule->grade, "verified") != 0;
}

static const char *grade_mark(const struct rule *rule)
{
    if (strcmp(rule->grade, "uncertain") == 0) return "UNCERTAIN";
    return is_doubtful(rule) ? "FROM KNOWLEDGE" : "verified";
}

static void marks_write(const struct booklet *b, const struct rule *rule)
{
    fputs("<p>", b->out);
    if (rule->mode == RULE_OFF) mark(b, "OFF: not evaluated", true);
    if (rule->mode == RULE_SHADOW) mark(b, "SHADOW: counted, not written", true);
    if (rule->checked) mark(b, "CHECKED: never an alert", true);
    if (rule->site) mark(b, "RULE OF THE SITE", true);
    mark(b, grade_mark(rule), is_doubtful(rule));
    if (is_past(b, rule)) mark(b, "REVIEW IS PAST", true);
    mark(b, rule->kind, false);
    fprintf(b->out, "<span class=\"mark\">severity %s</span>", severity_name(rule->severity));
    fputs("</p>\n", b->out);
}

static void limit_write(const struct clause *clause, void *arg)
{
    const struct booklet *b = arg;
    const struct result_clause *result = &clause->result;
    AUTO(buf_done) struct buf limit = { 0 };
    char age[32] = "any age";

    if (clause->kind != CLAUSE_RESULT) return;
    if (!result->any_age) duration_text(result->within, age, sizeof age);
    rule_quantity(result->threshold.words, &limit);
    fputs("<tr><td>", b->out);
    text(b, concept_words(b->knowledge, result->analyte));
    fputs("</td><td>", b->out);
    text(b, buf_string(&limit));
    fputs("</td><td>", b->out);
    text(b, result->baseline ? "before the treatment" : age);
    fputs("</td></tr>\n", b->out);
}

static void count_results(const struct clause *clause, void *arg)
{
    size_t *count = arg;

    *count += clause->kind == CLAUSE_RESULT;
}

static void limits_write(const struct booklet *b, const struct rule *rule)
{
    struct booklet copy = *b;
    size_t count = 0;

    rule_visit(rule, count_results, &count);
    if (count) {
        fputs("<h4>Thresholds and windows</h4>\n<table class=\"facts\">\n<tr><th>Result</th>"
              "<th>Threshold</th><th>Not older than</th></tr>\n",
              b->out);
        rule_visit(rule, limit_write, &copy);
        fputs("</table>\n", b->out);
    }
    element(b, "p", rule->window_note);
}

static void clears_write(const struct booklet *b, const struct rule *rule)
{
    if (rule->checked) return;
    if (rule->persists)
        clause_write(b, "Once open, lasts while", rule->persists);
    else
        chapter(b, "Clears", "as soon as that is no longer so");
}

static void yields_write(const struct booklet *b, const struct rule *rule)
{
    if (!rule->yields_count) return;
    fputs("<h4>Becomes part of a stronger alert on the same fact</h4>\n<ul>\n", b->out);
    for (size_t i = 0; i < rule->yields_count; i++) {
        const struct rule *strong = knowledge_rule_named(b->knowledge, rule->yields_to[i]);
        fputs("<li><a href=\"#rule-", b->out);
        text(b, rule->yields_to[i]);
        fputs("\"><code>", b->out);
        text(b, rule->yields_to[i]);
        fputs("</code></a> ", b->out);
        if (strong) text(b, strong->title);
        fputs("</li>\n", b->out);
    }
    fputs("</ul>\n", b->out);
}

static void members_write(const struct booklet *b, const struct rule *rule)
{
    struct rule_outline members;

    rule_members_make(rule, b->knowledge, &members);
    if (members.count) {
        fputs("<details>\n<summary>Meant by these names</summary>\n", b->out);
        outline_write(b, &members);
        fputs("</details>\n", b->out);
    }
    rule_outline_done(&members);
}

static void accepted_write(const struct booklet *b, const struct rule *rule)
{
    AUTO(buf_done) struct buf text = { 0 };

    lint_accepted_say(rule, &text);
    chapter(b, "Accepted findings of lint", buf_string(&text));
}

static void sources_write(const struct booklet *b, const struct rule *rule)
{
    fputs("<h4>Sources</h4>\n<ul>\n", b->out);
    for (size_t i = 0; i < rule->source_count; i++) {
        const struct rule_source *source = &rule->sources[i];
        AUTO(buf_done) struct buf words = { 0 };
        rule_source_say(source, &words);
        fputs("<li>", b->out);
        link_to(b, source->url, buf_string(&words));
        fputs("</li>\n", b->out);
    }
    fputs("</ul>\n", b->out);
}

static void keeping_write(const struct booklet *b, const struct rule *rule)
{
    AUTO(buf_done) struct buf words = { 0 };
    AUTO(buf_done) struct buf display = { 0 };

    buf_printf(&words, "%s (%s)", rule_grade_words(rule->grade), rule->grade_note);
    chapter(b, "Grade", rule->grade_note[0] ? buf_string(&words) : rule_grade_words(rule->grade));
    rules_display(rule, b->knowledge, &display);
    buf_clear(&words);
    buf_printf(&words, "mode %s; display %s; severity %s (%s)", rules_mode(rule),
               buf_string(&display), severity_name(rule->severity), rule->severity_basis);
    chapter(b, "Alert", buf_string(&words));
    buf_clear(&words);
    buf_printf(&words, "owner %s; to be reviewed by %s%s; %s, line %u", rule->owner,
               rule->review_by, is_past(b, rule) ? " (past)" : "", rule->file, rule->line);
    chapter(b, "Keeping", buf_string(&words));
}

static void facts_write(const struct booklet *b, const char **items, size_t count, bool *begun)
{
    for (size_t i = 0; i < count; i++) {
        if (*begun) fputs("; ", b->out);
        text(b, items[i]);
        *begun = true;
    }
}

static void case_write(const struct booklet *b, const struct rule_case *at)
{
    bool begun = at->patient[0] != '\0';

    fputs("<tr><td>", b->out);
    text(b, at->name);
    fputs("</td><td>", b->out);
    text(b, at->patient);
    facts_write(b, at->orders, at->order_count, &begun);
    facts_write(b, at->results, at->result_count, &begun);
    facts_write(b, at->conditions, at->condition_count, &begun);
    for (size_t i = 0; i < at->unmapped_count; i++) {
        fputs(begun ? "; no code for " : "no code for ", b->out);
        text(b, at->unmapped[i]);
        begun = true;
    }
    if (at->profile == PROFILE_EU) fputs(begun ? "; profile eu" : "profile eu", b->out);
    fprintf(b->out, "</td><td>%s", case_outcome_name(at->then));
    if (at->display[0]) fputs(", ", b->out);
    text(b, at->display);
    fputs("</td></tr>\n", b->out);
}

static void cases_write(const struct booklet *b, const struct rule *rule)
{
    fprintf(b->out,
            "<details>\n<summary>Cases (%zu)</summary>\n<table>\n<tr><th>Case</th><th>Chart</th>"
            "<th>The rule</th></tr>\n",
            rule->case_count);
    for (size_t i = 0; i < rule->case_count; i++) case_write(b, &rule->cases[i]);
    fputs("</table>\n</details>\n", b->out);
}

static void rule_write(const struct booklet *b, const struct rule *rule)
{
    fprintf(b->out, "<article id=\"rule-%s\"%s>\n<h3>", rule->id,
            is_aside(rule) ? " class=\"aside\"" : "");
    text(b, rule->title);
    fprintf(b->out, "</h3>\n<p><code>%s</code></p>\n", rule->id);
    marks_write(b, rule);
    element(b, "p", rule->context);
    clause_write(b, rule->checked ? "Looked at when" : "Fires when", rule->when);
    clears_write(b, rule);
    yields_write(b, rule);
    members_write(b, rule);
    limits_write(b, rule);
    chapter(b, "Why", rule->mechanism);
    chapter(b, "What to do", rule->recommendation);
    chapter(b, "How the record was read", rule->choice);
    accepted_write(b, rule);
    sources_write(b, rule);
    keeping_write(b, rule);
    cases_write(b, rule);
    fputs("<p class=\"sign\"><span>Reviewed by</span><span>Date</span><span>Signature</span></p>\n"
          "</article>\n",
          b->out);
}

/* ---- the page */

static const char *theme_of(const struct rule *rule)
{
    return rule->theme[0] ? rule->theme : rule->file;
}

/* Rules of one file stand together. */
static bool begins_file(const struct booklet *b, size_t at)
{
    return !at || strcmp(knowledge_rule(b->knowledge, at - 1)->file,
                         knowledge_rule(b->knowledge, at)->file) != 0;
}

static void counts_write(const struct booklet *b)
{
    size_t rules = knowledge_rule_count(b->knowledge), off = 0, checked = 0, doubtful = 0, past = 0;

    for (size_t i = 0; i < rules; i++) {
        const struct rule *rule = knowledge_rule(b->knowledge, i);
        off += rule->mode == RULE_OFF;
        checked += rule->checked;
        doubtful += is_doubtful(rule);
        past += is_past(b, rule);
    }
    fprintf(b->out,
            "<table class=\"facts\">\n<tr><th>Rules</th><td>%zu</td></tr>\n"
            "<tr><th>Off</th><td>%zu</td></tr>\n<tr><th>Checked, never an alert</th><td>%zu</td>"
            "</tr>\n<tr><th>Not verified in retrieved text</th><td>%zu</td></tr>\n"
            "<tr><th>Review is past</th><td>%zu</td></tr>\n</table>\n",
            rules, off, checked, doubtful, past);
}

static void head_write(const struct booklet *b)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
          "Myeloma rules: booklet for review</title>\n<style>\n",
          b->out);
    fputs(style, b->out);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>Myeloma rules: booklet for review</h1>\n<p>",
          b->out);
    fprintf(b->out,
            "As of %s. Profile %s, knowledge generation <code>%s</code>, "
            "myeloma-adapter " ADAPTER_VERSION ".</p>\n",
            b->as_of, profile_name(knowledge_policy(b->knowledge)->profile),
            knowledge_generation(b->knowledge));
    counts_write(b);
    fputs(
        "<p>Every clause of a rule is true, false or unknown. What is missing, too old, in a unit "
        "that cannot be converted, or not mapped is unknown, and never taken for normal: the "
        "rule then “cannot tell”. Orders count when the drug acts in the whole body; local use "
        "counts only where the rule says so. The newest result decides. These rules are material "
        "for clinical review, not medical advice: read every threshold against the current "
        "label.</p>\n</header>\n",
        b->out);
}

static void contents_write(const struct booklet *b)
{
    size_t count = knowledge_rule_count(b->knowledge);

    fputs("<nav>\n<h2>Contents</h2>\n", b->out);
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = knowledge_rule(b->knowledge, i);
        if (begins_file(b, i)) {
            fprintf(b->out, "%s<p><a href=\"#theme-%zu\">", i ? "</ul>\n" : "", i);
            text(b, theme_of(rule));
            fputs("</a></p>\n<ul>\n", b->out);
        }
        fprintf(b->out, "<li><a href=\"#rule-%s\">", rule->id);
        text(b, rule->title);
        fputs("</a>", b->out);
        if (rule->mode == RULE_OFF) fputs(" <em>off</em>", b->out);
        if (rule->checked) fputs(" <em>checked</em>", b->out);
        if (strcmp(rule->grade, "uncertain") == 0) fputs(" <em>uncertain</em>", b->out);
        fputs("</li>\n", b->out);
    }
    fprintf(b->out, "%s%s</nav>\n", count ? "</ul>\n" : "",
            knowledge_definition_count(b->knowledge)
                ? "<p><a href=\"#definitions\">Shared clauses</a></p>\n"
                : "");
}

static void definitions_write(const struct booklet *b)
{
    size_t count = knowledge_definition_count(b->knowledge);

    if (count) fputs("<section id=\"definitions\">\n<h2>Shared clauses</h2>\n", b->out);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const struct clause *clause = knowledge_definition_at(b->knowledge, i, &name);
        AUTO(buf_done) struct buf words = { 0 };
        rule_name(name, &words);
        fputs("<article id=\"definition-", b->out);
        text(b, name);
        fputs("\">\n<h3>", b->out);
        text(b, buf_string(&words));
        fputs("</h3>\n", b->out);
        clause_write(b, "Met when", clause);
        fputs("</article>\n", b->out);
    }
    if (count) fputs("</section>\n", b->out);
}

void rules_booklet(const struct knowledge *knowledge, const char *as_of, FILE *out)
{
    struct booklet b = { knowledge, as_of, out };
    size_t count = knowledge_rule_count(knowledge);

    head_write(&b);
    contents_write(&b);
    fputs("<main>\n", out);
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = knowledge_rule(knowledge, i);
        if (begins_file(&b, i)) {
            fprintf(out, "%s<section id=\"theme-%zu\">\n<h2>", i ? "</section>\n" : "", i);
            text(&b, theme_of(rule));
            fputs("</h2>\n", out);
        }
        rule_write(&b, rule);
    }
    if (count) fputs("</section>\n", out);
    definitions_write(&b);
    fputs("</main>\n</body>\n</html>\n", out);
}
