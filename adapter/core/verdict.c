/* From a verdict with its trace to the alert that a clinician reads. */
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

/* Where an order stands in the alert; named: by a clause that names a subject. */
enum order_rank { RANK_NAMED, RANK_TOLD, RANK_ALSO_NAMED, RANK_ALSO_TOLD, RANK_NONE };

struct story {
    struct buf facts; /* owned: sentences */
    struct buf also;  /* owned: the same of merged findings */
    struct list sentences, evidence, assumptions;
    const struct chart *chart;
    enum order_rank *ranks; /* for each order of the chart */
    bool merged;            /* what comes now belongs to a merged finding */
};

static struct story story_start(const struct chart *chart, struct arena *arena)
{
    struct story story = { .sentences.arena = arena,
                           .evidence.arena = arena,
                           .assumptions.arena = arena,
                           .chart = chart };

    story.ranks = arena_alloc(arena, chart->order_count * sizeof *story.ranks);
    for (size_t i = 0; i < chart->order_count; i++) story.ranks[i] = RANK_NONE;
    return story;
}

static void reference_add(struct list *list, const struct source *source)
{
    AUTO(buf_done) struct buf text = { 0 };

    buf_printf(&text, "%s/%s", source->type, source->id);
    list_add(list, buf_string(&text));
}

static void story_order(struct story *story, const struct source *source, bool named)
{
    const struct chart_order *orders = story->chart->orders;
    enum order_rank rank = named ? RANK_NAMED : RANK_TOLD;

    if (story->merged) rank = named ? RANK_ALSO_NAMED : RANK_ALSO_TOLD;
    for (size_t i = 0; i < story->chart->order_count; i++)
        if (&orders[i].source == source && rank < story->ranks[i]) story->ranks[i] = rank;
}

static void story_facts(struct story *story, const struct trace *t)
{
    bool named = t->clause->kind == CLAUSE_ORDER && !t->clause->order.absent &&
                 (t->clause->order.binding != BINDING_NONE || t->clause->order.at_least > 1);

    for (size_t i = 0; i < t->fact_count; i++) {
        if (t->facts[i].role == TRACE_ORDER)
            story_order(story, t->facts[i].source, named);
        else
            reference_add(&story->evidence, t->facts[i].source);
    }
}

/* Does a sentence end with the full stop at n? Not in "0.7", nor after "St. John". */
static bool is_stop(const char *text, size_t n)
{
    size_t word = n;

    if (text[n] != '.') return false;
    if (text[n + 1] == '\0') return true;
    if (text[n + 1] != ' ' || text[n + 2] < 'A' || text[n + 2] > 'Z') return false;
    while (word > 0 && text[word - 1] != ' ') word--;
    return strncmp(text + word, "St.", 3) != 0;
}

