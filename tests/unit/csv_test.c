#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/csv.h"

static const char *const names[] = { "code", "name", "unit", NULL };

#define HEAD "code,name,unit\n"

/* One row as "LINE:COLUMN[field|field|field]", an error as "!LINE:COLUMN what;". */
static bool next(struct csv *csv, struct buf *out)
{
    struct err err;
    bool end;

    if (!csv_next(csv, &end, &err)) {
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_string_equal(err.code, "csv.row");
        buf_printf(out, "!%s %s;", err.where, err.what);
        return true;
    }
    if (end) return false;
    buf_printf(out, "%u[", csv->line);
    for (size_t i = 0; i < csv->columns; i++)
        buf_printf(out, "%s%s@%u", i ? "|" : "", csv->field[i], csv->column[i]);
    buf_text(out, "]");
    return true;
}

static const struct rows_case {
    const char *name;
    const char *text;
    size_t len; /* 0: of the string */
    const char *want;
} rows_cases[] = {
    { "a header alone", HEAD, 0, "" },
    { "a header without line end", "code,name,unit", 0, "" },
    { "one row", HEAD "1,a,mg\n", 0, "2[1@1|a@3|mg@5]" },
    { "the last line end may be missing", HEAD "1,a,mg", 0, "2[1@1|a@3|mg@5]" },
    { "CRLF", "code,name,unit\r\n1,a,mg\r\n2,b,g\r\n", 0, "2[1@1|a@3|mg@5]3[2@1|b@3|g@5]" },
    { "a byte order mark", "\xEF\xBB\xBF" HEAD "1,a,mg\n", 0, "2[1@1|a@3|mg@5]" },
    { "empty fields", HEAD ",,\n", 0, "2[@1|@2|@3]" },
    { "an empty last field at the end", HEAD "1,a,", 0, "2[1@1|a@3|@5]" },
    { "spaces belong to the field", HEAD " 1 , a,mg \n", 0, "2[ 1 @1| a@5|mg @8]" },
    { "quoted fields", HEAD "\"1\",\"a,b\",\"\"\n", 0, "2[1@1|a,b@5|@11]" },
    { "a doubled quote", HEAD "\"a\"\"b\",\"\"\"\",\"\"\"\"\"\"\n", 0, "2[a\"b@1|\"@8|\"\"@13]" },
    { "a quoted field may end the text", HEAD "1,a,\"mg\"", 0, "2[1@1|a@3|mg@5]" },
    { "a line end in quotes", HEAD "1,\"a\nb\",mg\n2,c,g\n", 0,
      "2[1@1|a\nb@3|mg@4]4[2@1|c@3|g@5]" },
    { "CRLF in quotes", HEAD "1,\"a\r\nb\",mg\n", 0, "2[1@1|a\r\nb@3|mg@4]" },
    { "UTF-8", HEAD "1,\xC3\xA4\xE2\x82\xAC,mg\n", 0, "2[1@1|\xC3\xA4\xE2\x82\xAC@3|mg@9]" },
    { "empty lines are skipped", HEAD "\n1,a,mg\n\r\n\n2,b,g\n\n", 0,
      "3[1@1|a@3|mg@5]6[2@1|b@3|g@5]" },
    { "a field too few", HEAD "1,a\n2,b,g\n", 0, "!2:4 fewer fields than columns;3[2@1|b@3|g@5]" },
    { "a field too many", HEAD "1,a,mg,x\n2,b,g\n", 0,
      "!2:8 more fields than columns;3[2@1|b@3|g@5]" },
    { "a comma too many", HEAD "1,a,mg,\n2,b,g\n", 0,
      "!2:8 more fields than columns;3[2@1|b@3|g@5]" },
    { "a quote inside a field", HEAD "1,a\"b\",mg\n2,b,g\n", 0,
      "!2:4 a quote inside a field without quotes;3[2@1|b@3|g@5]" },
    { "text behind a closing quote", HEAD "1,\"a\"b,mg\n2,b,g\n", 0,
      "!2:6 text behind the closing quote;3[2@1|b@3|g@5]" },
    { "a quote that stays open costs one line", HEAD "1,\"a,mg\n2,b,g\n", 0,
      "!2:3 a quote that is not closed;3[2@1|b@3|g@5]" },
    { "a quote that stays open at the end", HEAD "1,a,\"", 0, "!2:5 a quote that is not closed;" },
    { "a tab", HEAD "1,a\tb,mg\n2,b,g\n", 0, "!2:4 control character;3[2@1|b@3|g@5]" },
    { "DEL", HEAD "1,\x7F,mg\n", 0, "!2:3 control character;" },
    { "CR alone", HEAD "1,a\rb,mg\n", 0, "!2:4 control character;" },
    { "CR at the end", HEAD "1,a,mg\r", 0, "!2:7 control character;" },
    { "a NUL", HEAD "1,\0,mg\n2,b,g\n", sizeof(HEAD "1,\0,mg\n2,b,g\n") - 1,
      "!2:3 control character;3[2@1|b@3|g@5]" },
    { "invalid UTF-8", HEAD "1,\xC3,mg\n", 0, "!2:3 invalid UTF-8;" },
    { "half a character at the end", HEAD "1,a,\xC3", 0, "!2:5 invalid UTF-8;" },
    { "an error in the second line of a row", HEAD "1,\"a\nb\tc\",mg\n2,b,g\n", 0,
      "!3:2 control character;4[2@1|b@3|g@5]" },
    { "every bad row is told", HEAD "1\n2\n3,c,g\n4\n", 0,
      "!2:2 fewer fields than columns;!3:2 fewer fields than columns;4[3@1|c@3|g@5]"
      "!5:2 fewer fields than columns;" },
};

