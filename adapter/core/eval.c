/* The rules over a chart: each with every subject it can have, then the stronger before the weaker. */
#include "core/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/eval_impl.h"

/* Pairs (or triples ...) of subjects of one rule. A chart beyond that gets one finding for all of
 * them together rather than findings for some. */
#define PAIRS_MAX 1024

/* An open alert, taken apart: "patient|rule|subjects". */
struct open_alert {
    const char *identity, *rule, *subjects;
    size_t rule_len;
};

struct run {
    struct eval eval;
    const struct eval_options *options;
    const struct open_alert *open;
    size_t open_count;
    struct verdict *verdicts; /* grows in the arena by doubling */
    size_t count, room;
    const struct rule *rule; /* being evaluated */
    size_t first;            /* its first verdict */
    bool rule_open;          /* it has an open alert */
    bool lasting_only;       /* what is bound now matters only if it lasts */
};

/* ---- open alerts */

static void open_take(struct run *run, const struct eval_options *options)
{
    struct open_alert *open = arena_alloc(run->eval.arena, options->open_count * sizeof *run->open);

    for (size_t i = 0; i < options->open_count; i++) {
        const char *rule = strchr(options->open[i], '|'), *subjects;
        if (!rule || !(subjects = strchr(rule + 1, '|'))) continue;
        open[run->open_count++] = (struct open_alert){ .identity = options->open[i],
                                                       .rule = rule + 1,
                                                       .subjects = subjects + 1,
                                                       .rule_len = (size_t)(subjects - rule - 1) };
    }
    run->open = open;
}

static bool is_of_rule(const struct open_alert *open, const struct rule *rule)
{
    return strncmp(open->rule, rule->id, open->rule_len) == 0 && rule->id[open->rule_len] == '\0';
}

static bool is_open(const struct run *run, const char *identity)
{
    for (size_t i = 0; run->rule_open && i < run->open_count; i++)
        if (strcmp(run->open[i].identity, identity) == 0) return true;
    return false;
}

/* ---- one rule with the subjects that are bound now */

static struct verdict *verdict_find(const struct run *run, const char *identity)
{
    for (size_t i = run->first; i < run->count; i++)
        if (strcmp(run->verdicts[i].identity, identity) == 0) return &run->verdicts[i];
    return NULL;
}

static void verdict_keep(struct run *run, const struct verdict *verdict)
{
    if (run->count == run->room) {
        size_t room = run->room ? run->room * 2 : 64;
        struct verdict *more = arena_alloc(run->eval.arena, room * sizeof *more);
        if (run->count) memcpy(more, run->verdicts, run->count * sizeof *more);
        run->verdicts = more;
        run->room = room;
    }
    run->verdicts[run->count++] = *verdict;
}

static void sooner(struct answer *answer, int64_t next_ms)
{
    if (next_ms < answer->next_ms) answer->next_ms = next_ms;
}

/* When it cannot be told, the stronger display is used, where the rule does not say another. */
static void display_judge(struct eval *eval, struct verdict *verdict,
                          const struct eval_options *options)
{
    const struct rule *rule = verdict->rule;

    verdict->display = rule->display;
    if (rule->display_if && (verdict->answer.truth != TRUTH_FALSE || verdict->persists)) {
        struct answer strong = clause_answer(eval, rule->display_if, NULL);
        if (strong.truth == TRUTH_FALSE) verdict->display = rule->display_else;
        if (strong.truth == TRUTH_UNKNOWN) verdict->display = rule->display_unknown;
        sooner(&verdict->answer, strong.next_ms);
    }
    if (options->suppressed_too) return;
    verdict->quiet =
        rule->mode == RULE_SHADOW || rule->checked || verdict->display == DISPLAY_SUPPRESSED;
}

/* A rule that is not true any more may have an alert that lasts: one that is open, or would be if
 * somebody had looked in time. */
static void lasting_judge(struct eval *eval, bool open, struct verdict *verdict)
{
    struct answer lasting;

    if (!open && !verdict_is_bound(verdict)) return; /* whose alert would it be? */
    lasting = clause_answer(eval, verdict->rule->persists, NULL);
    if (lasting.truth == TRUTH_TRUE) verdict->past = past_find(eval, verdict->rule);
    verdict->persists = lasting.truth == TRUTH_TRUE && (open || verdict->past.kind == PAST_OPENED);
    if (!open && verdict->past.kind == PAST_TOO_LONG)
        lasting = (struct answer){ TRUTH_UNKNOWN, DOUBT_HISTORY, lasting.next_ms };
    else if (!open && !verdict->persists)
        return;
    verdict->lasting = lasting;
    sooner(&verdict->answer, lasting.next_ms);
}

