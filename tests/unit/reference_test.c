#include "test.h"

#include <string.h>

#include "fhir/reference.h"

#define ID_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct reference_case {
    const char *name, *text;
    struct reference want; /* type, id, version, contained, urn, absolute */
} cases[] = {
    { "a relative reference", "Patient/1", { "Patient", "1", "", false, false, false } },
    { "one with a version",
      "Patient/a-b.C/_history/3",
      { "Patient", "a-b.C", "3", false, false, false } },
    { "an absolute one",
      "https://ehr.example/fhir/r4/Patient/1",
      { "Patient", "1", "", false, false, true } },
    { "an absolute one with a version",
      "http://ehr:8080/Observation/7/_history/x-1",
      { "Observation", "7", "x-1", false, false, true } },
    { "a uuid",
      "urn:uuid:0b1c53b2-0000-4e0e-8f0a-1b5d3a1f0001",
      { "", "0b1c53b2-0000-4e0e-8f0a-1b5d3a1f0001", "", false, true, false } },
    { "a contained resource", "#med", { "", "med", "", true, false, false } },
    { "an id of 64 characters is legal",
      "Patient/" ID_64,
      { "Patient", ID_64, "", false, false, false } },
};

static void check(void **state)
{
    const struct reference_case *c = *state;
    struct reference got;

    assert_true(reference_parse(c->text, &got));
    assert_string_equal(got.type, c->want.type);
    assert_string_equal(got.id, c->want.id);
    assert_string_equal(got.version, c->want.version);
    assert_int_equal(got.contained, c->want.contained);
    assert_int_equal(got.urn, c->want.urn);
    assert_int_equal(got.absolute, c->want.absolute);
}

static const struct refusal {
    const char *name, *text;
} refusals[] = {
    { "an id of 65 characters is not", "Patient/" ID_64 "x" },
    { "a conditional reference is none", "Practitioner?identifier=sys|1" },
    { "an absolute one with a query is none", "https://ehr/Patient/1?x=y" },
    { "an id with a space is none", "Patient/a b" },
    { "a type in small letters is none", "patient/1" },
    { "a type with digits is none", "Pat1ent/1" },
    { "a relative one has no path before the type", "fhir/Patient/1" },
    { "a host is no type", "http://Patient/1" },
    { "an id alone is none", "1" },
    { "a type alone is none", "Patient/" },
    { "a version that is empty is none", "Patient/1/_history/" },
    { "the container itself is none", "#" },
    { "an oid is none", "urn:oid:1.2.3" },
    { "nothing is none", "" },
};

static void check_refusal(void **state)
{
    const struct refusal *c = *state;
    struct reference got;

    assert_false(reference_parse(c->text, &got));
}

static const struct id_case {
    const char *name, *id;
    bool want;
} ids[] = {
    { "letters, digits, hyphen and point are an id", "aZ09-.", true },
    { "64 characters are an id", ID_64, true },
    { "65 are not", ID_64 "0", false },
    { "an empty one is not", "", false },
    { "an underscore is not", "a_b", false },
    { "a slash is not", "a/b", false },
};

static void check_id(void **state)
{
    const struct id_case *c = *state;

    assert_int_equal(reference_id_ok(c->id), c->want);
}

int main(void)
{
    return RUN_TABLE("reference", cases, check) +
           RUN_TABLE("no reference", refusals, check_refusal) + RUN_TABLE("id", ids, check_id);
}
