/* What the files of order clauses share: eval_order.c answers a clause by what eval_order_match.c says of
 * each order, eval_order_say.c tells why. Private to core/. Nothing here can fail; all is borrowed. */
#pragma once

#include "core/eval_impl.h"

/* ---- which orders count (eval_order_match.c; one by itself: order_match()) */

/* Can an order that is over be one of the clause, now or later? */
bool order_asks_over(const struct order_clause *clause);

/* Is an order in that state what is asked for? */
bool order_is_wanted(enum order_wanted wanted, enum exposure_state state);

/* How long a drug that ended still counts; of one that is not known (CONCEPT_NONE), the longest that it
 * could be. NULL: no longer than until its end. Borrowed from the clause. */
const struct duration *order_linger(const struct order_clause *clause, unsigned concept);

/* Is ms at most that long ago (within), or longer (not within)? Unknown for INSTANT_UNSET. */
struct answer ago_answer(const struct eval *eval, int64_t ms, struct duration length, bool within);

/* The drug that a naming clause is held to; CONCEPT_NONE: any of its drugs. */
unsigned order_bound(const struct eval *eval, const struct order_clause *clause);

/* An order that no mapping knows could be any drug, as long as it counts at all: unknown or false. */
struct answer order_unmapped(const struct eval *eval, const struct order_clause *clause,
                             const struct chart_order *order);

/* The places of one drug, whose orders may replace each other, or add up: unknown where each is on one
 * side of the limit, and all together on the other; *ret_count (may be NULL) is then how many add up.
 * False where that is not so; next_ms is when it may be. */
struct answer order_sum(const struct eval *eval, const struct order_clause *clause,
                        const struct drug_place *places, size_t count, unsigned *ret_count);

/* Is the order one of those whose doses may add up? */
bool order_may_add_up(const struct eval *eval, const struct order_clause *clause,
                      const struct drug_place *place);

/* ---- the words (eval_order_say.c) */

/* Say in t, which is not NULL, what made the answer and what would change it: the orders found, or that
 * there is none. found is of the orders alone, before a clause that asks for their absence turns it. */
void order_answer_say(struct eval *eval, const struct order_clause *clause, enum truth found,
                      struct trace *t);
