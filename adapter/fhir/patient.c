#include "fhir/patient.h"

#include <string.h>

#include "fhir/datatype.h"

static enum sex sex_of(const char *gender)
{
    if (!gender) return SEX_UNKNOWN;
    if (strcmp(gender, "female") == 0) return SEX_FEMALE;
    if (strcmp(gender, "male") == 0) return SEX_MALE;
    return strcmp(gender, "other") == 0 ? SEX_OTHER : SEX_UNKNOWN;
}

bool patient_apply(const struct node *at, const struct apply *apply, struct err *err)
{
    struct chart *chart = apply->chart;
    const char *birth = node_text(at, "birthDate");

    (void)err; /* nothing here that can be wrong enough */
    chart->birth = (struct span){ INSTANT_UNSET, INSTANT_UNSET };
    if (birth && !instant_parse(birth, &chart->birth))
        chart->birth = (struct span){ INSTANT_UNSET, INSTANT_UNSET };
    chart->sex = sex_of(node_text(at, "gender"));
    chart->deceased = node_true(at, "deceasedBoolean") || datatype_has(at, "deceasedDateTime");
    return true;
}
