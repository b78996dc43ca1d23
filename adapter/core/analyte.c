#include <ctype.h>
#include <string.h>

#include "core/knowledge_impl.h"

const char *analyte_unit(const struct knowledge *knowledge, unsigned analyte)
{
    return knowledge->concepts[analyte].unit;
}

bool analyte_is_coded(const struct knowledge *knowledge, unsigned analyte)
{
    return knowledge->concepts[analyte].coded;
}

/* ---- UCUM with the litre as L */

/* Is text[0..len) nothing or a metric prefix, so that an "l" behind it can only be the litre? The
 * micro sign (two of them in Unicode) is no UCUM, but it is not to be mistaken either. */
static bool is_prefix(const char *text, size_t len)
{
    if (len == 0) return true;
    if (len == 1) return strchr("YZEPTGMkhdcmunpfazy", text[0]) != NULL;
    return len == 2 && (memcmp(text, "da", 2) == 0 || memcmp(text, "\xC2\xB5", 2) == 0 ||
                        memcmp(text, "\xCE\xBC", 2) == 0);
}

static bool in_word(char c)
{
    return isalpha((unsigned char)c) || (unsigned char)c >= 0x80 || c == '_';
}

/* Bytes of the piece of a unit at `at`: an annotation {...}, a bracketed atom [...], a word, or one
 * other character. */
static size_t piece_len(const char *at)
{
    const char *close = NULL;
    size_t len = 0;

    if (*at == '{') close = strchr(at, '}');
    if (*at == '[') close = strchr(at, ']');
    if (close) return (size_t)(close - at) + 1;
    while (in_word(at[len])) len++;
    return len ? len : 1;
}

bool unit_normal(const char *unit, char ret[UNIT_SIZE])
{
    size_t len = strlen(unit), piece;

    if (len >= UNIT_SIZE) return false;
    memcpy(ret, unit, len + 1);
    for (char *at = ret; *at; at += piece) {
        piece = piece_len(at);
        bool atom_ends = at[piece] != '['; /* "mm[Hg]" is one atom */
        if (at[piece - 1] == 'l' && atom_ends && is_prefix(at, piece - 1)) at[piece - 1] = 'L';
    }
    return true;
}

/* ---- conversion */

static const struct unit_way *find_way(const struct knowledge *knowledge, unsigned analyte,
                                       const char *unit)
{
    char normal[UNIT_SIZE];

    if (!unit_normal(unit, normal)) return NULL;
    uint32_t way = table_value(&knowledge->units, analyte, normal);
    if (!way) {
        uint32_t spelled = table_value(&knowledge->spellings, 0, normal);
        if (spelled) way = table_value(&knowledge->units, analyte, knowledge->spelled[spelled - 1]);
    }
    return way ? &knowledge->ways[way - 1] : NULL;
}

static struct interval divide(struct interval at, struct decimal by)
{
    at.low = decimal_divide(at.low, by);
    at.high = decimal_divide(at.high, by);
    return at;
}

bool analyte_convert(const struct knowledge *knowledge, unsigned analyte, const char *unit,
                     struct interval value, struct interval *ret)
{
    const struct unit_way *way = find_way(knowledge, analyte, unit ? unit : "");

    if (!way) return false;
    value = interval_shift(value, way->add);
    value = interval_hull(interval_scale(value, way->low), interval_scale(value, way->high));
    *ret = interval_shift(divide(value, way->divide), way->then_add);
    return true;
}
