#include "core/rxnorm_drugs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/table.h"

#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define NDC    "http://hl7.org/fhir/sid/ndc"

#define DEPTH_MAX 8 /* BPCK - SBD - SBDC - SCDC - PIN - IN, and room */
#define FORM_SIZE 200

struct meaning {
    struct rxnorm_drug drugs[RXNORM_DRUGS_MAX];
    bool differs[RXNORM_DRUGS_MAX]; /* it has two strengths */
    size_t count;
    size_t found; /* ingredients met, ours or not */
    bool partly;
};

struct resolver {
    const struct rxnorm_graph *graph;
    const struct knowledge *knowledge;
    uint32_t *met; /* owned; by concept: the walk that met it last */
    uint32_t walk;
    struct arena arena;
    struct table uses;    /* (drug, form) -> 1 << use: how our products of that form are used */
    struct table spelled; /* (0, form): every spelling once */
    struct table single;  /* (drug, ""): an IN or PIN of the release is that drug */
    uint32_t *wholes;     /* owned: MIN that are a drug of their own beside their ingredients */
    size_t whole_count;
    const struct rxnorm_concept *component; /* the SCDC that the walk goes through, or NULL */
    struct meaning meaning;                 /* of the last walk */
};

static size_t ours(const struct resolver *resolver, uint32_t code, const struct drug_code **ret)
{
    char text[16];

    snprintf(text, sizeof text, "%" PRIu32, code);
    return knowledge_drug(resolver->knowledge, RXNORM, text, ret);
}

/* ---- strengths */

/* "lenalidomide 10 MG": the last two words of a component's name. */
static void strength_read(const struct rxnorm_concept *component, struct rxnorm_drug *drug)
{
    const char *unit = component ? strrchr(component->name, ' ') : NULL, *number = unit;
    struct decimal value;
    char text[RXNORM_STRENGTH_MAX];

    if (!unit) return;
    while (number > component->name && number[-1] != ' ') number--;
    size_t len = (size_t)(unit - number);
    if (!len || len >= sizeof text || !unit[1]) return;
    memcpy(text, number, len);
    text[len] = '\0';
    if (!decimal_parse(text, &value) || value.digits <= 0) return;
    memcpy(drug->strength, text, len + 1);
    drug->unit = unit + 1;
}

static void drug_add(struct resolver *resolver, unsigned concept,
                     const struct rxnorm_concept *component)
{
    struct meaning *meaning = &resolver->meaning;
    struct rxnorm_drug drug = { .concept = concept, .unit = "", .form = "" };
    size_t i = 0;

    strength_read(component, &drug);
    while (i < meaning->count && meaning->drugs[i].concept != concept) i++;
    if (i == RXNORM_DRUGS_MAX) return;
    if (i == meaning->count) {
        meaning->drugs[meaning->count++] = drug;
    } else if (*drug.strength && !*meaning->drugs[i].strength) {
        meaning->drugs[i] = drug;
    } else if (*drug.strength && (strcmp(drug.strength, meaning->drugs[i].strength) != 0 ||
                                  strcmp(drug.unit, meaning->drugs[i].unit) != 0)) {
        meaning->differs[i] = true;
    }
}

/* ---- the walk */

static void visit(struct resolver *resolver, uint32_t at, unsigned depth);

/* Which links say what a code is made of: those of a later tier count where the earlier ones lead to no
 * ingredient. A component names its salt (PIN) better than its base (IN). */
static unsigned tier_of(enum rxnorm_type from, enum rxnorm_relation relation, enum rxnorm_type to)
{
    switch (relation) {
    case RXNORM_HAS_PRECISE_INGREDIENT:
        return from == RXNORM_SCDC ? 1 : 0;
    case RXNORM_FORM_OF:
        return from == RXNORM_PIN && to == RXNORM_IN ? 2 : 0;
    case RXNORM_HAS_INGREDIENT:
    case RXNORM_HAS_INGREDIENTS:
        return from == RXNORM_PIN ? 0 : to == RXNORM_BN ? 3 : 2;
    case RXNORM_HAS_PART:
    case RXNORM_TRADENAME_OF:
    case RXNORM_CONSISTS_OF:
    case RXNORM_CONTAINS:
        return from == RXNORM_PIN ? 0 : 2;
    case RXNORM_ISA:
        return from == RXNORM_PIN ? 0 : 3;
    case RXNORM_HAS_DOSE_FORM:
        break;
    }
    return 0;
}

