/* The tree of clauses, the subjects a rule is bound to, and what follows for the rule. */
#include "core/eval.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "core/eval_impl.h"

/* ---- answers and traces */

void answer_until(const struct eval *eval, struct answer *answer, int64_t ms)
{
    if (ms > eval->now_ms && ms < answer->next_ms) answer->next_ms = ms;
}

static const char *keep(struct arena *arena, const char *text)
{
    return arena_copy(arena, text, strlen(text));
}

void trace_say(struct eval *eval, struct trace *t, const char *fmt, ...)
{
    AUTO(buf_done) struct buf text = { 0 };
    char more[1024];
    va_list args;

    if (!t) return;
    va_start(args, fmt);
    vsnprintf(more, sizeof more, fmt, args);
    va_end(args);
    buf_text(&text, t->text);
    buf_text(&text, more);
    t->text = keep(eval->arena, buf_string(&text));
}

void trace_change(struct eval *eval, struct trace *t, const char *fmt, ...)
{
    char text[512];
    va_list args;

    if (!t) return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    t->change = keep(eval->arena, text);
}

void trace_fact(struct eval *eval, struct trace *t, enum trace_role role,
                const struct source *source)
{
    struct trace_fact *facts;

    if (!t) return;
    for (size_t i = 0; i < t->fact_count; i++)
        if (t->facts[i].source == source) return;
    facts = arena_alloc(eval->arena, (t->fact_count + 1) * sizeof *facts);
    if (t->fact_count) memcpy(facts, t->facts, t->fact_count * sizeof *facts);
    facts[t->fact_count] = (struct trace_fact){ role, source };
    t->facts = facts;
    t->fact_count++;
}

static void trace_init(struct trace *t, const struct clause *clause)
{
    *t = (struct trace){ .clause = clause, .text = "", .change = "", .assumption = "" };
}

static struct trace *trace_parts(struct eval *eval, struct trace *t, const struct clause *clause,
                                 size_t count)
{
    if (!t) return NULL;
    t->parts = arena_alloc(eval->arena, (count + 1) * sizeof *t->parts);
    t->part_count = count;
    for (size_t i = 0; i < count; i++) trace_init(&t->parts[i], &clause->parts[i]);
    return t->parts;
}

/* ---- the tree */

/* What several parts say together. */
struct tally {
    size_t yes, maybe;
    unsigned doubts;
    int64_t next_ms;
};

static struct tally tally_parts(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct trace *parts = trace_parts(eval, t, clause, clause->part_count);
    struct tally tally = { .next_ms = INSTANT_NEVER };

    for (size_t i = 0; i < clause->part_count; i++) {
        struct answer answer =
            clause_answer(eval, &clause->parts[i], parts ? &parts[i] : NULL);
        if (answer.next_ms < tally.next_ms) tally.next_ms = answer.next_ms;
        if (answer.truth == TRUTH_TRUE) tally.yes++;
        if (answer.truth == TRUTH_UNKNOWN) {
            tally.maybe++;
            tally.doubts |= answer.doubts;
        }
    }
    return tally;
}

/* At least n of the parts: all is n = their number, any is n = 1. */
static struct answer at_least(struct eval *eval, const struct clause *clause, size_t n,
                              struct trace *t)
{
    struct tally tally = tally_parts(eval, clause, t);
    struct answer answer = { TRUTH_FALSE, 0, tally.next_ms };

    if (tally.yes >= n) {
        answer.truth = TRUTH_TRUE;
    } else if (tally.yes + tally.maybe >= n) {
        answer.truth = TRUTH_UNKNOWN;
        answer.doubts = tally.doubts;
    }
    return answer;
}

static struct answer inner_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct trace *parts = trace_parts(eval, t, clause, 1);

    return clause_answer(eval, clause->parts, parts);
}

static struct answer unless_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = inner_answer(eval, clause, t);

    if (answer.truth == TRUTH_TRUE)
        return (struct answer){ TRUTH_FALSE, 0, answer.next_ms };
    if (t && (answer.truth == TRUTH_UNKNOWN || !clause->note_if_unknown))
        t->assumption = clause->note;
    return (struct answer){ TRUTH_TRUE, 0, answer.next_ms };
}

static struct answer maybe_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = inner_answer(eval, clause, t);

    if (answer.truth == TRUTH_FALSE) return answer;
    trace_say(eval, t, "%s", clause->note);
    return (struct answer){ TRUTH_UNKNOWN, DOUBT_INPUT, answer.next_ms };
}

