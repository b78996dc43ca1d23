/* rules: the list, and the search that fills it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"
#include "app/page.h"
#include "app/rules.h"
#include "base/mem.h"
#include "core/rule_text.h"
#include "core/rule_visit.h"

const char *rules_mode(const struct rule *rule)
{
    static const char *const names[] = { "live", "shadow", "off" };
    return names[rule->mode];
}

void rules_display(const struct rule *rule, const struct knowledge *knowledge, struct buf *out)
{
    buf_text(out, display_name(rule->display));
    if (!rule->display_if) return;
    buf_text(out, " where ");
    rule_sentence(rule->display_if, knowledge, out);
    if (rule->display_unknown != rule->display)
        buf_printf(out, "; where that cannot be told %s", display_name(rule->display_unknown));
    buf_printf(out, "; otherwise %s", display_name(rule->display_else));
}

/* ---- the columns */

#define COLUMNS 7

static const char *const column_names[COLUMNS] = { "id",   "kind",  "severity", "display",
                                                   "mode", "grade", "title" };

/* "interruptive" or "interruptive/passive": buf needs 32 bytes. */
static const char *display_short(const struct rule *rule, char *buf, size_t size)
{
    if (!rule->display_if) return display_name(rule->display);
    snprintf(buf, size, "%s/%s", display_name(rule->display), display_name(rule->display_else));
    return buf;
}

static void cells_of(const struct rule *rule, char display[32], const char *ret[COLUMNS])
{
    ret[0] = rule->id;
    ret[1] = rule->kind;
    ret[2] = severity_name(rule->severity);
    ret[3] = display_short(rule, display, 32);
    ret[4] = rule->checked ? "checked" : rules_mode(rule);
    ret[5] = rule->grade;
    ret[6] = rule->title;
}

/* ---- table */

static void widths_of(const struct rules_list *list, int ret[COLUMNS + 1])
{
    for (int c = 0; c < COLUMNS; c++) ret[c] = page_columns(column_names[c]);
    ret[COLUMNS] = list->found ? 5 : 0;
    for (size_t i = 0; i < list->count; i++) {
        const char *cells[COLUMNS];
        char display[32];
        cells_of(list->rules[i], display, cells);
        for (int c = 0; c < COLUMNS; c++)
            if (page_columns(cells[c]) > ret[c]) ret[c] = page_columns(cells[c]);
        if (list->found && page_columns(list->found[i]) > ret[COLUMNS])
            ret[COLUMNS] = page_columns(list->found[i]);
    }
}

#define TITLE 6
#define ROOM  34 /* columns that a title should have; half of that for where a word was found */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Columns that the page needs with the last two as narrow as they may be. */
static int least_page(const int widths[COLUMNS + 1])
{
    int all = -2;

    for (int c = 0; c < TITLE; c++) all += widths[c] ? widths[c] + 2 : 0;
    all += smaller(widths[TITLE], ROOM) + 2;
    return all + (widths[COLUMNS] ? smaller(widths[COLUMNS], ROOM / 2) + 2 : 0);
}

/* Columns are left out until there is room for titles; then these get what is left. */
static void widths_fit(int widths[COLUMNS + 1], int page)
{
    static const int order[] = { 3, 1, 5, 4, 2, COLUMNS };
    int left = page + 2;

    for (size_t i = 0; i < ARRAY_SIZE(order) && least_page(widths) > page; i++)
        widths[order[i]] = 0;
    for (int c = 0; c < TITLE; c++) left -= widths[c] ? widths[c] + 2 : 0;
    if (widths[COLUMNS]) {
        int found = left - 4 - widths[TITLE];
        if (found < smaller(widths[COLUMNS], ROOM / 2)) found = smaller(widths[COLUMNS], ROOM / 2);
        widths[COLUMNS] = smaller(widths[COLUMNS], found);
        left -= widths[COLUMNS] + 2;
    }
    widths[TITLE] = smaller(widths[TITLE], left - 2 > 10 ? left - 2 : 10);
}

