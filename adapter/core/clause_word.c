/* The words of rule files: names, lengths of time, thresholds; and how their problems are told. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "core/clause_read.h"
#include "core/knowledge_impl.h"

const char *word_keep(struct rule_reader *reader, const char *text)
{
    return arena_copy(reader->arena, text, strlen(text));
}

const char *rule_place(struct rule_reader *reader, const struct node *at)
{
    char place[192];
    unsigned line, column;

    doc_locate(reader->file->text, reader->file->len, at->offset, &line, &column);
    snprintf(place, sizeof place, "%.150s:%u:%u", reader->file->name, line, column);
    return word_keep(reader, place);
}

void rule_locate(struct rule_reader *reader, const struct node *at, unsigned *ret_line,
                 unsigned *ret_column)
{
    if (at->offset < reader->line_start) reader->line_start = reader->lines = 0;
    doc_locate(reader->file->text + reader->line_start, reader->file->len - reader->line_start,
               at->offset - reader->line_start, ret_line, ret_column);
    if (*ret_line > 1) reader->line_start = at->offset - (*ret_column - 1);
    reader->lines += *ret_line - 1;
    *ret_line = reader->lines + 1;
}

bool rule_problem(struct rule_reader *reader, const struct node *at, const char *fix,
                  const char *fmt, ...)
{
    struct err err;
    char what[sizeof err.what];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    err_set(&err, ERR_CONFIG, "rule.value", "%s", what);
    err.offset = at->offset;
    doc_place(reader->file->name, reader->file->text, reader->file->len, &err);
    if (fix && fix[0]) err_fix(&err, "%s", fix);
    err_list_add(reader->problems, &err);
    return false;
}

bool rule_problem_err(struct rule_reader *reader, const struct err *err)
{
    struct err placed = *err;

    doc_place(reader->file->name, reader->file->text, reader->file->len, &placed);
    err_list_add(reader->problems, &placed);
    return false;
}

bool keys_only(struct rule_reader *reader, const struct node *at, const char *const *keys)
{
    struct err err;

    if (node_only(at, keys, &err)) return true;
    return rule_problem_err(reader, &err);
}

bool key_has(const struct node *at, const char *key)
{
    return node_get(at, key).value != NULL;
}

bool keys_exclude(struct rule_reader *reader, const struct node *at, const char *one,
                  const char *other)
{
    struct node value = node_get(at, other);

    if (!key_has(at, one) || !key_has(at, other)) return true;
    return rule_problem(reader, &value, "leave out one of them",
                        "\"%s\" and \"%s\" cannot stand together", one, other);
}

bool keys_need(struct rule_reader *reader, const struct node *at, const char *one,
               const char *other)
{
    struct node value = node_get(at, one);

    if (!key_has(at, one) || key_has(at, other)) return true;
    return rule_problem(reader, &value, "", "\"%s\" means nothing without \"%s\"", one, other);
}

const char *key_text(struct rule_reader *reader, const struct node *at, const char *key)
{
    struct err err;
    const char *text;

    if (node_string(at, key, &text, &err)) return text;
    rule_problem_err(reader, &err);
    return NULL;
}

bool duration_read(struct rule_reader *reader, const struct node *at, const char *key,
                   struct duration *ret)
{
    struct node value = node_get(at, key);
    const char *text = key_text(reader, at, key);

    if (!text) return false;
    if (duration_parse(text, ret)) return true;
    return rule_problem(reader, &value, "write a number and one of s min h d wk mo a: \"14 d\"",
                        "\"%s\" is not a length of time", text);
}

bool duration_maybe(struct rule_reader *reader, const struct node *at, const char *key,
                    bool *ret_has, struct duration *ret)
{
    *ret_has = key_has(at, key);
    return !*ret_has || duration_read(reader, at, key, ret);
}

/* ---- concepts */

bool word_unknown(struct rule_reader *reader, const struct node *at, const char *word,
                  const char *near)
{
    char fix[128] = "use a name of codes/ or labs/, or \"class:NAME\"";

    if (near) snprintf(fix, sizeof fix, "did you mean \"%s\"?", near);
    return rule_problem(reader, at, fix, "nothing is known as \"%s\" here", word);
}

static bool word_expand(struct rule_reader *reader, const struct node *at, enum concept_kind kind,
                        struct concept_set *set)
{
    const char *word = node_scalar(at), *near;

    if (!node_is(at, DOC_STRING) || !word)
        return rule_problem(reader, at, "", "a name is expected here");
    return knowledge_expand(reader->knowledge, kind, word, set, &near) ||
           word_unknown(reader, at, word, near);
}

/* A class with a name reads "any NAME"; others as they are written: "class:loop-diuretic" reads "any
 * loop diuretic", "class:myeloma-any" "any myeloma drug", "class:any-dialysis" has its "any" already, "zoledronic-acid" loses its hyphen. */
static void word_say(struct buf *words, const struct knowledge *knowledge, const char *word)
{
    const char *name = word ? knowledge_class_name(knowledge, word) : NULL;
    static const char any[] = "-any";
    bool ends_any;
    size_t n;

    if (!word) return;
    if (name) {
        buf_printf(words, "any %s", name);
        return;
    }
    if (strncmp(word, "class:", 6) == 0) {
        word += 6;
        if (strncmp(word, "any-", 4) != 0) buf_text(words, "any ");
    }
    n = strlen(word);
    ends_any = n > sizeof any && strcmp(word + n - (sizeof any - 1), any) == 0;
    if (ends_any) n -= sizeof any - 1;
    for (size_t i = 0; i < n; i++) buf_char(words, word[i] == '-' ? ' ' : word[i]);
    if (ends_any) buf_text(words, " drug");
}

