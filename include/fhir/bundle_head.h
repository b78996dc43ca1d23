/* A Bundle without its entries: its type, its links, its time. One broken entry does not hide them,
 * and what is left is small. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/doc.h"

/* text: the whole Bundle; a byte order mark is skipped. *ret is owned by the caller. False when the
 * text is no Bundle, or not one to its last bracket. */
bool bundle_head_read(const char *text, size_t len, struct doc **ret) MUST_CHECK;

/* The URL of the next page as it was sent, borrowed from head; NULL: there is none. */
const char *bundle_head_next(const struct doc *head);
