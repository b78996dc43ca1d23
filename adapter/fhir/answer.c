#include "fhir/answer.h"

#include <string.h>
#include <strings.h>

#include "fhir/datatype.h"

/* Answers that say yes or no. "snomed" and the like are short names of codes/systems.csv. */
static const struct answer {
    const char *system, *code;
    enum coded_value means;
} answers[] = {
    { "snomed", "10828004", CODED_POSITIVE },  /* positive */
    { "snomed", "260385009", CODED_NEGATIVE }, /* negative */
    { "snomed", "260373001", CODED_POSITIVE }, /* detected */
    { "snomed", "260415000", CODED_NEGATIVE }, /* not detected */
    { "snomed", "11214006", CODED_POSITIVE },  /* reactive */
    { "snomed", "131194007", CODED_NEGATIVE }, /* non-reactive */
    { "snomed", "52101004", CODED_POSITIVE },  /* present */
    { "snomed", "2667000", CODED_NEGATIVE },   /* absent */
    { "snomed", "77386006", CODED_POSITIVE },  /* pregnant */
    { "snomed", "60001007", CODED_NEGATIVE },  /* not pregnant */
    { "loinc", "LA6576-8", CODED_POSITIVE },   /* positive */
    { "loinc", "LA6577-6", CODED_NEGATIVE },   /* negative */
    { "loinc", "LA11882-0", CODED_POSITIVE },  /* detected */
    { "loinc", "LA11883-8", CODED_NEGATIVE },  /* not detected */
    { "loinc", "LA15255-5", CODED_POSITIVE },  /* reactive */
    { "loinc", "LA9633-4", CODED_POSITIVE },   /* present */
    { "loinc", "LA9634-2", CODED_NEGATIVE },   /* absent */
    { "loinc", "LA15173-0", CODED_POSITIVE },  /* pregnant */
    { "loinc", "LA26683-5", CODED_NEGATIVE },  /* not pregnant */
    { "observation-interpretation", "POS", CODED_POSITIVE },
    { "observation-interpretation", "NEG", CODED_NEGATIVE },
    { "http://terminology.hl7.org/CodeSystem/v2-0078", "POS", CODED_POSITIVE },
    { "http://terminology.hl7.org/CodeSystem/v2-0078", "NEG", CODED_NEGATIVE },
};

#define CONDITIONS_MAX 16 /* of one code; more than any code of ours has */

/* What the conditions of the code say as a value of this analyte; CODED_OTHER where they contradict
 * each other. */
static enum coded_value coded_by_condition(const struct knowledge *knowledge, unsigned analyte,
                                           struct datatype_coding coding)
{
    unsigned conditions[CONDITIONS_MAX];
    size_t count =
        knowledge_condition(knowledge, coding.system, coding.code, conditions, CONDITIONS_MAX);
    bool yes = false, no = false, positive;

    for (size_t i = 0; i < count; i++) {
        if (!knowledge_answer(knowledge, analyte, conditions[i], &positive)) continue;
        yes |= positive;
        no |= !positive;
    }
    if (yes == no) return CODED_OTHER;
    return yes ? CODED_POSITIVE : CODED_NEGATIVE;
}

static enum coded_value coded_by(const struct knowledge *knowledge, unsigned analyte,
                                 struct datatype_coding coding)
{
    const char *system = knowledge_system(knowledge, coding.system);

    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        if (strcmp(answers[i].code, coding.code) != 0) continue;
        if (strcmp(answers[i].system, coding.system) == 0) return answers[i].means;
        if (system && strcmp(answers[i].system, system) == 0) return answers[i].means;
    }
    return coded_by_condition(knowledge, analyte, coding);
}

enum coded_value answer_by_word(const char *text)
{
    static const struct {
        const char *word;
        enum coded_value means;
    } words[] = { { "positive", CODED_POSITIVE }, { "negative", CODED_NEGATIVE },
                  { "detected", CODED_POSITIVE }, { "not detected", CODED_NEGATIVE },
                  { "reactive", CODED_POSITIVE }, { "non-reactive", CODED_NEGATIVE },
                  { "present", CODED_POSITIVE },  { "nonreactive", CODED_NEGATIVE },
                  { "POS", CODED_POSITIVE },      { "NEG", CODED_NEGATIVE } };

    for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
        if (strcasecmp(words[i].word, text) == 0) return words[i].means;
    return CODED_OTHER;
}

enum coded_value answer_by_concept(const struct knowledge *knowledge, unsigned analyte,
                                   const struct node *concept)
{
    size_t count = datatype_coding_count(concept);
    enum coded_value found = CODED_OTHER;

    for (size_t i = 0; i < count; i++) {
        enum coded_value one = coded_by(knowledge, analyte, datatype_coding_at(concept, i));
        if (one == CODED_OTHER) continue;
        if (found != CODED_OTHER && found != one) return CODED_OTHER;
        found = one;
    }
    return datatype_code(concept) ? found : answer_by_word(node_text(concept, "text"));
}

const char *answer_words(const struct knowledge *knowledge, unsigned analyte,
                         const struct node *concept)
{
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        if (*coding.display && coded_by(knowledge, analyte, coding) != CODED_OTHER)
            return coding.display;
    }
    return "";
}
