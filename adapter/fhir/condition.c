#include "fhir/condition.h"

#include <string.h>

#include "fhir/datatype.h"

struct state_word {
    const char *code;
    enum condition_state state;
};

/* The state of the first word that is among the codings; without when there is nothing at all,
 * UNCONFIRMED for what is not known. */
static enum condition_state look_up(const struct node *at, const char *key,
                                    const struct state_word *words, enum condition_state without)
{
    struct node concept = node_get(at, key);

    for (; words->code; words++)
        if (datatype_has_code(&concept, words->code)) return words->state;
    return datatype_has(at, key) ? CONDITION_UNCONFIRMED : without;
}

/* A missing clinicalStatus counts as active: what is on the list and not ended is there. */
static enum condition_state condition_state(const struct node *at)
{
    static const struct state_word clinical[] = {
        { "active", CONDITION_ACTIVE },  { "recurrence", CONDITION_ACTIVE },
        { "relapse", CONDITION_ACTIVE }, { "inactive", CONDITION_PAST },
        { "remission", CONDITION_PAST }, { "resolved", CONDITION_PAST },
        { NULL, CONDITION_ACTIVE },
    };
    static const struct state_word verification[] = {
        { "refuted", CONDITION_REMOVED },
        { "entered-in-error", CONDITION_REMOVED },
        { "unconfirmed", CONDITION_UNCONFIRMED },
        { "provisional", CONDITION_UNCONFIRMED },
        { "differential", CONDITION_UNCONFIRMED },
        { "confirmed", CONDITION_ACTIVE },
        { NULL, CONDITION_ACTIVE },
    };
    enum condition_state verified =
        look_up(at, "verificationStatus", verification, CONDITION_ACTIVE);

    if (verified != CONDITION_ACTIVE) return verified;
    if (datatype_has(at, "modifierExtension")) return CONDITION_UNCONFIRMED;
    return look_up(at, "clinicalStatus", clinical, CONDITION_ACTIVE);
}

/* A procedure that was stopped half-way, or whose status is not known, may count or not. */
static enum condition_state procedure_state(const struct node *at)
{
    static const struct state_word words[] = {
        { "completed", CONDITION_ACTIVE }, { "in-progress", CONDITION_ACTIVE },
        { "not-done", CONDITION_REMOVED }, { "entered-in-error", CONDITION_REMOVED },
        { NULL, CONDITION_ACTIVE },
    };
    enum condition_state state = look_up(at, "status", words, CONDITION_UNCONFIRMED);

    if (datatype_maybe_true(at, "notDone")) return CONDITION_REMOVED; /* STU3 */
    if (state == CONDITION_ACTIVE && datatype_has(at, "modifierExtension"))
        return CONDITION_UNCONFIRMED;
    return state;
}

/* The first of these that has a start: a dateTime, or a Period. */
static int64_t start_of(const struct node *at, const char *const *dates, const char *const *periods)
{
    int64_t ms = INSTANT_UNSET;

    for (; ms == INSTANT_UNSET && *dates; dates++) ms = datatype_start(at, *dates, ms);
    for (; ms == INSTANT_UNSET && *periods; periods++) {
        struct node period = node_get(at, *periods);
        ms = datatype_start(&period, "start", ms);
    }
    return ms;
}

/* What people call it; else our words for it; else its code. "" when there is nothing at all. */
static const char *label_of(const struct node *code, const struct apply *apply,
                            const struct chart_condition *condition)
{
    struct arena *arena = &apply->chart->arena;
    const char *words = datatype_words(code, arena);

    if (*words) return words;
    if (condition->concept_count)
        return datatype_keep(arena, concept_words(apply->knowledge, condition->concepts[0]),
                             DATATYPE_WORDS_MAX);
    return condition->uncoded ? "" : datatype_unmapped(code, arena);
}

static void add(const struct node *at, const struct apply *apply, struct chart_condition *condition)
{
    struct node code = node_get(at, "code");
    struct concept_set concepts = { 0 };

    condition->source = apply->source;
    condition->uncoded = datatype_code(&code) == NULL;
    apply_conditions(apply, &code, &concepts);
    condition->concepts = apply_keep_set(apply, &concepts, &condition->concept_count);
    condition->label = label_of(&code, apply, condition);
    chart_add_condition(apply->chart, condition);
}

bool condition_apply(const struct node *at, const struct apply *apply, struct err *err)
{
    static const char *const dates[] = { "onsetDateTime", NULL };
    static const char *const periods[] = { "onsetPeriod", NULL };
    struct node abatement = node_get(at, "abatementPeriod");
    struct chart_condition condition = {
        .state = condition_state(at),
        .start_ms = start_of(at, dates, periods),
        .end_ms = datatype_end(&abatement, "end", INSTANT_NEVER),
    };

    (void)err;
    condition.end_ms = datatype_end(at, "abatementDateTime", condition.end_ms);
    add(at, apply, &condition);
    return true;
}

/* What was done stays done: a procedure has a start and no end. */
bool condition_apply_procedure(const struct node *at, const struct apply *apply, struct err *err)
{
    static const char *const dates[] = { "performedDateTime", "occurrenceDateTime", NULL };
    static const char *const periods[] = { "performedPeriod", "occurrencePeriod", NULL };
    struct chart_condition condition = {
        .procedure = true,
        .state = procedure_state(at),
        .start_ms = start_of(at, dates, periods),
        .end_ms = INSTANT_NEVER,
    };

    (void)err;
    add(at, apply, &condition);
    return true;
}
