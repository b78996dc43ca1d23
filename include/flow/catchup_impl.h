/* What the files of the catch-up poll share. Private to adapter/flow/catchup*.c. */
#pragma once

#include "flow/flow_impl.h"
#include "flow/pages.h"

/* The poll of a type; NULL: it is none of ours. */
struct catchup *catchup_of(struct flow *flow, const char *type);

/* catchup_page.c: the entries of a page become events in at->events. */
void catchup_on_entry(const struct bundle_entry *entry, void *arg);
void catchup_on_gone(const struct bundle_entry *entry, void *arg);
void catchup_on_bad(const struct err *err, void *arg);

/* catchup_ask.c: what a pass asks for, and what it makes of the end. */
void catchup_path(const struct catchup *at, struct buf *ret);

/* Is it likely that the last page had no next link although it should have one? Then the pass is
 * made again with larger pages: see at->count. */
bool catchup_is_cut(struct catchup *at);

/* The watermark after a pass that ended well. */
int64_t catchup_watermark(const struct catchup *at);

/* catchup_hint.c: the pass that the hints asked for begins; it has ended well. */
void catchup_hints_begin(struct catchup *at);
void catchup_hints_finish(struct catchup *at);
