#include "core/rxnorm_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/rrf.h"

/* Columns, from 0. */
enum { CONSO_RXCUI = 0, CONSO_SAB = 11, CONSO_TTY = 12, CONSO_STR = 14, CONSO_SUPPRESS = 16 };
enum { CONSO_COLUMNS = 18 };
enum { REL_RXCUI1 = 0, REL_STYPE1 = 2, REL_RXCUI2 = 4, REL_STYPE2 = 6, REL_RELA = 7 };
enum { REL_SAB = 10, REL_SUPPRESS = 14, REL_COLUMNS = 16 };
enum { SAT_RXCUI = 0, SAT_ATN = 8, SAT_SAB = 9, SAT_ATV = 10, SAT_SUPPRESS = 11, SAT_COLUMNS = 13 };

#define NDC_DIGITS 11

static const char *const types[] = { "IN",   "PIN",  "MIN", "BN",  "SCDC", "SBDC", "SCDF", "SBDF",
                                     "SCDG", "SBDG", "SCD", "SBD", "GPCK", "BPCK", "DF" };

static const char *const relations[] = { "form_of",
                                         "has_part",
                                         "has_ingredient",
                                         "has_ingredients",
                                         "has_precise_ingredient",
                                         "tradename_of",
                                         "consists_of",
                                         "contains",
                                         "isa",
                                         "has_dose_form" };

static bool among(const struct rrf_field *field, const char *const *words, size_t count,
                  unsigned *ret)
{
    for (unsigned i = 0; i < count; i++) {
        if (!rrf_is(field, words[i])) continue;
        *ret = i;
        return true;
    }
    return false;
}

/* SUPPRESS is N, O (obsolete), Y or E; RxNorm leaves it empty in links. */
static bool is_ours(const struct rrf_field *source, const struct rrf_field *suppress)
{
    return rrf_is(source, "RXNORM") && (!suppress->len || rrf_is(suppress, "N"));
}

static bool too_many(size_t max, const char *what, struct err *err)
{
    err_set(err, ERR_INPUT, "rrf.size", "there are more than %zu %s", max, what);
    return err_fix(err, "is this an RxNorm release?");
}

/* Room for one more. */
static void *make_room(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room) return array;
    *room = *room ? 2 * *room : 256;
    return mem_resize(array, *room * size);
}

/* ---- concepts */

bool rxnorm_concept_line(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err)
{
    struct rrf_field field[RRF_FIELDS_MAX];
    uint32_t code;
    unsigned type;

    if (!rrf_split(line, len, CONSO_COLUMNS, field, err)) return false;
    if (!is_ours(&field[CONSO_SAB], &field[CONSO_SUPPRESS])) return true;
    if (!among(&field[CONSO_TTY], types, ARRAY_SIZE(types), &type)) return true;
    if (!rrf_code(&field[CONSO_RXCUI], &code, err)) return false;
    if (!rrf_text(&field[CONSO_STR], err)) return false;
    if (graph->concept_count == RXNORM_CONCEPTS_MAX)
        return too_many(RXNORM_CONCEPTS_MAX, "concepts", err);
    graph->concepts = make_room(graph->concepts, graph->concept_count, &graph->concept_room,
                                sizeof *graph->concepts);
    graph->concepts[graph->concept_count++] =
        (struct rxnorm_concept){ code, (enum rxnorm_type)type,
                                 arena_copy(&graph->arena, field[CONSO_STR].text,
                                            field[CONSO_STR].len) };
    return true;
}

static int by_code(const void *a, const void *b)
{
    const struct rxnorm_concept *one = a, *other = b;

    if (one->code != other->code) return one->code < other->code ? -1 : 1;
    if (one->type != other->type) return one->type < other->type ? -1 : 1;
    return strcmp(one->name, other->name);
}

void rxnorm_concepts_done(struct rxnorm_graph *graph)
{
    size_t kept = 0;

    if (!graph->concept_count) return;
    qsort(graph->concepts, graph->concept_count, sizeof *graph->concepts, by_code);
    for (size_t i = 0; i < graph->concept_count; i++)
        if (!i || graph->concepts[i].code != graph->concepts[kept - 1].code)
            graph->concepts[kept++] = graph->concepts[i];
    graph->concept_count = kept;
}

