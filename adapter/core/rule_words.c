/* Units, quantities and names as people write them. */
#include <string.h>

#include "core/rule_text.h"

/* ---- units */

static const char *const raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void raise_digits(const char **unit, struct buf *out)
{
    for (; is_digit(**unit); ++*unit) buf_text(out, raised[**unit - '0']);
}

static bool starts(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static bool unit_special(const char **unit, struct buf *out)
{
    static const struct {
        const char *ucum, *people;
    } words[] = {
        { "[iU]", "IU" },     { "[IU]", "IU" },         { "mm[Hg]", "mmHg" },
        { "(24.h)", "24 h" }, { "Cel", "°C" },          { "[degF]", "°F" },
        { "umol", "µmol" },   { "ug", "µg" },           { "uL", "µL" },
        { "um", "µm" },       { "1.73_m2", "1.73 m²" }, { "{score}", "points" },
        { "{ratio}", "" },    { "{INR}", "" },          { "{CTCAE_grade}", "(CTCAE grade)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!starts(*unit, words[i].ucum)) continue;
        buf_text(out, words[i].people);
        *unit += strlen(words[i].ucum);
        return true;
    }
    return false;
}

void rule_unit(const char *unit, struct buf *out)
{
    bool fresh = true; /* at the start of a factor: "u" is micro there, "m2" a square metre */

    while (*unit) {
        if (starts(unit, "10*")) {
            buf_text(out, "× 10");
            unit += 3;
            raise_digits(&unit, out);
            fresh = false;
        } else if (fresh && unit_special(&unit, out)) {
            fresh = false;
        } else if (fresh && unit[0] == 'm' && is_digit(unit[1])) {
            buf_char(out, *unit++);
            raise_digits(&unit, out);
        } else {
            fresh = strchr("/.{[(", *unit) != NULL;
            if (*unit == '_')
                buf_char(out, ' ');
            else if (!strchr("{}[]", *unit))
                buf_char(out, *unit);
            unit++;
        }
    }
}

/* ---- quantities */

static bool is_number(const char *token)
{
    return is_digit(token[0]);
}

/* Lengths of time in full. */
static const char *time_words(const char *unit, bool one)
{
    static const struct {
        const char *unit, *one, *many;
    } words[] = {
        { "min", "minute", "minutes" }, { "h", "hour", "hours" },    { "d", "day", "days" },
        { "wk", "week", "weeks" },      { "mo", "month", "months" }, { "a", "year", "years" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(unit, words[i].unit) == 0) return one ? words[i].one : words[i].many;
    return NULL;
}

/* What a value is compared with. */
static const char *relation_words(const char *token)
{
    static const struct {
        const char *word, *people;
    } words[] = {
        { "x", "×" },
        { "upper", "the upper" },
        { "limit", "limit of normal" },
        { "baseline", "the baseline" },
        { "previous", "the previous result" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(token, words[i].word) == 0) return words[i].people;
    return token;
}

static void token_say(const char *token, const char *before, struct buf *out)
{
    const char *time = time_words(token, strcmp(before, "1") == 0);

    if (time && is_number(before))
        buf_text(out, time);
    else if (is_number(before) && strcmp(token, "x") != 0 && strcmp(token, "to") != 0)
        rule_unit(token, out);
    else if (strcmp(token, "lowest") == 0 && strcmp(before, "x") == 0)
        buf_text(out, "the lowest");
    else
        buf_text(out, relation_words(token));
}

void rule_quantity(const char *words, struct buf *out)
{
    char token[64], before[64] = "";

    while (*words) {
        size_t n = strcspn(words, " ");
        if (n >= sizeof token) n = sizeof token - 1;
        memcpy(token, words, n);
        token[n] = '\0';
        words += n;
        words += strspn(words, " ");
        if (*before && (!is_number(before) || token[0] != '%')) buf_char(out, ' ');
        token_say(token, before, out);
        memcpy(before, token, n + 1);
    }
    while (out->len && out->data[out->len - 1] == ' ') out->data[--out->len] = '\0';
}

/* ---- names */

void rule_name(const char *name, struct buf *out)
{
    for (; *name; name++) buf_char(out, *name == '-' ? ' ' : *name);
}

void rule_source_say(const struct rule_source *source, struct buf *out)
{
    buf_text(out, source->document);
    if (source->revision[0]) buf_printf(out, " (revision %s)", source->revision);
    if (source->date[0]) buf_printf(out, " (%s)", source->date);
    if (source->section[0]) buf_printf(out, ", %s", source->section);
}

const char *rule_grade_words(const char *grade)
{
    if (strcmp(grade, "verified") == 0) return "verified: seen in retrieved text";
    if (strcmp(grade, "from-knowledge") == 0)
        return "FROM KNOWLEDGE: known from the published label, its text was not retrieved";
    return "UNCERTAIN: a number of this project, or text that is not confirmed";
}
