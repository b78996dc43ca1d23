#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/node.h"

static struct doc *parse(const char *text)
{
    struct doc *doc = NULL;
    struct err err;

    assert_true(doc_parse(text, strlen(text), DOC_COMMENTS, &doc, &err));
    return doc;
}

/* ---- our own files: one getter, one outcome */

enum getter { GET_STRING, GET_INT, GET_ENUM, GET_ONLY };

static const char *const keys[] = { "id", "severity", "windowDays", NULL };
static const char *const severities[] = { "low", "moderate", "high", NULL };

/* The outcome as text: "= value", or "code pointer@offset: what; fix". */
static const struct own_case {
    const char *name;
    enum getter getter;
    const char *text;
    const char *key;
    const char *want;
} own_cases[] = {
    { "a string", GET_STRING, "{\"id\":\"a\"}", "id", "= a" },
    { "an empty string is a string", GET_STRING, "{\"id\":\"\"}", "id", "= " },
    { "a missing string", GET_STRING, "{ \"x\":1}", "id",
      "json.missing /id@0: \"id\" is missing; add it as a string" },
    { "a number is not a string", GET_STRING, "{ \"id\":1}", "id",
      "json.type /id@2: \"id\" must be a string, not a number" },
    { "an object is not a string", GET_STRING, "{\"id\":{}}", "id",
      "json.type /id@1: \"id\" must be a string, not an object" },
    { "null is not a string", GET_STRING, "{\"id\":null}", "id",
      "json.type /id@1: \"id\" must be a string, not null" },
    { "a string with a NUL", GET_STRING, "{\"id\":\"a\\u0000b\"}", "id",
      "json.value /id@1: \"id\" has a NUL in it" },
    { "the first member of a name counts", GET_STRING, "{\"id\":\"a\",\"id\":\"b\"}", "id", "= a" },
    { "a name with a NUL is another name", GET_STRING, "{\"id\\u0000\":\"a\"}", "id",
      "json.missing /id@0: \"id\" is missing; add it as a string" },
    { "an array has no members", GET_STRING, "[\"id\"]", "id",
      "json.missing /id@0: \"id\" is missing; add it as a string" },
    { "an integer", GET_INT, "{\"n\":7}", "n", "= 7" },
    { "the smallest integer allowed", GET_INT, "{\"n\":-5}", "n", "= -5" },
    { "the largest integer allowed", GET_INT, "{\"n\":3650}", "n", "= 3650" },
    { "minus zero is zero", GET_INT, "{\"n\":-0}", "n", "= 0" },
    { "below the smallest", GET_INT, "{\"n\":-6}", "n",
      "json.range /n@1: \"n\" is -6; use -5 to 3650" },
    { "above the largest", GET_INT, "{\"n\":3651}", "n",
      "json.range /n@1: \"n\" is 3651; use -5 to 3650" },
    { "beyond 64 bits", GET_INT, "{\"n\":9223372036854775808}", "n",
      "json.range /n@1: \"n\" is 9223372036854775808; use -5 to 3650" },
    { "a fraction is not an integer", GET_INT, "{\"n\":1.0}", "n",
      "json.type /n@1: \"n\" must be an integer, not a decimal" },
    { "an exponent is not an integer", GET_INT, "{\"n\":1e2}", "n",
      "json.type /n@1: \"n\" must be an integer, not a decimal" },
    { "a string is not an integer", GET_INT, "{\"n\":\"7\"}", "n",
      "json.type /n@1: \"n\" must be an integer, not a string" },
    { "a missing integer", GET_INT, "{}", "n",
      "json.missing /n@0: \"n\" is missing; add it as an integer" },
    { "the first of the names", GET_ENUM, "{\"severity\":\"low\"}", "severity", "= 0" },
    { "the last of the names", GET_ENUM, "{\"severity\":\"high\"}", "severity", "= 2" },
    { "a misspelled name", GET_ENUM, "{\"severity\":\"hihg\"}", "severity",
      "json.value /severity@1: \"hihg\" is not a known severity; did you mean \"high\"?" },
    { "a name like none", GET_ENUM, "{\"severity\":\"terrible\"}", "severity",
      "json.value /severity@1: \"terrible\" is not a known severity" },
    { "true is not a name", GET_ENUM, "{\"severity\":true}", "severity",
      "json.type /severity@1: \"severity\" must be a string, not true" },
    { "known keys only", GET_ONLY, "{\"severity\":1,\"id\":2}", NULL, "= ok" },
    { "no keys at all", GET_ONLY, "{}", NULL, "= ok" },
    { "a misspelled key", GET_ONLY, "{\"id\":1,\n \"severty\":2}", NULL,
      "json.unknown-key /severty@10: unknown key \"severty\"; did you mean \"severity\"?" },
    { "a key like none", GET_ONLY, "{\"colour\":2}", NULL,
      "json.unknown-key /colour@1: unknown key \"colour\"" },
    { "a known key with a NUL behind it", GET_ONLY, "{\"id\\u0000\":2}", NULL,
      "json.unknown-key /id@1: unknown key \"id\"; did you mean \"id\"?" },
    { "an array has no keys", GET_ONLY, "  []", NULL,
      "json.type @2: the document must be an object, not an array" },
};

