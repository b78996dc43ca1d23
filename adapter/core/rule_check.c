/* What can only be checked when all rule files are read. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/node.h"
#include "core/rule.h"
#include "core/rule_read.h"

static void yield_check(const struct knowledge *knowledge, const struct rule *rule, const char *id,
                        const char *const *ids, struct err_list *problems)
{
    bool itself = strcmp(id, rule->id) == 0;
    const char *near;
    struct err err;

    if (!itself && knowledge_rule_named(knowledge, id)) return;
    err_set(&err, ERR_CONFIG, "rule.value",
            itself ? "\"%s\" yields to itself" : "there is no rule \"%s\" to yield to", id);
    err_at(&err, "%s", rule->yields_place);
    near = itself ? NULL : nearest(id, ids);
    if (near) err_fix(&err, "did you mean \"%s\"?", near);
    err_list_add(problems, &err);
}

void rules_check(const struct knowledge *knowledge, struct err_list *problems)
{
    size_t count = knowledge_rule_count(knowledge);
    const char **ids = mem_zero(count + 1, sizeof *ids);

    for (size_t i = 0; i < count; i++) ids[i] = knowledge_rule(knowledge, i)->id;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < knowledge_rule(knowledge, i)->yields_count; j++)
            yield_check(knowledge, knowledge_rule(knowledge, i),
                        knowledge_rule(knowledge, i)->yields_to[j], ids, problems);
    free(ids);
}