static void follow(struct resolver *resolver, uint32_t at, unsigned depth)
{
    const struct rxnorm_concept *concepts = resolver->graph->concepts;
    size_t count, before = resolver->meaning.found;
    const struct rxnorm_link *links = rxnorm_links(resolver->graph, at, &count);

    for (unsigned tier = 1; tier <= 3 && resolver->meaning.found == before; tier++)
        for (size_t i = 0; i < count; i++)
            if (tier_of(concepts[at].type, links[i].relation, concepts[links[i].to].type) == tier)
                visit(resolver, links[i].to, depth + 1);
}

static bool is_ingredient(enum rxnorm_type type)
{
    return type == RXNORM_IN || type == RXNORM_PIN || type == RXNORM_MIN;
}

static void visit(struct resolver *resolver, uint32_t at, unsigned depth)
{
    const struct rxnorm_concept *concept = &resolver->graph->concepts[at];
    const struct rxnorm_concept *component = resolver->component;
    const struct drug_code *codes;
    size_t count = is_ingredient(concept->type) ? ours(resolver, concept->code, &codes) : 0;

    if (count || concept->type == RXNORM_IN) {
        resolver->meaning.found++;
        resolver->meaning.partly |= !count;
        for (size_t i = 0; i < count; i++)
            drug_add(resolver, codes[i].concept, count == 1 ? component : NULL);
        return;
    }
    if (depth == DEPTH_MAX) return;
    if (concept->type != RXNORM_PIN) { /* several components may have the same salt */
        if (resolver->met[at] == resolver->walk) return;
        resolver->met[at] = resolver->walk;
    }
    if (concept->type == RXNORM_SCDC) resolver->component = concept;
    follow(resolver, at, depth);
    resolver->component = component;
}

/* ---- combinations that are a drug of their own ("co-trimoxazole" beside its two ingredients) */

static bool is_whole(const struct resolver *resolver, unsigned drug)
{
    return !table_value(&resolver->single, drug, "");
}

static void wholes_learn(struct resolver *resolver)
{
    const struct rxnorm_graph *graph = resolver->graph;
    const struct drug_code *codes;
    bool whole;

    for (size_t i = 0; i < graph->concept_count; i++)
        if (graph->concepts[i].type <= RXNORM_PIN &&
            ours(resolver, graph->concepts[i].code, &codes))
            table_add(&resolver->single, &resolver->arena, codes[0].concept, "")->value = 1;
    resolver->wholes = mem_zero(graph->concept_count + 1, sizeof *resolver->wholes);
    for (uint32_t at = 0; at < graph->concept_count; at++) {
        if (graph->concepts[at].type != RXNORM_MIN) continue;
        size_t count = ours(resolver, graph->concepts[at].code, &codes);
        whole = false;
        for (size_t i = 0; i < count; i++) whole |= is_whole(resolver, codes[i].concept);
        if (whole) resolver->wholes[resolver->whole_count++] = at;
    }
}

static bool has(const struct meaning *meaning, unsigned concept)
{
    for (size_t i = 0; i < meaning->count; i++)
        if (meaning->drugs[i].concept == concept) return true;
    return false;
}

/* Bases that the release names as its parts: an ingredient whose code it has retired is no whole. */
static size_t part_count(const struct resolver *resolver, uint32_t at)
{
    size_t count, parts = 0;
    const struct rxnorm_link *links = rxnorm_links(resolver->graph, at, &count);

    for (size_t i = 0; i < count; i++)
        parts += links[i].relation == RXNORM_HAS_PART &&
                 resolver->graph->concepts[links[i].to].type == RXNORM_IN;
    return parts;
}

/* A product of just those ingredients is that drug too, whether or not the release links it so. */
static void whole_add(struct resolver *resolver, uint32_t at)
{
    const struct drug_code *codes;
    size_t count = ours(resolver, resolver->graph->concepts[at].code, &codes), single = 0;
    bool all = true;

    for (size_t i = 0; i < count; i++) {
        if (is_whole(resolver, codes[i].concept)) continue;
        all &= has(&resolver->meaning, codes[i].concept);
        single++;
    }
    if (!all || single < 2 || single != resolver->meaning.count) return;
    if (part_count(resolver, at) != single) return;
    for (size_t i = 0; i < count; i++) drug_add(resolver, codes[i].concept, NULL);
}

