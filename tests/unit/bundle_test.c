#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fhir/bundle.h"
#include "fhir/bundle_head.h"

/* What the walk saw, as text: "0 Patient", "1 DELETE Observation", "2 bundle.entry!". */
static const struct bundle_case {
    const char *name, *text, *want;
} cases[] = {
    { "a single resource is one entry", "{\"resourceType\":\"Patient\",\"id\":\"1\"}",
      "0 Patient" },
    { "a byte order mark is skipped", "\xEF\xBB\xBF{\"resourceType\":\"Patient\"}", "0 Patient" },
    { "the type may stand last",
      "{\"id\":\"1\",\"x\":[{\"y\":\"}\"}],\"resourceType\":\"Patient\"}", "0 Patient" },
    { "an escaped member name is read", "{\"resource\\u0054ype\":\"Patient\"}", "0 Patient" },
    { "a Bundle gives its entries",
      "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":["
      "{\"fullUrl\":\"http://x/Patient/1\",\"resource\":{\"resourceType\":\"Patient\"}},"
      "{\"resource\":{\"resourceType\":\"Observation\"}}]}",
      "0 Patient <http://x/Patient/1>; 1 Observation" },
    { "request and method are told",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"request\":{\"method\":\"PUT\","
      "\"url\":\"Patient/1\"},\"resource\":{\"resourceType\":\"Patient\"}}]}",
      "0 PUT Patient" },
    { "a history says so, wherever its type stands",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}}],"
      "\"type\":\"history\"}",
      "0 Patient history" },
    { "a deletion has no resource",
      "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[{\"request\":"
      "{\"method\":\"DELETE\",\"url\":\"Observation/5\"}}]}",
      "0 DELETE Observation history deleted" },
    { "an entry with neither is passed over",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"response\":{\"status\":\"200\"}}]}", "" },
    { "a Bundle in a Bundle is walked",
      "{\"resourceType\":\"Bundle\",\"entry\":[{},{\"resource\":{\"resourceType\":\"Bundle\","
      "\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}}]}}]}",
      "1 Patient" },
    { "a bad entry costs that entry",
      "{\"resourceType\":\"Bundle\",\"entry\":[7,{\"resource\":{\"resourceType\":\"Patient\"}}]}",
      "0 bundle.entry!; 1 Patient" },
    { "a resource that is no object costs that entry",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":null},"
      "{\"resource\":{\"resourceType\":\"Patient\"}}]}",
      "0 bundle.entry!; 1 Patient" },
    { "a mistake inside an entry is for whoever parses it",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",x}},"
      "{\"resource\":{\"resourceType\":\"Device\"}}]}",
      "0 Patient; 1 Device" },
    { "what comes before a break is kept",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"}},"
      "{\"resource\":{\"resourceTy",
      "0 Patient; 1 bundle.syntax!" },
    { "something behind the end is told", "{\"resourceType\":\"Bundle\",\"entry\":[]} {\"x\":1}",
      "0 bundle.syntax!" },
    { "entries that are no list are told", "{\"resourceType\":\"Bundle\",\"entry\":5}",
      "0 bundle.entry!" },
    { "a Bundle without entries is empty", "{\"resourceType\":\"Bundle\"}", "" },
    { "lines of resources",
      "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Observation\"}\r\n",
      "0 Patient; "
      "1 Observation" },
    { "blank lines count and do no harm",
      "{\"resourceType\":\"Patient\"}\n\n  \n{\"resourceType\":\"Observation\"}",
      "0 Patient; 3 Observation" },
    { "a broken line costs that line",
      "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Obs\n{\"resourceType\":\"Device\"}\n",
      "0 Patient; 1 bundle.syntax!; 2 Device" },
    { "a broken first line costs that line",
      "{\"resourceType\":\"Obs\n{\"resourceType\":\"Device\"}\n", "0 bundle.syntax!; 1 Device" },
    { "two resources on a line are one mistake",
      "{\"resourceType\":\"Device\"}\n{\"resourceType\":\"Patient\"}{}",
      "0 Device; "
      "1 bundle.syntax!" },
    { "nothing at all", "", "0 bundle.empty!" },
    { "white space alone", " \n\t ", "0 bundle.empty!" },
    { "no JSON", "MSH|^~\\&|", "0 bundle.syntax!" },
    { "a list of resources is walked", "[{\"resourceType\":\"Patient\"}]", "0 Patient" },
    { "a list that breaks off loses its rest", "[{\"resourceType\":\"Patient\"},{",
      "0 Patient; 1 bundle.syntax!" },
    { "a list of numbers holds no resource", "[7]", "0 bundle.entry!" },
    { "an empty list", "[]", "0 bundle.empty!" },
};

static bool on_entry(const struct bundle_entry *entry, void *arg)
{
    struct buf *out = arg;

    buf_printf(out, "%s%zu %s%s%s", out->len ? "; " : "", entry->index, entry->method,
               *entry->method ? " " : "", entry->type);
    if (*entry->full_url) buf_printf(out, " <%s>", entry->full_url);
    if (entry->history) buf_text(out, " history");
    if (!entry->text) buf_text(out, " deleted");
    return true;
}

