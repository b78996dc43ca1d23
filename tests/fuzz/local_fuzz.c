/* What a site lays over a small knowledge: the first byte says whether it is a CSV or a ConceptMap, and
 * whether a good file of the same codes stands beside it. It loads, and every question has an answer;
 * or there is a problem that names a file. */
#include <stdlib.h>
#include <string.h>

#include "core/knowledge.h"
#include "fhir_knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

static void ask(const struct knowledge *knowledge, const char *system, const char *code)
{
    const struct drug_code *codes;
    unsigned found[4];
    enum drug_use use;
    size_t count = knowledge_drug(knowledge, system, code, &codes);

    for (size_t i = 0; i < count; i++)
        require(codes[i].strength_unit && *concept_name(knowledge, codes[i].concept));
    require(knowledge_condition(knowledge, system, code, found, 4) <= 4);
    require(knowledge_route(knowledge, system, code, &use) <= ROUTE_OTHER);
    unsigned analyte = knowledge_analyte(knowledge, system, code);
    if (analyte) require(*concept_words(knowledge, analyte) != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char other[] = "system,code,concept,comment,overrides\n"
                                "urn:x,1,lenalidomide,,\nloinc,751-8,platelets,,yes\n";
    struct knowledge_file site[2] = { { "/z/other.csv", other, sizeof other - 1 } };
    struct knowledge_layers layers = { .files = fixture_files,
                                       .count = sizeof fixture_files / sizeof fixture_files[0],
                                       .codes = site };
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };

    if (size < 1) return 0;
    char *text = calloc(1, size); /* the rest and its NUL */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    layers.code_count = data[0] & 2 ? 2 : 1;
    site[layers.code_count - 1] =
        (struct knowledge_file){ data[0] & 1 ? "/a/map.json" : "/a/codes.csv", text, size - 1 };
    if (knowledge_load_layers(&layers, &knowledge, &problems)) {
        require(problems.count == 0);
        ask(knowledge, "urn:x", "1");
        ask(knowledge, "http://loinc.org", "751-8");
        ask(knowledge, "http://www.nlm.nih.gov/research/umls/rxnorm", "602910");
        ask(knowledge, "urn:x", text);
    } else {
        require(problems.count > 0 && strchr(problems.items[0].where, ':') != NULL);
    }
    knowledge_free(knowledge);
    err_list_done(&problems);
    free(text);
    return 0;
}
