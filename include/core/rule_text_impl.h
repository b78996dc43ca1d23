/* What the two tellers of clauses share, in one line (rule_text.c) and as an outline (rule_outline.c),
 * and what rule_text.c has from its parts. Private to core/. */
#pragma once

#include "core/rule_text.h"

/* What a clause says by itself, or what stands above its parts: "one or more of these". */
void clause_head_say(struct buf *out, const struct clause *clause,
                     const struct knowledge *knowledge);

/* The clause whose parts stand below a head: of "none of these" and "unless one of these" those of the
 * group inside. */
const struct clause *clause_listed(const struct clause *clause);

/* What joins the parts: "; and ". */
const char *clause_joint(enum clause_kind kind);

/* "below 30 mL/min: at most 5 mg daily" */
void ceiling_row_say(struct buf *out, const struct ceiling_row *row,
                     const struct knowledge *knowledge);

/* "30 days" */
void duration_say(struct buf *out, struct duration duration);

/* rule_text_order.c: "an active order for lenalidomide, daily dose above 10 mg". */
void order_say(struct buf *out, const struct clause *clause, const struct knowledge *knowledge);