static void check_rows(void **state)
{
    const struct rows_case *c = *state;
    AUTO(buf_done) struct buf out = { 0 };
    size_t len = c->len ? c->len : strlen(c->text);
    char *exact = malloc(len);
    struct csv csv;
    struct err err;

    assert_non_null(exact);
    memcpy(exact, c->text, len);
    assert_true(csv_init(&csv, exact, len, names, &err));
    while (next(&csv, &out)) continue;
    assert_string_equal(buf_string(&out), c->want);
    csv_done(&csv);
    free(exact);
}

static const struct header_case {
    const char *name;
    const char *text;
    const char *where, *what;
} header_cases[] = {
    { "no header", "", "1:1", "fewer fields than columns" },
    { "a column too few", "code,name\n", "1:10", "fewer fields than columns" },
    { "a column too many", "code,name,unit,x\n", "1:16", "more fields than columns" },
    { "another order", "code,unit,name\n", "1:6", "column 2 is not \"name\"" },
    { "another case", "Code,name,unit\n", "1:1", "column 1 is not \"code\"" },
    { "semicolons", "code;name;unit\n", "1:15", "fewer fields than columns" },
    { "an empty line first", "\n" HEAD, "1:1", "fewer fields than columns" },
    { "an open quote", "code,name,\"unit\n", "1:11", "a quote that is not closed" },
};

static void check_header(void **state)
{
    const struct header_case *c = *state;
    struct csv csv;
    struct err err;

    assert_false(csv_init(&csv, c->text, strlen(c->text), names, &err));
    assert_int_equal(err.kind, ERR_CONFIG);
    assert_string_equal(err.code, "csv.header");
    assert_string_equal(err.where, c->where);
    assert_string_equal(err.what, c->what);
    assert_string_equal(err.fix, "the first line must be code,name,unit");
    csv_done(&csv);
}

static void a_header_may_be_quoted(void **state)
{
    static const char text[] = "\"code\",\"name\",unit\n";
    struct csv csv;
    struct err err;

    (void)state;
    assert_true(csv_init(&csv, text, sizeof text - 1, names, &err));
    csv_done(&csv);
}

