/* What the generation itself decides: concepts that no code can become, and the profile. */
#include "core/eval_impl.h"

bool is_mapped(const struct eval *eval, unsigned concept)
{
    return eval->unmapped ? !concept_set_has(eval->unmapped, concept)
                          : concept_is_mapped(eval->knowledge, concept);
}

bool any_is_mapped(const struct eval *eval, const struct concept_set *concepts)
{
    for (size_t i = 0; i < concepts->count; i++)
        if (is_mapped(eval, concepts->items[i])) return true;
    return false;
}

struct answer no_code_answer(struct eval *eval, const char *words, struct trace *t)
{
    trace_say(eval, t, "%sNo code maps to %s; add one to a local map.", t && t->text[0] ? " " : "",
              words);
    trace_change(eval, t, "a code for %s in a local map", words);
    return answer_unknown(DOUBT_UNMAPPED);
}

struct answer profile_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    trace_say(eval, t, "The labels of this profile count: %s (the rule asks: %s).",
              profile_name(eval->profile), profile_name(clause->profile));
    trace_change(eval, t, "the profile of the site");
    return eval->profile == clause->profile ? ANSWER_TRUE : ANSWER_FALSE;
}
