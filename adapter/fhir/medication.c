#include "fhir/medication.h"

#include <string.h>

#include "fhir/amount.h"
#include "fhir/datatype.h"
#include "fhir/reference.h"

#define DEPTH_MAX   4   /* Medications that are ingredients of Medications */
#define ENTRIES_MAX 200 /* of all ingredient lists of one order: they may refer to each other */

struct reader {
    const struct node *order; /* holds what is contained */
    const struct knowledge *knowledge;
    const struct resource_library *library;
    struct arena *arena;
    struct medication *ret;
    unsigned entries; /* of ingredient lists read so far */
    bool ours;        /* something that no code tells may be a drug of ours by its name */
};

/* ---- codes */

/* The first coding that is known, products (which have a strength) before ingredients. NULL display
 * and 0 when none is. */
static size_t best_coding(const struct reader *reader, const struct node *concept,
                          const struct drug_code **ret, const char **ret_display)
{
    size_t count = datatype_coding_count(concept), best = 0;

    for (size_t i = 0; i < count; i++) {
        struct datatype_coding coding = datatype_coding_at(concept, i);
        const struct drug_code *drugs;
        size_t n = knowledge_drug(reader->knowledge, coding.system, coding.code, &drugs);
        if (n == 0 || (best > 0 && !drugs[0].product)) continue;
        best = n;
        *ret = drugs;
        *ret_display = coding.display;
        if (drugs[0].product) break;
    }
    return best;
}

/* ---- names */

static enum drug_text either(enum drug_text a, enum drug_text b)
{
    return a > b ? a : b; /* nothing, another drug, perhaps one of ours */
}

static enum drug_text text_said(const struct reader *reader, const char *text)
{
    return text ? knowledge_drug_text(reader->knowledge, text) : DRUG_TEXT_NOTHING;
}

/* What the text and the displays say of the drug. */
static enum drug_text names_said(const struct reader *reader, const struct node *concept)
{
    enum drug_text said = text_said(reader, node_text(concept, "text"));
    size_t count = datatype_coding_count(concept);

    for (size_t i = 0; i < count && said != DRUG_TEXT_OURS; i++)
        said = either(said, text_said(reader, datatype_coding_at(concept, i).display));
    return said;
}

/* ---- ingredients */

/* One more ingredient. The same one twice (two salts, a pack) is one; of strengths that differ,
 * none holds. */
static void add(struct reader *reader, const struct medication_ingredient *ingredient)
{
    struct medication *ret = reader->ret;

    for (size_t i = 0; i < ret->count; i++) {
        struct medication_ingredient *old = &ret->items[i];
        if (old->concept != ingredient->concept) continue;
        if (!old->has_strength || !ingredient->has_strength ||
            decimal_compare(old->strength, ingredient->strength) != 0 ||
            strcmp(old->strength_unit, ingredient->strength_unit) != 0)
            old->has_strength = false;
        return;
    }
    if (ret->count < MEDICATION_INGREDIENTS_MAX)
        ret->items[ret->count++] = *ingredient;
    else
        ret->doubt = "the drug has more ingredients than can be held";
}

static struct medication_ingredient from_code(const struct drug_code *code)
{
    return (struct medication_ingredient){
        .concept = code->concept,
        .use = code->use,
        .route = code->route,
        .has_strength = code->product && code->has_strength,
        .strength = code->strength,
        .strength_unit = code->strength_unit ? code->strength_unit : "",
    };
}

/* Add what the concept stands for. False when nothing is known of it. */
static bool add_concept(struct reader *reader, const struct node *concept)
{
    const struct drug_code *drugs = NULL;
    const char *display = "";
    size_t count = best_coding(reader, concept, &drugs, &display);

    for (size_t i = 0; i < count; i++) {
        struct medication_ingredient ingredient = from_code(&drugs[i]);
        add(reader, &ingredient);
    }
    if (!*reader->ret->label)
        reader->ret->label = *display ? datatype_keep(reader->arena, display, DATATYPE_WORDS_MAX)
                                      : datatype_words(concept, reader->arena);
    if (!count) reader->ours |= names_said(reader, concept) == DRUG_TEXT_OURS;
    return count > 0;
}

/* ---- references */

/* The contained resource of that id. Some senders write "#x" as the id as well. */
static const struct doc_value *contained(const struct node *order, const char *id)
{
    struct node list = node_get(order, "contained");
    size_t count = datatype_count(&list);

    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i);
        const char *own = node_text(&item, "id");
        if (own && strcmp(own[0] == '#' ? own + 1 : own, id) == 0) return item.value;
    }
    return NULL;
}