static void a_field_may_have_its_length_and_no_more(void **state)
{
    static const char *const one[] = { "code", NULL };

    (void)state;
    for (int quoted = 0; quoted < 2; quoted++)
        for (size_t len = CSV_FIELD_MAX - 1; len <= CSV_FIELD_MAX + 1; len++) {
            AUTO(buf_done) struct buf text = { 0 };
            struct csv csv;
            struct err err;
            bool end = false;
            buf_text(&text, quoted ? "code\n\"" : "code\n");
            for (size_t i = 0; i < len; i++) buf_char(&text, 'x');
            buf_text(&text, quoted ? "\"\n" : "\n");
            assert_true(csv_init(&csv, text.data, text.len, one, &err));
            assert_int_equal(csv_next(&csv, &end, &err), len <= CSV_FIELD_MAX);
            if (len <= CSV_FIELD_MAX)
                assert_int_equal(strlen(csv.field[0]), len);
            else
                assert_string_equal(err.what, "this field is too long");
            csv_done(&csv);
        }
}

static void as_many_columns_as_there_may_be(void **state)
{
    static const char *const many[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
                                        "j", "k", "l", "m", "n", "o", "p", NULL };
    static const char text[] = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n"
                               "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n";
    struct csv csv;
    struct err err;
    bool end = true;

    (void)state;
    assert_true(csv_init(&csv, text, sizeof text - 1, many, &err));
    assert_true(csv_next(&csv, &end, &err));
    assert_false(end);
    assert_string_equal(csv.field[CSV_COLUMNS_MAX - 1], "16");
    csv_done(&csv);
}

static void the_end_comes_again(void **state)
{
    struct csv csv;
    struct err err;
    bool end = false;

    (void)state;
    assert_true(csv_init(&csv, HEAD, strlen(HEAD), names, &err));
    for (int i = 0; i < 2; i++, end = false) {
        assert_true(csv_next(&csv, &end, &err));
        assert_true(end);
    }
    csv_done(&csv);
}

/* "id", and "more" that may be missing */
static const struct optional_case {
    const char *name, *text, *want; /* want: rows, or "!" and the fix of the header */
} optionals[] = {
    { "a last column may be missing", "id\n1\n", "1 ''; " },
    { "a last column may be there", "id,more\n1,x\n2,\n", "1 'x'; 2 ''; " },
    { "then every row has it", "id,more\n1\n", "fewer fields than columns; " },
    { "otherwise no row has it", "id\n1,x\n", "more fields than columns; " },
    { "another column is none", "id,other\n", "!the first line must be id[,more]" },
    { "nothing is no header", "", "!the first line must be id[,more]" },
};

static void check_optional(void **state)
{
    static const char *const some[] = { "id", "?more", NULL };
    const struct optional_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    struct csv csv;
    struct err err;

    if (!csv_init(&csv, c->text, strlen(c->text), some, &err)) {
        buf_printf(&got, "!%s", err.fix);
    } else {
        for (bool end = false; !end;) {
            if (!csv_next(&csv, &end, &err))
                buf_printf(&got, "%s; ", err.what);
            else if (!end)
                buf_printf(&got, "%s '%s'; ", csv.field[0], csv.field[1]);
        }
        csv_done(&csv);
    }
    assert_string_equal(buf_string(&got), c->want);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(a_header_may_be_quoted),
        cmocka_unit_test(a_field_may_have_its_length_and_no_more),
        cmocka_unit_test(as_many_columns_as_there_may_be),
        cmocka_unit_test(the_end_comes_again),
    };

    return RUN_TABLE("csv rows", rows_cases, check_rows) +
           RUN_TABLE("csv header", header_cases, check_header) +
           RUN_TABLE("csv columns that may be missing", optionals, check_optional) +
           cmocka_run_group_tests_name("csv", rest, NULL, NULL);
}