static void explain(struct eval *eval, struct verdict *verdict, const struct clause *clause)
{
    verdict->trace = arena_alloc(eval->arena, sizeof *verdict->trace);
    trace_init(verdict->trace, clause);
    eval->telling = true;
    clause_answer(eval, clause, verdict->trace);
    eval->telling = false;
}

static void verdict_judge(struct run *run, struct verdict *verdict)
{
    struct eval *eval = &run->eval;
    const struct rule *rule = verdict->rule;
    bool holds = verdict->answer.truth == TRUTH_TRUE, open = is_open(run, verdict->identity);

    memcpy(verdict->bound, eval->bound, sizeof verdict->bound);
    if (!holds && rule->persists) lasting_judge(eval, open, verdict);
    display_judge(eval, verdict, run->options);
    if (!holds && rule->persists && (open || verdict->persists))
        explain(eval, verdict, rule->persists);
    else if (holds || open || run->options->trace_all)
        explain(eval, verdict, rule->when);
}

/* Two ways to bind can be one finding (a with b, b with a): the stronger answer is kept. */
static void verdict_make(struct run *run)
{
    struct verdict verdict = { .rule = run->rule,
                               .identity = identity_of(&run->eval, run->rule),
                               .lasting = ANSWER_FALSE };
    struct verdict *twin = verdict_find(run, verdict.identity);

    if (run->lasting_only && twin) return;
    verdict.answer = clause_answer(&run->eval, run->rule->when, NULL);
    if (twin) sooner(&verdict.answer, twin->answer.next_ms);
    if (twin && twin->answer.truth >= verdict.answer.truth) {
        twin->answer.next_ms = verdict.answer.next_ms;
        return;
    }
    verdict_judge(run, &verdict);
    if (run->lasting_only && verdict.lasting.truth == TRUTH_FALSE) return;
    if (twin)
        *twin = verdict;
    else
        verdict_keep(run, &verdict);
}

/* ---- every way to bind */

static bool is_taken(const struct eval *eval, int which, unsigned drug)
{
    for (int i = 0; i < which; i++)
        if (eval->bound[i] == drug) return true;
    return false;
}

/* The last clause fastest; two of them never to the same drug. */
static void bind(struct run *run, const struct candidates *candidates, int which)
{
    if (which == run->rule->bindings) {
        verdict_make(run);
        return;
    }
    for (size_t i = 0; i < candidates->count[which]; i++) {
        unsigned drug = candidates->drugs[which][i];
        if (is_taken(&run->eval, which, drug)) continue;
        run->eval.bound[which] = drug;
        bind(run, candidates, which + 1);
    }
    run->eval.bound[which] = CONCEPT_NONE;
    if (!candidates->count[which]) bind(run, candidates, which + 1);
}

/* Clauses that must be about different drugs, and the chart has one drug for both: that is no pair,
 * unless an order that no mapping knows makes it one. */
static void bind_nobody(struct run *run, const struct candidates *candidates)
{
    for (int which = 0; which < run->rule->bindings; which++) {
        unsigned bound = candidates->count[which] ? CONCEPT_NOBODY : CONCEPT_NONE;
        for (size_t i = candidates->count[which]; i-- > 0;)
            if (!is_taken(&run->eval, which, candidates->drugs[which][i]))
                bound = candidates->drugs[which][i];
        run->eval.bound[which] = bound;
    }
    verdict_make(run);
}

static bool too_many(const struct rule *rule, const struct candidates *candidates)
{
    size_t pairs = 1;

    for (int i = 0; i < rule->bindings && pairs <= PAIRS_MAX; i++)
        if (candidates->count[i]) pairs *= candidates->count[i];
    return pairs > PAIRS_MAX;
}

static void unbind(struct run *run)
{
    memset(run->eval.bound, 0, sizeof run->eval.bound);
}

/* Open alerts whose subjects the chart does not name any more (the drug is on hold, its order has no
 * code that we know now) are asked about too: they may last, or it may not be possible to tell. */
