/* From codes of the wire to concepts. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/knowledge_impl.h"

bool uri_normal(const char *uri, char ret[URI_SIZE])
{
    size_t len = strcspn(uri, "|");
    bool secure = strncmp(uri, "https://", 8) == 0;

    if (len && uri[len - 1] == '/') len--;
    if (len >= URI_SIZE) return false;
    memcpy(ret, uri, len);
    ret[len] = '\0';
    if (secure) memmove(ret + 4, ret + 5, len - 4); /* the NUL too */
    return true;
}

/* "http://x/sct/7/version/8" is looked up as "http://x/sct/7/version/" + "*", then with less. */
static unsigned system_by_start(const struct knowledge *knowledge, char uri[URI_SIZE])
{
    for (char *slash; (slash = strrchr(uri, '/')) != NULL; *slash = '\0') {
        if (slash + 2 >= uri + URI_SIZE) continue;
        memcpy(slash + 1, "*", 2);
        uint32_t system = table_value(&knowledge->uris, 0, uri);
        if (system) return system;
    }
    return 0;
}

unsigned knowledge_system_number(const struct knowledge *knowledge, const char *uri)
{
    char normal[URI_SIZE];

    if (!uri || !*uri) return SYSTEM_NONE;
    if (!uri_normal(uri, normal)) return 0;
    uint32_t system = table_value(&knowledge->uris, 0, normal);
    return system ? system : system_by_start(knowledge, normal);
}

const char *knowledge_system(const struct knowledge *knowledge, const char *uri)
{
    unsigned system = knowledge_system_number(knowledge, uri);

    return system > SYSTEM_NONE ? knowledge->system_names[system] : NULL;
}

/* An NDC of labeler-product-package in one of the four usual shapes becomes 5-4-2 digits. */
static bool ndc_normal(const char *code, char ret[CODE_SIZE])
{
    static const struct {
        size_t digits[3];
    } shapes[] = { { { 4, 4, 2 } }, { { 5, 3, 2 } }, { { 5, 4, 1 } }, { { 5, 4, 2 } } };
    size_t labeler = strspn(code, "0123456789");
    const char *rest = code[labeler] == '-' ? code + labeler + 1 : "";
    size_t product = strspn(rest, "0123456789");
    const char *last = rest[product] == '-' ? rest + product + 1 : "";
    size_t package = strspn(last, "0123456789");

    if (last[package]) return false;
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        const size_t *digits = shapes[i].digits;
        if (labeler != digits[0] || product != digits[1] || package != digits[2]) continue;
        snprintf(ret, CODE_SIZE, "%s%.*s%s%.*s%s%.*s", labeler < 5 ? "0" : "", (int)labeler, code,
                 product < 4 ? "0" : "", (int)product, rest, package < 2 ? "0" : "", (int)package,
                 last);
        return true;
    }
    return false;
}

bool code_normal(const struct knowledge *knowledge, unsigned system, const char *code,
                 char ret[CODE_SIZE])
{
    const char *name = knowledge->system_names[system];
    bool icd = name && strncmp(name, "icd", 3) == 0;
    size_t n = 0;

    if (name && strcmp(name, "ndc") == 0 && ndc_normal(code, ret)) return true;

    for (; *code; code++) {
        if (icd && *code == '.') continue;
        if (n == CODE_SIZE - 1) return false;
        ret[n++] = icd ? (char)toupper((unsigned char)*code) : *code;
    }
    ret[n] = '\0';
    return n > 0;
}

/* System and code as the tables have them. */
static bool code_key(const struct knowledge *knowledge, const char *system, const char *code,
                     unsigned *ret_system, char ret[CODE_SIZE])
{
    *ret_system = knowledge_system_number(knowledge, system);
    return *ret_system && code && code_normal(knowledge, *ret_system, code, ret);
}

size_t knowledge_drug(const struct knowledge *knowledge, const char *system, const char *code,
                      const struct drug_code **ret)
{
    char normal[CODE_SIZE];
    unsigned scope;

    *ret = NULL;
    if (!code_key(knowledge, system, code, &scope, normal)) return 0;
    uint32_t number = table_value(&knowledge->drugs, scope, normal);
    if (!number) return 0;
    const struct drug_entry *entry = &knowledge->drug_entries[number];
    *ret = &knowledge->drug_codes[entry->first];
    return entry->count;
}

unsigned knowledge_analyte(const struct knowledge *knowledge, const char *system, const char *code)
{
    char normal[CODE_SIZE];
    unsigned scope;

    if (!code_key(knowledge, system, code, &scope, normal)) return CONCEPT_NONE;
    return table_value(&knowledge->analytes, scope, normal);
}

bool knowledge_dose_form(const struct knowledge *knowledge, const char *form,
                         enum drug_use *ret_use)
{
    uint32_t pack = table_value(&knowledge->forms, 0, form);

    if (pack) *ret_use = use_of(pack);
    return pack != 0;
}

enum drug_route knowledge_route(const struct knowledge *knowledge, const char *system,
                                const char *code, enum drug_use *ret_use)
{
    char normal[CODE_SIZE];
    unsigned scope;

    *ret_use = USE_SYSTEMIC;
    if (!code_key(knowledge, system, code, &scope, normal)) return ROUTE_UNKNOWN;
    uint32_t pack = table_value(&knowledge->routes, scope, normal);
    *ret_use = use_of(pack);
    return route_of(pack);
}

/* Concepts found so far, each once, ascending. */
struct found {
    unsigned *items;
    size_t count, max;
};

static void found_add(struct found *found, unsigned concept)
{
    size_t at = found->count;

    for (size_t i = 0; i < found->count; i++)
        if (found->items[i] == concept) return;
    if (found->count == found->max) return;
    for (; at > 0 && found->items[at - 1] > concept; at--) found->items[at] = found->items[at - 1];
    found->items[at] = concept;
    found->count++;
}

static void found_links(const struct knowledge *knowledge, const struct table_entry *entry,
                        struct found *found)
{
    for (uint32_t i = entry ? entry->value : 0; i; i = knowledge->links[i].next)
        found_add(found, knowledge->links[i].concept);
}

/* The conditions of the code in that system alone. */
static void found_code(const struct knowledge *knowledge, unsigned system, const char *code,
                       struct found *found)
{
    size_t len = strlen(code);

    found_links(knowledge, table_find(&knowledge->conditions, system, code, len), found);
    if (table_value(&knowledge->alone, system, code)) return;
    for (size_t n = 1; n <= len && n <= knowledge->prefix_max; n++)
        found_links(knowledge, table_find(&knowledge->prefixes, system, code, n), found);
}

size_t condition_find(const struct knowledge *knowledge, unsigned system, const char *code,
                      unsigned *ret, size_t max)
{
    struct found found = { .items = ret, .max = max };

    found_code(knowledge, system, code, &found);
    return found.count;
}

size_t knowledge_condition(const struct knowledge *knowledge, const char *system, const char *code,
                           unsigned *ret, size_t max)
{
    struct found found = { .items = ret, .max = max };
    char normal[CODE_SIZE];
    unsigned scope;

    if (!code_key(knowledge, system, code, &scope, normal)) return 0;
    for (; scope; scope = table_value(&knowledge->related_systems, scope, ""))
        found_code(knowledge, scope, normal, &found);
    return found.count;
}
