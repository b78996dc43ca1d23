#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/doc.h"
#include "golden.h"

/* Texts may have NULs in them. */
struct text {
    const char *bytes;
    size_t len;
};

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

/* A copy without a spare byte: reading beyond the end is seen by the sanitizer. */
static bool parse(struct text text, unsigned flags, struct doc **ret, struct err *err)
{
    char *exact = malloc(text.len ? text.len : 1);

    assert_non_null(exact);
    memcpy(exact, text.bytes, text.len);
    bool done = doc_parse(exact, text.len, flags, ret, err);
    free(exact);
    return done;
}

/* ---- what a document becomes, written again: strings in <>, with \0 for NUL */

static void dump_string(const char *text, size_t len, struct buf *out)
{
    buf_char(out, '<');
    for (size_t i = 0; i < len; i++)
        if (text[i])
            buf_char(out, text[i]);
        else
            buf_text(out, "\\0");
    buf_char(out, '>');
    assert_int_equal(text[len], '\0');
}

static void dump(const struct doc_value *value, struct buf *out);

static void dump_container(const struct doc_value *value, struct buf *out)
{
    bool object = value->kind == DOC_OBJECT;

    buf_char(out, object ? '{' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        if (i) buf_char(out, ',');
        if (object) {
            dump_string(value->members[i].name, value->members[i].name_len, out);
            buf_char(out, ':');
        }
        dump(object ? &value->members[i].value : &value->items[i], out);
    }
    buf_char(out, object ? '}' : ']');
}

static void dump(const struct doc_value *value, struct buf *out)
{
    static const char *const words[] = {
        [DOC_NULL] = "null", [DOC_FALSE] = "false", [DOC_TRUE] = "true"
    };

    switch (value->kind) {
    case DOC_NULL:
    case DOC_FALSE:
    case DOC_TRUE:
        buf_text(out, words[value->kind]);
        break;
    case DOC_NUMBER:
        assert_int_equal(strlen(value->text), value->count);
        buf_text(out, value->text);
        break;
    case DOC_STRING:
        dump_string(value->text, value->count, out);
        break;
    case DOC_ARRAY:
    case DOC_OBJECT:
        dump_container(value, out);
        break;
    }
}

