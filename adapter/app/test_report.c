#include "app/test_report.h"

#include <limits.h>
#include <string.h>

#include "app/load.h"

static const char *path_of(const struct test_run *run, const struct rule *rule, char *buf,
                           size_t size)
{
    return load_rule_path(run->dir, rule->file, buf, size);
}

/* "fires, interruptive": the display only where the case names one. */
static void outcome_print(enum case_outcome outcome, const char *display, FILE *out)
{
    fprintf(out, "%s%s%s", case_outcome_name(outcome), display[0] ? ", " : "", display);
}

static const char *display_said(const struct test_result *result)
{
    return result->at->display[0] ? display_name(result->said.display) : "";
}

/* Each line of text behind an indent. */
static void lines_print(const char *text, const char *indent, FILE *out)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        fprintf(out, "%s%.*s\n", indent, (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* ---- TAP */

/* A # begins a directive, and a line ends a test. */
static void tap_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\') fputc('\\', out);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
    }
}

/* In double quotes, where YAML knows the escapes of JSON. */
static void yaml_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void tap_failure(const struct test_run *run, const struct test_result *result, FILE *out)
{
    char path[PATH_MAX];

    fputs("  ---\n  message: ", out);
    yaml_text(result->message, out);
    fputs("\n  severity: fail\n  file: ", out);
    yaml_text(path_of(run, result->rule, path, sizeof path), out);
    fprintf(out, "\n  line: %u\n  column: %u\n  expected: \"", result->at->line,
            result->at->column);
    outcome_print(result->at->then, result->at->display, out);
    fputs("\"\n", out);
    if (result->trace) {
        fputs("  got: \"", out);
        outcome_print(result->said.outcome, display_said(result), out);
        fputs("\"\n  trace: |\n", out);
        lines_print(result->trace, "    ", out);
    }
    fputs("  ...\n", out);
}

void test_report_tap(const struct test_run *run, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%zu\n", run->count);
    for (size_t i = 0; i < run->count; i++) {
        const struct test_result *result = &run->results[i];
        fprintf(out, "%s %zu - %s: ", result->holds ? "ok" : "not ok", i + 1, result->rule->id);
        tap_text(result->at->name, out);
        fputc('\n', out);
        if (!result->holds) tap_failure(run, result, out);
    }
}

/* ---- JUnit */

/* XML 1.0 has no place for control characters, not even escaped, nor for U+FFFE and U+FFFF. */
static void xml_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '&') {
            fputs("&amp;", out);
        } else if (c == '<') {
            fputs("&lt;", out);
        } else if (c == '>') {
            fputs("&gt;", out);
        } else if (c == '"') {
            fputs("&quot;", out);
        } else if (strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0) {
            fputc('?', out);
            text += 2;
        } else {
            fputc(c < ' ' && c != '\n' && c != '\t' ? '?' : c, out);
        }
    }
}

static void xml_attribute(const char *name, const char *text, FILE *out)
{
    fprintf(out, " %s=\"", name);
    xml_text(text, out);
    fputc('"', out);
}

static void junit_case(const struct test_run *run, const struct test_result *result, FILE *out)
{
    char path[PATH_MAX];

    fputs("    <testcase", out);
    xml_attribute("classname", result->rule->id, out);
    xml_attribute("name", result->at->name, out);
    xml_attribute("file", path_of(run, result->rule, path, sizeof path), out);
    fprintf(out, " line=\"%u\"", result->at->line);
    if (result->holds) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n      <failure", out);
    xml_attribute("message", result->message, out);
    fputs(">", out);
    xml_text(path, out);
    fprintf(out, ":%u:%u\n", result->at->line, result->at->column);
    xml_text(result->trace ? result->trace : "", out);
    fputs("</failure>\n    </testcase>\n", out);
}

/* The results of one rule stand together: how many from here on are of it. */
static size_t suite_size(const struct test_run *run, size_t from, size_t *ret_failed)
{
    size_t end = from;

    for (*ret_failed = 0; end < run->count && run->results[end].rule == run->results[from].rule;
         end++)
        *ret_failed += !run->results[end].holds;
    return end - from;
}

void test_report_junit(const struct test_run *run, FILE *out)
{
    size_t count, failed;

    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"myeloma-adapter rules\" tests=\"%zu\" failures=\"%zu\">\n",
            run->count, run->failed);
    for (size_t i = 0; i < run->count; i += count) {
        count = suite_size(run, i, &failed);
        fputs("  <testsuite", out);
        xml_attribute("name", run->results[i].rule->id, out);
        fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", count,
                failed);
        for (size_t j = i; j < i + count; j++) junit_case(run, &run->results[j], out);
        fputs("  </testsuite>\n", out);
    }
    fputs("</testsuites>\n", out);
}

/* ---- in brief */

void test_report_brief(const struct test_run *run, FILE *out)
{
    const char *red = run->colours ? "\033[31m" : "", *plain = run->colours ? "\033[0m" : "";
    char path[PATH_MAX];

    for (size_t i = 0; i < run->count; i++) {
        const struct test_result *result = &run->results[i];
        if (result->holds) continue;
        fprintf(out, "%s:%u:%u: %s%s: %s: %s%s\n", path_of(run, result->rule, path, sizeof path),
                result->at->line, result->at->column, red, result->rule->id, result->at->name,
                result->message, plain);
        if (result->trace) lines_print(result->trace, "    ", out);
    }
    if (run->failed)
        fprintf(out, "%s%zu of %zu cases fail%s (%zu rules)\n", red, run->failed, run->count, plain,
                run->rules);
    else
        fprintf(out, "%zu cases of %zu rules hold\n", run->count, run->rules);
}