bool words_read(struct rule_reader *reader, const struct node *at, const char *key,
                enum concept_kind kind, struct concept_set *set, const char **ret_words)
{
    struct node value = node_get(at, key);
    AUTO(buf_done) struct buf words = { 0 };
    bool good = true;

    if (node_is(&value, DOC_STRING)) {
        good = word_expand(reader, &value, kind, set);
        word_say(&words, reader->knowledge, node_scalar(&value));
    } else if (node_is(&value, DOC_ARRAY) && node_count(&value)) {
        for (size_t i = 0; i < node_count(&value); i++) {
            struct node item = node_item(&value, i);
            good = word_expand(reader, &item, kind, set) && good;
            if (i) buf_text(&words, i + 1 == node_count(&value) ? " or " : ", ");
            word_say(&words, reader->knowledge, node_scalar(&item));
        }
    } else {
        return rule_problem(reader, &value, "write a name or a list of names",
                            "\"%s\" names nothing", key);
    }
    if (good && !set->count)
        good = rule_problem(reader, &value, "", "nothing is in what \"%s\" names", key);
    if (ret_words) *ret_words = word_keep(reader, buf_string(&words));
    return good;
}

bool analyte_read(struct rule_reader *reader, const struct node *at, const char *key, unsigned *ret)
{
    struct concept_set set = { 0 };
    const char *words;
    bool good = words_read(reader, at, key, CONCEPT_ANALYTE, &set, &words);
    struct node value = node_get(at, key);

    if (good && set.count != 1)
        good = rule_problem(reader, &value, "", "\"%s\" must name one analyte", key);
    if (good) *ret = set.items[0];
    concept_set_done(&set);
    return good;
}

/* ---- thresholds */

static const char *skip_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(text, word, n) != 0 || (text[n] != ' ' && text[n] != '\0')) return NULL;
    return text + n + (text[n] == ' ');
}

bool number_take(const char **text, struct decimal *ret)
{
    char number[48];
    size_t n = strcspn(*text, " ");

    if (n == 0 || n >= sizeof number) return false;
    memcpy(number, *text, n);
    number[n] = '\0';
    if (!decimal_parse(number, ret)) return false;
    *text += n + ((*text)[n] == ' ');
    return true;
}

bool threshold_parse(const char *text, struct threshold *ret, const char **ret_rest)
{
    static const struct {
        const char *word;
        enum compare compare;
    } words[] = {
        { "below", COMPARE_BELOW },
        { "at most", COMPARE_AT_MOST },
        { "above", COMPARE_ABOVE },
        { "at least", COMPARE_AT_LEAST },
    };
    const char *rest = NULL;

    for (size_t i = 0; !rest && i < ARRAY_SIZE(words); i++) {
        rest = skip_word(text, words[i].word);
        ret->compare = words[i].compare;
    }
    ret->range = !rest;
    if (!rest) rest = text;
    if (!number_take(&rest, &ret->low)) return false;
    if (ret->range) {
        rest = skip_word(rest, "to");
        if (!rest || !number_take(&rest, &ret->high)) return false;
        if (decimal_compare(ret->low, ret->high) > 0) return false;
    }
    *ret_rest = rest;
    return true;
}

static bool limit_convert(struct rule_reader *reader, const struct node *at, unsigned analyte,
                          const char *unit, struct decimal *limit)
{
    struct interval converted;

    if (analyte_convert(reader->knowledge, analyte, unit, interval_exactly(*limit), &converted) &&
        interval_is_exact(&converted)) {
        *limit = converted.low;
        return true;
    }
    return rule_problem(reader, at, "use a unit of labs/units.csv", "\"%s\" is no unit of %s", unit,
                        concept_name(reader->knowledge, analyte));
}

bool threshold_of(struct rule_reader *reader, const struct node *at, const char *text,
                  unsigned analyte, struct threshold *ret)
{
    const char *unit;

    if (!threshold_parse(text, ret, &unit))
        return rule_problem(reader, at, THRESHOLD_FIX, "\"%s\" is not a threshold", text);
    ret->words = word_keep(reader, text);
    return limit_convert(reader, at, analyte, unit, &ret->low) &&
           (!ret->range || limit_convert(reader, at, analyte, unit, &ret->high));
}

bool threshold_in(struct rule_reader *reader, const struct node *at, const char *key,
                  const char *const *units, struct threshold *ret, const char **ret_unit)
{
    struct node value = node_get(at, key);
    const char *text = key_text(reader, at, key), *unit;
    AUTO(buf_done) struct buf fix = { 0 };

    if (!text) return false;
    if (!threshold_parse(text, ret, &unit))
        return rule_problem(reader, &value, THRESHOLD_FIX, "\"%s\" is not a threshold", text);
    ret->words = word_keep(reader, text);
    for (size_t i = 0; units[i]; i++) {
        buf_printf(&fix, "%s%s", i ? ", " : "use ", units[i]);
        if (strcmp(unit, units[i]) != 0) continue;
        if (ret_unit) *ret_unit = units[i];
        return true;
    }
    return rule_problem(reader, &value, buf_string(&fix), "\"%s\" is no unit that can stand here",
                        unit);
}