static const struct good_case {
    const char *name;
    struct text text;
    unsigned flags;
    const char *want;
} good_cases[] = {
    { "null, true, false", TEXT("[null,true,false]"), 0, "[null,true,false]" },
    { "a scalar is a document", TEXT("true"), 0, "true" },
    { "a string is a document", TEXT("\"a\""), 0, "<a>" },
    { "a number may end the text", TEXT("12"), 0, "12" },
    { "a number keeps its text", TEXT("[1.00,-0,-0.0,0e1,1E+2,2e-03,10]"), 0,
      "[1.00,-0,-0.0,0e1,1E+2,2e-03,10]" },
    { "a number keeps all its digits", TEXT("[123456789012345678901234567890.10]"), 0,
      "[123456789012345678901234567890.10]" },
    { "a number ends at each delimiter", TEXT("[1,2 ,{\"a\":3},{\"b\":4\n},[5]]"), 0,
      "[1,2,{<a>:3},{<b>:4},[5]]" },
    { "empty containers", TEXT("[[],{},[ ],{\t}]"), 0, "[[],{},[],{}]" },
    { "an empty string and name", TEXT("{\"\":\"\"}"), 0, "{<>:<>}" },
    { "members stay in their order", TEXT("{\"b\":1,\"a\":{\"z\":2,\"y\":3}}"), 0,
      "{<b>:1,<a>:{<z>:2,<y>:3}}" },
    { "all kinds of white space", TEXT(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n"), 0,
      "[1,2]" },
    { "white space around a colon", TEXT("{\"a\" \n: \n1}"), 0, "{<a>:1}" },
    { "a byte order mark is skipped", TEXT("\xEF\xBB\xBF[1]"), 0, "[1]" },
    { "the short escapes", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), 0, "<\"\\/\b\f\n\r\t>" },
    { "an escape of one byte", TEXT("\"\\u0041\\u007f\""), 0, "<A\x7F>" },
    { "an escape of two bytes", TEXT("\"\\u0080\\u07ff\""), 0, "<\xC2\x80\xDF\xBF>" },
    { "an escape of three bytes", TEXT("\"\\u0800\\uFFFF\""), 0, "<\xE0\xA0\x80\xEF\xBF\xBF>" },
    { "hex digits in both cases", TEXT("\"\\u00e4\\u00E4\""), 0, "<\xC3\xA4\xC3\xA4>" },
    { "an escaped NUL is kept", TEXT("\"a\\u0000b\""), 0, "<a\\0b>" },
    { "the lowest surrogate pair", TEXT("\"\\ud800\\udc00\""), 0, "<\xF0\x90\x80\x80>" },
    { "the highest surrogate pair", TEXT("\"\\uDBFF\\uDFFF\""), 0, "<\xF4\x8F\xBF\xBF>" },
    { "a lone high surrogate is replaced", TEXT("\"\\ud800\""), 0, "<\xEF\xBF\xBD>" },
    { "a lone low surrogate is replaced", TEXT("\"\\udc00x\""), 0, "<\xEF\xBF\xBDx>" },
    { "two high surrogates are two", TEXT("\"\\ud800\\ud800\""), 0, "<\xEF\xBF\xBD\xEF\xBF\xBD>" },
    { "two low surrogates are two", TEXT("\"\\udc00\\udc00\""), 0, "<\xEF\xBF\xBD\xEF\xBF\xBD>" },
    { "a high surrogate before an escape", TEXT("\"\\ud800\\n\""), 0, "<\xEF\xBF\xBD\n>" },
    { "a high surrogate before another \\u", TEXT("\"\\ud800\\u0041\""), 0,
      "<\xEF\xBF\xBD"
      "A>" },
    { "text goes on behind an escape", TEXT("\"0123456789abcdefg\\n0123456789abcdefg\""), 0,
      "<0123456789abcdefg\n0123456789abcdefg>" },
    { "an escape in a name", TEXT("{\"a\\tb\":1}"), 0, "{<a\tb>:1}" },
    { "UTF-8 of 2, 3 and 4 bytes", TEXT("\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\""), 0,
      "<\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80>" },
    { "UTF-8 behind an escape", TEXT("\"\\n\xE2\x82\xAC.\""), 0, "<\n\xE2\x82\xAC.>" },
    { "the limits of UTF-8", TEXT("\"\xC2\x80\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\""), 0,
      "<\xC2\x80\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF>" },
    { "DEL is not a control character", TEXT("\"\x7F\""), 0, "<\x7F>" },
    { "a name may stand twice", TEXT("{\"a\":1,\"a\":2}"), 0, "{<a>:1,<a>:2}" },
    { "names that differ behind a NUL differ", TEXT("{\"a\":1,\"a\\u0000\":2}"), DOC_UNIQUE,
      "{<a>:1,<a\\0>:2}" },
    { "the same name in two objects", TEXT("[{\"a\":1},{\"a\":{\"a\":2}}]"), DOC_UNIQUE,
      "[{<a>:1},{<a>:{<a>:2}}]" },
    { "a comment up to the line end", TEXT("[1, // one\n2]"), DOC_COMMENTS, "[1,2]" },
    { "a comment up to the text's end", TEXT("[1]// end"), DOC_COMMENTS, "[1]" },
    { "a comment with CRLF", TEXT("[1, // one\r\n2]"), DOC_COMMENTS, "[1,2]" },
    { "a comment before everything", TEXT("\xEF\xBB\xBF// c\n[1]"), DOC_COMMENTS, "[1]" },
    { "quotes in a comment", TEXT("[1, // a \"b\n\"c\"]"), DOC_COMMENTS, "[1,<c>]" },
    { "slashes in a string stay", TEXT("[\"http://a\",\"\\\"//\"]"), DOC_COMMENTS,
      "[<http://a>,<\"//>]" },
    { "an empty comment", TEXT("[1,//\n2//\n]"), DOC_COMMENTS, "[1,2]" },
};