static void open_too(struct run *run)
{
    for (size_t i = 0; run->rule_open && i < run->open_count; i++) {
        struct candidates subjects = { .count = { 0 } };
        if (!is_of_rule(&run->open[i], run->rule)) continue;
        if (verdict_find(run, run->open[i].identity)) continue;
        candidates_of_subjects(&run->eval, run->rule, run->open[i].subjects, &subjects);
        bind(run, &subjects, 0);
    }
}

/* A drug that is on hold names no subject of `when`, and one of `persists` still. */
static void lasting_too(struct run *run)
{
    struct candidates candidates = { .count = { 0 } };
    const struct rule *rule = run->rule;

    if (!rule->persists || !rule->bindings) return;
    candidates_of_chart(&run->eval, rule->lasting, rule->bindings, &candidates);
    for (int i = 0; i < rule->bindings; i++)
        if (!candidates.count[i]) return;
    if (too_many(rule, &candidates)) return;
    run->lasting_only = true;
    bind(run, &candidates, 0);
    run->lasting_only = false;
}

static void rule_run(struct run *run, const struct rule *rule)
{
    struct candidates candidates = { .count = { 0 } };

    run->rule = rule;
    run->eval.subject = rule->naming[0];
    run->first = run->count;
    run->rule_open = false;
    for (size_t i = 0; i < run->open_count; i++) run->rule_open |= is_of_rule(&run->open[i], rule);
    unbind(run);
    candidates_of_chart(&run->eval, rule->naming, rule->bindings, &candidates);
    if (too_many(rule, &candidates))
        verdict_make(run);
    else
        bind(run, &candidates, 0);
    if (run->count == run->first) bind_nobody(run, &candidates);
    sooner(&run->verdicts[run->first].answer, candidates.next_ms);
    unbind(run);
    open_too(run);
    lasting_too(run);
    unbind(run);
}

/* ---- stronger and weaker findings */

static bool fact_in(const struct source *source, const struct trace *t)
{
    if (t->answer.truth == TRUTH_FALSE) return false;
    for (size_t i = 0; i < t->fact_count; i++)
        if (t->facts[i].source == source) return true;
    for (size_t i = 0; i < t->part_count; i++)
        if (fact_in(source, &t->parts[i])) return true;
    return false;
}

static bool is_missing_order(const struct trace *t)
{
    return t->answer.truth == TRUTH_TRUE && t->clause->kind == CLAUSE_ORDER &&
           t->clause->order.absent;
}

/* Does the trace rest on the absence of these very drugs? */
static bool absence_in(const struct concept_set *drugs, const struct trace *t)
{
    if (t->answer.truth == TRUTH_FALSE) return false;
    if (is_missing_order(t)) {
        const struct concept_set *missing = &t->clause->order.drugs;
        if (concept_set_within(missing, drugs) && concept_set_within(drugs, missing)) return true;
    }
    for (size_t i = 0; i < t->part_count; i++)
        if (absence_in(drugs, &t->parts[i])) return true;
    return false;
}

static bool shares_fact(const struct trace *a, const struct trace *b)
{
    if (a->answer.truth == TRUTH_FALSE) return false;
    if (is_missing_order(a) && absence_in(&a->clause->order.drugs, b)) return true;
    for (size_t i = 0; i < a->fact_count; i++)
        if (fact_in(a->facts[i].source, b)) return true;
    for (size_t i = 0; i < a->part_count; i++)
        if (shares_fact(&a->parts[i], b)) return true;
    return false;
}

static bool holds(const struct verdict *verdict)
{
    return (verdict->answer.truth == TRUTH_TRUE || verdict->persists) && !verdict->quiet;
}

static bool yields(const struct rule *weaker, const struct rule *stronger)
{
    for (size_t i = 0; i < weaker->yields_count; i++)
        if (strcmp(weaker->yields_to[i], stronger->id) == 0) return true;
    return false;
}

/* The finding that this one stands in by now: itself, or the last of the chain that it yielded to. */
static struct verdict *stands_in(struct verdict *verdict)
{
    while (verdict->merged_into) verdict = verdict->merged_into;
    return verdict;
}

/* A finding yields to a stronger one that rests on a fact they share (the same count, the same
 * order, or that none of the same drugs is ordered). Quiet ones take nothing in: it would be lost. */
