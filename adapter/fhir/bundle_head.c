#include "fhir/bundle_head.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/node.h"

static const char *skip_any(const char *at, const char *end, const char *bytes)
{
    while (at < end && *at && strchr(bytes, *at)) at++;
    return at;
}

static bool is_entry(const char *name, const char *end)
{
    static const char entry[] = "\"entry\"";

    return (size_t)(end - name) == sizeof entry - 1 && memcmp(name, entry, sizeof entry - 1) == 0;
}

/* Copy the member that starts at `at`, unless it is the entries. Returns its end; NULL: it breaks off. */
static const char *member_copy(const char *at, const char *end, struct buf *ret)
{
    const char *name_end = doc_skip(at, end), *value;

    if (!name_end || *at != '"') return NULL;
    value = skip_any(name_end, end, " \t\r\n");
    if (value == end || *value != ':') return NULL;
    value = doc_skip(value + 1, end);
    if (!value || is_entry(at, name_end)) return value;
    if (ret->len > 1) buf_char(ret, ',');
    buf_add(ret, at, (size_t)(value - at));
    return value;
}

/* The object with its members but the entries; commas are not counted, the parser reads the rest. */
static bool members_copy(const char *at, const char *end, struct buf *ret)
{
    at = skip_any(at, end, " \t\r\n");
    if (at == end || *at++ != '{') return false;
    buf_char(ret, '{');
    for (;;) {
        at = skip_any(at, end, ", \t\r\n");
        if (at == end) return false;
        if (*at == '}') break;
        at = member_copy(at, end, ret);
        if (!at) return false;
    }
    buf_char(ret, '}');
    return true;
}

bool bundle_head_read(const char *text, size_t len, struct doc **ret)
{
    AUTO(buf_done) struct buf head = { 0 };
    struct err err;

    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (!members_copy(text, text + len, &head) || !doc_parse(head.data, head.len, 0, ret, &err))
        return false;
    struct node root = node_root(*ret);
    const char *type = node_text(&root, "resourceType");
    if (type && strcmp(type, "Bundle") == 0) return true;
    doc_free(TAKE(*ret));
    return false;
}

const char *bundle_head_next(const struct doc *head)
{
    struct node root = node_root(head), links = node_get(&root, "link");
    size_t count = node_count(&links);

    for (size_t i = 0; i < count; i++) {
        struct node link = node_item(&links, i);
        const char *relation = node_text(&link, "relation"), *url = node_text(&link, "url");
        if (relation && url && strcmp(relation, "next") == 0) return url;
    }
    return NULL;
}