static void wholes_add(struct resolver *resolver)
{
    for (size_t i = 0; i < resolver->whole_count; i++) whole_add(resolver, resolver->wholes[i]);
}

static bool is_pack(enum rxnorm_type type)
{
    return type == RXNORM_GPCK || type == RXNORM_BPCK;
}

static void resolve(struct resolver *resolver, uint32_t at)
{
    struct meaning *meaning = &resolver->meaning;
    bool pack = is_pack(resolver->graph->concepts[at].type);

    meaning->count = meaning->found = 0;
    meaning->partly = false;
    memset(meaning->differs, 0, sizeof meaning->differs);
    resolver->walk++;
    resolver->component = NULL;
    visit(resolver, at, 0);
    if (!meaning->partly) wholes_add(resolver);
    for (size_t i = 0; i < meaning->count; i++) {
        if (!pack && !meaning->differs[i]) continue;
        meaning->drugs[i].strength[0] = '\0';
        meaning->drugs[i].unit = "";
    }
}

/* ---- dose forms
 *
 * Where a form alone does not tell whether a drug acts in the body ("Topical Gel", of testosterone),
 * our tables have a second spelling of it. Which one a new product has is learned from the products of
 * that drug and form that are in our tables; where they do not tell, it has no form: systemic. */

static const char *form_of(const struct resolver *resolver, uint32_t at)
{
    size_t count;
    const struct rxnorm_link *links = rxnorm_links(resolver->graph, at, &count);
    const char *form = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct rxnorm_concept *to = &resolver->graph->concepts[links[i].to];
        if (links[i].relation != RXNORM_HAS_DOSE_FORM || to->type != RXNORM_DF) continue;
        if (form && strcmp(form, to->name) != 0) return NULL;
        form = to->name;
    }
    return form;
}

static void uses_learn(struct resolver *resolver)
{
    for (uint32_t at = 0; at < resolver->graph->concept_count; at++) {
        const char *form = form_of(resolver, at);
        const struct drug_code *codes;
        size_t count = form ? ours(resolver, resolver->graph->concepts[at].code, &codes) : 0;
        for (size_t i = 0; i < count; i++)
            table_add(&resolver->uses, &resolver->arena, codes[i].concept, form)->value |=
                1u << codes[i].use;
    }
}

static const char *form_spelled(struct resolver *resolver, unsigned drug, const char *form)
{
    static const char *const suffixes[] = { "", " (systemic)", " (local)" };
    const char *found[2] = { NULL, NULL }; /* by use */
    uint32_t uses = table_value(&resolver->uses, drug, form);
    char spelled[FORM_SIZE];
    enum drug_use use;

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        int len = snprintf(spelled, sizeof spelled, "%s%s", form, suffixes[i]);
        if (len >= FORM_SIZE || !knowledge_dose_form(resolver->knowledge, spelled, &use)) continue;
        if (!found[use])
            found[use] = table_add(&resolver->spelled, &resolver->arena, 0, spelled)->text;
    }
    if (!found[USE_SYSTEMIC] || !found[USE_LOCAL])
        return found[USE_SYSTEMIC] ? found[USE_SYSTEMIC] : found[USE_LOCAL] ? found[USE_LOCAL] : "";
    return uses == 1u << USE_SYSTEMIC ? found[USE_SYSTEMIC]
           : uses == 1u << USE_LOCAL  ? found[USE_LOCAL]
                                      : "";
}

static void forms_set(struct resolver *resolver, uint32_t at)
{
    struct meaning *meaning = &resolver->meaning;
    const char *form = meaning->count ? form_of(resolver, at) : NULL;

    for (size_t i = 0; form && i < meaning->count; i++)
        meaning->drugs[i].form = form_spelled(resolver, meaning->drugs[i].concept, form);
}

/* ---- verdicts */

static enum rxnorm_verdict compare(const struct meaning *meaning, const struct drug_code *codes,
                                   size_t count)
{
    if (!count) return meaning->count ? RXNORM_NEW : RXNORM_FOREIGN;
    bool same = count == meaning->count;
    for (size_t i = 0; i < count; i++) same &= has(meaning, codes[i].concept);
    return same ? RXNORM_KNOWN : RXNORM_DIFFERENT;
}

