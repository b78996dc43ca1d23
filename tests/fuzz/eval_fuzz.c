/* A chart of numbers against a fixed set of rules of every kind: every answer has a reason where it is
 * not known, the same chart says the same twice, and no wake-up is lost: what an evaluation says holds
 * until the instant that it names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "core/eval.h"
#include "core/reconcile.h"
#include "core/rule_case.h"
#include "rule_knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REST                                                                                       \
    "\"kind\":\"dose-hold\",\"title\":\"t\",\"severity\":\"high\",\"severityBasis\":\"b\","        \
    "\"display\":\"passive\",\"code\":\"LAB\",\"mechanism\":\"m\",\"recommendation\":\"r\","       \
    "\"sources\":[{\"document\":\"d\"}],\"verification\":{\"grade\":\"verified\"},"                \
    "\"cases\":[{\"name\":\"n\",\"then\":\"silent\"}]"
#define RULE(id, when) "{\"id\":\"" id "\",\"when\":" when "," REST "}"

static const char
    rules[] =
        "{\"owner\":\"o\",\"reviewBy\":\"d\",\"rules\":[" RULE(
            "a",
            "{\"all\":[{\"order\":\"class:imid\"},{\"result\":\"neutrophils\","
            "\"is\":\"below 1.0 10*9/L\",\"within\":\"14 d\"}]}") "," RULE("b",
                                                                           "{\"all\":[{\"order\":"
                                                                           "\"class:imid\"},{"
                                                                           "\"order\":\"class:"
                                                                           "nsaid\"}]}") "," RULE("c",
                                                                                                  "{\"order\":\"class:imid\",\"different\":2,\"overlap\":\"3 d\"}") "," RULE("d", "{\"all\":[{\"order\":\"lenalidomide\"},{\"noResult\":\"neutrophils\","
                                                                                                                                                                                  "\"schedule\":[{\"until\":\"20 d\",\"within\":\"7 d\"},{\"within\":\"28 d\"}]}]}") "," RULE("e", "{\"all\":[{\"order\":\"lenalidomide\"},{\"ceiling\":\"lenalidomide\","
                                                                                                                                                                                                                                                                                   "\"by\":\"creatinine\",\"within\":\"30 d\",\"table\":[{\"when\":\"below 1 mg/dL\","
                                                                                                                                                                                                                                                                                   "\"max\":\"25 mg daily\"},{\"max\":\"10 mg daily\"}]}]}") "," RULE("f",
                                                                                                                                                                                                                                                                                                                                                      "{\"order\":\"lenalidomide\",\"lingers\":{\"lenalidomide\":\"2 d\"},"
                                                                                                                                                                                                                                                                                                                                                      "\"daily\":\"above 10 mg\",\"startedWithin\":\"9 d\"}") "," RULE("g",
                                                                                                                                                                                                                                                                                                                                                                                                                       "{\"any\":[{\"course\":\"lenalidomide\",\"is\":\"5 to 9 d\"},"
                                                                                                                                                                                                                                                                                                                                                                                                                       "{\"cycleStart\":\"thalidomide\",\"cycle\":\"9 d\",\"within\":\"2 d\"},"
                                                                                                                                                                                                                                                                                                                                                                                                                       "{\"not\":{\"all\":[{\"noOrder\":\"naproxen\"},{\"noCondition\":\"dialysis\"}]}}]}") "," RULE("h", "{\"all\":[{\"order\":\"lenalidomide\"},{\"result\":\"creatinine\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "\"rose\":\"at least 0.5 mg/dL\",\"since\":\"lowest in 48 h\",\"within\":\"7 d\"}]}") "," RULE("i",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         "{\"all\":[{\"order\":\"lenalidomide\"},{\"result\":\"creatinine\","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         "\"is\":\"above 1.5 x baseline\",\"within\":\"7 d\"}]}") "," RULE("j",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "{\"result\":\"crcl\",\"is\":\"below 60 mL/min\",\"within\":\"30 d\"}") "," RULE("k", "{\"condition\":\"dialysis\",\"within\":\"9 d\"}") "]}";

/* Rules on computed results, one a line. */
/* clang-format off */
static const char computed_rules[] =
    "{\"owner\":\"o\",\"reviewBy\":\"d\",\"rules\":["
    RULE("l", "{\"result\":\"calcium-corrected\",\"is\":\"below 8.4 mg/dL\",\"within\":\"14 d\"}") ","
    RULE("m", "{\"all\":[{\"order\":\"class:imid\"},"
              "{\"result\":\"egfr\",\"is\":\"at most 0.5 x baseline\",\"within\":\"30 d\"}]}") ","
    RULE("n", "{\"result\":\"calcium-corrected\",\"rose\":\"at least 1 mg/dL\","
              "\"since\":\"lowest in 48 h\",\"within\":\"14 d\"}") ","
    RULE("o", "{\"result\":\"crcl\",\"is\":\"at most 0.5 x previous\",\"within\":\"30 d\"}") ","
    RULE("p", "{\"result\":\"qtcf\",\"is\":\"above 450 ms\",\"within\":\"30 d\"}") ","
    RULE("q", "{\"result\":\"qtc\",\"is\":\"0.9 to 1.1 x previous\",\"within\":\"30 d\"}") ","
    RULE("r", "{\"noResult\":\"bsa\",\"within\":\"ever\"}") "]}";