static const struct doc_value *resolve(const struct reader *reader, const struct node *at,
                                       const char *type)
{
    const struct resource_library *library = reader->library;
    const char *text = node_text(at, "reference");
    struct reference reference;

    if (!text || !reference_parse(text, &reference)) return NULL;
    if (reference.contained) return contained(reader->order, reference.id);
    if (!library || !library->find) return NULL;
    return library->find(library->arg, *reference.type ? reference.type : type, reference.id);
}

/* ---- Medication */

static bool add_medication(struct reader *reader, const struct node *at, unsigned depth);

/* Remember the first drug that is not known; one with a code says more than one without. */
static void unmapped(struct reader *reader, const struct node *concept)
{
    if (!reader->ret->unmapped) reader->ret->unmapped = datatype_unmapped(concept, reader->arena);
}

/* A quantity alone (R5) is what one unit of the product holds. */
static bool strength_of_unit(const struct node *at, struct decimal *ret, const char **ret_unit)
{
    struct datatype_quantity quantity = datatype_quantity(at);
    const struct amount_unit *of = amount_quantity(&quantity, ret);

    *ret_unit = "MG";
    return of && of->kind == AMOUNT_MASS && decimal_compare(*ret, DECIMAL_ZERO) > 0;
}

/* The ratio of an ingredient as a strength: milligrams in one unit or one millilitre. */
static bool strength_of(const struct node *at, struct decimal *ret, const char **ret_unit)
{
    struct node alone = node_get(at, "strengthQuantity");
    struct node r4 = node_get(at, "strength"), r5 = node_get(at, "strengthRatio");
    const struct node *ratio = r5.value ? &r5 : &r4;
    struct node above = node_get(ratio, "numerator"), below = node_get(ratio, "denominator");
    struct datatype_quantity top = datatype_quantity(&above), bottom = datatype_quantity(&below);
    struct decimal mass, size;
    const struct amount_unit *of = amount_quantity(&top, &mass);
    const struct amount_unit *in = amount_quantity(&bottom, &size);

    if (alone.value) return strength_of_unit(&alone, ret, ret_unit);
    if (!of || !in || of->kind != AMOUNT_MASS) return false;
    if (in->kind != AMOUNT_COUNT && in->kind != AMOUNT_VOLUME) return false;
    if (decimal_compare(mass, DECIMAL_ZERO) <= 0) return false;
    if (decimal_compare(size, DECIMAL_ZERO) <= 0) return false;
    *ret = decimal_divide(mass, size);
    *ret_unit = in->kind == AMOUNT_COUNT ? "MG" : "MG/ML";
    return true;
}

/* Put the strength on the ingredients that an entry of Medication.ingredient added. */
static void set_strength(struct reader *reader, const struct node *at, size_t from)
{
    struct medication_ingredient *first = &reader->ret->items[from];

    if (reader->ret->count != from + 1 || first->has_strength) return;
    first->has_strength = strength_of(at, &first->strength, &first->strength_unit);
}

static void add_ingredient(struct reader *reader, const struct node *at, unsigned depth)
{
    struct node item = node_get(at, "item"), concept = node_get(at, "itemCodeableConcept");
    struct node reference = node_get(at, "itemReference");
    struct node r5_concept = node_get(&item, "concept"),
                r5_reference = node_get(&item, "reference");
    size_t before = reader->ret->count;

    if (reader->entries++ >= ENTRIES_MAX) {
        reader->ret->doubt = "the drug has more ingredients than can be read";
        return;
    }
    if (r5_concept.value) concept = r5_concept;
    if (r5_reference.value) reference = r5_reference;
    if (!concept.value || !add_concept(reader, &concept)) {
        const struct doc_value *value = resolve(reader, &reference, "Substance");
        struct node other = { .value = value, .offset = value ? value->offset : 0 };
        if (!value || depth == DEPTH_MAX || !add_medication(reader, &other, depth + 1))
            unmapped(reader, &concept);
    }
    set_strength(reader, at, before);
}

/* A Medication or a Substance. False when it brings nothing that is known; then unmapped says
 * what. */
