#include "fhir/build.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static bool is_empty(const json_t *value)
{
    return (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* jansson fails for want of memory alone: then the process ends, as in base/mem.h. */
static void must(int result)
{
    if (result != 0) abort();
}

void build_set(json_t *object, const char *key, json_t *value)
{
    if (!value || is_empty(value))
        json_decref(value);
    else
        must(json_object_set_new(object, key, value));
}

void build_append(json_t *array, json_t *value)
{
    if (!value || is_empty(value))
        json_decref(value);
    else
        must(json_array_append_new(array, value));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void clean(const char *text, struct buf *out)
{
    const char *end = text + strlen(text);

    while (text < end) {
        size_t len = utf8_len(text, end);
        bool fits = len > 0 && ((unsigned char)*text >= ' ' || is_space(*text)) && *text != 0x7F;
        if (fits)
            buf_add(out, text, len);
        else
            buf_char(out, ' ');
        text += fits ? len : 1;
    }
}

void build_text(json_t *object, const char *key, const char *text)
{
    AUTO(buf_done) struct buf out = { 0 };

    clean(text, &out);
    const char *from = buf_string(&out), *to = from + out.len;
    while (from < to && is_space(*from)) from++;
    while (to > from && is_space(to[-1])) to--;
    if (from < to) build_set(object, key, json_stringn(from, (size_t)(to - from)));
}

json_t *build_coding(const char *system, const char *code, const char *display)
{
    json_t *coding = json_object();

    build_text(coding, "system", system);
    build_text(coding, "code", code);
    build_text(coding, "display", display);
    return coding;
}

json_t *build_reference(const char *reference)
{
    json_t *object = json_object();

    build_text(object, "reference", reference);
    return object;
}

char *build_dump(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    if (!text) abort();
    json_decref(object);
    return text;
}
