/* What a finding is about: the drugs that the naming order clauses of a rule are bound to. */
#include <string.h>

#include "core/eval_impl.h"

void candidates_of_chart(struct eval *eval, const struct order_clause *const *naming, int count,
                         struct candidates *ret)
{
    bool hopeless = false; /* a clause has no drug, and will have none by itself */

    ret->next_ms = INSTANT_NEVER;
    for (int i = 0; i < count; i++) {
        int64_t next;
        ret->count[i] = order_candidates(eval, naming[i], &ret->drugs[i], &next);
        if (next < ret->next_ms) ret->next_ms = next;
        hopeless |= !ret->count[i] && next == INSTANT_NEVER && !eval->index.unmapped_count;
    }
    if (hopeless) ret->next_ms = INSTANT_NEVER;
}

/* ---- from an identity */

static void ascending_add(unsigned *drugs, size_t *count, unsigned drug)
{
    size_t at = *count;

    for (; at > 0 && drugs[at - 1] > drug; at--) drugs[at] = drugs[at - 1];
    drugs[at] = drug;
    ++*count;
}

/* The drug that the first of the subjects names; moves on behind it. */
static unsigned subject_next(const struct knowledge *knowledge, const char **subjects)
{
    char name[128];
    size_t n = strcspn(*subjects, ","), end = n < sizeof name ? n : 0;

    memcpy(name, *subjects, end);
    name[end] = '\0';
    *subjects += n + ((*subjects)[n] == ',');
    return knowledge_concept(knowledge, CONCEPT_DRUG, name);
}

void candidates_of_subjects(struct eval *eval, const struct rule *rule, const char *subjects,
                            struct candidates *ret)
{
    for (int i = 0; i < rule->bindings; i++) {
        unsigned *drugs = arena_alloc(eval->arena, (strlen(subjects) + 1) * sizeof *drugs);
        size_t count = 0;
        for (const char *at = subjects; *at;) {
            unsigned drug = subject_next(eval->knowledge, &at);
            if (concept_set_has(&rule->naming[i]->drugs, drug)) ascending_add(drugs, &count, drug);
        }
        ret->drugs[i] = drugs;
        ret->count[i] = count;
    }
}

/* ---- to an identity */

/* The names of the drugs bound, in their own order: numbers differ from one generation to the next. */
static size_t names_bound(const struct eval *eval, const struct rule *rule,
                          const char *ret[BINDING_MAX])
{
    size_t count = 0;

    for (int i = 0; i < rule->bindings; i++) {
        const char *name;
        size_t at = count;
        if (eval->bound[i] == CONCEPT_NONE || eval->bound[i] == CONCEPT_NOBODY) continue;
        name = concept_name(eval->knowledge, eval->bound[i]);
        for (; at > 0 && strcmp(ret[at - 1], name) > 0; at--) ret[at] = ret[at - 1];
        ret[at] = name;
        count++;
    }
    return count;
}

static char *put(char *at, const char *text)
{
    size_t n = strlen(text);

    memcpy(at, text, n);
    return at + n;
}

const char *identity_of(struct eval *eval, const struct rule *rule)
{
    const char *names[BINDING_MAX] = { "" };
    size_t count = names_bound(eval, rule, names), size = strlen(eval->chart->patient) + 3;
    char *identity, *at;

    size += strlen(rule->id);
    for (size_t i = 0; i < count; i++) size += strlen(names[i]) + 1;
    identity = at = arena_alloc(eval->arena, size);
    at = put(at, eval->chart->patient);
    *at++ = '|';
    at = put(at, rule->id);
    *at++ = '|';
    for (size_t i = 0; i < count; i++) {
        if (i) *at++ = ',';
        at = put(at, names[i]);
    }
    *at = '\0';
    return identity;
}