static bool find(const struct rxnorm_graph *graph, uint32_t code, uint32_t *ret)
{
    size_t low = 0, high = graph->concept_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->concepts[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = (uint32_t)low;
    return low < graph->concept_count && graph->concepts[low].code == code;
}

/* ---- links */

/* RELA is what the second concept is to the first one. */
bool rxnorm_link_line(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err)
{
    struct rrf_field field[RRF_FIELDS_MAX];
    struct rxnorm_link link;
    uint32_t first, second;
    unsigned relation;

    if (!rrf_split(line, len, REL_COLUMNS, field, err)) return false;
    if (!is_ours(&field[REL_SAB], &field[REL_SUPPRESS])) return true;
    if (!among(&field[REL_RELA], relations, ARRAY_SIZE(relations), &relation)) return true;
    if (!rrf_is(&field[REL_STYPE1], "CUI") || !rrf_is(&field[REL_STYPE2], "CUI")) return true;
    if (!rrf_code(&field[REL_RXCUI1], &first, err)) return false;
    if (!rrf_code(&field[REL_RXCUI2], &second, err)) return false;
    if (!find(graph, first, &link.to) || !find(graph, second, &link.from)) return true;
    if (graph->link_count == RXNORM_LINKS_MAX) return too_many(RXNORM_LINKS_MAX, "links", err);
    link.relation = (enum rxnorm_relation)relation;
    graph->links =
        make_room(graph->links, graph->link_count, &graph->link_room, sizeof *graph->links);
    graph->links[graph->link_count++] = link;
    return true;
}

static int by_from(const void *a, const void *b)
{
    const struct rxnorm_link *one = a, *other = b;

    if (one->from != other->from) return one->from < other->from ? -1 : 1;
    if (one->to != other->to) return one->to < other->to ? -1 : 1;
    return (one->relation > other->relation) - (one->relation < other->relation);
}

void rxnorm_links_done(struct rxnorm_graph *graph)
{
    size_t kept = 0;

    if (!graph->link_count) return;
    qsort(graph->links, graph->link_count, sizeof *graph->links, by_from);
    for (size_t i = 0; i < graph->link_count; i++)
        if (!i || by_from(&graph->links[i], &graph->links[kept - 1]) != 0)
            graph->links[kept++] = graph->links[i];
    graph->link_count = kept;
}

const struct rxnorm_link *rxnorm_links(const struct rxnorm_graph *graph, uint32_t from,
                                       size_t *ret_count)
{
    size_t low = 0, high = graph->link_count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graph->links[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < graph->link_count && graph->links[end].from == from;) end++;
    *ret_count = end - low;
    return *ret_count ? &graph->links[low] : NULL;
}

/* ---- packages */

/* RxNorm's own NDC have 11 digits; others are left to the site. */
static bool ndc_read(const struct rrf_field *field, uint64_t *ret)
{
    *ret = 0;
    if (field->len != NDC_DIGITS) return false;
    for (size_t i = 0; i < NDC_DIGITS; i++) {
        if (field->text[i] < '0' || field->text[i] > '9') return false;
        *ret = *ret * 10 + (uint64_t)(field->text[i] - '0');
    }
    return true;
}

bool rxnorm_package_line(struct rxnorm_graph *graph, const char *line, size_t len, struct err *err)
{
    struct rrf_field field[RRF_FIELDS_MAX];
    struct rxnorm_package package;
    uint32_t code;

    if (!rrf_split(line, len, SAT_COLUMNS, field, err)) return false;
    if (!is_ours(&field[SAT_SAB], &field[SAT_SUPPRESS]) || !rrf_is(&field[SAT_ATN], "NDC"))
        return true;
    if (!rrf_code(&field[SAT_RXCUI], &code, err)) return false;
    if (!ndc_read(&field[SAT_ATV], &package.ndc) || !find(graph, code, &package.of)) return true;
    if (graph->package_count == RXNORM_PACKAGES_MAX)
        return too_many(RXNORM_PACKAGES_MAX, "packages", err);
    graph->packages = make_room(graph->packages, graph->package_count, &graph->package_room,
                                sizeof *graph->packages);
    graph->packages[graph->package_count++] = package;
    return true;
}

static int by_ndc(const void *a, const void *b)
{
    const struct rxnorm_package *one = a, *other = b;

    if (one->ndc != other->ndc) return one->ndc < other->ndc ? -1 : 1;
    return (one->of > other->of) - (one->of < other->of);
}

void rxnorm_packages_done(struct rxnorm_graph *graph)
{
    size_t kept = 0;

    if (!graph->package_count) return;
    qsort(graph->packages, graph->package_count, sizeof *graph->packages, by_ndc);
    for (size_t i = 0; i < graph->package_count; i++)
        if (!i || by_ndc(&graph->packages[i], &graph->packages[kept - 1]) != 0)
            graph->packages[kept++] = graph->packages[i];
    graph->package_count = kept;
}

const char *rxnorm_type_name(enum rxnorm_type type)
{
    return types[type];
}

void rxnorm_graph_done(struct rxnorm_graph *graph)
{
    free(graph->concepts);
    free(graph->links);
    free(graph->packages);
    arena_done(&graph->arena);
    *graph = (struct rxnorm_graph){ 0 };
}
