#include "test.h"

#include "fhir/outcome.h"
#include "fhir_fixture.h"

static void an_outcome_has_one_issue(void **state)
{
    char *text = outcome_build("error", "structure", "the body is not JSON");

    (void)state;
    assert_string_equal(text, "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                              "\"error\",\"code\":\"structure\",\"diagnostics\":"
                              "\"the body is not JSON\"}]}");
    free(text);
}

static void an_outcome_without_text_has_no_empty_string(void **state)
{
    char *text = outcome_build("information", "informational", "");

    (void)state;
    assert_string_equal(text, "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":"
                              "\"information\",\"code\":\"informational\"}]}");
    free(text);
}

static const struct codes_case {
    const char *name, *text;
    size_t size;
    const char *want;
} codes[] = {
    { "the codes in their order",
      "{'resourceType':'OperationOutcome','issue':[{'code':'not-found'},{'code':'processing'}]}",
      100, "not-found,processing" },
    { "texts are left out",
      "{'resourceType':'OperationOutcome','issue':[{'code':'invalid','diagnostics':'Mr Smith',"
      "'details':{'text':'Mr Smith'}}]}",
      100, "invalid" },
    { "a code that is a text is left out",
      "{'resourceType':'OperationOutcome','issue':[{'code':'Mr Smith'},{'code':'invalid'}]}", 100,
      "invalid" },
    { "what does not fit is left out",
      "{'resourceType':'OperationOutcome','issue':[{'code':'not-found'},{'code':'processing'}]}",
      12, "not-found" },
    { "not even the first fits",
      "{'resourceType':'OperationOutcome','issue':[{'code':'not-found'}]}", 5, "" },
    { "another resource", "{'resourceType':'Patient','issue':[{'code':'not-found'}]}", 100, "" },
    { "no issues", "{'resourceType':'OperationOutcome'}", 100, "" },
    { "no object", "5", 100, "" },
};

static void check_codes(void **state)
{
    const struct codes_case *c = *state;
    AUTO(doc_free) struct doc *doc = fixture_doc(c->text);
    struct node root = node_root(doc);
    char buf[100];

    assert_string_equal(outcome_codes(&root, buf, c->size), c->want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outcome_has_one_issue),
        cmocka_unit_test(an_outcome_without_text_has_no_empty_string),
    };

    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL) +
           RUN_TABLE("codes", codes, check_codes);
}
