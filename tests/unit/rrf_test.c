/* Lines of RRF files. Column counts are those of the RxNorm Technical Documentation. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/rrf.h"

static const struct split_case {
    const char *name, *line;
    size_t columns;
    const char *want; /* fields in brackets, or the error code and text */
} splits[] = {
    { "every field ends in a bar", "1|a|b|", 3, "[1][a][b]" },
    { "the bar behind the last one may be missing", "1|a|b", 3, "[1][a][b]" },
    { "an empty last field", "1|a||", 3, "[1][a][]" },
    { "an empty last field without its bar", "1|a|", 3, "[1][a][]" },
    { "all are empty", "|||", 3, "[][][]" },
    { "CRLF", "1|a|b|\r", 3, "[1][a][b]" },
    { "one column", "1|", 1, "[1]" },
    { "too few", "1|a", 3, "rrf.fields: this line has 2 fields instead of 3" },
    { "nothing at all", "", 3, "rrf.fields: this line has 1 fields instead of 3" },
    { "one too many", "1|a|b|c", 3, "rrf.fields: this line has more than 3 fields instead of 3" },
    { "a bar too many", "1|a|b||", 3, "rrf.fields: this line has more than 3 fields instead of 3" },
};

static void check_split(void **state)
{
    const struct split_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };
    struct rrf_field field[RRF_FIELDS_MAX];
    struct err err;

    if (rrf_split(c->line, strlen(c->line), c->columns, field, &err)) {
        for (size_t i = 0; i < c->columns; i++)
            buf_printf(&text, "[%.*s]", (int)field[i].len, field[i].text);
    } else {
        assert_int_equal(err.kind, ERR_INPUT);
        buf_printf(&text, "%s: %s", err.code, err.what);
    }
    assert_string_equal(buf_string(&text), c->want);
}

static const struct field_case {
    const char *name, *text;
    uint32_t code; /* 0: it is none */
    bool is_text;
} fields[] = {
    { "a code", "342369", 342369, true },
    { "the longest code", "99999999", 99999999, true },
    { "a code with a digit too many", "100000000", 0, true },
    { "no code: zero", "0", 0, true },
    { "no code: a letter", "34236X", 0, true },
    { "no code: a sign", "-1", 0, true },
    { "nothing", "", 0, false },
    { "a name", "lenalidomide 10 MG", 0, true },
    { "UTF-8", "\xC3\xA4", 0, true },
    { "Latin-1", "\xE4", 0, false },
    { "a tab", "a\tb", 0, false },
    { "a delete", "a\x7F", 0, false },
};

static void check_field(void **state)
{
    const struct field_case *c = *state;
    const struct rrf_field field = { c->text, strlen(c->text) };
    struct err err;
    uint32_t code = 0;

    assert_int_equal(rrf_code(&field, &code, &err), c->code != 0);
    assert_int_equal(code, c->code);
    assert_int_equal(rrf_text(&field, &err), c->is_text);
    assert_true(rrf_is(&field, c->text));
    assert_false(rrf_is(&field, "x"));
}

static void a_name_has_at_most_3000_bytes(void **state)
{
    char *text = malloc(RRF_TEXT_MAX + 1);
    const struct rrf_field longest = { text, RRF_TEXT_MAX }, longer = { text, RRF_TEXT_MAX + 1 };
    struct err err;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', RRF_TEXT_MAX + 1);
    assert_true(rrf_text(&longest, &err));
    assert_false(rrf_text(&longer, &err));
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(a_name_has_at_most_3000_bytes) };

    return RUN_TABLE("lines of RRF", splits, check_split) +
           RUN_TABLE("fields of RRF", fields, check_field) +
           cmocka_run_group_tests_name("names in RRF", tests, NULL, NULL);
}