static bool get(const struct own_case *c, const struct node *root, char *out, size_t size,
                struct err *err)
{
    const char *text;
    int64_t number;
    size_t index;

    switch (c->getter) {
    case GET_STRING:
        if (!node_string(root, c->key, &text, err)) return false;
        snprintf(out, size, "= %s", text);
        return true;
    case GET_INT:
        if (!node_int(root, c->key, -5, 3650, &number, err)) return false;
        snprintf(out, size, "= %lld", (long long)number);
        return true;
    case GET_ENUM:
        if (!node_enum(root, c->key, severities, &index, err)) return false;
        snprintf(out, size, "= %zu", index);
        return true;
    case GET_ONLY:
        if (!node_only(root, keys, err)) return false;
        snprintf(out, size, "= ok");
        return true;
    }
    return false;
}

static void check_own(void **state)
{
    const struct own_case *c = *state;
    AUTO(doc_free) struct doc *doc = parse(c->text);
    struct node root = node_root(doc);
    char out[700];
    struct err err;

    if (!get(c, &root, out, sizeof out, &err)) {
        assert_int_equal(err.kind, ERR_CONFIG);
        snprintf(out, sizeof out, "%s %s@%u: %s%s%s", err.code, err.where, (unsigned)err.offset,
                 err.what, err.fix[0] ? "; " : "", err.fix);
    }
    assert_string_equal(out, c->want);
}

/* ---- FHIR: what is there, or NULL */

static const struct their_case {
    const char *name;
    const char *text;    /* of an object; its member "a" is asked for */
    const char *as_text; /* node_text() */
    const char *scalar;  /* node_scalar() */
    bool is_true;
} their_cases[] = {
    { "a string", "{\"a\":\"x\"}", "x", "x", false },
    { "an empty string is no text", "{\"a\":\"\"}", NULL, "", false },
    { "a string with a NUL is no text", "{\"a\":\"x\\u0000\"}", NULL, NULL, false },
    { "a number is a scalar as it was sent", "{\"a\":1.50}", NULL, "1.50", false },
    { "true", "{\"a\":true}", NULL, NULL, true },
    { "false", "{\"a\":false}", NULL, NULL, false },
    { "the string true is not true", "{\"a\":\"true\"}", "true", "true", false },
    { "null", "{\"a\":null}", NULL, NULL, false },
    { "an array", "{\"a\":[\"x\"]}", NULL, NULL, false },
    { "an object", "{\"a\":{\"b\":\"x\"}}", NULL, NULL, false },
    { "nothing", "{\"b\":\"x\"}", NULL, NULL, false },
    { "a longer name is another name", "{\"aa\":\"x\"}", NULL, NULL, false },
    { "no object at all", "[\"a\"]", NULL, NULL, false },
};

