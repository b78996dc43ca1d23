/* Drugs by their names, for orders that have no code we know: "Revlimid 10 mg cap". Whole words only:
 * a name that is nearly one is no match.
 *
 * An order without a known code and without such a match could be any drug, and then no clause that
 * asks for the absence of a drug can ever be told: every chart holds a multivitamin. So a name that
 * has no word in common with a drug we know, and that says more than "study drug" or "antibiotic per
 * protocol", is taken as another drug (knowledge_drug_text()). A gap that can never be told is worse
 * than one told beside a brand that we do not know; `coverage` lists those brands. Words are alike when
 * their first letters are: "lenalidomid" and "dexamethasonum" stay in doubt.
 *
 * Which words are units, forms, salts, or too vague for a name, codes/name-words.csv says. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/knowledge_impl.h"

#define TEXT_MAX 200 /* bytes of a text or name */
#define WORD_MAX 24  /* words of it */
#define STEM_MIN 4   /* letters: shorter words are of too many drugs */
#define STEM_MAX 7   /* letters by which words are alike */
#define KEY_SIZE (TEXT_MAX + WORD_MAX * sizeof "hydrochloride")

/* "lenalidomide", "10", ... in a text of lower case letters. */
struct words {
    char text[TEXT_MAX + 1];
    const char *items[WORD_MAX];
    size_t count;
    bool numbers; /* a number without a unit was left out: it may belong to the name */
    bool beyond;  /* longer than any name */
};

