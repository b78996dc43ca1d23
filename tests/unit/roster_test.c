#include "test.h"

#include <string.h>

#include "base/mem.h"
#include "fhir/roster.h"
#include "fhir_fixture.h"

/* want: the ids with spaces between; or the code of the error, and its line. */
static const struct text_case {
    const char *name, *text, *want;
    unsigned line;
} texts[] = {
    { "one id a line", "b\na\n", "a b", 0 },
    { "the last line may have no end", "a\nb", "a b", 0 },
    { "comments, blank lines, spaces and the line ends of Windows",
      "# ours\r\n\r\n a \t# one\r\n\tb", "a b", 0 },
    { "Patient/ID is an id too", "Patient/p.1-X\n", "p.1-X", 0 },
    { "each once", "a\nb\na\nPatient/b\n", "a b", 0 },
    { "a byte order mark, as Windows writes it",
      "\xEF\xBB\xBF"
      "a\r\nb\r\n",
      "a b", 0 },
    { "nothing at all", "", "", 0 },
    { "comments alone", "# nobody\n#\n", "", 0 },
    { "64 characters are an id", "0123456789012345678901234567890123456789012345678901234567890123",
      "0123456789012345678901234567890123456789012345678901234567890123", 0 },
    { "65 are none", "a\n01234567890123456789012345678901234567890123456789012345678901234",
      "roster.id", 2 },
    { "a name is none", "a\n\nMaria Bauer\n", "roster.id", 3 },
    { "another type is none", "Practitioner/5\n", "roster.id", 1 },
    { "two ids on a line are none", "a b\n", "roster.id", 1 },
    { "CSV is none", "# id;name\na;b\n", "roster.id", 2 },
    { "a version is none of our business", "Patient/a/_history/2\n", "a", 0 },
    { "a number of a medical record with a slash is none", "12/34\n", "roster.id", 1 },
};

static void describe(const struct roster *roster, struct buf *out)
{
    for (size_t i = 0; i < roster->count; i++)
        buf_printf(out, "%s%s", i ? " " : "", roster->ids[i]);
    if (roster->passed_over) buf_printf(out, " (%zu passed over)", roster->passed_over);
}

static void check_text(void **state)
{
    const struct text_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    struct roster roster;
    struct err err;
    unsigned line = 0, column;

    if (roster_of_text(c->text, strlen(c->text), &roster, &err)) {
        describe(&roster, &got);
        roster_done(&roster);
    } else {
        buf_text(&got, err.code);
        doc_locate(c->text, strlen(c->text), err.offset, &line, &column);
    }
    assert_string_equal(buf_string(&got), c->want);
    assert_int_equal(line, c->line);
}

static const struct resource_case {
    const char *name, *text, *want;
} resources[] = {
    { "the members of a Group",
      "{'resourceType':'Group','member':[{'entity':{'reference':'Patient/b'}},"
      "{'entity':{'reference':'https://ehr/fhir/Patient/a'}}]}",
      "a b" },
    { "who is inactive is no member",
      "{'resourceType':'Group','member':[{'entity':{'reference':'Patient/a'},'inactive':true},"
      "{'entity':{'reference':'Patient/b'},'inactive':false}]}",
      "b" },
    { "the entries of a List",
      "{'resourceType':'List','entry':[{'item':{'reference':'Patient/a'}},"
      "{'item':{'reference':'Patient/b'},'deleted':true}]}",
      "a" },
    { "members that are no patients are passed over",
      "{'resourceType':'Group','member':[{'entity':{'reference':'Device/1'}},{'entity':{}},{},7,"
      "{'entity':{'reference':'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'}},"
      "{'entity':{'reference':'#p'}},{'entity':{'reference':'Patient/a'}}]}",
      "a (6 passed over)" },
    { "a Group without members", "{'resourceType':'Group'}", "" },
    { "a member that is no list is one", /* as a careless converter writes it */
      "{'resourceType':'List','entry':{'item':{'reference':'Patient/a'}}}", "a" },
    { "another resource", "{'resourceType':'Bundle'}", "roster.shape" },
    { "no resource", "[]", "roster.shape" },
};

static void check_resource(void **state)
{
    const struct resource_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    AUTO(buf_done) struct buf got = { 0 };
    struct node root = node_root(doc);
    struct roster roster;
    struct err err;

    if (roster_of_resource(&root, &roster, &err)) {
        describe(&roster, &got);
        roster_done(&roster);
    } else {
        assert_int_equal(err.kind, ERR_INPUT);
        buf_text(&got, err.code);
    }
    assert_string_equal(buf_string(&got), c->want);
}

/* n different ids, one a line. */
static char *many(size_t n)
{
    struct buf text = { 0 };

    for (size_t i = 0; i < n; i++) buf_printf(&text, "%zu\n", i);
    return buf_take(&text);
}

static void test_so_many_and_not_one_more(void **state)
{
    char *text = many(ROSTER_MAX + 1), *last = strrchr(text, '\n');
    struct roster roster;
    struct err err;

    (void)state;
    assert_false(roster_of_text(text, strlen(text), &roster, &err));
    assert_string_equal(err.code, "roster.many");
    while (*--last != '\n') continue;
    assert_true(roster_of_text(text, (size_t)(last + 1 - text), &roster, &err));
    assert_int_equal(roster.count, ROSTER_MAX);
    assert_true(roster_has(&roster, "0"));
    assert_true(roster_has(&roster, "99999"));
    assert_false(roster_has(&roster, "100000"));
    roster_done(&roster);
    free(text);
}

static void test_a_source_is_a_resource_or_a_file(void **state)
{
    (void)state;
    assert_true(roster_is_resource("Group/5"));
    assert_true(roster_is_resource("List/a-b.c"));
    assert_false(roster_is_resource("Patient/5"));
    assert_false(roster_is_resource("/etc/patients.txt"));
    assert_false(roster_is_resource("Group/5/_history/1"));
    assert_false(roster_is_resource("https://elsewhere/fhir/Group/5"));
    assert_false(roster_is_resource("Group/"));
    assert_false(roster_is_resource(""));
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_so_many_and_not_one_more),
        cmocka_unit_test(test_a_source_is_a_resource_or_a_file),
    };

    return RUN_TABLE("a list as a text", texts, check_text) +
           RUN_TABLE("a list as a resource", resources, check_resource) +
           cmocka_run_group_tests_name("lists", others, NULL, NULL);
}