static void check_good(void **state)
{
    const struct good_case *c = *state;
    AUTO(buf_done) struct buf out = { 0 };
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    assert_true(parse(c->text, c->flags, &doc, &err));
    dump(doc_root(doc), &out);
    assert_string_equal(buf_string(&out), c->want);
}

/* ---- errors */

static const struct bad_case {
    const char *name;
    struct text text;
    unsigned flags;
    const char *code, *where, *what;
} bad_cases[] = {
    { "an empty text", TEXT(""), 0, "json.syntax", "1:1", "the text ends too early" },
    { "white space only", TEXT(" \n "), 0, "json.syntax", "2:2", "the text ends too early" },
    { "a byte order mark only", TEXT("\xEF\xBB\xBF"), 0, "json.syntax", "1:1",
      "the text ends too early" },
    { "half a byte order mark", TEXT("\xEF\xBB[]"), 0, "json.syntax", "1:1",
      "a value should stand here" },
    { "a byte order mark is no column", TEXT("\xEF\xBB\xBF[x]"), 0, "json.syntax", "1:2",
      "a value should stand here" },
    { "a NUL is not the end", TEXT("[1]\0"), 0, "json.syntax", "1:4",
      "nothing should follow the value" },
    { "a NUL in a string", TEXT("[\"a\0\"]"), 0, "json.syntax", "1:4",
      "control character in a string" },
    { "two values", TEXT("1 2"), 0, "json.syntax", "1:3", "nothing should follow the value" },
    { "an array that stays open", TEXT("[1"), 0, "json.syntax", "1:3", "the text ends too early" },
    { "an object that stays open", TEXT("{\"a\":1"), 0, "json.syntax", "1:7",
      "the text ends too early" },
    { "a string that stays open", TEXT("\"abc"), 0, "json.syntax", "1:5",
      "the text ends too early" },
    { "a name that stays open", TEXT("{\"a"), 0, "json.syntax", "1:4", "the text ends too early" },
    { "a trailing comma in an array", TEXT("[1,\n]"), 0, "json.syntax", "2:1",
      "a value should stand here" },
    { "a trailing comma in an object", TEXT("{\"a\":1,}"), 0, "json.syntax", "1:8",
      "the name of a member should stand here" },
    { "a leading comma", TEXT("[,1]"), 0, "json.syntax", "1:2", "a value should stand here" },
    { "a missing comma in an array", TEXT("[1 2]"), 0, "json.syntax", "1:4",
      "',' or ']' should stand here" },
    { "a missing comma in an object", TEXT("{\"a\":1 \"b\":2}"), 0, "json.syntax", "1:8",
      "',' or '}' should stand here" },
    { "a missing colon", TEXT("{\"a\" 1}"), 0, "json.syntax", "1:6", "':' should stand here" },
    { "a missing value", TEXT("{\"a\":}"), 0, "json.syntax", "1:6", "a value should stand here" },
    { "a name without quotes", TEXT("{a:1}"), 0, "json.syntax", "1:2",
      "the name of a member should stand here" },
    { "the wrong closing bracket", TEXT("[1}"), 0, "json.syntax", "1:3",
      "',' or ']' should stand here" },
    { "a word that is none", TEXT("[nul]"), 0, "json.syntax", "1:2", "a value should stand here" },
    { "a word cut off by the end", TEXT("tru"), 0, "json.syntax", "1:1",
      "a value should stand here" },
    { "a word in capitals", TEXT("True"), 0, "json.syntax", "1:1", "a value should stand here" },
    { "a word that goes on", TEXT("[truex]"), 0, "json.syntax", "1:6",
      "',' or ']' should stand here" },
    { "a leading zero", TEXT("[-012]"), 0, "json.syntax", "1:3", "number with a leading zero" },
    { "a plus sign", TEXT("[+1]"), 0, "json.syntax", "1:2", "a value should stand here" },
    { "a sign alone", TEXT("[-]"), 0, "json.syntax", "1:3", "malformed number" },
    { "a sign at the end", TEXT("-"), 0, "json.syntax", "1:2", "the text ends too early" },
    { "a point without digits", TEXT("[1.]"), 0, "json.syntax", "1:4", "malformed number" },
    { "a point in front", TEXT("[.5]"), 0, "json.syntax", "1:2", "a value should stand here" },
    { "an exponent without digits", TEXT("[1e+]"), 0, "json.syntax", "1:5", "malformed number" },
    { "letters in a number", TEXT("[1a]"), 0, "json.syntax", "1:3",
      "',' or ']' should stand here" },
    { "an unknown escape", TEXT("\"a\\x\""), 0, "json.syntax", "1:3",
      "unknown escape in a string" },
    { "\\u with three digits", TEXT("\"\\u123\""), 0, "json.syntax", "1:2",
      "unknown escape in a string" },
    { "a second \\u with a bad digit", TEXT("\"\\ud800\\uXXXX\""), 0, "json.syntax", "1:8",
      "unknown escape in a string" },
    { "a backslash at the end", TEXT("\"\\"), 0, "json.syntax", "1:2",
      "unknown escape in a string" },
    { "a line end in a string", TEXT("[\n\"a\nb\"]"), 0, "json.syntax", "2:3",
      "control character in a string" },
    { "a tab in a string", TEXT("\"\t\""), 0, "json.syntax", "1:2",
      "control character in a string" },
    { "a continuation byte alone", TEXT("\"\x80\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "an overlong form of 2 bytes", TEXT("\"\xC1\xBF\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "an overlong form of 3 bytes", TEXT("\"\xE0\x9F\xBF\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "an overlong form of 4 bytes", TEXT("\"\xF0\x8F\xBF\xBF\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "a surrogate in UTF-8", TEXT("\"\xED\xA0\x80\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "beyond U+10FFFF", TEXT("\"\xF4\x90\x80\x80\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "half a character before the quote", TEXT("\"\xE2\x82\""), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "half a character at the end", TEXT("\"\xE2\x82"), 0, "json.syntax", "1:2",
      "invalid UTF-8 in a string" },
    { "UTF-8 outside of strings", TEXT("[\xC3\xA4]"), 0, "json.syntax", "1:2",
      "a value should stand here" },
    { "columns count bytes", TEXT("[\"\xC3\xA4\",x]"), 0, "json.syntax", "1:7",
      "a value should stand here" },
    { "a form feed is not white space", TEXT("[\f]"), 0, "json.syntax", "1:2",
      "a value should stand here" },
    { "comments only where allowed", TEXT("[1] // one"), 0, "json.syntax", "1:5",
      "nothing should follow the value" },
    { "one slash is not a comment", TEXT("[1] / one"), DOC_COMMENTS, "json.syntax", "1:5",
      "nothing should follow the value" },
    { "positions are true behind a comment", TEXT("[ // a\n// b\n  x]"), DOC_COMMENTS,
      "json.syntax", "3:3", "a value should stand here" },
    { "a member that stands twice", TEXT("{\"a\":1,\n \"b\":2, \"a\":3}"), DOC_UNIQUE,
      "json.duplicate", "2:9", "the name of this member stands twice in its object" },
    { "a name that stands twice after unescaping", TEXT("{\"a\":1,\"\\u0061\":3}"), DOC_UNIQUE,
      "json.duplicate", "1:8", "the name of this member stands twice in its object" },
    { "a duplicate deep down", TEXT("[[{\"a\":[{\"b\":1,\"b\":1}]}]]"), DOC_UNIQUE,
      "json.duplicate", "1:16", "the name of this member stands twice in its object" },
};

