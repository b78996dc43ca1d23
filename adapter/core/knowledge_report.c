/* What the readers of rows share: problems with their place, claims with the line that made them, and
 * fields that are a name or a number. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/doc.h"
#include "core/knowledge_impl.h"

static const struct knowledge_file *file_of(const struct knowledge_reader *reader)
{
    return reader->files[reader->file].file;
}

PRINTF(5, 0)
static void add_problem(struct knowledge_reader *reader, struct err *err, const char *code,
                        const char *fix, const char *fmt, va_list args)
{
    char what[sizeof err->what], where[sizeof err->where];

    memcpy(where, err->where, sizeof where);
    vsnprintf(what, sizeof what, fmt, args);
    err_set(err, ERR_CONFIG, code, "%s", what);
    err_fix(err, "%s", fix);
    memcpy(err->where, where, sizeof where);
    err_list_add(reader->problems, err);
}

void reader_problem(struct knowledge_reader *reader, size_t column, const char *code,
                    const char *fix, const char *fmt, ...)
{
    struct err err = { 0 };
    va_list args;

    err_at(&err, "%s:%u:%u", file_of(reader)->name, reader->csv.line, reader->csv.column[column]);
    va_start(args, fmt);
    add_problem(reader, &err, code, fix, fmt, args);
    va_end(args);
}

static void set_place(const struct knowledge_file *file, uint32_t offset, struct err *err)
{
    err->offset = offset;
    doc_place(file->name, file->text, file->len, err);
}

void reader_problem_at(struct knowledge_reader *reader, uint32_t offset, const char *code,
                       const char *fix, const char *fmt, ...)
{
    struct err err = { 0 };
    va_list args;

    set_place(file_of(reader), offset, &err);
    va_start(args, fmt);
    add_problem(reader, &err, code, fix, fmt, args);
    va_end(args);
}

void reader_node_problem(struct knowledge_reader *reader, const struct err *err)
{
    struct err placed = *err;

    set_place(file_of(reader), err->offset, &placed);
    err_list_add(reader->problems, &placed);
}

void reader_line_problem(struct knowledge_reader *reader, struct err *err)
{
    err_at(err, "%s:", file_of(reader)->name);
    err_list_add(reader->problems, err);
}

void reader_unknown(struct knowledge_reader *reader, size_t column, const char *what,
                    const char *word, const char *near, const char *fix)
{
    char guess[128];

    snprintf(guess, sizeof guess, "did you mean \"%s\"?", near ? near : "");
    reader_problem(reader, column, "knowledge.unknown", near ? guess : fix, "\"%.80s\" is no %s",
                   word, what);
}

const char *reader_near(const struct knowledge_reader *reader, unsigned kinds, const char *word)
{
    if (reader->problems->count >= ERR_LIST_MAX) return NULL;
    return knowledge_near(reader->knowledge, kinds, word);
}

/* ---- claims */

const char *reader_place(const struct knowledge_reader *reader, const struct table_entry *entry,
                         char *buf, size_t size)
{
    snprintf(buf, size, "%s:%u:%u", reader->files[entry->file].file->name, entry->line,
             entry->column);
    return buf;
}

void reader_mark(const struct knowledge_reader *reader, struct table_entry *entry, size_t column)
{
    unsigned at = reader->csv.column[column];

    entry->file = (uint16_t)reader->file; /* at most KNOWLEDGE_FILES_MAX */
    entry->line = reader->csv.line;
    entry->column = (uint16_t)(at < UINT16_MAX ? at : UINT16_MAX);
}

bool reader_claim(struct knowledge_reader *reader, struct table *table, uint32_t scope,
                  const char *text, uint32_t value, size_t column)
{
    struct table_entry *entry = table_add(table, &reader->knowledge->arena, scope, text);
    char place[160];

    if (!entry->value) {
        entry->value = value;
        reader_mark(reader, entry, column);
    }
    if (entry->value == value) return true;
    reader_problem(reader, column, "knowledge.conflict", "keep one of the two lines",
                   "\"%.80s\" stands for something else in %s", text,
                   reader_place(reader, entry, place, sizeof place));
    return false;
}

/* ---- fields */

bool reader_name(struct knowledge_reader *reader, size_t column, const char *word)
{
    size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (len && !word[len] && strcmp(word, "not-relevant") != 0) return true;
    reader_problem(reader, column, "knowledge.name", "use a-z, 0-9 and -",
                   "\"%.80s\" cannot be a name", word);
    return false;
}

bool reader_decimal(struct knowledge_reader *reader, size_t column, const char *text,
                    struct decimal empty, struct decimal *ret)
{
    *ret = empty;
    if (!*text || decimal_parse(text, ret)) return true;
    reader_problem(reader, column, "knowledge.number", "write it like 0.5, 12 or 1e-9",
                   "\"%.80s\" is no number", text);
    return false;
}
