#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

/* Read every byte of a document; every place lies inside the text, in its order. */
static void walk(const struct doc_value *value, size_t size)
{
    require(value->offset < size);
    switch (value->kind) {
    case DOC_NULL:
    case DOC_FALSE:
    case DOC_TRUE:
        break;
    case DOC_NUMBER:
        require(strlen(value->text) == value->count);
        break;
    case DOC_STRING:
        require(value->text[value->count] == '\0');
        break;
    case DOC_ARRAY:
        for (uint32_t i = 0; i < value->count; i++) {
            require(value->items[i].offset > value->offset);
            walk(&value->items[i], size);
        }
        break;
    case DOC_OBJECT:
        for (uint32_t i = 0; i < value->count; i++) {
            const struct doc_member *member = &value->members[i];
            require(member->name[member->name_len] == '\0');
            require(member->offset > value->offset && member->value.offset > member->offset);
            walk(&member->value, size);
        }
        break;
    }
}

/* Exactly size bytes on the heap. */
static char *copy(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1);

    require(text);
    if (size) memcpy(text, data, size);
    return text;
}

/* A value that can be read ends where doc_skip() says, but for white space. */
static void check_skip(const char *text, size_t size, const struct doc_value *root)
{
    const char *start = text + root->offset, *end = doc_skip(start, text + size);

    require(end && end > start && end <= text + size);
    for (; end < text + size; end++) require(strchr(" \t\r\n", *end) != NULL);
}

static bool check(const char *text, size_t size, unsigned flags)
{
    struct doc *doc = NULL;
    struct err err;
    unsigned line, column;

    if (!doc_parse(text, size, flags, &doc, &err)) {
        require(err.offset <= size);
        doc_locate(text, size, err.offset, &line, &column);
        require(line >= 1 && column >= 1);
        return false;
    }
    walk(doc_root(doc), size);
    if (!(flags & DOC_COMMENTS)) check_skip(text, size, doc_root(doc));
    require(!(flags & DOC_UNIQUE) || !doc_has_duplicates(doc));
    doc_free(doc);
    return true;
}

/* Any bytes: a document, or an error at a place of the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy(data, size);
    bool plain = check(text, size, 0), comments = check(text, size, DOC_COMMENTS);

    require(comments || !plain); /* comments only add to what can be read */
    require(plain || !check(text, size, DOC_UNIQUE));
    doc_skip(text, text + size);
    free(text);
    return 0;
}