static void check_bad(void **state)
{
    const struct bad_case *c = *state;
    struct doc *doc = NULL;
    struct err err;

    assert_false(parse(c->text, c->flags, &doc, &err));
    assert_null(doc);
    assert_int_equal(err.kind, ERR_INPUT);
    assert_string_equal(err.code, c->code);
    assert_string_equal(err.where, c->where);
    assert_string_equal(err.what, c->what);
}

/* ---- limits */

static const struct depth_case {
    const char *name;
    unsigned depth;
    const char *open, *close;
    const char *code; /* NULL: accepted */
    const char *where;
} depth_cases[] = {
    { "arrays to the limit", DOC_DEPTH_MAX, "[", "]", NULL, NULL },
    { "arrays one beyond the limit", DOC_DEPTH_MAX + 1, "[", "]", "json.depth", "1:129" },
    { "objects to the limit", DOC_DEPTH_MAX - 1, "{\"a\":", "}", NULL, NULL },
    { "objects one beyond the limit", DOC_DEPTH_MAX, "{\"a\":", "}", "json.depth", "1:641" },
    { "a million brackets", 1000000, "[", "]", "json.depth", "1:129" },
};

static void check_depth(void **state)
{
    const struct depth_case *c = *state;
    AUTO(buf_done) struct buf text = { 0 };
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    for (unsigned i = 0; i < c->depth; i++) buf_text(&text, c->open);
    if (*c->open == '{') buf_text(&text, "{}"); /* the innermost value */
    for (unsigned i = 0; i < c->depth; i++) buf_text(&text, c->close);
    bool done = doc_parse(text.data, text.len, 0, &doc, &err);
    assert_int_equal(done, c->code == NULL);
    if (!c->code) return;
    assert_string_equal(err.code, c->code);
    assert_string_equal(err.where, c->where); /* the 129th bracket */
}

