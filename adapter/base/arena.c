#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_MIN 4096u
#define BLOCK_MAX (1u << 20)
#define ALIGN     alignof(max_align_t)

#if defined(__SANITIZE_ADDRESS__)
#define ONE_BY_ONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BY_ONE 1
#endif
#endif
#ifndef ONE_BY_ONE
#define ONE_BY_ONE 0
#endif

struct arena_block {
    struct arena_block *next; /* owned */
    alignas(ALIGN) char data[];
};

static char *block_new(struct arena *arena, size_t size)
{
    struct arena_block *block = mem_resize(NULL, sizeof *block + size);

    block->next = arena->blocks;
    arena->blocks = block;
    return block->data;
}

/* Blocks grow with the arena: little for a small document, few calls for a large one. */
static size_t block_size(const struct arena *arena)
{
    if (arena->used < BLOCK_MIN) return BLOCK_MIN;
    return arena->used < BLOCK_MAX ? arena->used : BLOCK_MAX;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t room = size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
    char *p;

    arena->used += room;
    if (ONE_BY_ONE) return block_new(arena, size);
    if (room <= (size_t)(arena->end - arena->at)) {
        p = arena->at;
        arena->at += room;
        return p;
    }
    size_t fresh = block_size(arena);
    if (room >= fresh / 2) return block_new(arena, room); /* the rest of the newest stays in use */
    p = block_new(arena, fresh);
    arena->at = p + room;
    arena->end = p + fresh;
    return p;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);

    if (len) memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void arena_done(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    *arena = (struct arena){ 0 };
}
