/* Memory that is released all at once: for documents and other things that live and die together.
 * Under AddressSanitizer every piece is an allocation of its own, so that overruns are seen. */
#pragma once

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* owned */
    char *at, *end;             /* free room in the newest block */
    size_t used;                /* bytes handed out */
};

/* Uninitialised memory, aligned for any type, never NULL; valid until arena_done(). */
void *arena_alloc(struct arena *arena, size_t size);

/* A NUL-terminated copy of len bytes. */
char *arena_copy(struct arena *arena, const char *text, size_t len);

/* Release everything; the arena may be used again. A zeroed struct is an empty arena. */
void arena_done(struct arena *arena);