static void neighbours_are_not_deeper(void **state)
{
    AUTO(buf_done) struct buf text = { 0 };
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    (void)state;
    buf_text(&text, "[0");
    for (unsigned i = 0; i < 2 * DOC_DEPTH_MAX; i++) buf_text(&text, ",[],[1],{},{\"a\":1}");
    buf_text(&text, "]");
    assert_true(doc_parse(text.data, text.len, 0, &doc, &err));
    assert_int_equal(doc_root(doc)->count, 8 * DOC_DEPTH_MAX + 1);
}

static void too_many_bytes_are_refused_unread(void **state)
{
    struct doc *doc = NULL;
    struct err err;

    (void)state;
    assert_false(doc_parse("[]", (size_t)DOC_TEXT_MAX + 1, 0, &doc, &err));
    assert_string_equal(err.code, "json.size");
}

/* Strings of every length around the width of a read, with something special at the end. */
static void strings_of_every_length_are_read(void **state)
{
    static const struct {
        const char *sent, *got;
    } ends[] = {
        { "", "" }, { "\\n", "\n" }, { "\xC3\xA4", "\xC3\xA4" }, { "\\u20ac", "\xE2\x82\xAC" }
    };

    (void)state;
    for (size_t len = 0; len < 70; len++)
        for (size_t e = 0; e < ARRAY_SIZE(ends); e++) {
            char plain[80], text[200], want[200];
            struct doc *doc = NULL;
            struct err err;
            memset(plain, 'x', len);
            plain[len] = '\0';
            snprintf(text, sizeof text, "[\"%s%s%s\",7]", plain, ends[e].sent, plain);
            snprintf(want, sizeof want, "%s%s%s", plain, ends[e].got, plain);
            assert_true(parse((struct text){ text, strlen(text) }, 0, &doc, &err));
            assert_string_equal(doc_root(doc)->items[0].text, want);
            assert_int_equal(doc_root(doc)->items[0].count, strlen(want));
            assert_string_equal(doc_root(doc)->items[1].text, "7");
            doc_free(doc);
        }
}

