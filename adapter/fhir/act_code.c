#include "fhir/act_code.h"

#include <string.h>

#include "base/attr.h"
#include "fhir/build.h"

#define ACT_CODE "http://terminology.hl7.org/CodeSystem/v3-ActCode"

/* Displays as v3-ActCode publishes them ("alass" is theirs): validators compare them. */
static const struct act_code {
    const char *code, *display;
} act_codes[] = {
    { "7", "Interacting Therapy No Longer Active/Planned" },
    { "ALGY", "Allergy Alert" },
    { "ALRTENDLATE", "end too late alert" },
    { "ALRTSTRTLATE", "start too late alert" },
    { "AGE", "Age Alert" },
    { "COMPLY", "Compliance Alert" },
    { "COND", "Condition Alert" },
    { "CREACT", "common reaction alert" },
    { "DACT", "drug action detected issue" },
    { "DOSE", "Dosage problem" },
    { "DOSECOND", "dosage-condition alert" },
    { "DOSEDUR", "Dose-Duration Alert" },
    { "DOSEH", "High Dose Alert" },
    { "DOSEHIND", "High Dose for Indication Alert" },
    { "DOSEIVL", "Dose-Interval Alert" },
    { "DOSEL", "Low Dose Alert" },
    { "DRG", "Drug Interaction Alert" },
    { "DUPTHPCLS", "duplicate therapeutic alass alert" },
    { "DUPTHPGEN", "duplicate generic alert" },
    { "DUPTHPY", "Duplicate Therapy Alert" },
    { "FOOD", "Food Interaction Alert" },
    { "GEALRT", "geriatric alert" },
    { "HELD", "held/suspended alert" },
    { "INT", "Intolerance Alert" },
    { "LAB", "Lab Alert" },
    { "LACT", "Lactation Alert" },
    { "MDOSE", "maximum dosage reached" },
    { "NHP", "Natural Health Product Alert" },
    { "NONRX", "Non-Prescription Interaction Alert" },
    { "OBSA", "Observation Alert" },
    { "PREG", "Pregnancy Alert" },
    { "REACT", "Reaction Alert" },
    { "TIME", "timing detected issue" },
    { "TPROD", "Therapeutic Product Alert" },
};

json_t *act_code_coding(const char *code)
{
    const char *display = "";

    for (size_t i = 0; i < ARRAY_SIZE(act_codes); i++)
        if (strcmp(act_codes[i].code, code) == 0) display = act_codes[i].display;
    return build_coding(ACT_CODE, code, display);
}
