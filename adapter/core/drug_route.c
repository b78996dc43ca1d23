#include <string.h>

#include "core/knowledge_impl.h"

static const char *const route_names[] = {
    "unknown",        "oral",        "intravenous", "subcutaneous", "intramuscular", "intrathecal",
    "parenteral",     "transdermal", "sublingual",  "buccal",       "rectal",        "topical",
    "ophthalmic",     "otic",        "nasal",       "inhaled",      "vaginal",       "intravitreal",
    "intraarticular", "other",       NULL
};

const char *drug_route_name(enum drug_route route)
{
    return route_names[route];
}

bool drug_route_parse(const char *name, enum drug_route *ret)
{
    for (size_t i = 0; route_names[i]; i++) {
        if (strcmp(name, route_names[i]) != 0) continue;
        *ret = (enum drug_route)i; /* the names are in the order of the enum */
        return true;
    }
    return false;
}

uint32_t route_pack(enum drug_route route, enum drug_use use)
{
    return 1u + 2u * (uint32_t)route + (uint32_t)use;
}

enum drug_route route_of(uint32_t pack)
{
    return pack ? (enum drug_route)((pack - 1) / 2) : ROUTE_UNKNOWN;
}

enum drug_use use_of(uint32_t pack)
{
    return pack ? (enum drug_use)((pack - 1) % 2) : USE_SYSTEMIC;
}