static void same_text(const char *got, const char *want)
{
    if (!want)
        assert_null(got);
    else
        assert_string_equal(got ? got : "(null)", want);
}

static void check_their(void **state)
{
    const struct their_case *c = *state;
    AUTO(doc_free) struct doc *doc = parse(c->text);
    struct node root = node_root(doc), a = node_get(&root, "a");

    same_text(node_text(&root, "a"), c->as_text);
    same_text(node_scalar(&a), c->scalar);
    assert_int_equal(node_true(&root, "a"), c->is_true);
}

/* ---- walking */

static void nodes_know_their_way(void **state)
{
    AUTO(doc_free) struct doc *doc = parse("{\"entry\":[0,{\"a/b~c\":\"x\"}]}");
    struct node root = node_root(doc), entry = node_get(&root, "entry");
    struct node item = node_item(&entry, 1), member = node_member(&item, 0);
    char buf[160];

    (void)state;
    assert_string_equal(node_pointer(&root, buf, sizeof buf), "");
    assert_string_equal(node_pointer(&entry, buf, sizeof buf), "/entry");
    assert_string_equal(node_pointer(&item, buf, sizeof buf), "/entry/1");
    assert_string_equal(node_pointer(&member, buf, sizeof buf), "/entry/1/a~1b~0c");
    assert_string_equal(node_scalar(&member), "x");
    assert_int_equal(root.offset, 0);
    assert_int_equal(entry.offset, 1);
    assert_int_equal(item.offset, 12);
    assert_int_equal(member.offset, 13);
}

static void a_pointer_is_cut_to_its_buffer(void **state)
{
    AUTO(doc_free) struct doc *doc = parse("{\"abc\":[{\"~~~~\":1}]}");
    struct node root = node_root(doc), abc = node_get(&root, "abc"), item = node_item(&abc, 0);
    struct node last = node_member(&item, 0);
    char buf[20], whole[20];

    (void)state;
    assert_string_equal(node_pointer(&last, whole, sizeof whole), "/abc/0/~0~0~0~0");
    for (size_t size = 1; size < sizeof buf; size++) {
        memset(buf, 'x', sizeof buf);
        size_t len = strlen(node_pointer(&last, buf, size));
        assert_true(len < size);
        assert_memory_equal(buf, whole, len);
    }
}

static void what_is_not_there_has_no_value(void **state)
{
    AUTO(doc_free) struct doc *doc = parse("{\"a\":[1],\"b\":2}");
    struct node root = node_root(doc), a = node_get(&root, "a"), none = node_get(&root, "none");
    struct node deeper = node_get(&none, "x"), beyond = node_item(&a, 1);
    struct node not_array = node_item(&root, 0), not_object = node_member(&a, 0);
    struct node last = node_member(&root, 2);

    (void)state;
    assert_null(none.value);
    assert_null(deeper.value);
    assert_null(beyond.value);
    assert_null(not_array.value);
    assert_null(not_object.value);
    assert_null(last.value);
    assert_null(node_scalar(&none));
    assert_null(node_text(&none, "x"));
    assert_false(node_is(&none, DOC_NULL));
    assert_int_equal(node_count(&none), 0);
}

static void items_and_members_are_counted(void **state)
{
    AUTO(doc_free) struct doc *doc = parse("{\"a\":[1,2,3],\"b\":\"four\"}");
    struct node root = node_root(doc), a = node_get(&root, "a"), b = node_member(&root, 1);

    (void)state;
    assert_int_equal(node_count(&root), 2);
    assert_int_equal(node_count(&a), 3);
    assert_int_equal(node_count(&b), 0);
    assert_string_equal(b.key, "b");
    assert_true(node_is(&a, DOC_ARRAY));
    assert_false(node_is(&a, DOC_OBJECT));
}

