/* Lines of an RxNorm release: the first byte of each says which file it is of. Whatever is kept has an
 * answer, and every drug in it is one of ours. */
#include <stdlib.h>
#include <string.h>

#include "core/rxnorm_drugs.h"
#include "fhir_knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

typedef bool line_fn(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err);

static void lines(struct rxnorm_graph *graph, const char *text, const char *end, char which,
                  line_fn *take)
{
    struct err err;

    for (const char *lf; (lf = memchr(text, '\n', (size_t)(end - text))); text = lf + 1)
        if (lf > text && *text == which && !take(graph, text + 1, (size_t)(lf - text - 1), &err))
            require(err.kind == ERR_INPUT && err.what[0]);
}

static void on_code(const struct rxnorm_code *code, void *arg)
{
    const struct knowledge *knowledge = arg;

    require(code->name[0] && code->code[0] && code->drug_count <= RXNORM_DRUGS_MAX);
    require(code->verdict != RXNORM_NEW || (code->drug_count && !code->our_count));
    for (size_t i = 0; i < code->drug_count; i++) {
        require(*concept_name(knowledge, code->drugs[i].concept) != '\0');
        require(!*code->drugs[i].strength == !*code->drugs[i].unit);
        require(code->drugs[i].form != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct knowledge *knowledge; /* kept: building it costs more than a run */
    struct err_list problems = { 0 };
    struct rxnorm_graph graph = { 0 };

    if (!knowledge)
        require(knowledge_load(fixture_files, sizeof fixture_files / sizeof fixture_files[0],
                               &knowledge, &problems));
    char *text = malloc(size + 1);
    require(text != NULL);
    if (size) memcpy(text, data, size);
    lines(&graph, text, text + size, 'C', rxnorm_concept_line);
    rxnorm_concepts_done(&graph);
    lines(&graph, text, text + size, 'R', rxnorm_link_line);
    rxnorm_links_done(&graph);
    lines(&graph, text, text + size, 'S', rxnorm_package_line);
    rxnorm_packages_done(&graph);
    rxnorm_codes(&graph, knowledge, on_code, knowledge);
    rxnorm_graph_done(&graph);
    free(text);
    return 0;
}