static void head_print(const int widths[COLUMNS + 1], FILE *out)
{
    const char *gap = "";

    for (int c = 0; c <= COLUMNS; c++) {
        const char *name = c < COLUMNS ? column_names[c] : "found";
        if (!widths[c]) continue;
        fputs(gap, out);
        for (const char *letter = name; *letter; letter++) fputc(*letter & ~0x20, out);
        if (c < COLUMNS - 1 || (c < COLUMNS && widths[COLUMNS]))
            fprintf(out, "%*s", widths[c] - (int)strlen(name), "");
        gap = "  ";
    }
    fputc('\n', out);
}

static const char *shade(bool colours, const struct rule *rule)
{
    if (!colours) return "";
    if (rule->mode == RULE_OFF || rule->checked) return "\033[2m";
    return rule->severity == SEVERITY_HIGH       ? "\033[31m"
           : rule->severity == SEVERITY_MODERATE ? "\033[33m"
                                                 : "";
}

static void table_print(const struct rules_list *list, FILE *out)
{
    bool colours = command_colours(out);
    int widths[COLUMNS + 1];

    widths_of(list, widths);
    if (isatty(fileno(out))) widths_fit(widths, page_width(out));
    head_print(widths, out);
    for (size_t i = 0; i < list->count; i++) {
        const char *cells[COLUMNS + 1], *gap = "";
        char display[32];
        cells_of(list->rules[i], display, cells);
        cells[COLUMNS] = list->found ? list->found[i] : "";
        fputs(shade(colours, list->rules[i]), out);
        for (int c = 0; c <= COLUMNS; c++) {
            bool last = c == COLUMNS || (c == COLUMNS - 1 && !widths[COLUMNS]);
            if (!widths[c]) continue;
            fputs(gap, out);
            page_cell(cells[c], widths[c], !last, out);
            gap = "  ";
        }
        fputs(colours ? "\033[0m\n" : "\n", out);
    }
}

/* ---- JSON and CSV */

static json_t *rule_json(const struct rule *rule, const struct knowledge *knowledge)
{
    AUTO(buf_done) struct buf when = { 0 };
    AUTO(buf_done) struct buf display = { 0 };
    json_t *made;

    rule_sentence(rule->when, knowledge, &when);
    rules_display(rule, knowledge, &display);
    made = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id",
                     rule->id, "kind", rule->kind, "severity", severity_name(rule->severity),
                     "display", buf_string(&display), "mode", rules_mode(rule), "grade",
                     rule->grade, "verdict", rule->verdict, "title", rule->title, "when",
                     buf_string(&when), "file", rule->file, "owner", rule->owner, "reviewBy",
                     rule->review_by, "cases", (json_int_t)rule->case_count);
    if (!made) abort();
    return made;
}

static void json_print(const struct rules_list *list, FILE *out)
{
    json_t *made = json_array();

    for (size_t i = 0; i < list->count; i++) {
        json_t *rule = rule_json(list->rules[i], list->knowledge);
        if (list->found) json_object_set_new(rule, "found", json_string(list->found[i]));
        json_array_append_new(made, rule);
    }
    json_dumpf(made, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(made);
}

static void csv_print(const struct rules_list *list, FILE *out)
{
    for (int c = 0; c < COLUMNS; c++) fprintf(out, "%s%s", c ? "," : "", column_names[c]);
    fputs(list->found ? ",found\n" : "\n", out);
    for (size_t i = 0; i < list->count; i++) {
        const char *cells[COLUMNS];
        char display[32];
        cells_of(list->rules[i], display, cells);
        for (int c = 0; c < COLUMNS; c++) {
            if (c) fputc(',', out);
            page_csv(cells[c], out);
        }
        if (list->found) fputc(',', out);
        if (list->found) page_csv(list->found[i], out);
        fputc('\n', out);
    }
}

void rules_list_print(const struct rules_list *list, enum rules_format format, FILE *out)
{
    switch (format) {
    case RULES_TABLE:
        table_print(list, out);
        break;
    case RULES_JSON:
        json_print(list, out);
        break;
    case RULES_CSV:
        csv_print(list, out);
        break;
    }
}
