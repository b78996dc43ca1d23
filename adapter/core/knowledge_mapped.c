/* Concepts without a code of ours: a site maps them, and until then nothing is known of them. */
#include "core/derive.h"
#include "core/knowledge_impl.h"

bool concept_is_mapped(const struct knowledge *knowledge, unsigned concept)
{
    return knowledge->concepts[concept].mapped;
}

/* concept, name, note: a condition that rules name and no verified code says. */
void row_uncoded_condition(struct knowledge_reader *reader, const char *const *field)
{
    struct knowledge *knowledge = reader->knowledge;

    if (!reader_name(reader, 0, field[0])) return;
    if (knowledge_concept(knowledge, CONCEPT_CONDITION, field[0])) {
        reader_problem(reader, 0, "knowledge.twice", "remove this line",
                       "\"%.80s\" has codes, or stands there already", field[0]);
        return;
    }
    unsigned concept =
        knowledge_add_concept(knowledge, CONCEPT_CONDITION, field[0], *field[1] ? field[1] : NULL);
    reader_claim(reader, &knowledge->names, CONCEPT_CONDITION, field[0], concept, 0);
}

static void mark_links(struct knowledge *knowledge)
{
    for (size_t i = 1; i < knowledge->link_count; i++)
        knowledge->concepts[knowledge->links[i].concept].mapped = true;
}

void concepts_mark_mapped(struct knowledge *knowledge)
{
    const struct table *analytes = &knowledge->analytes;

    for (size_t i = 0; i < analytes->room; i++)
        if (analytes->entries[i].text)
            knowledge->concepts[analytes->entries[i].value].mapped = true;
    mark_links(knowledge);
    for (unsigned i = 1; i < knowledge->concept_count; i++)
        if (knowledge->concepts[i].kind == CONCEPT_ANALYTE && derive_has_source(knowledge, i))
            knowledge->concepts[i].mapped = true;
}