/* Names n0, n1, ...; the last one once more when twice is set. */
static void many_members(struct buf *text, unsigned count, bool twice)
{
    buf_char(text, '{');
    for (unsigned i = 0; i < count; i++) buf_printf(text, "%s\"n%u\":%u", i ? "," : "", i, i);
    if (twice) buf_printf(text, ",\"n%u\":0", count / 2);
    buf_char(text, '}');
}

static void duplicates_are_found_in_objects_of_every_size(void **state)
{
    (void)state;
    for (unsigned count = 1; count < 300; count++)
        for (int twice = 0; twice < 2; twice++) {
            AUTO(buf_done) struct buf text = { 0 };
            AUTO(doc_free) struct doc *doc = NULL, *strict = NULL;
            struct err err;
            many_members(&text, count, twice);
            assert_true(doc_parse(text.data, text.len, 0, &doc, &err));
            assert_int_equal(doc_has_duplicates(doc), twice);
            assert_int_equal(doc_root(doc)->count, count + (unsigned)twice);
            assert_int_equal(doc_parse(text.data, text.len, DOC_UNIQUE, &strict, &err), !twice);
            if (!twice) continue;
            assert_string_equal(err.code, "json.duplicate");
            assert_ptr_equal(text.data + err.offset, strrchr(text.data, ',') + 1);
        }
}

static void the_first_of_several_duplicates_is_named(void **state)
{
    static const char text[] = "{\"z\":0,\"y\":0,\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,"
                               "\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,\n"
                               "\"z\":1,\"a\":1,\"y\":1}";
    struct doc *doc = NULL;
    struct err err;

    (void)state;
    assert_false(doc_parse(text, sizeof text - 1, DOC_UNIQUE, &doc, &err));
    assert_string_equal(err.where, "2:1");
}

static void offsets_are_places_in_the_text(void **state)
{
    static const char text[] = "\xEF\xBB\xBF{ // c\n\"a\" : [ 1,\"\\u0041\"] }";
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;

    (void)state;
    assert_true(doc_parse(text, sizeof text - 1, DOC_COMMENTS, &doc, &err));
    const struct doc_value *root = doc_root(doc);
    assert_int_equal(root->offset, 3);
    const struct doc_member *a = &root->members[0];
    assert_ptr_equal(text + a->offset, strstr(text, "\"a\""));
    assert_ptr_equal(text + a->value.offset, strchr(text, '['));
    assert_ptr_equal(text + a->value.items[0].offset, strchr(text, '1'));
    assert_ptr_equal(text + a->value.items[1].offset, strstr(text, "\"\\u"));
}

static void a_document_outlives_its_text(void **state)
{
    AUTO(doc_free) struct doc *doc = NULL;
    char text[] = "{\"name\":[\"value\",12]}";
    struct err err;

    (void)state;
    assert_true(doc_parse(text, sizeof text - 1, 0, &doc, &err));
    memset(text, 'x', sizeof text);
    const struct doc_value *items = &doc_root(doc)->members[0].value;
    assert_string_equal(doc_root(doc)->members[0].name, "name");
    assert_string_equal(items->items[0].text, "value");
    assert_string_equal(items->items[1].text, "12");
}

static void no_text_is_an_empty_text(void **state)
{
    struct doc *doc = NULL;
    struct err err;

    (void)state;
    assert_false(doc_parse(NULL, 0, DOC_COMMENTS, &doc, &err));
    assert_string_equal(err.where, "1:1");
}

static void nothing_is_freed_without_complaint(void **state)
{
    (void)state;
    doc_free(NULL);
}