static struct answer definition_answer(struct eval *eval, const struct clause *clause,
                                       struct trace *t)
{
    if (t) {
        t->parts = arena_alloc(eval->arena, sizeof *t->parts);
        t->part_count = 1;
        trace_init(t->parts, clause->definition);
    }
    return clause_answer(eval, clause->definition, t ? t->parts : NULL);
}

static struct answer kind_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = ANSWER_FALSE;

    switch (clause->kind) {
    case CLAUSE_ALL:
        return at_least(eval, clause, clause->part_count, t);
    case CLAUSE_ANY:
        return at_least(eval, clause, 1, t);
    case CLAUSE_COUNT:
        return at_least(eval, clause, clause->at_least, t);
    case CLAUSE_NOT:
        answer = inner_answer(eval, clause, t);
        answer.truth = truth_not(answer.truth);
        return answer;
    case CLAUSE_UNLESS:
        return unless_answer(eval, clause, t);
    case CLAUSE_MAYBE:
        return maybe_answer(eval, clause, t);
    case CLAUSE_DEFINITION:
        return definition_answer(eval, clause, t);
    case CLAUSE_ORDER:
        return order_answer(eval, clause, t);
    case CLAUSE_RESULT:
        return result_answer(eval, clause, t);
    case CLAUSE_GAP:
        return gap_answer(eval, clause, t);
    case CLAUSE_CONDITION:
        return condition_answer(eval, clause, t);
    case CLAUSE_ALLERGY:
        return allergy_answer(eval, clause, t);
    case CLAUSE_AGE:
        return age_answer(eval, clause, t);
    case CLAUSE_SEX:
        return sex_answer(eval, clause, t);
    case CLAUSE_COURSE:
        return course_answer(eval, clause, t);
    case CLAUSE_CEILING:
        return ceiling_answer(eval, clause, t);
    case CLAUSE_COMPUTABLE:
        return computable_answer(eval, clause, t);
    }
    return answer;
}

struct answer clause_answer(struct eval *eval, const struct clause *clause, struct trace *t)
{
    struct answer answer = kind_answer(eval, clause, t);

    if (t) t->answer = answer;
    return answer;
}

/* ---- subjects */

#define CANDIDATES_MAX 32  /* drugs of one chart that one order clause can be bound to */
#define VERDICTS_MAX   256 /* of one rule for one chart */

struct candidates {
    unsigned drugs[BINDING_MAX][CANDIDATES_MAX];
    size_t count[BINDING_MAX];
};

/* The naming order clauses stand below `all` alone, so that is all there is to walk. */
static void candidates_find(struct eval *eval, const struct clause *clause,
                            struct candidates *candidates)
{
    if (clause->kind == CLAUSE_ALL)
        for (size_t i = 0; i < clause->part_count; i++)
            candidates_find(eval, &clause->parts[i], candidates);
    if (clause->kind != CLAUSE_ORDER || clause->order.binding == BINDING_NONE) return;
    candidates->count[clause->order.binding] =
        order_candidates(eval, &clause->order, candidates->drugs[clause->order.binding],
                         CANDIDATES_MAX);
}

/* The drugs of clauses that take them together, or count them: shown, but no part of the identity
 * unless nothing else names a subject. */
static void together_find(struct eval *eval, const struct clause *clause, bool counted,
                          struct concept_set *set)
{
    unsigned drugs[CANDIDATES_MAX];
    size_t count;

    if (clause->kind == CLAUSE_ALL)
        for (size_t i = 0; i < clause->part_count; i++)
            together_find(eval, &clause->parts[i], counted, set);
    if (clause->kind != CLAUSE_ORDER || clause->order.absent) return;
    if (counted ? clause->order.at_least < 2 : !clause->order.together) return;
    count = order_candidates(eval, &clause->order, drugs, CANDIDATES_MAX);
    for (size_t i = 0; i < count; i++) concept_set_add(set, drugs[i]);
}

static void subject_set(struct eval *eval, const struct rule *rule, bool all,
                        struct concept_set *set)
{
    for (int i = 0; i < rule->bindings; i++)
        if (eval->bound[i] != CONCEPT_NONE) concept_set_add(set, eval->bound[i]);
    together_find(eval, rule->when, true, set);
    if (all) together_find(eval, rule->when, false, set);
}

static int name_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of a set in their own order: numbers differ from one generation to the next. */
static const char **names_of(const struct knowledge *knowledge, const struct concept_set *set,
                             struct arena *arena)
{
    const char **names = arena_alloc(arena, (set->count + 1) * sizeof *names);

    for (size_t i = 0; i < set->count; i++) names[i] = concept_name(knowledge, set->items[i]);
    qsort(names, set->count, sizeof *names, name_compare);
    return names;
}