static bool comes_before(const struct knowledge *knowledge, const struct rxnorm_drug *one,
                         const struct rxnorm_drug *other)
{
    if (!*one->strength != !*other->strength) return *one->strength != '\0';
    return strcmp(concept_name(knowledge, one->concept), concept_name(knowledge, other->concept)) <
           0;
}

/* Who looks at the first drug alone then sees a strength, where there is one. */
static void drugs_sort(struct meaning *meaning, const struct knowledge *knowledge)
{
    struct rxnorm_drug *drugs = meaning->drugs;

    for (size_t i = 1; i < meaning->count; i++) {
        struct rxnorm_drug drug = drugs[i];
        size_t to = i;
        for (; to && comes_before(knowledge, &drug, &drugs[to - 1]); to--)
            drugs[to] = drugs[to - 1];
        drugs[to] = drug;
    }
}

static void tell(struct resolver *resolver, uint32_t at, const char *system, const char *code,
                 bool ambiguous, rxnorm_code_fn *fn, void *arg)
{
    const struct rxnorm_concept *concept = &resolver->graph->concepts[at];
    struct rxnorm_code said = { .code = code, .type = concept->type, .name = concept->name };
    bool package = strcmp(system, NDC) == 0;

    said.system = package ? "ndc" : "rxnorm";
    said.our_count = knowledge_drug(resolver->knowledge, system, code, &said.ours);
    said.drugs = resolver->meaning.drugs;
    said.drug_count = resolver->meaning.count;
    said.partly = resolver->meaning.partly;
    said.verdict =
        ambiguous ? RXNORM_AMBIGUOUS : compare(&resolver->meaning, said.ours, said.our_count);
    fn(&said, arg);
}

static void resolve_all(struct resolver *resolver, uint32_t at)
{
    resolve(resolver, at);
    forms_set(resolver, at);
    drugs_sort(&resolver->meaning, resolver->knowledge);
}

static bool same_drugs(const struct meaning *meaning, const unsigned *concepts, size_t count)
{
    bool same = count == meaning->count;

    for (size_t i = 0; i < count; i++) same &= has(meaning, concepts[i]);
    return same;
}

/* Do the products that have this NDC contain the same drugs? resolver->meaning is that of the first. */
static bool agree(struct resolver *resolver, const struct rxnorm_package *packages, size_t count)
{
    const struct meaning *meaning = &resolver->meaning;
    unsigned first[RXNORM_DRUGS_MAX];
    bool same = true;
    size_t n = 0;

    resolve(resolver, packages[0].of);
    for (; n < meaning->count; n++) first[n] = meaning->drugs[n].concept;
    for (size_t i = 1; i < count && same; i++) {
        resolve(resolver, packages[i].of);
        same = same_drugs(meaning, first, n);
    }
    return same;
}

static void packages_tell(struct resolver *resolver, rxnorm_code_fn *fn, void *arg)
{
    const struct rxnorm_graph *graph = resolver->graph;
    char code[24];

    for (size_t i = 0, end; i < graph->package_count; i = end) {
        const struct rxnorm_package *first = &graph->packages[i];
        for (end = i + 1; end < graph->package_count && graph->packages[end].ndc == first->ndc;)
            end++;
        bool good = agree(resolver, first, end - i);
        resolve_all(resolver, first->of);
        snprintf(code, sizeof code, "%011" PRIu64, first->ndc);
        tell(resolver, first->of, NDC, code, !good, fn, arg);
    }
}

void rxnorm_codes(const struct rxnorm_graph *graph, const struct knowledge *knowledge,
                  rxnorm_code_fn *fn, void *arg)
{
    struct resolver resolver = { .graph = graph, .knowledge = knowledge };
    char code[16];

    resolver.met = mem_zero(graph->concept_count + 1, sizeof *resolver.met);
    wholes_learn(&resolver);
    uses_learn(&resolver);
    for (uint32_t at = 0; at < graph->concept_count; at++) {
        if (graph->concepts[at].type == RXNORM_DF) continue;
        resolve_all(&resolver, at);
        snprintf(code, sizeof code, "%" PRIu32, graph->concepts[at].code);
        tell(&resolver, at, RXNORM, code, false, fn, arg);
    }
    packages_tell(&resolver, fn, arg);
    free(resolver.met);
    free(resolver.wholes);
    table_done(&resolver.single);
    table_done(&resolver.uses);
    table_done(&resolver.spelled);
    arena_done(&resolver.arena);
}