/* The first sentence of a text, as it stands in the alert; *text is what follows. */
static const char *sentence_take(struct arena *arena, const char **text)
{
    AUTO(buf_done) struct buf out = { 0 };
    size_t n = 0;

    while ((*text)[n] && !is_stop(*text, n)) n++;
    for (size_t i = 0; i < n; i++) {
        char c = (*text)[i];
        buf_char(&out, i == 0 && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    if (n && !strchr("!?", (*text)[n - 1])) buf_char(&out, '.');
    *text += n;
    while (**text == '.' || **text == ' ') (*text)++;
    return keep(arena, buf_string(&out));
}

/* No sentence stands in an alert twice. */
static void story_text(struct story *story, struct buf *out, const char *text)
{
    while (*text == ' ') text++;
    while (*text) {
        size_t before = story->sentences.count;
        list_add(&story->sentences, sentence_take(story->sentences.arena, &text));
        if (story->sentences.count == before) continue;
        if (out && out->len) buf_char(out, ' ');
        if (out) buf_text(out, story->sentences.items[before]);
    }
}

/* What made the rule true. Below "unless" only the assumption counts; below "not" a clause speaks by
 * being false. */
static void story_collect(struct story *story, const struct trace *t, enum truth wanted)
{
    if (t->answer.truth != wanted) return;
    if (t->assumption[0]) list_add(&story->assumptions, t->assumption);
    if (t->clause->kind == CLAUSE_UNLESS) return;
    story_text(story, story->merged ? &story->also : &story->facts, t->text);
    story_facts(story, t);
    if (t->clause->kind == CLAUSE_NOT) wanted = truth_not(wanted);
    for (size_t i = 0; i < t->part_count; i++) story_collect(story, &t->parts[i], wanted);
}

/* ---- the order of orders */

/* Named ones first, those of merged findings last; among them the newest, which is what triggered.
 * The chart has them by id. */
static bool order_before(const struct story *story, size_t a, size_t b)
{
    const struct chart_order *orders = story->chart->orders;

    if (story->ranks[a] != story->ranks[b]) return story->ranks[a] < story->ranks[b];
    return orders[a].authored_ms > orders[b].authored_ms;
}

static void implicate(const struct story *story, struct list *list)
{
    size_t count = story->chart->order_count;
    bool *used = memset(arena_alloc(list->arena, count), 0, count);

    for (;;) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < count; i++)
            if (story->ranks[i] != RANK_NONE && !used[i] &&
                (best == SIZE_MAX || order_before(story, i, best)))
                best = i;
        if (best == SIZE_MAX) return;
        used[best] = true;
        reference_add(list, &story->chart->orders[best].source);
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
        if (rule->sources[i].revision[0])
            buf_printf(&text, " (revision %s)", rule->sources[i].revision);
        if (rule->sources[i].date[0]) buf_printf(&text, " (%s)", rule->sources[i].date);
        if (rule->sources[i].section[0]) buf_printf(&text, ", %s", rule->sources[i].section);
        list_add(list, buf_string(&text));
    }
}

static void eased_add(const struct verdict *verdict, struct buf *out)
{
    AUTO(buf_done) struct buf text = { 0 };
    char date[16];

    buf_text(&text, "What raised this alert has eased");
    if (verdict->past.kind == PAST_OPENED)
        buf_printf(&text, " (it last held on %s)",
                   instant_date(verdict->past.at_ms, date, sizeof date));
    buf_text(&text, ", but what would end it is not reached");
    sentence(out, "", buf_string(&text));
}

