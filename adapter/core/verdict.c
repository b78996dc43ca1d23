/* From a verdict with its trace to the alert that a clinician reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/eval_impl.h"

static const char *keep(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

/* ---- lists without twins, in the order of adding */

struct list {
    struct arena *arena;
    const char **items;
    size_t count, room;
};

static void list_add(struct list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0) return;
    if (list->count == list->room) {
        const char **more;
        list->room = list->room ? list->room * 2 : 8;
        more = arena_alloc(list->arena, list->room * sizeof *more);
        if (list->count) memcpy(more, list->items, list->count * sizeof *more);
        list->items = more;
    }
    list->items[list->count++] = keep(list->arena, text);
}

/* ---- what the trace says */

struct story {
    struct buf facts;        /* owned: sentences */
    struct list evidence, assumptions;
    const struct source *orders[64];
    bool named[64];          /* by a clause that names a subject */
    size_t order_count;
};

static void story_order(struct story *story, const struct source *source, bool named)
{
    for (size_t i = 0; i < story->order_count; i++)
        if (story->orders[i] == source) {
            story->named[i] |= named;
            return;
        }
    if (story->order_count == ARRAY_SIZE(story->orders)) return;
    story->named[story->order_count] = named;
    story->orders[story->order_count++] = source;
}

static void story_facts(struct story *story, const struct trace *t)
{
    bool named = t->clause->kind == CLAUSE_ORDER && !t->clause->order.absent &&
                 (t->clause->order.binding != BINDING_NONE || t->clause->order.at_least > 1);

    for (size_t i = 0; i < t->fact_count; i++) {
        const struct source *source = t->facts[i].source;
        char reference[128];
        if (t->facts[i].role == TRACE_ORDER) {
            story_order(story, source, named);
            continue;
        }
        snprintf(reference, sizeof reference, "%s/%s", source->type, source->id);
        list_add(&story->evidence, reference);
    }
}

static void story_text(struct story *story, const char *text)
{
    if (!text[0]) return;
    if (story->facts.len) buf_char(&story->facts, ' ');
    if (text[0] >= 'a' && text[0] <= 'z') {
        buf_char(&story->facts, (char)(text[0] - 'a' + 'A'));
        text++;
    }
    buf_text(&story->facts, text);
}

/* What made the rule true. Below "unless" only the assumption counts; below "not" a clause speaks by
 * being false. */
static void story_collect(struct story *story, const struct trace *t, enum truth wanted)
{
    if (t->answer.truth != wanted) return;
    if (t->assumption[0]) list_add(&story->assumptions, t->assumption);
    if (t->clause->kind == CLAUSE_UNLESS) return;
    story_text(story, t->text);
    if (wanted == TRUTH_TRUE) story_facts(story, t);
    if (t->clause->kind == CLAUSE_NOT) wanted = truth_not(wanted);
    for (size_t i = 0; i < t->part_count; i++) story_collect(story, &t->parts[i], wanted);
}

/* ---- the order of orders */

static const struct chart_order *order_of(const struct chart *chart, const struct source *source)
{
    for (size_t i = 0; i < chart->order_count; i++)
        if (&chart->orders[i].source == source) return &chart->orders[i];
    return NULL;
}

/* Named ones first; among them the newest, which is what triggered; ids settle the rest. */
static bool order_before(const struct chart *chart, const struct story *story, size_t a, size_t b)
{
    const struct chart_order *one = order_of(chart, story->orders[a]);
    const struct chart_order *other = order_of(chart, story->orders[b]);

    if (story->named[a] != story->named[b]) return story->named[a];
    if (one && other && one->authored_ms != other->authored_ms)
        return one->authored_ms > other->authored_ms;
    return strcmp(story->orders[a]->id, story->orders[b]->id) < 0;
}

static void implicate(const struct chart *chart, const struct story *story, struct list *list)
{
    bool used[ARRAY_SIZE(story->orders)] = { false };

    for (size_t n = 0; n < story->order_count; n++) {
        size_t best = SIZE_MAX;
        char reference[128];
        for (size_t i = 0; i < story->order_count; i++)
            if (!used[i] && (best == SIZE_MAX || order_before(chart, story, i, best))) best = i;
        used[best] = true;
        snprintf(reference, sizeof reference, "%s/%s", story->orders[best]->type,
                 story->orders[best]->id);
        list_add(list, reference);
    }
}

/* ---- sentences */

static void sentence(struct buf *out, const char *lead, const char *text)
{
    size_t n = strlen(text);

    if (!n) return;
    if (out->len) buf_char(out, ' ');
    buf_text(out, lead);
    buf_text(out, text);
    if (!strchr(".!?", text[n - 1])) buf_char(out, '.');
}

static const char *grade_words(const struct rule *rule)
{
    if (strcmp(rule->grade, "verified") == 0)
        return "The rule was checked against retrieved source text.";
    if (strcmp(rule->grade, "from-knowledge") == 0)
        return "The rule is written from knowledge of the source; its text was not retrieved.";
    return "The rule is uncertain and awaits a reviewer.";
}

static void sources_add(const struct rule *rule, struct list *list)
{
    for (size_t i = 0; i < rule->source_count; i++) {
        AUTO(buf_done) struct buf text = { 0 };
        buf_text(&text, rule->sources[i].document);
        if (rule->sources[i].section[0]) buf_printf(&text, ", %s", rule->sources[i].section);
        list_add(list, buf_string(&text));
    }
}

