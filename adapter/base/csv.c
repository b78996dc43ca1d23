#include "base/csv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

/* The row being read. */
struct row {
    struct csv *csv;
    const char *at;
    const char *line_start;
    unsigned line;
    char *out; /* where the next field goes */
    size_t fields;
    const char *wrong; /* static storage; NULL: nothing */
    const char *wrong_at;
};

static bool fail(struct row *row, const char *at, const char *wrong)
{
    row->wrong = wrong;
    row->wrong_at = at;
    return false;
}

static bool at_end(const struct row *row)
{
    return row->at == row->csv->end;
}

/* Bytes of the line end at `at`: LF, CRLF or none. */
static size_t line_end(const char *at, const char *end)
{
    if (at < end && *at == '\n') return 1;
    return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

static bool ends_field(const struct row *row)
{
    return at_end(row) || *row->at == ',' || line_end(row->at, row->csv->end);
}

static bool keep(struct row *row, const char *start, size_t len)
{
    const struct csv *csv = row->csv;
    const char *field = csv->field[row->fields];

    if ((size_t)(row->out - field) + len > CSV_FIELD_MAX)
        return fail(row, row->at, "this field is too long");
    memcpy(row->out, start, len);
    row->out += len;
    row->at += len;
    return true;
}

/* One character of a field: text as RFC 4180 has it, but UTF-8. */
static bool character(struct row *row)
{
    unsigned char c = (unsigned char)*row->at;
    size_t len = utf8_len(row->at, row->csv->end);

    if (!len) return fail(row, row->at, "invalid UTF-8");
    if (c < 0x20 || c == 0x7F) return fail(row, row->at, "control character");
    return keep(row, row->at, len);
}

static bool plain_field(struct row *row)
{
    while (!ends_field(row)) {
        if (*row->at == '"') return fail(row, row->at, "a quote inside a field without quotes");
        if (!character(row)) return false;
    }
    return true;
}

static bool line_break(struct row *row, size_t len)
{
    if (!keep(row, row->at, len)) return false;
    row->line++;
    row->line_start = row->at;
    return true;
}

static bool quoted_field(struct row *row)
{
    const char *open = row->at++, *end = row->csv->end;

    for (size_t len; !at_end(row);) {
        if (*row->at == '"') {
            row->at++;
            if (at_end(row) || *row->at != '"') return true;
            if (!keep(row, row->at, 1)) return false;
        } else if ((len = line_end(row->at, end))) {
            if (!line_break(row, len)) return false;
        } else if (!character(row)) {
            return false;
        }
    }
    return fail(row, open, "a quote that is not closed");
}

static bool field(struct row *row)
{
    struct csv *csv = row->csv;

    if (row->fields == csv->columns) return fail(row, row->at, "more fields than columns");
    row->out = csv->room + row->fields * (CSV_FIELD_MAX + 1);
    csv->field[row->fields] = row->out;
    csv->column[row->fields] = (unsigned)(row->at - row->line_start) + 1;
    if (!at_end(row) && *row->at == '"') {
        if (!quoted_field(row)) return false;
        if (!ends_field(row)) return fail(row, row->at, "text behind the closing quote");
    } else if (!plain_field(row)) {
        return false;
    }
    *row->out = '\0';
    row->fields++;
    return true;
}

static bool fields(struct row *row)
{
    for (;;) {
        if (!field(row)) return false;
        if (at_end(row) || *row->at != ',') break;
        row->at++;
    }
    if (row->fields < row->csv->columns_min) return fail(row, row->at, "fewer fields than columns");
    return true;
}

static const char *way_out(const char *wrong)
{
    static const struct {
        const char *wrong, *fix;
    } ways[] = {
        { "this field is too long", "is a quote not closed?" },
        { "invalid UTF-8", "save the file as UTF-8" },
        { "control character", "remove it" },
        { "a quote inside a field without quotes", "put the whole field in quotes and write \"\"" },
        { "a quote that is not closed", "close it; a quote within is written \"\"" },
        { "more fields than columns", "put a text with commas in quotes" },
        { "text behind the closing quote", "a quote within a field is written \"\"" },
        { "fewer fields than columns", "add commas for the empty ones" },
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].wrong, wrong) == 0) return ways[i].fix;
    return "";
}

