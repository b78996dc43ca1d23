/* A clause as an outline: one line each, the clauses inside another below it. */
#include <string.h>

#include "core/rule_text_impl.h"

struct writer {
    struct rule_outline *outline;
    const struct knowledge *knowledge;
    bool definitions;
};

struct rule_line *rule_outline_add(struct rule_outline *outline, unsigned depth, const char *text)
{
    struct rule_line *line;

    if (outline->count == outline->room) {
        size_t room = outline->room ? outline->room * 2 : 16;
        struct rule_line *more = arena_alloc(&outline->arena, room * sizeof *more);
        if (outline->count) memcpy(more, outline->lines, outline->count * sizeof *more);
        outline->lines = more;
        outline->room = room;
    }
    line = &outline->lines[outline->count++];
    *line = (struct rule_line){ .depth = depth,
                                .text = arena_copy(&outline->arena, text, strlen(text)) };
    return line;
}

/* "; and" behind the last line so far. */
static void line_join(struct writer *writer, const char *joined)
{
    struct rule_line *last = &writer->outline->lines[writer->outline->count - 1];
    AUTO(buf_done) struct buf text = { 0 };

    buf_printf(&text, "%s%.*s", last->text, (int)strlen(joined) - 1, joined);
    last->text = arena_copy(&writer->outline->arena, buf_string(&text), text.len);
}

static void outline_clause(struct writer *writer, const struct clause *clause, unsigned depth);

static void outline_parts(struct writer *writer, const struct clause *clause, unsigned depth)
{
    const struct clause *list = clause_listed(clause);

    for (size_t i = 0; i < list->part_count; i++) {
        outline_clause(writer, &list->parts[i], depth);
        if (i + 1 < list->part_count) line_join(writer, clause_joint(list->kind));
    }
}

static void outline_rows(struct writer *writer, const struct ceiling_clause *ceiling,
                         unsigned depth)
{
    AUTO(buf_done) struct buf text = { 0 };

    for (size_t i = 0; i < ceiling->row_count; i++) {
        buf_clear(&text);
        ceiling_row_say(&text, &ceiling->rows[i], writer->knowledge);
        rule_outline_add(writer->outline, depth, buf_string(&text));
        if (i + 1 < ceiling->row_count) line_join(writer, "; ");
    }
}

/* Several drugs of one clause at the top of a rule make one alert. */
static bool is_one_alert(const struct clause *clause)
{
    return clause->kind == CLAUSE_ORDER && clause->order.together && !clause->order.absent;
}

/* What a shared clause says, below its name. */
static void outline_definition(struct writer *writer, const struct clause *clause, unsigned depth)
{
    if (clause->kind == CLAUSE_ALL)
        outline_parts(writer, clause, depth);
    else
        outline_clause(writer, clause, depth);
}

static void outline_clause(struct writer *writer, const struct clause *clause, unsigned depth)
{
    bool told = clause->kind == CLAUSE_DEFINITION && writer->definitions;
    AUTO(buf_done) struct buf text = { 0 };
    struct rule_line *line;

    clause_head_say(&text, clause, writer->knowledge);
    if (clause->part_count || clause->kind == CLAUSE_CEILING) buf_char(&text, ':');
    if (told) buf_text(&text, ", that is:");
    if (!depth && is_one_alert(clause)) buf_text(&text, " (one alert for all of them)");
    line = rule_outline_add(writer->outline, depth, buf_string(&text));
    if (clause->kind == CLAUSE_DEFINITION) line->definition = clause->name;
    if (clause->kind == CLAUSE_CEILING) outline_rows(writer, &clause->ceiling, depth + 1);
    if (told) outline_definition(writer, clause->definition, depth + 1);
    outline_parts(writer, clause, depth + 1);
}

void rule_outline_make(const struct clause *clause, const struct knowledge *knowledge,
                       bool definitions, struct rule_outline *ret)
{
    struct writer writer = { ret, knowledge, definitions };

    *ret = (struct rule_outline){ .count = 0 };
    if (clause->kind == CLAUSE_ALL)
        outline_parts(&writer, clause, 0);
    else
        outline_clause(&writer, clause, 0);
}

void rule_outline_done(struct rule_outline *outline)
{
    arena_done(&outline->arena);
    *outline = (struct rule_outline){ .count = 0 };
}
