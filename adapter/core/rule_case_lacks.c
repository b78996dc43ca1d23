/* Which kinds of cases a rule needs and lacks. */
#include "core/rule.h"
#include "core/rule_case.h"

static bool has_case(const struct rule *rule, enum case_outcome outcome)
{
    for (size_t i = 0; i < rule->case_count; i++)
        if (rule->cases[i].then == outcome) return true;
    return false;
}

bool rule_case_lacks(const struct rule *rule, enum case_outcome outcome)
{
    switch (outcome) {
    case CASE_FIRES:
        return !has_case(rule, CASE_FIRES) && !has_case(rule, CASE_YIELDS);
    case CASE_STAYS:
        return rule->persists && !has_case(rule, CASE_STAYS);
    case CASE_YIELDS:
        return rule->yields_count && !has_case(rule, CASE_YIELDS);
    case CASE_SILENT:
    case CASE_CANNOT_TELL:
        break;
    }
    return !has_case(rule, outcome);
}