static bool row_error(struct row *row, const char *code, struct err *err)
{
    const char *line = row->csv->at; /* the error may stand on an earlier line than row->at */
    unsigned number = row->csv->line;

    for (const char *c = line; c < row->wrong_at; c++)
        if (*c == '\n') {
            number++;
            line = c + 1;
        }
    err_set(err, ERR_CONFIG, code, "%s", row->wrong);
    err_fix(err, "%s", way_out(row->wrong));
    return err_at(err, "%u:%u", number, (unsigned)(row->wrong_at - line) + 1);
}

/* Go on in the line behind the error: a quote that is not closed spoils one line, not the file. */
static void skip_row(struct row *row)
{
    struct csv *csv = row->csv;

    row->at = row->wrong_at;
    while (row->at < csv->end && *row->at != '\n') row->at++;
    row->line = csv->line;
    for (const char *c = csv->at; c < row->at; c++) row->line += *c == '\n';
}

/* Read the row at csv->at; afterwards csv->at is behind it, whether it was good or not. */
static bool read_row(struct csv *csv, const char *code, struct err *err)
{
    struct row row = { .csv = csv, .at = csv->at, .line_start = csv->at, .line = csv->next_line };

    csv->line = csv->next_line;
    bool good = fields(&row);
    if (!good) {
        row_error(&row, code, err);
        skip_row(&row);
    }
    csv->at = row.at + line_end(row.at, csv->end);
    csv->next_line = row.line + 1;
    if (good && !csv->header_read) csv->columns = csv->columns_min = row.fields;
    return good;
}

/* The name of a column, without the ? of one that may be missing. */
static const char *bare(const char *name)
{
    return name[0] == '?' ? name + 1 : name;
}

static bool check_header(struct csv *csv, const char *const *names, struct err *err)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (strcmp(csv->field[i], bare(names[i])) == 0) continue;
        err_set(err, ERR_CONFIG, "csv.header", "column %zu is not \"%s\"", i + 1, bare(names[i]));
        return err_at(err, "%u:%u", csv->line, csv->column[i]);
    }
    for (size_t i = csv->columns; names[i]; i++) csv->field[i] = "";
    return true;
}

static void fix_header(const char *const *names, struct err *err)
{
    AUTO(buf_done) struct buf header = { 0 };

    for (size_t i = 0; names[i]; i++) {
        bool optional = names[i][0] == '?';
        buf_printf(&header, "%s%s%s%s", optional ? "[" : "", i ? "," : "", bare(names[i]),
                   optional ? "]" : "");
    }
    err_fix(err, "the first line must be %s", buf_string(&header));
}

bool csv_init(struct csv *csv, const char *text, size_t len, const char *const *names,
              struct err *err)
{
    if (!len) text = ""; /* may have been NULL */
    *csv = (struct csv){ .at = text, .end = text + len, .next_line = 1 };
    while (names[csv->columns]) csv->columns_min += names[csv->columns++][0] != '?';
    assert(csv->columns > 0 && csv->columns <= CSV_COLUMNS_MAX);
    csv->room_size = csv->columns * (CSV_FIELD_MAX + 1);
    csv->room = mem_zero(1, csv->room_size);
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) csv->at += 3;
    if (read_row(csv, "csv.header", err) && check_header(csv, names, err)) {
        csv->header_read = true;
        return true;
    }
    fix_header(names, err);
    csv_done(csv);
    return false;
}

bool csv_next(struct csv *csv, bool *ret_end, struct err *err)
{
    for (size_t len; (len = line_end(csv->at, csv->end)); csv->at += len) csv->next_line++;
    if (csv->at == csv->end) {
        *ret_end = true;
        return true;
    }
    if (!read_row(csv, "csv.row", err)) return false;
    *ret_end = false;
    return true;
}

void csv_done(struct csv *csv)
{
    free(csv->room);
    *csv = (struct csv){ 0 };
}