/* ---- doc_locate */

static const struct locate_case {
    const char *name;
    const char *text;
    size_t offset;
    unsigned line, column;
} locate_cases[] = {
    { "the first byte is 1:1", "ab\ncd", 0, 1, 1 },
    { "a line end belongs to its line", "ab\ncd", 2, 1, 3 },
    { "a line begins behind the line end", "ab\ncd", 3, 2, 1 },
    { "the end of the text", "ab\ncd", 5, 2, 3 },
    { "beyond the end is the end", "ab\ncd", 99, 2, 3 },
    { "empty lines count", "\n\n\nx", 3, 4, 1 },
    { "CR is a column", "a\r\nb", 2, 1, 3 },
    { "an empty text", "", 0, 1, 1 },
    { "a byte order mark takes no column", "\xEF\xBB\xBFx", 3, 1, 1 },
    { "inside a byte order mark", "\xEF\xBB\xBFx", 1, 1, 2 },
};

static void check_locate(void **state)
{
    const struct locate_case *c = *state;
    unsigned line, column;

    doc_locate(c->text, strlen(c->text), c->offset, &line, &column);
    assert_int_equal(line, c->line);
    assert_int_equal(column, c->column);
}

/* ---- doc_skip */

static const struct skip_case {
    const char *name;
    const char *text;
    int want; /* bytes; -1: no end */
} skip_cases[] = {
    { "an array", "[1,2],3", 5 },
    { "an object", "{\"a\":1} ", 7 },
    { "leading space", " \n\t\r[]", 6 },
    { "nested brackets", "[[{\"a\":[]}],{}]]", 15 },
    { "brackets in strings do not count", "[\"]\",\"}{\"]x", 10 },
    { "an escaped quote does not end a string", "[\"\\\"]\"]x", 7 },
    { "a quote behind an escaped backslash does", "[\"\\\\\"]x", 6 },
    { "a string", "\"a\\\"b\",1", 6 },
    { "an empty string", "\"\"", 2 },
    { "a number ends at the comma", "12.5e3,1", 6 },
    { "a number ends at a bracket", "12]", 2 },
    { "a number ends at white space", "12\n", 2 },
    { "a number ends at the end", "12", 2 },
    { "a word", "true}", 4 },
    { "an empty text has no value", "", -1 },
    { "white space has no value", " \n", -1 },
    { "a closing bracket is no value", "]", -1 },
    { "a comma is no value", ",1", -1 },
    { "an open array", "[1,[2]", -1 },
    { "an open string", "\"abc", -1 },
    { "an open string in an array", "[\"abc]", -1 },
    { "an escape at the end", "\"abc\\", -1 },
    { "an escaped quote at the end", "\"abc\\\"", -1 },
};

static void check_skip(void **state)
{
    const struct skip_case *c = *state;
    size_t len = strlen(c->text);
    char *exact = malloc(len ? len : 1);

    assert_non_null(exact);
    memcpy(exact, c->text, len);
    const char *end = doc_skip(exact, exact + len);
    assert_int_equal(end ? end - exact : -1, c->want);
    free(exact);
}