static void an_error_names_the_item(void **state)
{
    AUTO(doc_free) struct doc *doc = parse("[{},7]");
    struct node root = node_root(doc), item = node_item(&root, 1);
    struct err err;

    (void)state;
    assert_false(node_only(&item, keys, &err));
    assert_string_equal(err.where, "/1");
    assert_string_equal(err.what, "item 1 must be an object, not a number");
    assert_false(node_error(&item, &err, "no code has %d digits", 1));
    assert_string_equal(err.code, "json.value");
    assert_string_equal(err.where, "/1");
    assert_string_equal(err.what, "no code has 1 digits");
    assert_int_equal(err.offset, 4);
    assert_int_equal(err.kind, ERR_CONFIG);
}

/* ---- nearest */

static const struct nearest_case {
    const char *name;
    const char *word, *want;
} nearest_cases[] = {
    { "the word itself", "severity", "severity" },
    { "a letter too few", "severty", "severity" },
    { "a letter too many", "iid", "id" },
    { "a wrong letter", "sevarity", "severity" },
    { "swapped letters are one edit", "windowDasy", "windowDays" },
    { "two edits", "window_days", "windowDays" },
    { "three edits are too many", "seerri", NULL },
    { "nothing like it", "colour", NULL },
    { "an absurdly long word", "severityseverityseverityseverityseverityseverityseverity", NULL },
    { "two letters are near to any two", "xx", "id" },
    { "the empty word is near to short ones", "", "id" },
};

static void check_nearest(void **state)
{
    const struct nearest_case *c = *state;

    same_text(nearest(c->word, keys), c->want);
}

/* ---- errors themselves */

static void an_error_is_written_with_place_and_fix(void **state)
{
    struct err err;
    char buf[700];

    (void)state;
    assert_false(err_set(&err, ERR_SYSTEM, "x.y", "cannot %s", "open"));
    assert_string_equal(err_text(&err, buf, sizeof buf), "cannot open");
    err_at(&err, ":%d", 14);
    err_at(&err, "rules/qt.json");
    assert_false(err_fix(&err, "create it"));
    assert_string_equal(err_text(&err, buf, sizeof buf),
                        "rules/qt.json:14: cannot open; create it");
    assert_string_equal(err_text(&err, buf, 5), "rule");
}

static void a_long_place_is_cut(void **state)
{
    struct err err;

    (void)state;
    err_set(&err, ERR_SYSTEM, "x.y", "no");
    for (int i = 0; i < 100; i++) err_at(&err, "/abc");
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_string_equal(err.where + sizeof err.where - 4, "...");
}

static void a_list_keeps_a_thousand_errors_and_counts_all(void **state)
{
    struct err_list list = { 0 };
    struct err err;

    (void)state;
    for (unsigned i = 0; i < ERR_LIST_MAX + 5; i++) {
        err_set(&err, ERR_CONFIG, "x.y", "problem %u", i);
        err_list_add(&list, &err);
    }
    assert_int_equal(list.count, ERR_LIST_MAX + 5);
    assert_string_equal(list.items[0].what, "problem 0");
    assert_string_equal(list.items[ERR_LIST_MAX - 1].what, "problem 999");
    err_list_done(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
}

int main(void)
{
    static const struct CMUnitTest errors[] = {
        cmocka_unit_test(an_error_is_written_with_place_and_fix),
        cmocka_unit_test(a_long_place_is_cut),
        cmocka_unit_test(a_list_keeps_a_thousand_errors_and_counts_all),
    };
    static const struct CMUnitTest walks[] = {
        cmocka_unit_test(nodes_know_their_way),
        cmocka_unit_test(a_pointer_is_cut_to_its_buffer),
        cmocka_unit_test(what_is_not_there_has_no_value),
        cmocka_unit_test(items_and_members_are_counted),
        cmocka_unit_test(an_error_names_the_item),
    };

    return RUN_TABLE("our files", own_cases, check_own) +
           RUN_TABLE("FHIR", their_cases, check_their) +
           RUN_TABLE("nearest", nearest_cases, check_nearest) +
           cmocka_run_group_tests_name("nodes", walks, NULL, NULL) +
           cmocka_run_group_tests_name("errors", errors, NULL, NULL);
}
