/* What can only be checked when all rule files are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "core/rule.h"
#include "core/rule_read.h"

static void yield_problem(const struct rule *rule, const char *id, const char *near,
                          struct err_list *problems)
{
    struct err err;

    err_set(&err, ERR_CONFIG, "rule.value", "\"%s\" yields to \"%s\", and there is no such rule",
            rule->id, id);
    err_at(&err, "%s", rule->yields_place);
    if (near) err_fix(&err, "did you mean \"%s\"?", near);
    err_list_add(problems, &err);
}

static void yields_check(const struct knowledge *knowledge, const struct rule *rule,
                         const char *const *ids, struct err_list *problems)
{
    for (size_t i = 0; i < rule->yields_count; i++) {
        const char *id = rule->yields_to[i];
        if (strcmp(id, rule->id) == 0 || !knowledge_rule_named(knowledge, id))
            yield_problem(rule, id, nearest(id, ids), problems);
    }
}

void rules_check(const struct knowledge *knowledge, struct err_list *problems)
{
    size_t count = knowledge_rule_count(knowledge);
    const char **ids = mem_zero(count + 1, sizeof *ids);

    for (size_t i = 0; i < count; i++) ids[i] = knowledge_rule(knowledge, i)->id;
    for (size_t i = 0; i < count; i++)
        yields_check(knowledge, knowledge_rule(knowledge, i), ids, problems);
    free(ids);
}