/* clang-format on */

static struct knowledge *knowledge;

static void require(bool claim)
{
    if (!claim) abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct knowledge_file files[ARRAY_SIZE(rule_base) + 2];
    struct err_list problems = { 0 };

    (void)argc, (void)argv;
    memcpy(files, rule_base, sizeof rule_base);
    files[ARRAY_SIZE(rule_base)] =
        (struct knowledge_file){ "rules/r.json", rules, sizeof rules - 1 };
    files[ARRAY_SIZE(rule_base) + 1] =
        (struct knowledge_file){ "rules/s.json", computed_rules, sizeof computed_rules - 1 };
    require(knowledge_load(files, ARRAY_SIZE(files), &knowledge, &problems));
    return 0;
}

/* ---- a chart of the bytes */

struct bytes {
    const uint8_t *at, *end;
};

static unsigned take(struct bytes *bytes, unsigned below)
{
    return bytes->at < bytes->end ? *bytes->at++ % below : 0;
}

/* Around CASE_NOW in steps of hours, or not known. */
static int64_t take_ms(struct bytes *bytes)
{
    unsigned hours = take(bytes, 255) * 4 + take(bytes, 4);

    return hours == 7 ? INSTANT_UNSET : CASE_NOW + ((int64_t)hours - 700) * INSTANT_HOUR;
}

static struct source take_source(struct bytes *bytes, const char *type)
{
    static const char *const ids[] = { "1", "2", "3", "4", "5" };

    return (struct source){ type, ids[take(bytes, 5)], "", INSTANT_UNSET };
}

static void add_order(struct chart *chart, struct bytes *bytes)
{
    static const char *const names[] = { "lenalidomide", "thalidomide", "naproxen", "ibuprofen" };
    struct chart_ingredient *drug = arena_alloc(&chart->arena, sizeof *drug);
    struct interval dose = interval_exactly(decimal_of(take(bytes, 30)));
    struct chart_order order = { .source = take_source(bytes, "MedicationRequest"),
                                 .state = (enum order_state)take(bytes, 6),
                                 .why = "w",
                                 .label = "l",
                                 .dosage = "",
                                 .ingredients = drug,
                                 .ingredient_count = take(bytes, 8) != 0,
                                 .authored_ms = INSTANT_UNSET,
                                 .start_ms = take_ms(bytes),
                                 .end_ms = take(bytes, 2) ? take_ms(bytes) : INSTANT_NEVER,
                                 .expiry_ms = take(bytes, 4) ? INSTANT_NEVER : take_ms(bytes) };

    *drug = (struct chart_ingredient){ .concept = knowledge_concept(knowledge, CONCEPT_DRUG,
                                                                    names[take(bytes, 4)]),
                                       .use = (enum drug_use)(take(bytes, 9) == 8),
                                       .dose = { .single_known = take(bytes, 2),
                                                 .daily_known = take(bytes, 2),
                                                 .single = dose,
                                                 .daily = dose,
                                                 .hours = dose,
                                                 .every = { 0, take(bytes, 3) * INSTANT_DAY },
                                                 .unit = "mg",
                                                 .why = "" } };
    chart_add_order(chart, &order);
}

static void add_result(struct chart *chart, struct bytes *bytes)
{
    static const char *const names[] = { "neutrophils",
                                         "creatinine",
                                         "weight",
                                         "height",
                                         "calcium",
                                         "albumin",
                                         "egfr",
                                         "calcium-corrected",
                                         "calcium-ionized",
                                         "wbc",
                                         "neutrophil-pct",
                                         "segmented-neutrophil-pct",
                                         "band-neutrophil-pct",
                                         "segmented-neutrophils",
                                         "band-neutrophils",
                                         "bsa",
                                         "qt",
                                         "qtc",
                                         "qtcf",
                                         "qtcb",
                                         "heart-rate" };
    static const char *const signs[] = { NULL, NULL, NULL, "<", ">=", "~" };
    struct decimal value = { take(bytes, 40), -1 };
    struct chart_result result = { .source = take_source(bytes, "Observation"),
                                   .analyte =
                                       knowledge_concept(knowledge, CONCEPT_ANALYTE,
                                                         names[take(bytes, ARRAY_SIZE(names))]),
                                   .state = (enum result_state)take(bytes, 3),
                                   .at_ms = take_ms(bytes),
                                   .issued_ms = take(bytes, 2) ? take_ms(bytes) : INSTANT_UNSET,
                                   .kind = take(bytes, 9) ? VALUE_QUANTITY : VALUE_UNREADABLE,
                                   .doubt = DOUBT_UNREADABLE,
                                   .shown = "s" };

    result.value = interval_from(value, signs[take(bytes, 6)]);
    chart_add_result(chart, &result);
}

