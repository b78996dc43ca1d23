#include "fhir/release.h"

#include <stddef.h>
#include <string.h>

#include "base/attr.h"

static const struct {
    const char *prefix, *name;
} releases[] = {
    [FHIR_R4] = { "4.0", "R4" },
    [FHIR_R4B] = { "4.3", "R4B" },
    [FHIR_R5] = { "5.0", "R5" },
};

bool fhir_release_parse(const char *version, enum fhir_release *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
        size_t len = strlen(releases[i].prefix);
        if (strncmp(version, releases[i].prefix, len) == 0 &&
            (!version[len] || version[len] == '.')) {
            *ret = (enum fhir_release)i;
            return true;
        }
    }
    return false;
}

const char *fhir_release_name(enum fhir_release release)
{
    return releases[release].name;
}