static const char *identity_of(struct eval *eval, const struct rule *rule)
{
    AUTO(buf_done) struct buf text = { 0 };
    struct concept_set set = { 0 };
    const char **names;

    subject_set(eval, rule, false, &set);
    names = names_of(eval->knowledge, &set, eval->arena);
    buf_printf(&text, "%s|%s|", eval->chart->patient, rule->id);
    for (size_t i = 0; i < set.count; i++) buf_printf(&text, "%s%s", i ? "," : "", names[i]);
    concept_set_done(&set);
    return keep(eval->arena, buf_string(&text));
}

/* ---- one rule */

struct run {
    struct eval eval;
    const struct eval_options *options;
    struct verdict *verdicts; /* grows in the arena by doubling */
    size_t count, room;
};

static bool has_verdict(const struct run *run, size_t from, const char *identity)
{
    for (size_t i = from; i < run->count; i++)
        if (strcmp(run->verdicts[i].identity, identity) == 0) return true;
    return false;
}

static bool is_open(const struct eval_options *options, const char *identity)
{
    for (size_t i = 0; i < options->open_count; i++)
        if (strcmp(options->open[i], identity) == 0) return true;
    return false;
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

static void display_judge(struct eval *eval, struct verdict *verdict,
                          const struct eval_options *options)
{
    const struct rule *rule = verdict->rule;

    verdict->display = rule->display;
    /* When it cannot be told, the stronger display is used. */
    if (rule->display_if &&
        clause_answer(eval, rule->display_if, NULL).truth == TRUTH_FALSE)
        verdict->display = rule->display_else;
    verdict->quiet = rule->mode == RULE_SHADOW || verdict->display == DISPLAY_SUPPRESSED;
    if (options->suppressed_too) verdict->quiet = false;
    if (rule->verdict[0] && !options->suppressed_too) verdict->quiet = true;
}

static void explain(struct run *run, struct verdict *verdict, const struct clause *clause)
{
    verdict->trace = arena_alloc(run->eval.arena, sizeof *verdict->trace);
    trace_init(verdict->trace, clause);
    run->eval.telling = true;
    clause_answer(&run->eval, clause, verdict->trace);
    run->eval.telling = false;
}

/* The rule with the subjects that are bound now. */
static void verdict_make(struct run *run, const struct rule *rule, size_t first)
{
    struct eval *eval = &run->eval;
    struct verdict verdict = { .rule = rule, .identity = identity_of(eval, rule) };
    struct answer lasting;

    if (has_verdict(run, first, verdict.identity)) return;
    memcpy(verdict.bound, eval->bound, sizeof verdict.bound);
    verdict.answer = clause_answer(eval, rule->when, NULL);
    display_judge(eval, &verdict, run->options);
    if (verdict.answer.truth != TRUTH_TRUE && rule->persists &&
        is_open(run->options, verdict.identity)) {
        lasting = clause_answer(eval, rule->persists, NULL);
        verdict.persists = lasting.truth == TRUTH_TRUE;
        if (lasting.next_ms < verdict.answer.next_ms) verdict.answer.next_ms = lasting.next_ms;
    }
    if (verdict.persists)
        explain(run, &verdict, rule->persists);
    else if (verdict.answer.truth == TRUTH_TRUE || run->options->trace_all ||
             is_open(run->options, verdict.identity))
        explain(run, &verdict, rule->when);
    verdict_keep(run, &verdict);
}

/* Every way to bind the naming clauses, the last one fastest; two of them never to the same drug. */
static void bind(struct run *run, const struct rule *rule, const struct candidates *candidates,
                 int which, size_t first)
{
    struct eval *eval = &run->eval;

    if (run->count - first >= VERDICTS_MAX) return;
    if (which == rule->bindings) {
        verdict_make(run, rule, first);
        return;
    }
    if (!candidates->count[which]) {
        eval->bound[which] = CONCEPT_NONE;
        bind(run, rule, candidates, which + 1, first);
        return;
    }
    for (size_t i = 0; i < candidates->count[which]; i++) {
        unsigned drug = candidates->drugs[which][i];
        bool taken = false;
        for (int j = 0; j < which; j++) taken |= eval->bound[j] == drug;
        if (taken) continue;
        eval->bound[which] = drug;
        bind(run, rule, candidates, which + 1, first);
    }
    eval->bound[which] = CONCEPT_NONE;
}

/* Does the identity "patient|rule|..." name this rule? *ret_subjects is its third part. */
static bool identity_is_of(const char *identity, const char *rule, const char **ret_subjects)
{
    const char *bar = strchr(identity, '|');
    size_t n = strlen(rule);

    if (!bar || strncmp(bar + 1, rule, n) != 0 || bar[1 + n] != '|') return false;
    *ret_subjects = bar + 2 + n;
    return true;
}

/* The drugs that the naming clauses of `persists` may be bound to, given the subjects of an alert. */
static void bind_subjects(struct eval *eval, const struct clause *clause, const char *subjects)
{
    if (clause->kind == CLAUSE_ALL)
        for (size_t i = 0; i < clause->part_count; i++)
            bind_subjects(eval, &clause->parts[i], subjects);
    if (clause->kind != CLAUSE_ORDER || clause->order.binding == BINDING_NONE) return;
    while (subjects[0]) {
        char name[128];
        size_t n = strcspn(subjects, ",");
        unsigned drug;
        snprintf(name, sizeof name, "%.*s", (int)n, subjects);
        drug = knowledge_concept(eval->knowledge, CONCEPT_DRUG, name);
        if (concept_set_has(&clause->order.drugs, drug)) {
            eval->bound[clause->order.binding] = drug;
            return;
        }
        subjects += n + (subjects[n] == ',');
    }
}

/* Open alerts whose subjects the chart would not name any more (the drug is on hold, say) are asked
 * about too: they may last. */
static void open_too(struct run *run, const struct rule *rule, size_t first)
{
    for (size_t i = 0; rule->persists && i < run->options->open_count; i++) {
        const char *identity = run->options->open[i], *subjects;
        if (!identity_is_of(identity, rule->id, &subjects)) continue;
        if (has_verdict(run, first, identity)) continue;
        memset(run->eval.bound, 0, sizeof run->eval.bound);
        bind_subjects(&run->eval, rule->persists, subjects);
        verdict_make(run, rule, first);
    }
    memset(run->eval.bound, 0, sizeof run->eval.bound);
}

/* Two clauses that must be about different drugs, and the chart has one drug for both: that is no
 * pair, but something unreadable may still make it one. */
static void no_pair(struct run *run, const struct rule *rule, size_t first)
{
    struct verdict *verdict;

    verdict_make(run, rule, first);
    verdict = &run->verdicts[first];
    if (verdict->answer.truth != TRUTH_TRUE) return;
    verdict->answer.truth = TRUTH_FALSE;
    verdict->trace = NULL;
}

static void rule_run(struct run *run, const struct rule *rule)
{
    struct candidates candidates = { 0 };
    size_t first = run->count;

    memset(run->eval.bound, 0, sizeof run->eval.bound);
    candidates_find(&run->eval, rule->when, &candidates);
    bind(run, rule, &candidates, 0, first);
    if (run->count == first) no_pair(run, rule, first);
    open_too(run, rule, first);
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

static bool shares_fact(const struct trace *a, const struct trace *b)
{
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

/* A finding yields to a stronger one that rests on a fact they share (the same count, the same
 * order). */
static void merge(struct evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        struct verdict *weak = &evaluation->verdicts[i];
        if (!holds(weak) || !weak->rule->yields_count) continue;
        for (size_t j = 0; j < evaluation->verdict_count && !weak->merged_into; j++) {
            struct verdict *strong = &evaluation->verdicts[j];
            if (!holds(strong) || strong->merged_into || !yields(weak->rule, strong->rule)) continue;
            if (shares_fact(weak->trace, strong->trace)) weak->merged_into = strong;
        }
    }
}

/* ---- everything */

static void summarise(struct evaluation *evaluation)
{
    const struct rule *unknown = NULL;

    evaluation->next_ms = INSTANT_NEVER;
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        if (verdict->answer.next_ms < evaluation->next_ms)
            evaluation->next_ms = verdict->answer.next_ms;
        if (verdict->answer.truth == TRUTH_UNKNOWN && verdict->rule != unknown) {
            evaluation->unknown++;
            unknown = verdict->rule;
        }
    }
}

struct evaluation *evaluate(const struct knowledge *knowledge, const struct chart *chart,
                            int64_t now_ms, const struct eval_options *options)
{
    static const struct eval_options none = { 0 };
    struct evaluation *evaluation = mem_new(struct evaluation);
    struct run run = { .eval = { .knowledge = knowledge, .chart = chart, .now_ms = now_ms,
                                 .arena = &evaluation->arena },
                       .options = options ? options : &none };

    for (size_t i = 0; i < knowledge_rule_count(knowledge); i++)
        if (knowledge_rule(knowledge, i)->mode != RULE_OFF)
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

bool verdict_is_finding(const struct verdict *verdict)
{
    return holds(verdict) && !verdict->merged_into;
}