static const char *detail_of(const struct verdict *verdict, const struct story *story,
                             const struct list *sources, struct arena *arena)
{
    const struct rule *rule = verdict->rule;
    AUTO(buf_done) struct buf out = { 0 };

    sentence(&out, "", rule->title);
    if (verdict->persists) eased_add(verdict, &out);
    sentence(&out, "", buf_string(&story->facts));
    sentence(&out, "What the source directs: ", rule->recommendation);
    sentence(&out, "Why: ", rule->mechanism);
    sentence(&out, "", buf_string(&story->also));
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

/* Merged findings: the title, the facts that are not told yet, what their source directs. Their
 * orders, evidence and assumptions belong to the alert too. */
static void story_merge(const struct evaluation *evaluation, const struct verdict *verdict,
                        const struct alert *alert, struct story *story)
{
    story->merged = true;
    story_text(story, NULL, verdict->rule->recommendation); /* told with the rule itself */
    for (size_t i = 0; i < alert->also_count; i++) {
        const struct rule *rule = NULL;
        for (size_t j = 0; j < evaluation->verdict_count; j++) {
            const struct verdict *weak = &evaluation->verdicts[j];
            if (weak->merged_into != verdict) continue;
            if (strcmp(weak->rule->id, alert->also[i].rule) != 0) continue;
            if (!rule) sentence(&story->also, "Also: ", weak->rule->title);
            rule = weak->rule;
            story_collect(story, weak->trace, TRUTH_TRUE);
        }
        if (rule) story_text(story, &story->also, rule->recommendation);
    }
}

/* The subjects as the identity names them, with the drugs of "together" clauses. */
static void subjects_add(const struct verdict *verdict, struct list *list)
{
    const char *at = strrchr(verdict->identity, '|');

    for (at = at ? at + 1 : ""; *at;) {
        size_t n = strcspn(at, ",");
        list_add(list, arena_copy(list->arena, at, n));
        at += n + (at[n] == ',');
    }
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void order_drugs_add(const struct order_clause *clause, const struct chart_order *order,
                            const struct knowledge *knowledge, struct list *list)
{
    for (size_t i = 0; i < order->ingredient_count; i++)
        if (concept_set_has(&clause->drugs, order->ingredients[i].concept))
            list_add(list, concept_name(knowledge, order->ingredients[i].concept));
}

/* Drugs of the orders that a clause took together or counted. */
static void together_add(const struct trace *t, const struct knowledge *knowledge,
                         const struct chart *chart, struct list *list)
{
    const struct order_clause *clause = &t->clause->order;

    /* Other kinds with parts say how the rule knows, not what it is about. */
    if (t->clause->kind == CLAUSE_ALL || t->clause->kind == CLAUSE_ANY)
        for (size_t i = 0; i < t->part_count; i++)
            together_add(&t->parts[i], knowledge, chart, list);
    if (t->clause->kind != CLAUSE_ORDER || t->answer.truth != TRUTH_TRUE) return;
    if (clause->absent || (!clause->together && clause->at_least < 2)) return;
    for (size_t i = 0; i < t->fact_count; i++)
        for (size_t j = 0; j < chart->order_count; j++)
            if (&chart->orders[j].source == t->facts[i].source)
                order_drugs_add(clause, &chart->orders[j], knowledge, list);
}

/* What the rule says by itself. */
static void rule_tell(const struct rule *rule, struct arena *arena, struct alert *ret)
{
    ret->severity = rule->severity;
    ret->rule = keep(arena, rule->id);
    ret->title = keep(arena, rule->title);
    ret->code = keep(arena, rule->code);
    ret->recommendation = keep(arena, rule->recommendation);
    ret->source_url = keep(arena, first_url(rule));
}

/* What it is about: of each drug once, in the order of names. */
static void subjects_tell(const struct verdict *verdict, const struct knowledge *knowledge,
                          const struct chart *chart, struct arena *arena, struct alert *ret)
{
    struct list subjects = { .arena = arena };

    subjects_add(verdict, &subjects);
    together_add(verdict->trace, knowledge, chart, &subjects);
    if (subjects.count) qsort(subjects.items, subjects.count, sizeof *subjects.items, name_compare);
    ret->subjects = subjects.items;
    ret->subject_count = subjects.count;
}

/* What happened, by the facts that made the rule true and those of the findings merged into it. */
static void story_tell(const struct evaluation *evaluation, const struct verdict *verdict,
                       struct story *story, struct arena *arena, struct alert *ret)
{
    struct list implicated = { .arena = arena }, sources = { .arena = arena };

    story_collect(story, verdict->trace, TRUTH_TRUE);
    also_add(evaluation, verdict, arena, ret);
    story_merge(evaluation, verdict, ret, story);
    if (verdict->rule->window_note[0])
        list_add(&story->assumptions, "How old a result may be is a choice of this project.");
    implicate(story, &implicated);
    sources_add(verdict->rule, &sources);
    ret->implicated = implicated.items;
    ret->implicated_count = implicated.count;
    ret->evidence = story->evidence.items;
    ret->evidence_count = story->evidence.count;
    ret->assumptions = story->assumptions.items;
    ret->assumption_count = story->assumptions.count;
    ret->sources = sources.items;
    ret->source_count = sources.count;
    ret->detail = detail_of(verdict, story, &sources, arena);
}

void verdict_alert(const struct evaluation *evaluation, const struct verdict *verdict,
                   const struct knowledge *knowledge, const struct chart *chart,
                   struct arena *arena, struct alert *ret)
{
    struct story story = story_start(chart, arena);

    *ret = (struct alert){ .key = "",
                           .state = ALERT_OPEN,
                           .ended_ms = INSTANT_UNSET,
                           .ended_why = "",
                           .display = verdict->display };
    ret->identity = keep(arena, verdict->identity);
    ret->patient = keep(arena, chart->patient);
    ret->generation = keep(arena, knowledge_generation(knowledge));
    rule_tell(verdict->rule, arena, ret);
    subjects_tell(verdict, knowledge, chart, arena, ret);
    story_tell(evaluation, verdict, &story, arena, ret);
    buf_done(&story.facts);
    buf_done(&story.also);
}
