/* Allocation that does not fail: out of memory ends the process (systemd starts it again; every
 * accepted event is already durable). Sizes that come from outside are bounded by a named limit
 * before they get here. */
#pragma once

#include <stddef.h>

/* count * size bytes of zeros; owned by the caller (free()). */
void *mem_zero(size_t count, size_t size);

/* realloc(): takes old, which may be NULL; size must not be 0. What is new is uninitialised. */
void *mem_resize(void *old, size_t size);

/* A copy of text; owned by the caller (free()). */
char *mem_strdup(const char *text);

/* A zeroed struct of its own. */
#define mem_new(type) ((type *)mem_zero(1, sizeof(type)))
