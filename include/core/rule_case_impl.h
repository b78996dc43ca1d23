/* Inside the cases of rules only. */
#pragma once

#include "base/mem.h"
#include "core/chart.h"
#include "core/knowledge.h"
#include "core/rule.h"

/* Identities of alerts that were open before the case, in an arena of their own. */
struct open_alerts {
    struct arena arena;
    const char **items;
    size_t count, room;
};

/* Add the alerts that the rule could have open in this chart: one for each set of drugs it could be
 * about. Cases are small: rules about more than two drugs at a time have none. */
void open_alerts_add(struct open_alerts *open, const struct rule *rule,
                     const struct knowledge *knowledge, const struct chart *chart);

void open_alerts_done(struct open_alerts *open);
