/* target/linux/launch/arena.h: kernel memory for what the launcher hands over; it stays for the life of the instance. */
#pragma once

#include <myst/boot.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A bump allocator behind .data and .bss. */
struct arena {
    uint64_t next; /* offset in the page window */
};

static inline void *arena_get(struct arena *arena, size_t size)
{
    void *p = (void *)(MYST_WINDOW_BASE + arena->next);

    arena->next += (size + 15) & ~15UL;
    return p;
}

static inline const char *arena_string(struct arena *arena, const char *s)
{
    return s ? memcpy(arena_get(arena, strlen(s) + 1), s, strlen(s) + 1) : NULL;
}
