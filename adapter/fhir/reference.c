#include "fhir/reference.h"

#include <string.h>

static bool id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

/* The length of the id that text starts with. */
static size_t id_len(const char *text)
{
    size_t len = 0;

    while (id_char(text[len])) len++;
    return len;
}

bool reference_id_ok(const char *text)
{
    size_t len = id_len(text);

    return len > 0 && len <= REFERENCE_ID_MAX && text[len] == '\0';
}

/* Copy [from, to) when it is a legal id. */
static bool take_id(const char *from, const char *to, char ret[REFERENCE_ID_MAX + 1])
{
    size_t len = (size_t)(to - from);

    if (len == 0 || len > REFERENCE_ID_MAX || id_len(from) < len) return false;
    memcpy(ret, from, len);
    ret[len] = '\0';
    return true;
}

/* A type name: a capital letter, then letters. */
static bool take_type(const char *from, const char *to, char ret[40])
{
    size_t len = (size_t)(to - from);

    if (len == 0 || len >= 40 || from[0] < 'A' || from[0] > 'Z') return false;
    for (size_t i = 0; i < len; i++)
        if ((from[i] | 0x20) < 'a' || (from[i] | 0x20) > 'z') return false;
    memcpy(ret, from, len);
    ret[len] = '\0';
    return true;
}

/* The last "/" in [from, to), or NULL. */
static const char *last_slash(const char *from, const char *to)
{
    while (to > from)
        if (*--to == '/') return to;
    return NULL;
}

static bool has_scheme(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

/* Cut "/_history/V" off the end, if there. *end moves to the end of the id. */
static bool take_version(const char *text, const char **end, struct reference *ret)
{
    static const char word[] = "/_history";
    const char *slash = last_slash(text, *end);
    size_t len = sizeof word - 1;

    if (!slash || (size_t)(slash - text) < len || memcmp(slash - len, word, len) != 0) return true;
    if (!take_id(slash + 1, *end, ret->version)) return false;
    *end = slash - len;
    return true;
}

/* [base/]Type/id[/_history/version], read from the end. */
static bool literal(const char *text, struct reference *ret)
{
    const char *end = text + strlen(text), *slash, *before;

    ret->absolute = has_scheme(text);
    if (!take_version(text, &end, ret)) return false;
    if (!(slash = last_slash(text, end)) || !take_id(slash + 1, end, ret->id)) return false;
    before = last_slash(text, slash);
    if (ret->absolute ? !before || before[-1] == '/' : before != NULL) return false;
    return take_type(before ? before + 1 : text, slash, ret->type);
}

bool reference_parse(const char *text, struct reference *ret)
{
    static const char urn[] = "urn:uuid:";
    size_t len = sizeof urn - 1;

    *ret = (struct reference){ 0 };
    if (text[0] == '#') {
        ret->contained = true;
        return take_id(text + 1, text + strlen(text), ret->id);
    }
    if (strncmp(text, urn, len) == 0) {
        ret->urn = true;
        return take_id(text + len, text + strlen(text), ret->id);
    }
    return literal(text, ret);
}
