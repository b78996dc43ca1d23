/* How many requests may be made in a minute: a token bucket, in whole numbers. What cannot wait is
 * spent without asking and makes a debt; what can wait asks first. Pure: the caller brings the
 * time. */
#pragma once

#include <stdint.h>

struct budget {
    int64_t per_minute; /* requests; 0: no limit */
    int64_t held;       /* in parts of a request, 60000 each: negative is a debt */
    int64_t at_ms;      /* of the last look, on the caller's clock */
};

/* Full: a tenth of a minute's requests, at least one, may be made at once. */
void budget_init(struct budget *budget, int64_t per_minute, int64_t now_ms);

/* Another limit from now on; a debt stays one. */
void budget_set(struct budget *budget, int64_t per_minute, int64_t now_ms);

/* A request is made, whether there is one left or not. The debt ends at a minute's requests, so that
 * who asks never waits much longer than a minute. */
void budget_spend(struct budget *budget, int64_t now_ms);

/* How long until the next request may be made; 0: now. A clock that steps back neither gives nor
 * takes. */
int64_t budget_wait_ms(struct budget *budget, int64_t now_ms);

/* How many things an hour the budget gives that cost so many requests each, in thousandths; INT64_MAX
 * without a limit. */
int64_t budget_per_hour(int64_t per_minute, int64_t cost_milli);