static const char *detail_of(const struct rule *rule, const struct story *story,
                             const struct list *sources, struct arena *arena)
{
    AUTO(buf_done) struct buf out = { 0 };

    sentence(&out, "", rule->title);
    sentence(&out, "", buf_string(&story->facts));
    sentence(&out, "What the source directs: ", rule->recommendation);
    sentence(&out, "Why: ", rule->mechanism);
    for (size_t i = 0; i < story->assumptions.count; i++)
        sentence(&out, i ? "" : "How sure: ", story->assumptions.items[i]);
    sentence(&out, story->assumptions.count ? "" : "How sure: ", grade_words(rule));
    for (size_t i = 0; i < sources->count; i++)
        sentence(&out, i ? "" : "Source: ", sources->items[i]);
    return keep(arena, buf_string(&out));
}

static const char *first_url(const struct rule *rule)
{
    for (size_t i = 0; i < rule->source_count; i++)
        if (rule->sources[i].url[0]) return rule->sources[i].url;
    return "";
}

/* ---- merged findings */

static void also_add(const struct evaluation *evaluation, const struct verdict *verdict,
                     struct arena *arena, struct alert *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < evaluation->verdict_count; i++)
        count += evaluation->verdicts[i].merged_into == verdict;
    ret->also = arena_alloc(arena, (count + 1) * sizeof *ret->also);
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *weak = &evaluation->verdicts[i];
        bool twin = false;
        if (weak->merged_into != verdict) continue;
        for (size_t j = 0; j < ret->also_count; j++)
            twin |= strcmp(ret->also[j].rule, weak->rule->id) == 0;
        if (twin) continue;
        ret->also[ret->also_count++] =
            (struct alert_also){ keep(arena, weak->rule->id), weak->rule->severity };
    }
}

/* A merged finding's orders and evidence belong to the alert too. */
static void story_merge(const struct evaluation *evaluation, const struct verdict *verdict,
                        struct story *story)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *weak = &evaluation->verdicts[i];
        struct story other = { .evidence = story->evidence, .assumptions = story->assumptions };
        if (weak->merged_into != verdict) continue;
        story_collect(&other, weak->trace, TRUTH_TRUE);
        story->evidence = other.evidence;
        story->assumptions = other.assumptions;
        for (size_t j = 0; j < other.order_count; j++)
            story_order(story, other.orders[j], other.named[j]);
        sentence(&story->facts, "Also: ", weak->rule->title);
        buf_done(&other.facts);
    }
}

/* The subjects as the identity names them, with the drugs of "together" clauses. */
static void subjects_add(const struct verdict *verdict, struct list *list)
{
    const char *at = strrchr(verdict->identity, '|');
    char name[128];

    for (at = at ? at + 1 : ""; *at;) {
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        list_add(list, name);
        at += n + (at[n] == ',');
    }
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Drugs of the orders that a "together" clause found. */
static void together_add(const struct trace *t, const struct knowledge *knowledge,
                         const struct chart *chart, struct list *list)
{
    const struct clause *clause = t->clause;

    if (clause->kind == CLAUSE_DEFINITION) return; /* how the rule knows, not what it is about */
    for (size_t i = 0; i < t->part_count; i++)
        together_add(&t->parts[i], knowledge, chart, list);
    if (clause->kind != CLAUSE_ORDER || !clause->order.together) return;
    if (t->answer.truth != TRUTH_TRUE) return;
    for (size_t i = 0; i < t->fact_count; i++) {
        const struct chart_order *order = order_of(chart, t->facts[i].source);
        const struct chart_ingredient *drug =
            order ? order_ingredient(order, &clause->order.drugs, CONCEPT_NONE,
                                     clause->order.any_use)
                  : NULL;
        if (drug) list_add(list, concept_name(knowledge, drug->concept));
    }
}

void verdict_alert(const struct evaluation *evaluation, const struct verdict *verdict,
                   const struct knowledge *knowledge, const struct chart *chart,
                   struct arena *arena, struct alert *ret)
{
    const struct rule *rule = verdict->rule;
    struct story story = { .evidence.arena = arena, .assumptions.arena = arena };
    struct list subjects = { .arena = arena }, implicated = { .arena = arena };
    struct list sources = { .arena = arena };

    *ret = (struct alert){ .key = "", .state = ALERT_OPEN, .ended_ms = INSTANT_UNSET,
                           .ended_why = "", .severity = rule->severity,
                           .display = verdict->display };
    story_collect(&story, verdict->trace, TRUTH_TRUE);
    story_merge(evaluation, verdict, &story);
    if (rule->window_note[0])
        list_add(&story.assumptions, "How old a result may be is a choice of this project.");
    subjects_add(verdict, &subjects);
    together_add(verdict->trace, knowledge, chart, &subjects);
    qsort(subjects.items, subjects.count, sizeof *subjects.items, name_compare);
    implicate(chart, &story, &implicated);
    sources_add(rule, &sources);
    also_add(evaluation, verdict, arena, ret);
    ret->identity = keep(arena, verdict->identity);
    ret->patient = keep(arena, chart->patient);
    ret->rule = keep(arena, rule->id);
    ret->title = keep(arena, rule->title);
    ret->code = keep(arena, rule->code);
    ret->recommendation = keep(arena, rule->recommendation);
    ret->source_url = keep(arena, first_url(rule));
    ret->generation = keep(arena, knowledge_generation(knowledge));
    ret->subjects = subjects.items;
    ret->subject_count = subjects.count;
    ret->implicated = implicated.items;
    ret->implicated_count = implicated.count;
    ret->evidence = story.evidence.items;
    ret->evidence_count = story.evidence.count;
    ret->assumptions = story.assumptions.items;
    ret->assumption_count = story.assumptions.count;
    ret->sources = sources.items;
    ret->source_count = sources.count;
    ret->detail = detail_of(rule, &story, &sources, arena);
    buf_done(&story.facts);
}
