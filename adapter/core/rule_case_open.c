/* Alerts that were open before a case. */
#include <stdio.h>
#include <string.h>

#include "core/knowledge_impl.h"
#include "core/rule_case_impl.h"

struct opening {
    struct open_alerts *open;
    const struct rule *rule;
    const struct knowledge *knowledge;
    const struct chart *chart;
};

static void identity_add(const struct opening *at, const char *subjects)
{
    struct open_alerts *open = at->open;
    char identity[512];

    if (open->count == open->room) {
        size_t room = open->room ? open->room * 2 : 16;
        const char **more = arena_alloc(&open->arena, room * sizeof *more);
        if (open->count) memcpy(more, open->items, open->count * sizeof *more);
        open->items = more;
        open->room = room;
    }
    snprintf(identity, sizeof identity, "%s|%s|%s", at->chart->patient, at->rule->id, subjects);
    open->items[open->count++] = arena_copy(&open->arena, identity, strlen(identity));
}

static const char *drug_of(const struct opening *at, size_t order)
{
    const struct chart_order *found = &at->chart->orders[order];

    return found->ingredient_count ? concept_name(at->knowledge, found->ingredients[0].concept)
                                   : "";
}

static void pairs_add(const struct opening *at, size_t one)
{
    for (size_t other = 0; other < at->chart->order_count; other++) {
        char pair[256];
        if (strcmp(drug_of(at, one), drug_of(at, other)) >= 0) continue;
        snprintf(pair, sizeof pair, "%s,%s", drug_of(at, one), drug_of(at, other));
        identity_add(at, pair);
    }
}

void open_alerts_add(struct open_alerts *open, const struct rule *rule,
                     const struct knowledge *knowledge, const struct chart *chart)
{
    struct opening at = { open, rule, knowledge, chart };

    if (!rule->bindings) identity_add(&at, "");
    for (size_t i = 0; i < chart->order_count; i++) {
        if (!*drug_of(&at, i)) continue;
        if (rule->bindings == 1) identity_add(&at, drug_of(&at, i));
        if (rule->bindings == 2) pairs_add(&at, i);
    }
}

void open_alerts_done(struct open_alerts *open)
{
    arena_done(&open->arena);
}