static bool is_word(const struct knowledge *knowledge, enum name_word kind, const char *word)
{
    return table_value(&knowledge->name_words, 0, word) == (uint32_t)kind;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters, digits, and everything beyond ASCII. */
static bool is_letter(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* Lower case; what parts words becomes a space, but the point of "0.5" stays for a moment. */
static bool lower(const char *text, char ret[TEXT_MAX + 1])
{
    size_t len = strlen(text);

    if (len > TEXT_MAX) return false;
    for (size_t i = 0; i <= len; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool inside =
            (c == '.' || c == ',') && i > 0 && is_digit(text[i - 1]) && is_digit(text[i + 1]);
        ret[i] = c && !is_letter(c) && !inside ? ' ' : c;
    }
    return true;
}

/* Bytes of the number that the word begins with: "10mg" is 2. */
static size_t number_len(const char *word)
{
    return is_digit(*word) ? strspn(word, "0123456789.,") : 0;
}

/* False when there is no word, or more than any name has. */
static bool words_cut(const struct knowledge *knowledge, const char *text, struct words *ret)
{
    bool measure = false, bare = false; /* in a strength; it has no unit yet */
    char *save = NULL;

    *ret = (struct words){ 0 };
    if (!lower(text, ret->text)) return !(ret->beyond = true);
    for (char *word = strtok_r(ret->text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        size_t digits = number_len(word);
        bool number = digits && !word[digits],
             unit = is_word(knowledge, NAME_WORD_UNIT, word + digits);
        if (number || (unit && (digits || measure))) {
            ret->numbers |= bare && number;
            bare = number;
            measure = true;
            continue;
        }
        ret->numbers |= bare;
        bare = measure = false;
        if (is_word(knowledge, NAME_WORD_FORM, word)) continue;
        if (ret->count == WORD_MAX) return !(ret->beyond = true);
        ret->items[ret->count++] = strcmp(word, "hcl") == 0 ? "hydrochloride" : word;
    }
    ret->numbers |= bare;
    return ret->count > 0;
}

/* "zoledronic acid" of some words. */
static void words_join(const struct words *words, size_t from, size_t count, char ret[KEY_SIZE])
{
    size_t used = 0;

    for (size_t i = from; i < from + count; i++) {
        size_t len = strlen(words->items[i]);
        if (used) ret[used++] = ' ';
        memcpy(ret + used, words->items[i], len);
        used += len;
    }
    ret[used] = '\0';
}

/* ---- name-words.csv */

/* word, kind, note */
void row_name_word(struct knowledge_reader *reader, const char *const *field)
{
    static const char *const kinds[] = { "unit", "form", "aside", "salt", "vague", NULL };
    size_t kind = 0;

    while (kinds[kind] && strcmp(kinds[kind], field[1]) != 0) kind++;
    if (!kinds[kind])
        reader_unknown(reader, 1, "kind of word", field[1], nearest(field[1], kinds),
                       "write unit, form, aside, salt or vague");
    else if (!*field[0])
        reader_problem(reader, 0, "knowledge.word", "write it in small letters",
                       "there is no word");
    else
        reader_claim(reader, &reader->knowledge->name_words, 0, field[0],
                     (uint32_t)kind + NAME_WORD_UNIT, 0);
}

/* ---- building */

void drug_name_add(struct knowledge_reader *reader, const char *name, uint32_t entry,
                   enum drug_use use)
{
    struct knowledge *knowledge = reader->knowledge;
    char key[KEY_SIZE];
    struct words words;

    if (!words_cut(knowledge, name, &words) || words.numbers) return;
    words_join(&words, 0, words.count, key);
    struct table_entry *at = table_add(&knowledge->drug_names, &knowledge->arena, 0, key);
    if (!at->value) {
        knowledge->named =
            knowledge_push(knowledge->named, &knowledge->named_count, sizeof *knowledge->named);
        at->value = (uint32_t)knowledge->named_count;
        knowledge->named[at->value - 1].entry = entry;
    } else if (knowledge->named[at->value - 1].entry != entry) {
        reader->names = knowledge_push(reader->names, &reader->name_count, sizeof *reader->names);
        reader->names[reader->name_count - 1] = (struct name_claim){ at->value - 1, entry };
    }
    knowledge->named[at->value - 1].systemic |= use == USE_SYSTEMIC;
}

/* Can the word be a name? */
static bool is_telling(const struct knowledge *knowledge, const char *word)
{
    size_t letters = 0;

    for (size_t i = 0; word[i]; i++) letters += !is_digit(word[i]);
    return letters >= STEM_MIN && !is_word(knowledge, NAME_WORD_ASIDE, word);
}

/* The letters by which a word is like others: "lenalid"; y and i are one, as in
 * "aciclovir". False where that says nothing. */
static bool stem_of(const struct knowledge *knowledge, const char *word, char ret[STEM_MAX + 1])
{
    size_t len = 0;

    if (!is_telling(knowledge, word) || is_word(knowledge, NAME_WORD_SALT, word)) return false;
    for (; len < STEM_MAX && word[len]; len++) ret[len] = word[len] == 'y' ? 'i' : word[len];
    ret[len] = '\0';
    return true;
}

/* Remember the first few words of a name that tell something. */
static void stems_add(struct knowledge_reader *reader, const char *name, size_t max)
{
    struct knowledge *knowledge = reader->knowledge;
    char stem[STEM_MAX + 1];
    struct words words;

    if (!words_cut(knowledge, name, &words)) return;
    for (size_t i = 0; i < words.count && max; i++) {
        if (!stem_of(knowledge, words.items[i], stem)) continue;
        table_add(&knowledge->drug_words, &knowledge->arena, 0, stem)->value = 1;
        max--;
    }
}

void drug_words_add(struct knowledge_reader *reader, const char *name)
{
    stems_add(reader, name, WORD_MAX);
}

void drug_brand_add(struct knowledge_reader *reader, const char *brand)
{
    stems_add(reader, brand, 1);
}

/* Do two codes have the same ingredients? */
static bool same_drugs(const struct knowledge *knowledge, uint32_t a, uint32_t b)
{
    const struct drug_entry *x = &knowledge->drug_entries[a], *y = &knowledge->drug_entries[b];

    if (x->count != y->count) return false;
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t j = 0;
        while (j < y->count && knowledge->drug_codes[y->first + j].concept !=
                                   knowledge->drug_codes[x->first + i].concept)
            j++;
        if (j == y->count) return false;
    }
    return true;
}

void drug_names_done(struct knowledge_reader *reader)
{
    struct knowledge *knowledge = reader->knowledge;

    for (size_t i = 0; i < reader->name_count; i++) {
        struct drug_name *name = &knowledge->named[reader->names[i].name];
        name->ambiguous |= !same_drugs(knowledge, name->entry, reader->names[i].entry);
    }
}

/* ---- asking */

/* The longest name that begins there; NULL: none. */
static const struct drug_name *name_at(const struct knowledge *knowledge, const struct words *words,
                                       size_t from, size_t *ret_count)
{
    char key[KEY_SIZE];

    for (size_t count = words->count - from; count > 0; count--) {
        words_join(words, from, count, key);
        uint32_t number = table_value(&knowledge->drug_names, 0, key);
        *ret_count = count;
        if (number) return &knowledge->named[number - 1];
    }
    return NULL;
}

size_t knowledge_drug_named(const struct knowledge *knowledge, const char *text,
                            const struct drug_code **ret, enum drug_use *ret_use)
{
    const struct drug_name *first = NULL;
    struct words words;
    size_t count;

    *ret_use = USE_SYSTEMIC;
    if (!knowledge->policy.drug_names || !words_cut(knowledge, text, &words)) return 0;
    for (size_t at = 0; at < words.count; at += count) {
        const struct drug_name *name = name_at(knowledge, &words, at, &count);
        if (!name || name->ambiguous) return 0;
        if (first && !same_drugs(knowledge, first->entry, name->entry)) return 0;
        if (!name->systemic) *ret_use = USE_LOCAL;
        first = name;
    }
    if (!first) return 0; /* words has at least one */
    const struct drug_entry *entry = &knowledge->drug_entries[first->entry];
    *ret = &knowledge->drug_codes[entry->first];
    return entry->count;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80) return false;
    return true;
}

/* Is the word, without an "s" at its end, one of them? */
static bool is_vague(const struct knowledge *knowledge, const char *word)
{
    char one[TEXT_MAX + 1];
    size_t len = strlen(word);

    memcpy(one, word, len + 1);
    if (is_word(knowledge, NAME_WORD_VAGUE, one)) return true;
    if (len > 1 && one[len - 1] == 's') one[len - 1] = '\0';
    return is_word(knowledge, NAME_WORD_VAGUE, one);
}

/* May the word be of a drug of ours, or stand for one? */
static bool may_be_ours(const struct knowledge *knowledge, const char *word)
{
    char stem[STEM_MAX + 1];

    if (!is_ascii(word) || is_vague(knowledge, word)) return true;
    return stem_of(knowledge, word, stem) && table_value(&knowledge->drug_words, 0, stem);
}

enum drug_text knowledge_drug_text(const struct knowledge *knowledge, const char *text)
{
    enum drug_text said = DRUG_TEXT_NOTHING;
    struct words words;
    size_t count;

    if (!knowledge->policy.drug_names) return DRUG_TEXT_NOTHING;
    if (!words_cut(knowledge, text, &words))
        return words.beyond ? DRUG_TEXT_OURS : DRUG_TEXT_NOTHING;
    for (size_t i = 0; i < words.count; i++) {
        if (may_be_ours(knowledge, words.items[i])) return DRUG_TEXT_OURS;
        if (name_at(knowledge, &words, i, &count)) return DRUG_TEXT_OURS;
        if (is_telling(knowledge, words.items[i])) said = DRUG_TEXT_OTHER;
    }
    return said;
}
