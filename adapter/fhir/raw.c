#include "fhir/raw.h"

static void write_string(const char *text, size_t len, struct buf *out)
{
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ')
            buf_printf(out, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void write_array(const struct doc_value *array, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < array->count; i++) {
        if (i) buf_char(out, ',');
        raw_write(&array->items[i], out);
    }
    buf_char(out, ']');
}

static void write_object(const struct doc_value *object, struct buf *out)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < object->count; i++) {
        const struct doc_member *member = &object->members[i];
        if (i) buf_char(out, ',');
        write_string(member->name, member->name_len, out);
        buf_char(out, ':');
        raw_write(&member->value, out);
    }
    buf_char(out, '}');
}

void raw_write(const struct doc_value *value, struct buf *out)
{
    switch (value->kind) {
    case DOC_NULL:
        buf_text(out, "null");
        break;
    case DOC_FALSE:
        buf_text(out, "false");
        break;
    case DOC_TRUE:
        buf_text(out, "true");
        break;
    case DOC_NUMBER:
        buf_add(out, value->text, value->count);
        break;
    case DOC_STRING:
        write_string(value->text, value->count, out);
        break;
    case DOC_ARRAY:
        write_array(value, out);
        break;
    case DOC_OBJECT:
        write_object(value, out);
        break;
    }
}