static struct verdict *stronger(const struct evaluation *evaluation, const struct verdict *weak)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        struct verdict *strong = &evaluation->verdicts[i];
        if (!holds(strong) || !yields(weak->rule, strong->rule)) continue;
        if (stands_in(strong) != weak && shares_fact(weak->trace, strong->trace)) return strong;
    }
    return NULL;
}

static void merge(struct evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        struct verdict *weak = &evaluation->verdicts[i];
        if (weak->rule->yields_count && holds(weak)) weak->merged_into = stronger(evaluation, weak);
    }
    for (size_t i = 0; i < evaluation->verdict_count; i++)
        if (evaluation->verdicts[i].merged_into)
            evaluation->verdicts[i].merged_into = stands_in(&evaluation->verdicts[i]);
}

bool verdict_is_bound(const struct verdict *verdict)
{
    for (int i = 0; i < verdict->rule->bindings; i++)
        if (verdict->bound[i] == CONCEPT_NONE || verdict->bound[i] == CONCEPT_NOBODY) return false;
    return true;
}

bool verdict_is_finding(const struct verdict *verdict)
{
    return holds(verdict) && !verdict->merged_into;
}

/* ---- everything */

static bool cannot_be_told(const struct verdict *verdict)
{
    return verdict->answer.truth == TRUTH_UNKNOWN || verdict->lasting.truth == TRUTH_UNKNOWN;
}

static void summarise(struct evaluation *evaluation)
{
    const struct rule *unknown = NULL;

    evaluation->next_ms = INSTANT_NEVER;
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        if (verdict->answer.next_ms < evaluation->next_ms)
            evaluation->next_ms = verdict->answer.next_ms;
        if (cannot_be_told(verdict) && verdict->rule != unknown) {
            evaluation->unknown++;
            unknown = verdict->rule;
        }
    }
}

static unsigned analyte_of(const struct knowledge *knowledge, const char *name)
{
    return knowledge_concept(knowledge, CONCEPT_ANALYTE, name);
}

struct eval eval_at(const struct eval *eval, int64_t then_ms, struct arena *arena)
{
    struct eval then = *eval;

    then.now_ms = then_ms;
    then.back = true;
    then.arena = arena;
    then.memos = (struct measure_memos){ 0 };
    then.index = drug_index_then(&eval->index, &then);
    eval_body_measure(&then);
    return then;
}

static struct eval eval_of(const struct knowledge *knowledge, const struct chart *chart,
                           int64_t now_ms, const struct eval_options *options, struct arena *arena)
{
    enum profile profile = options->profile;

    if (profile == PROFILE_UNSET) profile = knowledge_policy(knowledge)->profile;
    return (struct eval){ .knowledge = knowledge,
                          .chart = chart,
                          .now_ms = now_ms,
                          .profile = profile,
                          .unmapped = options->unmapped,
                          .analytes = { .crcl = analyte_of(knowledge, "crcl"),
                                        .creatinine = analyte_of(knowledge, "creatinine"),
                                        .weight = analyte_of(knowledge, "weight"),
                                        .height = analyte_of(knowledge, "height"),
                                        .bsa = analyte_of(knowledge, "bsa") },
                          .arena = arena };
}

static bool is_asked(const struct rule *rule, const struct rule *only)
{
    if (rule == only) return true;
    return rule->mode != RULE_OFF && (!only || yields(only, rule));
}

struct evaluation *evaluate(const struct knowledge *knowledge, const struct chart *chart,
                            int64_t now_ms, const struct eval_options *options)
{
    static const struct eval_options none = { 0 };
    struct evaluation *evaluation = mem_new(struct evaluation);
    struct run run = { .options = options ? options : &none };

    run.eval = eval_of(knowledge, chart, now_ms, run.options, &evaluation->arena);
    run.eval.index = drug_index_make(&run.eval);
    if (chart->order_count) eval_body_measure(&run.eval);
    open_take(&run, run.options);
    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++)
        if (is_asked(knowledge_rule(knowledge, i), run.options->only))
            rule_run(&run, knowledge_rule(knowledge, i));
    evaluation->verdicts = run.verdicts;
    evaluation->verdict_count = run.count;
    merge(evaluation);
    summarise(evaluation);
    return evaluation;
}

void evaluation_free(struct evaluation *evaluation)
{
    if (!evaluation) return;
    arena_done(&evaluation->arena);
    free(evaluation);
}