/* What stands on the edge of a block of 64 bytes: shift it over the edge. */
static void skipping_knows_no_block_edges(void **state)
{
    static const char *const inner[] = {
        "]",
        "\"]\"]",
        "\"\\\"]\"]",
        "\"\\\\\"]",
        "\"\\\\\\\"]\"]",
        "[]]",
        "{\"a\":\"\\\\\\\\\"}]",
        "\"\\\"\\\"\\\"\"]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(inner); i++)
        for (int shift = 0; shift < 140; shift++)
            for (int tail = 0; tail < 70; tail += 3) {
                char text[320];
                int len = snprintf(text, sizeof text, "[%*s%s", shift, "", inner[i]);
                memset(text + len, ']', (size_t)tail);
                assert_ptr_equal(doc_skip(text, text + len + tail), text + len);
                assert_null(doc_skip(text, text + len - 1));
            }
}

/* Strings of brackets that are longer than several blocks. */
static void long_strings_are_skipped(void **state)
{
    (void)state;
    for (size_t len = 0; len < 400; len++) {
        AUTO(buf_done) struct buf text = { 0 };
        buf_text(&text, "{\"a\":\"");
        for (size_t i = 0; i < len; i++) buf_char(&text, "]}[{"[i % 4]);
        buf_text(&text, "\"}");
        assert_ptr_equal(doc_skip(text.data, text.data + text.len), text.data + text.len);
        assert_null(doc_skip(text.data, text.data + text.len - 1));
    }
}

/* ---- JSONTestSuite (N. Seriot): y_ must be accepted, n_ refused, i_ is up to the reader */

#define SUITE "../shared/testdata/json-robustness/JSONTestSuite-test_parsing"

static bool suite_accepts(const char *file)
{
    AUTO(buf_done) struct buf text = { 0 };
    AUTO(doc_free) struct doc *doc = NULL;
    struct err err;
    char path[400];

    snprintf(path, sizeof path, SUITE "/%s", file);
    assert_true(file_read(path, &text));
    const char *bytes = buf_string(&text);
    size_t len = text.len;
    doc_skip(bytes, bytes + len);
    return parse((struct text){ bytes, len }, 0, &doc, &err);
}

/* Returns the files seen whose name begins with kind. */
static int run_suite(char kind, bool *ret_good)
{
    DIR *dir = opendir(SUITE);
    int seen = 0;

    if (!dir) {
        print_message("skipped: %s is not there\n", SUITE);
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != kind || entry->d_name[1] != '_') continue;
        bool accepted = suite_accepts(entry->d_name);
        seen++;
        if (kind == 'i' || accepted == (kind == 'y')) continue;
        print_message("%s %s\n", entry->d_name, accepted ? "was accepted" : "was refused");
        *ret_good = false;
    }
    closedir(dir);
    return seen;
}

static const struct suite_case {
    const char *name;
    char kind;
} suite_cases[] = {
    { "JSONTestSuite: valid texts are accepted", 'y' },
    { "JSONTestSuite: invalid texts are refused", 'n' },
    { "JSONTestSuite: the rest does no harm", 'i' },
};

static void check_suite(void **state)
{
    const struct suite_case *c = *state;
    bool good = true;

    assert_true(run_suite(c->kind, &good) > 0);
    assert_true(good);
}

int main(void)
{
    static const struct CMUnitTest rest[] = {
        cmocka_unit_test(neighbours_are_not_deeper),
        cmocka_unit_test(too_many_bytes_are_refused_unread),
        cmocka_unit_test(strings_of_every_length_are_read),
        cmocka_unit_test(duplicates_are_found_in_objects_of_every_size),
        cmocka_unit_test(the_first_of_several_duplicates_is_named),
        cmocka_unit_test(offsets_are_places_in_the_text),
        cmocka_unit_test(a_document_outlives_its_text),
        cmocka_unit_test(no_text_is_an_empty_text),
        cmocka_unit_test(nothing_is_freed_without_complaint),
        cmocka_unit_test(skipping_knows_no_block_edges),
        cmocka_unit_test(long_strings_are_skipped),
    };

    return RUN_TABLE("doc", good_cases, check_good) +
           RUN_TABLE("doc errors", bad_cases, check_bad) +
           RUN_TABLE("doc depth", depth_cases, check_depth) +
           RUN_TABLE("doc_locate", locate_cases, check_locate) +
           RUN_TABLE("doc_skip", skip_cases, check_skip) +
           RUN_TABLE("JSONTestSuite", suite_cases, check_suite) +
           cmocka_run_group_tests_name("doc limits", rest, NULL, NULL);
}
