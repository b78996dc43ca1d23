#include "core/budget.h"

#define PARTS INT64_C(60000) /* of a request: a minute has so many milliseconds */

static int64_t full(const struct budget *budget)
{
    int64_t parts = budget->per_minute * PARTS / 10;

    return parts > PARTS ? parts : PARTS;
}

static void refill(struct budget *budget, int64_t now_ms)
{
    int64_t room = full(budget) - budget->held;
    int64_t passed_ms = now_ms > budget->at_ms ? now_ms - budget->at_ms : 0;

    budget->at_ms = now_ms;
    if (!budget->per_minute) return;
    if (room <= 0 || passed_ms > room / budget->per_minute)
        budget->held = full(budget);
    else
        budget->held += passed_ms * budget->per_minute;
}

void budget_init(struct budget *budget, int64_t per_minute, int64_t now_ms)
{
    *budget = (struct budget){ .per_minute = per_minute, .at_ms = now_ms };
    budget->held = full(budget);
}

void budget_set(struct budget *budget, int64_t per_minute, int64_t now_ms)
{
    refill(budget, now_ms);
    budget->per_minute = per_minute;
    if (budget->held > full(budget)) budget->held = full(budget);
}

void budget_spend(struct budget *budget, int64_t now_ms)
{
    int64_t deepest = -budget->per_minute * PARTS;

    refill(budget, now_ms);
    if (!budget->per_minute) return;
    budget->held -= PARTS;
    if (budget->held < deepest) budget->held = deepest;
}

int64_t budget_wait_ms(struct budget *budget, int64_t now_ms)
{
    int64_t lacking;

    refill(budget, now_ms);
    lacking = PARTS - budget->held;
    if (!budget->per_minute || lacking <= 0) return 0;
    return (lacking + budget->per_minute - 1) / budget->per_minute;
}

int64_t budget_per_hour(int64_t per_minute, int64_t cost_milli)
{
    if (!per_minute || cost_milli <= 0) return INT64_MAX;
    return per_minute * 60 * 1000 / cost_milli;
}