static bool on_bad(size_t index, const struct err *err, void *arg)
{
    struct buf *out = arg;

    assert_int_equal(err->kind, ERR_INPUT);
    buf_printf(out, "%s%zu %s!", out->len ? "; " : "", index, err->code);
    return true;
}

static void check(void **state)
{
    const struct bundle_case *c = *state;
    AUTO(buf_done) struct buf out = { 0 };

    bundle_walk(c->text, strlen(c->text), &(struct bundle_visitor){ on_entry, on_bad, &out });
    assert_string_equal(buf_string(&out), c->want);
}

/* ---- a Bundle without its entries: the next page; NULL: it is none */

static const struct head_case {
    const char *name, *text, *next;
} heads[] = {
    { "the link of the next page is found",
      "{\"resourceType\":\"Bundle\",\"link\":[{\"relation\":\"self\",\"url\":\"a\"},"
      "{\"relation\":\"next\",\"url\":\"b\"}]}",
      "b" },
    { "a last page has none", "{\"resourceType\":\"Bundle\",\"entry\":[]}", "" },
    { "it may stand behind the entries",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"a\":\"]}\"}],"
      "\"link\":[{\"relation\":\"next\",\"url\":\"b\"}]}",
      "b" },
    { "a mistake inside an entry does not hide it",
      "{\"entry\":[{x}],\"link\":[{\"relation\":\"next\",\"url\":\"b\"}],"
      "\"resourceType\":\"Bundle\"}",
      "b" },
    { "a link within an entry is none of ours",
      "{\"resourceType\":\"Bundle\",\"entry\":[{\"link\":[{\"relation\":\"next\","
      "\"url\":\"b\"}]}]}",
      "" },
    { "a byte order mark is skipped", "\xEF\xBB\xBF {\"resourceType\":\"Bundle\"}", "" },
    { "a member whose name only begins so is kept", "{\"resourceType\":\"Bundle\",\"entry2\":{x}}",
      NULL },
    { "entries that break off are no Bundle", "{\"resourceType\":\"Bundle\",\"entry\":[{", NULL },
    { "a Bundle that breaks off is none", "{\"resourceType\":\"Bundle\",\"entry\":[]", NULL },
    { "a mistake beside the entries is told", "{\"resourceType\":\"Bundle\",\"link\":[x]}", NULL },
    { "another resource is no Bundle", "{\"resourceType\":\"Patient\"}", NULL },
    { "a Bundle within a resource is none", "{\"contained\":{\"resourceType\":\"Bundle\"}}", NULL },
    { "a list is no Bundle", "[{\"resourceType\":\"Bundle\"}]", NULL },
    { "nothing is no Bundle", "", NULL },
};

/* In memory of its length, so that a look behind the end is seen. */
static void check_head(void **state)
{
    const struct head_case *c = *state;
    AUTO(doc_free) struct doc *head = NULL;
    size_t len = strlen(c->text);
    char *text = malloc(len ? len : 1);

    memcpy(text, c->text, len);
    assert_int_equal(bundle_head_read(text, len, &head), c->next != NULL);
    if (c->next) {
        const char *next = bundle_head_next(head);
        assert_string_equal(next ? next : "", c->next);
    }
    free(text);
}

/* ---- */

static bool stop(const struct bundle_entry *entry, void *arg)
{
    (void)entry;
    ++*(int *)arg;
    return false;
}

static bool stop_bad(size_t index, const struct err *err, void *arg)
{
    (void)index;
    (void)err;
    ++*(int *)arg;
    return false;
}

static void a_visitor_stops_the_walk(void **state)
{
    static const char *const texts[] = {
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{}},{\"resource\":{}}, 5",
        "{\"resourceType\":\"Bundle\",\"entry\":[1,2,3",
        "{}\n{}\n{}\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        int calls = 0;
        bundle_walk(texts[i], strlen(texts[i]), &(struct bundle_visitor){ stop, stop_bad, &calls });
        assert_int_equal(calls, 1);
    }
}

static void nesting_has_a_limit(void **state)
{
    AUTO(buf_done) struct buf text = { 0 };
    AUTO(buf_done) struct buf out = { 0 };

    (void)state;
    for (int i = 0; i < 20; i++)
        buf_text(&text, "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":");
    buf_text(&text, "{}");
    for (int i = 0; i < 20; i++) buf_text(&text, "}]}");
    bundle_walk(text.data, text.len, &(struct bundle_visitor){ on_entry, on_bad, &out });
    assert_string_equal(buf_string(&out), "0 bundle.depth!");
}

static void an_entry_is_a_slice_of_the_input(void **state)
{
    const char *text = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\": {\"a\":1} }]}";
    AUTO(buf_done) struct buf out = { 0 };

    (void)state;
    bundle_walk(text, strlen(text), &(struct bundle_visitor){ on_entry, on_bad, &out });
    assert_string_equal(buf_string(&out), "0 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visitor_stops_the_walk),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(an_entry_is_a_slice_of_the_input),
    };

    return RUN_TABLE("bundle", cases, check) + RUN_TABLE("head of a bundle", heads, check_head) +
           cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
