#include "core/rrf.h"

#include <string.h>

#include "base/utf8.h"

static bool fields_wrong(size_t count, bool more, size_t columns, struct err *err)
{
    err_set(err, ERR_INPUT, "rrf.fields", "this line has %s%zu fields instead of %zu",
            more ? "more than " : "", count, columns);
    return err_fix(err, "the file is damaged or of another format: unpack the release again");
}

bool rrf_split(const char *line, size_t len, size_t columns, struct rrf_field *ret, struct err *err)
{
    const char *at = line, *end = line + len;
    size_t count = 0;

    if (len && end[-1] == '\r') end--;
    while (count < columns) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        ret[count++] = (struct rrf_field){ at, (size_t)((bar ? bar : end) - at) };
        at = bar ? bar + 1 : end;
        if (!bar) break;
    }
    return (count == columns && at == end) || fields_wrong(count, at < end, columns, err);
}

bool rrf_is(const struct rrf_field *field, const char *word)
{
    return strlen(word) == field->len && memcmp(field->text, word, field->len) == 0;
}

bool rrf_code(const struct rrf_field *field, uint32_t *ret, struct err *err)
{
    uint32_t code = 0;
    bool digits = field->len > 0 && field->len <= 8;

    for (size_t i = 0; digits && i < field->len; i++) {
        digits = field->text[i] >= '0' && field->text[i] <= '9';
        code = code * 10 + (uint32_t)(field->text[i] - '0');
    }
    if (digits && code) {
        *ret = code;
        return true;
    }
    err_set(err, ERR_INPUT, "rrf.code", "an RxNorm code is a number of at most 8 digits");
    return err_fix(err, "the file is damaged or of another format: unpack the release again");
}

static bool text_is_good(const struct rrf_field *field)
{
    const char *at = field->text, *end = at + field->len;

    if (at == end || field->len > RRF_TEXT_MAX) return false;
    while (at < end) {
        size_t len = utf8_len(at, end);
        if (!len || (unsigned char)*at < ' ' || *at == 0x7F) return false;
        at += len;
    }
    return true;
}

bool rrf_text(const struct rrf_field *field, struct err *err)
{
    if (text_is_good(field)) return true;
    err_set(err, ERR_INPUT, "rrf.text", "the name is empty, too long or no UTF-8 text");
    return err_fix(err, "the file is damaged: unpack the release again");
}
