#include <string.h>

#include "core/knowledge_impl.h"

const char *const profile_names[] = { "us", "eu", NULL };

enum profile profile_of_name(size_t which)
{
    return which ? PROFILE_EU : PROFILE_US;
}

const char *profile_name(enum profile profile)
{
    return profile == PROFILE_UNSET ? "" : profile_names[profile == PROFILE_EU];
}

bool profile_parse(const char *name, enum profile *ret)
{
    for (size_t i = 0; profile_names[i]; i++) {
        if (strcmp(name, profile_names[i]) != 0) continue;
        *ret = profile_of_name(i);
        return true;
    }
    return false;
}