static bool add_medication(struct reader *reader, const struct node *at, unsigned depth)
{
    struct node code = node_get(at, "code"), list = node_get(at, "ingredient");
    struct node nested = node_get(&code, "concept"); /* Substance in R5: a CodeableReference */
    size_t count = datatype_count(&list), before = reader->ret->count;
    const char *status = node_text(at, "status");

    if (status && strcmp(status, "entered-in-error") == 0)
        reader->ret->doubt = "the Medication it refers to is marked as entered in error";
    if (datatype_has(at, "modifierExtension"))
        reader->ret->doubt = "the Medication it refers to has a modifier that is not understood";
    if (add_concept(reader, nested.value ? &nested : &code)) {
        struct node only = datatype_item(&list, 0);
        if (count == 1) set_strength(reader, &only, before);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        struct node item = datatype_item(&list, i), active = node_get(&item, "isActive");
        if (!node_is(&active, DOC_FALSE)) add_ingredient(reader, &item, depth);
    }
    if (reader->ret->count == before) unmapped(reader, &code);
    return reader->ret->count > before;
}

/* ---- drugs without a code */

static bool has_code(const struct node *concept)
{
    for (size_t i = 0; i < datatype_coding_count(concept); i++)
        if (*datatype_coding_at(concept, i).code) return true;
    return false;
}

/* The drug that the text names, where no code tells. A code that no mapping knows is still told. */
static void add_named(struct reader *reader, const struct node *concept)
{
    const char *text = node_text(concept, "text");
    const struct drug_code *drugs;
    enum drug_use use;
    size_t count = text ? knowledge_drug_named(reader->knowledge, text, &drugs, &use) : 0;

    for (size_t i = 0; i < count; i++) {
        const struct medication_ingredient ingredient = { .concept = drugs[i].concept,
                                                          .use = use,
                                                          .strength_unit = "" };
        add(reader, &ingredient);
    }
    if (!count) return;
    reader->ret->by_name = true;
    if (!has_code(concept)) reader->ret->unmapped = NULL;
}

/* Do the names that the order and its Medication have say that it is a drug of none of ours? An order
 * without a name, or with a Medication that we do not have, may be any. */
static bool is_other(const struct reader *reader, const struct node *concept,
                     const struct node *code, const struct node *reference, bool resolved)
{
    if (reader->ret->count || reader->ret->doubt || reader->ours) return false;
    if (reference->value && !resolved) return false;
    if (text_said(reader, node_text(reference, "display")) == DRUG_TEXT_OURS) return false;
    return either(names_said(reader, concept), names_said(reader, code)) == DRUG_TEXT_OTHER;
}

/* ---- the order */

/* What an order has of its drug: codes, a Medication elsewhere, or both. */
struct shape {
    struct node r5; /* above the others there */
    struct node concept, reference;
};

static void shape_read(const struct node *order, struct shape *ret)
{
    ret->r5 = node_get(order, "medication");
    ret->concept = node_get(&ret->r5, "concept");
    ret->reference = node_get(&ret->r5, "reference");
    if (!ret->concept.value) ret->concept = node_get(order, "medicationCodeableConcept");
    if (!ret->reference.value) ret->reference = node_get(order, "medicationReference");
}

/* What no code tells may stand in a text. */
static void texts_read(struct reader *reader, const struct node *concept, const struct node *code)
{
    struct medication *ret = reader->ret;

    if (ret->count == 0 && concept->value) unmapped(reader, concept);
    if (ret->count == 0 && concept->value) add_named(reader, concept);
    if (ret->count == 0 && code->value) add_named(reader, code);
}

/* Nothing names a drug that we know: what is said instead? A Medication that we do not have. */
static void reference_tell(struct reader *reader, const struct node *reference)
{
    const char *target = node_text(reference, "reference"), *name = node_text(reference, "display");
    struct medication *ret = reader->ret;

    if (ret->count == 0 && !ret->unmapped)
        ret->unmapped =
            target ? datatype_keep(reader->arena, target, DATATYPE_WORDS_MAX) : "text only";
    if (!*ret->label)
        ret->label = datatype_keep(reader->arena, name ? name : "", DATATYPE_WORDS_MAX);
}

/* Whichever names a drug that is known: the code in the order, else the Medication; else their
 * texts. */
void medication_read(const struct node *order, const struct knowledge *knowledge,
                     const struct resource_library *library, struct arena *arena,
                     struct medication *ret)
{
    struct reader reader = { order, knowledge, library, arena, ret, 0, false };
    struct node other = { 0 }, code;
    struct shape said;

    *ret = (struct medication){ .label = "" };
    shape_read(order, &said);
    if (said.concept.value && add_concept(&reader, &said.concept)) return;
    other.value = resolve(&reader, &said.reference, "Medication");
    if (other.value) other.offset = other.value->offset;
    code = node_get(&other, "code");
    if (other.value) add_medication(&reader, &other, 0);
    texts_read(&reader, &said.concept, &code);
    ret->other = is_other(&reader, &said.concept, &code, &said.reference, other.value != NULL);
    reference_tell(&reader, &said.reference);
}