static void add_condition(struct chart *chart, struct bytes *bytes)
{
    unsigned *concept = arena_alloc(&chart->arena, sizeof *concept);
    struct chart_condition condition = { .source = take_source(bytes, "Condition"),
                                         .procedure = take(bytes, 2),
                                         .state = (enum condition_state)take(bytes, 4),
                                         .concepts = concept,
                                         .concept_count = take(bytes, 4) != 0,
                                         .label = "c",
                                         .start_ms = take_ms(bytes),
                                         .end_ms =
                                             take(bytes, 2) ? take_ms(bytes) : INSTANT_NEVER };

    *concept = knowledge_concept(knowledge, CONCEPT_CONDITION, "dialysis");
    condition.uncoded = !condition.concept_count;
    chart_add_condition(chart, &condition);
}

static struct chart *chart_of(struct bytes *bytes)
{
    struct chart *chart = chart_new("p");

    chart->sex = (enum sex)take(bytes, 4);
    chart->birth.start =
        CASE_NOW - (int64_t)(take(bytes, 90) * 365 + take(bytes, 250)) * INSTANT_DAY;
    chart->birth.end = chart->birth.start + (take(bytes, 2) ? 1 : 365) * INSTANT_DAY;
    while (bytes->at < bytes->end && chart->order_count + chart->result_count < 40) {
        unsigned kind = take(bytes, 5);
        if (kind < 2)
            add_order(chart, bytes);
        else if (kind < 4)
            add_result(chart, bytes);
        else
            add_condition(chart, bytes);
    }
    chart_arrange(chart, knowledge);
    return chart;
}

/* ---- what must hold */

static void write_answers(const struct evaluation *evaluation, struct buf *out)
{
    for (size_t i = 0; i < evaluation->verdict_count; i++) {
        const struct verdict *verdict = &evaluation->verdicts[i];
        require((verdict->answer.truth == TRUTH_UNKNOWN) == (verdict->answer.doubts != 0));
        buf_printf(out, "%s %d\n", verdict->identity, (int)verdict->answer.truth);
    }
}

/* The alerts that the findings are: identity and all that is said. */
static void write_alerts(const struct evaluation *evaluation, const struct chart *chart,
                         int64_t now_ms, struct buf *out)
{
    AUTO(plan_free) struct plan *plan = reconcile(evaluation, knowledge, chart, NULL, 0, now_ms);

    for (size_t i = 0; i < plan->action_count; i++) {
        const struct alert *alert = &plan->actions[i].alert;
        require(plan->actions[i].kind == ACTION_RAISE);
        require(!i || strcmp(plan->actions[i - 1].alert.identity, alert->identity) < 0);
        buf_printf(out, "%s %s\n", alert->identity, alert->detail);
    }
}

static int64_t tell(const struct chart *chart, int64_t now_ms, struct buf *out)
{
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, now_ms, NULL);

    write_alerts(evaluation, chart, now_ms, out);
    write_answers(evaluation, out);
    return evaluation->next_ms;
}

static void alerts_of(const struct chart *chart, int64_t now_ms, struct buf *out)
{
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, now_ms, NULL);

    write_alerts(evaluation, chart, now_ms, out);
}

static void same_until(const struct chart *chart, int64_t now_ms, int64_t until_ms)
{
    AUTO(buf_done) struct buf now = { 0 }, then = { 0 };

    alerts_of(chart, now_ms, &now);
    alerts_of(chart, until_ms, &then);
    if (strcmp(buf_string(&now), buf_string(&then)) == 0) return;
    fprintf(stderr, "at %" PRId64 ":\n%sat %" PRId64 ":\n%s", now_ms, buf_string(&now), until_ms,
            buf_string(&then));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = { data, data + size };
    AUTO(chart_free) struct chart *chart = chart_of(&bytes);
    int64_t now_ms = CASE_NOW - 200 * INSTANT_DAY;

    for (int i = 0; i < 12; i++) {
        AUTO(buf_done) struct buf one = { 0 }, two = { 0 };
        int64_t next_ms = tell(chart, now_ms, &one);
        tell(chart, now_ms, &two);
        require(strcmp(buf_string(&one), buf_string(&two)) == 0);
        require(next_ms > now_ms);
        if (next_ms == INSTANT_NEVER) next_ms = now_ms + 4000 * INSTANT_DAY;
        same_until(chart, now_ms, next_ms - 1);
        same_until(chart, now_ms, now_ms + (next_ms - now_ms) / 2);
        now_ms = next_ms;
    }
    return 0;
}
