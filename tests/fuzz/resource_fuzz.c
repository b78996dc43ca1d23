#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "fhir/detected_issue.h"
#include "fhir/reference.h"
#include "fhir/resource.h"
#include "fhir/unmapped.h"
#include "fhir_knowledge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

static const struct knowledge *knowledge(void)
{
    static struct knowledge *loaded;
    struct err_list problems = { 0 };

    if (!loaded)
        require(knowledge_load(fixture_files, ARRAY_SIZE(fixture_files), &loaded, &problems));
    err_list_done(&problems);
    return loaded;
}

/* Every reference leads to the resource itself: chains that never end have to end. */
static const struct doc_value *find_itself(void *arg, const char *type, const char *id)
{
    (void)type;
    (void)id;
    return arg;
}

static void check_interval(const struct interval *at)
{
    require(decimal_compare(at->low, at->high) <= 0);
    require(decimal_compare(at->low, DECIMAL_ZERO) >= 0);
}

static void check_orders(const struct chart *chart, const struct node *root)
{
    for (size_t i = 0; i < chart->order_count; i++) {
        const struct chart_order *order = &chart->orders[i];
        require(!node_true(root, "doNotPerform") || order->state == ORDER_REMOVED);
        require(order->state != ORDER_UNCLEAR || *order->why);
        require((order->ingredient_count == 0) == (order->unmapped != NULL));
        require(!order->other || order->ingredient_count == 0);
        for (size_t j = 0; j < order->ingredient_count; j++) {
            const struct dose *dose = &order->ingredients[j].dose;
            if (dose->single_known) check_interval(&dose->single);
            if (dose->daily_known) check_interval(&dose->daily);
            require(dose->daily_known || *dose->why);
            require(!(dose->single_known || dose->daily_known) || *dose->unit);
        }
    }
}

static void check_results(const struct chart *chart)
{
    for (size_t i = 0; i < chart->result_count; i++) {
        const struct chart_result *result = &chart->results[i];
        require(result->analyte != CONCEPT_NONE);
        require(result->kind != VALUE_UNREADABLE || result->doubt);
        require(result->kind != VALUE_QUANTITY || result->value.low_none ||
                decimal_compare(result->value.low, DECIMAL_ZERO) >= 0);
    }
}

/* The document as what stands on the server, whose mitigation is kept. */
static void check_issue(const struct node *root, enum fhir_release release)
{
    const struct issue_options options = { ADAPTER_SYSTEM, "Device/d", "1", release };
    static const struct alert alert = { .key = "k",
                                        .identity = "",
                                        .patient = "1",
                                        .rule = "r",
                                        .title = "t",
                                        .code = "LAB",
                                        .ended_why = "",
                                        .detail = "d",
                                        .recommendation = "",
                                        .source_url = "",
                                        .generation = "g" };
    char *text = issue_build(&alert, &options, NULL, root), *again;
    struct doc *doc = NULL;
    struct err err;

    require(doc_parse(text, strlen(text), 0, &doc, &err));
    struct node built = node_root(doc);
    again = issue_build(&alert, &options, NULL, &built);
    require(strcmp(again, text) == 0); /* what others wrote is still all there */
    require(issue_matches(&alert, &options, &built));
    doc_free(doc);
    free(again);
    free(text);
}

/* Any document: facts that make sense, or an error. */
static void on_unmapped(const struct unmapped *seen, void *arg)
{
    (void)arg;
    require(seen->kind <= UNMAPPED_UNIT && seen->system && seen->code && seen->display);
    require(seen->kind != UNMAPPED_UNIT || seen->concept != CONCEPT_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct doc *doc = NULL;
    struct reference reference;
    const char *unmapped;
    struct err err;

    if (!doc_parse((const char *)data, size, 0, &doc, &err)) return 0;
    struct node root = node_root(doc);
    struct resource_library library = { find_itself, (void *)(uintptr_t)root.value };
    struct chart *chart = chart_new("1");
    if (resource_apply(&root, knowledge(), &library, chart, &unmapped, &err)) {
        check_orders(chart, &root);
        check_results(chart);
        chart_arrange(chart, knowledge());
    } else {
        require(err.kind == ERR_INPUT && chart->result_count + chart->order_count == 0);
    }
    unmapped_find(&root, knowledge(), on_unmapped, NULL);
    resource_needs_medication(&root, &reference);
    check_issue(&root, size % 2 ? FHIR_R5 : FHIR_R4);
    chart_free(chart);
    doc_free(doc);
    return 0;
}
